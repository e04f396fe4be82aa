"""The commands of the forecast: what is to come, what it takes, what was forecast before, how good it would have been."""

import json
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from math import inf
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import (
    DAY,
    AsOfOption,
    BookOption,
    FormatOption,
    SinceOption,
    UntilOption,
    check_begun,
    check_period,
    seen_book,
)
from cadran.cli_models import backtest
from cadran.figures.columns_planned import CAUSES, LEVELS, PARTS
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show, tell_purge, today, told_age, warn
from cadran.text import Words

words = reader_words()
forecast = typer.Typer()


class By(StrEnum):
    """How fine a forecast is told."""

    company = "company"
    region = "region"
    team = "team"
    rep = "rep"


class Every(StrEnum):
    """Periods of a forecast."""

    month = "month"
    quarter = "quarter"


class Part(StrEnum):
    """What of a backtest is printed."""

    scores = "scores"
    by_horizon = "by_horizon"
    by_level = "by_level"
    calls = "calls"


#: Quantiles that are left to scripts: what a person reads fits on a screen.
WIDE = ("q05", "q25", "q75", "q95")
#: Who forecasts, as readers say it.
WHO = {
    "blend": "Blend", "bookings": "Open and coming deals", "series": "Series of the past", "average": "Mean of two years",
    "seasonal_naive": "Same month last year", "ets": "Exponential smoothing (statsmodels)",
    "crm": "Amount × stage probability", "commit": "Sellers: commit", "best_case": "Sellers: best case",
    "run_rate": "Run rate of three months",
}  # fmt: skip
#: What columns hold, as readers say it.
SAID = {"name": WHO, "candidate": WHO, "part": PARTS, "cause": CAUSES, "level": LEVELS}
#: Which options each way of asking does not look at.
UNUSED = {
    "--made": ("--by", "--target"), "--changed-since": ("--by", "--target", "--horizon"),
    "--calls": ("--by", "--target", "--horizon", "--every"),
}  # fmt: skip


