"""What a source hands over to a book: valid tables, the rows set aside, and how they were read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl

from cadran.tables.groups import GROUPS

#: Columns of a frame of rows set aside. `row` counts data rows of the file from 1; `line` is what a
#: spreadsheet shows (the header is line 1; null in Parquet); `rule` and `repair` are sentences, one a line;
#: `found` is what stood in the columns concerned ("close_date = 2017-13-45"); `values` is the row as read, in JSON.
SET_ASIDE = {
    "table": pl.String,
    "file": pl.String,
    "row": pl.Int64,
    "line": pl.Int64,
    "id": pl.String,
    "rule": pl.String,
    "repair": pl.String,
    "found": pl.String,
    "values": pl.String,
}

#: Columns of a frame of things made one with others at the source: the group they are of, which, into which, when.
MERGES: dict[str, Any] = {
    "table": pl.String, "key": pl.String, "into": pl.String, "at": pl.Datetime("us", "UTC"),
}  # fmt: skip

#: Columns of a frame of remarks on what was taken in with a change or a guess: what, how many rows, which values.
NOTED = {"table": pl.String, "file": pl.String, "note": pl.String, "n": pl.Int64, "found": pl.String}


@dataclass(frozen=True)
class Settings:
    """What holds for a whole book."""

    name: str
    #: The moment the data was taken: the book knows nothing after it.
    taken: datetime
    time_zone: str = "UTC"
    #: Reporting currency, ISO 4217.
    currency: str = "EUR"
    #: What an amount is: "total" contract value or "annual".
    amount_basis: str = "total"
    #: Month in which the fiscal year begins, 1 to 12.
    fiscal_year_starts: int = 1
    #: Country whose public holidays are no business days (ISO 3166), with an optional subdivision "FR-57".
    holidays: str | None = None
    #: Columns of `Book.deals` that are known only once a deal is closed: null while it is open.
    known_at_close: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """One feed of one file into one table. `n_read` = `n_accepted` + `n_left_out` + `n_set_aside`, always."""

    file: str
    table: str
    sha256: str
    n_read: int
    n_accepted: int
    n_set_aside: int
    #: Rows that the mapping says not to take; nothing of them is kept. Not said in books made before they were counted.
    n_left_out: int = 0


@dataclass(frozen=True)
class Part:
    """The rows of one bucket of one group: valid tables by name, and the rows set aside from it."""

    group: str
    tables: dict[str, pl.DataFrame]
    set_aside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SET_ASIDE))
    bucket: int = 0
    n_buckets: int = 1


@dataclass(frozen=True)
class Since:
    """What a source needs to know of the book it feeds: where the last import stopped, and how the book is cut."""

    #: The last value read of each watermark, by the name of the file in the mapping.
    watermarks: dict[str, str] = field(default_factory=dict)
    #: The columns that the last import read from a database, with their types, by the name of the file in the mapping.
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Buckets of each group, by its name.
    n_buckets: dict[str, int] = field(default_factory=dict)
    #: The keys that the book holds of a table: what a partial delivery may refer to without naming it again.
    keys: Callable[[str], pl.Series] = lambda table: pl.Series(dtype=pl.String)
    #: Whether a key of a table names somebody whom the book keeps under another name, and may so be referred to.
    is_renamed: Callable[[str, str], bool] = lambda table, key: False


@dataclass
class Delivery:
    """What a source hands over, part by part: each group of `GROUPS` in order, each bucket in order.

    `parts` is gone through once. `files`, `noted`, `watermarks` and `columns` are complete when it is at its end.
    """

    settings: Settings
    parts: Iterable[Part]
    files: list[SourceFile] = field(default_factory=list)
    noted: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NOTED))
    #: Versioned tables whose rows tell the whole past of each key they name; the others tell its present state.
    histories: frozenset[str] = frozenset()
    #: The first moment that a history of deals tells of; what deals have of before was put in from their present rows.
    followed_since: datetime | None = None
    #: Those of them whose last rows may tell what was seen when the data was taken, beside the past.
    observed: frozenset[str] = frozenset()
    #: Merges told, also of things that are not delivered any more, which the book may know.
    merges: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MERGES))
    #: Groups of which only some keys are told: what is not named is as it was, not gone.
    partial: frozenset[str] = frozenset()
    watermarks: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def whole(
        cls, settings: Settings, tables: dict[str, pl.DataFrame], set_aside: pl.DataFrame | None = None, **more: Any
    ) -> "Delivery":
        """A delivery of tables that stand in memory, one part a group."""
        parts = [Part(group.name, {name: tables[name] for name in group.tables if name in tables}) for group in GROUPS]
        if set_aside is not None:
            parts[0] = replace(parts[0], set_aside=set_aside)
        return cls(settings, parts, **more)

    @cached_property
    def tables(self) -> dict[str, pl.DataFrame]:
        """All rows of every table, in memory."""
        self.parts = list(self.parts)
        found: dict[str, list[pl.DataFrame]] = {}
        for part in self.parts:
            for name, frame in part.tables.items():
                found.setdefault(name, []).append(frame)
        return {name: pl.concat(frames) for name, frames in found.items()}

    @cached_property
    def set_aside(self) -> pl.DataFrame:
        """All rows set aside, in memory."""
        self.parts = list(self.parts)
        return pl.concat([pl.DataFrame(schema=SET_ASIDE), *(part.set_aside for part in self.parts)])
