"""What a source hands over to a book: valid tables, the rows set aside, and how they were read."""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

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
    """One feed of one file into one table. `n_read` = `n_accepted` + `n_set_aside`, always."""

    file: str
    table: str
    sha256: str
    n_read: int
    n_accepted: int
    n_set_aside: int


@dataclass(frozen=True)
class Delivery:
    """Valid tables (by name, as in `cadran.tables.TABLES`), rows set aside, and how they were read."""

    settings: Settings
    tables: dict[str, pl.DataFrame]
    files: list[SourceFile] = field(default_factory=list)
    set_aside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SET_ASIDE))
    noted: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NOTED))
