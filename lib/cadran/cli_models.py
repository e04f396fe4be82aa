"""The commands of what Cadran infers: how good a model would have been."""

from enum import StrEnum
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import AsOfOption, BookOption, FormatOption, SinceOption, UntilOption, check_period, seen_book
from cadran.figures.renamed import told_renamed
from cadran.terminal import Format, out, reader_words, show, tell_purge, warn
from cadran.text import Words

words = reader_words()
backtest = typer.Typer(no_args_is_help=True)


class Part(StrEnum):
    """What of a backtest is printed."""

    scores = "scores"
    reliability = "reliability"
    skill = "skill"
    suspects = "suspects"


ConfirmedOption = Annotated[
    list[str] | None,
    typer.Option(help=words("A fact suspected of a leak that was found to be sound; repeat for more.")),
]


@backtest.command(
    help=words("Say how good win probabilities would have been, fitted on the past, judged by what came.")
)
def win(
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    confirmed: ConfirmedOption = None,
    part: Annotated[Part, typer.Option("--show", help=words("What of it to print."))] = Part.scores,
    seed: Annotated[int, typer.Option(min=0, help=words("The same seed looks at the same deals."))] = 0,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say how good win probabilities would have been, fitted on the past, judged by what came."""
    from cadran.measures.renamed import renamed_stages
    from cadran.models import kept

    check_period(since, until)
    words, opened = reader_words(), seen_book(book, as_of)
    told = kept.past(opened, since and since.date(), until and until.date(), seed, confirmed or ())
    warn(told_renamed(renamed_stages(opened), words))
    if format is Format.table:
        out.print(f"[bold]{words('Backtest of the win model')}[/] · {opened.settings.name} · {words.date(opened.day)}")
        tell_purge(opened, words)
        _tell(told, words)
    shown = {
        Part.scores: told.scores,
        Part.reliability: told.reliability,
        Part.skill: told.skill,
        Part.suspects: pl.DataFrame([{**vars(each), "told": each.problem().told(words)} for each in told.suspects]),
    }[part]
    if format is Format.table:
        shown = _rounded(shown, words)
    show(shown, format, words, opened.settings.currency)


def _tell(told: Any, words: Words) -> None:
    """What the table cannot say."""
    from cadran.models.ladder import SIMPLE

    first = told.scores.row(0, named=True)
    lines = [
        words(
            "{n} looks at open deals from {since} to {until}, {won} of them at deals won within {days} days; {young} "
            "more are too young to be judged.",
            days=words.number(first["within_days"]),
            n=words.number(first["n"]), won=words.number(first["n_won"]), young=words.number(first["n_young"]),
            since=words.date(told.since), until=words.date(told.until),
        ),
        words(
            "Of the weekly looks at a deal a few are drawn, and each stands for the others: so counted, as in the figures "
            "below, {share} are at deals won in time.",
            share=words.percent(first["average_precision"], 1),  # of a constant: the share won
        ),
        words("On {since} the selection would have chosen: {name}.", since=words.date(told.since), name=words(told.chosen)),
    ]  # fmt: skip
    if told.chosen in SIMPLE:
        lines.append(
            words(
                "It would have refused to say more: until then, nothing beyond it had been better on later deals by more "
                "than luck."
            )
        )
    lines += [
        words("{name} says nothing: {why}", name=words(name), why=words(why))
        for name, why in told.scores.select("name", "silent").drop_nulls().iter_rows()
    ]
    for line in lines:
        out.print(line, highlight=False, soft_wrap=True)
    for suspect in told.suspects:
        out.print(suspect.problem().told(words), style="yellow", markup=False, soft_wrap=True)


def _rounded(shown: pl.DataFrame, words: Words) -> pl.DataFrame:
    """Figures with three decimals, each with its interval, those that nobody can read at a glance left to JSON."""
    columns = []
    for name in shown.columns:
        if name.endswith(("_low", "_high")) or name in ("within_days", "silent"):
            continue
        if not shown[name].dtype.is_float():
            columns.append(shown[name])
            continue
        columns.append(
            pl.Series(name, [_figure(row, name, words) for row in shown.iter_rows(named=True)], dtype=pl.String)
        )
    return pl.DataFrame(columns)


def _figure(row: dict[str, Any], name: str, words: Words) -> str | None:
    if row[name] is None:
        return None
    ends = [row.get(f"{name}_{end}") for end in ("low", "high")]
    value = words.number(row[name], 3)
    return value if None in ends else f"{value} ({words.number(ends[0], 3)} – {words.number(ends[1], 3)})"
