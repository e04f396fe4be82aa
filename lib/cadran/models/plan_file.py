"""Where a book keeps the plans that persons wrote for it."""

from collections.abc import Iterable
from pathlib import Path

from cadran.book import Book

#: The folder of a book, beside its versions, that holds the plans made on it.
FOLDER = "plans"


def plan_of(book: Book, name: str) -> Path:
    """Where a book keeps a plan, whether it is there or not."""
    return book.version.parent / FOLDER / name


def plan_there(book: Book, name: str) -> Path | None:
    """The same, if it is there."""
    path = plan_of(book, name)
    return path if path.exists() else None


def written(book: Book, names: str = "*.toml") -> tuple[tuple[str, int], ...]:
    """When each plan of a book with such a name was last written: what is worked out of them is of that state."""
    return _state(plan_of(book, "").glob(names))


def beside(book: Book) -> tuple[tuple[str, int], ...]:
    """When each plan of a book, and what it keeps of one-to-ones, was last written: what a capacity plan rests on besides its
    version."""
    return written(book) + _state((book.version.parent / "pulse").glob("one_to_ones*.jsonl"))


def _state(paths: Iterable[Path]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in paths))
