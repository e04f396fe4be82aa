"""What moved the chances of open deals since a week or a month ago, and with what. Computes no number."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Lines, Notice
from cadran.figures.columns import label
from cadran.figures.columns_score import FACTS
from cadran.figures.controls import TableView
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.tasks import GROUPS
from cadran.tables.problems import Problem
from cadran.text import Words

#: Columns of the table of moves.
MOVED = ("opportunity_id", "change", "change_low", "change_high", "probability_before", "probability", "client", "amount",
         "stage", "moved_with")  # fmt: skip
#: A part below half a point of probability is not told in a table.
LEAST = 0.005


def moved(
    answers: Answers, parts: pl.DataFrame | Problem, together: Mapping[str, Any], deals: pl.DataFrame, since: date
) -> dict[str, Block]:
    """The deals whose chance moved most, and what moved all of them together.

    Args:
        answers: What the page was asked.
        parts: As `Moved` has it.
        together: Of the deals selected: `n`, the expected wins' `change`, `low`, `high`, and `groups`, the largest first.
        deals: The open deals selected.
        since: The earlier day.
    """
    words, title = answers.words, answers.words("What moved most")
    if isinstance(parts, Problem):
        return {"moved": Notice(parts.told(words), title, "little")}
    kept = parts.join(deals.select("opportunity_id", "client", "stage", "amount"), on="opportunity_id")
    if kept.is_empty():
        none = words("No chance of a deal open on {day} has moved since.", day=words.date(since))
        return {"moved": Notice(none, title, "empty")}
    rows = kept.group_by("opportunity_id", maintain_order=True).agg(
        pl.col(*(name for name in MOVED[1:-1])).first(), parts=pl.struct("group", "part", "what")
    )
    told = [
        _with(row["parts"][:3], words, LEAST) or words("parts under half a point") for row in rows.iter_rows(named=True)
    ]
    rows = rows.with_columns(pl.Series("moved_with", told, dtype=pl.String)).sort(-pl.col("change").abs())
    view = answers.view.tables.get("moved", TableView())
    return {
        "moved": Table(
            rows, title, words, answers.facts.currency, view, _together(together, since, words), key="opportunity_id",
            columns=MOVED,
        )
    }  # fmt: skip


def _together(together: Mapping[str, Any], since: date, words: Words) -> str:
    """What all deals selected made together."""
    groups = [
        f"{words(GROUPS[group]).lower()} {_signed(part, words)}"
        for group, part in together["groups"]
        if abs(part) >= 0.05
    ]
    told = words.n(
        "The model of today, of what was known on {day} and of what is known now. Of {n} deal open then and now, expected "
        "wins moved by {change} ({low} to {high}, 95 %)",
        "The model of today, of what was known on {day} and of what is known now. Of {n} deals open then and now, expected "
        "wins moved by {change} ({low} to {high}, 95 %)",
        together["n"], day=words.date(since), **{each: _signed(together[each], words) for each in ("change", "low", "high")},
    )  # fmt: skip
    return f"{told}{words(': ')}{words('; ').join(groups)}." if groups else f"{told}."


def deal_moved(answers: Answers, name: str, past: Sequence[tuple[date, pl.DataFrame | Problem]]) -> dict[str, Block]:
    """What moved the chance of one deal since each of some earlier days.

    Args:
        answers: What the page was asked.
        name: The deal's number.
        past: Each day with its `Moved` of all deals.
    """
    words = answers.words
    lines = [(words.date(since), *_moved_since(parts, name, words)) for since, parts in past]
    subtitle = words("By the model of today, of what was known then and of what is known now; 95 % interval")
    return {"deal_moved": Lines(words("What moved its chance since"), subtitle, lines)}


def _moved_since(parts: pl.DataFrame | Problem, name: str, words: Words) -> tuple[str, str]:
    if isinstance(parts, Problem):
        return parts.told(words), ""
    rows = parts.filter(opportunity_id=name).to_dicts()
    if not rows:
        return words("It was not open then, or nothing that the model looks at has changed."), ""
    row = rows[0]
    told = words(
        "{before} then, {now} now: {change} ({low} to {high})",
        before=words.percent(row["probability_before"], 1), now=words.percent(row["probability"], 1),
        **{each: words.points(row[of], 1) for each, of in (("change", "change"), ("low", "change_low"), ("high", "change_high"))},
    )  # fmt: skip
    return told, _with(rows, words, LEAST / 10)


def _with(parts: Sequence[Mapping[str, Any]], words: Words, least: float) -> str:
    """The groups of facts that moved a chance, the largest first, with what changed in each."""
    told = []
    for part in parts:
        if abs(part["part"]) >= least:
            what = words.list([_named(each, words) for each in part["what"]]) if part["what"] else ""
            told.append(f"{words(GROUPS[part['group']])} {words.points(part['part'], 1)}{f' ({what})' if what else ''}")
    return words("; ").join(told)


def _named(fact: str, words: Words) -> str:
    return (words(FACTS[fact][0]) if fact in FACTS else label(fact, words)).lower()


def _signed(x: float, words: Words) -> str:
    return f"{'+' if round(x, 1) > 0 else ''}{words.number(x, 1)}"
