"""The accounts of those who may read a book, as far as they tell of a person: told on request, and forgotten.

Who signs in, and how, is `cadran.access`'s."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cadran.book.sqlite_file import has_table, looked_into

#: In the book's folder.
FILE = "accounts.sqlite"
#: Its tables that hold something of an account, and which rows of each are of one.
_IS_OF = {
    "accounts": "name = ?",
    "guests": "name = ?",
    "sessions": "name = ?",
    "guest_sessions": "hash in (select hash from sessions where name = ?)",
}


def accounts_of(folder: Path, spellings: Iterable[str]) -> list[dict[str, Any]]:
    """The accounts that are somebody's: named as they are, or of a seller whom they are.

    Returns:
        Of each: `account` (its name), `role`, `regions`, `teams`, `language`, `added_at`; `provider`, `subject` and
        `is_blocked` of who signs in at a provider: which, who they are there, and whether they are kept out; and `sessions`:
        from when to when each that is kept was used.
    """
    with looked_into(folder / FILE) as run:
        if run is None:
            return []
        found = []
        for name, told, added_at in run.execute("select name, reader, added_at from accounts order by name").fetchall():
            reader = json.loads(told)
            if not _is_theirs(name, reader, spellings):
                continue
            used = run.execute("select began_at, used_at from sessions where name = ? order by began_at", (name,))
            about = {each: reader[each] for each in ("role", "regions", "teams", "language")}
            sessions = [f"{began} – {last}" for began, last in used.fetchall()]
            provider, subject, is_blocked = _guest(run, name)
            found.append({
                "account": reader["id"], **about, "added_at": added_at, "provider": provider, "subject": subject,
                "is_blocked": is_blocked, "sessions": sessions,
            })  # fmt: skip
        return found


def end_accounts(folder: Path, spellings: Iterable[str]) -> None:
    """End the accounts that are somebody's, and their sessions, so that nothing in the file names them."""
    with looked_into(folder / FILE) as run:
        if run is None:
            return
        rows = run.execute("select name, reader from accounts").fetchall()
        theirs = [(name,) for name, told in rows if _is_theirs(name, json.loads(told), spellings)]
        for table in reversed(_IS_OF):  # what refers to another first
            if theirs and has_table(run, table):
                run.executemany(f"delete from {table} where {_IS_OF[table]}", theirs)
        run.execute("vacuum")


def _guest(run: sqlite3.Connection, name: str) -> tuple[str | None, str | None, bool | None]:
    """The provider at which somebody signs in, who they are there, and whether they are kept out."""
    asked = "select issuer, subject, is_blocked from guests where name = ?"
    found = run.execute(asked, (name,)).fetchone() if has_table(run, "guests") else None
    return (found[0], found[1], bool(found[2])) if found else (None, None, None)


def _is_theirs(name: str, reader: dict[str, Any], spellings: Iterable[str]) -> bool:
    known = {each.casefold() for each in spellings}
    return name in known or bool({*reader.get("persons", ())} & {*spellings})
