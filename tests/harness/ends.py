"""A small book, the import that follows, and what a book may be after that import came to a bad end: the old, or the new."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import crash
import days
import polars as pl

from cadran.sources.sample import invent

Rows = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Case:
    """A book as it is before an import, the mapping of that import, and the rows before and after."""

    book: Path
    mapping: Path
    old: Rows
    new: Rows
    #: Seconds that the import takes, in all and from its first change in the book's folder on.
    whole: float
    writing: float

    def found(self, book: Path) -> str:
        """Which book stands in a folder: "old", "new", or what is wrong."""
        if wrong := crash.broken(book):
            return f"not what its manifest says: {wrong}"
        rows = crash.contents(book)
        return "old" if crash.same(rows, self.old) else "new" if crash.same(rows, self.new) else "half of one"

    def heals(self, book: Path) -> str:
        """What the next import, without any cleaning, makes of a folder: "new", or what is wrong."""
        status, said = crash.import_(self.mapping, book)
        return f"refused: {said}" if status else self.found(book)

    def left_over(self, book: Path) -> list[str]:
        """What stands in a folder beside complete versions and the pointer."""
        return sorted(name for name in crash.listing(book) if not name.isdigit() and name != "CURRENT")


def case(folder: Path, deals: int = 40) -> Case:
    """An invented CRM exported on two days running; the first export is imported, the second is what comes next."""
    tables = invent(deals, seed=7, activities=0).tables
    yesterday = days.LAST - timedelta(days=20)
    first = days.export(tables, yesterday, folder / "yesterday")
    mapping = days.export(tables, days.LAST, folder / "today")
    book = folder / "book"
    for source, to in ((first, book), (mapping, folder / "new")):
        if to != book:
            crash.copied(book, to)
        status, said = crash.import_(source, to)
        assert status == 0, said
    whole, writing = crash.timed(mapping, crash.copied(book, folder / "timed"))
    return Case(book, mapping, crash.contents(book), crash.contents(folder / "new"), whole, writing)
