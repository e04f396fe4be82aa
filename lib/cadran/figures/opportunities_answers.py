"""What the Opportunities page was answered: measured frames, made ready to be told. No number is changed here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Notice
from cadran.figures.columns import CAUSE_LABELS
from cadran.figures.controls import View
from cadran.figures.facts import Facts
from cadran.figures.figure import Figure
from cadran.figures.periods import last_months, told
from cadran.figures.selection import with_states
from cadran.tables.problems import Problem
from cadran.text import Words

#: Clients that the chart of clients shows.
TOP = 12


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
    #: Reporting currency per unit of each other currency, as last known on the day of the view.
    rates: Mapping[str, float]

    @property
    def currency(self) -> str:
        """The currency amounts are shown in: the one asked for if its rate is known, else the book's."""
        asked = self.view.controls.get("unit", "")
        return asked if asked in self.rates else self.facts.currency

    def converted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with its amounts in the currency shown."""
        if self.currency == self.facts.currency:
            return frame
        money = [
            name
            for name, kind in frame.schema.items()
            if kind == pl.Float64 and not name.endswith("_share") and ("amount" in name or "revenue" in name)
        ]
        return frame.with_columns(pl.col(money) / self.rates[self.currency])

    def with_frames(self, frames: Mapping[str, pl.DataFrame | Problem]) -> "Answers":
        """These answers and more."""
        return replace(self, frames={**self.frames, **frames})

    def with_states(self, of: Mapping[str, pl.DataFrame]) -> "Answers":
        """These answers, with the values of each dimension and their states."""
        return replace(self, of=of)

    def frame(self, name: str) -> pl.DataFrame | Problem:
        """A measured frame, ready to be told."""
        frame = self.frames.get(name, pl.DataFrame())
        if isinstance(frame, Problem):
            return frame
        frame = self.converted(frame)
        return _READY[name](frame, self) if name in _READY else frame

    @property
    def dates(self) -> str:
        """The period in words."""
        return told(self.period, self.words)

    def money(self, x: float | None) -> str:
        """An amount in the currency shown, compact."""
        return self.words.money(x, self.currency)

    def exact(self, x: float | None) -> str:
        """An amount in the currency shown, to the unit."""
        return self.words.money(x, self.currency, compact=False)

    def chance(self, p: float) -> str:
        """A chance in per cent; one that is next to nothing or to certainty is not told as either."""
        if 0 <= p < 0.01:
            return self.words("under {share}", share=self.words.percent(0.01))
        return self.words("over {share}", share=self.words.percent(0.99)) if p > 0.99 else self.words.percent(p)

    def one(self, name: str) -> dict[str, Any]:
        """The only row of a measure over all deals; empty where there is none."""
        frame = self.frame(name)
        return frame.row(0, named=True) if isinstance(frame, pl.DataFrame) and frame.height else {}

    def unit(self, name: str, unknown: Mapping[str, str]) -> tuple[bool, str]:
        """Whether a figure is in money, and how its unit is said.

        Where deals are there but none of their amounts is known, it is in deals. `unknown` maps each column of
        counts to that of the deals whose amount is unknown.
        """
        frame = self.frame(name)
        if self.view["unit"] == "n":
            return False, self.words("Deals")
        if isinstance(frame, pl.DataFrame):
            counts = [(frame[n].abs().sum(), frame[of].abs().sum()) for n, of in unknown.items()]
            if any(0 < n == n_unknown for n, n_unknown in counts):
                return False, self.words("Deals: their amounts are not known")
        return True, self.words("Amounts, {currency}", currency=self.currency)

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
        style = {"words": self.words, "currency": self.currency}
        return drawn(frame, title=title, subtitle=subtitle, **style, **settings)


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
