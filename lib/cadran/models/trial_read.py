"""What a trial has shown so far: all those drawn are counted in the arm they were drawn for."""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.measures.survival import Incidence
from cadran.models.power import LEVEL, Estimate, difference_of_units, newcombe, share_of, share_of_units, spent
from cadran.models.trial_draw import ARMS, CONTROL, LEVER, drawn
from cadran.tables.problems import Problem

#: Days after being drawn at which the share won so far is told.
_DAYS = (30, 60, 90, 180, 365)
#: How many units are drawn again at once, times how often.
_AT_ONCE = 2_000_000
SEEN, NOT_SEEN, TOO_EARLY, NO_PLAN = "seen", "not seen", "too early", "no plan"


@dataclass(frozen=True)
class Reading:
    """A reading of a trial on one day.

    `arms` has one row per arm and one for the difference: `arm`; counts `n_units`, `n_deals`, `n_won`, `n_lost`,
    `n_disqualified`, `n_open`; `won_share`, won ÷ drawn, and `win_rate`, won ÷ (won + lost), each with its 95 %
    interval. `won_within` has one row per arm and `days`: the share won so many days after being drawn (Aalen and
    Johansen; without interval where whole units were drawn).
    """

    arms: pl.DataFrame
    won_within: pl.DataFrame
    #: How often drawing again by the same rule, the lever doing nothing, gives a difference as large; 0 to 1.
    p_value: float
    n_redraws: int
    #: Deals the trial was planned for, and those whose end is known or that were followed as long as planned.
    planned: int | None
    n_known: int
    #: The p under which this look may call it an effect; None without a plan.
    level: float | None
    verdict: str
    #: Deals of the assignment that the book does not have; those closed before they were drawn, which count in no arm.
    missing: list[str]
    closed_before: list[str]
    #: Deals drawn after the book's day.
    n_later: int


def read(book: Book, assignment: pl.DataFrame, redraws: int = 2000, seed: int = 0) -> Reading:
    """What a trial has shown by the book's moment.

    Args:
        book: The book, at the moment of the reading.
        assignment: One row per deal, as `trial_draw.ASSIGNMENT` has it.
        redraws: How many times the units are drawn again.
        seed: Seed of those draws.

    Raises:
        Problem: If no deal of the assignment is in the book by then.
    """
    by_then = assignment.filter(pl.col("drawn_on") <= book.day)
    ids = by_then["opportunity_id"].to_list()
    found = small(book.deals(["opportunity_id", "status", "closed_date"]).filter(nw.col("opportunity_id").is_in(ids)))
    known = by_then.join(found, on="opportunity_id", how="left", maintain_order="left")
    is_before = (pl.col("closed_date") < pl.col("drawn_on")).fill_null(False)
    counted = known.filter(pl.col("status").is_not_null(), ~is_before)
    if counted.is_empty():
        raise Problem(
            "The book of {day:%Y-%m-%d} has none of the {n} deals of the assignment.",
            "Read it with the book it was drawn from, as of {first:%Y-%m-%d} or later.",
            day=book.day, n=assignment.height, first=assignment["drawn_on"].min(),
        )  # fmt: skip
    timed = counted.with_columns(
        days=(pl.coalesce("closed_date", pl.lit(book.day)) - pl.col("drawn_on")).dt.total_days()
    )
    is_whole = bool((counted["unit"] != "deal").any())
    units = _units(timed)
    p_value = _drawn_again(units, redraws, seed)
    planned, follow_up = (counted[name].max() for name in ("planned", "follow_up_days"))
    n_known = _n_known(timed, follow_up)
    level = None if not isinstance(planned, int) else spent(n_known / planned)
    return Reading(
        arms=_arms(timed, units, is_whole),
        won_within=_won_within(timed, follow_up, is_whole),
        p_value=p_value, n_redraws=redraws,
        planned=planned if isinstance(planned, int) else None, n_known=n_known, level=level,
        verdict=_verdict(p_value, level),
        missing=known.filter(pl.col("status").is_null())["opportunity_id"].to_list(),
        closed_before=known.filter(is_before)["opportunity_id"].to_list(),
        n_later=assignment.height - by_then.height,
    )  # fmt: skip


def _verdict(p_value: float, level: float | None) -> str:
    if level is None:
        return NO_PLAN
    if p_value <= level:
        return SEEN
    return NOT_SEEN if level >= LEVEL - 1e-9 else TOO_EARLY


