"""What to do about each open deal: secure, push, watch or leave, by which lever, ranked by what it may bring an hour.

Associations, no proof: a lever's gap is what won deals had there and this one lacks, as the win model tells it. Whether
pulling it changes anything is for a trial to say (`cadran.models.trial`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.signals import signals
from cadran.measures.signals_learnt import in_polars
from cadran.models.card import is_told
from cadran.models.effort import hours_left, hours_of
from cadran.models.gaps import PULLS, gaps
from cadran.models.hazards import interval_95
from cadran.models.reasons import chances, tells
from cadran.models.win import WinModel, open_facts
from cadran.tables.measured.actions import Action
from cadran.tables.problems import Problem

#: A deal is likely from this probability on: more likely won than not.
LIKELY = 0.5
#: Business days within which to act.
DUE = {"answer": 1, "meet": 5, "decision_maker": 5, "contact": 5, "redate": 5, "stop": 5}
#: What a signal asks for by itself, the most pressing first: good practice, of which no gain is claimed.
ASKED = {
    "client_waits": "answer", "no_reply": "meet", "silent_contact": "contact", "fewer_people": "contact",
    "stalled": "meet", "competitor": "meet", "amount_down": "meet", "amount_up": "meet", "overdue": "redate",
    "pushed_again": "redate",
}  # fmt: skip
ENDINGS = ("", "_low", "_high")
_DEAL, _SIGNALS = "opportunity_id", pl.col("signals")
_ACTION, _LEVER = pl.col("action"), pl.col("lever")


@dataclass(frozen=True)
class Terms:
    """What an hour costs and an amount leaves: the same for all deals.

    Raises:
        Problem: If the margin is not a share above 0, or the cost or the hours are negative.
    """

    #: Share of the amount that counts, above 0 and up to 1. At 1, all is told before margin.
    margin: float = 1.0
    #: Cost of an hour of a seller, reporting currency.
    cost_per_hour: float = 60.0
    #: Hours that a deal needs yet; None: those that deals won from its stage took, or an assumption where that is not
    #: known (`cadran.models.effort.HOURS_LEFT`).
    hours_left: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.margin <= 1:
            raise Problem(
                "A margin of {margin} is no share.", "Give one above 0 and up to 1: 0.3 is 30 %.", margin=self.margin
            )  # fmt: skip
        if not (isfinite(self.cost_per_hour) and self.cost_per_hour >= 0):
            raise Problem(
                "{cost} is no cost of an hour.", "Give 0 or more, in the book's currency.", cost=self.cost_per_hour
            )  # fmt: skip
        if self.hours_left is not None:
            _check_hours(self.hours_left)


def actions(book: Book, model: WinModel, terms: Terms | None = None) -> pl.DataFrame:
    """What to do about each open deal, the most to gain per hour first.

    The first that holds: *leave* where even at the upper end of the probability, probability × amount × margin is below
    the cost of the hours that won deals still took from its stage on (a person confirms it); *secure* where the deal is
    likely (`LIKELY`) and shows a weak signal; *push* where the interval of its best lever's gap lies above zero and the
    gap is worth more than the effort; else *watch*. Of unknown amounts there is no money: they come after the others,
    by gain per hour. Deals to leave come last, and take none of the hours: what to stop is another question than what
    to do first. The simple rates know no lever: the list is of signals and due dates alone, and claims no gain; where
    none can be told (`cadran.models.card.is_told`), there is no probability either.

    Args:
        book: At its moment.
        model: Of the book at that moment.
        terms: What an hour costs and an amount leaves.

    Returns:
        One row per open deal, as `Action` has it, by rank.

    Raises:
        Problem: If a file of the book is damaged or gone.
    """
    terms, facts = terms or Terms(), open_facts(book)
    if facts.is_empty():
        return Action.create_empty()
    effort = hours_of(book)
    rows = _beside(book, _best(book, model, facts, terms, effort), terms)
    rows = _decided(rows, terms) if tells(model) else _listed(rows)
    is_known = is_told(model, facts)
    rows = rows.with_columns(pl.when(is_known).then(name).alias(name) for name in ("probability", "low", "high"))
    off = in_polars(book).table("calendar").filter(~nw.col("is_business_day")).select("date")
    holidays = in_polars(book).collect(off)["date"].to_list()
    days = _LEVER.replace_strict(DUE, default=None, return_dtype=pl.Int64)
    rows = rows.with_columns(
        hours=_LEVER.replace_strict(effort, default=None, return_dtype=pl.Float64),
        due_date=pl.lit(book.day).dt.add_business_days(days, holidays=holidays, roll="backward"),
        must_confirm=_ACTION == "leave",
    ).with_columns(gap_per_hour=pl.when(_ACTION != "leave").then(pl.col("gap") / pl.col("hours")))
    ranked = rows.sort(*(_order() if tells(model) else _order_of_signs()), nulls_last=True).with_row_index("rank", 1)
    return ranked.select(pl.col(name).cast(kind) for name, kind in Action.create_empty().schema.items())


def _best(book: Book, model: WinModel, facts: pl.DataFrame, terms: Terms, effort: Mapping[str, float]) -> pl.DataFrame:
    """One row per open deal: its chance, and `best`, the lever of the largest gap per hour; null where none stands after
    its doubt."""
    told = chances(model, facts)
    found = gaps(model, book, facts, told)
    hours = np.array([effort[name] for name in PULLS])[:, None]
    # In money too: the gap of an hour is this times what the deal is worth, less the cost of an hour, whichever lever.
    per_hour = np.where(found.shrunk > 0, found.shrunk / hours, -np.inf)
    best = per_hour.argmax(axis=0), np.arange(len(facts))
    helps = found.shrunk[best] > 0
    raw, width = found.raw[best], found.width[best]
    low, high = interval_95(told[1:])
    of_best = {
        "best": np.array(list(PULLS))[best[0]], "gain": found.shrunk[best],
        "gain_low": np.clip(raw - width, -told[0], 1 - told[0]), "gain_high": np.clip(raw + width, -told[0], 1 - told[0]),
        "won_share": found.won_share[best], "n_won": found.n_won[best], "is_beyond": found.is_beyond[best],
    }  # fmt: skip
    rows = pl.DataFrame(
        {"probability": told[0], "low": np.minimum(low, told[0]), "high": np.maximum(high, told[0]), **of_best}
    )
    rows = rows.with_columns(pl.when(pl.Series(helps)).then(name).alias(name) for name in of_best)
    cost = pl.col("best").replace_strict(effort, default=None, return_dtype=pl.Float64) * terms.cost_per_hour
    own = facts.select(_DEAL, "stage", pl.col("amount").cast(pl.Float64))
    return pl.concat([own, rows], how="horizontal").with_columns(cost=cost)


def _beside(book: Book, rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The same with `signals`, `asked` (the lever the most pressing one asks for), `hours_left` with `is_assumed`, and
    `expected_close_date`."""
    signs = signals(book).group_by(_DEAL, maintain_order=True).agg(signals=pl.col("signal").cast(pl.String))
    left = hours_left(book)
    anywhere, is_assumed = left.filter(pl.col("stage").is_null()).select("hours_left", "is_stated").row(0)
    if terms.hours_left is not None:
        left, anywhere, is_assumed = left.clear(), terms.hours_left, True
    view = in_polars(book)
    dates = view.collect(view.deals([_DEAL, "expected_close_date"]))
    joined = rows.join(signs, on=_DEAL, how="left", maintain_order="left")
    joined = joined.join(left.select("stage", "hours_left"), on="stage", how="left", maintain_order="left")
    joined = joined.join(dates, on=_DEAL, how="left", maintain_order="left").with_columns(
        _SIGNALS.fill_null([]), pl.col("hours_left").fill_null(anywhere), is_assumed=is_assumed
    )
    asked = pl.coalesce(pl.when(_SIGNALS.list.contains(name)).then(pl.lit(lever)) for name, lever in ASKED.items())
    return joined.with_columns(asked=asked)


