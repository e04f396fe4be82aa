"""What to do about open deals, in words: on a page, in a terminal, and as tasks for the CRM. Computes no number."""

from collections.abc import Mapping
from math import expm1
from typing import Any

import polars as pl

from cadran.figures.columns import value_label
from cadran.figures.columns_score import FACTS
from cadran.tables.measured.signals import TITLES
from cadran.text import Words

ACTIONS = {"secure": "Secure", "push": "Push", "watch": "Watch", "leave": "Leave"}
LEVERS = {
    "answer": "Answer the client who waits",
    "meet": "Meet the client",
    "decision_maker": "Reach a decision-maker",
    "contact": "Involve one more person at the client",
    "redate": "Set a new expected date",
    "stop": "Stop working on it",
}
#: What won deals had and the deal lacks, by lever.
HAD = {
    "answer": "a client waits for a reply; of the deals won from this stage, nobody waited on {share}",
    "meet": "of the deals won from this stage, {share} had met more in the last 30 days",
    "decision_maker": "of the deals won from this stage, {share} had reached a decision-maker; this one has not",
    "contact": "of the deals won from this stage, {share} had more people involved",
}
#: Groups of facts as readers say them.
GROUPS = {
    "deal": "The deal itself",
    "age": "Its age",
    "client": "The client",
    "organisation": "Region and team",
    "stage": "The way through the stages",
    "people": "The people involved",
    "rival": "The competitor",
    "activity": "The touches",
    "response": "The replies",
}


def lever_told(lever: str | None, words: Words) -> str | None:
    """A lever in the reader's words; None where there is nothing to do now."""
    return None if lever is None else words(LEVERS[lever])


def why(row: Mapping[str, Any], words: Words) -> str:
    """Why something is proposed for one deal: a row of `cadran.tables.measured.actions.Action`."""
    told = []
    if row["action"] == "leave":
        values = {"high": words.percent(row["high"], 1), "hours": words.number(row["hours_left"], 1)}
        told += [
            words("even at a probability of {high}, it is worth less than the {hours} h it is taken to need yet, which is an "
                  "assumption (`cadran score --hours-left` states another)", **values)
            if row["is_assumed"] else
            words("even at a probability of {high}, it is worth less than the {hours} h that won deals still took from this "
                  "stage", **values),
            words("the gap is what stopping saves; to be confirmed by a person"),
        ]  # fmt: skip
    elif row["gain"] is not None:
        told.append(words(HAD[row["lever"]], share=words.percent(row["won_share"])))
    if row["extrapolates"]:
        told.append(words("beyond what the data ever showed: held to the limit"))
    if row["signals"]:
        shown = words.list([words(TITLES[name]) for name in row["signals"]])
        told.append(words("signals: {signals}", signals=shown))
    text = words("; ").join(told)
    return text[:1].upper() + text[1:]


def reason(row: Mapping[str, Any], words: Words, currency: str) -> str:
    """One group of facts that moves a deal's probability: a row of `cadran.tables.measured.actions.Reason`."""
    told = words(
        "{group} {points} ({low} to {high})", group=words(GROUPS[row["group"]]), points=words.points(row["change"], 1),
        low=words.points(row["change_low"], 1), high=words.points(row["change_high"], 1),
    )  # fmt: skip
    fact = row["fact"]
    if fact is None:
        return told
    if FACTS[fact][1] == "log sum":  # of no unit that a reader knows
        name, is_more = words(FACTS[fact][0]), float(row["value"] or 0) > float(row["typical"] or 0)
        beside = (
            words("{fact}, more than typically", fact=name)
            if is_more
            else words("{fact}, no more than typically", fact=name)
        )
        return f"{told}{words(': ')}{beside}"
    value, typical = (fact_told(fact, row[of], words, currency) for of in ("value", "typical"))
    leads = words("{fact} {value}, typically {typical}", fact=words(FACTS[fact][0]), value=value, typical=typical)
    return f"{told}{words(': ')}{leads}"


def fact_told(fact: str, value: str | None, words: Words, currency: str) -> str:
    """The value of a fact, given as text, in the reader's words."""
    if value is None:
        return words("none")
    match FACTS[fact][1]:
        case "money":
            return words.money(float(value), currency)
        case "share":
            return words.percent(float(value))
        case "days":
            return words.days(round(float(value)))
        case "hours":
            return f"{words.number(float(value), 0)} h"
        case "log hours":
            return f"{words.number(expm1(float(value)), 0)} h"
        case "n":
            return words.number(float(value), 0)
        case "yes":
            return words("yes") if value == "true" else words("no")
    return value_label(fact, value, words)


def tasks(listed: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The list as tasks for the CRM, one row each: for `cadran.figures.table.as_csv`.

    Args:
        listed: As `Action` has it, those rows that have something to do.
        words: Of the reader.

    Returns:
        `opportunity_id`, `action`, `task` and `reason` in the reader's words, `due_date`, `hours`, `probability` with
        `_low` and `_high`, the gap in probability and in money with theirs, rounded for reading, and `must_confirm`.
    """
    rows = list(listed.filter(pl.col("lever").is_not_null()).iter_rows(named=True))
    numbers = {
        "hours": ("hours", 2), "probability": ("probability", 3), "probability_low": ("low", 3),
        "probability_high": ("high", 3), "gain": ("gain", 3), "gain_low": ("gain_low", 3), "gain_high": ("gain_high", 3),
        "gap": ("gap", 0), "gap_low": ("gap_low", 0), "gap_high": ("gap_high", 0),
    }  # fmt: skip
    schema: dict[str, Any] = dict.fromkeys(("opportunity_id", "action", "task", "reason"), pl.String)
    schema |= {"due_date": pl.Date} | dict.fromkeys(numbers, pl.Float64) | {"must_confirm": pl.String}
    told = [
        {
            "opportunity_id": row["opportunity_id"], "action": words(ACTIONS[row["action"]]),
            "task": lever_told(row["lever"], words), "reason": why(row, words), "due_date": row["due_date"],
            "must_confirm": words("yes") if row["must_confirm"] else words("no"),
            **{name: None if row[of] is None else round(row[of], digits) for name, (of, digits) in numbers.items()},
        }
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(told, schema=schema)
