"""How a team is, told: how measured frames of a survey become parts of the Pulse page. Formats; computes nothing."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from cadran.figures import pulse as draw
from cadran.figures.blocks import Block, Lines, Nothing, Notice
from cadran.figures.columns import cell, label
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.pulse_page import Answers, short
from cadran.figures.pulse_where import groups, heat
from cadran.figures.pulse_words import FACTORS, nothing_before, subject
from cadran.figures.table import Table
from cadran.figures.told import heard
from cadran.tables.problems import Problem
from cadran.text import UNKNOWN, Words

Parts = dict[str, Block | Figure]
Says = Callable[[Mapping[str, Any], Words], str]
#: Letters of a question above its bar.
LETTERS = 58
#: Columns of the table of dimensions.
INDEX = ("dimension", "n_items", "n_scores", "index", "index_low", "index_high", "alpha", "omega", "undefined")


def how(answers: Answers) -> Parts:
    """The score followed over time, what moved since the wave before, and what was answered to each question."""
    words = answers.words
    text = answers.texts.get(answers.about, "")
    unit = words("eNPS, −100 to 100") if answers.is_enps else words("Favourable answers, percent")
    title, none = words("What moved since the wave before"), nothing_before(words)
    moved, trend = answers.frame("moved"), _said(answers.frame("trend"), answers, _scored)
    if isinstance(trend, pl.DataFrame):
        is_shown = pl.col("asked_in") == answers.release.name
        trend = trend.with_columns(state=pl.when(is_shown).then(pl.lit("selected")).otherwise(pl.lit("possible")))
    drawn = {
        "trend": answers.draw(
            trend, draw.trend, text,
            words("{unit}; band: 95 % interval; ring: this wave; blue: a change since the one before", unit=unit),
            known="value", is_enps=answers.is_enps,
        ),
        "moved": answers.draw(
            _asked(moved, answers, _moved), draw.moved, title,
            words("In points, 95 % interval; blue: what may be called a change among all that were looked at"),
        ) if not isinstance(moved, pl.DataFrame) or moved["moved"].count() else Notice(none, title, "empty"),
        "answers": answers.draw(
            _asked(answers.frame("answers"), answers, _answered), draw.answers, words("What was answered"),
            words("Whole company; reversed questions are turned, so that right is good"), known="favourable_share band_low",
        ),
    }  # fmt: skip
    who = {"trend": "closed_on", "moved": "asked", "answers": "asked"}
    return {"latest": latest(answers), **{slot: heard(block, who[slot], "said") for slot, block in drawn.items()}}


def latest(answers: Answers) -> Block | Figure:
    """The question followed, by each person's latest answer; nothing where the survey declares no rolling score."""
    words, n_waves = answers.words, answers.release.terms.rolling
    if not n_waves:
        return Nothing()
    title, before = words("By each person's latest answer"), words.number(n_waves - 1)
    who = words("Of those invited to this wave who answered it or one of the {before} before", before=before)
    asked = answers.texts.get(answers.about, "")
    return answers.draw(answers.frame("latest"), _latest, title, who, known="value", asked=asked)


def _latest(frame: pl.DataFrame, words: Words, title: str, subtitle: str, asked: str) -> Block:
    row = frame.row(0, named=True)
    said = words("{score}, 95 %; {n} people", score=_scored(row, words), n=words.number(row["n_scores"]))
    if row["n_of_this_wave"] is not None:
        said += ", " + words("{n} of them in this wave", n=words.number(row["n_of_this_wave"]))
    return Lines(title, subtitle, [("", asked, said)])


def sure(answers: Answers) -> Parts:
    """Who answered, group by group, and how well the questions of a dimension measure one thing."""
    words = answers.words
    title = words("Who answered, by {group}", group=answers.group) if answers.by else words("Who answered")
    invited = most_first(_said(_grouped(answers.frame("answered"), answers), answers, _of), answers)
    if isinstance(invited, pl.DataFrame) and not invited["n_invited"].count():
        none = words("How many were invited is not known: answers alone, no share")
        drawn = answers.draw(invited, draw.respondents, title, none, known="n_answered")
    else:
        said = words("Of those invited when the wave opened, 95 % interval; most answers first")
        drawn = answers.draw(invited, draw.answered, title, said, known="n_answered")
    return {"answered": heard(drawn, "group", "said"), "index": _index(answers)}


