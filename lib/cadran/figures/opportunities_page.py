"""The Opportunities page: what can be set on it, and how measured frames become its parts. Formats; computes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from cadran.figures import opportunities as draw
from cadran.figures.blocks import Block, Headline, Headlines, Lines, Notice, Sentences, Tone
from cadran.figures.columns import CAUSE_LABELS, label, plain_rows
from cadran.figures.controls import Choice, Day, TableView, View
from cadran.figures.facts import Facts, footer
from cadran.figures.figure import Figure
from cadran.figures.filters import Detail, Filters, Selection
from cadran.figures.page import Page
from cadran.figures.periods import last_months, period_controls, told
from cadran.figures.selection import with_states
from cadran.figures.table import Table
from cadran.tables.problems import Problem
from cadran.text import Words

#: Dimensions a reader may group by and select on, where the book has them. No person: that would rate people.
DIMENSIONS = ("region", "team", "sector", "segment", "country", "product", "deal_type", "lead_source")
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
#: Clients that the chart of clients shows.
TOP = 12
#: Columns of `Book.deals` that the page asks for again and again.
COLUMNS = (
    *DEALS, *DIMENSIONS, *TIMES, "created_date", "account_id", "group_id", "is_no_decision", "cycle_days", "n_pushes",
    "loss_reason", "competitor", "forecast_category", "closed_at",
)  # fmt: skip


def open_page(facts: Facts, words: Words, query: Mapping[str, str | list[str]]) -> Page:
    """The page before anything is computed."""
    groups = {name: label(name, words) for name in facts.dimensions} or {"status": label("status", words)}
    controls = [
        Day("as_of", words("As of"), facts.first, facts.last, facts.last.isoformat(), slides=True, shortcut="a"),
        *period_controls(facts.first, facts.last, words),
        Choice("by", words("Group by"), groups, next(iter(groups)), shortcut="g"),
        Choice(
            "unit",
            words("Show"),
            {"amount": words("Amounts, {currency}", currency=facts.currency), "n": words("Deals")},
            "amount",
            shortcut="u",
            is_plain=True,
        ),
        Choice(
            "organisation",
            words("Organisation"),
            {"as_was": words("Organisation as it was"), "today": words("Today's organisation")},
            "as_was",
            is_plain=True,
        ),
    ]
    selectable = [*facts.dimensions, "client", "cause", *TIMES]
    return Page(words("Opportunities"), words, controls, selectable, PLACES, query)


@dataclass(frozen=True)
class Answers:
    """Measured frames by name, and what is needed to tell them. A measure that could not answer stands as its problem."""

    facts: Facts
    view: View
    words: Words
    period: tuple[date, date]
    #: Every value of each dimension and its state.
    of: Mapping[str, pl.DataFrame]
    frames: Mapping[str, pl.DataFrame | Problem]

    def with_frames(self, frames: Mapping[str, pl.DataFrame | Problem]) -> "Answers":
        """These answers and more."""
        return replace(self, frames={**self.frames, **frames})

    def frame(self, name: str) -> pl.DataFrame | Problem:
        """A measured frame, ready to be told."""
        frame = self.frames.get(name, pl.DataFrame())
        return _READY[name](frame, self) if name in _READY and isinstance(frame, pl.DataFrame) else frame

    @property
    def dates(self) -> str:
        """The period in words."""
        return told(self.period, self.words)

    def money(self, x: float | None) -> str:
        """An amount in the book's currency, compact."""
        return self.words.money(x, self.facts.currency)

    def exact(self, x: float | None) -> str:
        """An amount in the book's currency, to the unit."""
        return self.words.money(x, self.facts.currency, compact=False)

    def one(self, name: str) -> dict[str, Any]:
        """The only row of a measure over all deals; empty where there is none."""
        frame = self.frame(name)
        return frame.row(0, named=True) if isinstance(frame, pl.DataFrame) and frame.height else {}

    def draw(self, name: str, drawn: Any, title: str, subtitle: str, **settings: Any) -> Block | Figure:
        """A figure, or what is said when there is nothing to draw or the measure was refused."""
        frame = self.frame(name)
        if isinstance(frame, Problem):
            return Notice(frame.told(self.words), title, "little")
        if frame.is_empty():
            return Notice(self.words("Nothing to show for {period}. A wider period, or fewer filters, would fill this.",
                                     period=self.dates), title, "empty")  # fmt: skip
        if dimension := settings.get("dimension"):
            frame = with_states(frame, dimension, self.of.get(dimension), self.view.selection.get(dimension, ()))
        style = {"words": self.words, "currency": self.facts.currency}
        return drawn(frame, title=title, subtitle=subtitle, **style, **settings)


