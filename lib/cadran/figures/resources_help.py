"""Whom to help, told: groups beside what like deals do elsewhere, where help would pay, what goes well. Never a ranking."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cadran.figures import resources_sharing as draw
from cadran.figures.blocks import Block, Notice
from cadran.figures.columns import cell
from cadran.figures.columns_score import FACTS
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem

Parts = dict[str, Block | Figure]
PRACTICES = (
    "what",
    "well",
    "well_low",
    "well_high",
    "others",
    "others_low",
    "others_high",
    "is_difference",
    "n_well",
    "n_deals_elsewhere",
)


def funnel(answers: Answers, found: pl.DataFrame, limits: pl.DataFrame) -> Parts:
    """Every team from creation to signature, in the funnel that chance alone makes; frames as `Funnel`, `Limits`."""
    words, title = answers.words, answers.words("Deals won beside what like deals do elsewhere")
    rows = _labelled(answers, found.filter(pl.col("stage").is_null()).drop_nulls("observed_ratio"))
    if rows.is_empty():
        return {
            "help_funnel": Notice(
                words("Too few deals were followed long enough to tell of any team."), title, "little"
            )
        }
    outside = words.n("{n} team lies outside", "{n} teams lie outside", int(rows["is_outside"].fill_null(False).sum()))
    said = words("Won ÷ expected, by how many were expected; between the curves (95 and 99.8 %) chance alone explains it; "
                 "{outside}, counting how many are looked at", outside=outside)  # fmt: skip
    drawn = draw.funnel(
        rows, words=words, currency=answers.currency, title=title, subtitle=said,
        frames={"limits": limits.filter(pl.col("stage").is_null())},
    )  # fmt: skip
    return {"help_funnel": with_finding(drawn)}


def help_pays(answers: Answers, found: pl.DataFrame) -> Parts:
    """The stage of each team where help would pay most, in revenue or in wins; frame as `Help`."""
    words, title = answers.words, answers.words("Where help would pay most, team by team")
    rows = _labelled(answers, found.filter("pays_most").drop_nulls("wins"))
    if rows.is_empty():
        none = words("No team lies so far below like deals elsewhere that help at a stage would tell.")
        return {"help_pays": Notice(none, title, "empty")}
    rows = rows.sort(pl.col("team").is_null(), "label", maintain_order=True)
    value = "revenue" if rows["revenue"].count() == rows.height else "wins"
    rows = rows.with_columns(told=pl.col("stage").fill_null(words("from creation to signature")))
    said = words("What goes with moving on as many deals as expected, a year, at the stage beside; 95 % interval; "
                 "an association, no promise; in order of name")  # fmt: skip
    drawn = draw.help_pays(rows, words=words, currency=answers.currency, title=title, subtitle=said, value=value)
    return {"help_pays": with_finding(drawn)}


def practices(answers: Answers, found: pl.DataFrame, well: tuple[str, ...], notes: tuple[Problem, ...]) -> Parts:
    """What the teams where it goes well do otherwise; frame as `Practice`."""
    words, title = answers.words, answers.words("What teams do where it goes well")
    if not well or found.is_empty():
        why = notes[0].told(words) if notes else words("No team very likely does better than expected.")
        return {"practices": Notice(why, title, "little")}
    rows = found.with_columns(what=pl.Series([words(FACTS[fact][0]) for fact in found["fact"]], dtype=pl.String))
    rows = rows.rename({"n_others": "n_deals_elsewhere"})
    said = words("{teams} beside the others, at the same age of deals, 95 % intervals; an association, no proof",
                 teams=words.list(well))  # fmt: skip
    view = answers.view.tables.get("practices", TableView())

    def writes(column: str, value: Any, row: Mapping[str, Any]) -> str:
        side = column.removesuffix("_low").removesuffix("_high")
        if side in ("well", "others") and value is not None:
            hours = "\N{NO-BREAK SPACE}h" * (row["unit"] == "hours")
            return words.percent(value) if row["unit"] == "share" else words.number(value, 1) + hours
        return cell(column, value, words, answers.currency)

    return {
        "practices": Table(rows, title, words, answers.currency, view, said, columns=PRACTICES, writes=writes)
    }  # fmt: skip


def _labelled(answers: Answers, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of teams with their names as `label`: a team that sells in two regions has its region beside."""
    names = [team or region or answers.words("Unknown") for team, region in rows.select("team", "region").iter_rows()]
    regions = rows["region"].to_list()
    twice = {(name, stage) for name, stage in zip(names, rows["stage"], strict=True)
             if sum(n == name and s == stage for n, s in zip(names, rows["stage"], strict=True)) > 1}  # fmt: skip
    labels = [
        f"{name} ({region})" if (name, stage) in twice and region and region != name else name
        for name, region, stage in zip(names, regions, rows["stage"], strict=True)
    ]
    return rows.with_columns(label=pl.Series(labels, dtype=pl.String))
