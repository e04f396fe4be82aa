"""The rooms that are open, kept beside the book so that they outlive a restart: of codes and keys only hashes."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cadran.book.folder import told_of
from cadran.book.presented import ROOMS
from cadran.tables.problems import Problem

_TABLE = (
    "create table if not exists rooms (code blob primary key, key blob not null, owner text not null,"
    " opened_at real not null, seen_at real not null)"
)


@dataclass(frozen=True)
class Kept:
    """A room as it is kept: when it was opened, and when its presenter was last there, in seconds since 1970."""

    code: bytes
    key: bytes
    owner: str
    opened_at: float
    seen_at: float


class KeptRooms:
    """The rooms of a book, in an SQLite file of its owner alone."""

    def __init__(self, folder: Path):
        self.path = folder / ROOMS

    def all(self) -> list[Kept]:
        """Every room kept.

        Raises:
            Problem: If the file cannot be read.
        """
        if not self.path.exists():
            return []
        with self._run() as run:
            return [Kept(*row) for row in run.execute("select code, key, owner, opened_at, seen_at from rooms")]

    def put(self, room: Kept) -> None:
        """Keep a room as it is now.

        Raises:
            Problem: If the file cannot be written.
        """
        row = (room.code, room.key, room.owner, room.opened_at, room.seen_at)
        with self._run() as run:
            run.execute("insert or replace into rooms values (?, ?, ?, ?, ?)", row)

    def remove(self, code: bytes) -> None:
        """Keep a room no longer.

        Raises:
            Problem: If the file cannot be written.
        """
        with self._run() as run:
            run.execute("delete from rooms where code = ?", (code,))

    @contextmanager
    def _run(self) -> Iterator[sqlite3.Connection]:
        with told_of(self.path.parent):
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            run = sqlite3.connect(self.path, timeout=30)
            try:
                run.execute(_TABLE)
                with run:
                    yield run
            finally:
                run.close()
        except sqlite3.Error as error:
            raise Problem(
                "{file} cannot be used: {reason}.", "Put it back from your backup, or have its permissions looked at.",
                file=self.path, reason=error,
            ) from error  # fmt: skip
