"""The commands for one-to-ones: planned, held, how regular they are, who waits for one."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import DAY, BookOption, FormatOption, opened_book
from cadran.tables.one_to_ones import HELD, PLANNED
from cadran.tables.problems import Problem
from cadran.terminal import Format, err, out, reader_words, show, today

words = reader_words()
one_to_ones = typer.Typer(no_args_is_help=True)
PersonArgument = Annotated[str, typer.Argument(help=words("Who is led, as the staff have it (rep_id)."))]
ManagerOption = Annotated[str, typer.Option(help=words("The manager, as the staff have it (manager_id)."))]
MinutesOption = Annotated[int | None, typer.Option(help=words("How long; as agreed by default."))]
Day = Annotated[datetime, typer.Option("--on", formats=DAY, help=words("The day."))]
DayOrToday = Annotated[datetime | None, typer.Option("--on", formats=DAY, help=words("The day; today by default."))]


@one_to_ones.command(
    "import", help=words("Read one-to-ones from a file: who, when, planned or held. Nothing else is read.")
)
def import_(
    file: Annotated[Path, typer.Argument(help=words("A CSV or Excel file with the columns person and day."))],
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Read one-to-ones from a file: who, when, planned or held. Nothing else is read."""
    from cadran.book.one_to_ones import noted, sifted
    from cadran.sources.one_to_ones import read_one_to_ones

    words, opened = reader_words(), opened_book(book)
    rows, unread = read_one_to_ones(file)
    kept, aside = sifted(opened, rows, today())
    n = noted(opened, kept, None)
    said = words("{kept} of {rows} rows keep the rules; {n} are new.", kept=words.number(kept.height),
                 rows=words.number(rows.height), n=words.number(n))  # fmt: skip
    err.print(said, highlight=False)
    if unread:
        err.print(words("Not read: {names}.", names=", ".join(unread)), highlight=False, markup=False)
    told = aside.select("file", "row", "rule", "repair", "found")
    if told.height or format is not Format.table:
        show(told, format, words)


@one_to_ones.command(help=words("Note that a one-to-one is planned."))
def plan(person: PersonArgument, on: Day, minutes: MinutesOption = None, book: BookOption = None) -> None:
    """Note that a one-to-one is planned."""
    _note(opened_book(book), person, on.date(), minutes, PLANNED)


@one_to_ones.command(help=words("Note that a one-to-one was held."))
def held(person: PersonArgument, on: DayOrToday = None, minutes: MinutesOption = None, book: BookOption = None) -> None:
    """Note that a one-to-one was held."""
    _note(opened_book(book), person, on.date() if on else today(), minutes, HELD)


@one_to_ones.command(help=words("Note that a planned one-to-one will not take place."))
def cancel(person: PersonArgument, on: Day, book: BookOption = None) -> None:
    """Note that a planned one-to-one will not take place."""
    _note(opened_book(book), person, on.date(), None, "cancelled")


@one_to_ones.command(help=words("Note the rhythm agreed: how many days between two, and how long one lasts."))
def agree(
    every: Annotated[int, typer.Option(help=words("Days between two, at most."))],
    minutes: Annotated[int, typer.Option(help=words("How long one lasts."))] = 60,
    manager: Annotated[str | None, typer.Option(help=words("With whom; with all managers by default."))] = None,
    book: BookOption = None,
) -> None:
    """Note the rhythm agreed: how many days between two, and how long one lasts."""
    from cadran.book.one_to_ones import agree as note

    words = reader_words()
    note(opened_book(book), every, minutes, datetime.now(UTC), manager)
    out.print(
        words("Agreed: one of {minutes} minutes every {days} days.", minutes=minutes, days=every), highlight=False
    )


