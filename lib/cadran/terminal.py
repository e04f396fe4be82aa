"""How the command tells its results in a terminal: in the reader's words, or as a script reads them."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum

import polars as pl
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cadran.book import Book, read_set_aside
from cadran.figures.columns import cell
from cadran.measures import MEASURES, Question
from cadran.sources.rules import messages, remark
from cadran.text import Words, words_for

# Where nobody's window sets the width, a table is as wide as it needs.
out, err = Console(width=None if sys.stdout.isatty() else 240), Console(stderr=True)


#: Days after which what data propose to do is told to be late.
OLD = 31


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    csv = "csv"


def reader_words() -> Words:
    """The words of the environment's language."""
    spoken = os.environ.get("CADRAN_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    return words_for("fr" if spoken.lower().startswith("fr") else "en")


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A progress bar, for long work: call it with what is being done and the share that is done, 0 to 1."""
    with Progress(console=err, transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda what, share: bars.update(task, description=what, completed=share)


def tell_book(book: Book, form: Format, words: Words) -> None:
    """What a book holds: the files it was read from, what was set aside and why, and its totals."""
    manifest = book.manifest
    totals = MEASURES["volumes"].ask(book, Question()).row(0, named=True)
    if form is Format.json:
        typer.echo(json.dumps(manifest | {"volumes": totals}, ensure_ascii=False, indent=1, default=str))
        return
    out.print(f"[bold]{book.settings.name}[/] · {words('book')} {manifest['version']} · {words.date(book.day)}")
    if manifest["files"]:
        show(pl.DataFrame(manifest["files"]).drop("sha256"), Format.table, words)
    tell_purge(book, words)
    for noted in manifest["noted"]:
        where = noted["file"] or noted["table"]
        what = words("{file}: {n} × {note}", file=where, n=words.number(noted["n"]), note=remark(noted["note"], words))
        found = f" ({noted['found']})" if noted["found"] else ""
        out.print(what + found, style="cyan", markup=False, soft_wrap=True)
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
    if gone := manifest.get("n_keys", {}).get("versions", 0) - n_deals:
        out.print(words.n("{n} deal is no longer there: deleted, merged or vanished at the source.",
                          "{n} deals are no longer there: deleted, merged or vanished at the source.", gone))  # fmt: skip


def tell_purge(book: Book, words: Words) -> None:
    """That only a part of what lies before a day is kept, where it was purged."""
    if before := book.manifest.get("purged_before"):
        day = words.date(date.fromisoformat(before))
        out.print(words("What ended before {day} was purged: what is counted lies after it.", day=day), style="cyan")


def now() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


def who_asks() -> str:
    """Who uses the command: their name on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # as in a container, whose user has no name
        return f"user {os.getuid()}"


def today() -> date:
    """The day it is: a command says it, nothing below a command asks."""
    return datetime.now(UTC).date()


def told_age(book: Book, day: date, words: Words) -> list[str]:
    """That what is proposed is proposed for a day long gone by, where a book's data end more than `OLD` days before a day."""
    if (days := (day - book.day).days) <= OLD:
        return []
    return [words("These data end on {end}, {n} days ago: the chances, what to do and by when are of that day. Import what "
                  "came since.", end=words.date(book.day), n=words.number(days))]  # fmt: skip


def warn(told: Iterable[str]) -> None:
    """Sentences that stand beside a result, whoever or whatever reads that."""
    for sentence in told:
        err.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)


def show(frame: pl.DataFrame, form: Format, words: Words, currency: str = "") -> None:
    """Print a frame. In a table, columns keep the names that `--by` and `--where` take; values are in the reader's words."""
    if form is Format.json:
        typer.echo(json.dumps(frame.to_dicts(), ensure_ascii=False, indent=1, default=str))
    elif form is Format.csv:
        typer.echo(frame.write_csv(), nl=False)
    else:
        if frame.is_empty():
            out.print(words("No row."), style="dim")
            return
        rows = ([_cell(name, row[name], words, currency) for name in row] for row in frame.iter_rows(named=True))
        lines = [frame.columns, *rows]
        # Few rows of many columns are read downwards: a column squeezed to three letters is not.
        if len(frame.columns) > 8 and frame.height <= 6:
            lines = [list(column) for column in zip(*lines, strict=True)]
        table = Table(*lines[0], box=SIMPLE)
        for line in lines[1:]:
            table.add_row(*line)
        out.print(table, soft_wrap=True, crop=False)


def _cell(column: str, value: object, words: Words, currency: str) -> str:
    if isinstance(value, list):
        return words.list([str(each) for each in value])
    if isinstance(value, str):
        return "\n".join(map(words, value.split("\n")))
    return cell(column, value, words, currency)
