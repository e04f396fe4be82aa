"""The command that says whom to help, at which stage, and what goes with teams that do well."""

import json
from enum import StrEnum
from typing import Annotated, Any

import polars as pl
import typer
from rich.box import SIMPLE
from rich.table import Table

from cadran.asked import AsOfOption, BookOption, CorrectedOption, FormatOption, seen_book
from cadran.figures.columns import cell, label
from cadran.figures.columns_score import FACTS
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, tell_purge
from cadran.text import UNKNOWN, Words

words = reader_words()
PARTS = ("funnel", "dwell", "help", "practices", "trainings")
#: What a table of the command shows of each part; an interval stands beside its value.
COLUMNS = {
    "funnel": ("stage", "n", "n_moved", "n_expected", "ratio", "is_outside", "reason"),
    "dwell": ("stage", "n", "observed_days", "expected_days", "ratio", "is_outside", "reason"),
    "help": ("stage", "gap_share", "wins", "revenue"),
    "practices": ("fact", "well", "others", "difference", "is_difference"),
    "trainings": ("date", "label", "quantity", "effect", "verdict", "reason"),
}


class By(StrEnum):
    """The groups that coaching may be told of."""

    team = "team"
    region = "region"
    rep = "rep"


def coaching(
    by: Annotated[By, typer.Option(help=words("Groups: teams, regions, or sellers where ratings are open."))] = By.team,
    part: Annotated[str | None, typer.Option(help=words("One part only; CSV needs one."))] = None,
    as_of: AsOfOption = None,
    corrected: CorrectedOption = False,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say where groups of sellers do otherwise than like deals elsewhere, and at which stage help would pay most."""
    from cadran.models.coaching import coaching as coach

    words, opened = reader_words(), seen_book(book, as_of, corrected)
    if part is not None and part not in PARTS:
        raise Problem("Coaching has no part {name}.", "Its parts are: {names}.", name=part, names=", ".join(PARTS))
    if part is None and format is Format.csv:
        raise Problem(
            "CSV holds one table, and coaching has several.",
            "Name one of them: --part {names}.",
            names=" | ".join(PARTS),
        )
    found = coach(opened, by.value)
    assert found is not None
    frames = {name: getattr(found, name) for name in PARTS if part in (None, name)}
    if format is Format.csv:
        typer.echo(next(iter(frames.values())).write_csv(), nl=False)
        return
    if format is Format.json:
        told = {"book": opened.settings.name, "as_of": opened.day, "by": by.value, "since": found.since,
                "until": found.until, "currency": opened.settings.currency, "well": list(found.well)}  # fmt: skip
        told |= {name: frame.to_dicts() for name, frame in frames.items()}
        told["notes"] = [each.told(words) for each in found.notes]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))
        return
    out.print(f"[bold]{words('Coaching')}[/] · {opened.settings.name} · {words.date(opened.day)}")
    tell_purge(opened, words)
    says = _says(words)
    for name, frame in frames.items():
        _tell(name, *says[name], _shown(name, frame, part is not None), found, words, opened.settings.currency)
    for note in found.notes:
        out.print(f"\n{note.told(words)}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def _says(words: Words) -> dict[str, tuple[str, str]]:
    """The title of each part, and how to read it."""
    return {
        "funnel": (
            words("Moved on, beside like deals"),
            words(
                "Deals that moved on in time, beside how many deals of the same type, size, client and age do in the whole "
                "company. The ratio is pulled towards the others by how little is known. In order of name: no ranking."
            ),
        ),
        "dwell": (words("Time in stage, beside like deals"), words("Above 1, deals stay longer than like ones.")),
        "help": (
            words("The stage where help would pay most"),
            words(
                "What goes with a group moving on as many deals as like ones do, a year: an association, no promise. Where "
                "the interval holds 0, it may be nothing. A group that does as well everywhere has no line."
            ),
        ),
        "practices": (
            words("What the groups where it goes well do otherwise"),
            words("Deals at 30 days of age, deal types weighed alike: an association, no proof."),
        ),
        "trainings": (
            words("Before and after what the team did"),
            words("What else befell one group alone at that time cannot be told from the action."),
        ),
    }


def _shown(name: str, frame: pl.DataFrame, is_all: bool) -> pl.DataFrame:
    """The lines of a table: those that say most, all of them where one part is asked for."""
    if is_all:
        return frame
    overall = (
        pl.col("stage").is_null() | pl.col("is_outside").fill_null(False) if "is_outside" in frame.columns else None
    )
    return frame.filter("pays_most") if name == "help" else frame if overall is None else frame.filter(overall)


def _tell(
    name: str, title: str, says: str, frame: pl.DataFrame, found: Any, words: Words, currency: str
) -> None:  # fmt: skip
    out.print(f"\n[bold]{title}[/]", highlight=False)
    out.print(says, style="dim", highlight=False, soft_wrap=True)
    if name == "practices" and found.well:
        told = words(
            "Very likely better than expected (nine chances in ten or more): {names}.",
            names=words.list(list(found.well)),
        )
        out.print(told, highlight=False, soft_wrap=True)
    if frame.is_empty():
        out.print(words("No row."), style="dim")
        return
    groups = [each for each in ("region", "team", "rep_id") if each in frame.columns]
    groups = [each for each in groups if frame[each].null_count() < frame.height]
    columns = [each for each in COLUMNS[name] if frame[each].null_count() < frame.height or each == "stage"]
    own = {
        "wins": words("Wins more, a year"),
        "revenue": words("Revenue more, a year"),
        "label": words("What was done"),
    }
    table = Table(*(own.get(each) or label(each, words) for each in (*groups, *columns)), box=SIMPLE)
    for row in frame.iter_rows(named=True):
        is_all = name == "help" and all(row[each] is None for each in ("region", "team", "rep_id"))
        whose = [words("All together") if is_all else row[each] or UNKNOWN for each in groups]
        table.add_row(*whose, *(_cell(each, row, words, currency) for each in columns))
    out.print(table, soft_wrap=True, crop=False)


def _cell(column: str, row: dict[str, Any], words: Words, currency: str) -> str:
    """A value, with its interval where it has one."""
    value = row[column]
    if column == "stage":
        return value or words("Creation to signature")
    if value is None:
        return "" if column in ("reason", "verdict", "is_outside", "is_difference") else UNKNOWN
    if column in ("reason", "verdict"):
        return words(value)
    if column == "fact":
        return words(FACTS[value][0])
    if column == "quantity":
        return words("Win rate") if value == "win_rate" else words("Won per seller and month")
    told = _one(column, value, row, words, currency)
    low, high = (row.get(f"{column}_{end}") for end in ("low", "high"))
    if low is None or high is None:
        return told
    return f"{told} ({_one(column, low, row, words, currency)} … {_one(column, high, row, words, currency)})"


def _one(column: str, value: Any, row: dict[str, Any], words: Words, currency: str) -> str:
    if column in ("n_expected", "wins"):
        return words.number(value, 1)
    if column == "revenue":
        return words.money(value, currency)
    if column in ("well", "others", "difference"):
        unit = row["unit"]
        if unit == "share":
            return words.points(value, 1) if column == "difference" else words.percent(value, 1)
        return words.number(value, 2) + (" h" if unit == "hours" else "")
    if column == "effect":
        return words.points(value, 1) if row["quantity"] == "win_rate" else words.money(value, currency)
    if column == "gap_share":
        return words.points(value, 1)
    return words.number(value, 2) if column == "ratio" else cell(column, value, words, currency)
