"""The Sales process page: what can be set on it, where its parts stand, and what is said around them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, cast

import polars as pl

from cadran.figures.asked import DIMENSIONS, book_controls, is_corrected
from cadran.figures.blocks import Block, Contents, Heading, Levers, Nothing, Notice, Sentences
from cadran.figures.controls import Choice, View
from cadran.figures.facts import Facts, footer
from cadran.figures.figure import Figure
from cadran.figures.filters import Filters, Selection
from cadran.figures.opportunities_answers import Answers
from cadran.figures.page import Page
from cadran.figures.process_deal import deal as draw_deal
from cadran.figures.process_deal import nothing as no_deal
from cadran.figures.process_deal import reasons
from cadran.figures.process_moved import deal_moved
from cadran.figures.process_moved import moved as draw_moved
from cadran.figures.process_open import bubble_view, by_day, first_words, tasks
from cadran.figures.process_room import room as draw_room
from cadran.figures.process_trust import card_blocks, past_blocks
from cadran.tables.problems import Problem
from cadran.text import Words

__all__ = [
    "COLUMNS", "DIMENSIONS", "LOCAL", "Answers", "card_blocks", "coming", "deal", "deal_of", "first_words", "frame_of",
    "is_corrected", "moves", "no_deal", "open_page", "past_blocks", "pulls_of", "reasons", "refused", "room",
    "unjudged", "work",
]  # fmt: skip

PLACES = (
    ("selection",), ("filters",), ("contents",), ("sentences",), ("headlines",),
    ("h_open",), ("bubbles",), ("hours",), ("actions",), ("since",), ("moved",),
    ("detail",), ("deal_levers",), ("deal_told",), ("deal_incidence", "deal_course"),
    ("deal_reasons", "deal_moved"), ("deal_timeline",),
    ("h_room",), ("room_levers",), ("room",), ("room_wins", "room_revenue"),
    ("h_won",), ("won_leads",), ("won_share", "won_count"), ("won_time", "won_response"), ("won_table",),
    ("h_where",), ("renamed",), ("map", "funnel"), ("dwell", "waiting"), ("bottlenecks",),
    ("rework",), ("early_late",), ("variants",),
    ("h_trust",), ("card", "blind"), ("reliability", "skill"), ("backtest",), ("drift", "leaks"),
    ("footer",),
)  # fmt: skip
#: Parts that wait for the win model.
OF_MODEL = (
    "sentences", "headlines", "bubbles", "hours", "actions", "since", "moved", "room_levers", "room", "room_wins",
    "room_revenue", "card", "blind", "reliability", "skill", "backtest", "drift", "leaks", "detail", "deal_levers",
    "deal_told", "deal_incidence", "deal_course", "deal_reasons", "deal_moved", "deal_timeline",
)  # fmt: skip
#: Of these, the ones where it is said that they wait, or why they cannot be.
SAYS_SO = ("bubbles", "room", "card")
#: Parts that may come later still, and say so too.
LATER = ("moved", "backtest")
#: Columns of `Book.deals` that the page asks for again and again.
COLUMNS = (
    "opportunity_id", "client", "team", "seller", "product", "deal_type", "stage", "status", "amount",
    "expected_close_date", "closed_date", "created_date", "account_id", *DIMENSIONS, "forecast_category", "competitor",
)  # fmt: skip
#: Days back to the earlier look at open deals, and what each is called.
SINCE = {"7": "last week", "30": "last month"}
#: Hours that a team may have in a week.
HOURS = (0, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320)
#: Levers of the answer to a client, in hours; "0" leaves things as they are.
WITHIN = ("0", "72", "48", "24", "8", "4", "1")
#: Levers of a number more.
MORE = ("0", "1", "2", "3")
#: What a lever may do: control -> the fact it moves.
PULLS = {"answer": "answer", "contacts": "contacts", "meetings": "meetings", "decider": "decider"}
#: Controls that move one part of the page alone.
ROOM = ("lever", *(f"room_{name}" for name in PULLS))
DEAL = tuple(f"deal_{name}" for name in PULLS)
LOCAL = ("hours", "since", *ROOM, *DEAL)


def open_page(facts: Facts, words: Words, query: Mapping[str, str | list[str]]) -> Page:
    """The page before anything is computed."""
    horizons = {
        "quarter": words("by the end of the quarter"),
        "next_quarter": words("by the end of next quarter"),
        "months12": words("within 12 months"),
        "ever": words("one day"),
    }
    horizon = Choice("horizon", words("Won"), horizons, "next_quarter", shortcut="w")
    hours = {str(n): words.n("{n} hour", "{n} hours", n) for n in HOURS}
    local = [
        Choice("hours", words("Hours the team has this week"), hours, "40", slides=True, is_local=True, shortcut="h"),
        Choice(
            "since",
            words("Moves since"),
            {days: words(text) for days, text in SINCE.items()},
            "7",
            is_local=True,
        ),
        Choice("lever", words("Lever"), _levers(words), "answer", is_local=True, shortcut="l"),
        *_pulls("room", words, is_one=True),
        *_pulls("deal", words, is_one=False),
    ]
    controls = [*book_controls(facts, words, horizon), *local]
    selectable = [*facts.dimensions, "client"]
    return Page(words("Sales process"), words, controls, selectable, PLACES, query)


def _levers(words: Words) -> dict[str, str]:
    return {
        "answer": words("Time to answer clients"),
        "contacts": words("Contacts more in each deal"),
        "meetings": words("Meetings more in each deal"),
        "decider": words("A decision maker is reached"),
    }


def _pulls(whose: str, words: Words, is_one: bool) -> list[Choice]:
    """One slider a lever; with `is_one` only that of the lever chosen is shown."""
    values = {
        "answer": {WITHIN[0]: words("as now")}
        | {each: words.n("{n} hour", "{n} hours", int(each)) for each in WITHIN[1:]},
        "contacts": {each: f"+{each}" for each in MORE},
        "meetings": {each: f"+{each}" for each in MORE},
        "decider": {"0": words("as now"), "1": words("yes")},
    }
    return [
        Choice(f"{whose}_{name}", label, values[name], next(iter(values[name])), slides=True, is_local=True,
               when=f"lever={name}" if is_one else "")
        for name, label in _levers(words).items()
    ]  # fmt: skip


def headings(words: Words) -> dict[str, Heading]:
    """The parts of the page."""
    linked = words("What goes together, not what causes: what won deals had, and others lack.")
    return {
        "h_open": Heading("open", words("Open deals, and what to do first")),
        "h_room": Heading("room", words("What if"), linked),
        "h_won": Heading("won", words("What won deals had"), linked),
        "h_where": Heading("where", words("Where deals wait")),
        "h_trust": Heading("trust", words("How far to trust the probabilities")),
    }


def frame_of(page: Page, answers: Answers, n_deals: int) -> dict[str, Block]:
    """What stands around the parts: selection, filters, contents, headings, sliders, where the numbers come from."""
    words, facts, view = page.words, answers.facts, answers.view
    parts = headings(words)
    return {
        "selection": Selection(view.selection, n_deals),
        "filters": Filters({name: answers.of[name] for name in facts.dimensions}),
        "contents": Contents(tuple(parts.values())),
        **parts,
        "footer": footer(facts, words),
    }


def coming(page: Page, names: Sequence[str] = OF_MODEL) -> dict[str, Block]:
    """What stands in the parts that wait, in place of what was told of another day: all of the win model's, or those
    named."""
    page.forget(names)
    text = page.words(
        "Being computed: the model learns from what was known on {day}, once. The rest of the page answers meanwhile.",
        day=page.words.date(page.asked.day("as_of")),
    )
    told = dict.fromkeys((*SAYS_SO, *LATER), Notice(text)) | {"sentences": Sentences([text])}
    return {name: told.get(name, Nothing()) for name in names}


def refused(page: Page, problem: Problem) -> dict[str, Block]:
    """What stands in these parts where nothing can be learnt from the book."""
    page.forget(OF_MODEL)
    said = problem.told(page.words)
    told = Notice(said, kind="little")
    return {name: told if name in SAYS_SO else Nothing() for name in OF_MODEL} | {"sentences": Sentences([said])}


def unjudged(page: Page, problem: Problem) -> dict[str, Block]:
    """What stands in the parts of the backtest where none can be held."""
    page.forget(("backtest",))
    told = Notice(problem.told(page.words), page.words("The backtest: every candidate, every rival"), "little")
    return {"backtest": told, "reliability": Nothing(), "skill": Nothing()}


def pulls_of(view: View) -> dict[str, float]:
    """The levers pulled on the deal that is open, with their values."""
    values = {name: _value(view[f"deal_{name}"]) for name in PULLS}
    return {name: value for name, value in values.items() if value is not None}


def room(
    page: Page, answers: Answers, pulled: pl.DataFrame, n_deals: int, until: date | None
) -> dict[str, Block | Figure]:
    """The what-if of a room: its levers, and what is expected of the open deals selected: see `process_room.room`."""
    of = {control.name: cast(Choice, control) for control in page.controls}
    said = page.words("It is pulled in every open deal selected: choose a segment with the filters at the top.")
    by = by_day(until, page.words)
    lever = of[f"room_{answers.view['lever']}"]
    return {"room_levers": _sliders(page, *ROOM, said=said), **draw_room(answers, pulled, lever, n_deals, by)}


def deal_of(
    deals: pl.DataFrame, listed: pl.DataFrame, name: str
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The open deal of this number and what is proposed for it, or None where it is not there."""
    is_one = pl.col("opportunity_id") == name
    row, action = deals.filter(is_one & (pl.col("status") == "open")), listed.filter(is_one)
    return tuple(each.row(0, named=True) if each.height else None for each in (row, action))  # type: ignore[return-value]


