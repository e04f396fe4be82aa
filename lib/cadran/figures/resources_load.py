"""Who is loaded, told: how measured frames of load, balance, results and staff become parts of the Resources page."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cadran.figures import resources_loaded as draw
from cadran.figures.blocks import Block, Notice
from cadran.figures.columns import label, value_label
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_page import place_of
from cadran.figures.table import Table
from cadran.figures.told import with_finding

Parts = dict[str, Block | Figure]
#: Columns of the table of sellers: what they have, never how well they do it.
SELLERS = ("seller", "n_open", "n_overdue", "n_undated", "amount_open", "n_new")


def load(answers: Answers) -> Parts:
    """Open deals of each group or seller now, and how evenly they are shared."""
    words, by = answers.words, answers.view["by"]
    title = words("Open deals by {group}", group=_group(answers, by).lower())
    frame = answers.frame("load")
    now: Any = frame if not isinstance(frame, pl.DataFrame) else frame.filter(pl.col("until") == pl.col("until").max())
    held = answers.with_frames({"load": now})
    day = words.date(answers.view.day("as_of"))
    if by == "seller" and isinstance(now, pl.DataFrame):
        rows = now.filter((pl.col("n_open") > 0) | (pl.col("n_new") > 0)).sort("n_open", descending=True)
        said = words("Of sellers with open or new deals on {day}; new ones since the 1st of the month. What they have, not "
                     "how well they do it.", day=day)  # fmt: skip
        view = answers.view.tables.get("load", TableView())
        return {"load": Table(rows, title, words, answers.currency, view, said, columns=SELLERS)}
    said = words("On {day}; those past their expected date in orange", day=day)
    drawn = held.draw("load", draw.open_by, title, said, dimension=by, by=by)
    return {"load": with_finding(drawn)}


def balance(answers: Answers) -> Parts:
    """What the seller in the middle of each group has, beside the company's."""
    words, by = answers.words, place_of(answers)
    title = words("Open deals of the seller in the middle, by {group}", group=_group(answers, by).lower())
    frame, whole = answers.frame("balance"), answers.frame("balance_whole")
    if isinstance(frame, pl.DataFrame):
        frame = _of(frame, "open_deals").filter(pl.col("n_sellers") > 0)
        told = [_beyond(row, answers) for row in frame.iter_rows(named=True)]
        frame = frame.with_columns(told=pl.Series(told, dtype=pl.String))
    whole = _of(whole, "open_deals") if isinstance(whole, pl.DataFrame) else pl.DataFrame()
    said = words("Median of the sellers present; dashed: that of the company. Beside it: sellers, and how many have more "
                 "than 115 % ▲ or less than 85 % ▽ of their group's")  # fmt: skip
    held = answers.with_frames({"balance": frame})
    drawn = held.draw(
        "balance", draw.balance, title, said, dimension=by, by=by, is_money=False, frames={"whole": whole}
    )
    return {"balance": with_finding(drawn)}


