"""When to hire, told: how the frames of the capacity plan become parts of the Resources page. Computes no number."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cadran.figures import resources_hiring as draw
from cadran.figures.blocks import Block, Lines, Notice
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_forecast import Whom
from cadran.figures.table import Table
from cadran.figures.told import with_finding

Parts = dict[str, Block | Figure]
#: Cases of the plan -> words.
CASES = {"best": "Best case", "base": "Base case", "worst": "Worst case"}
#: What a plan rests on: its key -> words.
BASIS = {
    "hours_per_open_deal": "Hours an open deal takes a month", "hours_per_new_deal": "Hours a new deal takes",
    "past_load_share": "Load of the past", "logged_share": "Share of the hours that is logged",
    "ramp_months": "Months until new sellers are useful", "yearly_attrition_share": "Sellers who leave in a year",
    "revenue_per_seller_month": "Revenue a tenured seller signs a month", "hours_per_week": "Hours a week",
    "selling_share": "Share of hours for deals", "other_share": "Share of hours for other work",
    "useful_share": "A new seller is useful from", "notice_months": "Notice, months",
    "recruiting_days": "Days recruiting takes", "monthly_cost": "Cost of a seller a month", "margin": "Margin",
    "threshold": "Chance of shortage that counts", "leave_days": "Days of leave a year",
    "recruiting_pace": "Months of recruiting in a year",
}  # fmt: skip
SOURCES = {"learnt": "learnt from the book", "stated": "stated in the plan", "assumed": "assumed"}
HIRES = (
    "who",
    "case_label",
    "shortage_month",
    "hire_by",
    "start_month",
    "n_hires",
    "days_late",
    "help_month",
    "n_peaks",
)


def shortage(answers: Answers, months: pl.DataFrame, level: str = "region") -> Parts:
    """Chance of shortage of each region and month; `months` is as `CapacityMonth` has it."""
    words, title = answers.words, answers.words("Where sellers will lack time")
    rows = _labelled(answers, months.filter(pl.col("level") == level).drop_nulls("p_shortage"))
    said = words("Chance that deals take more hours than sellers have; framed: enough to hire, in the month and in the three from "
                 "it on together")  # fmt: skip
    if rows.is_empty():
        return {
            "shortage": Notice(words("Nobody sells in any region: there is no capacity to tell of."), title, "empty")
        }
    drawn = draw.shortage(
        rows, words=words, currency=answers.currency, title=title, subtitle=said, by="label", dimension="label"
    )
    return {"shortage": with_finding(drawn)}


def ahead(answers: Answers, months: pl.DataFrame, whom: Whom) -> Parts:
    """Hours of work against hours there are, and revenue forecast against what sellers usually sign."""
    words, mine = answers.words, whom.of(months)
    hours, money = words("Load against capacity"), words("Forecast against what these sellers usually sign")
    if mine.is_empty():
        none = words("No capacity is told of {whom}.", whom=whom.told(answers))
        return {"ahead": Notice(none, hours, "empty")}
    style = {"words": words, "currency": answers.currency}
    said = words(
        "{whom}; blue: hours that deals bring; dark: hours that sellers have; 95 % bands", whom=whom.first(answers)
    )
    drawn: Parts = {"ahead": with_finding(draw.ahead(mine, title=hours, subtitle=said, **style))}  # type: ignore[arg-type]
    if mine["bookings_capacity"].count() and mine["bookings"].count():
        said = words("{whom}; blue: forecast, 95 % band; dark: at the pace of the past, new sellers counted as they grow",
                     whom=whom.first(answers))  # fmt: skip
        drawn["bookings_capacity"] = with_finding(draw.bookings_capacity(mine, title=money, subtitle=said, **style))  # type: ignore[arg-type]
    else:
        few = words("Too few sellers have signed revenue to tell what they usually sign.")
        if not mine["bookings"].count():
            few = words("No forecast is told of {whom} alone: it would tell of one person.", whom=whom.told(answers))
        drawn["bookings_capacity"] = Notice(few, money, "little")
    return drawn


def hires(answers: Answers, hire_by: pl.DataFrame) -> Parts:
    """By when to begin to recruit, where and how many: the base case drawn, all cases in a table."""
    words, title, day = answers.words, answers.words("By when to recruit"), answers.view.day("as_of")
    regions = _labelled(answers, hire_by.filter(pl.col("level") == "region"))
    short = regions.filter((pl.col("case") == "base") & pl.col("shortage_month").is_not_null())
    if short.is_empty():
        none = words("No region is likely to lack time for long: nobody needs to be hired for load.")
        told: Parts = {"hire_by": Notice(none, title, "empty")}
    else:
        texts = [words.n("{n} hire", "{n} hires", n) if n else words("too late to help") for n in short["n_hires"]]
        rows = short.with_columns(told=pl.Series(texts, dtype=pl.String), today_date=pl.lit(day))
        said = words(
            "▶ recruit from, ● start, ▼ short of time; dashed: the day of the data; orange: that day has passed"
        )
        drawn = draw.hire_by(rows, words=words, currency=answers.currency, title=title, subtitle=said)
        told = {"hire_by": with_finding(drawn)}
    rows = regions.filter(pl.col("shortage_month").is_not_null() | (pl.col("n_peaks") > 0))
    if rows.is_empty():
        return told
    rows = rows.with_columns(
        who="label", case_label=pl.col("case").cast(pl.String).replace_strict({k: words(v) for k, v in CASES.items()})
    )
    said = words(
        "Best case: a shortage counts from a chance of 80 %; worst case: from 20 %. Single months are for leave, not for hiring"
    )
    view = answers.view.tables.get("hires", TableView())
    columns = tuple(name for name in HIRES if rows[name].null_count() < rows.height)
    return told | {
        "hires": Table(rows, words("Hires, case by case"), words, answers.currency, view, said, columns=columns)
    }


def costs(answers: Answers, timing: pl.DataFrame, whom: Whom) -> Parts:
    """What hiring sooner or later than planned costs."""
    words, title = answers.words, answers.words("Too early against too late")
    rows = whom.of(timing)
    if rows.is_empty() and timing.height and whom.level == "company":
        whom = next((Whom("region", group) for group in _most(timing)), whom)
        rows = whom.of(timing)
    if rows.is_empty():
        return {"timing": Notice(words("No hire is planned for {whom}.", whom=whom.told(answers)), title, "empty")}
    is_costed = bool(rows["more"].count())
    told = {
        True: words("{whom}; salaries and lost margin against the plan, 95 % interval; pale: no longer possible",
                    whom=whom.first(answers)),
        False: words("{whom}; hours nobody has time for, 95 % interval; pale: no longer possible", whom=whom.first(answers)),
    }  # fmt: skip
    said = told[is_costed]
    if not rows["salary"].count() and answers.view["use"] != "present":
        said += words(". State monthly_cost and margin in plans/staffing.toml for amounts")
    drawn = draw.timing(rows, words=words, currency=answers.currency, title=title, subtitle=said, is_costed=is_costed)
    return {"timing": with_finding(drawn)}


def _most(timing: pl.DataFrame) -> list[str | None]:
    """The regions, the one that hires most first."""
    regions = timing.filter(pl.col("level") == "region").sort("n_hires", descending=True)
    return regions["group"].unique(maintain_order=True).to_list()


def ramp(answers: Answers, curve: pl.DataFrame) -> Parts:
    """What new sellers do, month by month."""
    words, title = answers.words, answers.words("How new sellers grow into the work")
    basis = SOURCES[str(curve["basis"].first())] if curve.height else "assumed"
    said = words("Share of a tenured seller's work; {basis}, {n}", basis=words(basis),
                 n=words.n("{n} new seller", "{n} new sellers", curve["n_hires"].max() or 0))  # type: ignore[arg-type]  # fmt: skip
    return {"ramp": with_finding(draw.ramp(curve, words=words, currency=answers.currency, title=title, subtitle=said))}


def basis(answers: Answers, rows: Sequence[Mapping[str, Any]]) -> Parts:
    """What the plan rests on: learnt, stated or assumed."""
    words = answers.words
    lines = [
        (_written(row, answers), words(BASIS.get(row["name"], row["name"])), words(SOURCES[row["basis"]]))
        for row in rows
        if row["value"] is not None
    ]
    said = words("Write plans/staffing.toml in the book's folder to state what is assumed")
    return {"basis": Lines(words("What the capacity plan rests on"), said, lines)}


def _written(row: Mapping[str, Any], answers: Answers) -> str:
    words, name = answers.words, row["name"]

    def write(x: float) -> str:
        if name.endswith("_share") or name in ("threshold", "margin"):
            return words.percent(x)
        if name.startswith("revenue") or name.endswith("_cost"):
            return answers.money(x)
        return words.number(x, 0 if x >= 10 else 1 if x >= 1 or not x else 2)

    if row["value_low"] is None or row["value_high"] is None:
        return write(row["value"])
    return words(
        "{value} ({low} to {high})",
        value=write(row["value"]),
        low=write(row["value_low"]),
        high=write(row["value_high"]),
    )


def next_hire(answers: Answers, hire_by: pl.DataFrame) -> tuple[str, Mapping[str, Any]]:
    """The sentence on what to recruit first, and its row; none where nobody is to be hired."""
    words = answers.words
    kept = (pl.col("level") == "region") & (pl.col("case") == "base") & (pl.col("n_hires") > 0)
    short = hire_by.filter(kept).drop_nulls("hire_by").sort("hire_by")
    if short.is_empty():
        return "", {}
    row = short.row(0, named=True)
    month, region, day = (
        words.month(row["shortage_month"]),
        row["group"] or words("Unknown"),
        words.date(row["hire_by"]),
    )
    n = words.n("{n} hire", "{n} hires", row["n_hires"])
    if row["days_late"] is not None:
        said = words("{region} is likely to lack time from {month}: recruiting should have begun by {day} ({hires}).",
                     region=region, month=month, day=day, hires=n)  # fmt: skip
    else:
        said = words("{region} is likely to lack time from {month}: begin to recruit by {day} ({hires}).", region=region,
                     month=month, day=day, hires=n)  # fmt: skip
    return said, row


def _labelled(answers: Answers, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of groups with their names as `label`."""
    return rows.with_columns(label=pl.col("group").fill_null(answers.words("Unknown")))
