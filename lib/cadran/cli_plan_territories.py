"""The command that says how evenly accounts are shared among sellers, and which few moves would even it out."""

import json
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
#: What is shared out, and whether it is money.
MEASURED = {
    "open_deals": ("open deals", False),
    "accounts": ("active accounts", False),
    "potential": ("expected revenue of open deals and a year's signed revenue", True),
    "employees": ("employees of active accounts", False),
    "annual_revenue": ("yearly turnover of active accounts", True),
}
#: So many of the heaviest moves are told in a terminal.
MOST_MOVES = 12


class Shown(StrEnum):
    """Which rows are printed."""

    teams = "teams"
    sellers = "sellers"
    moves = "moves"


def territories(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help=words("The rules, in TOML; the book's own plans/territories.toml by default.")
        ),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(help=words("What to share out: open_deals, accounts, potential, employees, annual_revenue.")),
    ] = None,
    tolerance: Annotated[float | None, typer.Option(help=words("Half the width of the band: 0.1 is ± 10%."))] = None,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=0.1, max=3600, help=words("Seconds after which the best found is given.")),
    ] = 30.0,
    moves: Annotated[Path | None, typer.Option(help=words("Also write the moves to this CSV file."))] = None,
    shown: Annotated[
        Shown | None, typer.Option("--show", help=words("Only these rows; as CSV, the moves by default."))
    ] = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say how evenly accounts are shared, and which few moves would even it out."""
    from cadran.figures.table import as_csv
    from cadran.models.territories_proposed import propose

    words, opened = reader_words(), seen_book(book, as_of)
    told = propose(opened, file, measure=measure, tolerance=tolerance, time_limit=time_limit)
    told.note(opened)
    frames = {"teams": told.teams, "sellers": told.balance, "moves": told.moves}
    if moves is not None:
        _write(moves, as_csv(told.moves, words))
    warn([] if as_of else told_age(opened, today(), words))
    if format is Format.json:
        conflicts = [problem.told(words).split("\n") for problem in told.found.conflicts]
        whole = told.summary | {"conflicts": [{"what": what, "repair": " ".join(more)} for what, *more in conflicts]}
        whole |= {name: frame.to_dicts() for name, frame in frames.items() if shown in (None, name)}
        typer.echo(json.dumps(whole, ensure_ascii=False, indent=1, default=str))
        return
    if format is Format.csv:
        show(frames[shown or "moves"], format, words)
        return
    out.print(f"[bold]{words('Territories')}[/] · {opened.settings.name} · {words.date(opened.day)}")
    tell_purge(opened, words)
    for line in [_rule(told, words), *_doubts(told, words)]:
        out.print(line, highlight=False, soft_wrap=True, style="dim")
    out.print(_before(told, words), highlight=False, soft_wrap=True)
    for problem in told.found.conflicts:
        out.print(problem.told(words), style="yellow", markup=False, highlight=False, soft_wrap=True)
    for line in _result(told, words):
        out.print(line, highlight=False, soft_wrap=True)
    if shown in (None, Shown.teams):
        _loads(told.teams, ["team", "region"], told, opened.settings.currency, words)
    if shown is Shown.sellers:
        _loads(told.balance, ["seller", "team", "region"], told, opened.settings.currency, words)
    if shown in (None, Shown.moves):
        _tell_moves(told, None if shown else MOST_MOVES, opened.settings.currency, words)
    if moves is not None:
        out.print(words("Moves written: {n}, in {file}.", n=words.number(told.moves.height), file=moves), markup=False)


def _write(to: Path, told: bytes) -> None:
    try:
        to.write_bytes(told)
    except OSError as error:
        raise Problem("{file} cannot be written.", "Name a file in a folder that you may write.", file=to) from error


def _rule(told: Any, words: Words) -> str:
    """What is shared out, around which mean."""
    values = {"measure": words(MEASURED[told.rules.measure][0]), "tolerance": words.percent(told.rules.tolerance, 1)}
    if told.rules.is_region_fixed:
        line = words("Shared out: {measure}, within ± {tolerance} of the mean of each region, by presence.", **values)
    else:
        line = words("Shared out: {measure}, within ± {tolerance} of the mean of all, by presence.", **values)
    whole = told.balance.filter((pl.col("before") % 1 != 0) | (pl.col("after") % 1 != 0)).is_empty()
    return line + (" " + words("The whole numbers around a mean are always within.") if whole else "")


def _before(told: Any, words: Words) -> str:
    """How it is."""
    figures = told.summary
    return words(
        "As it is, {outside} of {n} sellers are outside the band, the farthest {farthest} from the mean.",
        outside=words.number(figures["n_outside_before"]), n=words.number(figures["n_sellers"]),
        farthest=words.percent(figures["farthest_before"]),
    )  # fmt: skip


def _result(told: Any, words: Words) -> list[str]:
    """What is proposed, and how good that is."""
    figures, found = told.summary, told.found
    if not found.n_moves and not found.n_placed:
        return [words("Nothing needs to move.")] if found.is_balanced else [words("No move would help.")]
    line = words.n("[bold]{n} account changes hands[/]", "[bold]{n} accounts change hands[/]", found.n_moves)
    if found.n_placed:
        line += words.n(", {n} without a seller gets one", ", {n} without a seller get one", found.n_placed)
    if not figures["n_outside"]:
        line += words(": everybody is within the band.")
    else:
        line += words(": {n} remain outside the band.", n=words.number(figures["n_outside"]))
    if found.n_moves == found.bound:
        line += " " + words("It cannot be done with fewer.")
    else:
        line += " " + words("At least {bound} are needed: at most {gap} more than the fewest.",
                            bound=words.number(found.bound), gap=words.percent(found.gap, 1))  # fmt: skip
    lines = [line]
    due, n = told.moves.filter("touches_pay"), figures["n_moves_touching_pay"]
    if n:
        lines.append(words.n(
            "{n} of them takes along open deals due by {day} ({deals} deals): it touches the pay of who worked on them. Move "
            "it after that day, or split the credit.",
            "{n} of them take along open deals due by {day} ({deals} deals): they touch the pay of who worked on them. Move "
            "them after that day, or split the credit.",
            n, day=words.date(told.quarter_ends), deals=words.number(due["n_due"].sum()),
        ))  # fmt: skip
    if undated := told.moves["n_undated"].sum():
        lines.append(words("Open deals that move and have no expected close: {n}. Whether that touches pay is not known.",
                           n=words.number(undated)))  # fmt: skip
    return lines


def _doubts(told: Any, words: Words) -> list[str]:
    """What the figures rest on, where that is not plain."""
    lines = []
    if told.luck and told.luck > told.rules.tolerance:
        lines.append(words("By chance alone, loads of this size differ by ± {luck} (one standard deviation): a narrower band "
                           "evens out luck, and will need it again.", luck=words.percent(told.luck)))  # fmt: skip
    if told.large:
        lines.append(words("Too large for anybody's band, and apart: {n} ({accounts}).", n=words.number(len(told.large)),
                           accounts=", ".join([*told.large[:MOST_MOVES], *["…"] * (len(told.large) > MOST_MOVES)])))  # fmt: skip
    if told.n_assumed:
        lines.append(words("Unknown values that a usual one stands in for: {n}.", n=words.number(told.n_assumed)))
    if told.n_without:
        lines.append(words("Accounts whose seller is gone: {n}; {idle} of them carry nothing of this, and stay as they are.",
                           n=words.number(told.n_without), idle=words.number(told.n_idle)))  # fmt: skip
    if told.n_nowhere:
        lines.append(words("Accounts without a seller, of no region that has one: {n}. Name a seller for them in the rules.",
                           n=words.number(told.n_nowhere)))  # fmt: skip
    if told.n_parts:
        lines.append(words("Times a colleague has open deals with somebody else's account: {n}. These deals stay as they are.",
                           n=words.number(told.n_parts)))  # fmt: skip
    if told.n_deals_alone:
        lines.append(words("Deals of no account: {n}. Each is shared out as one.", n=words.number(told.n_deals_alone)))
    if told.speak_all:
        lines.append(words("Taken to speak every language, as no rule says what they speak: {n} sellers.",
                           n=words.number(len(told.speak_all))))  # fmt: skip
    if told.alone:
        lines.append(
            words("Alone in their region, with nobody to share with: {regions}.", regions=words.list(list(told.alone)))
        )
    return lines


def _loads(frame: pl.DataFrame, names: list[str], told: Any, currency: str, words: Words) -> None:
    """Loads before and after, with how far they are from the target."""
    money = MEASURED[told.rules.measure][1]
    titles = {"team": words("Team"), "region": words("Region"), "seller": words("Seller")}
    table = Table(*(titles[name] for name in names), words("Even load"), words("As it is"), words("As proposed"),
                  words("Given"), words("Received"), box=SIMPLE)  # fmt: skip
    for row in frame.iter_rows(named=True):
        loads = [_load(row[name], row["target"], money, currency, words) for name in ("before", "after")]
        target = words.money(row["target"], currency) if money else words.number(row["target"], 1)
        table.add_row(
            *(row[name] or UNKNOWN for name in names),
            target,
            *loads,
            words.number(row["n_out"]),
            words.number(row["n_in"]),
        )
    out.print(table, soft_wrap=True, crop=False)


def _load(load: float, target: float, money: bool, currency: str, words: Words) -> str:
    told = words.money(load, currency) if money else words.number(load, 0 if load == int(load) else 1)
    return f"{told} ({words.percent(load / target - 1, sign=True)})" if target else told


def _tell_moves(told: Any, most: int | None, currency: str, words: Words) -> None:
    """The heaviest moves, or all."""
    from cadran.figures.columns import value_label

    if told.moves.is_empty():
        return
    money = MEASURED[told.rules.measure][1]
    table = Table(words("Client"), words("From seller"), words("To seller"), words("Region"), words("Weight"), words("Open deals"),
                  words("Touches pay"), words("Reason"), box=SIMPLE)  # fmt: skip
    for row in told.moves.head(most or told.moves.height).iter_rows(named=True):
        weight = words.money(row["weight"], currency) if money else words.number(row["weight"])
        table.add_row(
            row["client"], row["from_seller"] or UNKNOWN, row["to_seller"], row["region"] or UNKNOWN, weight,
            words.number(row["n_open"]), words("yes") if row["touches_pay"] else "", value_label("reason", row["reason"], words),
        )  # fmt: skip
    out.print(table, soft_wrap=True, crop=False)
    if most and told.moves.height > most:
        out.print(words("The heaviest {n} of {total} moves. All: --show moves, or --moves FILE.csv.",
                        n=words.number(most), total=words.number(told.moves.height)), style="dim")  # fmt: skip
