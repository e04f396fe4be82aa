"""A proposal of territories: the accounts of a book, shared out by the rules of a person."""

import math
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import Book
from cadran.book.individual import check_load
from cadran.book.whole import check_groups, whole_of
from cadran.models.behind import behind, told
from cadran.models.plan_file import plan_there, written
from cadran.models.territories import Reassigned, reassign
from cadran.models.territories_book import Portfolio, portfolio, weigh
from cadran.models.territories_case import check_tolerance
from cadran.models.territories_rules import FILE, Rules, Seller, read_rules
from cadran.tables.measured.territories import Move, Territory, TerritoryOfTeam
from cadran.tables.problems import Problem

#: Stands for a region that is not known, so that sellers without one are balanced among themselves.
_NOWHERE = ""


@dataclass(frozen=True)
class Proposal:
    """Who has what, who should have what, and what that rests on.

    Attributes:
        rules: What was respected.
        balance: One row per seller: `Territory`.
        teams: One row per team: `TerritoryOfTeam`.
        moves: One row per account that changes hands, the heaviest first: `Move`.
        found: The sharing out itself: moves, bound, conflicts.
        quarter_ends: Deals due by then make a move touch pay.
        n_assumed: Weights that stand in for an unknown value.
        n_without: Accounts without a seller who is there; `n_idle` of them weigh nothing, `n_nowhere` weigh something
            and have no region with a seller: both stay as they are.
        n_parts: Colleagues' shares in accounts of others: they keep their deals.
        n_deals_alone: Open deals of no account, each shared out as one.
        speak_all: Sellers of whom no rule says what they speak, where that matters.
        large: Accounts larger than anybody's band, that count for nothing as the rules ask.
        alone: Regions with a single seller: there is nobody to share with.
    """

    rules: Rules
    balance: pl.DataFrame
    teams: pl.DataFrame
    moves: pl.DataFrame
    found: Reassigned
    quarter_ends: date
    n_assumed: int
    n_without: int
    n_idle: int
    n_nowhere: int
    n_parts: int
    n_deals_alone: int
    speak_all: tuple[str, ...]
    large: tuple[str, ...]
    alone: tuple[str, ...]

    @property
    def luck(self) -> float | None:
        """By which share of the mean loads of so many, each falling to anybody, differ by chance alone (one standard
        deviation of a Poisson count); None where loads are no counts."""
        if self.rules.measure not in ("open_deals", "accounts"):
            return None
        mean = float(self.balance["before"].sum()) / max(self.balance.filter(pl.col("target") > 0).height, 1)
        return 1 / math.sqrt(mean) if mean > 0 else None

    def note(self, book: Book) -> None:
        """Note that a book's reader is shown how much each seller has."""
        book.note("load", self.balance["rep_id"])

    @property
    def summary(self) -> dict[str, Any]:
        """The figures in short."""
        present = self.balance.filter(pl.col("target") > 0)
        off = [(present[name] / present["target"] - 1).abs().max() for name in ("before", "after")]
        return {
            "measure": self.rules.measure, "tolerance": self.rules.tolerance, "n_sellers": present.height,
            "n_accounts": int(self.balance["n_clients"].sum()), "n_moves": self.found.n_moves,
            "n_placed": self.found.n_placed, "bound": self.found.bound, "gap": self.found.gap,
            "is_balanced": self.found.is_balanced, "n_outside_before": int((~present["is_within_before"]).sum()),
            "n_outside": int((~present["is_within"]).sum()), "farthest_before": off[0], "farthest": off[1],
            "n_moves_touching_pay": int(self.moves["touches_pay"].sum()), "quarter_ends": self.quarter_ends,
            "n_assumed": self.n_assumed, "n_without": self.n_without, "n_idle": self.n_idle, "n_nowhere": self.n_nowhere,
            "n_parts": self.n_parts, "n_deals_alone": self.n_deals_alone,
        }  # fmt: skip


