"""Asking on a page's behalf: one period and one selection, many measures, each answered once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.book import Organisation
from cadran.measures.catalogue import MEASURES, Question
from cadran.measures.counting import count
from cadran.measures.recorded import record
from cadran.measures.waterfall import moved, sides
from cadran.tables.problems import Problem

#: Answers kept for all readers of one scope together. They are small: a few rows per group.
MOST_ANSWERS = 2_000

Period = tuple[date, date]
Told = TypeVar("Told")


@dataclass(frozen=True)
class Inquiry:
    """What a page asks: a book seen on one day, a period (days inclusive), a selection.

    `selected` maps deal columns to the values kept; None stands for what is not known.
    """

    book: Book
    period: Period
    selected: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    organisation: Organisation = "as_was"

    def selecting(self, selected: Mapping[str, Sequence[str | None]], opening: date) -> "Inquiry":
        """This inquiry with a selection. The `cause` of a waterfall since `opening` stands for the deals it moved."""
        columns = {column: tuple(values) for column, values in selected.items() if column != "cause"}
        if "cause" in selected:
            columns["opportunity_id"] = self.of_cause(selected["cause"], (opening, self.period[1]))
        return replace(self, selected=columns)

    def ask(
        self, name: str, *by: str, period: Period | None = None, apart: str = "", **options: Any
    ) -> pl.DataFrame | Problem:
        """What a measure answers, as `Measure.ask` gives it, or the problem that kept it from answering.

        Args:
            name: The measure.
            by: Columns to group on. What is selected on them does not filter: a figure shows all of its values.
            period: Another period than the page's.
            apart: A further column whose selection does not filter.
            options: What the measure alone understands.
        """
        record(name)
        kept = tuple(
            sorted((column, tuple(values)) for column, values in self.selected.items() if column not in {*by, apart})
        )
        # Whoever it is worked out for, each who is shown it is noted.
        book, organisation, more = replace(self.book, viewed=None), self.organisation, tuple(options.items())
        found = _answer(book, name, by, kept, period or self.period, organisation, more)
        if not isinstance(found, Problem):
            try:
                MEASURES[name].note(self.book, Question(by, dict(kept)), found)
            except Problem as problem:
                return problem
        return found

    def of_cause(self, causes: Sequence[str | None], period: Period) -> tuple[str, ...]:
        """The deals whose place in the open pipeline changed between two dates for one of these causes."""
        return _of_cause(self.book, tuple(causes), period, self.organisation)

    def deals(self, columns: Sequence[str]) -> pl.DataFrame:
        """The deals open on the book's day or closed in the period, whatever is selected, one row each."""
        wanted = [*dict.fromkeys([*columns, "status", "closed_date"])]
        deals = self.book.deals(wanted, self.organisation)
        in_period = nw.col("closed_date").is_between(*self.period).fill_null(False)
        return self.book.collect(deals.filter((nw.col("status") == "open") | in_period).select(*wanted))


def keep(deals: pl.DataFrame, selected: Mapping[str, Sequence[str | None]]) -> pl.DataFrame:
    """The deals that a selection keeps."""
    for column, values in selected.items():
        deals = deals.filter(pl.col(column).cast(pl.String).is_in(list(values), nulls_equal=True))
    return deals


def about(book: Book, dimensions: Sequence[str]) -> dict[str, Any]:
    """What a page says of its book: name, currency, first and last day, moment of the data, version, rows set aside,
    the day of the last purge, rows corrected, what the last import changed of deals, whether its reader sees a part of
    the company alone, and those of the `dimensions` that some deal has."""
    settings, before = book.settings, book.manifest.get("purged_before")
    firsts, filled = ("created_date", "closed_date"), dict.fromkeys(dimensions)
    facts = [*(nw.col(day).min() for day in firsts), *(count(~nw.col(name).is_null(), f"n_{name}") for name in filled)]
    told = book.collect(book.deals([*firsts, *filled]).select(*facts)).row(0, named=True)
    return {
        "name": settings.name,
        "currency": settings.currency,
        "currencies": tuple(rates(book)),
        "first": min((told[day] for day in firsts if told[day]), default=book.day),
        "last": book.day,
        "taken": settings.taken.astimezone(ZoneInfo(settings.time_zone)),
        "version": book.version.name.lstrip("0"),
        "n_set_aside": sum(file["n_set_aside"] for file in book.manifest["files"]),
        "purged_before": before and date.fromisoformat(before),
        "n_corrected": sum(book.manifest.get("corrected", {}).values()),
        "imported": book.manifest.get("import", {}).get("versions", {}),
        "is_part": book.reader is not None and book.reader.is_limited,
        "dimensions": tuple(name for name in dimensions if told[f"n_{name}"]),
    }


def tried(ask: Callable[..., Told], *what: Any, **how: Any) -> Told | Problem:
    """What a question is answered, or the problem that kept it from being answered."""
    try:
        return ask(*what, **how)
    except Problem as problem:
        return problem


def values(book: Book, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The values that deals have in each of these columns, sorted, what is not known left out."""
    return {
        name: tuple(book.collect(book.deals([name]).filter(~nw.col(name).is_null()).unique().sort(name))[name])
        for name in columns
    }


@lru_cache(maxsize=MOST_ANSWERS // 10)
def _of_cause(
    book: Book, causes: tuple[str | None, ...], period: Period, organisation: Organisation
) -> tuple[str, ...]:
    question = Question(since=period[0], until=period[1], organisation=organisation)
    moves = moved(sides(book, question)).filter(nw.col("cause").is_in([cause for cause in causes if cause]))
    return tuple(book.collect(moves.select("opportunity_id").unique().sort("opportunity_id"))["opportunity_id"])


@lru_cache(maxsize=MOST_ANSWERS // 10)
def rates(book: Book) -> dict[str, float]:
    """The last rate known of each foreign currency that some deal is in: reporting currency per unit of it."""
    is_foreign = ~nw.col("rate").is_null() & (nw.col("currency") != book.settings.currency)
    foreign = book.table("versions").filter(is_foreign).select("currency", "valid_from", "rate")
    last = foreign.group_by("currency").agg(nw.col("valid_from").max())
    rated = foreign.join(last, on=["currency", "valid_from"], how="semi").group_by("currency").agg(nw.col("rate").max())
    return dict(book.collect(rated.sort("currency")).select("currency", "rate").iter_rows())


@lru_cache(maxsize=MOST_ANSWERS)
def _answer(
    book: Book,
    name: str,
    by: tuple[str, ...],
    kept: tuple[tuple[str, tuple[str | None, ...]], ...],
    period: Period,
    organisation: Organisation,
    options: tuple[tuple[str, Any], ...],
) -> pl.DataFrame | Problem:
    since, until = period
    question = Question(by, dict(kept), since=since, until=until, organisation=organisation, options=dict(options))
    try:
        return MEASURES[name].ask(book, question)
    except Problem as problem:
        return problem
