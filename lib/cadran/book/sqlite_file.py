"""A file of SQLite beside a book, for those who look into it without being who keeps it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cadran.book.folder import told_of
from cadran.tables.problems import Problem


@contextmanager
def looked_into(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The file, each statement a transaction of its own; None where there is none.

    Raises:
        Problem: If it cannot be used.
    """
    if not path.exists():
        yield None
        return
    try:
        with told_of(path.parent):
            run = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            yield run
        finally:
            run.close()
    except sqlite3.Error as error:
        raise Problem(
            "{file} cannot be used: {reason}.", "Put it back from your backup, or have its permissions looked at.",
            file=path, reason=error,
        ) from error  # fmt: skip


def has_table(run: sqlite3.Connection, table: str) -> bool:
    """Whether a file has a table: an older one may not."""
    return run.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None