def work(page: Page, answers: Answers, listed: pl.DataFrame, deals: pl.DataFrame) -> dict[str, Block | Figure]:
    """The open deals as bubbles, the hours the team has, and the list that fits into them.

    `listed` is as `Action` has it, with `fits`; `deals` are the open ones with their chance and likely close date.
    """
    said = page.words("The list is what fits, the most gained per hour first; then what to leave, which takes no hour.")
    opened = deals.join(listed.select("opportunity_id", pl.col("action").cast(pl.String), "fits"), on="opportunity_id")
    return {
        "hours": _sliders(page, "hours", said=said),
        **bubble_view(answers, opened),
        **tasks(answers, listed, deals),
    }


def moves(
    page: Page, answers: Answers, of: Mapping[str, Any], together: Mapping[str, Any], deals: pl.DataFrame
) -> dict[str, Block]:
    """What moved the open deals since the day chosen, and the deal that is open since every one: see `process_moved`.

    `of` maps each of `SINCE` to its `Moved` or the problem that there is none, `deals` are the open ones.
    """
    view = answers.view
    days = {each: view.day("as_of") - timedelta(days=int(each)) for each in of}
    told = draw_moved(answers, of[view["since"]], together, deals, days[view["since"]])
    if view.open is None or view.open not in deals["opportunity_id"]:
        return {"since": _sliders(page, "since", said=""), **told, "deal_moved": Nothing()}
    one = deal_moved(answers, view.open, [(days[each], parts) for each, parts in of.items()])
    return {"since": _sliders(page, "since", said=""), **told, **one}


def deal(page: Page, *told: Any) -> dict[str, Block | Figure]:
    """The parts of the deal that is open: see `process_deal.deal`."""
    said = page.words("What if, on this deal: what is associated, in this book's past, with deals that had it")
    parts = draw_deal(*told)
    return {**parts, "deal_levers": _sliders(page, *DEAL, said=said)} if told[1] else parts


def _value(chosen: str) -> float | None:
    """What a slider of a lever is set to; its first step leaves things as they are."""
    return None if chosen == "0" else float(chosen)


def _sliders(page: Page, *names: str, said: str) -> Levers:
    """The controls of one part, at the values the page began with."""
    of = {control.name: control for control in page.controls}
    return Levers([of[name] for name in names], page.first.controls, said=said)
