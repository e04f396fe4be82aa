"""The values of a filter: read as the type of their column, and held to those that the book knows."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw

from cadran.book import Book
from cadran.book.book import HISTORY
from cadran.measures.counting import small
from cadran.tables.problems import Problem

#: How many values are named when one is not known.
MOST_NAMED = 8

_FORMS = {"week": "2026-W23", "month": "2026-05", "quarter": "2026-Q2", "year": "2026"}


def read_value(value: Any, dtype: nw.dtypes.DType, column: str, columns: Iterable[str], time_zone: str) -> Any:
    """A value written as text, as the type of its column; any other as it is.

    Args:
        value: Dates as 2026-06-30; the first day of a period also as 2026-W23, 2026-05, 2026-Q2 or 2026, by the
            column; instants as 2026-06-30T14:00.
        dtype: The type of the column.
        column: Its name.
        columns: Those that could be asked for instead.
        time_zone: Of instants that do not say theirs.

    Raises:
        Problem: If the text is no value of that type.
    """
    if not isinstance(value, str) or dtype == nw.String:
        return value
    try:
        if dtype == nw.Date:
            return _day(value, column)
        if isinstance(dtype, nw.Datetime):
            return _instant(value, time_zone)
        if dtype == nw.Boolean:
            return {"true": True, "false": False}[value.lower()]
        return float(value) if dtype.is_float() else int(value)
    except (ValueError, KeyError):
        pass
    date_column = f"{column.removesuffix('_at')}_date"
    if isinstance(dtype, nw.Datetime) and date_column in columns:
        raise Problem(
            "{value} is no value of {column}, which holds instants.", "Ask for {other}={example} for a whole day.",
            value=value, column=column, other=date_column, example="2026-06-30",
        )  # fmt: skip
    raise Problem(
        "{value} is no value of {column}.", "Write it as {example}.",
        value=value, column=column, example=_form(dtype, column),
    )  # fmt: skip


def check_known(rows: nw.LazyFrame, column: str, values: Iterable[str | None], book: Book) -> None:
    """Hold values of a text column to those that some row has, or that the book has known of the column before.

    Raises:
        Problem: If one of them is nowhere: it names the closest, or else the first ones there are.
    """
    known = _distinct(rows, column)
    missing = {value for value in values if value is not None} - known
    if missing and column in HISTORY:
        table, source = HISTORY[column]
        known |= _distinct(book.table(table), source)
    for value in sorted(missing - known):
        by_lower = {each.lower(): each for each in sorted(known)}
        close = [by_lower[each] for each in get_close_matches(value.lower(), by_lower, MOST_NAMED)]
        names = close or sorted(known)[:MOST_NAMED]
        raise Problem(
            "No row has {value} as {column}.", "Known values: {names}.",
            value=value, column=column, names=", ".join([*names, *["…"] * (len(names) < len(known))]) or "–",
        )  # fmt: skip


def _distinct(frame: nw.LazyFrame, column: str) -> set[str]:
    return set(small(frame.select(column).unique())[column].drop_nulls())


def _form(dtype: nw.dtypes.DType, column: str) -> str:
    """An example of how a value of a column is written."""
    if dtype == nw.Date:
        return _FORMS.get(column.rpartition("_")[2], "2026-06-30")
    if isinstance(dtype, nw.Datetime):
        return "2026-06-30T14:00"
    if dtype == nw.Boolean:
        return "true"
    return "1250.5" if dtype.is_float() else "12"


def _day(text: str, column: str) -> date:
    """A day. In a column of periods: the first day of one, which may be written as the period is said."""
    period, (year, _, rest) = column.rpartition("_")[2], text.partition("-")
    if period == "year" and not rest:
        text = f"{year}-01-01"
    elif period == "quarter" and rest[:1] in ("Q", "T"):
        text = f"{year}-{3 * int(rest[1:]) - 2:02}-01"
    elif period == "month" and len(rest) == 2:
        text = f"{year}-{rest}-01"
    day = date.fromisoformat(text)
    begins = {
        "week": day.weekday() == 0,
        "month": day.day == 1,
        "quarter": day.day == 1 and day.month % 3 == 1,
        "year": (day.month, day.day) == (1, 1),
    }
    if not begins.get(period, True):
        raise ValueError(text)
    return day


def _instant(text: str, time_zone: str) -> datetime:
    """An instant in UTC; one without an hour is none."""
    if len(text) <= len("2026-06-30"):
        raise ValueError(text)
    told = datetime.fromisoformat(text)
    return (told if told.tzinfo else told.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)
