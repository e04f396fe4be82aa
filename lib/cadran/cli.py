"""The `cadran` command. Exit status: 0 done, 1 a problem that was told, 2 a command that was not understood."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cadran.asked import (
    DAY,
    HERE,
    AsOfOption,
    BookOption,
    ByOption,
    CorrectedOption,
    FormatOption,
    SinceOption,
    TodayOption,
    UntilOption,
    WhereOption,
    check_begun,
    folder_of,
    is_given,
    opened_book,
    option,
    questioned,
    seen_book,
)
from cadran.cli_activate import activate
from cadran.cli_audit_views import audit
from cadran.cli_backup import backup
from cadran.cli_books import books, tell_changes, tell_verified
from cadran.cli_forecast import forecast
from cadran.cli_models import backtest
from cadran.cli_people import people
from cadran.cli_plan import plan
from cadran.cli_process import process
from cadran.cli_pulse import pulse
from cadran.cli_report import digest, report
from cadran.cli_scenario import scenario
from cadran.cli_score import score
from cadran.cli_serve import serve
from cadran.cli_survey_run import survey
from cadran.cli_trial import trial
from cadran.cli_user import user
from cadran.tables.problems import Problem
from cadran.terminal import Format, err, out, progress, reader_words, show, tell_book, tell_purge

#: The words of the help, which is written when the command starts.
words = reader_words()
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=words("Sales operations.")
)


def main() -> None:
    """Run the command; a problem is told in the reader's language, without a traceback."""
    try:
        app()
    except Problem as problem:
        err.print(problem.told(reader_words()), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print(reader_words()("Interrupted: the book is as it was."))
        sys.exit(130)


@app.command("import", help=words("Read a source, hold it to the rules, and keep it as a new version of the book."))
def import_(
    context: typer.Context,
    mapping: Annotated[str, typer.Argument(help=words("A mapping file, or the name of one that ships."))],
    source: Annotated[Path | None, typer.Option("--from", help=words("Folder the files are in."))] = None,
    book: Annotated[Path, typer.Option(envvar="CADRAN_BOOK", help=words("Folder of the book to write."))] = HERE,
    taken: Annotated[
        datetime | None,
        typer.Option(
            formats=[*DAY, "%Y-%m-%dT%H:%M"], help=words("When the data was taken, in place of the mapping's.")
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help=words("Read databases whole, not only what is new since the last import."))
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help=words("Begin the book again from this import alone; older versions stay."))
    ] = False,
    accept_vanished: Annotated[
        bool, typer.Option("--accept-vanished", help=words("Take in that many things are gone at the source."))
    ] = False,
    keep: Annotated[
        int, typer.Option(min=1, envvar="CADRAN_KEEP", help=words("How many versions of the book to keep."))
    ] = 30,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Read a source, hold it to the rules, and keep it as a new version of the book."""
    from cadran.book import open_book, write_book
    from cadran.book.store import since
    from cadran.cli_survey_import import check_options, import_results
    from cadran.sources import deliver
    from cadran.sources.survey_mapping import SurveyMapping, load_any_mapping

    read = load_any_mapping(mapping)
    # A day counts at its end, as in a mapping.
    said = taken if taken and (taken.hour or taken.minute) else taken and taken.date()
    if isinstance(read, SurveyMapping):
        check_options({name for name in context.params if is_given(context, name)})
        import_results(read, source, book, said, format, reader_words())
        return
    known = None if anew else since(book)
    if known and full:
        known = replace(known, watermarks={})
    if said:
        read = replace(read, taken=said)
    with progress() as step:
        delivery = deliver(read, source, progress=step, since=known)
        step(reader_words()("Writing the book"), 1.0)
        write_book(book, delivery, datetime.now(UTC), anew=anew, accept_vanished=accept_vanished, keep=keep)
    tell_book(written := open_book(book), format, reader_words())
    if format is Format.table:
        tell_changes(written.manifest, reader_words())


@app.command("map", help=words("Propose a mapping for files never seen before, from their headers and contents."))
def map_(
    paths: Annotated[
        list[str],
        typer.Argument(help=words("Files, databases (SQLite, DuckDB, postgresql://…), or folders of them.")),
    ],
) -> None:
    """Propose a mapping for files never seen before, from their headers and contents."""
    from cadran.sources.propose import propose

    typer.echo(propose(paths, reader_words()))


@app.command(help=words("Invent a coherent company and keep it as a book."))
def sample(
    deals: Annotated[int, typer.Option(min=1, help=words("How many deals to invent."))] = 6000,
    seed: Annotated[int, typer.Option(min=0, help=words("The same seed gives the same company."))] = 1,
    signal: Annotated[
        float, typer.Option(min=0, max=1, help=words("0: no fact tells who will win; 1: all that is planted."))
    ] = 1.0,
    activities: Annotated[float, typer.Option(min=0, help=words("Touches per deal, relative to the default."))] = 1.0,
    book: Annotated[Path, typer.Option(help=words("Folder of the book to write."))] = HERE,
) -> None:
    """Invent a coherent company and keep it as a book."""
    from cadran.book import open_book, write_book
    from cadran.cli_sample import ask_staff
    from cadran.sources.sample import invent, write_plans

    words = reader_words()
    with progress() as step:
        step(words("Inventing the company"), 0.0)
        delivery = invent(
            deals=deals, seed=seed, signal=signal, activities=activities,
            progress=lambda share: step(words("Inventing the company"), share),
        )  # fmt: skip
        # An invented company has no hour of import, and follows no other: the same arguments give the same bytes.
        write_book(book, delivery, delivery.settings.taken, anew=True)
        write_plans(book)
        step(words("Asking the staff"), 1.0)
        ask_staff(open_book(book), seed)
    tell_book(open_book(book), Format.table, reader_words())


@app.command(help=words("Print one measure, one row per group."))
def measure(
    name: Annotated[str, typer.Argument(help=words("One of `cadran measures`."))],
    by: ByOption = None,
    where: WhereOption = None,
    as_of: AsOfOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    corrected: CorrectedOption = False,
    today: TodayOption = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help=words("NAME=VALUE, for what one measure alone understands."))
    ] = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Print one measure, one row per group."""
    from cadran.measures import MEASURES

    words = reader_words()
    if name not in MEASURES:
        raise Problem("There is no measure {name}.", "The measures are: {names}.", name=name, names=", ".join(MEASURES))
    opened = seen_book(book, as_of, corrected)
    question = questioned(by, where, since, until, today, dict(option(each) for each in set_ or []))
    if question.until:
        check_begun(opened, question.until)
    asked = MEASURES[name]
    asked.check(opened, question)
    measured = asked.ask(opened, question)
    if format is Format.table:
        out.print(f"[bold]{words(asked.title)}[/] · {opened.settings.name} · {words.date(opened.day)}")
        out.print(words(asked.definition), style="dim", highlight=False)
        tell_purge(opened, words)
    show(measured, format, words, opened.settings.currency)


@app.command(help=words("List the measures with their definitions."))
def measures(format: FormatOption = Format.table) -> None:  # noqa: A002
    """List the measures with their definitions."""
    import polars as pl

    from cadran.measures import MEASURES

    words = reader_words()
    rows = [
        (each.name, words(each.title), words(each.definition), words(each.unit), words(each.source))
        for each in MEASURES.values()
    ]
    show(pl.DataFrame(rows, schema=["measure", "title", "definition", "unit", "source"], orient="row"), format, words)


@app.command(help=words("Say how the book is: where it comes from, what was set aside, which measures it can answer."))
def status(
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
    rows: Annotated[bool, typer.Option("--rows", help=words("Print the rows set aside instead."))] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help=words("Compare every file of the book with its checksum instead."))
    ] = False,
    every: Annotated[bool, typer.Option("--all", help=words("With --verify: of all versions."))] = False,
) -> None:
    """Say how the book is: where it comes from, what was set aside, which measures it can answer."""
    import polars as pl

    from cadran.book import read_set_aside
    from cadran.cli_survey_import import aside_of, tell_waves, waves_of
    from cadran.measures import availability

    words = reader_words()
    if verify:
        tell_verified(folder_of(book), every, words)
        return
    opened = opened_book(book)
    if rows:
        show(pl.concat([read_set_aside(opened.version), aside_of(opened)]), format, words)
        return
    available = availability(opened)
    if format is Format.json:
        typer.echo(
            json.dumps(
                opened.manifest | {"measures": available.to_dicts(), "waves": waves_of(opened)},
                ensure_ascii=False, indent=1, default=str,
            )
        )  # fmt: skip
        return
    if format is Format.table:
        tell_book(opened, format, words)
        tell_waves(opened, words)
        available = available.with_columns(available=pl.Series(map(words, available["available"])))
    show(available, format, words)


