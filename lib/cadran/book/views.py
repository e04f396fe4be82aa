"""Who looked at what is told of a named person: a log of its own beside a book, kept for a stated time, then gone."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from cadran.book.folder import told_of
from cadran.tables.problems import Problem

#: In the book's folder, for its owner alone.
FILE = "views.sqlite"
#: How long an entry is kept: what the French authority recommends for logs of access is six months to a year.
KEPT = timedelta(days=183)
#: What may be looked at, as a reader is told it.
KINDS = {
    "load": "How much they have to do",
    "rating": "How well they do",
    "pay": "What they are paid",
    "one_to_ones": "Their one-to-ones",
    "access": "All that is held on them",
}
COLUMNS = {
    "at": pl.String,
    "who": pl.String,
    "role": pl.String,
    "whom": pl.String,
    "kind": pl.String,
    "grounds": pl.String,
}
_TABLE = (
    "create table if not exists views (at text not null, who text not null, role text not null, whom text not null, "
    "kind text not null, grounds text not null, primary key (at, who, whom, kind)) without rowid"
)


def hour_of(at: datetime) -> datetime:
    """The hour in which a moment lies: who looks at the same of the same person again within it is noted once."""
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Viewer:
    """Somebody who looks, and on which grounds by what they look at."""

    who: str
    role: str
    grounds: Mapping[str, str]


class Views:
    """The log of a book. May be used by several threads and processes."""

    def __init__(self, folder: Path):
        self.path = folder / FILE

    def note(self, viewer: Viewer, kind: str, whom: Iterable[str], at: datetime) -> None:
        """Note that somebody is shown something of persons, and let go of what has been kept long enough.

        Args:
            viewer: Who looks.
            kind: One of `KINDS`.
            whom: Identifiers of those looked at.
            at: When, with its zone.

        Raises:
            Problem: If it cannot be noted: then it is not to be shown.
        """
        hour = hour_of(at).isoformat()
        rows = [(hour, viewer.who, viewer.role, each, kind, viewer.grounds.get(kind, "")) for each in whom]
        with self._open() as run:
            run.execute("delete from views where at < ?", ((at - KEPT).isoformat(),))
            run.executemany("insert or ignore into views values (?, ?, ?, ?, ?, ?)", rows)

    def all(self, since: datetime | None = None) -> pl.DataFrame:
        """Every entry that is kept, oldest first: `COLUMNS`, `at` the hour it began in.

        Args:
            since: What is older has been kept long enough, whether or not it is gone yet.
        """
        rows: list[Sequence[str]] = []
        if self.path.exists():
            with self._open() as run:
                rows = run.execute("select * from views order by at, who, whom, kind").fetchall()
        frame = pl.DataFrame(rows, COLUMNS, orient="row")
        return frame if since is None else frame.filter(pl.col("at") >= (since - KEPT).isoformat())

    def renamed(self, names: Mapping[str, str]) -> None:
        """Put pseudonyms in the place of identifiers, on either side."""
        if not self.path.exists():
            return
        with self._open() as run:
            for was, stands in names.items():
                run.execute("update or replace views set whom = ? where whom = ?", (stands, was))
                run.execute("update or replace views set who = ? where lower(who) = lower(?)", (stands, was))
        self._emptied()

    def over(self, at: datetime) -> int:
        """How many entries have been kept long enough."""
        return self.all().filter(pl.col("at") < (at - KEPT).isoformat()).height

    def purge(self, at: datetime) -> int:
        """Let go of what has been kept long enough: how many entries."""
        if not self.path.exists():
            return 0
        with self._open() as run:
            gone = run.execute("delete from views where at < ?", ((at - KEPT).isoformat(),)).rowcount
        self._emptied()
        return int(gone)

    def _emptied(self) -> None:
        """Have nothing of what was removed stand in the file any more."""
        with self._connected() as run:
            run.execute("vacuum")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as run:
            run.execute(_TABLE)
            run.execute("begin immediate")
            yield run
            run.execute("commit")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with told_of(self.path.parent):
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            run = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            try:
                yield run
            finally:
                run.close()
        except sqlite3.Error as error:
            raise Problem(
                "{file} cannot be used: {reason}. What is told of a named person is shown to nobody without a note of it.",
                "Put it back from your backup, or have its permissions looked at.", file=self.path, reason=error,
            ) from error  # fmt: skip
