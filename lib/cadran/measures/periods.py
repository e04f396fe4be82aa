"""Days and periods of a question: what is asked when nothing is said, and what was known on a day."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question
from cadran.measures.counting import small
from cadran.tables.problems import Problem

_STEPS = {"month": 1, "quarter": 3}


def seen_on(book: Book, day: date) -> Book:
    """The book as known at the end of `day`; at its own moment if that is the book's day.

    Raises:
        Problem: If the day is later than the book's: what it brought is not known.
    """
    if day > book.day:
        raise Problem(
            "{asked:%Y-%m-%d} is later than {known:%Y-%m-%d}, the last day this view of the book knows.",
            "Ask for a period that ends on {known:%Y-%m-%d} or earlier.",
            asked=day, known=book.day,
        )  # fmt: skip
    return book if day == book.day else book.as_of(day)


def first_day(book: Book) -> date | None:
    """The day of the first thing the book knows of a deal; None if it knows of none."""
    first = small(book.table("versions").select(nw.col("valid_from").min()))["valid_from"][0]
    return first.astimezone(ZoneInfo(book.settings.time_zone)).date() if first else None


def day_before(day: date) -> date:
    """The day before."""
    return day - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, or that month's last day if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, month_end(date(year, month + 1, 1)).day))


def month_after(day: date, months: int) -> date:
    """The first day of the month so many months after a day's (or before it)."""
    return add_months(day.replace(day=1), months)


def month_end(day: date) -> date:
    """The last day of the month."""
    return day_before((day.replace(day=1) + timedelta(days=31)).replace(day=1))


def last_months(day: date, months: int = 1) -> tuple[date, date]:
    """First and last day of the latest `months` complete months, that of `day` included if it ends on it."""
    until = day if day == month_end(day) else day_before(day.replace(day=1))
    return add_months(until.replace(day=1), 1 - months), until


def period(book: Book, question: Question, months: int = 1) -> tuple[date, date]:
    """First and last day asked for; what is not said is filled so as to give complete months up to the book's day.

    Raises:
        Problem: If the period is upside down.
    """
    until = question.until or (last_months(book.day)[1] if question.since is None else book.day)
    since = question.since or last_months(month_end(until), months)[0]
    if since > until:
        raise Problem(
            "The period begins on {since:%Y-%m-%d}, after it ends on {until:%Y-%m-%d}.",
            "Swap the two dates.", since=since, until=until,
        )  # fmt: skip
    return since, until


def start_of(day: date, every: str) -> date:
    """The first day of the month, quarter or ISO week that a day lies in."""
    if every == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1, month=(day.month - 1) // _STEPS[every] * _STEPS[every] + 1)


def ends(book: Book, since: date, until: date, every: str) -> list[date]:
    """The last day of each month, quarter or ISO week of a period, and the period's own last day.

    Those before the first thing the book knows are left out: nothing is not 0 there.

    Raises:
        Problem: If `every` is none of them.
    """
    if every == "week":
        first = since + timedelta(days=6 - since.weekday())
        days = [first + timedelta(weeks=n) for n in range((until - first).days // 7 + 1)]
    elif every in _STEPS:
        step = _STEPS[every]
        first = start_of(since, every)
        spans = range((until.year - first.year) * 12 + until.month - first.month + 1)
        days = [day_before(add_months(first, n + step)) for n in spans[::step]]
    else:
        raise Problem("A series cannot go by {every}.", "Ask for every week, month or quarter.", every=every)
    known = first_day(book) or since
    return [*(day for day in days if max(since, known) <= day < until), until]


def spans(book: Book, question: Question, every: str, months: int) -> pl.DataFrame:
    """The months, quarters or ISO weeks of the period asked for, up to the book's day where no end is said.

    Args:
        book: The book.
        question: Its days; without any, the `months` until the book's day.
        every: week, month or quarter.
        months: How many, where no first day is said.

    Returns:
        One row each: `period` (its first day), `since` and `until` (the days of it that were asked for), and
        `is_whole`, whether these are all of its days.

    Raises:
        Problem: If `every` is none of them, the period is upside down, or ends after what the book knows.
    """
    since, until = period(book, Question(since=question.since, until=question.until or book.day), months)
    days = ends(seen_on(book, until), since, until, every)
    rows = []
    for day in days:
        first = start_of(day, every)
        last = first + timedelta(days=6) if every == "week" else day_before(add_months(first, _STEPS[every]))
        begins = max(first, since)
        rows.append((first, begins, day, (begins, day) == (first, last)))
    return pl.DataFrame(rows, schema={"period": pl.Date, "since": pl.Date, "until": pl.Date, "is_whole": pl.Boolean},
                        orient="row")  # fmt: skip
