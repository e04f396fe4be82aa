"""The Resources page: what can be set on it, its three uses, where its parts stand, and what is said around them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from cadran.figures.asked import is_corrected
from cadran.figures.blocks import Block, Contents, Heading, Levers, Nothing, Notice
from cadran.figures.columns import label
from cadran.figures.controls import Choice, Control, Day, View
from cadran.figures.facts import Facts, footer
from cadran.figures.figure import Figure
from cadran.figures.filters import Filters, Selection
from cadran.figures.opportunities_answers import Answers
from cadran.figures.page import Page
from cadran.figures.periods import period_controls
from cadran.figures.resources_forecast import Whom
from cadran.figures.resources_levers import (
    KEPT,
    Kept,
    Panel,
    Reach,
    Scenario,
    as_kept,
    lever_controls,
    levers_of,
    names_of,
    scenarios,
    told,
)
from cadran.figures.resources_scenario import Told
from cadran.figures.scenes import Scenes
from cadran.figures.veil import stand_ins, veiled
from cadran.tables.problems import Problem
from cadran.text import Words

__all__ = [
    "CHANGE", "COLUMNS", "COMING", "COSTS", "DIMENSIONS", "HELP", "HIRE", "IF", "NAMES", "PAST", "PAY", "REACHED", "SHARE",
    "SLIP",    "Answers", "Reach", "Told", "awaited", "coming", "focus", "frame_of", "is_corrected", "is_whole", "kept",
    "levers", "levers_of", "local", "only", "open_page", "panel", "place_of", "refused", "scenarios", "shown",
    "stands_of", "told", "wants",
]  # fmt: skip

#: Places of the forecast, of the capacity plan, of the scenarios.
COMING = ("every", "fan", "unsure", "made", "needed", "forecast")
PAST, CHANGE = ("calls", "scores", "ahead_of"), ("since", "changed")
HIRE = ("shortage", "ahead", "bookings_capacity", "hire_by", "hires", "timing", "ramp", "basis")
HELP, SHARE = (
    ("help_funnel", "help_pays", "practices"),
    ("share_told", "conflicts", "share_teams", "share_sellers", "moves"),
)
PAY, COSTS = ("pay_curve", "pay_compared", "pay_flags"), ("pay_cost", "pay_attained")
SLIP = ("paid_of", "pay_slip", "pay_lines", "pay_deals")
IF = ("levers", "kept", "if_told", "if_held", "if_totals", "if_bookings", "if_load", "if_shortage", "if_pay", "tornado")
PLACES = (
    ("selection",), ("filters",), ("contents",), ("scenes",), ("sentences",), ("headlines",),
    ("h_coming",), ("every",), ("fan",), ("unsure",), ("made", "needed"), ("since",), ("changed",), ("forecast",),
    ("ahead_of",), ("calls",), ("scores",),
    ("h_loaded",), ("load", "balance"), ("flows", "stock"), ("attainment", "growth"), ("tenure", "heads"), ("touches",),
    ("h_hire",), ("shortage",), ("ahead", "bookings_capacity"), ("hire_by",), ("hires",), ("timing", "ramp"), ("basis",),
    ("h_help",), ("help_funnel", "help_pays"), ("practices",),
    ("h_share",), ("share_told",), ("conflicts",), ("share_teams", "share_sellers"), ("moves",),
    ("h_pay",), ("pay_curve", "pay_compared"), ("pay_cost", "pay_attained"), ("pay_flags",),
    ("paid_of",), ("pay_slip",), ("pay_lines",), ("pay_deals",),
    ("h_if",), ("levers",), ("kept",), ("if_told",), ("if_held",), ("if_bookings", "if_load"), ("if_shortage", "if_pay"),
    ("if_totals",), ("tornado",),
    ("footer",),
)  # fmt: skip
#: What a role must be told of (`cadran.book.reader.RIGHTS`) -> the places that tell of it.
OF_RIGHT = {
    "deals": (
        "selection", "filters", "h_loaded", "load", "balance", "flows", "stock", "attainment", "growth", "tenure", "heads",
        "touches",
    ),
    "groups": (
        *COMING, *PAST, *CHANGE, *HIRE, *HELP, *SHARE, *COSTS, *IF, "h_coming", "h_hire", "h_help", "h_share", "h_if",
        "balance", "tenure", "heads",
    ),
    "pay": SLIP,
}  # fmt: skip
#: What the manager's page leaves to the detail.
DETAIL = frozenset({
    "growth", "tenure", "heads", "touches", "forecast", "ahead_of", "calls", "scores", "bookings_capacity", "hires", "ramp",
    "basis", "practices", "pay_attained",
})  # fmt: skip
_LEVERS = ("levers", "kept", "if_told", "if_held")
#: The scenes a presenter steps through -> title, the places shown. Of groups alone: no person and no client.
SCENES: dict[str, tuple[str, tuple[str, ...]]] = {
    "coming": ("What is coming", (*_LEVERS, "if_bookings", "unsure")),
    "loaded": ("Who is loaded", ("balance", "stock")),
    "short": ("Where time will lack", (*_LEVERS, "if_shortage", "if_load")),
    "hire": ("When to hire", ("hire_by", "timing")),
    "help": ("Whom to help", ("help_funnel", "help_pays")),
    "share": ("How to share", ("share_told", "share_teams")),
    "pay": ("What pay costs", (*_LEVERS, "if_pay")),
    "plans": ("How to pay", ("pay_curve", "pay_compared")),
    "compared": ("Scenarios side by side", (*_LEVERS, "if_totals", "tornado")),
}
USES = {"manager": "Manager's page", "detail": "In detail", "present": "Presentation"}
#: Columns a reader may select on: places, never persons.
DIMENSIONS = ("region", "team")
#: Columns whose values the levers reach.
REACHED = ("segment", "region")
#: Columns of the book's sellers by which a group that bears a person's name is known.
NAMES = ("rep_id", "name", "manager_id", *DIMENSIONS)
#: Columns of `Book.deals` that the page asks for again and again.
COLUMNS = ("opportunity_id", "status", "closed_date", *DIMENSIONS)
#: Days back to the earlier forecast, and what each is called.
SINCE = {"7": "last week", "30": "last month"}
#: Controls of one part, besides the levers.
PARTLY = ("scene", "every", "since", "ahead", "paid")


def open_page(facts: Facts, reach: Reach, words: Words, query: Mapping[str, str | list[str]]) -> Page:
    """The page before anything is computed."""
    groups = {name: label(name, words) for name in facts.dimensions} or {"status": label("status", words)}
    organisations = {"as_was": words("Organisation as it was"), "today": words("Today's organisation")}
    asks = words("Leave the presentation? The whole page comes back, with clients and people by name.")
    uses = {use: words(text) for use, text in USES.items() if reach.may_unmask or use == "present"}
    controls: list[Control] = [
        Choice("use", words("Show as"), uses, next(iter(uses)), shortcut="u", held="present", asks=asks),
        Day("as_of", words("As of"), facts.first, facts.last, facts.last.isoformat(), slides=True, shortcut="a"),
        *period_controls(facts.first, facts.last, words),
        Choice("by", words("Group by"), {**groups, "seller": words("Seller")}, next(iter(groups)), shortcut="g"),
        Choice("organisation", words("Organisation"), organisations, "as_was", is_plain=True),
    ]
    ahead = {str(n): words.n("{n} month ahead", "{n} months ahead", n) for n in range(1, 7)}
    if facts.n_corrected:
        pasts = {"known": words("As known then"), "corrected": words("As corrected since")}
        controls.append(Choice("past", words("Past"), pasts, "known", shortcut="k", is_plain=True))
    controls += [
        Choice(
            "every", words("Told by"), {"month": words("month"), "quarter": words("quarter")}, "month", is_local=True
        ),
        Choice(
            "since", words("Compared with"), {days: words(text) for days, text in SINCE.items()}, "7", is_local=True
        ),
        Choice("ahead", words("Forecast made"), ahead, "3", is_local=True),
    ]
    scenes = {name: words(title) for name, (title, _) in SCENES.items()}
    controls.append(Choice("scene", words("Scene"), scenes, next(iter(scenes)), is_local=True))
    if reach.paid:
        of = ({"": words("nobody")} if len(reach.paid) > 1 else {}) | dict(reach.paid)
        controls.append(Choice("paid", words("Pay of"), of, next(iter(of)), is_local=True))
    every = [*controls, *lever_controls(reach, words)]

    def veil(view: View, block: Block | Figure) -> Block | Figure:
        return veiled(block, reach.stands) if is_whole(view) else block

    def onlooked(view: View) -> frozenset[str] | None:
        return shown(view) if is_whole(view) else None

    return Page(
        words("Resources"), words, every, facts.dimensions, places_of(reach), query, veil=veil, onlooked=onlooked
    )


def places_of(reach: Reach) -> tuple[tuple[str, ...], ...]:
    """The places of the page of a reader, without the parts that are not told to their role."""
    if reach.told is None:
        return PLACES
    closed = {slot for right, slots in OF_RIGHT.items() if right not in reach.told for slot in slots}
    if "groups" not in reach.told and "deals" in reach.told:  # a seller: what others gain by a plan is theirs
        closed |= set(PAY)
    kept = (tuple(slot for slot in row if slot not in closed) for row in PLACES)
    return tuple(row for row in kept if row)


def stands_of(reps: pl.DataFrame, of_deals: Mapping[str, Sequence[str]], words: Words) -> dict[str, str]:
    """What stands, in front of others, for regions and teams that are named after a person.

    Args:
        reps: Rows of the book's sellers: `rep_id`, `name`, `manager_id` (which may be a name too), `region`, `team`.
        of_deals: Regions and teams that deals have.
        words: The reader's.
    """
    persons = pl.concat([reps[name] for name in ("rep_id", "name", "manager_id")])
    return stand_ins({name: [*reps[name], *of_deals[name]] for name in DIMENSIONS}, persons, words)


def local(page: Page) -> list[str]:
    """The controls that move one part of the page alone."""
    there = {control.name for control in page.controls}
    return [*names_of(page.controls), *KEPT, *(name for name in PARTLY if name in there)]


def shown(view: View) -> frozenset[str]:
    """The places that this use of the page shows."""
    every = frozenset(slot for row in PLACES for slot in row)
    if view["use"] == "present":
        return every & {"selection", "scenes", "footer", *SCENES[view["scene"]][1]}
    return every - {"scenes"} if view["use"] == "detail" else every - {"scenes"} - DETAIL


def wants(view: View, *slots: str) -> bool:
    """Whether this use of the page shows one of these places."""
    return not shown(view).isdisjoint(slots)


def is_whole(view: View) -> bool:
    """Whether a presenter shows the page: team aggregates alone, no client and no person."""
    return view["use"] == "present"


def place_of(answers: Answers) -> str:
    """The places to group by: those chosen, and never sellers."""
    by = answers.view["by"]
    return by if by in answers.facts.dimensions else next(iter(answers.facts.dimensions), by)


def focus(view: View) -> Whom:
    """The one region or team that is selected; else the company."""
    chosen = [(level, name) for level, names in view.selection.items() for name in names]
    return Whom(chosen[0][0], chosen[0][1] or None) if len(chosen) == 1 else Whom("company", None)


def headings(words: Words) -> dict[str, Heading]:
    """The parts of the page."""
    linked = words("What is associated in this book's past; the same futures under every set of levers.")
    return {
        "h_coming": Heading("coming", words("What is coming")),
        "h_loaded": Heading("loaded", words("Who is loaded")),
        "h_hire": Heading("hire", words("When to hire")),
        "h_help": Heading(
            "help", words("Whom to help"), words("Groups beside what like deals do elsewhere: to help, never to rank.")
        ),
        "h_share": Heading("share", words("How to share"), words("A proposal that people decide on.")),
        "h_pay": Heading("pay", words("How to pay"), words("Counsel decides what a plan may say.")),
        "h_if": Heading("if", words("What if"), linked),
    }


def frame_of(page: Page, answers: Answers, n_deals: int) -> dict[str, Block]:
    """What stands around the parts, and nothing in the places that this use of the page does not show: in none, where it
    was shown as another use before."""
    words, facts, view = page.words, answers.facts, answers.view
    there = {slot for row in page.places for slot in row}
    parts, seen = {slot: part for slot, part in headings(words).items() if slot in there}, shown(view)
    around: dict[str, Block] = {
        "selection": Selection(view.selection, n_deals),
        "filters": Filters({name: answers.of[name] for name in facts.dimensions}),
        "contents": Contents(tuple(parts.values())),
        "scenes": Scenes(view["scene"], tuple((name, words(title)) for name, (title, _) in SCENES.items())),
        **parts,
        "footer": footer(facts, words),
    }
    is_turned = page.is_new("use", view["use"]) and bool(page.blocks)
    hidden = [slot for row in PLACES for slot in row if slot not in seen or (is_turned and slot not in around)]
    page.forget(hidden)
    return {slot: block for slot, block in around.items() if slot in seen} | dict.fromkeys(hidden, Nothing())


def levers(page: Page, *names: str, said: str = "") -> Levers:
    """The controls of one part, at the values the page began with."""
    of = {control.name: control for control in page.controls}
    return Levers([of[name] for name in names], page.first.controls, said=said)


def panel(page: Page, months: Sequence[date]) -> Panel:
    """The one panel of levers, and over which months what comes of them adds up."""
    words = page.words
    said = words(
        "What comes of them from {since} to {until}, whole company.",
        since=words.month(months[0]),
        until=words.month(months[-1]),
    )
    of = {control.name: control for control in page.controls}
    controls = [of[name] for name in names_of(page.controls)]
    return Panel(controls, page.first.controls, words("Levers"), said)


def kept(page: Page, view: View, found: Sequence[Scenario], file: str) -> Kept:
    """The scenarios kept in the address, and as a file for the command line."""
    names = {*names_of(page.controls)}
    rest = {each.name: each.default for each in page.controls if each.name in names}
    offers = {"toml": file.encode()} if file else {}
    pulled = told(view, page.controls, page.words)
    return Kept(found, as_kept(view, page.controls), rest, page.words("Scenarios"), pulled, offers)


def coming(page: Page, names: Sequence[str], says: str) -> dict[str, Block]:
    """What stands in the parts of a model that is being worked out: said in the place `says`, nothing in the others."""
    page.forget(names)
    day = page.words.date(page.asked.day("as_of"))
    text = page.words(
        "Being computed from what was known on {day}, once. The rest of the page answers meanwhile.", day=day
    )
    return {name: Notice(text) if name == says else Nothing() for name in names}


def awaited(page: Page, view: View, found: object, names: Sequence[str], says: str) -> bool:
    """Whether a model's parts are to be told. Where they are wanted and cannot be, the page says why, or that the model is
    being worked out."""
    if not wants(view, *names):
        return False
    if isinstance(found, Problem):
        page.show(only(view, refused(page, names, says, found)))
    elif found is None:
        page.show(only(view, coming(page, names, says)), is_coming=True)
    return found is not None and not isinstance(found, Problem)


def refused(page: Page, names: Sequence[str], says: str, problem: Problem, title: str = "") -> dict[str, Block]:
    """What stands in these parts where they cannot be told: why, in the place `says`."""
    page.forget(names)
    told = Notice(problem.told(page.words), title, kind="little")
    return {name: told if name == says else Nothing() for name in names}


def only(view: View, blocks: Mapping[str, Any]) -> dict[str, Block | Figure]:
    """Of these blocks, those in places that this use shows."""
    seen = shown(view)
    return {slot: block for slot, block in blocks.items() if slot in seen}
