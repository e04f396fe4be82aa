"""Results against targets, and whether a period that still runs is on pace."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import is_active
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import count, grouped, small, total
from cadran.measures.periods import add_months, day_before, seen_on, spans, start_of
from cadran.measures.staff import Staff
from cadran.measures.targets import between, business_days, targets_for
from cadran.tables.measured.resources import Attainment
from cadran.tables.problems import Problem

_STEPS = {"month": 1, "quarter": 3}
#: Periods asked for, and complete ones before that say how much is signed by a business day; fewer than the least, or
#: fewer wins in them, tell nothing, and business days do.
PERIODS, MOST_PAST, LEAST_PAST, LEAST_WINS = 8, 12, 4, 30
_USUAL = ("elapsed_share", "n_past_periods", "expected_share", "expected_share_low", "expected_share_high")


@measure(
    title="Attainment",
    definition=(
        "Σ signed revenue ÷ Σ target of each quarter (option every: month); of one that still runs, so far. A target "
        "that reaches beyond it counts for its share of business days, a seller's for those they are in the company. Pace: "
        "attainment ÷ the share usually signed by that business day, company-wide, in the 12 periods before; from 4 of "
        "them and 30 wins on, else the share of business days. Interval: 95 %, jackknife over these periods. A team of one "
        "seller is not rated. Without dates: the last eight."
    ),
    unit="share: 1 is the target; reporting currency",
    source="Quenouille (1956), Biometrika 43: jackknife of a ratio of sums",
    returns=Attainment,
    needs=(Need("amount", ("won",)), Need("closed_date", ("won",)), Need("amount", table="targets", least_share=0.01)),
    answer=lambda book, question: attainment(book, question, **question.chosen(every="quarter")),
)
def attainment(book: Book, question: Question, every: str = "quarter") -> nw.LazyFrame:
    """Signed revenue against target, period by period, and the pace of one that runs.

    Args:
        book: At its moment: targets as they stand then, what was won as known then.
        question: Groups and filter as targets are set: region, team, rep_id, deal_type.
        every: month or quarter.

    Returns:
        One row per group and period with a target or a win, as `Attainment` has it.

    Raises:
        Problem: If `every` is another, or there are no targets for such groups.
    """
    if every not in _STEPS:
        raise Problem("A series cannot go by {every}.", "Ask for every month or quarter.", every=every)
    until, by = question.until or book.day, list(question.by)
    since = question.since or add_months(start_of(until, every), (1 - PERIODS) * _STEPS[every])
    # A goal is of a whole period, and so is what is held to it.
    whole = replace(question, since=since if since > until else start_of(since, every), until=until)
    told = spans(book, whole, every, PERIODS * _STEPS[every])
    book = seen_on(book, until)
    won = small(_won(book, question, told, every))
    days, signed = business_days(book), _signed(book)
    staff, types = Staff.of(book, question.organisation), Attainment.create_empty().schema
    parts = []
    for span in told.rows(named=True):
        last = day_before(add_months(span["period"], _STEPS[every]))
        goals = targets_for(book, question, span["period"], last)
        here = won.filter(pl.col("period") == span["period"]).drop("period")
        rows = here.join(goals, on=by, how="full", coalesce=True, nulls_equal=True) if by else here.select(
            pl.all().sum(), target=pl.lit(goals["target"][0] if goals.height else None, pl.Float64)
        )  # fmt: skip
        usual = _usual(signed, days, span["period"], span["until"], last, every)
        rows = rows.with_columns(pl.lit(span[name]).alias(name) for name in ("period", "until", "is_whole"))
        rows = rows.with_columns(pl.lit(usual.get(name)).cast(types[name]).alias(name) for name in _USUAL)
        parts.append(_with_sellers(rows, staff, span["until"], question))
    rows = pl.concat(parts, how="vertical_relaxed").with_columns(
        pl.col("n_won", "n_won_unknown", "amount_won").fill_null(0)
    )
    return nw.from_native(_rated(rows, is_active(book)).sort([*by, "period"]).lazy()).select(
        *by, *Attainment.column_names()
    )


def _won(book: Book, question: Question, told: pl.DataFrame, every: str) -> nw.LazyFrame:
    facts = ["status", "amount", "closed_date", f"closed_{every}", *question.columns]
    deals = question.keeps(book.deals(facts, question.organisation)).filter(nw.col("status") == "won")
    asked = deals.filter(Question(since=told["period"][0], until=told["until"][-1]).days("closed_date"))
    known = ~nw.col("amount").is_null()
    return grouped(
        asked.with_columns(period=f"closed_{every}"),
        [*question.by, "period"],
        nw.len().cast(nw.Int64).alias("n_won"),
        count(~known, "n_won_unknown"),
        total(known, "amount", "amount_won"),
    )


def _signed(book: Book) -> pl.DataFrame:
    """What the company signed on each day: `closed_date`, `n`, `amount`."""
    won = book.deals(["status", "amount", "closed_date"]).filter(nw.col("status") == "won")
    known = won.filter(~nw.col("amount").is_null(), ~nw.col("closed_date").is_null())
    return small(
        grouped(known, ["closed_date"], nw.len().cast(nw.Int64).alias("n"), nw.col("amount").sum().alias("amount"))
    )


def _usual(
    signed: pl.DataFrame, days: list[date], first: date, until: date, last: date, every: str
) -> dict[str, float | int | None]:
    """The share of a period's business days that have passed, and of its revenue that is usually signed by then."""
    passed, whole = between(days, first, until), between(days, first, last)
    elapsed = passed / whole if whole else 1.0
    row: dict[str, float | int | None] = {"elapsed_share": elapsed, "n_past_periods": 0, "expected_share": elapsed}
    if until >= last:
        return row | {"elapsed_share": 1.0, "expected_share": 1.0}
    reach = signed["closed_date"].min()
    past, n = [], 0
    for turn in range(1, MOST_PAST + 1):
        begins = add_months(first, -turn * _STEPS[every])
        ends = day_before(add_months(begins, _STEPS[every]))
        if not isinstance(reach, date) or begins < start_of(reach, every) or between(days, begins, ends) == 0:
            break
        here = signed.filter(pl.col("closed_date").is_between(begins, ends))
        place = round(elapsed * between(days, begins, ends))
        by_then = [day for day in days if begins <= day <= ends][:place]
        cut = by_then[-1] if by_then else begins - timedelta(days=1)
        past.append((here.filter(pl.col("closed_date") <= cut)["amount"].sum(), here["amount"].sum()))
        n += int(here["n"].sum())
    if len(past) < LEAST_PAST or n < LEAST_WINS or not any(signed for _, signed in past):
        return row
    return row | {"n_past_periods": len(past)} | _ratio(np.array(past, float))


