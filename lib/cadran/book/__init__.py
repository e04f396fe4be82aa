"""The book of business: versioned store, as-of view, reader and scope."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from cadran.book.book import DEAL_COLUMNS, Book
from cadran.book.draft import seal_of
from cadran.book.engines import engine_of
from cadran.book.forget import forget
from cadran.book.individual import activation_of
from cadran.book.masked import is_masked
from cadran.book.purge import purge, purgeable
from cadran.book.reader import Reader
from cadran.book.store import current_version, read_manifest, read_set_aside, write_book
from cadran.book.viewed import Note

__all__ = [
    "DEAL_COLUMNS", "SAMPLE", "Book", "Reader", "forget", "open_book", "purge", "purgeable", "read_set_aside",
    "write_book",
]  # fmt: skip

_PACKAGE = Path(__file__).parent.parent
#: The invented company that comes with Cadran: in the wheel, or in the checkout.
SAMPLE = _PACKAGE / "_sample" if (_PACKAGE / "_sample").exists() else _PACKAGE.parent.parent / "data" / "sample"


def open_book(
    folder: Path | str = SAMPLE,
    reader: Reader | None = None,
    engine: Any = "polars",
    address: str | None = None,
    on: date | None = None,
    viewed: Note | None = None,
) -> Book:
    """The current version of the book in `folder`, as of its data's last moment.

    Args:
        folder: The book's folder.
        reader: Who reads; the analyst, who sees all, by default.
        engine: What reads the files and runs the plans: "polars", "duckdb", "spark" or a Spark session
            (docs/engines.md).
        address: For Spark, where the cluster finds the folder, if that is another address than here.
        on: Today, for what is open until a day alone: the ratings of named persons, closed where it is not said.
        viewed: Notes who is shown what of named persons (`cadran.book.viewed.noting`).

    Raises:
        Problem: If there is no book, it was written in a shape this Cadran does not read, or there is no such engine.
    """
    version = current_version(Path(folder))
    taken = datetime.fromisoformat(read_manifest(version)["settings"]["taken"])
    is_open = on is not None and not is_masked(reader) and activation_of(Path(folder), on) is not None
    return Book(
        version, taken, reader, engine=engine_of(engine, address), seal=seal_of(version), rates_persons=is_open,
        viewed=viewed,
    )  # fmt: skip
