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
from cadran.book.account_file import FILE
from cadran.book.folder import told_of
from cadran.book.reader import Reader
from cadran.tables.problems import Problem

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
    # Accounts of those who sign in at a provider: they have no password here.
    "create table if not exists guests (name text primary key references accounts on delete cascade, issuer text not null,"
    " subject text not null, is_blocked integer not null, unique (issuer, subject))",
    "create table if not exists guest_sessions (hash blob primary key references sessions on delete cascade, sid text,"
    " hint text not null, terms text not null)",
)
#: What an account has in place of a password if it signs in elsewhere: nothing is of that hash.
ELSEWHERE = ""


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in."""

    reader: Reader
    added_at: datetime
    #: Whether the password was made up for them, and is to be replaced by one of their own.
    is_temporary: bool
    #: The provider at which they sign in; null: here, with a password.
    issuer: str | None = None
    #: Whether they were removed, and may not come back by their provider.
    is_blocked: bool = False


@dataclass(frozen=True)
class Session:
    """Somebody signed in, until they sign out or it is over."""

    reader: Reader
    is_temporary: bool
    #: What stands for it in the memory of the server, and opens nothing.
    key: str
    #: Whether they signed in at a provider, and have no password here.
    is_guest: bool = False


class Accounts:
    """The accounts and sessions of a book, in an SQLite file of its owner alone. Of passwords and of what a browser
    shows for its session only hashes are kept.

    May be used by several threads and processes. Names are compared without regard to case.

    Args:
        folder: The book's.
        lasts: How long a session lasts.
    """

    def __init__(self, folder: Path, lasts: timedelta = LASTS):
        self.path, self.lasts = folder / FILE, lasts

    def exist(self) -> bool:
        """Whether anybody has an account with a password."""
        return any(each.issuer is None for each in self.all())

    def all(self) -> list[Account]:
        """Every account, by name."""
        if not self.path.exists():
            return []
        with self.opened() as run:
            rows = run.execute(
                "select reader, added_at, is_temporary, issuer, is_blocked from accounts left join guests using (name)"
                " order by name"
            ).fetchall()
        return [
            Account(_reader(told), datetime.fromisoformat(at), bool(temporary), issuer, bool(blocked))
            for told, at, temporary, issuer, blocked in rows
        ]

    def add(self, reader: Reader, password: str, now: datetime, is_temporary: bool = False) -> None:
        """Add an account.

        Raises:
            Problem: If the name is no name, or taken, or the file cannot be written.
        """
        if not is_name(reader.id):
            raise Problem(
                "{name} is no name for an account.", "Take an e-mail address, or a name without spaces.", name=reader.id
            )
        row = (reader.id.casefold(), told_as(reader), hashed(password), is_temporary, now.isoformat())
        with self.opened(writes=True) as run:
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
        with self.opened(writes=True) as run:
            changed = run.execute(
                "update accounts set password = ?, is_temporary = ? where name = ? and password != ?",
                (hashed(password), is_temporary, name.casefold(), ELSEWHERE),
            )
            if not changed.rowcount:
                raise self._unknown(run, name)
            run.execute("delete from sessions where name = ?", (name.casefold(),))

    def remove(self, name: str) -> bool:
        """End an account, and every session of it. Of those who sign in at a provider it is kept that they may not come
        back: the provider would let them.

        Returns:
            Whether they signed in at a provider.

        Raises:
            Problem: If there is no such account, or the file cannot be written.
        """
        key = (name.casefold(),)
        with self.opened(writes=True) as run:
            if run.execute("update guests set is_blocked = 1 where name = ?", key).rowcount:
                run.execute("delete from sessions where name = ?", key)
                return True
            if not run.execute("delete from accounts where name = ?", key).rowcount:
                raise self._unknown(run, name)
            return False

    def admit(self, name: str) -> None:
        """Let somebody who was removed come back by their provider.

        Raises:
            Problem: If nobody of that name was kept from it, or the file cannot be written.
        """
        with self.opened(writes=True) as run:
            admitted = run.execute("update guests set is_blocked = 0 where name = ? and is_blocked", (name.casefold(),))
            if not admitted.rowcount:
                raise Problem(
                    "{name} is not kept from signing in at a provider.", "`cadran user list` names those who are.",
                    name=name,
                )  # fmt: skip

    def sign_in(self, name: str, password: str, now: datetime) -> str | None:
        """Begin a session: the token that its browser shows from now on; None if the name or the password is wrong, which
        takes as long for a name that nobody has."""
        key = name.casefold()
        with self.opened() as run:
            found = run.execute("select password from accounts where name = ?", (key,)).fetchone()
        kept = found[0] if found else None
        if not is_right(kept, password) or kept is None:
            return None
        token = secrets.token_urlsafe(32)
        with self.opened(writes=True) as run:
            if is_old(kept):
                run.execute("update accounts set password = ? where name = ?", (hashed(password), key))
            self.end_old(run, now)
            # Nobody is signed in who was removed, or had a new password, meanwhile.
            began = run.execute(
                "insert into sessions select ?, name, ?, ? from accounts where name = ? and password = ?",
                (hash_of(token), now.isoformat(), now.isoformat(), key, kept),
            )
        return token if began.rowcount else None

    def session(self, token: str, now: datetime, is_used: bool = True) -> Session | None:
        """Whose session a token is of; None if it is nobody's, or over.

        Args:
            token: As `sign_in` gave it.
            now: When, with its zone.
            is_used: Whether somebody uses it now, which keeps it from being over for want of use.
        """
        with self.opened() as run:
            found = run.execute(
                "select reader, is_temporary, password = ?, began_at, used_at from sessions join accounts using (name)"
                " where hash = ?",
                (ELSEWHERE, hash_of(token)),
            ).fetchone()
        if found is None:
            return None
        told, is_temporary, is_guest, *moments = found
        began_at, used_at = map(datetime.fromisoformat, moments)
        if not (now - self.lasts < began_at and now - IDLE < used_at < now + SKEW):
            return None
        if is_used and now - used_at > _NOTED:
            with self.opened(writes=True) as run:
                run.execute("update sessions set used_at = ? where hash = ?", (now.isoformat(), hash_of(token)))
        return Session(_reader(told), bool(is_temporary), hash_of(token).hex(), bool(is_guest))

    def named(self, name: str) -> Session | None:
        """The session of somebody whom another has signed in, by the name of their account; None if nobody has it."""
        with self.opened() as run:
            found = run.execute(
                "select reader from accounts where name = ? and password != ?", (name.casefold(), ELSEWHERE)
            ).fetchone()
        return Session(_reader(found[0]), False, hash_of(f"named {name.casefold()}").hex()) if found else None

    def sign_out(self, token: str, everywhere: bool = False) -> None:
        """End a session, or every one of its account."""
        which = "name = (select name from sessions where hash = ?)" if everywhere else "hash = ?"
        with self.opened(writes=True) as run:
            run.execute(f"delete from sessions where {which}", (hash_of(token),))

    def end_old(self, run: sqlite3.Connection, now: datetime) -> None:
        """Forget the sessions that are over."""
        over = ((now - self.lasts).isoformat(), (now - IDLE).isoformat())
        run.execute("delete from sessions where began_at < ? or used_at < ?", over)

    def _unknown(self, run: sqlite3.Connection, name: str) -> Problem:
        if run.execute("select 1 from guests where name = ?", (name.casefold(),)).fetchone():
            return Problem(
                "{name} has no password here: they sign in at a provider.", "Have it changed there.", name=name
            )
        names = [row[0] for row in run.execute("select name from accounts order by name")]
        near = get_close_matches(name.casefold(), names, 1)
        return Problem(
            "{name} has no account.", "Did you mean {near}?" if near else "`cadran user list` names them.",
            name=name, near=near and near[0],
        )  # fmt: skip

    @contextmanager
    def opened(self, writes: bool = False) -> Iterator[sqlite3.Connection]:
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


def is_name(name: str) -> bool:
    """Whether an account may be called that."""
    return bool(_NAME.fullmatch(name))


def told_as(reader: Reader) -> str:
    """What is kept of a reader."""
    return json.dumps(
        {name: sorted(each) if isinstance(each, frozenset) else each for name, each in asdict(reader).items()}
    )


def _reader(told: str) -> Reader:
    kept = json.loads(told)
    persons = frozenset(kept.get("persons", ()))  # no seller had an account before there were any
    return Reader(
        kept["id"], kept["role"], frozenset(kept["regions"]), frozenset(kept["teams"]), kept["language"], persons
    )


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode()).digest()
