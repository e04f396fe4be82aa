"""The definitions page: what each number means, what it is today, and what the rivals in the field would say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import polars as pl

from cadran.figures.blocks import Block, Sentences
from cadran.figures.columns import cell
from cadran.figures.controls import Day
from cadran.figures.facts import Facts, footer
from cadran.figures.page import Page
from cadran.figures.table import plain_table
from cadran.tables.problems import Problem
from cadran.text import Words

#: Rows of a value that are shown; the command line prints them all.
MOST_ROWS = 12
STATES = ("available", "partial", "impossible")


class Defined(Protocol):
    """One measure as a book answers it."""

    measure: Any
    available: str
    missing: str
    value: pl.DataFrame | Problem
    rivals: Sequence[tuple[str, str, float | None]]


@dataclass(frozen=True)
class Definition:
    """One definition, with its value today and its rivals."""

    entry: Defined
    currency: str

    def html(self, slot: str, words: Words) -> str:
        """An article whose anchor is the measure's name."""
        entry, each = self.entry, self.entry.measure
        states = {
            "available": words("Available on this book."),
            "partial": words("Partly available on this book: {missing}", missing=entry.missing),
            "impossible": words("Not available on this book: {missing}", missing=entry.missing),
        }
        state = states[entry.available]
        return (
            f'<article class=definition id="{each.name}"><h2>{escape(words(each.title))} <code>{each.name}</code></h2>'
            f"<p>{escape(words(each.definition))}</p>"
            f"<p class=basis>{escape(words('Unit: {unit}', unit=words(each.unit)))}<br>"
            f"{escape(words('Source: {source}', source=words(each.source)))}<br>"
            f"<span class={entry.available}>{escape(state)}</span></p>"
            f"{self._value(words)}{self._rivals(words)}</article>"
        )

    def _value(self, words: Words) -> str:
        value = self.entry.value
        if isinstance(value, Problem):
            return f"<p class='notice little'>{escape(value.told(words))}</p>"
        if value.is_empty():
            return f"<p class='notice empty'>{escape(words('Nothing in this book yet.'))}</p>"
        caption = words("Value on this book")
        if value.height > MOST_ROWS:
            caption = words("The first {shown} rows of {all}", shown=MOST_ROWS, all=words.number(value.height))
        return plain_table(value.head(MOST_ROWS), words, self.currency, caption)

    def _rivals(self, words: Words) -> str:
        lines = "".join(
            f"<li><strong>{escape(words(name))}</strong>: {escape(cell(name, value, words, self.currency))}. "
            f"{escape(words(says))}</li>"
            for name, says, value in self.entry.rivals
        )
        return f"<h3>{escape(words('What others call it'))}</h3><ul class=rivals>{lines}</ul>" if lines else ""


def open_page(facts: Facts, words: Words, titles: Mapping[str, str], query: Mapping[str, str | list[str]]) -> Page:
    """The page before anything is computed: one place per measure, in the order of their titles."""
    names = sorted(titles, key=lambda name: words(titles[name]))
    as_of = Day("as_of", words("As of"), facts.first, facts.last, facts.last.isoformat(), shortcut="a")
    layout = (("sentences",), *((f"define_{name}",) for name in names), ("footer",))
    return Page(words("Definitions"), words, [as_of], (), layout, query)


def blocks(entries: Sequence[Defined], facts: Facts, words: Words) -> dict[str, Block]:
    """What stands in each place."""
    counts = {state: sum(entry.available == state for entry in entries) for state in STATES}
    told = [
        words(
            "Every number that Cadran shows is one of these {n} measures, over all deals of the book on the date above.",
            n=len(entries),
        ),
        words(
            "This book answers {available} of them fully, {partial} partly, {impossible} not at all.",
            **{state: words.number(n) for state, n in counts.items()},
        ),
    ]
    defined = {f"define_{entry.measure.name}": Definition(entry, facts.currency) for entry in entries}
    return {"sentences": Sentences(told), **defined, "footer": footer(facts, words)}
