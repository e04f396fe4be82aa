"""The commands that copy a book into one file, and put it back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cadran.terminal import out, reader_words, warn

words = reader_words()
backup = typer.Typer()


@backup.command("backup", help=words("Copy the book into one file, while imports, surveys and readers go on."))
def backup_(
    to: Annotated[Path, typer.Option("--out", help=words("The file to write, which you alone can read."))],
    book: Annotated[Path, typer.Option("--book", envvar="CADRAN_BOOK", help=words("The book's folder."))] = Path(
        "book"
    ),
    answers: Annotated[
        bool,
        typer.Option(
            "--answers",
            help=words("With the answers of open waves: two such copies tell by their difference who said what."),
        ),
    ] = False,
) -> None:
    """Copy the book into one file, while imports, surveys and readers go on."""
    from cadran.book.backup import backup as back_up

    words = reader_words()
    made = back_up(book, to, datetime.now(UTC), with_answers=answers)
    out.print(
        words.n(
            "{n} version, {files} files, {size} MB: {file}", "{n} versions, {files} files, {size} MB: {file}",
            made.n_versions, files=words.number(made.n_files), size=words.number(made.n_bytes / 1e6, 1), file=made.file,
        ), soft_wrap=True, highlight=False,
    )  # fmt: skip
    told = [words("It holds personal data: encrypt it where it is kept.")]
    if made.keys:
        told.append(
            words("The keys of surveys are in {file}: keep it apart, where the answers are not.", file=made.keys)
        )
    if made.left_out:
        told.append(
            words(
                "Left out, for they are open: the answers of {waves}. Back up again once they are closed.",
                waves=", ".join(made.left_out),
            )
        )
    warn(told)


@backup.command(help=words("Put a book back from its backup, into an empty folder."))
def restore(
    file: Annotated[Path, typer.Argument(help=words("A file that `cadran backup` wrote."))],
    book: Annotated[Path, typer.Option("--book", help=words("The folder to write; it must be empty."))],
    keys: Annotated[
        Path | None, typer.Option(help=words("The keys of its surveys, the newest there are (….keys.tar)."))
    ] = None,
    newer: Annotated[
        Path | None,
        typer.Option(
            help=words(
                "What is left of the book that this replaces, or a newer backup: whom it forgot stays forgotten."
            )
        ),
    ] = None,
) -> None:
    """Put a book back from its backup, into an empty folder."""
    from cadran.book.restore import restore as put_back

    words = reader_words()
    made = put_back(file, book, datetime.now(UTC), keys, newer)
    day = words.date(made.made_at.date())
    out.print(
        words.n(
            "{n} version of the book is in {folder}, as it was on {day}.",
            "{n} versions of the book are in {folder}, as they were on {day}.", made.n_versions, folder=book, day=day,
        ), soft_wrap=True, highlight=False,
    )  # fmt: skip
    told = [words("Whoever was signed in signs in again.")]
    if made.n_forgotten is None:
        told.append(
            words(
                "Whoever was forgotten since {day} is named again, and who was removed since may sign in again: "
                "`cadran forget`, `cadran user remove`, or restore again with --newer.", day=day,
            )
        )  # fmt: skip
    elif made.n_forgotten:
        told.append(words.n("{n} identifier or name was forgotten again.", "{n} identifiers and names were forgotten again.",
                            made.n_forgotten))  # fmt: skip
    if made.lacks_keys:
        told.append(words("The keys of surveys are not here: no next wave opens before they are put back (--keys)."))
    if made.left_out:
        told.append(words("Their answers are not here, for they were open: {waves}.", waves=", ".join(made.left_out)))
    warn(told)
