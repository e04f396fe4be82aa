"""The home page: what changed, the headline numbers of each axis, what to know of the data. Formats; computes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from typing import Any
from urllib.parse import quote

import polars as pl

from cadran.figures.blocks import Block, Footer, Headline, Headlines, Notice, Sentences
from cadran.figures.columns import CAUSE_LABELS
from cadran.figures.facts import Facts, footer
from cadran.tables.problems import Problem
from cadran.text import Words

#: Days of data without a newer import after which the reader is told.
OLD = 8
#: Columns of `Book.deals` that `Changes` needs of the largest moves.
MOVED = ("opportunity_id", "client", "status", "amount", "created_date", "closed_date")


@dataclass(frozen=True)
class Changes:
    """What became of deals after a day, up to the day of the data."""

    since: date
    #: Whether that is the day of the data that the reader saw last; else it is a week.
    is_visit: bool
    #: `volumes` of the days since.
    volumes: pl.DataFrame | Problem
    #: `waterfall` from that day to this.
    waterfall: pl.DataFrame | Problem
    #: The deals that weigh most among those that came or were closed since, with `move`, `day` and the columns of `MOVED`;
    #: null for who sees no client.
    largest: pl.DataFrame | None


def home(
    words: Words,
    facts: Facts,
    pages: Mapping[str, str],
    age: int,
    changes: Changes | None,
    said: Sequence[str],
    axes: Sequence[str],
    theme: str | None,
) -> str:
    """The page's markup.

    Args:
        words: The reader's.
        facts: Of the book.
        pages: Those of the reader: name in the address -> title (an English sentence of the catalogue).
        age: Days since the data was taken.
        changes: Since the last visit, or over the last days; null for who is told of no deals.
        said: What else is to be known before reading.
        axes: The parts that `axis_html` makes.
        theme: "light", "dark", or None for what the reader's machine prefers.
    """
    query = query_of(words, theme)
    links = "".join(f'<a href="/{name}{escape(query)}">{escape(words(title))}</a>' for name, title in pages.items())
    languages = "".join(
        f'<a href="/{escape(query_of(replace(words, language=code), theme))}" lang="{code}" hreflang="{code}" aria-label="{name}"'
        f"{' aria-current=true' * (code == words.language)}>{code}</a>"
        for code, name in (("fr", "Français"), ("en", "English"))
    )
    turn = escape(words("Light or dark"))
    head = (
        f"<header class=bar><div class=name><h1>Cadran</h1></div>"
        f'<nav class=controls aria-label="{escape(words("Pages"))}">{links}</nav>'
        f"<div class=reader><span class=languages>{languages}</span>"
        f'<button type=button data-act=theme aria-label="{turn}" title="{turn}">◐</button></div></header>'
    )
    blocks = [*_warnings(words, facts, age, said), *(_changes(words, facts, changes, query) if changes else ())]
    told = [_html(each, words) for each in blocks]
    source = Footer([(text, to) for text, to in footer(facts, words).items if not to])  # the pages stand above
    return f"{head}<main>{''.join((*told, *axes))}{_html(source, words)}</main>"


def query_of(words: Words, theme: str | None) -> str:
    """What an address says of language and theme."""
    return f"?lang={words.language}{f'&theme={theme}' if theme else ''}"


def axis_html(
    words: Words, name: str, title: str, theme: str | None, blocks: Mapping[str, Block] | Problem | None
) -> str:
    """One axis: its page's first sentence and headline numbers; said to be coming where they are not known yet."""
    link = f'<h2><a href="/{name}{escape(query_of(words, theme))}">{escape(title)}</a></h2>'
    if blocks is None:
        said = Notice(words("The numbers of this page are being computed. They appear here as soon as they are known."))
        return f'<section class=axis data-axis="{name}" aria-busy=true>{link}{_html(said, words)}</section>'
    if isinstance(blocks, Problem):
        inner = _html(Notice(words("This page cannot be made from this book"), kind="error"), words)
    else:
        lead, numbers = blocks.get("sentences"), blocks.get("headlines")
        first = Sentences(lead.items[:1]) if isinstance(lead, Sentences) else lead
        inner = "".join(_html(each, words) for each in (first, numbers) if each)
    return f'<section class=axis data-axis="{name}">{link}{inner}</section>'


