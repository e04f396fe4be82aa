"""The command that opens the ratings of named persons, once what the law asks for is on record."""

from datetime import UTC, datetime
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

    open_book(book)
    council = works_council.date() if works_council else no_works_council
    given: dict[str, Any] = {
        "--purpose": purpose,
        "--legal-basis": legal_basis,
        "--impact-assessment": impact_assessment,
        "--works-council (--no-works-council)": council,
        "--notice": notice and notice.date(),
        "--retention-months": retention_months,
        "--until": until and until.date(),
    }
    missing = [name for name, value in given.items() if value is None]
    if end:
        record.end(book, datetime.now(UTC))
    elif len(missing) < len(given):
        if missing:
            raise Problem(
                "{options} must be said.", "Add them: each is a part of the record.", options=", ".join(missing)
            )
        record.activate(book, record.Activation(*given.values()), datetime.now(UTC))
    _tell(record.activation_of(book, today()))


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