@forecast.command(
    "forecast", help=words("Forecast signed revenue, beside what the CRM, the sellers and the calendar say of it.")
)
def forecast_(
    by: Annotated[By, typer.Option(help=words("How fine: persons only where they may be rated."))] = By.company,
    every: Annotated[Every, typer.Option(help=words("Months or quarters."))] = Every.month,
    horizon: Annotated[int, typer.Option(help=words("Months ahead within which periods end, 1 to 12."))] = 6,
    target: Annotated[
        float | None, typer.Option(help=words("A goal of the company for each period, in place of the book's."))
    ] = None,
    needed: Annotated[
        bool, typer.Option("--needed", help=words("How much more open pipeline would bring the targets within reach."))
    ] = False,
    made: Annotated[bool, typer.Option("--made", help=words("What the forecast is made of."))] = False,
    changed_since: Annotated[
        datetime | None,
        typer.Option("--changed-since", formats=DAY, help=words("Why it is not what it was on this day.")),
    ] = None,
    calls: Annotated[
        bool, typer.Option("--calls", help=words("What was forecast before, what came, and how good it was."))
    ] = False,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Forecast signed revenue."""
    words, opened = reader_words(), seen_book(book, as_of)
    asked = {"--needed": needed, "--made": made, "--calls": calls, "--changed-since": changed_since is not None}
    if sum(asked.values()) > 1:
        raise Problem("Only one of --needed, --made, --changed-since and --calls can be asked for at once.",
                      "Ask again for the other.")  # fmt: skip
    said = {"--by": by is not By.company, "--target": target is not None, "--horizon": horizon != 6,
            "--every": every is not Every.month}  # fmt: skip
    if idle := [option for way, options in UNUSED.items() if asked[way] for option in options if said[option]]:
        raise Problem(
            "{option} says nothing here: what is asked for does not look at it.", "Leave it out.", option=idle[0]
        )
    if target is not None and not 0 < target < inf:
        raise Problem("A target of {target} is no goal.", "Give an amount above 0.", target=target)
    if calls:
        _tell_calls(opened, format, words)
        return
    from cadran.models.forecast import check_asked, foretold

    check_asked(opened, by, every, horizon)
    told = foretold(opened)
    assert told is not None  # it was waited for
    told.groups("company")  # refused before anything is told, if it is one person's
    currency = opened.settings.currency
    warn([] if as_of else told_age(opened, today(), words))
    if format is Format.table:
        out.print(f"[bold]{words('Forecast of signed revenue')}[/] · {opened.settings.name} · {words.date(opened.day)}")
        tell_purge(opened, words)
        _tell(told, words)
    if changed_since is not None:
        shown = _changed(told, changed_since.date(), every, format, words)
    elif needed:
        from cadran.models.forecast_needed import needed as needed_

        shown = needed_(told, by, every, horizon, target)
        if shown.is_empty():
            warn([words("No target is set for these periods: give one with --target.")])
    elif made:
        shown = told.made(every, horizon)
    else:
        shown = told.table(by, every, horizon, target)
        if shown.is_empty():
            line = words.n(
                "No {period} ends within {n} month: ask for a longer --horizon.",
                "No {period} ends within {n} months: ask for a longer --horizon.", horizon, period=words(every),
            )  # fmt: skip
            warn([line])
        _keep(told, words)
    show(_in_words(shown, words, currency) if format is Format.table else shown, format, words)


@backtest.command(
    "forecast", help=words("Say how good the forecast would have been on past month ends, beside simpler ones.")
)
def backtest_forecast(
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    part: Annotated[Part, typer.Option("--show", help=words("What of it to print."))] = Part.scores,
    seed: Annotated[int, typer.Option(min=0, help=words("The same seed draws the same futures."))] = 0,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say how good the forecast would have been."""
    from cadran.models.forecast_scores import scores, with_reasons
    from cadran.models.kept_forecasts import past_forecasts
    from cadran.models.one_person import of_groups

    check_period(since, until)
    words, opened = reader_words(), seen_book(book, as_of)
    past = past_forecasts(opened, since and since.date(), until and until.date(), seed)
    judged = of_groups(past.judged, opened)
    company = judged.filter(level="company")
    if format is Format.table:
        out.print(f"[bold]{words('Backtest of the forecast')}[/] · {opened.settings.name} · {words.date(opened.day)}")
        tell_purge(opened, words)
        line = words(
            "{n} month ends from {since} to {until}, up to six months ahead of each; at each, only what was known then.",
            n=words.number(company["origin"].n_unique()), since=words.date(past.since), until=words.date(past.until),
        )  # fmt: skip
        out.print(line, highlight=False, soft_wrap=True)
    shown = {
        Part.scores: lambda: with_reasons(scores(company, "blend"), past.silent),
        Part.by_horizon: lambda: scores(company, "blend", ("horizon",)),
        Part.by_level: lambda: scores(judged, "blend", ("level",)),
        Part.calls: lambda: judged.filter(pl.col("name") != "blend_raw"),
    }[part]()
    show(
        _in_words(_rounded(shown, words), words, opened.settings.currency) if format is Format.table else shown,
        format,
        words,
    )


def _tell(told: Any, words: Words) -> None:
    """What the table cannot say: who tells it, what it learnt from, and who is silent."""
    weights = [
        f"{words(WHO[name])} {words.percent(weight)}"
        for name, weight in zip(told.blend.names, told.blend.weights[0], strict=True)
    ]
    if told.why_no_past is not None:
        why = told.why_no_past.told(words).split("\n")[0]  # its repair is of the backtest's options
        lines = [words("Nothing could be learnt of earlier forecasts: {why}", why=why)]
    else:
        lines = [
            words("Next month: {weights}, as {n} forecasts of the past would have had it.",
                  weights=words.list(weights), n=words.number(told.blend.n)),
            words("Width of the intervals, as {n} forecasts of the past would have had it: {inner} times that of the parts "
                  "at 80 %, {outer} times at 95 %.",
                  inner=words.number(told.blend.widths[0], 2), outer=words.number(told.blend.widths[1], 2),
                  n=words.number(told.blend.n_widths)),
        ]  # fmt: skip
    for line in lines:
        out.print(line, highlight=False, soft_wrap=True, style="dim")
    source = told.seen.source
    if source is not None and (silent := int(source.silent["n"].sum())):
        line = words("Open deals of which no chance can be told, hence not counted: {n}.", n=words.number(silent))
        out.print(line, highlight=False, soft_wrap=True, style="yellow")
    if source is not None and source.n_unknown:
        line = words("Open deals without an amount, for which the amounts signed before stand: {n}.",
                     n=words.number(source.n_unknown))  # fmt: skip
        out.print(line, highlight=False, soft_wrap=True, style="dim")
    if source is not None and source.n_won_unknown:
        line = words("Deals signed this month without an amount, in no sum: {n}.", n=words.number(source.n_won_unknown))
        out.print(line, highlight=False, soft_wrap=True, style="yellow")
    beside = told.rivals()
    if beside.probability == "past" and "crm" not in beside.silent:
        out.print(words("The stages have no probability: the share won of the deals that passed through them stands for it."),
                  highlight=False, soft_wrap=True, style="dim")  # fmt: skip
    for name, problem in {**told.seen.silent, **beside.silent}.items():
        why = " ".join(problem.told(words).split("\n"))
        line = words("{name} says nothing: {why}", name=words(WHO.get(name, name)), why=why)
        out.print(line, style="yellow", markup=False, soft_wrap=True)


def _keep(told: Any, words: Words) -> None:
    """Keep the call, or say why it is not."""
    from cadran.models.calls import is_call, keep_call
    from cadran.models.said import said

    if is_call(told.book) and (problem := keep_call(told.book, lambda: said(told))):
        warn([problem.told(words)])


def _changed(told: Any, day: date, every: Every, form: Format, words: Words) -> pl.DataFrame:
    from cadran.models.forecast import foretold
    from cadran.models.forecast_changed import changed

    begins, until = told.periods(every, 12)[0]
    if day > told.book.day:
        raise Problem("{day:%Y-%m-%d} lies after the book's day.", "Ask for an earlier day.", day=day)
    check_begun(told.book, day)
    before = foretold(told.book.as_of(day), later=told.book)
    assert before is not None  # it was waited for
    if form is Format.table:
        line = words("Forecast of {since} – {until}, on {day} and now.", since=words.date(begins),
                     until=words.date(until), day=words.date(day))  # fmt: skip
        out.print(line, highlight=False, soft_wrap=True)
    return changed(told, before, begins, until)


def _tell_calls(opened: Any, form: Format, words: Words) -> None:
    from cadran.models.calls import calls, scored_calls

    told = calls(opened)
    scored = scored_calls(opened, told)
    if form is Format.json:
        both = {"scores": scored.to_dicts(), "calls": told.to_dicts()}
        typer.echo(json.dumps(both, ensure_ascii=False, indent=1, default=str))
        return
    if form is Format.table:
        out.print(f"[bold]{words('Forecasts that were made')}[/] · {opened.settings.name} · {words.date(opened.day)}")
        if told.is_empty():
            out.print(words("None is kept yet: each `cadran forecast` keeps one for each version of the book."))
            return
        if (judged := scored.filter(pl.col("n") > 0)).height:
            show(_in_words(_rounded(judged, words), words), form, words)
        told = told.filter(pl.col("level") == "company", pl.col("candidate") == "blend").drop("level", "group")
    show(_in_words(told, words, opened.settings.currency) if form is Format.table else told, form, words)


def _in_words(shown: pl.DataFrame, words: Words, currency: str = "") -> pl.DataFrame:
    """Names of candidates, parts and causes as readers say them, money as such, chances as shares; what nobody told is
    left out."""
    told = shown.with_columns(pl.col(name).replace(said) for name, said in SAID.items() if name in shown.columns)
    told = told.drop(name for name in told.columns if told.height and told[name].null_count() == told.height)
    told = told.drop(WIDE, strict=False)
    if "level" in told.columns and told["level"].n_unique() == 1:
        told = told.drop("level")
    write = {name: _write(name, words, currency) for name, kind in told.schema.items() if kind == pl.Float64}
    return told.with_columns(
        pl.Series(name, [None if each is None else write[name](each) for each in told[name]], pl.String)
        for name in write
    )


def _write(name: str, words: Words, currency: str) -> Callable[[float], str]:
    if name.startswith("p_") or name == "worth":
        return lambda value: words.percent(value)
    if name == "n_wins":
        return lambda value: words.number(value, 1)
    return lambda value: words.money(value, currency, compact=False)


def _rounded(shown: pl.DataFrame, words: Words) -> pl.DataFrame:
    """Figures with three decimals, each with its interval where it has one."""
    columns = []
    for name in shown.columns:
        if name.endswith(("_low", "_high")) or shown[name].null_count() == shown.height:
            continue
        if not shown[name].dtype.is_float() or name in ("mean", "actual", "scale"):
            columns.append(shown[name])
            continue
        columns.append(pl.Series(name, [_figure(row, name, words) for row in shown.iter_rows(named=True)], pl.String))
    return pl.DataFrame(columns)


def _figure(row: dict[str, Any], name: str, words: Words) -> str | None:
    if row[name] is None:
        return None
    ends = [row.get(f"{name}_{end}") for end in ("low", "high")]
    value = words.number(row[name], 3)
    return value if None in ends else f"{value} ({words.number(ends[0], 3)} – {words.number(ends[1], 3)})"
