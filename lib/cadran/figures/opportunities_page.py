"""The Opportunities page: what can be set on it, and how measured frames become its parts. Formats; computes nothing."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cadran.figures import opportunities as draw
from cadran.figures.asked import DIMENSIONS, book_controls, is_corrected
from cadran.figures.blocks import Block, Lines, Notice
from cadran.figures.columns import label
from cadran.figures.controls import Choice, TableView
from cadran.figures.facts import Facts, footer
from cadran.figures.figure import Figure
from cadran.figures.filters import Detail, Filters, Selection
from cadran.figures.opportunities_answers import Answers
from cadran.figures.opportunities_lead import headlines, sentences
from cadran.figures.page import Page
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem
from cadran.text import Words

__all__ = [
    "COLUMNS", "DIMENSIONS", "Answers", "effects", "figures", "headlines", "is_corrected", "listing", "open_page",
    "pipeline_figures", "sentences",
]  # fmt: skip

PLACES = (
    ("selection",), ("filters",), ("sentences",), ("headlines",), ("months", "groups"), ("bridge", "stock"),
    ("clients", "cycles"), ("quarters", "effects"), ("detail",), ("deals",), ("footer",),
)  # fmt: skip
#: Columns of the table of deals.
DEALS: tuple[str, ...] = (
    "opportunity_id", "client", "team", "seller", "product", "deal_type", "stage", "status", "amount",
    "expected_close_date", "closed_date",
)  # fmt: skip
#: Dimensions of time on which a click selects.
TIMES = ("closed_month", "closed_quarter")
#: Columns of `Book.deals` that the page asks for again and again.
COLUMNS = (
    *DEALS, *DIMENSIONS, *TIMES, "created_date", "account_id", "group_id", "is_no_decision", "cycle_days", "n_pushes",
    "loss_reason", "competitor", "forecast_category", "closed_at",
)  # fmt: skip


def open_page(facts: Facts, words: Words, query: Mapping[str, str | list[str]]) -> Page:
    """The page before anything is computed."""
    units = (
        {"amount": words("Amounts, {currency}", currency=facts.currency)}
        | {code: words("Amounts, {currency}", currency=code) for code in facts.currencies}
        | {"n": words("Deals")}
    )
    controls = book_controls(facts, words, Choice("unit", words("Show"), units, "amount", shortcut="u", is_plain=True))
    selectable = [*facts.dimensions, "client", "cause", *TIMES]
    return Page(words("Opportunities"), words, controls, selectable, PLACES, query)


def figures(answers: Answers) -> dict[str, Block | Figure]:
    """The figures over the period."""
    words, view, dates = answers.words, answers.view, answers.dates
    by, group = view["by"], label(view["by"], words)
    is_money, what = answers.unit("months", {"n_won": "n_won_unknown", "n_lost": "n_lost_unknown"})
    grey = words("grey: the same months a year before")
    drawn = {
        "months": answers.draw(
            "months", draw.volumes_over_time, words("Won above the line, lost below, by month of closing"),
            f"{what} · {grey}", dimension="closed_month", by="closed_month", frames={"before": answers.frame("months_then")},
            won="amount_won" if is_money else "n_won", lost="amount_lost" if is_money else "n_lost",
        ),
        "groups": answers.draw(
            "groups", draw.win_rate_by, words("Win rate by {group}", group=group.lower()),
            f"{words('Won ÷ (won + lost), deals closed from {period}, 95 % interval', period=dates)}", dimension=by, by=by,
        ),
        "quarters": answers.draw(
            "quarters", draw.win_rate_over_time, words("Win rate by quarter of closing"),
            words("Won ÷ (won + lost), with its 95 % interval; ▼ what the team did"), dimension="closed_quarter",
            by="closed_quarter",
        ),
        "clients": answers.draw(
            "clients", draw.largest_clients, words("The clients that bring most"),
            words("Signed revenue from {period}; beside it the share of all revenue down to that client", period=dates),
            dimension="client",
        ),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def pipeline_figures(answers: Answers) -> dict[str, Block | Figure]:
    """The figures that take longer: the open pipeline, and the cycle by group."""
    words = answers.words
    moves_money, moved = answers.unit("bridge", {"n": "n_unknown"})
    stands_money, stood = answers.unit("stock", {"n_open": "n_open_unknown"})
    since, until = (words.date(day) for day in answers.period)
    by, dates = answers.view["by"], answers.dates
    group = label(by, words)
    past = words("as corrected since") if is_corrected(answers.view) else words("as it was known on each date")
    drawn = {
        "bridge": answers.draw(
            "bridge", draw.bridge, words("From the pipeline of {since} to that of {until}", since=since, until=until),
            f"{moved} · {words('one cause per deal; the causes add up exactly')}", dimension="cause",
            value="amount" if moves_money else "n",
        ),
        "stock": answers.draw(
            "stock", draw.pipeline_over_time, words("Open pipeline at the end of each month"),
            f"{stood} · {past}", value="amount_open" if stands_money else "n_open",
        ),
        "cycles": answers.draw(
            "cycles", draw.cycle_by, words("Sales cycle of won deals by {group}", group=group.lower()),
            words("Days from creation to signature: median, and what one deal in ten exceeds; closed from {period}",
                  period=dates), dimension=by, by=by,
        ),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def effects(answers: Answers) -> dict[str, Block]:
    """What the team did, and what it changed in the win rate, or why that cannot be told."""
    words, title = answers.words, answers.words("What the team did, and what it changed")
    frame = answers.frame("effects")
    if isinstance(frame, Problem):
        return {"effects": Notice(frame.told(words), title, "little")}
    if frame.is_empty():
        return {"effects": Notice(words("No action of the team is recorded for these years."), title, "empty")}
    lines = [
        (words.date(row["date"]), ": ".join(filter(None, [row["label"], row["scope_id"]])), _effect(row, words))
        for row in frame.filter(pl.col("quantity") == "win_rate").iter_rows(named=True)
    ]
    subtitle = words("Win rate after less before, less the same among the others; a comparison, not a proof")
    return {"effects": Lines(title, subtitle, lines)}


def _effect(row: Mapping[str, Any], words: Words) -> str:
    if row["effect"] is None:
        return words("cannot be told: {reason}", reason=words(row["reason"] or row["verdict"]))
    change, low, high = (words.points(row[name]) for name in ("effect", "effect_low", "effect_high"))
    verdict = (
        "too little to be called a change" if not row["is_change"] else "a rise" if row["effect"] > 0 else "a fall"
    )
    return f"{change} ({low} {words('to')} {high}){words(', ')}{words(verdict)}"


def listing(answers: Answers, deals: pl.DataFrame) -> dict[str, Block | Figure]:
    """What is selected, the filters, the deals, the one deal opened, and where all this comes from."""
    words, view, facts, currency = answers.words, answers.view, answers.facts, answers.currency
    deals = answers.converted(deals)
    opened = deals.filter(pl.col("opportunity_id") == view.open) if view.open else deals.head(0)
    row = opened.row(0, named=True) if opened.height else None
    columns = tuple(name for name in DEALS if name in deals.columns and deals[name].null_count() < max(deals.height, 1))
    return {
        "selection": Selection(view.selection, deals.height),
        "filters": Filters({name: answers.of[name] for name in facts.dimensions}),
        "detail": Detail(row, words("Deal {id}", id=view.open or ""), currency),
        "deals": Table(
            deals, words("Deals"), words, currency, view.tables.get("deals", TableView(sort="-amount")),
            words("Open on {day}, or closed from {period}", day=words.date(view.day("as_of")), period=answers.dates),
            key="opportunity_id", columns=columns,
        ),
        "footer": footer(facts, words, *_rate(answers), *_organisation(answers), *_past(answers)),
    }  # fmt: skip


def _rate(answers: Answers) -> list[str]:
    """At what rate amounts are converted, if they are."""
    words, shown, own = answers.words, answers.currency, answers.facts.currency
    if shown == own:
        return []
    rate, day = words.number(answers.rates[shown], 4), words.date(answers.view.day("as_of"))
    return [words("1 {shown} = {rate} {own}, the last rate known on {day}", shown=shown, rate=rate, own=own, day=day)]


def _organisation(answers: Answers) -> list[str]:
    """What today's organisation cannot say, where it is asked for."""
    if answers.view["organisation"] != "today":
        return []
    return [answers.words("today's organisation: sellers who left keep the last team and region they had")]


def _past(answers: Answers) -> list[str]:
    """Whether the past is told as known then or as corrected, where that makes a difference."""
    words, n = answers.words, answers.facts.n_corrected
    if not n:
        return []
    if is_corrected(answers.view):
        return [words.n("as corrected since ({n} row corrected or entered late)",
                        "as corrected since ({n} rows corrected or entered late)", n)]  # fmt: skip
    return [words.n("as known then ({n} row corrected or entered late since)",
                    "as known then ({n} rows corrected or entered late since)", n)]  # fmt: skip
