"""How a team is, told: how measured frames of a survey become parts of the Pulse page. Formats; computes nothing."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cadran.figures import pulse as draw
from cadran.figures.blocks import Block, Notice
from cadran.figures.columns import cell, label
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.pulse_page import Answers, short
from cadran.figures.pulse_words import DIMENSIONS
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem
from cadran.text import Words

Parts = dict[str, Block | Figure]
#: Letters of a question above its bar, and beside a row of the heat map.
LETTERS, FEW_LETTERS = 58, 40
#: Columns of the table of dimensions.
INDEX = ("dimension", "n_items", "n_scores", "index", "index_low", "index_high", "alpha", "omega", "undefined")


def how(answers: Answers) -> Parts:
    """The score followed over time, what moved since the wave before, and what was answered to each question."""
    words = answers.words
    text = answers.texts.get(answers.about, "")
    unit = words("eNPS, −100 to 100") if answers.is_enps else words("Favourable answers, percent")
    drawn = {
        "trend": answers.draw(
            "trend", answers.frame("trend"), draw.trend, text,
            words("{unit}; band: 95 % interval; blue: a change since the wave before", unit=unit), is_enps=answers.is_enps,
        ),
        "moved": answers.draw(
            "moved", _labelled(answers.frame("moved"), answers, _moved), draw.moved, words("What moved since the wave before"),
            words("In points, 95 % interval; blue: what may be called a change among all that were looked at"),
        ),
        "answers": answers.draw(
            "answers", _labelled(answers.frame("answers"), answers, _answered), draw.answers, words("What was answered"),
            words("Whole company; reversed questions are turned, so that right is good"),
        ),
    }  # fmt: skip
    moved = answers.frame("moved")
    if isinstance(moved, pl.DataFrame) and not moved["moved"].count():
        none = words("No earlier wave asked the same, or was told exactly.")
        drawn["moved"] = Notice(none, words("What moved since the wave before"), "empty")
    return {slot: with_finding(block) for slot, block in drawn.items()}


def sure(answers: Answers) -> Parts:
    """Who answered, group by group, and how well the questions of a dimension measure one thing."""
    words, by = answers.words, answers.view["by"]
    title = words("Who answered, by {group}", group=label(by, words).lower())
    invited = _grouped(answers.frame("answered"), by, lambda row: _of(row, words))
    index, wording = answers.frame("index"), words("Dimensions, and how well their questions measure one thing")
    told: Block
    if isinstance(index, Problem):
        told = Notice(index.told(words), wording, "little")
    else:

        def writes(column: str, value: Any, row: Mapping[str, Any]) -> str:
            return words.number(value, 0) if column.startswith("index") else cell(column, value, words, "")

        names = [words(DIMENSIONS.get(each, each)) for each in index["of_dimension"]]
        why = [words(reason) if reason else "" for reason in index["undefined"]]
        rows = index.with_columns(
            dimension=pl.Series(names, dtype=pl.String), undefined=pl.Series(why, dtype=pl.String)
        )
        said = words("0 to 100, mean of the questions, 95 % interval; alpha and omega of the whole company")
        view = answers.view.tables.get("index", TableView())
        told = Table(rows, wording, words, "", view, said, columns=INDEX, writes=writes)
    said = words("Of those invited when the wave opened, 95 % interval")
    return {"answered": with_finding(answers.draw("answered", invited, draw.answered, title, said)), "index": told}


def where(answers: Answers) -> Parts:
    """Favourable shares in each group that is large enough, and the question followed beside the company's."""
    words, by = answers.words, answers.view["by"]
    group = label(by, words).lower()
    heat = _labelled(_grouped(answers.frame("heat"), by), answers, _cell, FEW_LETTERS)
    if isinstance(heat, pl.DataFrame):
        why = [words(reason) if reason else "" for reason in heat["reason"]]
        heat = heat.with_columns(pl.Series("why", why, dtype=pl.String))
    compared = _grouped(answers.frame("groups"), by, lambda row: _beside(row, words))
    text = answers.texts.get(answers.about, "")
    drawn = {
        "heat": answers.draw(
            "heat", heat, draw.heat, words("Favourable answers by {group}", group=group),
            words("Share favourable; a range where nearly all agree, · where it is not told"),
        ),
        "groups": answers.draw(
            "groups", compared, draw.groups, words("{question} By {group}", question=_ended(text), group=group),
            words("Points; dot: pulled towards the mean of the groups the more so the fewer answered, 95 % interval; hollow: "
                  "as counted; dashed: the company; blue: differs beyond luck"),
        ),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _labelled(frame: Any, answers: Answers, says: Any, letters: int = LETTERS) -> Any:
    """The rows with the question in words, and what is said beside each."""
    if not isinstance(frame, pl.DataFrame):
        return frame
    said = [says(row, answers.words) for row in frame.iter_rows(named=True)]
    return asking(frame, answers, letters).with_columns(pl.Series("said", said, dtype=pl.String))


def asking(frame: pl.DataFrame, answers: Answers, letters: int = LETTERS) -> pl.DataFrame:
    """The rows with the question in words: `asked`, and `label`, cut short."""
    asked = [answers.texts.get(name, name) for name in frame["question_id"]]
    labels = [short(text, letters) for text in asked]
    return frame.with_columns(pl.Series("asked", asked, dtype=pl.String), pl.Series("label", labels, dtype=pl.String))


def _grouped(frame: Any, by: str, says: Any = None) -> Any:
    """The rows with the name of their group, a team's with its region's where two bear one name."""
    if not isinstance(frame, pl.DataFrame) or by not in frame.columns:
        return frame
    name = pl.col(by).fill_null("–")
    twice = pl.struct(by, "within").n_unique().over(by) > 1
    frame = frame.with_columns(group=pl.when(twice).then(pl.format("{} ({})", name, pl.col("within").fill_null("–")))
                               .otherwise(name))  # fmt: skip
    if says is None:
        return frame
    return frame.with_columns(pl.Series("said", [says(row) for row in frame.iter_rows(named=True)], dtype=pl.String))


def _moved(row: Mapping[str, Any], words: Words) -> str:
    if row["moved"] is None:
        return ""
    readings = {
        "who_answered": "only who answered changed",
        "hidden_by_who_answered": "hidden by who answered",
        "reversed": "reversed by who answered",
    }
    reading = readings.get(row["reading"] or "")
    return words.signed(row["moved"]) + (f"{words(', ')}{words(reading)}" if reading else "")


def _answered(row: Mapping[str, Any], words: Words) -> str:
    if row["favourable_share"] is None:
        return _band(row, words)
    low, high = (words.percent(row[f"favourable_share_{end}"]) for end in ("low", "high"))
    return words("{share} ({low} to {high})", share=words.percent(row["favourable_share"]), low=low, high=high)


def _cell(row: Mapping[str, Any], words: Words) -> str:
    return words.percent(row["favourable_share"]) if row["favourable_share"] is not None else _band(row, words)


def _band(row: Mapping[str, Any], words: Words) -> str:
    if row["band_low"] is None:
        return "·"
    return f"{words.percent(row['band_low'])}–{words.percent(row['band_high'])}"


def _of(row: Mapping[str, Any], words: Words) -> str:
    if row["n_invited"] is None:
        return words.n("{n} answered", "{n} answered", row["n_answered"]) if row["n_answered"] is not None else ""
    return words("{n} of {all}", n=words.number(row["n_answered"]), all=words.number(row["n_invited"]))


def _beside(row: Mapping[str, Any], words: Words) -> str:
    if row["n_scores"] is None:
        return ""
    return words.n("{n} answer", "{n} answers", row["n_scores"])


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
