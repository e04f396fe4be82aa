"""What if, told: levers pulled beside things as they are, scenarios side by side, which lever matters most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from cadran.figures import resources_if as draw
from cadran.figures.blocks import Block, Headline, Headlines, Nothing, Notice, Tone
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_forecast import Whom
from cadran.figures.resources_levers import Scenario
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.measured.scenario import QUANTITIES

Parts = dict[str, Block | Figure]
#: What a scenario is told in -> words, and whether more of it is good, bad, or neither.
TOLD: dict[str, tuple[str, int]] = {
    "bookings": ("Signed revenue", 1),
    "wins": ("Won deals", 1),
    "p_target": ("Chance to reach the targets", 1),
    "load_peak": ("Load in the fullest month", -1),
    "p_shortage": ("Chance of a lasting shortage", -1),
    "n_sellers": ("Sellers at the end", 0),
    "hires_needed": ("Hires still called for", -1),
    "pay": ("Variable pay", 0),
    "pay_share": ("Variable pay, share of what is signed", 0),
}
CARDS = ("bookings", "p_target", "load_peak", "hires_needed", "pay")
#: Levers -> words.
LEVERS = {
    "win_odds": "Odds of winning", "size": "Size of deals", "cycle": "Time deals take", "arrivals": "New deals",
    "answer_hours": "Clients are answered within", "hires": "Hires", "ramp": "Time new sellers need",
    "attrition": "Sellers who leave", "quota": "Quotas", "plan": "Pay plan",
}  # fmt: skip
#: What the month-by-month figures show -> place, title.
FIGURES = {
    "bookings": ("if_bookings", "Signed revenue by month"), "load": ("if_load", "Load by month"),
    "pay": ("if_pay", "Variable pay by month"),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What comes of one set of levers: `ScenarioMonth` and `ScenarioTotal`, and the levers that were held back."""

    months: pl.DataFrame
    totals: pl.DataFrame
    held: Sequence[Any] = field(default_factory=tuple)


def what_if(
    answers: Answers, whom: Whom, now: Told, here: Told, pulled: Sequence[str], kept: Sequence[tuple[Scenario, Told]]
) -> Parts:
    """The numbers and figures of the levers pulled, beside things as they are and the scenarios kept.

    Args:
        answers: What the page was asked.
        whom: Whom the figures by month tell of.
        now: Things as they are.
        here: The levers as they stand.
        pulled: These levers in words; none where things are as they are.
        kept: Each scenario kept, with what comes of it.
    """
    return {
        "if_told": Headlines(_cards(answers, here.totals, bool(pulled))),
        "if_held": _held(answers, here.held),
        "if_totals": _totals(answers, now, here, bool(pulled), kept),
        **_months(answers, whom, now.months, here.months, pulled, kept),
        **_shortage(answers, now.months, here.months),
    }


def _cards(answers: Answers, totals: pl.DataFrame, is_pulled: bool) -> list[Headline]:
    words, rows = answers.words, {row["quantity"]: row for row in totals.iter_rows(named=True)}
    cards = []
    for name in CARDS:
        row = rows.get(name)
        if row is None or row["value"] is None:
            continue
        change, tone = _change(answers, row) if is_pulled else (words("as things are"), "even")
        ends = ""
        if row["value_low"] is not None:
            ends = words("between {low} and {high}, 95 %", low=write(answers, name, row["value_low"]),
                         high=write(answers, name, row["value_high"]))  # fmt: skip
        cards.append(
            Headline(words(TOLD[name][0]), write(answers, name, row["value"]), change, tone, ends, definition="#if")
        )
    return cards


def _change(answers: Answers, row: Mapping[str, Any]) -> tuple[str, Tone]:
    """What the levers add or take, with its interval, and whether that is good."""
    words, name, more = answers.words, row["quantity"], row["more"]
    is_change = abs(more) > 1e-9
    if not is_change:
        return words("no change"), "even"
    text = write(answers, name, more, sign=True)
    if row["more_low"] is not None:
        low, high = (write(answers, name, row[f"more_{end}"], sign=True) for end in ("low", "high"))
        text, is_change = f"{text} ({low} {words('to')} {high})", not row["more_low"] <= 0 <= row["more_high"]
    good = TOLD[name][1] * (1 if more > 0 else -1)
    tone: Tone = "even" if not is_change or not good else "good" if good > 0 else "bad"
    return text, tone