def headlines(answers: Answers) -> dict[str, Block]:
    """Revenue, win rate, open pipeline, cycle, concentration: each with its comparison, its count or interval."""
    words, now, rate = answers.words, answers.one("now"), answers.one("rate")
    cycle, index = answers.one("cycle"), answers.one("index")
    define = f"/definitions?lang={words.language}#{{}}".format
    p90 = words("one in ten over {days}", days=words.days(cycle.get("p90_days"))) if cycle.get("n") else ""
    return {"headlines": Headlines([
        Headline(
            words("Signed revenue"), answers.money(now.get("amount_won")), *_change(answers, "amount_won"),
            basis=words.n("{n} deal won", "{n} deals won", now.get("n_won", 0)),
            exact=answers.exact(now.get("amount_won")), definition=define("revenue"),
        ),
        Headline(
            words("Win rate"), words.percent(rate.get("win_rate")), *_change(answers, "win_rate"),
            basis=_interval(answers, rate, "win_rate"), exact=words.percent(rate.get("win_rate"), 2),
            definition=define("win_rate"),
        ),
        Headline(
            words("Open pipeline"), answers.money(now.get("amount_open")), *_change(answers, "amount_open"),
            basis=words.n("{n} open deal", "{n} open deals", now.get("n_open", 0)),
            exact=answers.exact(now.get("amount_open")), definition=define("pipeline"),
        ),
        Headline(
            words("Sales cycle, won deals"), words.days(cycle.get("median_days")), p90,
            basis=words.n("median of {n} deal", "median of {n} deals", cycle.get("n", 0)),
            definition=define("cycle"),
        ),
        Headline(
            words("Revenue of the top 10 clients"), words.percent(index.get("top_share")),
            basis=words.n("{n} client signed", "{n} clients signed", index.get("n_clients", 0)),
            definition=define("concentration_index"),
        ),
    ])}  # fmt: skip


def sentences(answers: Answers) -> dict[str, Block]:
    """What the page says first: what was signed, how sure the win rate is, what moved, what to do."""
    words, now, rate = answers.words, answers.one("now"), answers.one("rate")
    signed, won = answers.money(now.get("amount_won")), now.get("n_won", 0)
    if won:
        base = words.n("From {period}, {amount} were signed in {n} deal", "From {period}, {amount} were signed in {n} deals",
                       won, period=answers.dates, amount=signed)  # fmt: skip
        said = [f"{base}{_change_told(answers, 'amount_won')}."]
    else:
        said = [words("From {period}, no deal was won.", period=answers.dates)]
    if rate:
        base = words("Win rate: {rate}, between {low} and {high} with 95 % confidence, {won} of {closed} closed deals",
                     won=words.number(rate["n_won"]), closed=words.number(rate["n_closed"]),
                     rate=words.percent(rate["win_rate"]), low=words.percent(rate["win_rate_low"]),
                     high=words.percent(rate["win_rate_high"]))  # fmt: skip
        said.append(f"{base}{_change_told(answers, 'win_rate')}.")
    if moves := _largest_moves(answers):
        said.append(words("What moved the open pipeline most: {moves}.", moves=words.list(moves)))
    slipped = answers.one("slippage")
    if slipped.get("n_slipped"):
        said.append(words("First: of the {due} deals due by then, {n} are still open; close, re-date or drop them.",
                          n=words.number(slipped["n_slipped"]), due=words.number(slipped["n_due"])))  # fmt: skip
    return {"sentences": Sentences(said)}


