"""Every definition with its value today, and what the rivals in the field would say: what the definitions page shows."""

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import MEASURES, Measure, Question, availability
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Entry:
    """One measure as a book answers it, over all its deals."""

    measure: Measure
    #: "available", "partial" or "impossible", and the fields that are (partly) missing.
    available: str
    missing: str
    #: The measured frame, or the problem that kept the book from answering.
    value: pl.DataFrame | Problem
    #: Name, sentence and number of each rival definition; None where the book cannot tell.
    rivals: tuple[tuple[str, str, float | None], ...]


@lru_cache(maxsize=8)
def glossary(book: Book, question: Question | None = None) -> tuple[Entry, ...]:
    """Every measure in the order of the catalogue, asked of one book: once for all readers.

    Args:
        book: The book, as of some moment.
        question: Which deals and days; all of them by default.
    """
    asked = question or Question()
    entries = []
    for row in availability(book).iter_rows(named=True):
        each = MEASURES[row["measure"]]
        value: pl.DataFrame | Problem
        try:
            value = each.ask(book, asked)
            rivals = tuple((rival.name, rival.says, rival.value(book, asked)) for rival in each.rivals)
        except Problem as problem:
            value, rivals = problem, tuple((rival.name, rival.says, None) for rival in each.rivals)
        entries.append(Entry(each, row["available"], row["missing"], value, rivals))
    return tuple(entries)
