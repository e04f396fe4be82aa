"""What an account may see: held to what the book knows."""

from difflib import get_close_matches

import narwhals as nw

from cadran.book import Book
from cadran.book.reader import Reader
from cadran.tables.problems import Faults, Problem

#: Roles of an account: who runs regions or teams, who works on the whole book, the people department, which sees
#: whole releases of surveys, and the rest by its scope; and who shows groups to a room, without clients and people.
ROLES = ("manager", "analyst", "people", "presenter")
#: Those that may be without a scope only if it is said so.
SCOPED = ("manager", "presenter")


def reader_for(
    book: Book, name: str, role: str, regions: list[str], teams: list[str], is_whole: bool, language: str
) -> Reader:
    """The reader that an account is to be of.

    Args:
        book: Whose regions and teams are meant: those it has had at any time, for an account may read the past.
        name: The account's.
        role: One of `ROLES`.
        regions: Theirs.
        teams: Theirs.
        is_whole: Whether they see the whole company.
        language: Theirs.

    Raises:
        Faults: With every region and team that the book does not know, and a scope that is missing or said twice.
    """
    faults = [*_unknown(book, "region", regions), *_unknown(book, "team", teams)]
    if role in SCOPED and not (regions or teams or is_whole):
        faults.append(
            Problem("A {role} needs a scope.", "Name --region or --team, or say --company: the whole.", role=role)
        )
    if is_whole and (regions or teams):
        faults.append(Problem("The scope is said twice.", "Name regions and teams, or say --company.", role=role))
    if faults:
        raise Faults(faults)
    return Reader(name, role, frozenset(regions), frozenset(teams), language)


def names_of(book: Book, column: str) -> list[str]:
    """The regions, or teams, that a book has had at any time."""
    rows = book.collect(book.table("reps").filter(~nw.col(column).is_null()).select(column).unique())
    return sorted(rows[column].to_list())


def _unknown(book: Book, column: str, named: list[str]) -> list[Problem]:
    if not named:
        return []
    known = names_of(book, column)
    return [
        Problem(
            "No {column} is called {value}.", "Did you mean {near}?" if near else "The book has: {names}.", column=column,
            value=each, near=", ".join(near), names=", ".join(known) or "–",
        )
        for each in named if each not in known
        for near in [get_close_matches(each, known, 3)]
    ]  # fmt: skip
