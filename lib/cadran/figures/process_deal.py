"""One open deal: its chance from now on and until now, what lifts it and what lowers it, what happened to it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Lines, Nothing, Notice
from cadran.figures.columns import value_label
from cadran.figures.figure import Figure
from cadran.figures.filters import Detail
from cadran.figures.incidence import course, incidence
from cadran.figures.opportunities_answers import Answers
from cadran.figures.tasks import ACTIONS, lever_told, why
from cadran.figures.tasks import reason as told_reason
from cadran.figures.told import with_finding
from cadran.tables.measured.signals import TITLES
from cadran.text import Words

SLOTS = (
    "detail",
    "deal_levers",
    "deal_told",
    "deal_incidence",
    "deal_course",
    "deal_reasons",
    "deal_moved",
    "deal_timeline",
)
#: Units of signals, as readers say them.
UNITS = {"days": "days", "hours": "hours", "pushes": "pushes", "people": "people", "share": "share"}
#: What happened to a deal -> words.
KINDS = {
    "stage": "Stage: {value}",
    "amount": "Amount: {value}",
    "expected_close_date": "Expected close: {value}",
    "status": "Status: {value}",
    "email": "E-mail",
    "call": "Call",
    "meeting": "Meeting",
    "demo": "Demonstration",
    "message": "Message",
    "task": "Task",
}
DIRECTIONS = {"inbound": "from the client", "outbound": "to the client"}
MOST_LINES = 60


def nothing() -> dict[str, Block]:
    """While no deal is open, the places of one hold nothing."""
    return dict.fromkeys(SLOTS, Nothing())


def deal(
    answers: Answers, row: Mapping[str, Any] | None, promised: pl.DataFrame, pulled: pl.DataFrame | None,
    past: pl.DataFrame, happened: pl.DataFrame, is_beyond: bool, until: date | None,
) -> dict[str, Block | Figure]:  # fmt: skip
    """The parts of an open deal's page.

    Args:
        answers: What the page was asked; `view.open` names the deal.
        row: The deal; None where none of that number is open in the selection.
        promised, pulled: As `Promise` has them, as things are and with the levers pulled.
        past: As `Course` has it.
        happened: `at_date`, `kind`, `direction`, `value`, `is_move`, the latest last.
        is_beyond: Whether a lever brings the deal beyond what was ever seen.
        until: The day by which its chance is told in numbers; None: the last that is promised.
    """
    words, name = answers.words, answers.view.open or ""
    title = words("Deal {id}", id=name)
    if row is None:
        missing = Notice(words("No deal {id} is open here, or the filters leave it out.", id=name), title, "empty")
        return {**nothing(), "detail": missing}
    told = happened.with_columns(
        pl.Series("what", [said_of(each, answers) for each in happened.iter_rows(named=True)], dtype=pl.String)
    )
    style: dict[str, Any] = {"words": words, "currency": answers.currency}
    levers = (
        words("in the accent: with the levers above")
        if pulled is not None
        else words("pull a lever above to see it move")
    )
    title_past = words("Its chance until now")
    drawn: dict[str, Block | Figure] = {
        "detail": Detail(row, title, answers.currency),
        "deal_told": _promised(promised, pulled, until, is_beyond, words),
        "deal_incidence": incidence(
            promised,
            frames={"pulled": promised.head(0) if pulled is None else pulled},
            title=words("Chance to have won it by each day"),
            subtitle=words("95 % interval of the model's doubt; {levers}", levers=levers),
            **style,
        ),
        "deal_course": Notice(words("It began too lately to have a past."), title_past, "little"),
        "deal_timeline": Lines(
            words("What happened"),
            words.n("{n} event, the latest first", "{n} events, the latest first", told.height),
            [
                (words.date(at), what, "")
                for at, what in told.select("at_date", "what").reverse().head(MOST_LINES).iter_rows()
            ],
        ),
    }
    if promised.is_empty():
        why = words("No chance is told of it: no deal of its age has closed here, or its age is not known.")
        drawn["deal_incidence"] = Notice(why, words("Chance to have won it by each day"), "little")
    if not past.is_empty():
        drawn["deal_course"] = course(
            past,
            frames={"happened": told.select("at_date", "what", "is_move")},
            title=title_past,
            subtitle=words("What the model of today says of it as it was known; ▼ it changed, ❘ a touch"),
            **style,
        )
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _promised(
    promised: pl.DataFrame, pulled: pl.DataFrame | None, until: date | None, is_beyond: bool, words: Words
) -> Block:
    """The chance by a day: as things are, and with the levers pulled."""
    if promised.is_empty():
        return Nothing()
    day: date = until or promised["by_date"].to_list()[-1]
    now, *then = (
        each.row(by_predicate=pl.col("by_date") == day, named=True) for each in (promised, pulled) if each is not None
    )

    def chance(label: str, row: Mapping[str, Any], change: str = "") -> Headline:
        value, low, high = (words.percent(row[f"probability{end}"], 1) for end in ("", "_low", "_high"))
        return Headline(label, value, change, basis=f"({low} – {high}) {words('95 % interval')}",
                        definition=f"/definitions?lang={words.language}#win_probability")  # fmt: skip

    by = words.date(day)
    told = [chance(words("Won by {day}, as things are", day=by), now)]
    for row in then:
        change = f"{told[0].value} → {words.percent(row['probability'], 1)}"
        told.append(chance(words("Won by {day}, with the levers above", day=by), row, change))
    if is_beyond:
        held = words("beyond what the data ever showed: held to the limit")
        told.append(Headline(words("Beyond what was seen"), words("yes"), basis=held))
    return Headlines(told)


def reasons(
    answers: Answers, found: pl.DataFrame, shown: pl.DataFrame, action: Mapping[str, Any] | None
) -> dict[str, Block]:
    """What lifts the chance of the deal and what lowers it, its weak signals, and what is proposed.

    Args:
        answers: What the page was asked.
        found: As `Reason` has it.
        shown: The deal's signals, as `DealSignal` has them.
        action: Its row of `Action`.
    """
    words = answers.words
    lines = [("", told_reason(row, words, answers.facts.currency), "") for row in found.iter_rows(named=True)]
    lines += [("▲", words(TITLES[row["signal"]]), _beyond(row, words)) for row in shown.iter_rows(named=True)]
    if action is not None:
        task = lever_told(action["lever"], words) or words("Nothing now")
        lines.insert(0, ("→", f"{words(ACTIONS[action['action']])}{words(': ')}{task}", why(action, words)))
    subtitle = words(
        "What is proposed; points of probability against what is typical at this stage, 95 % interval; ▲ weak signals"
    )
    return {"deal_reasons": Lines(words("What lifts it, what lowers it"), subtitle, lines)}


def _beyond(row: Mapping[str, Any], words: Words) -> str:
    """A signal's value beside its threshold."""
    if row["unit"] == "yes":
        return ""
    value, threshold = (words.number(row[name], 2 if row["unit"] == "share" else 0) for name in ("value", "threshold"))
    told = words("{value}, where most won deals had {threshold} or less", value=value, threshold=threshold)
    since = "" if row["since"] is None else words("since {day}", day=words.date(row["since"]))
    return f"{words(UNITS[row['unit']])}{words(': ')}{told}{words(', ') if since else ''}{since}"


def said_of(event: Mapping[str, Any], answers: Answers) -> str:
    """Something that happened, in words."""
    words, kind, value = answers.words, event["kind"], event["value"]
    pattern = KINDS.get(kind)
    if pattern is None:
        return str(kind)
    if event["is_move"]:
        return words(pattern, value=_became(kind, value, answers))
    direction = DIRECTIONS.get(event["direction"] or "")
    return f"{words(pattern)} {words(direction)}" if direction else words(pattern)


def _became(kind: str, value: str | None, answers: Answers) -> str:
    """What something of a deal became, given as text."""
    if value is None or kind in ("stage", "status"):
        return value_label(kind, value, answers.words)
    if kind == "amount":
        return answers.words.money(float(value), answers.facts.currency, compact=False)
    return answers.words.date(date.fromisoformat(value))
