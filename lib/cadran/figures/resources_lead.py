"""What the Resources page says first: what is coming, who is loaded, when to hire; each with how sure it is."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Sentences
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_forecast import Whom, quarter_told
from cadran.figures.resources_hire import next_hire

#: Cards at the top of a page.
MOST = 5
#: Sentences before them.
SENTENCES = 4


def first_words(answers: Answers, whom: Whom) -> dict[str, Block]:
    """The sentences and headline numbers of what is known so far: a model still at work adds its own later.

    The frame `quarter` is the forecast by quarter at the level of `whom` it tells of.
    """
    told = [_forecast(answers, whom), _hires(answers), _load(answers), _target(answers), _balance(answers)]
    cards = [card for _, card in told if card][:MOST]
    return {
        "sentences": Sentences([sentence for sentence, _ in told if sentence][:SENTENCES]),
        "headlines": Headlines(cards),
    }


def _forecast(answers: Answers, whom: Whom) -> tuple[str, Headline | None]:
    """What is to be expected of the quarter, and the chance to reach its target; of whom, where something is selected."""
    words, frame = answers.words, answers.frames.get("quarter")
    said, row = quarter_told(answers, whom, frame) if frame is not None else ("", {})
    if not row:
        return "", None
    change = words("no target is set")
    if row["p_target"] is not None:
        change = words(
            "target {target}: {chance}", target=answers.money(row["target"]), chance=answers.chance(row["p_target"])
        )
    ends = {"low": answers.money(row["low"]), "high": answers.money(row["high"])}
    title = words("Expected in {quarter}", quarter=words.quarter(row["period"]))
    if answers.view.selection:
        title = words("Expected in {quarter}, {whom}", quarter=words.quarter(row["period"]), whom=whom.told(answers))
        said = f"{whom.first(answers)}{words(': ')}{said[:1].lower()}{said[1:]}"
    card = Headline(
        title, answers.money(row["mean"]), change,
        basis=words("between {low} and {high}, 95 %", **ends), exact=answers.exact(row["mean"]), definition="#coming",
    )  # fmt: skip
    return said, card


def _hires(answers: Answers) -> tuple[str, Headline | None]:
    """The region to recruit for first, and by when."""
    words, frame = answers.words, answers.frames.get("hires")
    if not isinstance(frame, pl.DataFrame):
        return "", None
    said, row = next_hire(answers, frame)
    if not row:
        return "", Headline(words("To recruit"), words("nobody"), words("no shortage ahead"), definition="#hire")
    is_late = row["days_late"] is not None
    value = words("now") if is_late else words.date(row["hire_by"])
    card = Headline(
        words("To recruit") if is_late else words("Recruit by"), value, row["group"] or words("Unknown"),
        "bad" if is_late else "even",
        words.n("{n} hire, short from {month}", "{n} hires, short from {month}", row["n_hires"],
                month=words.month(row["shortage_month"])), definition="#hire",
    )  # fmt: skip
    return said, card


def _load(answers: Answers) -> tuple[str, Headline | None]:
    """Open deals, and those of them past their expected date."""
    words, row = answers.words, _last(answers, "load_whole")
    if not row:
        return "", None
    day = words.date(row["until"])
    if not row["n_open"]:
        return words("No deal is open on {day}.", day=day), None
    counts = {"overdue": words.number(row["n_overdue"]), "day": day}
    said = words.n("{n} deal is open on {day}; expected to close before: {overdue}.",
                   "{n} deals are open on {day}; expected to close before: {overdue}.", row["n_open"], **counts)  # fmt: skip
    change = words.n("{n} is overdue", "{n} are overdue", row["n_overdue"])
    card = Headline(
        words("Open deals"), words.number(row["n_open"]), change,
        basis=words.n("{n} new this month", "{n} new this month", row["n_new"]), definition=_define(answers, "load"),
    )  # fmt: skip
    return said, card


def _balance(answers: Answers) -> tuple[str, Headline | None]:
    """What the seller in the middle has, and whether deals are shared as evenly as luck shares them."""
    words, frame = answers.words, answers.frame("balance_whole")
    rows = (
        frame.filter(pl.col("quantity") == "open_deals") if isinstance(frame, pl.DataFrame) and frame.height else None
    )
    if rows is None or not rows.height or rows["median_load"][0] is None or rows["n_sellers"][0] < 2:
        return "", None
    row = rows.row(0, named=True)
    value, sellers = words.number(row["median_load"], 1), words.n("{n} seller", "{n} sellers", row["n_sellers"])
    said = ""
    if row["n_above"] is not None:
        said = words("Of {sellers}, {above} have more than 115 % of what the one in the middle has, {below} less than 85 %",
                     sellers=sellers, above=words.number(row["n_above"]), below=words.number(row["n_below"]))  # fmt: skip
        verdict = {
            True: words("deals are shared less evenly than luck would share them"),
            False: words("luck alone shares deals as unevenly"),
            None: "",
        }[row["is_uneven"]]
        said += f"{words('; ')}{verdict}." if verdict else "."
    gini = words.number(row["gini"], 2)
    if row["gini_low"] is not None:
        ends = {"low": words.number(row["gini_low"], 2), "high": words.number(row["gini_high"], 2)}
        gini = words("{value} ({low} to {high})", value=gini, **ends)
    card = Headline(
        words("Open deals, the seller in the middle"), value, words("Gini index {value}", value=gini), basis=sellers,
        definition=_define(answers, "balance"),
    )  # fmt: skip
    return said, card


def _target(answers: Answers) -> tuple[str, Headline | None]:
    """Signed so far against the target of the quarter."""
    words, row = answers.words, _last(answers, "attainment_whole")
    if not row or row["attainment"] is None:
        return "", None
    quarter = words.quarter(row["period"])
    card = Headline(
        words("Signed in {quarter}", quarter=quarter), answers.money(row["amount_won"]),
        words("{share} of the target", share=words.percent(row["attainment"])),
        basis=words("usual by this day: {share}", share=words.percent(row["expected_share"])),
        exact=answers.exact(row["amount_won"]), definition=_define(answers, "attainment"),
    )  # fmt: skip
    said = words("In {quarter}, {amount} are signed so far: {share} of the target, where {usual} are usual by this day.",
                 quarter=quarter, amount=answers.money(row["amount_won"]), share=words.percent(row["attainment"]),
                 usual=words.percent(row["expected_share"]))  # fmt: skip
    return said, card


def _last(answers: Answers, name: str) -> Mapping[str, Any]:
    """The last period of a series over the whole company; empty where there is none."""
    frame = answers.frame(name)
    if not isinstance(frame, pl.DataFrame) or frame.is_empty():
        return {}
    return frame.sort("until").row(-1, named=True)


def _define(answers: Answers, name: str) -> str:
    return f"/definitions?lang={answers.words.language}#{name}"