def _index(answers: Answers) -> Block:
    words, index = answers.words, answers.frame("index")
    title = words("Dimensions, and how well their questions measure one thing")
    if isinstance(index, Problem):
        return Notice(index.told(words), title, "little")
    if index.is_empty():
        return Notice(words("No question of this wave is of a dimension."), title, "empty")

    def writes(column: str, value: Any, row: Mapping[str, Any]) -> str:
        return words.number(value, 0) if column.startswith("index") else cell(column, value, words, "")

    why = [words(of or reason or "") for of, reason in index.select("undefined", "reason").rows()]
    names = [subject(each, words) for each in index["of_dimension"]]
    rows = index.with_columns(dimension=pl.Series(names, dtype=pl.String), undefined=pl.Series(why, dtype=pl.String))
    said = words(
        "0 to 100, mean of the questions, 95 % interval; alpha and omega, of the whole company: near 1 where whoever answers "
        "one question high answers the others high"
    )
    view = answers.view.tables.get("index", TableView())
    return Table(rows, title, words, "", view, said, columns=INDEX, writes=writes)


def where(answers: Answers) -> Parts:
    """Favourable shares in each group that is large enough, and the question followed beside the company's."""
    words, text = answers.words, answers.texts.get(answers.about, "")
    if not answers.by:
        none = words(
            "No group is shown: none that you may see is large enough by itself, so that nobody is singled out."
        )
        return {
            "heat": Notice(none, words("Favourable answers by group"), "empty"),
            "asked": Nothing(),
            "groups": Nothing(),
        }
    shares = most_first(_grouped(answers.frame("heat"), answers), answers)
    compared = most_first(_said(_grouped(answers.frame("groups"), answers), answers, _beside), answers)
    drawn = {
        "heat": answers.draw(
            _cells(shares, answers), heat, words("Favourable answers by {group}", group=answers.group),
            words("Share favourable: blue from one half on, orange below; framed: a range alone, so that nobody is given "
                  "away; –: not told. Most answers first"), known="favourable_share band_low",
        ),
        "groups": answers.draw(
            compared, groups, words("{question} By {group}", question=_ended(text), group=answers.group),
            words("Points; dot: pulled towards the mean of the groups the more so the fewer answered, 95 % interval; hollow: "
                  "as counted; dashed: the company; blue: differs beyond luck"), known="value",
        ),
    }  # fmt: skip
    asked = [(name, answers.texts[each], "") for each, name in answers.names.items()]
    is_drawn = isinstance(drawn["heat"], Figure) and asked
    listed = Lines(words("The questions, in full"), "", asked) if is_drawn else Nothing()
    return {
        "heat": heard(drawn["heat"], "cell", "said"), "asked": listed, "groups": heard(drawn["groups"], "group", "said")
    }  # fmt: skip


def _said(frame: Any, answers: Answers, says: Says) -> Any:
    """The rows, with what is said of each."""
    if not isinstance(frame, pl.DataFrame):
        return frame
    said = [says(row, answers.words) for row in frame.iter_rows(named=True)]
    return worded(frame, answers).with_columns(pl.Series("said", said, dtype=pl.String))


def _asked(frame: Any, answers: Answers, says: Says) -> Any:
    """The same with the question in words."""
    return asking(_said(frame, answers, says), answers) if isinstance(frame, pl.DataFrame) else frame


