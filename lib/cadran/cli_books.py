"""The commands that look after a book's versions: what there is, what changed, going back, and whether all is whole."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show
from cadran.text import Words

words = reader_words()
books = typer.Typer()
BookOption = Annotated[Path, typer.Option("--book", envvar="CADRAN_BOOK", help=words("The book's folder."))]

#: What the rows of a table are about, as a reader says it.
THINGS = {
    "versions": "Deals",
    "leads": "Leads",
    "activities": "Activities",
    "accounts": "Clients",
    "contacts": "Contacts",
    "deal_contacts": "Contacts of deals",
    "reps": "Sellers",
    "targets": "Targets",
    "actions": "Actions",
}


@books.command("books", help=words("List the versions of the book; compare two, go back to one, or remove old ones."))
def books_(
    book: BookOption = Path("book"),
    compare: Annotated[
        tuple[int, int] | None,
        typer.Option(help=words("Two versions: what they hold, and what is open, won and lost.")),
    ] = None,
    restore: Annotated[
        int | None, typer.Option(help=words("Make this version the current one again; the others stay."))
    ] = None,
    prune: Annotated[
        int | None, typer.Option(min=1, help=words("Keep this many versions, the newest; the current one stays."))
    ] = None,
    format: Annotated[Format, typer.Option("--format", help=words("How to print it."))] = Format.table,  # noqa: A002
) -> None:
    """List the versions of the book; compare two, go back to one, or remove old ones."""
    from cadran.book import books as kept

    words = reader_words()
    if sum(option is not None for option in (compare, restore, prune)) > 1:
        raise Problem("--compare, --restore and --prune were asked for together.", "Ask for one of them.")
    if compare:
        show(kept.compared(book, *compare), format, words)
        show(_volumes(book, *compare), format, words)
        return
    if restore is not None:
        kept.restore(book, restore)
    if prune is not None:
        kept.prune(book, prune)
    show(kept.listed(book), format, words)


def _volumes(folder: Path, *numbers: int) -> pl.DataFrame:
    """The volumes measure of some versions of a book, one row each."""
    from cadran.book import Book
    from cadran.book.books import version_of
    from cadran.book.store import read_manifest
    from cadran.measures import MEASURES, Question

    frames = []
    for number in numbers:
        version = version_of(folder, number)
        book = Book(version, datetime.fromisoformat(read_manifest(version)["settings"]["taken"]))
        told = MEASURES["volumes"].ask(book, Question())
        frames.append(told.select(pl.lit(number).alias("version"), pl.all()))
    return pl.concat(frames)


def tell_verified(folder: Path, every: bool, words: Words) -> None:
    """Say that the files of a book are what was written, or which is not."""
    from cadran.book.books import verify

    n = verify(folder, every)
    out.print(words("{n} files are what was written.", n=words.number(n)))


def tell_changes(manifest: dict[str, Any], words: Words) -> None:
    """What an import changed in a book, in words; nothing for the first."""
    for table, thing in THINGS.items():
        done = manifest.get("import", {}).get(table, {})
        if any(n for count, n in done.items() if count != "n_new"):
            out.print(
                words(
                    "{things}: {new} new, {changed} changed, {corrected} corrected in the past, {ended} ended, "
                    "{unchanged} as they were.",
                    things=words(thing), **{count[2:]: words.number(n) for count, n in done.items()},
                ),
                style="cyan",
            )  # fmt: skip