def figures(answers: Answers) -> dict[str, Block | Figure]:
    """The figures over the period."""
    words, view, dates = answers.words, answers.view, answers.dates
    by, is_money = view["by"], view["unit"] == "amount"
    group = label(by, words)
    currency = answers.facts.currency
    what = words("Amounts, {currency}", currency=currency) if is_money else words("Deals")
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
    return {slot: _with_finding(block) for slot, block in drawn.items()}


def pipeline_figures(answers: Answers) -> dict[str, Block | Figure]:
    """The figures that take longer: the open pipeline, and the cycle by group."""
    words, is_money = answers.words, answers.view["unit"] == "amount"
    what = words("Amounts, {currency}", currency=answers.facts.currency) if is_money else words("Deals")
    since, until = (words.date(day) for day in answers.period)
    by, dates = answers.view["by"], answers.dates
    group = label(by, words)
    drawn = {
        "bridge": answers.draw(
            "bridge", draw.bridge, words("From the pipeline of {since} to that of {until}", since=since, until=until),
            f"{what} · {words('one cause per deal; the causes add up exactly')}", dimension="cause",
            value="amount" if is_money else "n",
        ),
        "stock": answers.draw(
            "stock", draw.pipeline_over_time, words("Open pipeline at the end of each month"),
            f"{what} · {words('as it was known on each date')}", value="amount_open" if is_money else "n_open",
        ),
        "cycles": answers.draw(
            "cycles", draw.cycle_by, words("Sales cycle of won deals by {group}", group=group.lower()),
            words("Days from creation to signature: median, and what one deal in ten exceeds; closed from {period}",
                  period=dates), dimension=by, by=by,
        ),
    }  # fmt: skip
    return {slot: _with_finding(block) for slot, block in drawn.items()}


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
    words, view, facts = answers.words, answers.view, answers.facts
    opened = deals.filter(pl.col("opportunity_id") == view.open) if view.open else deals.head(0)
    row = opened.row(0, named=True) if opened.height else None
    columns = tuple(name for name in DEALS if name in deals.columns and deals[name].null_count() < max(deals.height, 1))
    return {
        "selection": Selection(view.selection, deals.height),
        "filters": Filters({name: answers.of[name] for name in facts.dimensions}),
        "detail": Detail(row, words("Deal {id}", id=view.open or ""), facts.currency),
        "deals": Table(
            deals, words("Deals"), words, facts.currency, view.tables.get("deals", TableView(sort="-amount")),
            words("Open on {day}, or closed from {period}", day=words.date(view.day("as_of")), period=answers.dates),
            key="opportunity_id", columns=columns,
        ),
        "footer": footer(facts, words),
    }  # fmt: skip


