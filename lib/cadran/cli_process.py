"""The command that tells what won deals had beside lost ones."""

from dataclasses import replace
from typing import Annotated, Any

import polars as pl
import typer
from rich.box import SIMPLE
from rich.table import Table

from cadran.asked import (
    AsOfOption,
    BookOption,
    ByOption,
    CorrectedOption,
    FormatOption,
    SinceOption,
    TodayOption,
    UntilOption,
    WhereOption,
    questioned,
    seen_book,
)
from cadran.figures.columns import fact_label, label, value_label
from cadran.tables.measured.process import EQUAL_AGE, WHOLE_LIFE
from cadran.terminal import Format, out, reader_words, show, tell_purge
from cadran.text import UNKNOWN, Words

words = reader_words()
process = typer.Typer()


@process.command(help=words("Print what won deals had beside lost ones, at the same age, fact by fact."))
def reference(
    by: ByOption = None,
    where: WhereOption = None,
    age: Annotated[int, typer.Option(min=1, help=words("Age in days at which deals are compared."))] = 30,
    whole_life: Annotated[
        bool, typer.Option("--whole-life", help=words("Compare up to the closing: who lives longer collects more."))
    ] = False,
    together: Annotated[
        bool, typer.Option("--together", help=words("Do not tell new business, expansions and renewals apart."))
    ] = False,
    as_of: AsOfOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    corrected: CorrectedOption = False,
    today: TodayOption = False,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Print what won deals had beside lost ones, at the same age, fact by fact."""
    from cadran.measures import MEASURES

    words, opened, measure = reader_words(), seen_book(book, as_of, corrected), MEASURES["reference"]
    options = {"age_days": age, "over": WHOLE_LIFE if whole_life else EQUAL_AGE}
    question = questioned(by, where, since, until, today, options)
    measure.check(opened, question)
    if not together and "deal_type" not in question.columns and _tells_types(opened):
        question = replace(question, by=("deal_type", *question.by))
    measured = measure.ask(opened, question)
    if format is not Format.table:
        show(measured, format, words)
        return
    out.print(f"[bold]{words(measure.title)}[/] · {opened.settings.name} · {words.date(opened.day)}")
    out.print(words(measure.definition), style="dim", highlight=False)
    tell_purge(opened, words)
    if measured.is_empty():
        out.print(words("No row."), style="dim")
        return
    groups = measured.partition_by(question.by, maintain_order=True) if question.by else [measured]
    for group in groups:
        _tell(group, question.by, words)
    _tell_luck(measured, words)
    out.print(
        words("Leads, before they are deals: `cadran measure lead_first_response` and `cadran measure lead_conversion`."),
        style="dim", highlight=False, soft_wrap=True,
    )  # fmt: skip


def _tells_types(book: Any) -> bool:
    types = book.deals(["deal_type"]).unique()
    return bool(book.collect(types)["deal_type"].drop_nulls().len())


def _tell(group: pl.DataFrame, by: tuple[str, ...], words: Words) -> None:
    """One group: its deals, and a line per fact that is known of either side."""
    if by:
        name_of = " · ".join(
            words("{what}: {about}", what=label(name, words), about=value_label(name, group[name][0], words))
            for name in by
        )
        out.print(f"\n[bold]{name_of}[/]", highlight=False)
    compared = group.filter(pl.col("fact") != "cycle_days")
    counts = compared.select(pl.col("n_won", "n_lost", "n_open", "n_early", "n_unknown").max()).row(0)
    n_won, n_lost, n_open, n_early, n_unknown = (int(n) for n in counts)
    if n_won or n_lost:
        told = {"won": n_won, "lost": n_lost, "open": n_open, "early": n_early}
        compared_with = words(
            "Compared: {won} won deals and {lost} lost ones. Still open: {open}. Closed before that age: {early}; only the "
            "sales cycle counts these.",
            **{name: words.number(n) for name, n in told.items()},
        )
        out.print(compared_with, style="dim", highlight=False, soft_wrap=True)
    if not n_won or not n_lost:
        out.print(_why_not(n_won, n_lost, n_early, n_unknown, words), style="yellow", soft_wrap=True)
    known = group.filter(pl.any_horizontal(pl.col("won", "lost").is_not_null()))
    if known.is_empty():
        return
    heads = [words("Fact"), words("Won deals"), words("Lost deals"), words("Difference"), ""]
    table = Table(*heads, box=SIMPLE)
    for row in known.iter_rows(named=True):
        table.add_row(
            fact_label(row["fact"], row["about"], words),
            *(_estimate(row, side, words) for side in ("won", "lost", "difference")),
            _verdict(row, words),
        )
    out.print(table, soft_wrap=True, crop=False)


def _why_not(n_won: int, n_lost: int, n_early: int, n_unknown: int, words: Words) -> str:
    """Why won and lost deals are not compared."""
    if n_won == n_lost == 0 and n_unknown:
        counts = {"closed": n_early + n_unknown, "early": n_early, "others": n_unknown}
        return words(
            "{closed} deals were won or lost: {early} before the age compared at, and {others} of which every one of these "
            "facts, or the age, is unknown. Only the sales cycle is told of them all.",
            **{name: words.number(n) for name, n in counts.items()},
        )
    if n_won == n_lost == 0 and n_early:
        return words.n("{n} deal was won or lost, before that age: none is compared. `--age` compares at a younger one.",
                       "{n} deals were won or lost, all before that age: none is compared. `--age` compares at a younger one.",
                       n_early)  # fmt: skip
    if n_won:
        return words("None of those deals was lost: there is nothing to compare.")
    return words("None of those deals was won: there is nothing to compare.")


def _estimate(row: dict[str, Any], name: str, words: Words) -> str:
    """An estimate with its interval, and the deals behind it."""
    value, low, high = (_in_unit(row[each], row["unit"], words, name) for each in (name, f"{name}_low", f"{name}_high"))
    ends = "" if row[f"{name}_low"] is None and row[f"{name}_high"] is None else f" ({low} … {high})"
    n = "" if name == "difference" or row[name] is None else f" · {words.number(row[f'n_{name}'])}"
    return f"{value}{ends}{n}"


def _in_unit(value: float | None, unit: str, words: Words, name: str) -> str:
    if value is None:
        return UNKNOWN
    if unit == "share":
        return words.points(value, 1) if name == "difference" else words.percent(value, 1)
    return words.number(value, 2 if unit == "per deal" else 1) + {"days": f" {words('d')}", "hours": " h"}.get(unit, "")


def _verdict(row: dict[str, Any], words: Words) -> str:
    if row["is_difference"] is None:
        return words("too few to tell")
    return words("differs") if row["is_difference"] else words("may be chance")


def _tell_luck(measured: pl.DataFrame, words: Words) -> None:
    """How many differences were looked at, and what luck alone makes of so many."""
    n = measured["n_compared"][0]
    if n == 0:
        out.print(
            words("Intervals need 10 deals on each side, of 10 clients: there are too few to tell won from lost."),
            style="yellow", soft_wrap=True,
        )  # fmt: skip
        return
    told = words.n("{n} difference was looked at.", "{n} differences were looked at together.", n)
    if n > 1:
        told += " " + words(
            "Taken alone, about {by_luck} of them would seem to be there by luck; what is said to differ does so with that "
            "counted.", by_luck=words.number(n * 0.05, 0 if n >= 20 else 1),
        )  # fmt: skip
    out.print(told, highlight=False, soft_wrap=True)