def _ratio(past: np.ndarray) -> dict[str, float]:
    """Σ by then ÷ Σ in all, with its jackknife interval over the periods."""
    from scipy.stats import t

    value = past[:, 0].sum() / past[:, 1].sum()
    rest = past.sum(axis=0) - past
    without = rest[:, 0] / np.where(rest[:, 1] > 0, rest[:, 1], 1)
    n = len(past)
    half = t.ppf(0.975, n - 1) * np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    ends = {"low": max(value - half, 0.0), "high": min(value + half, 1.0)}
    return {"expected_share": float(value)} | {f"expected_share_{end}": float(each) for end, each in ends.items()}


def _with_sellers(rows: pl.DataFrame, staff: Staff, day: date, question: Question) -> pl.DataFrame:
    """How many sell in each group on a day; null where the book tells of nobody."""
    sellers = staff.sellers(day, question.where)
    places = [name for name in question.by if name in sellers.columns]
    if not places:
        return rows.with_columns(n_sellers=pl.lit(sellers.height or None, pl.Int64))
    counted = sellers.group_by(places).agg(n_sellers=pl.len().cast(pl.Int64))
    return rows.join(counted, on=places, how="left", nulls_equal=True)


def _rated(rows: pl.DataFrame, rates_persons: bool) -> pl.DataFrame:
    """Attainment and pace, but of a group that is one person, unless persons are rated."""
    has_goal = pl.col("target") > 0
    is_group = pl.lit(rates_persons) | (pl.col("n_sellers") != 1).fill_null(True)
    is_known = (pl.col("n_won") == 0) | (pl.col("n_won_unknown") < pl.col("n_won"))
    reached = pl.when(has_goal & is_group & is_known).then(pl.col("amount_won") / pl.col("target"))
    rows = rows.with_columns(attainment=reached)

    def pace(share: str) -> pl.Expr:
        return pl.when(pl.col(share) > 0).then(pl.col("attainment") / pl.col(share))

    ends: dict[str, Any] = {
        "pace": "expected_share",
        "pace_low": "expected_share_high",
        "pace_high": "expected_share_low",
    }
    return rows.with_columns(**{name: pace(share) for name, share in ends.items()})