def asking(frame: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """The rows with the question in words: `asked`, and `brief`, cut short."""
    asked = [answers.texts.get(name, name) for name in frame["question_id"]]
    briefs = [short(text, LETTERS) for text in asked]
    return frame.with_columns(pl.Series("asked", asked, dtype=pl.String), pl.Series("brief", briefs, dtype=pl.String))


def worded(frame: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """The rows with what is ours in them in the reader's words, for the table behind a figure."""
    words = answers.words
    says: dict[str, Callable[[str], str]] = {
        "reason": words, "mix_cut": lambda cut: label(cut, words), "dimension": lambda name: subject(name, words),
        "of_dimension": lambda name: subject(name, words), "factor": lambda name: words(FACTORS.get(name, name)),
    }  # fmt: skip
    told = {
        name: pl.Series([None if each is None else say(each) for each in frame[name]], dtype=pl.String)
        for name, say in says.items() if name in frame.columns
    }  # fmt: skip
    return frame.with_columns(**told)


def _grouped(frame: Any, answers: Answers) -> Any:
    """The rows with the name of their group, a team's with its region's where two bear one name."""
    if not isinstance(frame, pl.DataFrame):
        return frame
    name = pl.concat_str([pl.col(each).fill_null("–") for each in answers.by], separator=" · ")
    if not answers.by:
        return frame.with_columns(group=pl.lit(answers.words("Company")))
    twice = pl.struct(name, "within").n_unique().over(name) > 1
    inside = pl.format("{} ({})", name, pl.col("within").fill_null("–"))
    return frame.with_columns(group=pl.when(twice).then(inside).otherwise(name))


def most_first(frame: Any, answers: Answers) -> Any:
    """The rows of groups, that of which most answered first; within a group as they are."""
    heads = _heads(answers)
    if not isinstance(frame, pl.DataFrame) or heads is None:
        return frame
    many = pl.col("group").replace_strict(heads, default=None, return_dtype=pl.Int64)
    return frame.with_columns(many=many).sort("many", "group", descending=[True, False], nulls_last=True,
                                              maintain_order=True).drop("many")  # fmt: skip


def _heads(answers: Answers) -> dict[str, int | None] | None:
    """By group, how many answered; null where that was refused."""
    answered = _grouped(answers.frame("answered"), answers)
    return dict(answered.select("group", "n_answered").rows()) if isinstance(answered, pl.DataFrame) else None


def _cells(frame: Any, answers: Answers) -> Any:
    """The rows of the heat map, each group named in its first, with how many answered."""
    if not isinstance(frame, pl.DataFrame):
        return frame
    words, heads = answers.words, _heads(answers) or {}
    names = {
        group: f"{group} · {words.n('{n} answer', '{n} answers', n)}" if (n := heads.get(group)) is not None else group
        for group in frame["group"].unique()
    }
    frame = asking(_said(frame, answers, _cell), answers)
    is_first = pl.int_range(pl.len()).over("group") == 0
    return frame.with_columns(
        brief=pl.col("question_id").replace_strict(answers.names, default=pl.col("question_id")),
        name=pl.when(is_first).then(pl.col("group").replace_strict(names)).otherwise(pl.lit("")),
    ).with_columns(cell=pl.format("{}, {}", "group", "brief"))


def _scored(row: Mapping[str, Any], words: Words) -> str:
    if row["value"] is None:
        return words("not told")
    value, low, high = (row[name] for name in ("value", "value_low", "value_high"))
    write = words.signed if row["quantity"] == "enps" else lambda x: words.percent(x / 100)
    return words("{share} ({low} to {high})", share=write(value), low=write(low), high=write(high))


def _moved(row: Mapping[str, Any], words: Words) -> str:
    if row["moved"] is None:
        return UNKNOWN
    readings = {
        "who_answered": "only who answered changed",
        "hidden_by_who_answered": "hidden by who answered",
        "reversed": "reversed by who answered",
    }
    reading = readings.get(row["reading"] or "")
    return words.signed(row["moved"]) + (f"{words(', ')}{words(reading)}" if reading else "")


def _answered(row: Mapping[str, Any], words: Words) -> str:
    if row["favourable_share"] is None:
        return _band(row, words, words("not told"))
    low, high = (words.percent(row[f"favourable_share_{end}"]) for end in ("low", "high"))
    return words("{share} ({low} to {high})", share=words.percent(row["favourable_share"]), low=low, high=high)


def _cell(row: Mapping[str, Any], words: Words) -> str:
    return words.percent(row["favourable_share"]) if row["favourable_share"] is not None else _band(row, words)


def _band(row: Mapping[str, Any], words: Words, none: str = UNKNOWN) -> str:
    return none if row["band_low"] is None else band(row, words)


def band(row: Mapping[str, Any], words: Words) -> str:
    """The range in which a share is told: "61–80 %"."""
    return f"{words.number(100 * row['band_low'], 0)}–{words.percent(row['band_high'])}"


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
