"""The commands for what was promised after a wave: noted, told, done, followed."""

import json
from datetime import UTC, datetime
from typing import Annotated

import polars as pl
import typer

from cadran.asked import DAY, AsOfOption, BookOption, FormatOption, opened_book, seen_book
from cadran.terminal import Format, out, reader_words, show, today

words = reader_words()
actions = typer.Typer(no_args_is_help=True)
PromiseArgument = Annotated[str, typer.Argument(metavar="ID", help=words("The promise: p1, p2, …"))]
Day = Annotated[datetime | None, typer.Option("--on", formats=DAY, help=words("The day; today by default."))]


@actions.command(help=words("Note what was promised to those who answered: what, who sees to it, until when."))
def add(
    about: Annotated[str, typer.Option(help=words("The question or the dimension that it is to move."))],
    action: Annotated[str, typer.Option(help=words("What will be done."))],
    owner: Annotated[str, typer.Option(help=words("Who sees to it."))],
    due: Annotated[datetime, typer.Option(formats=DAY, help=words("The day until which it is to be done."))],
    cut: Annotated[str, typer.Option(help=words("To whom: company, region, team, …"))] = "company",
    group: Annotated[str | None, typer.Option(help=words("The group, as it was released."))] = None,
    book: BookOption = None,
) -> None:
    """Note what was promised to those who answered: what, who sees to it, until when."""
    from cadran.book.promised import promise
    from cadran.measures.promised import check_about

    words, opened = reader_words(), opened_book(book)
    *place, survey = check_about(opened, about, group, cut)
    name = promise(
        opened, survey, about, action, owner, due.date(), datetime.now(UTC), (place[0] or cut, place[1], place[2])
    )
    out.print(words("Promised: {name}. Tell the team, then note it: cadran pulse actions tell {name}", name=name),
              highlight=False, soft_wrap=True)  # fmt: skip


@actions.command("list", help=words("What was promised, and how answers moved since: that is told, not why."))
def list_(as_of: AsOfOption = None, book: BookOption = None, format: FormatOption = Format.table) -> None:  # noqa: A002
    """What was promised, and how answers moved since: that is told, not why."""
    from cadran.book.promised import promises
    from cadran.measures.promised import followed

    words, opened = reader_words(), seen_book(book, as_of)
    given, moved = promises(opened), followed(opened)
    if format is Format.json:
        told = {"promises": given.to_dicts(), "followed": moved.to_dicts()}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))
        return
    if format is Format.csv:
        show(moved.join(given, on="promise_id", how="left", maintain_order="left"), format, words)
        return
    late = (pl.col("due") < today()) & pl.col("done_on").is_null()
    show(given.select("promise_id", "about", "group", "action", "owner", "due", "told_on", "done_on", is_late=late), format,
         words)  # fmt: skip
    if moved.height:
        show(moved.select("promise_id", "question", "first_wave", "first", "last_wave", "last", "moved", "moved_low",
                          "moved_high", "is_change", "reason"), format, words)  # fmt: skip


@actions.command(help=words("Note that the people concerned were told what was promised."))
def tell(promise: PromiseArgument, on: Day = None, book: BookOption = None) -> None:
    """Note that the people concerned were told what was promised."""
    from cadran.book.promised import told

    told(opened_book(book), promise, on.date() if on else today(), datetime.now(UTC))
    out.print(reader_words()("Noted."))


@actions.command(help=words("Note that what was promised was done."))
def done(promise: PromiseArgument, on: Day = None, book: BookOption = None) -> None:
    """Note that what was promised was done."""
    from cadran.book.promised import done as is_done

    is_done(opened_book(book), promise, on.date() if on else today(), datetime.now(UTC))
    out.print(reader_words()("Noted."))
