"""What an account may see: held to what the book knows."""

from collections.abc import Sequence
from difflib import get_close_matches

from cadran.book import Book
from cadran.book.reader import PAY, SELLER, Reader
from cadran.tables.problems import Faults, Problem

#: Roles of an account: who runs regions or teams, who sells, who works on the whole book, who administers pay, the people
#: department, and who shows groups to a room. What each is told of what its scope holds: `cadran.book.reader.RIGHTS`.
ROLES = ("manager", SELLER, "analyst", PAY, "people", "presenter")
#: Those that may be without a scope only if it is said so.
SCOPED = ("manager", PAY, "presenter")


def reader_for(
    book: Book,
    name: str,
    role: str,
    regions: list[str],
    teams: list[str],
    is_whole: bool,
    language: str,
    reps: Sequence[str] = (),
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
        reps: Of a seller, who they are: identifiers or names, as the book knows them.

    Raises:
        Faults: With every region, team and seller that the book does not know, and a scope that is missing, said twice, or
            not that of the role.
    """
    known = Known(book)
    faults = [*known.faults("region", regions), *known.faults("team", teams)]
    persons = frozenset[str]()
    if role == SELLER:
        persons, wrong = known.persons(reps)
        faults += wrong
        if regions or teams or is_whole:
            faults.append(Problem("A seller sees their own deals alone.", "Name --rep, and nothing else."))
    elif reps:
        faults.append(Problem("--rep is for a seller.", "Name --region or --team, or --role seller."))
    if role in SCOPED and not (regions or teams or is_whole):
        faults.append(
            Problem(
                "The role {role} needs a scope.", "Name --region or --team, or say --company: the whole.", role=role
            )
        )
    if is_whole and (regions or teams):
        faults.append(Problem("The scope is said twice.", "Name regions and teams, or say --company.", role=role))
    if faults:
        raise Faults(faults)
    return Reader(name, role, frozenset(regions), frozenset(teams), language, persons)


class Known:
    """The regions, teams and sellers that a book has had at any time."""

    def __init__(self, book: Book):
        rows = book.table("reps").select("rep_id", "name", "region", "team", "valid_from")
        self.reps = book.collect(rows).sort("valid_from", "rep_id")

    def names(self, column: str) -> list[str]:
        """The regions, or the teams."""
        return sorted(self.reps[column].drop_nulls().unique())

    def faults(self, column: str, named: Sequence[str]) -> list[Problem]:
        """Those of these regions or teams that the book has never had."""
        known = self.names(column)
        return [
            Problem(
                "No {column} is called {value}.", "Did you mean {near}?" if near else "The book has: {names}.",
                column=column, value=each, near=", ".join(near), names=", ".join(known) or "–",
            )
            for each in named if each not in known
            for near in [get_close_matches(each, known, 3)]
        ]  # fmt: skip

    def persons(self, named: Sequence[str]) -> tuple[frozenset[str], list[Problem]]:
        """The identifiers of the sellers meant, and what is wrong with those named."""
        if not named:
            return frozenset(), [Problem("Who the seller is has to be said.", "Name --rep, as the book knows them.")]
        found, faults = set[str](), []
        for each in named:
            ids = {each} & {*self.reps["rep_id"]} or {*self.reps.filter(name=each)["rep_id"]}
            if len(ids) == 1:
                found |= ids
            elif ids:
                faults.append(Problem("{n} sellers are called {value}.", "Name one by its identifier: {names}.", n=len(ids),
                                      value=each, names=", ".join(sorted(ids))))  # fmt: skip
            else:
                faults.append(self._nobody(each))
        return frozenset(found), faults

    def gone(self, reader: Reader) -> list[str]:
        """What of a reader's scope no seller is in any more, or is: renamed, merged, forgotten. They see nothing of it."""
        now = self.reps.unique("rep_id", keep="last")
        of = {"region": reader.regions, "team": reader.teams, "rep_id": reader.persons}
        return sorted(each for column, names in of.items() for each in names - {*now[column]})

    def said_gone(self, reader: Reader) -> list[Problem]:
        """What is to be said of it, if anything."""
        gone = self.gone(reader)
        return [Problem(
            "{name} sees nothing of {gone}: no seller of this book is there any more.",
            "If it has another name now, end the account with `cadran user remove`, and add it again.",
            name=reader.id, gone=", ".join(gone),
        )] if gone else []  # fmt: skip

    def _nobody(self, named: str) -> Problem:
        of = dict(self.reps.select("name", "rep_id").drop_nulls().iter_rows())
        near = get_close_matches(named, [*of, *self.reps["rep_id"].unique()], 3)
        return Problem(
            "No seller of the book is called {value}.",
            "Did you mean {near}?" if near else "Name one by the identifier that the source gives them (rep_id).",
            value=named, near=", ".join(f"{each} ({of[each]})" if each in of else each for each in near),
        )  # fmt: skip