def _held(answers: Answers, held: Sequence[Any]) -> Block:
    """Which levers were pulled beyond what the past shows, and where they are held."""
    words = answers.words
    if not held:
        return Nothing()
    told = [_held_told(each, answers) for each in held]
    said = words("Beyond what this book ever showed, a lever is held: {levers}.", levers=words("; ").join(told))
    return Notice(said, kind="little")


def _held_told(each: Any, answers: Answers) -> str:
    words = answers.words
    name = words(LEVERS[each.lever])
    what = words("{what}, {where}", what=name, where=each.group) if each.group else name
    if each.lever == "answer_hours":
        if each.held != each.held:
            return words("{what} moves nothing: the data does not tell what it would change", what=what)
        return words("{what}: {hours}", what=what, hours=words.n("{n} hour", "{n} hours", each.held))
    return words("{what} at {share}", what=what, share=words.percent(each.held - 1, sign=True))


def _totals(answers: Answers, now: Told, here: Told, is_pulled: bool, kept: Sequence[tuple[Scenario, Told]]) -> Block:
    """Each quantity over the horizon, the scenarios side by side."""
    words = answers.words
    shown = {words("As things are"): now.totals} | ({words("These levers"): here.totals} if is_pulled else {})
    for scenario, told in kept:
        name = scenario.name if scenario.name not in shown else f"{scenario.name} ({scenario.place[-1].upper()})"
        shown[name] = told.totals
    frame = now.totals.select("quantity", what=pl.col("quantity").cast(pl.String).replace_strict(
        {name: words(text) for name, (text, _) in TOLD.items()}))  # fmt: skip
    for name, totals in shown.items():
        ends = {name: "value", f"{name}_low": "value_low", f"{name}_high": "value_high"}
        frame = frame.join(totals.select("quantity", **{to: pl.col(of) for to, of in ends.items()}), on="quantity",
                           how="left", maintain_order="left")  # fmt: skip
    frame = frame.filter(~pl.all_horizontal(pl.col(list(shown)).is_null()))
    columns = ("what", *(each for name in shown for each in (name, f"{name}_low", f"{name}_high")))
    until = now.months["month"].max()
    said = words("Whole company, until {month}, with 95 % intervals of what will come; the same futures in every scenario",
                 month=words.month(until))  # type: ignore[arg-type]  # fmt: skip

    def writes(column: str, value: Any, row: Mapping[str, Any]) -> str:
        return str(value) if column == "what" else write(answers, str(row["quantity"]), value)

    view = answers.view.tables.get("if_totals", TableView())
    return Table(
        frame, words("Scenarios side by side"), words, answers.currency, view, said, columns=columns, writes=writes
    )


def _months(
    answers: Answers,
    whom: Whom,
    now: pl.DataFrame,
    here: pl.DataFrame,
    pulled: Sequence[str],
    kept: Sequence[tuple[Scenario, Told]],
) -> Parts:
    words = answers.words
    said = words("{whom}, as things are", whom=whom.first(answers))
    if pulled:
        said = words("{whom}; blue: {levers}; grey: as things are, in the same futures", whom=whom.first(answers),
                     levers=words("; ").join(pulled))  # fmt: skip
    beside = [
        whom.of(told.months).with_columns(name=pl.lit(each.name), place_kept=pl.lit(each.place)) for each, told in kept
    ]
    empty = whom.of(now).head(0).with_columns(name=pl.lit(""), place_kept=pl.lit(""))
    lines = pl.concat([empty, *beside])
    if beside:
        names = words.list(
            [f"{mark} {each.name}" for mark, (each, _) in zip(("– –", "· ·", "– ·"), kept, strict=False)]
        )
        said = f"{said}{words('; ')}{names}"
    drawn: Parts = {}
    for value, (slot, title) in FIGURES.items():
        rows, before = whom.of(here), whom.of(now)
        if rows.is_empty() or not rows[value].count():
            drawn[slot] = _untold(answers, value, words(title))
            continue
        drawn[slot] = with_finding(draw.months(
            rows, words=words, currency=answers.currency, title=words(title), value=value,
            subtitle=f"{said}{words('; 95 % bands') if draw.SHOWN[value] else ''}",
            frames={"now": before, "kept": lines},
        ))  # fmt: skip
    return drawn