def propose(
    book: Book, path: Path | None = None, *, measure: str | None = None, tolerance: float | None = None,
    time_limit: float = 30.0, chances: pl.DataFrame | None = None,
) -> Proposal:  # fmt: skip
    """Share out the accounts of a book by the rules of a file, with as few moves as possible.

    Args:
        book: At its moment.
        path: The rules; by default the book's own, and none if it is not there.
        measure, tolerance: In place of those of the rules.
        time_limit: Seconds after which the best found so far is given.
        chances: `opportunity_id` and `probability`, for the measure "potential"; by default the win model tells.

    Raises:
        Problem: If the book has no sellers, a rule is wrong, there is nothing to share out, or its reader is not told who
            has how much.
    """
    check_groups(book)
    check_load(book)
    found = portfolio(book)
    path = path or plan_there(book, FILE)
    rules = _rules(book, path, found) if path else Rules()
    rules = replace(
        rules, measure=rules.measure if measure is None else measure,
        tolerance=rules.tolerance if tolerance is None else tolerance,
    )  # fmt: skip
    check_tolerance(rules.tolerance)
    weight, n_assumed = weigh(book, found, rules.measure, chances)
    staff = _staff(found, rules)
    units = _units(found, rules, staff, weight)
    large = _large(units, staff, rules.tolerance) if rules.is_large_apart else []
    units = units.with_columns(weight=pl.when(pl.col("unit_id").is_in(large)).then(0.0).otherwise("weight"))
    # Of accounts that weigh the same, the first are taken first: those that touch nobody's pay.
    heavy = units.filter(pl.col("weight") > 0)
    asked = heavy.filter("is_reachable").sort("n_due", "amount_open", "unit_id")
    if asked.is_empty() and heavy.height:
        raise Problem("None of {n} accounts has a seller, or is of a region that has one: nothing can be shared out.",
                      "Map the sellers of deals and the regions of accounts, or name sellers for them under `named`.",
                      n=heavy.height)  # fmt: skip
    if asked.is_empty():
        raise Problem("No account carries anything of the measure {measure}: there is nothing to share out.",
                      "Share out by another measure.", measure=rules.measure)  # fmt: skip
    shared = reassign(asked.drop("account_id").rename({"unit_id": "account_id"}), staff, rules.tolerance, time_limit)
    at = shared.accounts.select(unit_id="account_id", to_rep_id="to_rep_id", reason="reason")
    placed = units.join(at, on="unit_id", how="left").with_columns(after=pl.coalesce("to_rep_id", "rep_id"))
    without = units.filter(pl.col("rep_id").is_null())
    languages = {each for each in rules.languages.values() if each}
    grouped = staff.group_by("region").agg(pl.col("share").gt(0).sum().alias("n"), pl.col("told_region").first())
    return Proposal(
        rules, _balance(placed, staff, shared), _teams(placed, staff, shared), _moves(placed, staff), shared, found.quarter_ends,
        n_assumed, without.height, without.filter(pl.col("weight") == 0).height,
        units.filter(~pl.col("is_reachable"), pl.col("weight") > 0).height, units.filter("is_part")["unit_id"].len(),
        asked.filter("is_deal").height,
        tuple(each for each in staff["rep_id"] if languages and rules.speaks(each) is None),
        tuple(large),
        tuple(grouped.filter(n=1)["told_region"].drop_nulls().sort()) if rules.is_region_fixed else (),
    )  # fmt: skip


def _rules(book: Book, path: Path, found: Portfolio) -> Rules:
    """Rules are of the whole company: who sees a part of it is told of that part, not that the rest is unknown."""
    if book.reader is None or not book.reader.is_limited:
        return read_rules(path, found)
    return read_rules(path, portfolio(whole_of(book, __name__))).among(found)


def proposed(book: Book, measure: str | None = None, wait: bool = True) -> Proposal | None:
    """The same by the book's own rules, worked out once for all who ask, behind the page.

    Args:
        book: At its moment.
        measure: In place of that of the rules.
        wait: Whether to wait for it; otherwise None is given until it is there.

    Raises:
        Problem: As `propose` does.
    """
    found = told(_begun(replace(book, viewed=None), measure, written(book, FILE)), wait)
    if found is not None:
        found.note(book)
    return found


