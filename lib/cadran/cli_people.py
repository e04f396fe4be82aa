"""The commands that the law asks for: forgetting a person, purging what is old, saying what is held on somebody."""

import json
import re
from calendar import monthrange
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import BallotsOption
from cadran.tables.problems import Problem
from cadran.terminal import Format, now, out, reader_words, show, warn, who_asks

words = reader_words()
people = typer.Typer()


class Kind(StrEnum):
    """Whom an identifier is of."""

    rep = "rep"
    contact = "contact"
    lead = "lead"
    employee = "employee"


class Form(StrEnum):
    """How what is held on a person is handed over."""

    json = "json"
    folder = "folder"


IdArgument = Annotated[str, typer.Argument(metavar="ID", help=words("The source's identifier of the person."))]
KindOption = Annotated[Kind | None, typer.Option(help=words("Whom the identifier is of, if it is of several."))]
BookOption = Annotated[Path, typer.Option("--book", envvar="CADRAN_BOOK", help=words("The book's folder."))]
HERE = Path("book")
#: What is said of surveys, wherever there are any.
NOT_FOUND = (
    "Surveys know people by the identifier they were invited or imported under (an e-mail address, say), and look for no "
    "other. Answers of anonymous waves and comments are linked to nobody: nobody's can be found."
)


@people.command(help=words("Forget a person in every version of the book, and in every later import."))
def forget(
    identifier: IdArgument, kind: KindOption = None, book: BookOption = HERE, ballots: BallotsOption = None
) -> None:
    """Forget a person in every version of the book, and in every later import."""
    from cadran.book import forget as forget_person
    from cadran.book.beside import has_surveys
    from cadran.book.written import written_on

    words = reader_words()
    person, n = forget_person(book, identifier, kind, ballots)
    stands = ", ".join(person.ids.values())
    told = words.n(
        "Forgotten in {n} version of the book; in place of the identifier stands {pseudonym}.",
        "Forgotten in {n} versions of the book; in place of the identifier stands {pseudonym}.",
        n, pseudonym=stands,
    ) if person.kind in ("rep", "contact", "lead") else words(
        "Forgotten in surveys, one-to-ones and promises; where the identifier stood itself, {pseudonym} stands.",
        pseudonym=stands,
    )  # fmt: skip
    out.print(told, soft_wrap=True)
    if has_surveys(book):
        out.print(words(NOT_FOUND), soft_wrap=True)
    warn(
        words("{file} says a name or identifier of theirs: correct it by hand.", file=each)
        for each in written_on(book, person)
    )
    out.print(words("Copies of the book made elsewhere still name the person: see docs/forgetting.md."), soft_wrap=True)


@people.command(
    help=words("Remove what ended before a day from every version of the book, and keep it from coming back.")
)
def purge(
    older_than: Annotated[
        str,
        typer.Option(
            help=words(
                "5y (years) or 36m (months), counted back from the day of the book's data, or the first day kept: "
                "2020-01-01."
            )
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help=words("Remove it; otherwise it is only counted."))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=words("Only count, whatever else is said."))] = False,
    book: BookOption = HERE,
    format: Annotated[Format, typer.Option("--format", help=words("How to print it."))] = Format.table,  # noqa: A002
) -> None:
    """Remove what ended before a day from every version of the book, and keep it from coming back."""
    from cadran.book import presented, purgeable
    from cadran.book import purge as purge_book
    from cadran.book.beside import has_surveys
    from cadran.book.folder import current_version
    from cadran.book.purge import last_day
    from cadran.book.views import Views

    words, last = reader_words(), last_day(current_version(book))
    before = first_day_kept(older_than, last)
    if format is Format.table:
        day = words.date(before)
        out.print(
            words("To purge: what ended before {day}. The book's data is of {last}.", day=day, last=words.date(last))
        )
    views = Views(book)
    counts = purgeable(book, before) | {"views": views.over(now()), "unmasked": presented.over(book, now())}
    is_done = yes and not dry_run
    if is_done:
        purge_book(book, before)
        views.purge(now())
        presented.purged(book, now())
    rows = [(words(_SAID[name]) if format is Format.table else name, n) for name, n in counts.items() if n]
    show(pl.DataFrame(rows, schema={"what": pl.String, "n": pl.Int64}, orient="row"), format, words)
    if format is Format.table:
        done = words("What ended before {day} was removed from every version of the book.", day=day)
        if has_surveys(book):
            out.print(
                words(
                    "Answers to surveys are kept as long as respondents were told: `cadran survey purge` removes them."
                )
            )
        out.print(done if is_done else words("Nothing was removed: --yes removes what ended before {day}.", day=day))