def _untold(answers: Answers, value: str, title: str) -> Block:
    words = answers.words
    why = {
        "bookings": words("No scenario is told of this group alone: it would tell of one person."),
        "load": words("Nobody sells here: there is no load to tell of."),
        "pay": words("Pay is told of the whole company, where there is a pay plan (plans/pay.toml)."),
    }
    return Notice(why[value], title, "empty")


def _shortage(answers: Answers, now: pl.DataFrame, here: pl.DataFrame) -> Parts:
    words, title = answers.words, answers.words("Where sellers would lack time")
    region = pl.col("level") == "region"
    before = now.filter(region).select("group", "month", before="p_shortage")
    rows = here.filter(region).drop_nulls("p_shortage").join(
        before, on=["group", "month"], how="left", nulls_equal=True, maintain_order="left"
    )  # fmt: skip
    if rows.is_empty():
        return {
            "if_shortage": Notice(words("Nobody sells in any region: there is no load to tell of."), title, "empty")
        }
    change = [
        words.points(chance - old) if old is not None and abs(chance - old) >= 0.005 else ""
        for chance, old in rows.select("p_shortage", "before").iter_rows()
    ]
    rows = rows.with_columns(
        label=pl.col("group").fill_null(words("Unknown")), change_label=pl.Series(change, dtype=pl.String)
    ).drop("before")
    said = words("Chance that deals take more hours than sellers have; a blue dot: the levers change it")
    drawn = draw.shortage(rows, words=words, currency=answers.currency, title=title, subtitle=said, frames={"now": now})
    return {"if_shortage": with_finding(drawn)}


def tornado(answers: Answers, frame: pl.DataFrame, quantity: str) -> Parts:
    """Which lever matters most, each moved by one step from where it stands."""
    words, name = answers.words, answers.words(TOLD[quantity][0])
    title = words("Which lever matters most: {what}", what=name)
    frame = frame.filter(pl.max_horizontal(pl.col("less", "more").abs()) > 0)
    if frame.is_empty():
        return {"tornado": Notice(words("It cannot be told of this book."), title, "empty")}
    labels = [words(LEVERS[lever]) for lever in frame["lever"].cast(pl.String)]
    steps = {
        side: [_step(answers, *row) for row in frame.select("lever", f"{side}_value").iter_rows()]
        for side in ("less", "more")
    }
    rows = frame.with_columns(
        label=pl.Series(labels, dtype=pl.String), less_label=pl.Series(steps["less"], dtype=pl.String),
        more_label=pl.Series(steps["more"], dtype=pl.String),
    )  # fmt: skip
    said = words("Each lever moved down (orange) and up (blue) from where it stands, the others as they are; 95 % of the futures. "
                 "Levers that move nothing of it are left out")  # fmt: skip
    drawn = draw.tornado(rows, words=words, currency=answers.currency, title=title, subtitle=said, quantity=quantity)
    return {"tornado": with_finding(drawn)}


def _step(answers: Answers, lever: str, value: float | None) -> str:
    words = answers.words
    if value is None:
        return "–"
    if lever == "answer_hours":
        return words.n("{n} hour", "{n} hours", value)
    return words.percent(value - 1, sign=True)


def write(answers: Answers, quantity: str, value: float | None, sign: bool = False) -> str:
    """A value of a quantity, by its unit; with `sign`, a change."""
    words, unit = answers.words, QUANTITIES[quantity]
    if value is None:
        return "–"
    plus = "+" if sign and value > 0 else ""
    if quantity in ("p_target", "p_shortage") and not sign:
        return answers.chance(value)
    if unit == "share":
        return words.points(value) if sign else words.percent(value, 1 if quantity == "pay_share" else 0)
    return plus + (
        answers.money(value)
        if unit == "money"
        else words.number(value, 0 if abs(value) >= 10 or value == int(value) else 1)
    )
