"""How far to trust the probabilities: the model card, told of frames. Computes no number."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cadran.figures import reliability as draw
from cadran.figures.blocks import Block, Lines, Notice
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem
from cadran.text import Words

#: Candidates and rivals as readers know them.
STEPS = {
    "constant": "The overall rate",
    "stage rates": "The rate of each stage",
    "logit": "A logistic model",
    "boosting": "Boosted trees",
    "crm probability": "The CRM's own probability",
    "naive bayes": "Naive Bayes, per team",
    "boosting on closed deals": "Boosting on closed deals",
}
#: Those that know no fact of a deal but its stage.
SIMPLE = ("constant", "stage rates")
SCORES = (
    "candidate", "is_chosen", "n_looks", "log_loss", "difference_to_constant", "difference_to_constant_low",
    "difference_to_constant_high", "brier", "auc",
    "average_precision", "calibration_slope", "calibration_intercept",
)  # fmt: skip


def trust_sentence(card: Mapping[str, Any], words: Words) -> str:
    """What the ladder says: how much the data can tell of a deal's chance.

    `card`: `chosen`, `untold`, `n_won`, `n_ended`, and `rungs`, one mapping per step: `name`, `n_needed`, `is_tried`,
    `against`, `difference`, `error`.
    """
    if card["untold"]:
        told: str = card["untold"].told(words)
        return told
    chosen, fewest = card["chosen"], min(card["n_won"], card["n_ended"])
    next_one = next((rung for rung in card["rungs"] if not rung["is_tried"] and rung["n_needed"] > fewest), None)
    if (
        chosen in SIMPLE
        and next_one
        and not any(rung["is_tried"] for rung in card["rungs"] if rung["name"] not in SIMPLE)
    ):
        return words(
            "Too few of the deals seen while they were open have closed to tell deals apart by their facts (won: {won}; ended "
            "otherwise: {lost}; {needed} of each are needed): each gets {what}.",
            won=words.number(card["n_won"]), lost=words.number(card["n_ended"]), needed=words.number(next_one["n_needed"]),
            what=words("the overall rate") if chosen == "constant" else words("the rate of its stage"),
        )  # fmt: skip
    if chosen == "constant":
        return words(
            "The data shows no usable signal: on later deals, no model beat the overall rate by more than luck. "
            "No deal is ranked before another."
        )
    if chosen == "stage rates":
        return words(
            "Beyond the stage, the data shows no usable signal: on later deals, no model beat the rate of each stage by "
            "more than luck."
        )
    simple = next(rung["against"] for rung in card["rungs"] if rung["is_tried"] and rung["name"] not in SIMPLE)
    if simple == "constant":
        return words("The facts of a deal tell its chance better than the overall rate: judged on later deals.")
    return words("The facts of a deal tell its chance better than the rate of its stage: judged on later deals.")


def card_blocks(answers: Answers, card: Mapping[str, Any]) -> dict[str, Block | Figure]:
    """What was chosen and why, the leaks named, the drift of the base rate, and what the model cannot see."""
    words = answers.words
    lines = [
        ("●" if rung["name"] == card["chosen"] else "○", words(STEPS[rung["name"]]), _rung_told(rung, card, words))
        for rung in card["rungs"]
    ]
    blind = [
        ("–", words("Not known to the model"),
         words("Who sells: no person is rated. What was said in a meeting, prices and offers, what the client's own market "
               "does, and all that the CRM does not hold.")),
        ("–", words("Not said by it"), words("What causes a win. It says what went together in this book's past.")),
    ]  # fmt: skip
    title = words("What the probabilities rest on: {chosen}", chosen=words(STEPS[card["chosen"]]).lower())
    learnt = words(
        "Learnt from deals seen while they were open (won: {won}; ended otherwise: {lost}), as they were known on {n} past "
        "dates of theirs",
        won=words.number(card["n_won"]), lost=words.number(card["n_ended"]), n=words.number(card["n_snapshots"]),
    )  # fmt: skip
    leaks: list[Problem] = card["leaks"]
    named = [("", each.told(words), "") for each in leaks]
    said = (
        words("Left out until a person confirms them")
        if named
        else words("No fact seems to know the outcome before it is known.")
    )
    drawn: dict[str, Block | Figure] = {
        "card": Lines(title, _of_all(learnt, answers), lines),
        "blind": Lines(words("What it cannot see"), words("What no number of this page holds"), blind),
        "leaks": Lines(words("Facts that seem to know the answer"), _of_all(said, answers), named),
        "drift": _drift(answers, card["drift"]),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _rung_told(rung: Mapping[str, Any], card: Mapping[str, Any], words: Words) -> str:
    """What became of a step of the ladder."""
    if not rung["is_tried"]:
        if rung["n_needed"] > min(card["n_won"], card["n_ended"]):
            return words(
                "not tried: it takes {n} won deals, and as many that ended otherwise", n=words.number(rung["n_needed"])
            )
        return words("not tried: too little to learn from")
    mark = words("chosen") if rung["name"] == card["chosen"] else words("tried")
    if rung["difference"] is None:
        return mark
    told = words(
        "log loss {difference} against {against} (± {error})",
        difference=words.number(rung["difference"], 4), against=words(STEPS[rung["against"]]).lower(),
        error=words.number(1.96 * rung["error"], 4),
    )  # fmt: skip
    return f"{mark}{words(': ')}{told}"


def _drift(answers: Answers, frame: pl.DataFrame) -> Block | Figure:
    words, title = answers.words, answers.words("Has the win rate moved?")
    if frame.is_empty():
        return Notice(words("No deal has closed yet."), title, "empty")
    subtitle = words(
        "Share won of the deals closed in each quarter, 95 % interval: recent outcomes weigh more in the model"
    )
    return draw.drift(frame, words=words, currency=answers.currency, title=title, subtitle=_of_all(subtitle, answers))


def _of_all(told: str, answers: Answers) -> str:
    """The model learns from the whole company: who sees a part of it alone is told so, lest it be taken for theirs."""
    if not answers.facts.is_part:
        return told
    return answers.words("{told} (the whole company, not your part alone)", told=told)


def past_blocks(answers: Answers, scores: pl.DataFrame, reliability: pl.DataFrame, skill: pl.DataFrame,
                chosen: str, since: Any, until: Any) -> dict[str, Block | Figure]:  # fmt: skip
    """The backtest: every candidate and rival, the reliability curve, and how early it knows."""
    words = answers.words
    dates = words("{since} to {until}", since=words.date(since), until=words.date(until))
    told = {name: words(text) for name, text in STEPS.items()}
    rows = scores.with_columns(
        candidate=pl.col("name").replace(told), is_chosen=pl.col("chosen"), n_looks=pl.col("n"),
        **{f"difference_to_constant{end}": pl.col(f"difference{end}") for end in ("", "_low", "_high")},
    ).sort("log_loss", nulls_last=True)  # fmt: skip
    style: dict[str, Any] = {"words": words, "currency": answers.currency}
    said = words(
        "Refitted on what was known, judged by what came later: looks at open deals from {dates}, won within {days} days "
        "or not; lower log loss is better",
        dates=dates,
        days=words.number(scores["within_days"][0]),
    )
    view = answers.view.tables.get("backtest", TableView())
    mine = reliability.filter(pl.col("name") == chosen)
    ages = skill.filter((pl.col("name") == chosen) & (pl.col("by") == "age_days"))
    title, early = words("When it says 30 %, are 30 % won?"), words("How early it knows")
    scored = words("The backtest: every candidate, every rival")
    drawn: dict[str, Block | Figure] = {
        "backtest": Table(rows, scored, words, answers.currency, view, _of_all(said, answers), columns=SCORES),
        "reliability": Notice(
            words("The overall rate is the same for every deal: there is no curve to draw."), title, "little"
        ),
        "skill": Notice(words("Too little to tell."), early, "little"),
    }
    if mine.height > 1:
        won = words(
            "Share won against the probability said, by tenths of the looks at deals, {dates}; 95 % intervals",
            dates=dates,
        )
        drawn["reliability"] = draw.reliability(mine, title=title, subtitle=_of_all(won, answers), **style)
    if chosen == "constant":
        known = words("Nothing beyond the overall rate, at no age: it is what it says of every deal.")
        drawn["skill"] = Notice(known, early, "little")
    elif not ages.is_empty():
        named = ages.with_columns(pl.col("group").fill_null(words("Unknown")))
        known = words("By age in days: 1 − log loss ÷ that of the overall rate; above 0 it knows something")
        drawn["skill"] = draw.skill(named, title=early, subtitle=_of_all(known, answers), **style)
    return {slot: with_finding(block) for slot, block in drawn.items()}
