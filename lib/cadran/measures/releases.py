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
from cadran.book.pulse import Pulse, pulse_of, survey_of
from cadran.book.pulse_forgotten import forgotten_of
from cadran.measures.latest import Told, told_of_latest, told_of_wave
from cadran.tables.pulse import COMPANY, TREE, Release, Wave

#: Roles that see a whole release, whatever their regions and teams.
SEE_ALL = ("people", "hr")


def released(book: Book) -> list[Release]:
    """The releases of a book that its reader may see, in the order in which the waves closed.

    Waves that closed and were not released yet are released now, and kept. No reader, or one without regions and teams,
    or of the people department, sees each whole; others see the company and the groups that lie in their regions and teams;
    a seller, and who administers pay, the company.

    Raises:
        Problem: If a release has to be made and the book's folder cannot be written.
    """
    pulse = _complete(book)
    return [seen(each, book) for each in pulse.releases()]


def latest_released(book: Book) -> list[Release]:
    """The same of each person's latest answers, of surveys that declared a rolling score."""
    pulse = _complete(book)
    return [seen(each, book) for each in pulse.latest()]


def _complete(book: Book) -> Pulse:
    """The surveys of a book, with a release of all that may have one."""
    pulse = pulse_of(book)
    if pulse.unreleased() or pulse.without_latest():
        from cadran.measures.disclosure import release
        from cadran.measures.disclosure_latest import release_latest

        with _in_turn(pulse.folder):
            new, without = pulse.unreleased(), pulse.without_latest()  # those who came before may have made them
            for name in (each for each in pulse.wave_names() if each in {*new, *without}):
                survey = survey_of(name)
                if name in new:
                    told = told_before(pulse, survey)
                    pulse.keep_release(release(pulse.wave(name), [each.pair for each in told]))
                if name in without:
                    told, gone = told_before(pulse, survey), _gone(pulse, survey)
                    pulse.keep_latest(release_latest(counting(pulse, name), told, gone))
    return pulse


def told_before(pulse: Pulse, survey: str) -> list[Told]:
    """All that was released of a survey, whenever its waves closed: latest answers, then the waves.

    Of a wave whose answers were purged nobody knows any more who answered: it is left out, as are latest answers that
    counted it.
    """
    whole = replace(pulse, until=None)
    there = {name for name in whole.wave_names() if survey_of(name) == survey}
    latest = [told_again(whole, its) for its in whole.latest() if its.terms.survey == survey]
    waves = [told_of_wave(whole.wave(its.name), its) for its in whole.releases() if its.name in there]
    return [*(each for each in latest if each), *waves]


def told_again(pulse: Pulse, its: Release) -> Told | None:
    """What latest answers were told of, counted again; null where answers of one of their waves were purged."""
    if not {*its.audited["waves"]} <= {*pulse.wave_names()}:
        return None
    gone = _gone(pulse, its.terms.survey)[: its.audited["n_without"]]
    return told_of_latest([pulse.wave(name) for name in its.audited["waves"]], its, gone)


def _gone(pulse: Pulse, survey: str) -> list[str]:
    """Whose answers count in no latest answers made from now on: those whom the survey forgot, in that order."""
    return [each.now for each in forgotten_of(pulse.folder, survey)]


def counting(pulse: Pulse, name: str) -> list[Wave]:
    """The waves whose answers count once one has closed: it, and as many before it as its survey declared."""
    names = [each for each in pulse.wave_names() if survey_of(each) == survey_of(name)]
    last, n = names.index(name) + 1, pulse.wave(name).terms.rolling
    return [pulse.wave(each) for each in names[max(last - n, 0) : last]]


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


def sees_all(book: Book) -> bool:
    """Whether the book's reader, if it has one, sees whole releases."""
    reader = book.reader
    return reader is None or reader.role in SEE_ALL or (not reader.is_limited and reader.may("groups"))


def seen(each: Release, book: Book) -> Release:
    """What the book's reader may see of a release: never more than there is in it."""
    reader = book.reader
    if reader is None or sees_all(book):
        return each
    regions, teams = (reader.regions, reader.teams) if reader.may("groups") else (frozenset(), frozenset())
    members = pl.col("members").list
    in_regions = members.eval(pl.element().is_in(list(regions)).fill_null(False)).list.all()
    in_teams = members.eval(pl.element().is_in(list(teams)).fill_null(False)).list.all()
    theirs = each.groups.filter(
        (pl.col("cut") == COMPANY)
        | ((pl.col("cut") == TREE[0]) & in_regions)
        | ((pl.col("cut") == TREE[1]) & (in_teams | pl.col("parent").is_in(list(_own(each, regions)))))
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
