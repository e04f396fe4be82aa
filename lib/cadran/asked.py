"""What a command is asked about: which book, which deals, and how to print the answer."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cadran.tables.problems import Problem
from cadran.terminal import Format, now, reader_words, today, who_asks

words = reader_words()
#: Where `cadran import` writes, and where the other commands look first.
HERE = Path("book")
DAY = ["%Y-%m-%d"]
BookOption = Annotated[
    Path | None,
    typer.Option(
        "--book",
        envvar="CADRAN_BOOK",
        help=words("The book's folder. Default: ./book if there is one, else the sample."),
    ),
]
BallotsOption = Annotated[
    str | None,
    typer.Option(
        "--ballots",
        envvar="CADRAN_BALLOTS",
        help=words("The PostgreSQL database of the answers (postgresql://…); by default a file in the book's folder."),
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help=words("How to print it."))]
ByOption = Annotated[
    list[str] | None, typer.Option(help=words("Group by these columns (repeat, or separate by commas)."))
]
WhereOption = Annotated[
    list[str] | None, typer.Option(help=words("COLUMN=VALUE; repeat for more; COLUMN= for unknown."))
]
AsOfOption = Annotated[datetime | None, typer.Option(formats=DAY, help=words("What was known at the end of this day."))]
SinceOption = Annotated[datetime | None, typer.Option("--from", formats=DAY, help=words("First day of the period."))]
UntilOption = Annotated[datetime | None, typer.Option(formats=DAY, help=words("Last day of the period."))]
CorrectedOption = Annotated[
    bool, typer.Option("--corrected", help=words("Tell the past as it was corrected since, not as it was known then."))
]
TodayOption = Annotated[bool, typer.Option("--today", help=words("Apply today's organisation to the past."))]


def is_given(context: typer.Context, parameter: str) -> bool:
    """Whether an option stands in the command itself, rather than by default or in the environment."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def folder_of(book: Path | None) -> Path:
    """The folder of the book asked for: ./book if none is and it is there, else the sample."""
    from cadran.book import SAMPLE

    return book or (HERE if (HERE / "CURRENT").exists() else SAMPLE)


def opened_book(book: Path | None) -> Any:
    """The book asked for, which notes whom it tells of."""
    from cadran.book import open_book

    folder = folder_of(book)
    return open_book(folder, on=today(), viewed=note_of(folder))


def note_of(folder: Path, reader: Any = None) -> Any:
    """What notes whom the user of a command is shown of a book's persons, and the reader it is made for; nothing does for
    the sample, whose persons are nobody.

    Args:
        folder: The book's.
        reader: Whose account it is made for, if for one.
    """
    from cadran.book import SAMPLE
    from cadran.book.viewed import noting

    if folder.resolve() == SAMPLE.resolve():
        return None
    notes = [noting(folder, who_asks(), None, now)]
    if reader is not None and reader.id:
        notes.append(noting(folder, reader.id, reader, now))

    def note(kind: str, whom: Sequence[str]) -> None:
        for each in notes:
            each(kind, whom)

    return note


def seen_book(book: Path | None, as_of: datetime | None, corrected: bool = False) -> Any:
    """The book asked for, as it was known at the end of a day; as it is by default.

    Raises:
        Problem: If the book knows nothing of that day: it lies after its data, or before its first deal, lead and touch.
    """
    found = opened_book(book)
    if as_of is None:
        return found.as_of(found.moment, corrected)
    seen = found.as_of(as_of.date(), corrected)
    check_begun(found, as_of.date())
    return seen


def check_begun(book: Any, day: date) -> None:
    """That a day does not lie before a book's first deal, lead and touch: its counts would be 0 of what nobody knows.

    Raises:
        Problem: If it does.
    """
    import narwhals as nw

    dated = {"opportunities": "created_at", "leads": "created_at", "activities": "at"}
    firsts = [book.collect(book.table(table).select(nw.col(at).min())).item() for table, at in dated.items()]
    zone = ZoneInfo(book.settings.time_zone)
    began = min((first.astimezone(zone).date() for first in firsts if first is not None), default=None)
    if began and day < began:
        raise Problem(
            "This book begins on {began:%Y-%m-%d}; it cannot say what was known on {asked:%Y-%m-%d}.",
            "Ask for {began:%Y-%m-%d} or a later date.", began=began, asked=day,
        )  # fmt: skip


def questioned(
    by: list[str] | None,
    where: list[str] | None,
    since: datetime | None,
    until: datetime | None,
    today: bool,
    options: dict[str, Any],
) -> Any:
    """The question that the options of a command put to a measure.

    Raises:
        Problem: If the period ends before it begins, or a condition is not written as one.
    """
    from cadran.measures import Question

    check_period(since, until)
    return Question(
        by=tuple(column.strip() for each in by or [] for column in each.split(",")),
        where=filtered(where or []),
        since=since.date() if since else None,
        until=until.date() if until else None,
        organisation="today" if today else "as_was",
        options=options,
    )


def check_period(since: datetime | None, until: datetime | None) -> None:
    """That a period does not end before it begins.

    Raises:
        Problem: If it does.
    """
    if since and until and since > until:
        raise Problem(
            "The period begins on {since:%Y-%m-%d}, after it ends on {until:%Y-%m-%d}.", "Swap --from and --until.",
            since=since, until=until,
        )  # fmt: skip


def filtered(conditions: list[str]) -> dict[str, tuple[str | None, ...]]:
    """The values kept of each column, from COLUMN=VALUE; None where COLUMN= keeps the unknown."""
    kept: dict[str, tuple[str | None, ...]] = {}
    for condition in conditions:
        column, value = _pair(condition, "--where COLUMN=VALUE")
        kept[column] = (*kept.get(column, ()), value or None)
    return kept


def option(text: str) -> tuple[str, Any]:
    """A name and its value, from NAME=VALUE."""
    name, value = _pair(text, "--set NAME=VALUE")
    for read in (int, float, date.fromisoformat):
        try:
            return name, read(value)
        except ValueError:
            continue
    return name, value


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Problem("{text} has no equals sign.", "Write {form}.", text=text, form=form)
    return name.strip(), value.strip()