@lru_cache(maxsize=16)
def _begun(book: Book, measure: str | None, _written: tuple[tuple[str, int], ...]) -> Future[Proposal]:
    return behind(lambda: propose(book, measure=measure))


def _staff(found: Portfolio, rules: Rules) -> pl.DataFrame:
    """The sellers as `reassign` takes them, with `seller`, `team` and their own region as `told_region`."""
    new = [
        {"rep_id": rep_id, "seller": rep_id, "region": seller.region}
        for rep_id, seller in rules.sellers.items() if seller.joins
    ]  # fmt: skip
    everybody = pl.concat([found.reps, pl.DataFrame(new, found.reps.schema)])
    said = [rules.sellers.get(each, Seller()) for each in everybody["rep_id"]]
    spoken = [rules.speaks(each) for each in everybody["rep_id"]]
    return everybody.with_columns(
        told_region=pl.col("region"), region=_group(pl.col("region"), rules),
        share=pl.Series([0.0 if each.leaves else each.share for each in said], dtype=pl.Float64),
        languages=pl.Series([None if each is None else list(each) for each in spoken], dtype=pl.List(pl.String)),
    )  # fmt: skip


def _group(region: pl.Expr, rules: Rules) -> pl.Expr:
    if not rules.is_region_fixed:
        return pl.lit(None, pl.String)
    return region.replace(dict(rules.groups)).fill_null(_NOWHERE)


def _units(found: Portfolio, rules: Rules, staff: pl.DataFrame, weight: pl.DataFrame) -> pl.DataFrame:
    """The accounts as `reassign` takes them, under `unit_id`; `is_reachable`: whether a region with a seller is known.

    An account stays in the region of its seller; one without a seller in that of its last one, or in its own.
    """
    groups = staff.filter(pl.col("share") > 0)["region"].unique()
    gone = found.everybody.join(staff, on="rep_id", how="anti")
    theirs = pl.concat(
        [staff.select("rep_id", group="region"), gone.select("rep_id", group=_group(pl.col("region"), rules))]
    )
    asked = pl.DataFrame(
        {"country": list(rules.languages), "languages": [list(each) for each in rules.languages.values()]},
        {"country": pl.String, "languages": pl.List(pl.String)},
    )
    leaves = [rep_id for rep_id, seller in rules.sellers.items() if seller.leaves]
    own = _group(pl.col("region"), rules)
    is_main = ~pl.col("is_part")
    units = found.accounts.join(weight, on="unit_id").join(asked, on="country", how="left")
    units = units.join(theirs, on="rep_id", how="left").join(
        theirs.rename({"rep_id": "former_rep_id", "group": "former"}), on="former_rep_id", how="left"
    )
    former = pl.when(pl.col("former").is_in(groups.implode())).then("former")
    units = units.with_columns(
        account_region=pl.col("region"),
        region=pl.coalesce("group", former, pl.when(own.is_in(groups.implode())).then(own)),
        named_rep_id=pl.when(is_main).then(pl.col("account_id").replace_strict(rules.named, default=None, return_dtype=pl.String)),
        is_locked=pl.when(is_main).then(pl.col("account_id").is_in(list(rules.locked)))
        .otherwise(~pl.col("rep_id").is_in(leaves)) & pl.col("rep_id").is_not_null(),
        weight=pl.when(is_main & pl.col("account_id").is_in(list(rules.apart))).then(0.0).otherwise("weight"),
    )  # fmt: skip
    is_told = pl.col("region").is_not_null() | pl.col("named_rep_id").is_not_null()
    return units.with_columns(is_reachable=is_told | pl.lit(not rules.is_region_fixed))


def _large(units: pl.DataFrame, staff: pl.DataFrame, tolerance: float) -> list[str]:
    """Accounts larger than the band of anybody in their region, once the larger ones are out of its mean."""
    present = staff.group_by("region").agg(present=pl.col("share").sum(), most=pl.col("share").max())
    left = units.filter(pl.col("weight") > 0).join(present, on="region", nulls_equal=True)
    large: list[str] = []
    while True:
        mean = pl.col("weight").sum().over("region") / pl.col("present")
        is_large = pl.col("weight") > mean * pl.col("most") * (1 + tolerance)
        found = left.filter(is_large)["unit_id"].to_list()
        if not found:
            return large
        large, left = [*large, *found], left.filter(~is_large)


