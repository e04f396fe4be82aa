"""What one seller is paid, told: by period, line by line, and on which deals. Computes no number."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Nothing, Notice
from cadran.figures.columns import cell
from cadran.figures.columns_planned import CREDITED, STEPS
from cadran.figures.controls import TableView
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.tables.problems import Problem

#: Columns of the tables.
PAYOUTS = ("paid_in", "quota_amount", "credited_amount", "attainment", "target_pay", "pay")
LINES = (
    "paid_in", "line", "pay_step", "pay_measure", "of_period", "base_amount", "quota_amount", "target_pay", "pay_rate", "pay",
)  # fmt: skip
DEALS = ("paid_in", "date", "opportunity_id", "credit_kind", "pay_measure", "credit_share", "credited_amount")
#: Those told to the cent; of measures that count deals, two are numbers of deals.
_CENTS, _COUNTED = (
    {"base_amount", "quota_amount", "credited_amount", "target_pay", "pay"},
    {"base_amount", "credited_amount"},
)


def slip(
    answers: Answers,
    seller: str,
    payouts: pl.DataFrame,
    lines: pl.DataFrame,
    deals: pl.DataFrame,
    of_deals: Collection[str] = (),
    counted_from: date | None = None,
) -> dict[str, Block]:
    """What a seller is paid.

    Args:
        answers: Of the page.
        seller: Name.
        payouts: Their rows, as `Payout`.
        lines: As `PayLine`; those of a period add up to its payout.
        deals: Those credited, as `PayCredit`.
        of_deals: Names of the measures that count deals, not amounts.
        counted_from: First day of what tiers count, where that is more than the period paid.
    """
    words = answers.words
    title = words("What {seller} is paid", seller=seller)
    if payouts.is_empty():
        return {"pay_slip": Notice(words("Nothing is paid yet."), title, "empty")} | dict.fromkeys(
            ("pay_lines", "pay_deals"), Nothing()
        )
    spans = {row["period"]: _span(answers, row) for row in payouts.iter_rows(named=True)}

    def writes(column: str, value: Any, row: Mapping[str, Any]) -> str:
        if column == "paid_in":
            return spans.get(value) or words.date(value)
        if column == "pay_step":
            return words(STEPS[value]) + (f" {row['tier']}" if row["tier"] else "")
        if column == "credit_kind":
            return words(CREDITED[value])
        if column in _COUNTED and row.get("pay_measure") in of_deals and value is not None:
            return words.number(value)
        if column in _CENTS:
            return words.cents(value, answers.currency)
        return "" if value is None else cell(column, value, words, answers.currency)

    def table(slot: str, rows: pl.DataFrame, title: str, said: str, columns: tuple[str, ...]) -> Table:
        view = answers.view.tables.get(slot, TableView())
        return Table(rows, title, words, answers.currency, view, said, columns=columns, writes=writes)

    added = words("The lines of a period add up to what is paid, to the cent")
    if counted_from:
        added += words("; base, quota and variable of a tier are those since {day}, and what earlier periods earned is taken off",
                       day=words.date(counted_from))  # fmt: skip
    named = {"step": "pay_step", "measure": "pay_measure", "rate": "pay_rate", "period": "paid_in"}
    credited = deals.rename(
        {"counts_in": "paid_in", "kind": "credit_kind", "share": "credit_share", "measure": "pay_measure"}
    )
    return {
        "pay_slip": table("pay_slip", payouts.rename({"period": "paid_in"}), title,
                          words("Variable pay by the plan in force, period by period"), PAYOUTS),
        "pay_lines": table("pay_lines", lines.rename(named), words("How it comes about"), added, LINES),
        "pay_deals": table("pay_deals", credited.sort("paid_in", "date", descending=True), words("The deals it rests on"),
                           words("Credited to the owner at the closing, or as a split says"), DEALS),
    }  # fmt: skip


def closed(answers: Answers, why: Problem) -> dict[str, Block]:
    """Why nobody's pay is told."""
    said = Notice(why.told(answers.words), answers.words("What each seller is paid"), "little")
    return nobody() | {"pay_slip": said, "paid_of": Nothing()}


def nobody() -> dict[str, Block]:
    """Nothing, while no seller is chosen."""
    return dict.fromkeys(("pay_slip", "pay_lines", "pay_deals"), Nothing())


def _span(answers: Answers, row: Mapping[str, Any]) -> str:
    words = answers.words
    told = f"{words.date(row['period'])} – {words.date(row['until'])}"
    return told if row["is_complete"] else f"{told} ({words('so far')})"
