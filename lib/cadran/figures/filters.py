"""What is selected, what can be, and the one row a reader opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any

import polars as pl

from cadran.figures.columns import cell, label, value_label
from cadran.figures.controls import TIMES
from cadran.text import Words

#: Values of one dimension listed; the others are reached through figures and the table.
MOST = 60


@dataclass(frozen=True)
class Selection:
    """The line that says what is selected, with a way to take each value back, and all at once."""

    selected: Mapping[str, Sequence[str]]
    n_deals: int
    #: Values that must not be read, each with what stands for it: all values of its column are taken back together.
    stands: Mapping[str, str] = field(default_factory=dict)

    def html(self, slot: str, words: Words) -> str:
        """Nothing while nothing is selected."""
        if not self.selected:
            return ""
        chips = "".join(
            self._chip(column, value, words) for column, values in self.selected.items() for value in values
        )
        count = escape(words.n("{n} deal", "{n} deals", self.n_deals))
        return (
            f"<div class=chips><span class=what>{escape(words('Selected'))}</span>{chips}<span class=what>{count}</span>"
            f"<button type=button class='chip all' data-act=clear data-clear>{escape(words('Clear all'))} (Esc)</button></div>"
        )

    def _chip(self, column: str, value: str, words: Words) -> str:
        shown = self.stands.get(value) or _shown(column, value, words)
        alone = "" if value in self.stands else f' data-value="{escape(value)}"'
        return (
            f'<button type=button class=chip data-act=clear data-clear="{column}"{alone} '
            f'data-key="chip-{column}-{escape(shown)}" aria-label="{escape(words("Take back {value}", value=shown))}">'
            f"{escape(label(column, words))}{words(': ')}{escape(shown)} ×</button>"
        )


@dataclass(frozen=True)
class Filters:
    """Every dimension with its values: selected, possible, excluded. A press selects or takes back."""

    states: Mapping[str, pl.DataFrame]

    def html(self, slot: str, words: Words) -> str:
        """One list of buttons a dimension."""
        lists = "".join(
            f"<fieldset><legend>{escape(label(column, words))}</legend>"
            f"{''.join(self._value(column, value, n, state, words) for value, n, state in frame.head(MOST).rows())}</fieldset>"
            for column, frame in self.states.items()
        )
        title, hint = words("Filters"), words("selected, possible and excluded values of every dimension")
        head = f"{escape(title)}{words(': ')}{escape(hint)}"
        return (
            f"<details class=filters data-key=filters><summary data-shortcut=f>{head}</summary>"
            f"<div class=lists>{lists}</div></details>"
        )

    @staticmethod
    def _value(column: str, value: Any, n_deals: int, state: str, words: Words) -> str:
        key = escape("" if value is None else str(value))
        return (
            f'<button type=button class="value {state}" data-act=toggle data-toggle="{column}" data-value="{key}" '
            f'data-key="filter-{column}-{key}" aria-pressed={"true" if state == "selected" else "false"}>'
            f"{escape(value_label(column, value, words))} <span>{words.number(n_deals)}</span></button>"
        )


@dataclass(frozen=True)
class Detail:
    """One row, every column of it."""

    row: Mapping[str, Any] | None
    title: str
    currency: str

    def html(self, slot: str, words: Words) -> str:
        """Nothing while no row is open."""
        if self.row is None:
            return ""
        lines = "".join(
            f"<dt>{escape(label(column, words))}</dt><dd>{escape(cell(column, value, words, self.currency))}</dd>"
            for column, value in self.row.items()
        )
        close = escape(words("Close"))
        return (
            f'<div class=detail role=region aria-label="{escape(self.title)}"><h2>{escape(self.title)}</h2>'
            f'<button type=button class=close data-act=close aria-label="{close}" title="{close}">×</button>'
            f"<dl>{lines}</dl></div>"
        )


def _shown(column: str, value: str, words: Words) -> str:
    if column.endswith(TIMES):
        return value_label(column, date.fromisoformat(value), words)
    return value_label(column, value, words)
