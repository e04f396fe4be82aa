"""The commands that say what goes with how the team is, and what weighs on it."""

import json
from dataclasses import fields
from enum import StrEnum
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import AsOfOption, BookOption, FormatOption, seen_book
from cadran.cli_pulse_actions import actions
from cadran.cli_pulse_one_to_ones import one_to_ones
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show
from cadran.text import Words

words = reader_words()
pulse = typer.Typer(no_args_is_help=True)


class Level(StrEnum):
    """The groups that load is told of."""

    team = "team"
    region = "region"


@pulse.command(
    help=words("Say which questions go with eNPS, how surely, and where to act first: of the whole company.")
)
def drivers(
    wave: Annotated[str | None, typer.Option(help=words("A wave that was released; the last one by default."))] = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say which questions go with eNPS, how surely, and where to act first: of the whole company."""
    from cadran.models.drivers import drivers as found_drivers

    words = reader_words()
    found = found_drivers(seen_book(book, as_of), wave)
    if format is Format.csv:
        typer.echo(found.rows.drop("alike").write_csv(), nl=False)
        return
    if format is Format.json:
        told = {each.name: getattr(found, each.name) for each in fields(found)}
        typer.echo(_json(told, words))
        return
    out.print(f"[bold]{words('What goes with eNPS')}[/] · {found.wave} · {words.date(found.closed)}", highlight=False)
    said = words(
        "{n} of {answered} people answered all of it. Together the questions tell {share} of it ({low} to {high}). It goes "
        "with eNPS; it need not cause it.", n=words.number(found.n), answered=words.number(found.n_answered),
        share=words.percent(found.r2), low=words.percent(found.r2_low), high=words.percent(found.r2_high),
    )  # fmt: skip
    out.print(said, style="dim", highlight=False, soft_wrap=True)
    columns = ("question_id", "rank", "r2_share", "r2_share_low", "r2_share_high", "is_told", "correlation", "slope",
               "ordinal_rank", "reason")  # fmt: skip
    show(found.rows.select(_some(found.rows, columns)), format, words)
    if found.priorities.height:
        named = {"act": words("act first"), "keep": words("keep"), "watch": words("watch"), "leave": words("leave")}
        chosen = found.priorities.select("question_id", "favourable_share", "r2_share", "quadrant", "is_sure")
        show(chosen.with_columns(pl.col("quadrant").replace(named)), format, words)
    _tell(found.notes, words)


@pulse.command(help=words("Say whether groups answer otherwise after weeks that weighed more on them."))
def load(
    level: Annotated[Level, typer.Option(help=words("Groups, as they were released."))] = Level.team,
    weeks: Annotated[int, typer.Option(help=words("Weeks before each wave that are looked at."))] = 4,
    survey: Annotated[str | None, typer.Option(help=words("The survey; the one released last by default."))] = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say whether groups answer otherwise after weeks that weighed more on them."""
    from cadran.models.pulse_load import pulse_load

    words = reader_words()
    found = pulse_load(seen_book(book, as_of), level.value, weeks, survey)
    if format is Format.json:
        told = {"level": found.level, "weeks": found.weeks, "rows": found.rows, "links": found.links}
        typer.echo(_json(told, words))
        return
    if format is Format.table:
        out.print(f"[bold]{words('Load, and what was answered')}[/]")
        said = words(
            "Points of the outcome that go with one typical change within a group, beside the smallest that so many groups "
            "and waves would show eight times in ten. An association, no cause."
        )
        out.print(said, style="dim", highlight=False, soft_wrap=True)
    columns = ("outcome", "factor", "n_groups", "n_waves", "effect", "effect_low", "effect_high", "smallest_effect",
               "is_link", "reason")  # fmt: skip
    show(found.links if format is Format.csv else found.links.select(_some(found.links, columns)), format, words)


def _some(rows: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Those of the columns that tell something."""
    return [name for name in columns if rows[name].null_count() < rows.height]


def _json(told: dict[str, Any], words: Words) -> str:
    plain = {
        name: value.to_dicts() if isinstance(value, pl.DataFrame)
        else [each.told(words) for each in value] if name == "notes" else value
        for name, value in told.items()
    }  # fmt: skip
    return json.dumps(plain, ensure_ascii=False, indent=1, default=str)


def _tell(notes: tuple[Problem, ...], words: Words) -> None:
    for note in notes:
        out.print(note.told(words), style="yellow", markup=False, highlight=False, soft_wrap=True)


pulse.add_typer(
    one_to_ones, name="one-to-ones", help=words("One-to-ones: planned and held, never what is said in them.")
)
pulse.add_typer(actions, name="actions", help=words("What was promised after a wave, and how answers moved since."))
