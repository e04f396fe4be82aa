"""Whose numbers a report holds: held to what the book and its accounts know."""

from collections.abc import Sequence

from cadran.access.accounts import Accounts
from cadran.access.scopes import reader_for
from cadran.book import Book
from cadran.book.reader import Reader
from cadran.tables.problems import Problem

_KINDS = ("region", "team", "user")


def reader_of(book: Book, scopes: Sequence[str], language: str) -> Reader | None:
    """The reader a report is made for.

    Args:
        book: Whose regions, teams and accounts are meant.
        scopes: `region:NAME` and `team:NAME`, as often as wanted, for a manager of them all; or `user:NAME` alone, for
            what that account sees. Empty: the whole company, as the analyst at the command line sees it.
        language: The report's.

    Raises:
        Problem: If a scope is not written so, is unknown, or an account stands beside others, or may not sign in any more.
    """
    named: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for scope in scopes:
        kind, colon, name = scope.partition(":")
        if kind not in named or not colon or not name.strip():
            raise Problem(
                "{scope} is no scope.", "Write region:NAME, team:NAME or user:NAME; without --scope: the whole company.",
                scope=scope,
            )  # fmt: skip
        named[kind].append(name.strip())
    if not named["user"]:
        is_whole = not (named["region"] or named["team"])
        return None if is_whole else reader_for(book, "", "manager", named["region"], named["team"], False, language)
    if len(scopes) > 1:
        raise Problem("An account has a scope of its own.", "Give user:NAME alone.", scope=scopes[0])
    name = named["user"][0]
    accounts = Accounts(book.version.parent)
    account = next((each for each in accounts.all() if each.reader.id.casefold() == name.casefold()), None)
    if account is None:
        raise Problem("Nobody has an account called {name}.", "`cadran user list` shows who has.", name=name)
    if account.is_blocked:
        raise Problem(
            "{name} was removed, and may see nothing.",
            "`cadran user admit` lets them come back.",
            name=account.reader.id,
        )
    return account.reader