def _balance(placed: pl.DataFrame, staff: pl.DataFrame, told: Reassigned) -> pl.DataFrame:
    weighs = placed.filter(pl.col("weight") > 0)
    both = staff.join(told.reps, on="rep_id", maintain_order="left")
    for column, end in (("rep_id", ""), ("after", "_after")):
        counted = weighs.group_by(rep_id=column).agg(
            (~pl.col("is_part")).sum().alias(f"n_clients{end}"),
            pl.col("country").drop_nulls().n_unique().alias(f"n_countries{end}"),
        )
        open_ = placed.group_by(rep_id=column).agg(pl.col("n_open").sum().alias(f"n_open{end}"))
        both = both.join(counted, on="rep_id", how="left").join(open_, on="rep_id", how="left")
    moved = placed.filter(pl.col("to_rep_id").is_not_null())
    out, in_ = (
        moved.group_by(rep_id=column).len(name) for column, name in (("rep_id", "n_out"), ("to_rep_id", "n_in"))
    )
    both = both.join(out, on="rep_id", how="left").join(in_, on="rep_id", how="left").with_columns(region="told_region")
    counts = pl.col(name for name in both.columns if name.startswith("n_"))
    full = both.with_columns(counts.fill_null(0).cast(pl.Int64)).sort("region", "team", "rep_id", nulls_last=True)
    return Territory.validate(full.select(Territory.column_names()))


def _teams(placed: pl.DataFrame, staff: pl.DataFrame, told: Reassigned) -> pl.DataFrame:
    of = ["team", pl.col("told_region").alias("region")]
    both = staff.join(told.reps, on="rep_id")
    rows = both.group_by(of).agg(
        pl.col("target", "before", "after").sum(), n_sellers=(pl.col("share") > 0).sum(),
        n_outside_before=(~pl.col("is_within_before")).sum(), n_outside=(~pl.col("is_within")).sum(),
    )  # fmt: skip
    place = staff.select("rep_id", team="team", region="told_region")
    moved = placed.filter(pl.col("to_rep_id").is_not_null()).select("rep_id", "to_rep_id")
    moved = moved.join(place, on="rep_id", how="left").join(
        place.rename({"rep_id": "to_rep_id", "team": "to_team", "region": "to_region"}), on="to_rep_id"
    )
    moved = moved.filter(
        pl.col("team").ne_missing(pl.col("to_team"))
        | pl.col("region").ne_missing(pl.col("to_region"))
        | pl.col("rep_id").is_null()
    )
    out = moved.drop_nulls("rep_id").group_by("team", "region").len("n_out")
    in_ = moved.group_by(team="to_team", region="to_region").len("n_in")
    for counted in (out, in_):
        rows = rows.join(counted, on=["team", "region"], how="left", nulls_equal=True)
    counts = pl.col("n_out", "n_in", "n_sellers", "n_outside_before", "n_outside").fill_null(0).cast(pl.Int64)
    full = rows.with_columns(counts).sort("region", "team", nulls_last=True)
    return TerritoryOfTeam.validate(full.select(TerritoryOfTeam.column_names()))


def _moves(placed: pl.DataFrame, staff: pl.DataFrame) -> pl.DataFrame:
    names = staff.select("rep_id", "seller", "told_region")
    moved = placed.filter(pl.col("to_rep_id").is_not_null()).drop("region")
    moved = moved.join(names.select("rep_id", from_seller="seller"), on="rep_id", how="left")
    moved = moved.join(names.select(to_rep_id="rep_id", to_seller="seller", region="told_region"), on="to_rep_id")
    told = moved.with_columns(
        from_rep_id="rep_id", touches_pay=pl.col("n_due") > 0, reason=pl.col("reason").cast(Move.reason.dtype)
    ).sort("weight", "unit_id", descending=[True, False])  # fmt: skip
    return Move.validate(told.select(Move.column_names()))
