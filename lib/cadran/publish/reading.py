"""Whose book a notebook reads: all of it in the editor and at the command line, what is its reader's where it is published."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import marimo as mo

from cadran.book import SAMPLE, Book, open_book
from cadran.book.reader import Reader
from cadran.book.viewed import Note, noting
from cadran.tables.problems import Problem

#: Who a first sight is made for, and what is told whom it shows, while it is made.
_MADE_FOR: ContextVar[tuple[Reader | None, Note | None] | None] = ContextVar("made_for", default=None)
#: Who reads where nobody signs in, on the machine that Cadran runs on.
NOT_SIGNED_IN = "not signed in"


class _Published:
    """Whether this process publishes to signed-in readers alone: then nobody is taken for the analyst."""

    to_known = False
    clock: Callable[[], datetime] = staticmethod(lambda: datetime.fromtimestamp(time.time(), UTC))


def publish(to_known: bool) -> None:
    """From now on this process gives a book to known readers alone, or to whoever asks."""
    _Published.to_known = to_known


@contextmanager
def reading_as(reader: Reader | None, shown: Note | None = None) -> Iterator[None]:
    """Have notebooks of this thread read as somebody whom nobody is, and tell which persons they show."""
    token = _MADE_FOR.set((reader, shown))
    try:
        yield
    finally:
        _MADE_FOR.reset(token)


def noting_for(folder: Path, reader: Reader | None) -> Note | None:
    """What notes whom a reader of a page is shown; whoever reads where nobody signs in goes by no name. The sample's persons
    are nobody."""
    if folder.resolve() == SAMPLE.resolve():
        return None
    return noting(folder, reader.id if reader else NOT_SIGNED_IN, reader, _Published.clock)


def published_book(on: date | None = None) -> Book:
    """The book that a notebook is about, as its reader may see it: whose name is not in it, so that what is worked out of it
    is every reader's of that role and scope.

    Args:
        on: As `open_book`.

    Raises:
        Problem: If there is no book, or nobody known reads it where only known readers may.
    """
    reader, (_, shown) = who_reads(), _MADE_FOR.get() or (None, None)
    if reader is None and _Published.to_known:
        raise Problem("Nobody is signed in.", "Sign in, and open the page again.")
    folder = Path(os.environ.get("CADRAN_BOOK", SAMPLE))
    return open_book(folder, reader and reader.nobody, on=on, viewed=shown or noting_for(folder, reader))


def who_reads() -> Reader | None:
    """The reader of the page that is made here; None where nobody signs in."""
    made_for = _MADE_FOR.get()
    return made_for[0] if made_for else _asking()


def told_reader(reader: Reader) -> dict[str, Any]:
    """A reader as marimo hands one on to a notebook."""
    return {
        "is_authenticated": True, "username": reader.id, "role": reader.role, "language": reader.language,
        "regions": sorted(reader.regions), "teams": sorted(reader.teams), "persons": sorted(reader.persons),
    }  # fmt: skip


def _asking() -> Reader | None:
    """The reader of the page that runs; None where no server runs it, or one without sign-in."""
    request = mo.app_meta().request
    user: Any = request.user if request is not None else None
    if not isinstance(user, dict) or "role" not in user:
        return None
    return Reader(
        str(user["username"]), str(user["role"]), frozenset(user["regions"]), frozenset(user["teams"]),
        str(user["language"]), frozenset(user["persons"]),
    )  # fmt: skip