def _decided(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The rule, where the model tells deals apart."""
    worth, left = pl.col("amount") * terms.margin, pl.col("hours_left") * terms.cost_per_hour
    pays = (pl.col("gain") * worth > pl.col("cost")).fill_null(pl.col("best").is_not_null())
    leaves = (pl.col("high") * worth < left).fill_null(False)
    secures = (pl.col("probability") >= LIKELY) & (_SIGNALS.list.len() > 0)
    pushes = (pl.col("gain_low") > 0).fill_null(False) & pays
    ways = pl.when(leaves).then(pl.lit("leave")).when(secures).then(pl.lit("secure")).when(pushes).then(pl.lit("push"))
    rows = rows.with_columns(action=ways.otherwise(pl.lit("watch")))
    claims = (secures | pushes) & ~leaves & pays
    tidies = (_ACTION == "watch") & _SIGNALS.list.contains("overdue")
    lever = pl.when(leaves).then(pl.lit("stop")).when(claims).then("best").when(_ACTION == "secure").then("asked")
    won = {f"gap{end}": pl.col(f"gain{end}") * worth - pl.col("cost") for end in ENDINGS}
    saved = dict(zip(won, (left - pl.col(end) * worth for end in ("probability", "high", "low")), strict=True))
    return rows.with_columns(
        lever=lever.when(tidies).then(pl.lit("redate")),
        extrapolates=claims & pl.col("is_beyond").fill_null(False),
        **{name: pl.when(leaves).then(saved[name]).when(claims).then(won[name]) for name in won},
        **{name: pl.when(claims).then(name) for name in (*(f"gain{end}" for end in ENDINGS), "won_share", "n_won")},
    )


def _listed(rows: pl.DataFrame) -> pl.DataFrame:
    """What signals ask for, and no more."""
    claimed = (f"{of}{end}" for of in ("gain", "gap") for end in ENDINGS)
    return rows.with_columns(
        action=pl.lit("watch"), lever="asked", extrapolates=False, **dict.fromkeys(claimed, pl.lit(None, pl.Float64))
    )


def _order() -> tuple[pl.Expr, ...]:
    """First what has a gap in money, by the hour; then likely deals to secure of which none is told, by what they are
    worth; then gaps where the amount is unknown, by the hour; then dates to write anew; then what is watched. Last, what
    to leave, by what that saves."""
    at_stake = (pl.col("probability") * pl.col("amount")).fill_null(0)
    tiers = [
        pl.col("gap").is_not_null(), (_ACTION == "secure") & pl.col("gain").is_null(), pl.col("gain").is_not_null(),
        _LEVER.is_not_null(),
    ]  # fmt: skip
    leaves = _ACTION == "leave"
    first = (pl.when(held & ~leaves).then(place) for place, held in enumerate(tiers))
    tier = pl.coalesce(*first, pl.lit(len(tiers)) + leaves.cast(pl.Int64))
    within = pl.coalesce(
        pl.when(leaves).then("gap"), pl.when(tier == 0).then("gap_per_hour"),
        pl.when(tier == 2).then(pl.col("gain") / pl.col("hours")),
    )  # fmt: skip
    return tier, -within.fill_null(at_stake), pl.col(_DEAL)


def _order_of_signs() -> tuple[pl.Expr, ...]:
    """The most pressing signal first, then how many there are, then the day the deal is expected to close."""
    pressing = pl.coalesce(
        pl.when(_SIGNALS.list.contains(name)).then(place) for place, name in enumerate(ASKED)
    )  # fmt: skip
    return pressing, -_SIGNALS.list.len().cast(pl.Int64), pl.col("expected_close_date"), pl.col(_DEAL)


def within(listed: pl.DataFrame, hours: float) -> pl.DataFrame:
    """Which tasks of a list fit into so many hours: taken by rank, those too long for what is left passed over.

    To leave a deal takes no hour: what is proposed to be left always fits.
    Tasks are many and short beside a week: taking them by what they bring an hour loses less than what the first one
    passed over would have brought.

    Args:
        listed: As `actions` gives it, or some of its rows.
        hours: What the team has, 0 or more.

    Returns:
        The same with `fits`; false where there is nothing to do.

    Raises:
        Problem: If the hours are negative, or not a number.

    Source:
        Dantzig (1957), Discrete-variable extremum problems, Operations Research 5(2): the greedy rule of the knapsack.
    """
    _check_hours(hours)
    left, fits = hours + 1e-9, []
    for effort in listed.sort("rank")["hours"]:
        fits.append(effort is not None and effort <= left)
        left -= effort if fits[-1] else 0
    kept = listed.sort("rank").select("rank", fits=pl.Series(fits, dtype=pl.Boolean))
    return listed.join(kept, on="rank", how="left", maintain_order="left")


def _check_hours(hours: float) -> None:
    if not (isfinite(hours) and hours >= 0):
        raise Problem("{hours} is no number of hours.", "Give 0 or more.", hours=hours)
