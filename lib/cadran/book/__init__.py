"""The book of business: versioned store, as-of view, reader and scope."""

from datetime import datetime
from pathlib import Path

from cadran.book.book import DEAL_COLUMNS, Book
from cadran.book.reader import Reader
from cadran.book.store import current_version, read_manifest, read_set_aside, write_book

__all__ = ["DEAL_COLUMNS", "SAMPLE", "Book", "Reader", "open_book", "read_set_aside", "write_book"]

_PACKAGE = Path(__file__).parent.parent
#: The invented company that comes with Cadran: in the wheel, or in the checkout.
SAMPLE = _PACKAGE / "_sample" if (_PACKAGE / "_sample").exists() else _PACKAGE.parent.parent / "data" / "sample"


def open_book(folder: Path | str = SAMPLE, reader: Reader | None = None) -> Book:
    """The current version of the book in `folder`, as of its data's last moment.

    Raises:
        Problem: If there is no book, or it was written in a shape this Cadran does not read.
    """
    version = current_version(Path(folder))
    return Book(version, datetime.fromisoformat(read_manifest(version)["settings"]["taken"]), reader)
