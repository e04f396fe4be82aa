"""Those who sign in at a provider: kept beside the accounts of a book, under who they are there."""

import secrets
import sqlite3
from datetime import datetime

from cadran.access.accounts import ELSEWHERE, Accounts, hash_of, told_as
from cadran.book.reader import Reader
from cadran.tables.problems import Problem


class NotLetIn(Problem):
    """Somebody is who they say, and yet this book is not opened to them."""


class Guests:
    """Sessions of those whom one provider knows.

    Who somebody is, is told by the provider's own name for them (the subject) alone: a name that a claim tells opens neither
    an account of the book nor what another of the provider had under it.

    Args:
        accounts: The book's.
        issuer: The provider.
        terms: What stands for the provider and what its groups mean: a session begun under others is over.
    """

    def __init__(self, accounts: Accounts, issuer: str, terms: str):
        self.accounts, self.issuer, self.terms = accounts, issuer, terms

    def enter(self, subject: str, reader: Reader, now: datetime, sid: str | None, hint: str) -> str:
        """Begin a session: the token that its browser shows from now on. What they see is theirs in every session of theirs.

        Args:
            subject: Who they are at the provider.
            reader: Who they are here, and what they see from now on.
            now: When, with its zone.
            sid: The provider's name for the session there, if it tells one.
            hint: The ID token, which the provider asks for when they sign out.

        Raises:
            NotLetIn: If they were removed, or the name is another's.
            Problem: If the file cannot be written.
        """
        name, token = reader.id.casefold(), secrets.token_urlsafe(32)
        with self.accounts.opened(writes=True) as run:
            known = run.execute(
                "select name, is_blocked from guests where issuer = ? and subject = ?", (self.issuer, subject)
            ).fetchone()
            if known and known[1]:
                raise NotLetIn("Whoever runs Cadran here has ended your access.", "Ask them if you need it again.")
            if known is None or known[0] != name:
                self._take_name(run, subject, reader, known and known[0], now)
            run.execute("update accounts set reader = ? where name = ?", (told_as(reader), name))
            self.accounts.end_old(run, now)
            began = (hash_of(token), name, now.isoformat(), now.isoformat())
            run.execute("insert into sessions values (?, ?, ?, ?)", began)
            run.execute("insert into guest_sessions values (?, ?, ?, ?)", (hash_of(token), sid, hint, self.terms))
        return token

    def end(self, subject: str | None, sid: str | None = None) -> None:
        """End one session, as the provider names it, or all that somebody has: those as well of which it told no name."""
        with self.accounts.opened(writes=True) as run:
            run.execute(
                "delete from sessions where hash in (select hash from guest_sessions join sessions using (hash)"
                " join guests using (name) where issuer = :issuer and case when :sid is null or sid is null"
                " then subject = :subject else sid = :sid and subject = coalesce(:subject, subject) end)",
                {"issuer": self.issuer, "subject": subject, "sid": sid},
            )

    def hint(self, token: str) -> str | None:
        """The ID token with which a session began; None if it is none of a provider."""
        with self.accounts.opened() as run:
            found = run.execute("select hint from guest_sessions where hash = ?", (hash_of(token),)).fetchone()
        return str(found[0]) if found else None

    def _take_name(
        self, run: sqlite3.Connection, subject: str, reader: Reader, before: str | None, now: datetime
    ) -> None:
        """Have somebody known by a name that nobody has; their sessions go on under it."""
        name = reader.id.casefold()
        if run.execute("select 1 from accounts where name = ?", (name,)).fetchone():
            raise NotLetIn(
                "{name} is the name of another account here.",
                "Whoever runs Cadran here can remove that account, or have the provider tell another name.", name=reader.id,
            )  # fmt: skip
        run.execute(
            "insert into accounts values (?, ?, ?, ?, ?)", (name, told_as(reader), ELSEWHERE, False, now.isoformat())
        )
        if before is None:
            run.execute("insert into guests values (?, ?, ?, ?)", (name, self.issuer, subject, False))
        else:
            for table in ("sessions", "guests"):
                run.execute(f"update {table} set name = ? where name = ?", (name, before))
            run.execute("delete from accounts where name = ?", (before,))


def keep_sessions(accounts: Accounts, terms: str | None, with_passwords: bool) -> None:
    """End every session that began under other terms than today's: at another provider, or with groups that meant something
    else; and those of passwords, where these open nothing any more.

    Args:
        accounts: The book's.
        terms: As `Guests`; null: no provider signs anybody in.
        with_passwords: Whether accounts of the book may sign in.
    """
    if not accounts.path.exists():
        return
    with accounts.opened(writes=True) as run:
        run.execute(
            "delete from sessions where hash in (select hash from guest_sessions where terms is not ?)", (terms,)
        )
        if not with_passwords:
            run.execute("delete from sessions where hash not in (select hash from guest_sessions)")
