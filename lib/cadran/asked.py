"""What a command is asked about: which book, which deals, and how to print the answer."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cadran.tables.problems import Problem
from cadran.terminal import Format, reader_words

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
FormatOption = Annotated[Format, typer.Option("--format", help=words("How to print it."))]


def folder_of(book: Path | None) -> Path:
    """The folder of the book asked for: ./book if none is and it is there, else the sample."""
    from cadran.book import SAMPLE

    return book or (HERE if (HERE / "CURRENT").exists() else SAMPLE)


def opened_book(book: Path | None) -> Any:
    """The book asked for."""
    from cadran.book import open_book

    return open_book(folder_of(book))


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