def _warnings(words: Words, facts: Facts, age: int, said: Sequence[str]) -> list[Block]:
    told = [*said]
    if age >= OLD:
        told.append(words.n("The data is {n} day old: a newer import is due.",
                            "The data is {n} days old: a newer import is due.", age))  # fmt: skip
    if facts.n_set_aside:
        told.append(words.n("{n} row was set aside at the import, and is in no number.",
                            "{n} rows were set aside at the import, and are in no number.", facts.n_set_aside))  # fmt: skip
    return [Notice(" ".join(told), words("Before you read"), "little")] if told else []


def _changes(words: Words, facts: Facts, changes: Changes, query: str) -> list[Block | str]:
    since, until = words.date(changes.since), words.date(facts.last)
    title = (
        words("Since your last visit: from the data of {since} to that of {until}", since=since, until=until)
        if changes.is_visit
        else words("The last days of the data: after {since}, up to {until}", since=since, until=until)
    )
    heading = f"<h2>{escape(title)}</h2>"
    for each in (changes.volumes, changes.waterfall):
        if isinstance(each, Problem):
            return [heading, Notice(each.told(words), kind="little")]
    return [heading, _cards(words, facts, changes, query), _largest(words, facts, changes.largest, query)]


def _cards(words: Words, facts: Facts, changes: Changes, query: str) -> Headlines:
    assert isinstance(changes.volumes, pl.DataFrame)
    assert isinstance(changes.waterfall, pl.DataFrame)
    closed = changes.volumes.row(0, named=True) if changes.volumes.height else {}
    of: dict[str, dict[str, Any]] = {row["cause"]: row for row in changes.waterfall.iter_rows(named=True)}
    define = f"/definitions{query}#{{}}".format

    def money(amount: float | None) -> str:
        return words.money(amount, facts.currency)

    def deals(n: int, unknown: int) -> str:
        told = words.n("{n} deal", "{n} deals", n)
        without = words.n("{n} amount unknown", "{n} amounts unknown", unknown)
        return f"{told}{words(', ')}{without}" if unknown else told

    def card(label: str, amount: float, n: int, unknown: int, definition: str, change: str = "") -> Headline:
        exact = words.money(amount, facts.currency, compact=False)
        return Headline(
            label, money(amount), change, basis=deals(n, unknown), exact=exact, definition=define(definition)
        )

    opening, closing, new = of["opening"], of["closing"], of["new"]
    step = closing["amount"] - opening["amount"]
    moved = f"{'+' if step > 0 else ''}{money(step)}{words(', ')}{deals_signed(words, closing['n'] - opening['n'])}"
    pushed, pulled = of["pushed_out"]["n_deals"], of["pulled_in"]["n_deals"]
    return Headlines([
        card(words("Deals won"), closed.get("amount_won", 0.0), closed.get("n_won", 0), closed.get("n_won_unknown", 0), "revenue"),
        card(words("Deals lost"), closed.get("amount_lost", 0.0), closed.get("n_lost", 0), closed.get("n_lost_unknown", 0),
             "volumes"),
        card(words("New, still open"), new["amount"], new["n"], new["n_unknown"], "waterfall"),
        card(words("Open pipeline"), closing["amount"], closing["n"], closing["n_unknown"], "pipeline", moved),
        Headline(
            words("Put off to a later month"), words.number(pushed),
            basis=words.n("{n} brought forward", "{n} brought forward", pulled), definition=define("waterfall"),
        ),
    ])  # fmt: skip


def deals_signed(words: Words, n: int) -> str:
    """A change in the number of deals, with its sign."""
    text = words.n("{n} deal", "{n} deals", n)
    return f"+{text}" if n > 0 else text


def _largest(words: Words, facts: Facts, largest: pl.DataFrame | None, query: str) -> str:
    """The deals that weigh most among those that came or went, each a way to the deal."""
    if largest is None or largest.is_empty():
        return ""
    lines = "".join(
        f"<li><time>{escape(words.day(row['day']))}</time><div>"
        f'<a href="/opportunities{escape(query)}&amp;open={quote(row["opportunity_id"])}">'
        f"{escape(row['client'] or row['opportunity_id'])}</a>"
        f"<p>{escape(words(CAUSE_LABELS[row['move']]).lower())}{words(', ')}"
        f"{escape(words.money(row['amount'], facts.currency))}</p></div></li>"
        for row in largest.iter_rows(named=True)
    )
    return f"<div class=lines><h3>{escape(words('The largest of them'))}</h3><ul>{lines}</ul></div>"


def _html(block: Block | str, words: Words) -> str:
    return block if isinstance(block, str) else block.html("home", words)
