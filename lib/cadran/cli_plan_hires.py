"""The command that plans hires: load against capacity, when to begin to hire, how many and where."""

import json
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.box import SIMPLE
from rich.table import Table

from cadran.asked import AsOfOption, BookOption, FormatOption, seen_book
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show, tell_purge, today, told_age, warn
from cadran.text import UNKNOWN, Words

words = reader_words()


class Level(StrEnum):
    """Of what groups it is told."""

    region = "region"
    team = "team"


class Part(StrEnum):
    """What of it is printed as lines."""

    months = "months"
    hire_by = "hire_by"
    hires = "hires"
    timing = "timing"
    basis = "basis"


#: What a plan rests on: how each is called, and in what its value is told.
TOLD = {
    "hours_per_open_deal": ("Hours a month of an open deal", "number"),
    "hours_per_new_deal": ("Hours more of a new deal", "number"),
    "past_load_share": ("Load of the last twelve months", "percent"),
    "logged_share": ("Logged, of the selling hours", "percent"),
    "ramp_months": ("Months until a new seller is useful", "number"),
    "yearly_attrition_share": ("Leave within a year", "percent"),
    "revenue_per_seller_month": ("Revenue of a seller and month", "money"),
    "hours_per_week": ("Hours a week", "number"),
    "selling_share": ("Share of the time that goes into deals", "percent"),
    "other_share": ("Share of work that concerns no single deal", "percent"),
    "useful_share": ("Useful from this share of a tenured seller's work", "percent"),
    "notice_months": ("Notice, months", "number"),
    "recruiting_days": ("Recruiting, business days", "number"),
    "monthly_cost": ("Monthly cost of a seller", "money"),
    "margin": ("Margin", "percent"),
    "threshold": ("Short from this chance on", "percent"),
    "leave_days": ("Days of leave a year", "number"),
    "recruiting_pace": ("Months of recruiting in a year", "number"),
}
SOURCES = {"learnt": "learnt from the book", "stated": "stated in the plan", "assumed": "assumed"}
#: Share of the selling hours beyond which logged touches cannot all be those of the sellers.
MOST_LOGGED = 1.2
HEADS = ("What it rests on", "Value", "95 %", "Source", "From how many")