def _labelled(bridge: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """The causes of a waterfall that moved anything, opening and closing, each in the reader's words as `label`."""
    labels = [answers.words(CAUSE_LABELS[cause]) for cause in bridge["cause"]]
    is_cause = ~pl.col("cause").is_in(["opening", "closing"])
    named = bridge.select(pl.Series("label", labels, dtype=pl.String), pl.all(), key=pl.when(is_cause).then("cause"))
    return named.filter(~is_cause | (pl.col("n") != 0) | (pl.col("amount") != 0))


def _won(cycle: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    return cycle.filter(pl.col("outcome") == "won")


def _every_month(months: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """One row for each of the last 12 months, those without any deal included, and none for deals still open."""
    closed = months.drop_nulls("closed_month")
    if closed.is_empty():
        return closed
    since, until = last_months(answers.view.day("as_of"), 12)
    every = pl.date_range(since, until, "1mo", eager=True).alias("closed_month").to_frame()
    return every.join(closed, on="closed_month", how="left").with_columns(
        pl.col(name).fill_null(0) for name in months.columns if name.startswith("n_")
    )


#: How a measured frame is made ready to be told: rows chosen, dates moved, words added; no number is changed.
_READY: dict[str, Callable[[pl.DataFrame, Answers], pl.DataFrame]] = {
    "bridge": _labelled,
    "cycle": _won,
    "cycles": _won,
    "months": _every_month,
    "months_then": lambda months, answers: months.drop_nulls("closed_month").with_columns(
        pl.col("closed_month").dt.offset_by("12mo")
    ),
    "quarters": lambda trend, answers: trend.select(pl.col("period").alias("closed_quarter"), pl.all()),
    "clients": lambda clients, answers: clients.head(TOP),
}


def _against(answers: Answers, quantity: str) -> dict[str, Any]:
    """A quantity beside the same period last year; empty where that was not asked or is not known."""
    for name in ("compared", "compared_rate"):
        frame = answers.frames.get(name)
        if isinstance(frame, pl.DataFrame):
            row = frame.filter((pl.col("quantity") == quantity) & (pl.col("against") == "last_year"))
            if row.height and row["difference"][0] is not None:
                return row.row(0, named=True)
    return {}


def _change(answers: Answers, quantity: str) -> tuple[str, Tone]:
    """The change against last year with its interval, and whether it is good, bad, or no change that may be said."""
    words, row = answers.words, _against(answers, quantity)
    if not row:
        return "", "even"
    known = row["difference_low"] is not None
    if quantity.endswith("_rate"):
        change = words.points(row["difference"])
        ends = [words.points(row[f"difference_{end}"]) for end in ("low", "high")] if known else []
    elif not row["before"]:
        return "", "even"
    else:
        change = words.percent(row["difference"] / row["before"], sign=True)
        ends = (
            [words.percent(row[f"difference_{end}"] / row["before"], sign=True) for end in ("low", "high")]
            if known
            else []
        )
    interval = f" ({ends[0]} {words('to')} {ends[1]})" if ends else ""
    tone: Tone = "even" if not row["is_change"] else "good" if row["difference"] > 0 else "bad"
    return f"{change}{interval} {words('on last year')}", tone


def _change_told(answers: Answers, quantity: str) -> str:
    """The end of a sentence: the change against last year, or that there is none that may be called one."""
    change, tone = _change(answers, quantity)
    if not change:
        return ""
    verdict = {"good": "a rise", "bad": "a fall", "even": "too little to be called a change"}[tone]
    return f"{answers.words('; ')}{change}{answers.words(', ')}{answers.words(verdict)}"


def _interval(answers: Answers, row: dict[str, Any], name: str) -> str:
    if not row:
        return answers.words("no closed deal")
    low, high = answers.words.percent(row[f"{name}_low"]), answers.words.percent(row[f"{name}_high"])
    count = answers.words.n("of {n} closed deal", "of {n} closed deals", row["n_closed"])
    return f"({low} – {high}) {count}"


def _largest_moves(answers: Answers) -> list[str]:
    bridge = answers.frame("bridge")
    if not isinstance(bridge, pl.DataFrame):
        return []
    value = "amount" if answers.view["unit"] == "amount" else "n"
    moved = bridge.filter(~pl.col("cause").is_in(["opening", "closing"]) & (pl.col(value) != 0))
    largest = moved.sort(pl.col(value).abs(), descending=True).head(3)
    written = answers.money if value == "amount" else answers.words.number
    return [
        f"{row['label'].lower()} {'+' if row[value] > 0 else ''}{written(row[value])}" for row in largest.to_dicts()
    ]


def _with_finding(block: Block | Figure) -> Block | Figure:
    """The figure with its text alternative: title, subtitle, and its first rows in words."""
    if not isinstance(block, Figure):
        return block
    rows = plain_rows(block.frame.head(12), block.words, block.currency)
    return replace(block, finding=f"{block.title}. {block.subtitle}. {rows}")
