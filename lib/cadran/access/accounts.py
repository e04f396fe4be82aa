"""Accounts of those who may read a book's published pages, and the sessions they are signed in with."""

import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from cadran.access.passwords import hashed, is_old, is_right
from cadran.book.folder import told_of
from cadran.book.reader import Reader
from cadran.tables.problems import Problem

#: In the book's folder.
FILE = "accounts.sqlite"
#: How long a session lasts, and how long it lasts unused.
LASTS, IDLE = timedelta(hours=12), timedelta(hours=2)
#: How far a clock that is set right may be put back: what was used later than now is over, else it would last longer.
SKEW = timedelta(minutes=5)
#: A session's use is noted when the last note is older than that.
_NOTED = timedelta(minutes=1)
_NAME = re.compile(r"[^\s\x00-\x1f/\\<>\"']{1,100}")
_TABLES = (
    "create table if not exists accounts (name text primary key, reader text not null, password text not null,"
    " is_temporary integer not null, added_at text not null)",
    "create table if not exists sessions (hash blob primary key, name text not null references accounts on delete cascade,"
    " began_at text not null, used_at text not null)",
)


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in."""

    reader: Reader
    added_at: datetime
    #: Whether the password was made up for them, and is to be replaced by one of their own.
    is_temporary: bool


@dataclass(frozen=True)
class Session:
    """Somebody signed in, until they sign out or it is over."""

    reader: Reader
    is_temporary: bool
    #: What stands for it in the memory of the server, and opens nothing.
    key: str


class Accounts:
    """The accounts and sessions of a book, in an SQLite file of its owner alone. Of passwords and of what a browser
    shows for its session only hashes are kept.

    May be used by several threads and processes. Names are compared without regard to case.
    """

    def __init__(self, folder: Path):
        self.path = folder / FILE

    def exist(self) -> bool:
        """Whether anybody has an account."""
        return self.path.exists() and bool(self.all())

    def all(self) -> list[Account]:
        """Every account, by name."""
        if not self.path.exists():
            return []
        with self._open() as run:
            rows = run.execute("select reader, added_at, is_temporary from accounts order by name").fetchall()
        return [Account(_reader(told), datetime.fromisoformat(at), bool(temporary)) for told, at, temporary in rows]

    def add(self, reader: Reader, password: str, now: datetime, is_temporary: bool = False) -> None:
        """Add an account.

        Raises:
            Problem: If the name is no name, or taken, or the file cannot be written.
        """
        if not _NAME.fullmatch(reader.id):
            raise Problem(
                "{name} is no name for an account.", "Take an e-mail address, or a name without spaces.", name=reader.id
            )
        row = (reader.id.casefold(), _told(reader), hashed(password), is_temporary, now.isoformat())
        with self._open(writes=True) as run:
            try:
                run.execute("insert into accounts values (?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                raise Problem(
                    "{name} has an account already.", "`cadran user reset` makes a new password, `remove` ends it.",
                    name=reader.id,
                ) from None  # fmt: skip

    def set_password(self, name: str, password: str, is_temporary: bool = False) -> None:
        """Replace a password, and end every session of its account.

        Raises:
            Problem: If there is no such account, or the file cannot be written.
        """
        with self._open(writes=True) as run:
            changed = run.execute(
                "update accounts set password = ?, is_temporary = ? where name = ?",
                (hashed(password), is_temporary, name.casefold()),
            )
            if not changed.rowcount:
                raise self._unknown(run, name)
            run.execute("delete from sessions where name = ?", (name.casefold(),))

    def remove(self, name: str) -> None:
        """End an account, and every session of it.

        Raises:
            Problem: If there is no such account, or the file cannot be written.
        """
        with self._open(writes=True) as run:
            if not run.execute("delete from accounts where name = ?", (name.casefold(),)).rowcount:
                raise self._unknown(run, name)

    def sign_in(self, name: str, password: str, now: datetime) -> str | None:
        """Begin a session: the token that its browser shows from now on; None if the name or the password is wrong, which
        takes as long for a name that nobody has."""
        key = name.casefold()
        with self._open() as run:
            found = run.execute("select password from accounts where name = ?", (key,)).fetchone()
        kept = found[0] if found else None
        if not is_right(kept, password) or kept is None:
            return None
        token = secrets.token_urlsafe(32)
        with self._open(writes=True) as run:
            if is_old(kept):
                run.execute("update accounts set password = ? where name = ?", (hashed(password), key))
            over = ((now - LASTS).isoformat(), (now - IDLE).isoformat())
            run.execute("delete from sessions where began_at < ? or used_at < ?", over)
            # Nobody is signed in who was removed, or had a new password, meanwhile.
            began = run.execute(
                "insert into sessions select ?, name, ?, ? from accounts where name = ? and password = ?",
                (_hash(token), now.isoformat(), now.isoformat(), key, kept),
            )
        return token if began.rowcount else None

    def session(self, token: str, now: datetime, is_used: bool = True) -> Session | None:
        """Whose session a token is of; None if it is nobody's, or over.

        Args:
            token: As `sign_in` gave it.
            now: When, with its zone.
            is_used: Whether somebody uses it now, which keeps it from being over for want of use.
        """
        with self._open() as run:
            found = run.execute(
                "select reader, is_temporary, began_at, used_at from sessions join accounts using (name) where hash = ?",
                (_hash(token),),
            ).fetchone()
        if found is None:
            return None
        told, is_temporary, *moments = found
        began_at, used_at = map(datetime.fromisoformat, moments)
        if not (now - LASTS < began_at and now - IDLE < used_at < now + SKEW):
            return None
        if is_used and now - used_at > _NOTED:
            with self._open(writes=True) as run:
                run.execute("update sessions set used_at = ? where hash = ?", (now.isoformat(), _hash(token)))
        return Session(_reader(told), bool(is_temporary), _hash(token).hex())

    def named(self, name: str) -> Session | None:
        """The session of somebody whom another has signed in, by the name of their account; None if nobody has it."""
        with self._open() as run:
            found = run.execute("select reader from accounts where name = ?", (name.casefold(),)).fetchone()
        return Session(_reader(found[0]), False, _hash(f"named {name.casefold()}").hex()) if found else None

    def sign_out(self, token: str, everywhere: bool = False) -> None:
        """End a session, or every one of its account."""
        which = "name = (select name from sessions where hash = ?)" if everywhere else "hash = ?"
        with self._open(writes=True) as run:
            run.execute(f"delete from sessions where {which}", (_hash(token),))

    def _unknown(self, run: sqlite3.Connection, name: str) -> Problem:
        names = [row[0] for row in run.execute("select name from accounts order by name")]
        near = get_close_matches(name.casefold(), names, 1)
        return Problem(
            "{name} has no account.", "Did you mean {near}?" if near else "`cadran user list` names them.",
            name=name, near=near and near[0],
        )  # fmt: skip

    @contextmanager
    def _open(self, writes: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction."""
        with told_of(self.path.parent):
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            run = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            try:
                run.execute("pragma foreign_keys = on")
                for table in _TABLES:
                    run.execute(table)
                run.execute("begin immediate" if writes else "begin")
                yield run
                run.execute("commit")
            finally:
                run.close()  # what was not told to the disk is undone
        except sqlite3.Error as error:
            raise Problem(
                "{file} cannot be used: {reason}.", "Put it back from your backup, or have its permissions looked at.",
                file=self.path, reason=error,
            ) from error  # fmt: skip


def _told(reader: Reader) -> str:
    return json.dumps(
        {name: sorted(each) if isinstance(each, frozenset) else each for name, each in asdict(reader).items()}
    )


def _reader(told: str) -> Reader:
    kept = json.loads(told)
    return Reader(kept["id"], kept["role"], frozenset(kept["regions"]), frozenset(kept["teams"]), kept["language"])


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
