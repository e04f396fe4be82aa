"""What each stage of the pipeline would move, in days and in revenue, had it the pace of its own best quarter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, Rival, deals_for, measure
from cadran.measures.counting import LEAST_FILLED, count, grouped, small, total
from cadran.measures.pace import Shrunk, restricted_mean
from cadran.measures.periods import add_months, day_before, first_day, start_of
from cadran.measures.stages import stay_clock
from cadran.measures.survival import Incidence
from cadran.measures.visits import (
    NEEDS_STAGES,
    followed_day,
    midnight,
    open_stages,
    parts,
    visits,
)
from cadran.tables.measured.audit import Bottlenecks

#: Entries into a stage in a quarter, and such quarters, under which none is told to be the best.
LEAST_ENTRIES, LEAST_QUARTERS = 30, 3
#: By when so many of the stays have ended, longest first: up to where stays are counted.
_WITHIN = (0.9, 0.75, 0.5)
TOO_FEW = "Fewer than 3 whole quarters of the period have 30 entries followed long enough."
NO_AMOUNTS = "Too few amounts of the won deals are known."


def quarters(book: Book, question: Question) -> list[date]:
    """The first days of the whole quarters of the period that the book saw from their first day to their last, and of
    the quarter after them."""
    known = [day for day in (question.since, first_day(book), followed_day(book)) if day]
    since, until = max(known, default=book.day), min(question.until or book.day, book.day)
    first = start_of(since, "quarter")
    days = [first if first == since else add_months(first, 3)]
    while day_before(add_months(days[-1], 3)) <= until:
        days.append(add_months(days[-1], 3))
    return days


@dataclass(frozen=True)
class Stays:
    """The visits of a period as bottlenecks are told from: the starts of its whole quarters, `stay_clock` of each stage
    with the `quarter` of entry (its place; null outside), and what the deals won in them that had been there brought.
    """

    starts: list[date]
    clock: pl.DataFrame
    won: pl.DataFrame

    @classmethod
    def of(cls, book: Book, question: Question) -> "Stays":
        """Of the entries of a question's period."""
        starts = quarters(book, question)
        begun = [nw.col("since") >= midnight(day, book) for day in starts]
        place = nw.sum_horizontal(*(each.cast(nw.Int64) for each in begun)) - 1
        is_whole = (nw.col("place") >= 0) & (nw.col("place") < len(starts) - 1)
        entered = visits(book, question).with_columns(place=place)
        entered = entered.with_columns(quarter=nw.when(is_whole).then(nw.col("place")))
        clock = stay_clock(entered, [*question.by, "entered_stage", "quarter"], book)
        return cls(starts, clock, _won(book, question, starts))


def _won(book: Book, question: Question, starts: Sequence[date]) -> pl.DataFrame:
    """The deals won in whole quarters, by stage they had been in: how many, amounts unknown, and their sum."""
    if len(starts) < 2:
        since, until = starts[0], day_before(starts[0])
    else:
        since, until = starts[0], day_before(starts[-1])
    deals = deals_for(book, replace(question, since=since, until=until), "closed", "amount")
    anytime = replace(question, by=(), where={}, since=None, until=None)
    been = visits(book, anytime, "opportunity_id").select("opportunity_id", "entered_stage").unique()
    won = deals.filter(nw.col("status") == "won").join(been, on="opportunity_id")
    is_known = ~nw.col("amount").is_null()
    sums = (
        nw.len().cast(nw.Int64).alias("n_won"),
        count(~is_known, "n_won_unknown"),
        total(is_known, "amount", "revenue"),
    )
    return small(grouped(won, [*question.by, "entered_stage"], *sums))


def _lucky(book: Book, question: Question) -> float | None:
    """The gap of the first stage to its best quarter as measured, before shrinking."""
    row = bottlenecks(Stays.of(book, replace(question, by=())), book=book).collect("polars").to_native().head(1)
    return (row["mean_days"] - row["best_raw_days"]).item() if row.height else None