@app.command(help=words("Copy a notebook into the analyst's folder."))
def new(
    name: Annotated[str, typer.Argument(help=words("Name of the notebook to make."))],
    folder: Annotated[Path, typer.Option(help=words("The analyst's folder."))] = Path("analyst"),
    template: Annotated[str, typer.Option(help=words("The notebook to start from."))] = "opportunities",
) -> None:
    """Copy a notebook into the analyst's folder."""
    from cadran.publish.editor import new_notebook

    typer.echo(new_notebook(name, folder, template=template))


@app.command(help=words("Open the editor on the analyst's own notebooks, never on installed files."))
def edit(
    name: Annotated[
        str | None, typer.Argument(help=words("The notebook to open; the whole folder by default."))
    ] = None,
    folder: Annotated[Path, typer.Option(help=words("The analyst's folder."))] = Path("analyst"),
    book: BookOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535)] = 2719,
) -> None:
    """Open the editor on the analyst's own notebooks, never on installed files."""
    from cadran.publish.editor import edit as edit_notebooks

    edit_notebooks(folder, opened_book(book).version.parent, name=name, port=port)


app.command(help=words("Serve the apps, read-only, to a browser."))(serve)
app.command(help=words("Write what the pages show to files that open without a network, to be sent or printed."))(
    report
)
app.command(help=words("Write what changed in a week and what to do, as the body of a mail."))(digest)
app.add_typer(people)
app.add_typer(books)
app.add_typer(backup)
app.add_typer(process)
app.add_typer(score)
app.add_typer(scenario)
app.add_typer(forecast)
app.add_typer(backtest, name="backtest", help=words("Say how good a model would have been."))
app.add_typer(trial, name="trial", help=words("A fair, randomised trial of a lever: its size, its draw, its reading."))
app.add_typer(audit, name="audit", help=words("Audit how the team works."))
app.add_typer(plan, name="plan", help=words("Plan the team: hires, territories, pay, coaching."))
app.add_typer(survey, name="survey", help=words("Ask the team how it is: design a survey, open it, close it."))
app.add_typer(pulse, name="pulse", help=words("What goes with how the team is, what weighs on it, what was promised."))
app.add_typer(user, name="user", help=words("Who may sign in to the published pages, and what each sees."))
app.add_typer(activate, name="activate", help=words("Open what is closed until the law's conditions are on record."))