def hires(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=words("The plan of the staff; default: plans/staffing.toml.")),
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=18, help=words("Months ahead."))] = 12,
    by: Annotated[Level, typer.Option(help=words("Region or team."))] = Level.region,
    part: Annotated[
        Part | None, typer.Option("--show", help=words("With --format csv: what of it, the months by default."))
    ] = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say when a region runs short of sellers, by when to hire, how many and where."""
    from cadran.models.capacity import basis, capacity, staffing_of

    if part and format is not Format.csv:
        raise Problem("--show says nothing without --format csv: all of it is told.", "Leave it out.")
    words, opened = reader_words(), seen_book(book, as_of)
    staffing = staffing_of(opened, horizon, file)
    found = capacity(opened, horizon, staffing)
    assert found is not None  # it was waited for
    if n := len(staffing.set_aside):
        left_out = words.n(
            "{n} entry of the plan is left out; the rest goes on:",
            "{n} entries of the plan are left out; the rest goes on:",
            n,
        )
        warn([left_out, *(problem.told(words) for problem in staffing.set_aside)])
    if found.why_not is not None:
        warn([found.why_not.told(words)])
    levels = ("company", by.value)
    frames = {
        "basis": basis(found.plan.force), "months": found.plan.frame(levels),
        **{name: getattr(found, name).filter(pl.col("level").is_in(levels)) for name in ("hire_by", "hires", "timing")},
    }  # fmt: skip
    currency = opened.settings.currency
    warn([] if as_of else told_age(opened, today(), words))
    if format is Format.json:
        told = {"book": opened.settings.name, "as_of": opened.day, "currency": currency, "by": by.value,
                "assumed": staffing.assumed, "set_aside": [problem.told(words) for problem in staffing.set_aside],
                **{name: frame.to_dicts() for name, frame in frames.items()}}  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))
        return
    if format is Format.csv:
        show(frames[part or Part.months], format, words)
        return
    out.print(f"[bold]{words('Capacity and hires')}[/] · {opened.settings.name} · {words.date(opened.day)}")
    tell_purge(opened, words)
    _tell_months(frames["months"], words)
    _tell_hires(
        frames["hire_by"], frames["hires"], frames["months"].filter(pl.col("level") == by.value), by.value, words
    )
    for sentence in _reasons(found, frames["hire_by"], words):
        out.print(sentence, highlight=False, soft_wrap=True, style="dim")
    _tell_timing(frames["timing"], currency, words)
    _tell_basis(frames["basis"], currency, words)


def _tell_months(months: pl.DataFrame, words: Words) -> None:
    """Load over capacity and the chance of shortage: a line per month, a column per group."""
    groups = list(dict.fromkeys(months.select("level", "group", "region").iter_rows()))
    table = Table(
        words("Load and chance of shortage"), *(_name(group[0], group[1], words) for group in groups), box=SIMPLE
    )
    for month, rows in months.group_by("month", maintain_order=True):
        of = {(row["level"], row["group"], row["region"]): row for row in rows.iter_rows(named=True)}
        table.add_row(words.month(month[0]), *(_cell(of[group], words) for group in groups))
    out.print(table, soft_wrap=True, crop=False)


def _cell(row: dict[str, Any], words: Words) -> str:
    if row["p_shortage"] is None:
        return UNKNOWN
    told = f"{words.percent(row['load'])} · {words.percent(row['p_shortage'])}"
    return f"[bold red]{told}[/]" if row["is_short"] else told


def _name(level: str, group: str | None, words: Words) -> str:
    return words("Company") if level == "company" else (group or words("unknown"))


def _tell_hires(hire_by: pl.DataFrame, listed: pl.DataFrame, months: pl.DataFrame, level: str, words: Words) -> None:
    """When to begin, and how many: a line per group, best, base and worst case beside one another."""
    level_name = {"region": words("Region"), "team": words("Team")}[level]
    table = Table(
        level_name, words("Sellers"), words("Short from"), words("Begin to hire by"), words("Hires"), words("Start"),
        words("Best case"), words("Worst case"), box=SIMPLE,
    )  # fmt: skip
    ends = months.group_by("group", "region").agg(first=pl.col("n_sellers").first(), last=pl.col("n_sellers").last())
    there = {
        (group, region): f"{words.number(first, 0)} → {words.number(last, 0)}"
        for group, region, first, last in ends.iter_rows()
    }
    for (group, region), rows in hire_by.group_by("group", "region", maintain_order=True):
        cases = {row["case"]: row for row in rows.iter_rows(named=True)}
        mine = listed.filter(pl.col("group").eq_missing(pl.lit(group)), pl.col("region").eq_missing(pl.lit(region)))
        starts = words.list([f"{row['n']} × {words.month(row['start_month'])}" for row in mine.iter_rows(named=True)])
        base = cases["base"]
        many = _many(base, months["month"].max(), words)
        told = [words.month(base["shortage_month"]), _by(base, words), many, starts]
        name = group or words("unknown")
        table.add_row(name, there[group, region], *told, *(_short(cases[each], words) for each in ("best", "worst")))
    out.print(table, soft_wrap=True, crop=False)


def _many(row: dict[str, Any], last: Any, words: Words) -> str:
    """How many, and why none where there is a shortage all the same."""
    if row["n_hires"] or row["shortage_month"] is None:
        return words.number(row["n_hires"])
    is_beyond = row["help_month"] is not None and row["help_month"] > last
    why = words("beyond the horizon") if is_beyond else words("over before they help")
    return f"{words.number(0)} ({why})"


def _by(row: dict[str, Any], words: Words) -> str:
    """The day to begin by, and how late it is."""
    if row["days_late"] is None:
        return words.date(row["hire_by"])
    late = words.n("{n} day late", "{n} days late", row["days_late"])
    return f"[red]{words.date(row['hire_by'])}, {late}[/]"


def _short(row: dict[str, Any], words: Words) -> str:
    if row["shortage_month"] is None:
        return words("none")
    return f"{words.month(row['shortage_month'])} · {words.date(row['hire_by'])} · {words.number(row['n_hires'])}"


def _reasons(found: Any, hire_by: pl.DataFrame, words: Words) -> list[str]:
    """How to read it, and what it does not say."""
    staffing, day = found.plan.force.staffing, found.plan.force.day
    cases = {name: words.percent(each) for name, each in found.cases.items()}
    told = [
        words(
            "Load over capacity, then the chance that load exceeds it. Short: from {base} on, in the month and in the three "
            "months from it on together. Best case: from {best} on; worst case: from {worst} on.", **cases,
        ),
        words(
            "To begin by: shortage less {ramp} until useful, {notice} months of notice, and {days} business days of "
            "recruiting, of which those of slow months count less.",
            ramp=words.n("{n} month", "{n} months", found.useful), notice=words.number(staffing.notice_months),
            days=words.number(staffing.recruiting_days),
        ),
    ]  # fmt: skip
    if hire_by.filter(pl.col("case") == "base")["days_late"].count():
        first = _later(found.ready, found.useful)
        told.append(words(
            "Recruiting begun on {day} brings sellers in {ready}, useful from {useful} on: until then work has to be "
            "shared out, put off or dropped.",
            day=words.date(day + timedelta(days=1)), ready=words.month(found.ready), useful=words.month(first),
        ))  # fmt: skip
    if n := int(hire_by.filter(pl.col("case") == "base")["n_peaks"].sum()):
        told.append(words.n(
            "{n} more month of a group reaches it by itself, but not with those that follow: move leave or work, rather than "
            "hire for it.",
            "{n} more months of groups reach it by themselves, but not with those that follow: move leave or work, rather than "
            "hire for them.", n,
        ))  # fmt: skip
    told.append(words("Who leaves is not replaced unless a joiner is planned: these hires are also in their place."))
    return told


def _later(month: date, n: int) -> date:
    from cadran.measures.periods import month_after

    return month_after(month, n)


def _tell_timing(timing: pl.DataFrame, currency: str, words: Words) -> None:
    """What hiring sooner or later costs until the horizon: three months sooner to three months later."""
    if timing.is_empty():
        return
    heads = ("Hires begun", "Months paid", "Hours nobody has", "Revenue not carried", "Salary", "Against the plan")
    table = Table("", *map(words, heads), box=SIMPLE)
    for row in timing.filter(pl.col("shift_months").is_in([-3, -1, 0, 1, 3])).iter_rows(named=True):
        shift = row["shift_months"]
        when = words.n("{n} month later", "{n} months later", shift) if shift > 0 else words("as planned")
        when = words.n("{n} month sooner", "{n} months sooner", -shift) if shift < 0 else when
        when += "" if row["is_possible"] or shift >= 0 else f" ({words('too late for that')})"
        table.add_row(
            row["group"] or words("unknown"), when, words.number(row["seller_months"], 0),
            _ends(row, "hours_short", lambda x: words.number(x, 0)),
            _ends(row, "revenue_short", lambda x: words.money(x, currency)),
            words.money(row["salary"], currency), _ends(row, "more", lambda x: words.money(x, currency)),
        )  # fmt: skip
    out.print(table, soft_wrap=True, crop=False)
    told = words("Until the horizon. Revenue not carried: the share of load nobody has time for, of the revenue forecast; as if "
                 "all deals were dropped alike.")  # fmt: skip
    out.print(told, highlight=False, soft_wrap=True, style="dim")
    if timing["salary"].null_count():
        out.print(words("No salary is told: state hiring.monthly_cost in the plan."), style="yellow", soft_wrap=True)


def _ends(row: dict[str, Any], name: str, tell: Any) -> str:
    if row[name] is None:
        return UNKNOWN
    return f"{tell(row[name])} ({tell(row[f'{name}_low'])} … {tell(row[f'{name}_high'])})"


def _tell_basis(rows: pl.DataFrame, currency: str, words: Words) -> None:
    """What it rests on, assumptions in yellow."""
    table = Table(*map(words, HEADS), box=SIMPLE)
    for row in rows.iter_rows(named=True):
        title, unit = TOLD[row["name"]]

        def tell(x: float | None, unit: str = unit) -> str:
            if unit == "money":
                return words.money(x, currency)
            return words.percent(x) if unit == "percent" else UNKNOWN if x is None else words.number(x, 1)

        ends = UNKNOWN if row["value_low"] is None else f"{tell(row['value_low'])} … {tell(row['value_high'])}"
        table.add_row(
            words(title), tell(row["value"]), ends, words(SOURCES[row["basis"]]),
            UNKNOWN if row["n"] is None else words.number(row["n"]), style="yellow" if row["basis"] == "assumed" else None,
        )  # fmt: skip
    out.print(table, soft_wrap=True, crop=False)
    basis = dict(rows.select("name", "basis").iter_rows())
    share = rows.filter(pl.col("name") == "logged_share")["value"][0]
    told = []
    if basis["past_load_share"] == "assumed":
        told.append(words(
            "How full sellers are is assumed: logged touches fill {share} of the selling hours, too few to be all the work. "
            "State load.past_load or load.hours_per_open_deal in the plan before hiring on these dates.",
            share=words.percent(share),
        ))  # fmt: skip
    if share > MOST_LOGGED:
        told.append(words(
            "Logged touches fill {share} of the selling hours, more than there are: is time.selling_share too low, or do "
            "others than the sellers of the book log them?", share=words.percent(share),
        ))  # fmt: skip
    for sentence in told:
        out.print(sentence, style="yellow", soft_wrap=True)
