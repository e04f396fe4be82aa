"""Whose book a notebook reads: all of it in the editor and at the command line, what is its reader's where it is published."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any

import marimo as mo

from cadran.book import SAMPLE, Book, open_book
from cadran.book.reader import Reader
from cadran.tables.problems import Problem

#: Who a first sight is made for, while it is made.
_MADE_FOR: ContextVar[Reader | None] = ContextVar("made_for", default=None)


class _Published:
    """Whether this process publishes to signed-in readers alone: then nobody is taken for the analyst."""

    to_known = False


def publish(to_known: bool) -> None:
    """From now on this process gives a book to known readers alone, or to whoever asks."""
    _Published.to_known = to_known


@contextmanager
def reading_as(reader: Reader | None) -> Iterator[None]:
    """Have notebooks of this thread read as somebody."""
    token = _MADE_FOR.set(reader)
    try:
        yield
    finally:
        _MADE_FOR.reset(token)


def published_book(on: date | None = None) -> Book:
    """The book that a notebook is about, as its reader may see it: whose name is not in it, so that what is worked out of it
    is every reader's of that role and scope.

    Args:
        on: As `open_book`.

    Raises:
        Problem: If there is no book, or nobody known reads it where only known readers may.
    """
    reader = _MADE_FOR.get() or _asking()
    if reader is None and _Published.to_known:
        raise Problem("Nobody is signed in.", "Sign in, and open the page again.")
    return open_book(os.environ.get("CADRAN_BOOK", SAMPLE), reader=reader and reader.nobody, on=on)


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
