"""The `cadran` command. Exit status: 0 done, 1 a problem that was told, 2 a command that was not understood."""

import json
import os
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cadran.tables.problems import Problem
from cadran.text import Words, words_for

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Sales operations.")
# Where nobody's window sets the width, a table is as wide as it needs.
out, err = Console(width=None if sys.stdout.isatty() else 240), Console(stderr=True)

#: Where `cadran import` writes, and where the other commands look first.
HERE = Path("book")


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    csv = "csv"


BookOption = Annotated[
    Path | None,
    typer.Option(
        "--book", envvar="CADRAN_BOOK", help="The book's folder. Default: ./book if there is one, else the sample."
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
DAY = ["%Y-%m-%d"]


def main() -> None:
    """Run the command; a problem is told in the reader's language, without a traceback."""
    try:
        app()
    except Problem as problem:
        err.print(problem.told(_words()), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


@app.command("import")
def import_(
    mapping: Annotated[str, typer.Argument(help="A mapping file, or the name of one that ships.")],
    source: Annotated[Path | None, typer.Option("--from", help="Folder the files are in.")] = None,
    book: Annotated[Path, typer.Option(envvar="CADRAN_BOOK", help="Folder of the book to write.")] = HERE,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Read a source, hold it to the rules, and keep it as a new version of the book."""
    from cadran.book import open_book, write_book
    from cadran.sources import deliver
    from cadran.sources.mapping import load_mapping

    with _progress() as step:
        delivery = deliver(load_mapping(mapping), source, progress=step)
        step(_words()("Writing the book"), 1.0)
        write_book(book, delivery, datetime.now(UTC))
    _tell_import(open_book(book), format)


@app.command("map")
def map_(paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.")]) -> None:
    """Propose a mapping for files never seen before, from their headers and contents."""
    from cadran.sources.propose import propose

    typer.echo(propose(paths))


@app.command()
def sample(
    deals: Annotated[int, typer.Option(min=1, help="How many deals to invent.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same company.")] = 1,
    signal: Annotated[
        float, typer.Option(min=0, max=1, help="0: no fact tells who will win; 1: all that is planted.")
    ] = 1.0,
    activities: Annotated[float, typer.Option(min=0, help="Touches per deal, relative to the default.")] = 1.0,
    book: Annotated[Path, typer.Option(help="Folder of the book to write.")] = HERE,
) -> None:
    """Invent a coherent company and keep it as a book."""
    from cadran.book import open_book, write_book
    from cadran.sources.sample import invent

    delivery = invent(deals=deals, seed=seed, signal=signal, activities=activities)
    # An invented company has no hour of import: the same arguments give the same bytes.
    write_book(book, delivery, delivery.settings.taken)
    _tell_import(open_book(book), Format.table)


@app.command()
def measure(
    name: Annotated[str, typer.Argument(help="One of `cadran measures`.")],
    by: Annotated[
        list[str] | None, typer.Option(help="Group by these columns (repeat, or separate by commas).")
    ] = None,
    where: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE; repeat for more; COLUMN= for unknown.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=DAY, help="What was known at the end of this day.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day of the period.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day of the period.")] = None,
    today: Annotated[bool, typer.Option("--today", help="Apply today's organisation to the past.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, for what one measure alone understands.")
    ] = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Print one measure, one row per group."""
    from cadran.measures import MEASURES, Question

    words = _words()
    if name not in MEASURES:
        raise Problem("There is no measure {name}.", "The measures are: {names}.", name=name, names=", ".join(MEASURES))
    if since and until and since > until:
        raise Problem(
            "The period begins on {since:%Y-%m-%d}, after it ends on {until:%Y-%m-%d}.", "Swap --from and --until.",
            since=since, until=until,
        )  # fmt: skip
    opened = _open(book)
    opened = opened.as_of(as_of.date()) if as_of else opened
    question = Question(
        by=tuple(column.strip() for each in by or [] for column in each.split(",")),
        where=_filter(where or []),
        since=since.date() if since else None,
        until=until.date() if until else None,
        organisation="today" if today else "as_was",
        options=dict(_option(each) for each in set_ or []),
    )
    asked = MEASURES[name]
    measured = asked.ask(opened, question)
    if format is Format.table:
        out.print(f"[bold]{words(asked.title)}[/] · {opened.settings.name} · {words.date(opened.day)}")
        out.print(words(asked.definition), style="dim", highlight=False)
    _print(measured, format, words)


@app.command()
def measures(format: FormatOption = Format.table) -> None:  # noqa: A002
    """List the measures with their definitions."""
    import polars as pl

    from cadran.measures import MEASURES

    words = _words()
    rows = [
        (each.name, words(each.title), words(each.definition), words(each.unit), words(each.source))
        for each in MEASURES.values()
    ]
    _print(pl.DataFrame(rows, schema=["measure", "title", "definition", "unit", "source"], orient="row"), format, words)


@app.command()
def status(
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
    rows: Annotated[bool, typer.Option("--rows", help="Print the rows set aside instead.")] = False,
) -> None:
    """Say how the book is: where it comes from, what was set aside, which measures it can answer."""
    import polars as pl

    from cadran.book import read_set_aside
    from cadran.measures import availability

    words, opened = _words(), _open(book)
    if rows:
        _print(read_set_aside(opened.version), format, words)
        return
    available = availability(opened)
    if format is Format.json:
        typer.echo(
            json.dumps(opened.manifest | {"measures": available.to_dicts()}, ensure_ascii=False, indent=1, default=str)
        )
        return
    if format is Format.table:
        _tell_import(opened, format)
        available = available.with_columns(available=pl.Series(map(words, available["available"])))
    _print(available, format, words)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Loopback only, for now.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 2718,
    book: BookOption = None,
) -> None:
    """Serve the apps, read-only, to a browser."""
    from cadran.publish.server import serve as serve_apps

    serve_apps(_open(book).version.parent, host=host, port=port)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the notebook to make.")],
    folder: Annotated[Path, typer.Option(help="The analyst's folder.")] = Path("analyst"),
    template: Annotated[str, typer.Option(help="The notebook to start from.")] = "opportunities",
) -> None:
    """Copy a notebook into the analyst's folder."""
    from cadran.publish.editor import new_notebook

    typer.echo(new_notebook(name, folder, template=template))


@app.command()
def edit(
    name: Annotated[str | None, typer.Argument(help="The notebook to open; the whole folder by default.")] = None,
    folder: Annotated[Path, typer.Option(help="The analyst's folder.")] = Path("analyst"),
    book: BookOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535)] = 2719,
) -> None:
    """Open the editor on the analyst's own notebooks, never on installed files."""
    from cadran.publish.editor import edit as edit_notebooks

    edit_notebooks(folder, _open(book).version.parent, name=name, port=port)