@one_to_ones.command(help=words("Say who has been waiting longest for a one-to-one: to their manager alone."))
def waiting(manager: ManagerOption, book: BookOption = None, format: FormatOption = Format.table) -> None:  # noqa: A002
    """Say who has been waiting longest for a one-to-one: to their manager alone."""
    from cadran.book.one_to_ones import agreed
    from cadran.measures.one_to_ones import waiting as who_waits

    words, opened = reader_words(), opened_book(book)
    rows = who_waits(opened, manager, today())
    if format is Format.table and agreed(opened, manager).is_assumed:
        said = words("No rhythm was agreed: four weeks are assumed. `cadran pulse one-to-ones agree` notes one.")
        out.print(said, style="dim", highlight=False, soft_wrap=True)
    show(rows, format, words)


@one_to_ones.command(help=words("Say how regularly people are met, by region and team, never of one manager."))
def regularity(book: BookOption = None, format: FormatOption = Format.table) -> None:  # noqa: A002
    """Say how regularly people are met, by region and team, never of one manager."""
    from cadran.models.regularity import regularity as told

    words = reader_words()
    show(told(opened_book(book), today()), format, words)


@one_to_ones.command(help=words("Say how many hours one-to-ones take of a manager's weeks."))
def hours(
    manager: ManagerOption,
    weeks: Annotated[int, typer.Option(min=1, max=104, help=words("Weeks back; four weeks ahead are told too."))] = 13,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say how many hours one-to-ones take of a manager's weeks."""
    from cadran.book.one_to_ones import check_leads
    from cadran.measures.one_to_ones import hours as taken

    words, opened = reader_words(), opened_book(book)
    check_leads(opened, manager)
    rows = taken(opened, today() - timedelta(weeks=weeks), today() + timedelta(weeks=4), manager)
    show(rows.drop("manager"), format, words)


@one_to_ones.command(help=words("Propose what to talk about, drawn from what groups answered."))
def guide(
    region: Annotated[str | None, typer.Option(help=words("The manager's region."))] = None,
    team: Annotated[str | None, typer.Option(help=words("The manager's team."))] = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Propose what to talk about, drawn from what groups answered."""
    from cadran.figures.pulse_words import DIMENSIONS
    from cadran.measures.conversation import guide as drawn

    words = reader_words()
    rows = drawn(opened_book(book), region, team)
    if format is not Format.table:
        listed = pl.selectors.list()
        show(rows if format is Format.json else rows.with_columns(listed.list.join(" ")), format, words)
        return
    if rows.is_empty():
        raise Problem(
            "No wave was released: there is nothing to draw a guide from.", "Release one: `cadran audit pulse`."
        )
    for row in rows.iter_rows(named=True):
        said = words("{share} favourable in {group}, {wave}", share=words.percent(row["favourable_share"]),
                     group=row["group"] or words("the whole company"), wave=row["wave"])  # fmt: skip
        fell = f" ({words.points(row['moved'])})" if row["moved"] is not None else ""
        out.print(
            f"[bold]{words(DIMENSIONS.get(row['dimension'], row['dimension']))}[/] · {said}{fell}", highlight=False
        )
        for text in row[f"questions_{words.language}"]:
            out.print(f"  {text}", highlight=False, markup=False)


def _note(opened: Any, person: str, day: date, minutes: int | None, kind: str) -> None:
    """Hold one that is typed to the rules of a file, and keep it."""
    from cadran.book.one_to_ones import noted, sifted

    words = reader_words()
    told = {"person": person, "manager": None, "day": day, "kind": kind, "minutes": minutes, "file": "", "row": 1, "line": 1,
            "day_told": day.isoformat(), "minutes_told": None if minutes is None else str(minutes)}  # fmt: skip
    types = {"manager": pl.String, "minutes": pl.Int64, "minutes_told": pl.String}
    kept, aside = sifted(opened, pl.DataFrame([told], schema_overrides=types), today())
    if aside.height:
        rule, repair = (each.split("\n")[0] for each in aside.select("rule", "repair").row(0))
        raise Problem("{person}, {day:%Y-%m-%d}: the rule is that {title}.", repair, person=person, day=day, title=rule)
    is_new = noted(opened, kept, datetime.now(UTC))
    out.print(words("Noted.") if is_new else words("It was noted already."))
