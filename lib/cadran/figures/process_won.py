"""What won deals had that lost ones had not: the reference, told of a measured frame. Computes no number."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Nothing, Notice, once
from cadran.figures.columns import cell, value_label
from cadran.figures.controls import TableView
from cadran.figures.dumbbell import won_against_lost
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.measured.process import ABOUT, FACTS
from cadran.tables.problems import Problem
from cadran.text import UNKNOWN, Words

#: Place on the page -> units of the facts it shows, and its title.
UNITS = {
    "won_share": (("share",), "Share of deals that had it"),
    "won_count": (("per deal",), "How many of it a deal had"),
    "won_time": (("days",), "How long it took, days"),
    "won_response": (("hours",), "How long clients waited for a reply, hours"),
}
COLUMNS = ("fact", "won", "won_low", "won_high", "lost", "lost_low", "lost_high", "difference", "difference_low",
           "difference_high", "is_difference",
           "n_won", "n_lost")  # fmt: skip
#: Facts of one thing said in several ways: one way is enough for the eye; the table has them all.
_MOST = 12


def reference(answers: Answers) -> dict[str, Block | Figure]:
    """One figure a unit, and the table of everything compared."""
    words, frame = answers.words, answers.frame("reference")
    titles = {slot: words(title) for slot, (_, title) in UNITS.items()}
    if isinstance(frame, Problem):
        refused: dict[str, Block | Figure] = {
            slot: Notice(frame.told(words), title, "little") for slot, title in titles.items()
        }
        return once(refused, words) | {"won_table": Nothing()}
    label = pl.Series(
        "label", [said_of(row["fact"], row["about"], words) for row in frame.iter_rows(named=True)], dtype=pl.String
    )
    told = pl.Series("told", [_told(row, words) for row in frame.iter_rows(named=True)], dtype=pl.String)
    frame = frame.with_columns(label, told)
    frame = _of_types(frame, answers)
    one = _one_type(frame)
    drawn = {slot: _drawn(answers, one, slot, titles[slot]) for slot in UNITS}
    view = answers.view.tables.get("won_table", TableView())
    frame = frame.filter(pl.any_horizontal(pl.col("won", "lost").is_not_null()))
    frame = frame.sort(pl.col("is_difference").fill_null(False), descending=True, maintain_order=True)
    label, types = frame["label"], [name for name in ("deal_type",) if name in frame.columns]
    shown = frame.with_columns(
        is_share=pl.col("unit") == "share",
    ).with_columns(
        label.alias("fact"),
        pl.col("unit").replace({unit: words(unit) for unit in ("days", "hours", "per deal", "share")}),
    )
    table = Table(
        shown, words("All that was compared"), words, answers.currency, view, _multiplicity(frame, words),
        columns=("fact", *types, "unit", *COLUMNS[1:]), writes=lambda column, value, row: _written(column, value, row, words),
    )  # fmt: skip
    return once({slot: with_finding(block) for slot, block in drawn.items()}, words) | {"won_table": table}


def leads(answers: Answers) -> dict[str, Block]:
    """How fast leads, before they are deals, had a first answer, and how many became one."""
    words = answers.words
    answered, became = answers.one("lead_first_response"), answers.one("lead_conversion")
    if not answered or not became:
        problems = [frame for name in ("lead_first_response", "lead_conversion")
                    if isinstance(frame := answers.frame(name), Problem)]  # fmt: skip
        none = words("No lead was created from {period}.", period=answers.dates)
        return {"won_leads": Notice(problems[0].told(words) if problems else none, words("Leads"), "little")}
    of = words.n("of {n} lead", "of {n} leads", answered["n_leads"])
    hours, share = (lambda x: f"{words.number(x, 0)} h"), words.percent

    def card(title: str, name: str, row: Mapping[str, Any], told: Callable[[float], str], measure: str) -> Headline:
        value, low, high = (
            None if row[each] is None else told(row[each]) for each in (name, f"{name}_low", f"{name}_high")
        )
        ends = f"({low or '…'} – {high or '…'}) " if low or high else ""
        return Headline(title, value or UNKNOWN, of, basis=f"{ends}{words('95 % interval')}",
                        definition=f"/definitions?lang={words.language}#{measure}")  # fmt: skip

    first, conversion = "lead_first_response", "lead_conversion"
    within = words.days(became["within_days"])
    return {"won_leads": Headlines([
        card(words("Leads: half answered within"), "median_hours", answered, hours, first),
        card(words("Leads: nine in ten answered within"), "p90_hours", answered, hours, first),
        card(words("Leads answered within an hour"), "within_hour_share", answered, share, first),
        card(words("Leads answered within a day"), "within_day_share", answered, share, first),
        card(words("Leads that became a deal within {days}", days=within), "conversion_rate", became, share, conversion),
    ])}  # fmt: skip


def said_of(fact: str, about: str | None, words: Words) -> str:
    """A fact in words: "Interactions: Meetings"."""
    title = words(FACTS[fact].title)
    return title if about is None else f"{title}{words(': ')}{words(ABOUT[about]) if about in ABOUT else about}"


def _drawn(answers: Answers, frame: pl.DataFrame, slot: str, title: str) -> Block | Figure:
    words, (units, _) = answers.words, UNITS[slot]
    known = frame.filter(pl.col("unit").is_in(units) & pl.col("won").is_not_null() & pl.col("lost").is_not_null())
    if known.is_empty():
        return Notice(_why_not(frame.filter(pl.col("unit").is_in(units)), answers), title, "little")
    first = known.sort(pl.col("is_difference").fill_null(False), descending=True, maintain_order=True).head(_MOST)
    return won_against_lost(
        first, words=words, currency=answers.currency, title=title, subtitle=_subtitle(known, answers), unit=units[0]
    )


def _why_not(frame: pl.DataFrame, answers: Answers) -> str:
    """Why facts are not compared: the book does not hold them, or too few deals were won and lost."""
    words = answers.words
    early, unknown, compared = frame.select(
        pl.col("n_early", "n_unknown").max(), pl.sum_horizontal("n_won", "n_lost").sum()
    ).row(0)
    if unknown and not compared:
        return words(
            "The book does not hold these facts: {closed} deals were won or lost, {early} of them before the age compared at, "
            "and of the other {unknown} every one of these facts, or the age, is unknown. `cadran status` lists what is missing.",
            closed=words.number(early + unknown), early=words.number(early), unknown=words.number(unknown),
        )  # fmt: skip
    return words(
        "Too few deals were won and lost from {period} to compare them; 10 of each are needed.", period=answers.dates
    )


def _subtitle(frame: pl.DataFrame, answers: Answers) -> str:
    words, age = answers.words, frame["at_age_days"].max()
    at = words("as known {days} days after creation", days=age) if age is not None else words("over their whole life")
    told = words(
        "● won, ○ lost, created from {period}, {at}; 95 % intervals; ≈ no difference that can be told",
        period=answers.dates, at=at,
    )  # fmt: skip
    if "deal_type" not in frame.columns:
        return told
    return f"{value_label('deal_type', frame['deal_type'][0], words)}{words(': ')}{told}"


def _of_types(frame: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """The deal types selected, or all; each is compared apart, as they are won in different ways."""
    selected = answers.view.selection.get("deal_type")
    if "deal_type" not in frame.columns or not selected:
        return frame
    return frame.filter(pl.col("deal_type").cast(pl.String).fill_null("").is_in(list(selected)))


def _one_type(frame: pl.DataFrame) -> pl.DataFrame:
    """The deal type with the most deals compared."""
    if "deal_type" not in frame.columns or frame.is_empty():
        return frame
    most = frame.sort(pl.col("n_won") + pl.col("n_lost"), descending=True, maintain_order=True)["deal_type"][0]
    return frame.filter(pl.col("deal_type").eq_missing(most))


def _multiplicity(frame: pl.DataFrame, words: Words) -> str:
    compared, found = frame.select(pl.col("n_compared").max().fill_null(0), pl.col("is_difference").sum()).row(0)
    by_luck = words.number(compared * 0.05, 0)
    told = words(
        "{n} differences looked at together: about {luck} would differ by luck alone if each were judged for itself. "
        "Judged together, {found} differ. An association, not a cause.",
        n=words.number(compared), luck=by_luck, found=words.number(found),
    )  # fmt: skip
    if compared <= 1:
        told = words("One difference at most could be looked at. An association, not a cause.")
    if "deal_type" not in frame.columns:
        return told
    apart = words(
        "Deal types are compared apart; the figures above show one, and the filters at the top choose another."
    )
    return f"{told} {apart}"


def _written(column: str, value: Any, row: Mapping[str, Any], words: Words) -> str:
    """A value of the table, shares in per cent and their difference in points."""
    of = column.removesuffix("_low").removesuffix("_high")
    if value is None or of not in ("won", "lost", "difference"):
        return cell(column, value, words, "")
    if row["is_share"]:
        return words.points(value, 1) if of == "difference" else words.percent(value, 1)
    return words.number(value, 2 if row["unit"] == words("per deal") else 1)


def _told(row: Mapping[str, Any], words: Words) -> str:
    """What is said beside a line: the difference where it may be called one."""
    if row["difference"] is None:
        return words("too few")
    if not row["is_difference"]:
        return "≈"
    if row["unit"] == "share":
        return words.points(row["difference"])
    sign = "+" if row["difference"] > 0 else ""
    return f"{sign}{words.number(row['difference'], 1 if row['unit'] == 'per deal' else 0)}"
