"""What was signed month by month, in all and by group, as it was known at a moment: the past a forecast goes on from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.periods import add_months, first_day, last_months

#: The grains of a forecast, each with the column that names a group of it.
LEVELS = {"company": None, "region": "region", "team": "team", "rep": "rep_id"}
_OF_DEALS = (
    "opportunity_id", "status", "amount", "stage", "stage_probability", "forecast_category", "expected_close_date",
    "closed_date", "region", "team", "rep_id",
)  # fmt: skip


@dataclass(frozen=True)
class Booked:
    """Signed revenue of groups (rows) by complete month (columns)."""

    groups: tuple[str | None, ...]
    months: tuple[date, ...]
    #: (groups, months), reporting currency; NaN before the first month in which the group signed anything,
    #: and where no amount of a month's wins is known.
    amounts: np.ndarray
    #: (groups, months) deals won whose amount nobody knows: they are in no sum.
    n_unknown: np.ndarray


def deals_known(book: Book) -> pl.DataFrame:
    """One row per deal known at the book's moment, with what a forecast asks of it; regions and teams as they were."""
    return book.collect(book.deals(_OF_DEALS))


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def ahead(day: date, months: int) -> tuple[date, ...]:
    """The first days of the months to tell: that of the day first, or the next one if it ends on the day."""
    first = add_months(month_of(last_months(day)[1]), 1)
    return tuple(add_months(first, n) for n in range(months))


def by_level(deals: pl.DataFrame, level: str) -> pl.DataFrame:
    """The same with the column `group`: the name of the region, team or seller; null for the company."""
    column = LEVELS[level]
    return deals.with_columns(group=pl.lit(None, pl.String) if column is None else pl.col(column))


def groups_of(deals: pl.DataFrame, level: str) -> tuple[str | None, ...]:
    """All that ever owned a deal, by name, the unknown last; for the company, null alone."""
    return tuple(by_level(deals, level)["group"].unique().sort(nulls_last=True)) or (None,)


def booked(book: Book, deals: pl.DataFrame, level: str = "company", groups: Sequence[str | None] = ()) -> Booked:
    """What was signed in each complete month up to the book's day, since the book knows of deals.

    A group begins with the first month in which it signed: before it, nothing is not 0 there. From then on a month
    without a signature is 0. The first month is left out where the book begins within it.

    Args:
        book: At its moment.
        deals: As `deals_known` gives them.
        level: A key of `LEVELS`.
        groups: In this order; `groups_of` by default.
    """
    since = first_day(book) or book.day
    first = month_of(since) if since.day == 1 else add_months(month_of(since), 1)
    last = month_of(last_months(book.day)[1])
    n = max((last.year - first.year) * 12 + last.month - first.month + 1, 0)
    months = tuple(add_months(first, turn) for turn in range(n))
    groups = tuple(groups) or groups_of(deals, level)
    rows, turns = ({each: place for place, each in enumerate(named)} for named in (groups, months))
    amounts, unknown, wins = np.zeros((3, len(groups), n))
    won = deals.filter(pl.col("status") == "won").with_columns(month=pl.col("closed_date").dt.truncate("1mo"))
    sums = (
        by_level(won, level)
        .group_by("group", "month")
        .agg(pl.col("amount").sum(), pl.col("amount").null_count().alias("unknown"), pl.len())
    )
    for group, month, *told in sums.iter_rows():
        if group in rows and month in turns:
            for kept, value in zip((amounts, unknown, wins), told, strict=True):
                kept[rows[group], turns[month]] = value
    begun = np.maximum.accumulate(wins > 0, axis=1) if n else np.zeros((len(groups), 0), bool)
    is_known = begun & ((wins == 0) | (unknown < wins))
    return Booked(groups, months, np.where(is_known, amounts, np.nan), unknown.astype(int))
