"""The command that runs scenarios: one set of levers through deals, bookings, load, hires and pay."""

from enum import StrEnum
from math import nan
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import AsOfOption, BookOption, FormatOption, seen_book
from cadran.figures.columns_planned import LEVELS
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show, tell_purge, today, told_age, warn
from cadran.text import UNKNOWN, Words

words = reader_words()
scenario = typer.Typer()


class Part(StrEnum):
    """What of scenarios is printed."""

    totals = "totals"
    months = "months"
    sensitivity = "sensitivity"


#: What a scenario is told in, and its levers, as readers say them.
SAID = {
    "bookings": "Signed revenue", "wins": "Deals won", "p_target": "Chance to reach the target",
    "load_peak": "Load in the fullest month", "p_shortage": "Greatest chance of a lasting shortage",
    "n_sellers": "Sellers in the last month", "hires_needed": "Hires called for", "pay": "Variable pay",
    "pay_share": "Variable pay in signed revenue",
    "win_odds": "Odds of winning", "size": "Size of deals", "cycle": "Time deals take", "arrivals": "New deals",
    "answer_hours": "Clients are answered within", "ramp": "Time new sellers need", "attrition": "Sellers who leave",
    "quota": "Quotas",
}  # fmt: skip


@scenario.command(
    "scenario",
    help=words(
        "Run up to three scenarios beside things as they are: signed revenue, load, hires and pay, in the same futures."
    ),
)
def scenario_(
    file: Annotated[
        Path | None, typer.Argument(help=words("Its levers, a TOML file; by default the book's own scenarios.toml."))
    ] = None,
    horizon: Annotated[int, typer.Option(help=words("Months ahead, 1 to 12."))] = 12,
    part: Annotated[Part, typer.Option("--show", help=words("What of it to print."))] = Part.totals,
    of: Annotated[
        str,
        typer.Option(help=words("With --show sensitivity, what the levers move: bookings, wins, load_peak, pay, …")),
    ] = "bookings",
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Run scenarios beside things as they are."""
    from cadran.models.forecast import check_horizon
    from cadran.models.plan_file import plan_there
    from cadran.models.pulls import Held
    from cadran.models.scenario import STEPS, chain
    from cadran.models.scenario_levers import AS_IS, BASELINE, FILE, read_scenarios
    from cadran.tables.toml_file import read_toml

    words, opened = reader_words(), seen_book(book, as_of)
    if of != "bookings" and part is not Part.sensitivity:
        raise Problem("--of says nothing without --show sensitivity.", "Leave it out.")
    path = file or plan_there(opened, FILE)
    if path is None and part is not Part.sensitivity:
        raise Problem("No scenario is named, and the book has no {file} among its plans.",
                      "Name a file: docs/scenarios.md says what it holds.", file=FILE)  # fmt: skip
    check_horizon(horizon)
    if path is not None:
        read_toml(path)  # what is no TOML is told before minutes of work
    whole = chain(opened)
    assert whole is not None  # it was waited for
    made = whole.within(horizon)
    asked = {} if path is None else read_scenarios(path, made.segments, made.regions, tuple(made.plans), made.months)
    runs = {BASELINE: made.run(AS_IS)} | {name: made.run(levers) for name, levers in asked.items()}
    if part is Part.sensitivity and of not in runs[BASELINE].by_path:
        raise Problem("{of} is nothing that levers move here.", "Ask for one of: {names}.",
                      of=of, names=", ".join(runs[BASELINE].by_path))  # fmt: skip
    warn([] if as_of else told_age(opened, today(), words))
    if format is Format.table:
        out.print(f"[bold]{words('Scenarios')}[/] · {opened.settings.name} · {words.date(opened.day)}")
        tell_purge(opened, words)
    warn([fault.told(words) for fault in made.faults])
    warn([f"{name}{words(': ')}{each}" for name, run in runs.items() for each in told_held(run.clamped, words)])
    told = []
    for name, run in runs.items():
        frame = {
            Part.totals: lambda run=run: run.totals(runs[BASELINE]),
            Part.months: lambda run=run: run.months,
            Part.sensitivity: lambda run=run: made.tornado(run.levers, of).with_columns(told_in=pl.lit(of)),
        }[part]()
        told.append(frame.select(pl.lit(name).alias("scenario"), pl.all()))
    rows = pl.concat(told)
    if part is Part.sensitivity:
        silent = [Held(lever, None, nan, nan) for lever in STEPS if lever not in rows["lever"]]
        warn(told_held(silent, words))
    show(_in_words(rows, words, opened.settings.currency) if format is Format.table else rows, format, words)


def told_held(held: Any, words: Words) -> list[str]:
    """Each lever that was pulled beyond what was ever seen, and where it is held."""
    return [
        words("{lever}{where}: {asked} goes beyond what this book ever showed; held at {held}.",
              lever=words(SAID[each.lever]), where=f", {each.group}" if each.group else "",
              asked=words.number(each.asked), held=words.number(each.held))
        if each.held == each.held
        else words("{lever}: this book does not tell what it would change; it is left as it is.",
                   lever=words(SAID[each.lever]))
        for each in held
    ]  # fmt: skip


_MONEY, _SHARES = ("bookings", "pay", "target"), ("p_target", "load_peak", "load", "p_shortage", "pay_share")


def _in_words(rows: pl.DataFrame, words: Words, currency: str) -> pl.DataFrame:
    """The rows as readers see them: each number in its unit, its interval behind it."""
    ends = ("_low", "_high", "_q25", "_q75")
    told = [_told(row, words, currency) for row in rows.iter_rows(named=True)]
    kept = [
        name
        for name in rows.columns
        if not name.endswith(ends) and name not in ("reason", "of", "less_value", "more_value")
    ]
    return pl.DataFrame(told, infer_schema_length=None).select(kept)


def _told(row: dict[str, Any], words: Words, currency: str) -> dict[str, Any]:
    """One row."""
    from cadran.models.scenario_levers import BASELINE

    def write(value: float | None, unit: str) -> str:
        if value is None:
            return UNKNOWN
        if unit in _MONEY:
            return words.money(value, currency)
        return words.percent(value) if unit in _SHARES else words.number(value, 1)

    def with_ends(name: str, unit: str) -> str:
        low, high = (row.get(f"{name}_{end}") for end in ("low", "high"))
        between = "" if low is None else f" ({write(low, unit)} {words('to')} {write(high, unit)})"
        return write(row[name], unit) + between

    if row["scenario"] == BASELINE:
        row["scenario"] = words("Things as they are")
    if "quantity" in row:
        unit = row["quantity"]
        more = UNKNOWN if row["more"] is None else with_ends("more", unit)
        value = words(row["reason"]) if row["reason"] else with_ends("value", unit)
        return row | {"quantity": words(SAID[unit]), "value": value, "more": more}
    if "lever" in row:
        sides = {
            side: UNKNOWN
            if row[side] is None
            else f"{words.number(row[f'{side}_value'])} → {with_ends(side, row['told_in'])}"
            for side in ("less", "more")
        }
        return row | {"lever": words(SAID[row["lever"]])} | sides
    numbers = ("bookings", "target", "load", "p_shortage", "n_sellers", "pay")
    row["level"] = words(LEVELS[row["level"]])
    return row | {name: with_ends(name, name) for name in numbers}
