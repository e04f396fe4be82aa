"""What goes with how a team is, what was written, what was promised: parts of the Pulse page that lead to acting."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from cadran.figures import pulse_why as draw
from cadran.figures.blocks import Block, Lines, Nothing, Notice
from cadran.figures.figure import Figure
from cadran.figures.page import Page
from cadran.figures.pulse_beside import BESIDE
from cadran.figures.pulse_page import Answers, levers, wants
from cadran.figures.pulse_told import asking, band, worded
from cadran.figures.pulse_words import FACTORS, QUADRANTS, subject
from cadran.figures.told import heard
from cadran.tables.problems import Problem
from cadran.text import Words

Parts = dict[str, Block | Figure]


def why(page: Page, answers: Answers, n: int, adjusted: Sequence[float]) -> Parts:
    """What goes with eNPS, and which of it is low: where to act first; and the controls of the what-if.

    Args:
        page: With those controls.
        answers: With the frames `drivers` and `priorities`.
        n: People who answered all of it.
        adjusted: Adjusted R² of all questions together, and the ends of its interval.
    """
    words = answers.words
    drivers = answers.frame("drivers").filter(pl.col("rank").is_not_null())
    alike = [words.list([answers.texts.get(each, each) for each in names]) for names in drivers["alike"].fill_null([])]
    said = [words.percent(share) for share in drivers["r2_share"]]
    drivers = asking(worded(drivers, answers), answers).with_columns(
        pl.Series("alike", alike, dtype=pl.String), pl.Series("told", said, dtype=pl.String)
    )
    matrix = answers.frame("priorities")
    names = [words(QUADRANTS[each]) if each else "" for each in matrix["quadrant"]]
    shares = [_favourable(row, words) for row in matrix.iter_rows(named=True)]
    briefs = [answers.names.get(each, each) for each in matrix["question_id"]]
    matrix = asking(worded(matrix, answers), answers).with_columns(
        pl.Series("told", names, dtype=pl.String), pl.Series("said", shares, dtype=pl.String),
        pl.Series("brief", briefs, dtype=pl.String),
    )  # fmt: skip
    share, low, high = (words.percent(max(each, 0)) for each in adjusted)
    told = words(
        "{n} people; together the questions tell {share} of how eNPS differs between them ({low} to {high}); bars: the part of "
        "each in that; 95 % intervals; grey: may be chance",
        n=words.number(n), share=share, low=low, high=high,
    )  # fmt: skip
    drawn = {
        "drivers": answers.draw(drivers, draw.drivers, words("What goes with eNPS"), told),
        "priorities": answers.draw(
            matrix, draw.priorities, words("Where to act first"),
            words("Top left: answered less well than the others, and goes with eNPS more; it need not cause it"),
            known="favourable_share",
        ),
    }  # fmt: skip
    return {
        "drivers": heard(drawn["drivers"], "asked", "told"), "priorities": heard(drawn["priorities"], "asked", "told"),
        "levers": levers(page),
    }  # fmt: skip


def refused(answers: Answers, problem: Problem) -> Parts:
    """What is said where what goes with eNPS cannot be told: in the first of its places that is shown."""
    told = Notice(problem.told(answers.words), answers.words("What goes with eNPS"), "little")
    others = {"drivers": Nothing(), "priorities": Nothing(), "levers": Nothing(), "if_told": Nothing()}
    return {**others, "drivers" if wants(answers.view, "drivers") else "if_told": told}


def _favourable(row: Any, words: Words) -> str:
    if row["favourable_share"] is None:
        return ""
    if row["favourable_low"] == row["favourable_high"]:
        return words.percent(row["favourable_share"])
    return band({"band_low": row["favourable_low"], "band_high": row["favourable_high"]}, words)


def if_raised(answers: Answers, raised: pl.DataFrame) -> Parts:
    """By how much people would recommend the company more, if answers rose: what goes with each dimension.

    Args:
        answers: Of the wave.
        raised: As `Raised`.
    """
    words, chosen = answers.words, answers.view["rise_of"]
    names = [answers.texts.get(each) or subject(each, words) for each in raised["dimension"]]
    ends = raised.select("effect", "effect_low", "effect_high").rows()
    said = [words("{mid} ({low} to {high})", **_points(row, words)) for row in ends]
    rows = worded(raised, answers).with_columns(
        pl.Series("brief", names, dtype=pl.String), pl.Series("told", said, dtype=pl.String),
        state=pl.when(raised["dimension"] == chosen).then(pl.lit("selected")).otherwise(pl.lit("possible")),
    )  # fmt: skip
    title = words("If answers rose by {n} points", n=words.number(float(answers.view["rise"]), 2))
    subtitle = words(
        "Points out of 10 by which the likelihood to recommend the company is higher among people who answer so, alike in "
        "all else; 95 %. Seen among people, not tried: acting on it may bring more, less or nothing"
    )  # fmt: skip
    return {"if_told": heard(answers.draw(rows, draw.raised, title, subtitle), "brief", "told")}


def _points(row: Sequence[float], words: Words) -> dict[str, str]:
    return {name: words.signed(x, 2) for name, x in zip(("mid", "low", "high"), row, strict=True)}


def said(answers: Answers) -> Parts:
    """What people wrote."""
    words, rows = answers.words, answers.release.comments
    title = words("In their own words")
    if rows.is_empty():
        none = words("Nothing was written, or by too few to be shown, or it was purged since.")
        return {"said": Notice(none, title, "empty")}
    texts = answers.texts
    many = rows["question_id"].n_unique() > 1
    items = []
    for row in rows.iter_rows(named=True):
        group = [row["team"] or row["region"] or ""]
        if many:
            group.append(texts.get(row["question_id"], ""))
        items.append(("", row["text"], " · ".join(filter(None, group))))
    least = words(
        "Shuffled, undated, names and numbers masked; of groups of {n} or more",
        n=answers.release.terms.comments_minimum,
    )
    return {"said": Lines(title, least, items)}


def load(answers: Answers) -> Parts:
    """What weighs on groups in the weeks before a wave, beside what they answered."""
    words, links = answers.words, answers.frame("load")
    title = words("Load, and what was answered")
    if isinstance(links, Problem):
        return {"load": Notice(links.told(words), title, "little")}
    rows = links.filter(pl.col("outcome") == "favourable")
    labels = [words(FACTORS.get(each, each)) for each in rows["factor"]]
    told = [_link(row, words) for row in rows.iter_rows(named=True)]
    rows = worded(rows, answers).with_columns(
        pl.Series("brief", labels, dtype=pl.String), pl.Series("told", told, dtype=pl.String)
    )
    n_groups, n_waves = rows["n_groups"].max() or 0, rows["n_waves"].max() or 0
    subtitle = words(
        "Points of favourable answers that go with one typical change within a group, {n} groups in {waves} waves, 95 %; "
        "beside it the smallest that would show", n=n_groups, waves=n_waves,
    )  # fmt: skip
    drawn = answers.draw(rows, draw.links, title, subtitle, known="effect")
    if isinstance(drawn, Figure):  # a column of this name is called "Deals" on all pages
        drawn = replace(drawn, frames={"rows": drawn.frame.drop("n")})
    return {"load": heard(drawn, "brief", "told")}


def _link(row: Any, words: Words) -> str:
    if row["effect"] is None:
        return words(row["reason"] or "")
    return words(
        "{n}; would show from {least} on",
        n=words.signed(row["effect"], 1),
        least=words.number(row["smallest_effect"], 1),
    )


def promised(answers: Answers, promises: pl.DataFrame) -> Parts:
    """What was promised, to whom, by whom until when, and how the answers have moved since.

    Args:
        answers: With the frame `followed`, as `Followed`.
        promises: As `Promise`.
    """
    words, title = answers.words, answers.words("Actions, and what moved since")
    if promises.is_empty():
        none = words(
            "Nothing was promised yet: `cadran pulse actions add` notes what will be done, by whom, until when."
        )
        return {"promised": Notice(none, title, "empty")}
    followed = answers.frame("followed")
    lines = []
    for row in promises.sort("promised_on", descending=True).iter_rows(named=True):
        about = answers.texts.get(row["about"]) or subject(row["about"], words)
        what = f"{row['action']} ({about}{words(', ')}{row['group'] or words('whole company')})"
        states = [
            row["owner"],
            words("done on {day}", day=words.date(row["done_on"])) if row["done_on"] else
            words("due on {day}", day=words.date(row["due"])),
            words("told on {day}", day=words.date(row["told_on"])) if row["told_on"] else words("not told to the team yet"),
            *_since(followed.filter(pl.col("promise_id") == row["promise_id"]), answers),
        ]  # fmt: skip
        lines.append((words.date(row["promised_on"]), what, " · ".join(states)))
    said = words("How answers moved since: that is told, not why")
    return {"promised": Lines(title, said, lines)}


def _since(followed: pl.DataFrame, answers: Answers) -> list[str]:
    words = answers.words
    told = []
    for row in followed.iter_rows(named=True):
        if row["moved"] is None:
            continue
        ends = {name: words.signed(row[f"moved_{name}"]) for name in ("low", "high")}
        text = answers.texts.get(row["question"], row["question"])
        moved = words(
            "“{question}”: {moved} points ({low} to {high})", question=text, moved=words.signed(row["moved"]), **ends
        )
        told.append(moved if row["is_change"] else f"{moved}{words(', ')}{words('not beyond chance')}")
    return told or [words(each) for each in followed["reason"].drop_nulls().unique(maintain_order=True)[:1]]


def talks(answers: Answers) -> Parts:
    """How regularly people are met one to one, by region and team where that tells of no one manager."""
    words, title = answers.words, answers.words("One-to-ones held as agreed")
    frame = answers.frame("regularity")
    if isinstance(frame, Problem):
        return {"talks": Notice(frame.told(words), title, "little")}
    rows = frame.filter(pl.col("on_rhythm_share").is_not_null())
    if rows.is_empty():
        none = words("No one-to-one is noted, or of too few people to be told: `cadran pulse one-to-ones` notes them.")
        return {"talks": Notice(none, title, "empty")}
    said = words(
        "Share of the people met within the days agreed, 95 % interval; never what was said, never of one manager"
    )
    names = [row["team"] or row["region"] or words("Company") for row in rows.iter_rows(named=True)]
    told = [words("{n} of {all}", n=row["n_on_rhythm"], all=row["n_people"]) for row in rows.iter_rows(named=True)]
    rows = rows.with_columns(group=pl.Series(names, dtype=pl.String), said=pl.Series(told, dtype=pl.String))
    return {"talks": heard(answers.draw(rows, draw.talks, title, said), "group", "said")}


def guide(answers: Answers) -> Parts:
    """What to open a one-to-one with, drawn from what the company answered."""
    words, frame = answers.words, answers.frame("guide")
    title = words("To talk about in one-to-ones")
    if isinstance(frame, Problem) or frame.is_empty():
        text = frame.told(words) if isinstance(frame, Problem) else words("Nothing of it is told for this wave.")
        return {"guide": Notice(text, title, "little")}
    wave = frame["wave"][0]
    why = {"fell": words("fell since the wave before"), "low": words("among the lowest")}
    lines = [
        (
            subject(row["dimension"], words), " ".join(row[f"questions_{words.language}"]),
            f"{words.percent(row['favourable_share'])}{words(', ')}{why[row['why']]}",
        )
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
    return {
        "guide": Lines(
            title,
            words("Questions to open with, from what the company answered in {wave}; an hour, and private", wave=wave),
            lines,
        )
    }


def beside(answers: Answers) -> Parts:
    """What others found, with who says so and when."""
    words = answers.words
    names = {"enps": "eNPS", "participation": "Participation", "favourable_share": "Favourable answers"}
    lines = []
    for each in BESIDE:
        if each.measure == "enps":
            ends = [words.signed(each.low), words.signed(each.high)]
        else:
            ends = [words.percent(each.low), words.percent(each.high)]
        value = ends[0] if each.low == each.high else words("{low} to {high}", low=ends[0], high=ends[1])
        lines.append((words(names[each.measure]), f"{value}{words(': ')}{words(each.of)}", words(each.source)))
    return {"beside": Lines(words("Published figures"), words("Other people, other questions: context alone"), lines)}