def _n_known(timed: pl.DataFrame, follow_up: Any) -> int:
    """Deals that have ended, or were followed as long as planned."""
    is_known = pl.col("status") != "open"
    return timed.filter(is_known | (pl.col("days") >= follow_up) if isinstance(follow_up, int) else is_known).height


def _units(timed: pl.DataFrame) -> pl.DataFrame:
    """One row per unit, those of one draw and stratum side by side: `arm`, `draw`, `n`, `won`, `closed`."""
    is_won = pl.col("status") == "won"
    return (
        timed.group_by("unit_id")
        .agg(
            pl.col("arm").first(),
            draw=pl.concat_str(pl.col("drawn_on").min().dt.to_string("iso"), pl.col("stratum").first(), separator=" "),
            n=pl.len(),
            won=is_won.sum(),
            closed=pl.col("status").is_in(["won", "lost"]).sum(),
        )
        .sort("draw", "unit_id")
    )


def _drawn_again(units: pl.DataFrame, redraws: int, seed: int) -> float:
    """The randomisation p of the difference in the share won, two-sided.

    Source:
        Edgington and Onghena (2007), Randomization Tests, 4th ed.; (1 + as large) ÷ (1 + draws): Phipson and Smyth
        (2010), Statistical Applications in Genetics and Molecular Biology 9(1).
    """
    random, n, won = np.random.default_rng(seed), units["n"].to_numpy(), units["won"].to_numpy()

    def differences(is_lever: np.ndarray) -> np.ndarray:
        one, here = is_lever @ won, is_lever @ n
        with np.errstate(invalid="ignore"):  # an arm without deals differs from none
            return np.abs(np.nan_to_num(one / here - (won.sum() - one) / (n.sum() - here)))

    seen = differences((units["arm"] == LEVER).to_numpy()[None, :].astype(np.int64))[0]
    as_large, at_once = 0, max(1, _AT_ONCE // len(n))
    for done in range(0, redraws, at_once):
        again = drawn(units["draw"], min(at_once, redraws - done), random).astype(np.int64)
        as_large += int((differences(again) >= seen - 1e-12).sum())
    return (1 + as_large) / (1 + redraws)


def _arms(timed: pl.DataFrame, units: pl.DataFrame, is_whole: bool) -> pl.DataFrame:
    """One row per arm, and their difference."""
    rows, shares = [], {"won_share": "n", "win_rate": "closed"}
    for arm in ARMS:
        deals, its = timed.filter(arm=arm), units.filter(arm=arm)
        row: dict[str, Any] = {"arm": arm, "n_units": its.height, "n_deals": deals.height}
        for status in ("won", "lost", "disqualified", "open"):
            row[f"n_{status}"] = deals.filter(status=status).height
        for name, whole in shares.items():
            won, n = (its[column].to_numpy().astype(float) for column in ("won", whole))
            row |= _named(name, share_of_units(won, n) if is_whole else share_of(won.sum(), n.sum()))
        rows.append(row)
    difference: dict[str, Any] = {"arm": "difference"}
    for name, whole in shares.items():
        sides = [
            units.filter(arm=arm)[column].to_numpy().astype(float)
            for arm in (LEVER, CONTROL)
            for column in ("won", whole)
        ]
        difference |= _named(name, difference_of_units(*sides) if is_whole else newcombe(*(s.sum() for s in sides)))
    return pl.DataFrame([*rows, difference], infer_schema_length=None)


def _named(name: str, estimate: Estimate) -> dict[str, float | None]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))


def _won_within(timed: pl.DataFrame, follow_up: Any, is_whole: bool) -> pl.DataFrame:
    """The share won by each arm so many days after being drawn, those followed less long counted as long as they were."""
    rows = []
    for arm in ARMS:
        by_day = timed.filter(arm=arm).group_by(time="days").agg(
            n_event=(pl.col("status") == "won").sum(),
            n_other=pl.col("status").is_in(["lost", "disqualified"]).sum(),
            n_censored=(pl.col("status") == "open").sum(),
        )  # fmt: skip
        curve = Incidence.of(by_day)
        for days in sorted({*_DAYS, *([follow_up] if isinstance(follow_up, int) else [])}):
            share, low, high = curve.by(days) if by_day.height else (None, None, None)
            if share is not None:
                ends = (None, None) if is_whole else (low, high)
                rows.append({"arm": arm, "days": days, **_named("won_share", Estimate(share, *ends))})
    schema = {"arm": pl.String, "days": pl.Int64, **dict.fromkeys(_named("won_share", Estimate()), pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")