@measure(
    title="Bottlenecks",
    definition=(
        "For each open stage: the mean stay of the entries of the period's whole quarters, each stay cut at the days "
        "by which nine in ten have ended (three in four, or half, where fewer than 3 quarters were followed that "
        "long), those that last included; the quarter in which it was shortest; and the gap between the two. Quarters "
        "with fewer than 30 entries are left out. The best of noisy quarters is partly the luckiest: quarters are "
        "shrunk towards their mean first. Days moved: gap × entries a quarter. Revenue moved: gap × revenue signed a "
        "day by deals that had been in the stage: signed by the end of a quarter instead of after it. It is revenue "
        "earlier, once, not more revenue, unless conversion changes, and an associated gap: the best quarter may have "
        "had easier deals. Interval: 95 %, each visit for itself, the revenue taken as it was."
    ),
    unit="days; reporting currency",
    source=(
        "Klein and Moeschberger (2003), Survival Analysis, section 4.5: restricted mean; Gelman et al. (2013), "
        "Bayesian Data Analysis, section 5.4; Efron (2011), Tweedie's formula and selection bias, JASA 106(496)"
    ),
    returns=Bottlenecks,
    needs=NEEDS_STAGES,
    answer=lambda book, question: bottlenecks(Stays.of(book, question), question.by, book=book, **question.chosen()),
    rivals=(
        Rival(
            "Against the best quarter as measured",
            "Before shrinking: the best of noisy quarters is partly luck, and the gap too wide. Of the first stage.",
            _lucky,
        ),
    ),
)
def bottlenecks(stays: Stays, by: Sequence[str] = (), *, book: Book) -> nw.LazyFrame:
    """What each stage would move had it the pace of its best quarter.

    Args:
        stays: From `Stays.of`.
        by: Columns to group on. Empty gives one row per stage.
        book: For the order of the stages.

    Returns:
        One row per group and open stage, sorted by `by`, then in the order of the pipeline, as `Bottlenecks` has it.
        Where too few quarters can be compared the gap is null, and where too few amounts are known the revenue;
        `reason` says so.
    """
    stages = list(open_stages(book)["stage"])
    groups = stays.clock.select(by).unique().sort(by) if by else pl.select(all=0)
    lines, won = [*by, "entered_stage"], {}
    for row in stays.won.iter_rows(named=True):
        won[tuple(row[name] for name in lines)] = row
    clocks = parts(stays.clock, lines)
    rows = []
    for group in groups.iter_rows(named=True):
        for stage in stages:
            key = (*(group[name] for name in by), stage)
            told = _told(clocks.get(key, stays.clock.clear()), stays.starts)
            rows.append(
                {name: group[name] for name in by} | {"entered_stage": stage} | _priced(told, won.get(key), stays)
            )
    types = {**{name: stays.clock.schema[name] for name in by}, **Bottlenecks.create_empty().schema}
    return nw.from_native(pl.LazyFrame(rows, schema=types, orient="row"))


def _told(clock: pl.DataFrame, starts: Sequence[date]) -> dict[str, Any]:
    """The stays of one stage: mean, best quarter and gap, from `stay_clock` by quarter."""
    sizes = pl.sum_horizontal("n_event", "n_censored").sum().alias("n")
    told: dict[str, Any] = {"n_entered": clock.select(sizes).item(), "n_quarters": 0, "reason": TOO_FEW}
    whole = clock.drop_nulls("quarter")
    enough = whole.group_by("quarter").agg(sizes).filter(pl.col("n") >= LEAST_ENTRIES).sort("quarter")
    used = whole.join(enough.select("quarter"), on="quarter", how="semi")
    pooled = Incidence.of(used.group_by("time").agg(pl.col("n_event", "n_other", "n_censored").sum()))
    by_quarter = used.partition_by("quarter", as_dict=True)
    for share in _WITHIN if enough.height >= LEAST_QUARTERS else ():
        within = pooled.quantile(share)[0]
        means = {} if within is None else {key[0]: restricted_mean(each, within) for key, each in by_quarter.items()}
        found = {quarter: mean for quarter in enough["quarter"] if (mean := means.get(quarter))}
        if len(found) >= LEAST_QUARTERS:
            entries = dict(enough.iter_rows())
            return told | _gap(found, np.array([entries[quarter] for quarter in found]), within, starts)
    return told


def _gap(
    means: dict[int, tuple[float, float]], entries: np.ndarray, within: float | None, starts: Sequence[date]
) -> dict[str, Any]:
    """The gap between the mean over quarters, weighted by their entries, and the best of them."""
    values, variances = np.array(list(means.values())).T
    shrunk, weights = Shrunk.of(values, variances), entries / entries.sum()
    best = int(shrunk.values.argmin())
    gap, low, high = shrunk.contrast(weights - np.eye(len(weights))[best])
    return {
        "n_quarters": len(means), "within_days": within, "mean_days": float(shrunk.values @ weights),
        "best_quarter": starts[list(means)[best]], "best_days": max(float(shrunk.values[best]), 0.0),
        "best_raw_days": float(values[best]), "gap_days": gap, "gap_days_low": low, "gap_days_high": high,
        "entries_per_quarter": float(entries.mean()), "reason": None,
    }  # fmt: skip


def _priced(told: dict[str, Any], won: dict[str, Any] | None, stays: Stays) -> dict[str, Any]:
    """The row of a stage: what is told of its stays, with what the gap would move."""
    n, n_unknown = (won["n_won"], won["n_won_unknown"]) if won else (0, 0)
    span = (stays.starts[-1] - stays.starts[0]).days
    is_known = n - n_unknown >= LEAST_FILLED * n and (n > n_unknown or n == 0)
    a_day = (won["revenue"] if won else 0.0) / span if is_known and span else None
    row = told | {"n_won": n, "n_won_unknown": n_unknown, "revenue_per_day": a_day}
    if told["reason"] is None:
        row["reason"] = NO_AMOUNTS if a_day is None else None
        for end in ("", "_low", "_high"):
            row[f"days_moved{end}"] = told[f"gap_days{end}"] * told["entries_per_quarter"]
            row[f"revenue_moved{end}"] = None if a_day is None else told[f"gap_days{end}"] * a_day
    return row
