"""The releases of a book's surveys, for who reads them: those that are kept, and those of waves that have closed since."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from cadran.book import Book
from cadran.book.folder import told_of
from cadran.book.pulse import Pulse, pulse_of
from cadran.tables.pulse import COMPANY, TREE, Release, Wave

#: Roles that see a whole release, whatever their regions and teams.
SEE_ALL = ("people", "hr")


def released(book: Book) -> list[Release]:
    """The releases of a book that its reader may see, in the order in which the waves closed.

    Waves that closed and were not released yet are released now, and kept. No reader, or one without regions and teams,
    or of the people department, sees each whole; others see the company and the groups that lie in their regions and teams.

    Raises:
        Problem: If a release has to be made and the book's folder cannot be written.
    """
    pulse = pulse_of(book)
    if pulse.unreleased():
        from cadran.measures.disclosure import release

        with _in_turn(pulse.folder):
            for name in pulse.unreleased():  # those who came before may have made them
                pulse.keep_release(release(pulse.wave(name), told_before(pulse, name)))
    return [seen(each, book) for each in pulse.releases()]


def told_before(pulse: Pulse, name: str) -> list[tuple[Wave, Release]]:
    """All that was released of a survey, whenever the waves closed, before one of its waves is.

    Of a wave whose answers were purged nobody knows any more who answered: it is left out.
    """
    whole = replace(pulse, until=None)
    there = {*whole.wave_names()} - {name}
    survey = name.rpartition("@")[0]
    return [
        (whole.wave(each.name), each) for each in whole.releases() if each.terms.survey == survey and each.name in there
    ]


@contextmanager
def _in_turn(folder: Path) -> Iterator[None]:
    """One at a time makes releases; others wait."""
    with told_of(folder):
        handle = os.open(folder / ".releasing.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def seen(each: Release, book: Book) -> Release:
    """What the book's reader may see of a release: never more than there is in it."""
    reader = book.reader
    if reader is None or not reader.is_limited or reader.role in SEE_ALL:
        return each
    members = pl.col("members").list
    in_regions = members.eval(pl.element().is_in(list(reader.regions)).fill_null(False)).list.all()
    in_teams = members.eval(pl.element().is_in(list(reader.teams)).fill_null(False)).list.all()
    theirs = each.groups.filter(
        (pl.col("cut") == COMPANY)
        | ((pl.col("cut") == TREE[0]) & in_regions)
        | ((pl.col("cut") == TREE[1]) & (in_teams | pl.col("parent").is_in(list(_own(each, reader.regions)))))
    )
    key = ["cut", "parent", "group"]
    cells = each.cells.join(theirs.select(key), on=key, how="semi", nulls_equal=True, maintain_order="left")
    comments = each.comments.filter(
        pl.col("region").is_null() | pl.col("region").is_in(theirs["group"].drop_nulls().implode())
    )
    return Release(each.terms, each.wave, each.closed_at, each.questions, theirs, cells, comments, each.audited)


def _own(each: Release, regions: frozenset[str]) -> set[str]:
    """The groups of regions that lie in a reader's regions."""
    rows = each.groups.filter(pl.col("cut") == TREE[0]).select("group", "members").iter_rows()
    return {group for group, members in rows if set(members) <= regions}