def _words() -> Words:
    spoken = os.environ.get("CADRAN_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    return words_for("fr" if spoken.lower().startswith("fr") else "en")


def _open(book: Path | None) -> Any:
    from cadran.book import SAMPLE, open_book

    return open_book(book or (HERE if (HERE / "CURRENT").exists() else SAMPLE))


@contextmanager
def _progress() -> Any:
    with Progress(console=err, transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda what, share: bars.update(task, description=what, completed=share)


def _filter(conditions: list[str]) -> dict[str, tuple[str | None, ...]]:
    kept: dict[str, tuple[str | None, ...]] = {}
    for condition in conditions:
        column, value = _pair(condition, "--where COLUMN=VALUE")
        kept[column] = (*kept.get(column, ()), value or None)
    return kept


def _option(text: str) -> tuple[str, Any]:
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


def _tell_import(book: Any, format: Format) -> None:  # noqa: A002
    """What a book holds: the files it was read from, what was set aside and why, and its totals."""
    import polars as pl

    from cadran.book import read_set_aside
    from cadran.measures import MEASURES, Question
    from cadran.sources.rules import messages

    words = _words()
    manifest = book.manifest
    totals = MEASURES["volumes"].ask(book, Question()).row(0, named=True)
    if format is Format.json:
        typer.echo(json.dumps(manifest | {"volumes": totals}, ensure_ascii=False, indent=1, default=str))
        return
    out.print(f"[bold]{book.settings.name}[/] · {words('book')} {manifest['version']} · {words.date(book.day)}")
    if manifest["files"]:
        _print(pl.DataFrame(manifest["files"]).drop("sha256"), Format.table, words)
    for noted in manifest["noted"]:
        what = words("{n} × {note}", n=words.number(noted["n"]), note=words(noted["note"]))
        out.print(f"{noted['file']}: {what} {noted['found'] or ''}", style="cyan", markup=False)
    for message in messages(read_set_aside(book.version), words):
        out.print(message, style="yellow", markup=False, soft_wrap=True)
    n_deals = sum(totals[f"n_{status}"] for status in ("open", "won", "lost", "disqualified"))
    out.print(
        words(
            "{deals} deals: {won} won, {lost} lost, {open} open, {disqualified} disqualified. "
            "Signed revenue: {revenue}.",
            deals=words.number(n_deals), won=words.number(totals["n_won"]), lost=words.number(totals["n_lost"]),
            open=words.number(totals["n_open"]), disqualified=words.number(totals["n_disqualified"]),
            revenue=words.money(totals["amount_won"], book.settings.currency, compact=False),
        )
    )  # fmt: skip


def _print(frame: Any, format: Format, words: Words) -> None:  # noqa: A002
    if format is Format.json:
        typer.echo(json.dumps(frame.to_dicts(), ensure_ascii=False, indent=1, default=str))
    elif format is Format.csv:
        typer.echo(frame.write_csv(), nl=False)
    else:
        if frame.is_empty():
            out.print(words("No row."), style="dim")
            return
        lines = [frame.columns, *([_cell(value, words) for value in row] for row in frame.iter_rows())]
        # Few rows of many columns are read downwards: a column squeezed to three letters is not.
        if len(frame.columns) > 8 and frame.height <= 6:
            lines = [list(column) for column in zip(*lines, strict=True)]
        table = Table(*lines[0], box=SIMPLE)
        for line in lines[1:]:
            table.add_row(*line)
        out.print(table, soft_wrap=True, crop=False)


def _cell(value: Any, words: Words) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return words.number(value) if abs(value) >= 1000 else f"{value:.4g}"
    return words.number(value) if type(value) is int else str(value)


if __name__ == "__main__":
    main()
