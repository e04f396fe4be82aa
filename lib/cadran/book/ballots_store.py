"""Where ballots are kept while a wave is open: an SQLite file, or PostgreSQL. Every transaction is whole, or was not."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from cadran.book.folder import told_of
from cadran.tables.problems import Problem

#: Seconds to wait for another process that writes, or for a server that does not answer.
PATIENCE = 30
_TABLES = (
    "create table if not exists waves (wave_id {text} primary key, survey {text} not null, wave {text} not null,"
    " mode {text} not null, digest {text} not null, opened_at {text} not null, closes_at {text} not null,"
    " closed_at {text} not null, n_invited {integer} not null, n_answered {integer} not null,"
    " definition {text} not null, unique (survey, wave)){unordered}",
    "create table if not exists boxes (wave_id {text} primary key, state {bytes} not null, comments {bytes} not null)"
    "{unordered}",
    "create table if not exists links (hash {bytes} primary key, wave_id {text} not null, place {integer} not null)"
    "{unordered}",
)
Rows = list[tuple[Any, ...]]


class Transaction(Protocol):
    """Statements that happen all, or none."""

    def __call__(self, sql: str, *values: Any) -> Rows:
        """Run one statement, its values in the places of `?`; its rows, if it gives any."""


class Store(Protocol):
    """What the two have in common. Both may be used by several threads, and by several processes."""

    #: What follows a `select` of rows that are about to change, so that no other transaction changes them meanwhile.
    held: str

    def transaction(self, writes: bool = False) -> AbstractContextManager[Transaction]:
        """A transaction; told to the disk when it ends well, undone when it does not.

        Raises:
            Problem: If the store cannot be reached, read or written.
        """

    def read(self, sql: str, *values: Any) -> Rows:
        """The rows that one statement gives, as a transaction of its own.

        Raises:
            Problem: If the store cannot be reached or read.
        """

    def compact(self) -> None:
        """Write what is left anew, so that the files hold nothing of what was removed."""

    def close(self) -> None:
        """Let go of it."""


class SQLite:
    """An SQLite file of its owner alone.

    There is no write-ahead log, which would hold ballots in the order they came: the pages a transaction changes are
    set aside until it is told to the disk, and then removed.
    """

    held = ""
    _NAMES = {"text": "text", "integer": "integer", "bytes": "blob", "unordered": " without rowid"}  # noqa: RUF012
    _SETUP = ("journal_mode = truncate", "synchronous = full", "secure_delete = on", "temp_store = memory")

    def __init__(self, path: Path):
        self.path = path
        self._lock = Lock()
        with told_of(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        with self._told():
            self._open = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            for pragma in self._SETUP:
                self._open.execute(f"pragma {pragma}")
        with self.transaction(writes=True) as run:
            for table in _TABLES:
                run(table.format(**self._NAMES))

    @contextmanager
    def transaction(self, writes: bool = False) -> Iterator[Transaction]:
        """As `Store`: one at a time."""
        with self._lock, self._told():
            self._open.execute("begin immediate" if writes else "begin")
            try:
                yield self._run
                self._open.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):  # what could not be told to the disk may be undone already
                    self._open.execute("rollback")
                raise

    def read(self, sql: str, *values: Any) -> Rows:
        """As `Store`."""
        with self._lock, self._told():
            return self._run(sql, *values)

    def _run(self, sql: str, *values: Any) -> Rows:
        return self._open.execute(sql, values).fetchall()

    def compact(self) -> None:
        """As `Store`."""
        with self._lock, self._told():
            self._open.execute("vacuum")

    def close(self) -> None:
        """As `Store`."""
        self._open.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _refused(self.path, error) from error


class PostgreSQL:
    """A PostgreSQL database. Its address may hold a password: no message repeats it."""

    held = " for update"
    _NAMES = {"text": "text", "integer": "bigint", "bytes": "bytea", "unordered": ""}  # noqa: RUF012

    def __init__(self, address: str):
        self._address, self._lock = address, Lock()
        self._open: Any = None
        try:
            self._driver = import_module("adbc_driver_postgresql.dbapi")
            self._caught = (import_module("adbc_driver_manager").Error, OSError)
        except ImportError as error:
            raise Problem(
                "PostgreSQL needs a driver that is not installed here: {driver}.",
                "Install it with `pip install 'cadran[postgres]'`.", driver=error.name,
            ) from error  # fmt: skip
        with self.transaction(writes=True) as run:
            # Two that begin at once would both make the tables.
            run("select pg_advisory_xact_lock(7261636461)")
            for table in _TABLES:
                run(table.format(**self._NAMES))

    @contextmanager
    def transaction(self, writes: bool = False) -> Iterator[Transaction]:
        """As `Store`: one at a time in a process, rows held among processes."""
        with self._lock, self._told():
            self._open = self._open or self._driver.connect(self._address)
            try:
                if writes:
                    self._run("set local synchronous_commit = on")
                yield self._run
                self._open.commit()
            except self._caught:
                self._leave()
                raise
            except BaseException:
                self._open.rollback()
                raise

    def read(self, sql: str, *values: Any) -> Rows:
        """As `Store`."""
        with self.transaction() as run:
            return run(sql, *values)

    def _leave(self) -> None:
        """Let go of a connection that failed: the next transaction makes a new one."""
        with suppress(*self._caught):
            if self._open:
                self._open.close()
        self._open = None

    def _run(self, sql: str, *values: Any) -> Rows:
        numbers = iter(range(1, len(values) + 1))
        with self._open.cursor() as cursor:
            cursor.execute(re.sub(r"\?", lambda _: f"${next(numbers)}", sql), values or None)
            return cursor.fetchall() if cursor.description else []

    def compact(self) -> None:
        """As `Store`: the server writes its tables anew. What its own log keeps, its owner looks after."""
        with (
            self._lock,
            self._told(),
            self._driver.connect(self._address, autocommit=True) as open_,
            open_.cursor() as cursor,
        ):
            for table in ("boxes", "waves", "links"):
                cursor.execute(f"vacuum full {table}")

    def close(self) -> None:
        """As `Store`."""
        with self._lock:
            self._leave()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._caught as error:
            raise _refused("PostgreSQL", type(error).__name__) from None


def _refused(store: object, error: object) -> Problem:
    return Problem(
        "The store of answers ({store}) cannot be used: {reason}.",
        "Nothing was changed. Have its file or server, its permissions and its free space looked at; then try again.",
        store=store, reason=error,
    )  # fmt: skip