@people.command(
    "export-person", help=words("Hand over everything the book holds on a person, for their request to see it.")
)
def export_person(
    identifier: IdArgument,
    kind: KindOption = None,
    form: Annotated[Form, typer.Option("--format", help=words("One JSON text, or a folder of tables."))] = Form.json,
    to: Annotated[Path | None, typer.Option(help=words("Folder to make."))] = None,
    book: BookOption = HERE,
    ballots: BallotsOption = None,
) -> None:
    """Hand over everything the book holds on a person, for their request to see it."""
    from cadran.book import SAMPLE
    from cadran.book.access import held_on, to_jsonable
    from cadran.book.beside import has_surveys
    from cadran.book.viewed import noting
    from cadran.text import LANGUAGES, words_for

    held = held_on(book, identifier, kind, ballots)
    if book.resolve() != SAMPLE.resolve():
        noting(book, who_asks(), None, now)("access", held["identifiers"][:1])
    held["said"] = {each: words_for(each)(NOT_FOUND) for each in LANGUAGES} if has_surveys(book) else {}
    held["fields"] = {table: meanings(table, rows.columns) for table, rows in held["tables"].items()}
    if form is Form.json:
        typer.echo(json.dumps(to_jsonable(held), ensure_ascii=False, indent=1))
        return
    if to is None or to.exists():
        raise Problem(
            "--format folder needs a folder to make.", "Write --to FOLDER, the name of one that is not there yet."
        )
    to.mkdir(parents=True)
    for table, rows in held["tables"].items():
        listed = pl.selectors.list()
        rows.with_columns(listed.cast(pl.List(pl.String)).list.join(" ")).write_csv(to / f"{table}.csv")
    fields = [(table, name, *both.values()) for table, those in held["fields"].items() for name, both in those.items()]
    pl.DataFrame(fields, schema=["table", "field", "en", "fr"], orient="row").write_csv(to / "fields.csv")
    about = {key: held[key] for key in ("kind", "identifiers", "names", "book", "versions", "said")}
    (to / "person.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", "utf-8")


def first_day_kept(text: str, last: date) -> date:
    """The day that "5y", "36m" (counted back from a book's last day) or "2020-01-01" means.

    Raises:
        Problem: If it means none.
    """
    if found := re.fullmatch(r"(\d{1,3}) ?([ym])", text.strip().lower()):
        back = int(found[1]) * (12 if found[2] == "y" else 1)
        year, month = divmod(last.year * 12 + last.month - 1 - back, 12)
        if year > 0:
            return date(year, month + 1, min(last.day, monthrange(year, month + 1)[1]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(
            "{text} is no age and no day.", "Write 5y (years), 36m (months), or a day: 2020-01-01.", text=text
        ) from None


def meanings(table: str, columns: list[str]) -> dict[str, dict[str, str]]:
    """What each column of a table means, in English and French."""
    from cadran.book.promised import Promise
    from cadran.tables import STORED
    from cadran.tables.one_to_ones import OneToOne
    from cadran.tables.pulse import Answer, Question
    from cadran.text import LANGUAGES, words_for

    beside = {"one_to_ones": (OneToOne,), "promises": (Promise,), "survey_answers": (Question, Answer)}
    described = beside.get(table) or ((STORED[table],) if table in STORED else ())
    told: dict[str, Any] = {name: c.description or "" for each in described for name, c in each.columns().items()}
    told |= _BESIDE.get(table, {}) if described or table in _BESIDE else _ASIDE
    told["in_versions"] = "The versions of the book in which the row stands"
    return {name: {each: words_for(each)(told.get(name, "")) for each in LANGUAGES} for name in columns}


_SAID = {
    "opportunities": "Deals",
    "versions": "Versions of deals",
    "deal_contacts": "Contacts' parts in deals",
    "activities": "Touches",
    "leads": "Leads",
    "contacts": "Rows on contacts",
    "reps": "Rows on sellers",
    "targets": "Goals of sellers",
    "actions": "Actions for sellers",
    "set_aside": "Rows set aside, of which the contents go",
    "books": "Versions of the book",
    "one_to_ones": "One-to-ones",
    "views": "Entries of the log of who was shown whom, kept long enough",
    "unmasked": "Entries of the record of names shown again, kept long enough",
}
_SURVEY = {"survey": "The survey", "wave": "The wave of it"}
_BESIDE = {
    "survey_answers": _SURVEY,
    "accounts": {
        "account": "The name of the account with which they may read the book",
        "role": "Role of the account",
        "regions": "Regions it sees",
        "teams": "Teams it sees",
        "language": "Its language",
        "added_at": "When it was added",
        "provider": "The provider at which the person signs in, if at one",
        "subject": "Who the person is to that provider",
        "is_blocked": "Whether the person is kept from signing in there",
        "sessions": "From when to when each session that is kept was used",
    },
    "rooms": {
        "opened_at": "When a room of the person's was opened",
        "seen_at": "When its presenter was last there",
    },
    "unmasked": {
        "at": "When the person had names shown again on a page that was presented",
        "page": "On which page",
    },
    "viewed": {
        "at": "The hour in which something about the person was shown to another",
        "role": "The role of whom it was shown to",
        "kind": "What was shown: load, rating, pay, one_to_ones, access (a request of theirs)",
        "grounds": "On which grounds",
    },
    "views": {
        "at": "The hour in which the person was shown something about others",
        "kind": "What was shown: load, rating, pay, one_to_ones, access (a request of theirs)",
        "grounds": "On which grounds",
        "whom": "Of whom: other people are not named",
    },
    "surveys": _SURVEY | {
        "mode": "anonymous or confidential, as was declared before it opened",
        "is_closed": "Whether the wave is closed",
        "was_invited": "Whether the person was invited; null where that is not known",
        "answered": "Whether the person answered",
    },
}  # fmt: skip
_ASIDE = {
    "table": "The table the row was meant for",
    "file": "The file it stood in",
    "row": "Its number in the file",
    "line": "Its line in the file",
    "id": "Its identifier",
    "rule": "The rule it broke",
    "repair": "What to do about it",
    "found": "What stood there",
    "values": "The cells that are about the person",
}
