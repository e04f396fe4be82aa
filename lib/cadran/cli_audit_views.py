"""The command that reads the log of who was shown what of which named person."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from cadran.asked import DAY, FormatOption
from cadran.cli_audit_pulse import audit
from cadran.terminal import Format, now, out, reader_words, show

words = reader_words()


@audit.command("views", help=words("List who was shown what of which named person: load, ratings, pay, one-to-ones."))
def audit_views(
    of: Annotated[str | None, typer.Option(help=words("Of this person alone: their identifier."))] = None,
    by: Annotated[str | None, typer.Option(help=words("By this account alone."))] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=DAY, help=words("First day."))] = None,
    book: Annotated[Path, typer.Option("--book", envvar="CADRAN_BOOK", help=words("The book's folder."))] = Path(
        "book"
    ),
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """List who was shown what of which named person: load, ratings, pay, one-to-ones."""
    from cadran.book.folder import current_version
    from cadran.book.views import KEPT, KINDS, Views

    words, at = reader_words(), now()
    current_version(book)
    rows = Views(book).all(at)
    for column, asked in (("whom", of), ("who", by)):
        rows = rows if asked is None else rows.filter(pl.col(column).str.to_lowercase() == asked.lower())
    rows = rows if since is None else rows.filter(pl.col("at") >= since.date().isoformat())
    if format is Format.table:
        rows = rows.with_columns(
            pl.col("at").str.slice(0, 16).str.replace("T", " "),
            kind=pl.col("kind").replace_strict(
                {name: words(text) for name, text in KINDS.items()}, default=pl.col("kind")
            ),
        )
        kept = words.date((at - KEPT).date())
        out.print(words("Hours are UTC. Entries are kept from {day} on.", day=kept), style="dim", highlight=False)
    show(rows, format, words)
