"""The command that opens the ratings of named persons, once what the law asks for is on record."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cadran.asked import DAY
from cadran.tables.problems import Problem
from cadran.terminal import out, reader_words, today

words = reader_words()
activate = typer.Typer(no_args_is_help=True)


@activate.command(
    help=words(
        "Open the ratings of named persons (rates, ramp, pay) until a day, or close them again. Without options: say "
        "what holds. Counsel decides whether it may be done."
    )
)
def individual(
    purpose: Annotated[str | None, typer.Option(help=words("What it is for."))] = None,
    legal_basis: Annotated[str | None, typer.Option(help=words("Legitimate interest, contract, …"))] = None,
    impact_assessment: Annotated[str | None, typer.Option(help=words("Where the impact assessment is kept."))] = None,
    works_council: Annotated[
        datetime | None, typer.Option(formats=DAY, help=words("Day the works council was consulted."))
    ] = None,
    no_works_council: Annotated[str | None, typer.Option(help=words("Why none has to be consulted."))] = None,
    notice: Annotated[datetime | None, typer.Option(formats=DAY, help=words("Day staff were told."))] = None,
    retention_months: Annotated[int | None, typer.Option(help=words("Months for which what is shown is kept."))] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help=words("Last day it holds."))] = None,
    end: Annotated[bool, typer.Option("--end", help=words("Close them."))] = False,
    book: Annotated[Path, typer.Option("--book", envvar="CADRAN_BOOK", help=words("The book's folder."))] = Path(
        "book"
    ),
) -> None:
    """Open the ratings of named persons until a day, close them again, or say what holds."""
    from cadran.book import individual as record
    from cadran.book import open_book
    from cadran.tables.problems import Faults

    open_book(book)
    at = datetime.now(UTC)
    given: dict[str, Any] = {
        "--purpose": purpose,
        "--legal-basis": legal_basis,
        "--impact-assessment": impact_assessment,
        "--works-council (--no-works-council)": works_council.date() if works_council else no_works_council,
        "--notice": notice and notice.date(),
        "--retention-months": retention_months,
        "--until": until and until.date(),
    }
    is_asked = any(value is not None for value in given.values())
    if end and is_asked:
        raise Problem("--end closes them: nothing else can be said with it.", "Leave out --end, or all the others.")
    if end:
        record.end(book, at)
    elif is_asked:
        if faults := _faults(given, works_council is not None and no_works_council is not None, at.date()):
            raise Faults(faults)
        record.activate(book, record.Activation(*given.values()), at)
    _tell(record.activation_of(book, today()))


def _faults(given: dict[str, Any], is_both: bool, on: date) -> list[Problem]:
    """All that keeps a record from being made: what is not said, what contradicts itself, what cannot be."""
    from cadran.book.individual import Activation

    missing = [name for name, value in given.items() if value is None]
    faults = [
        Problem("{options} must be said.", "Add them: each is a part of the record.", options=", ".join(missing))
    ] if missing else []  # fmt: skip
    if is_both:
        faults.append(Problem("--works-council and --no-works-council are both said.",
                              "Say the day it was consulted, or why none has to be."))  # fmt: skip
    # What is missing is told above: beside it, what is said is looked at as if the rest were right.
    right = ("–", "–", "–", "–", on, 1, on + timedelta(days=1))
    whole: list[Any] = [
        default if value is None else value for value, default in zip(given.values(), right, strict=True)
    ]
    return faults + Activation(*whole).missing(on)


def _tell(holds: Any) -> None:
    words = reader_words()
    if holds is None:
        said = words("Named persons are not rated in this book; teams are the finest group.")
    else:
        said = words(
            "Named persons are rated in this book until {day}, for: {purpose}.",
            day=words.date(holds.until), purpose=holds.purpose,
        )  # fmt: skip
    out.print(said, soft_wrap=True, markup=False)