def over_time(answers: Answers) -> Parts:
    """What came in and went out, and what was open, month by month."""
    words, where = answers.words, _where(answers)
    drawn = {
        "flows": answers.draw("load_whole", draw.flows, words("Deals in and out by month"),
                              words("New ones above the line, closed ones below; {where}", where=where), every="month"),
        "stock": answers.draw("load_whole", draw.stock, words("Open deals at the end of each month"),
                              words("As was known then; of them, those past their expected date; {where}", where=where),
                              every="month"),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def staff(answers: Answers) -> Parts:
    """How many sell, how long they have been there, what is logged of their work."""
    words, where = answers.words, _where(answers)
    drawn = {
        "heads": answers.draw("heads", draw.heads, words("Sellers present at the end of each month"),
                              words("Joined in blue, left in orange; {where}", where=where), every="month"),
        "touches": answers.draw("activity_load", draw.touches, words("Touches a seller, by month"),
                                words("As far as they were logged; {where}", where=where), every="month"),
        "tenure": _tenure(answers),
        "growth": _growth(answers),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _tenure(answers: Answers) -> Block | Figure:
    words, frame = answers.words, answers.frame("tenure")
    title = words("Deals won a month by time since hiring")
    said = words("Of sellers present in the period, with the 95 % interval; who stayed longest is not who learnt most")
    if isinstance(frame, pl.DataFrame):
        told = [words.n("{n} seller", "{n} sellers", n) for n in frame["n_sellers"]]
        labels = [value_label("tenure", each, words) for each in frame["tenure"]]
        frame = frame.with_columns(told=pl.Series(told, dtype=pl.String), label=pl.Series(labels, dtype=pl.String))
    return answers.with_frames({"tenure": frame}).draw("tenure", draw.tenure, title, said)


def _growth(answers: Answers) -> Block | Figure:
    words, frame = answers.words, answers.frame("growth")
    title = words("Growth within a year")
    if isinstance(frame, pl.DataFrame):
        told = [_told_growth(row, answers) for row in frame.iter_rows(named=True)]
        labels = [value_label("quantity", each, words) for each in frame["quantity"]]
        frame = frame.with_columns(told=pl.Series(told, dtype=pl.String), label=pl.Series(labels, dtype=pl.String))
        if not frame["growth"].count():
            return Notice(
                words("Too little is known to tell growth: it takes 12 months and 30 deals."), title, "little"
            )
    said = words("Fitted over the last 36 months or fewer, 95 % interval; in blue where it may be called a change")
    return answers.with_frames({"growth": frame}).draw("growth", draw.growth, title, said)


def _told_growth(row: Mapping[str, Any], answers: Answers) -> str:
    words = answers.words
    if row["per_month"] is None:
        return words("cannot be told")
    number = (
        answers.money(row["per_month"]) if row["quantity"] == "signed_revenue" else words.number(row["per_month"], 0)
    )
    return words("{n} a month", n=number)


def attainment(answers: Answers) -> Parts:
    """Signed against the target of the period begun, beside what is usual by that day."""
    words, by = answers.words, place_of(answers)
    title = words("Signed against target by {group}, {period}", group=_group(answers, by).lower(), period=answers.dates)
    frame = answers.frame("attainment")
    if isinstance(frame, pl.DataFrame):
        frame = frame.filter(pl.col("until") == pl.col("until").max())
        if frame.height and not frame["target"].count():
            return {"attainment": Notice(words("No target is set for this quarter."), title, "empty")}
        since = frame["period"].min() if frame.height else None
        title = words("Signed against target by {group}, {period}", group=_group(answers, by).lower(),
                      period=words.quarter(since))  # type: ignore[arg-type]  # fmt: skip
        told = [words.percent(share) if share is not None else "–" for share in frame["attainment"]]
        frame = frame.with_columns(
            told=pl.Series(told, dtype=pl.String), usual_amount=pl.col("target") * pl.col("expected_share")
        )
    said = words("Signed so far in dark, the target outlined; in blue what is usually signed by that business day")
    held = answers.with_frames({"attainment": frame})
    return {"attainment": with_finding(held.draw("attainment", draw.attainment, title, said, dimension=by, by=by))}


def _of(frame: pl.DataFrame, quantity: str) -> pl.DataFrame:
    return frame.filter(pl.col("quantity") == quantity)


def _beyond(row: Mapping[str, Any], answers: Answers) -> str:
    sellers = answers.words.n("{n} seller", "{n} sellers", row["n_sellers"])
    if row["n_above"] is None:
        return sellers
    return f"{sellers}  ▲ {answers.words.number(row['n_above'])}  ▽ {answers.words.number(row['n_below'])}"


def _group(answers: Answers, by: str) -> str:
    return label(by, answers.words)


def _where(answers: Answers) -> str:
    """Of whom a figure tells: what is selected, or all."""
    chosen = [name or answers.words("Unknown") for names in answers.view.selection.values() for name in names]
    if chosen:
        return answers.words.list(chosen)
    return answers.words("all that you see") if answers.facts.is_part else answers.words("whole company")
