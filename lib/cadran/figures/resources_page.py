"""The Resources page: what can be set on it, its three uses, where its parts stand, and what is said around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from cadran.figures.asked import is_corrected
from cadran.figures.blocks import Block, Contents, Heading, Nothing, Notice
from cadran.figures.columns import label
from cadran.figures.controls import Choice, Control, Day, View
from cadran.figures.facts import Facts, footer
from cadran.figures.figure import Figure
from cadran.figures.filters import Filters, Selection
from cadran.figures.opportunities_answers import Answers
from cadran.figures.page import Page
from cadran.figures.periods import period_controls
from cadran.figures.resources_levers import KEPT, Reach, lever_controls, names_of, put
from cadran.tables.problems import Problem
from cadran.text import Words

__all__ = [
    "COLUMNS", "DIMENSIONS", "REACHED", "Answers", "Reach", "coming", "focus", "frame_of", "is_corrected", "is_whole",
    "local", "only", "open_page", "place_of", "refused", "shown", "wants",
]  # fmt: skip

PLACES = (
    ("selection",), ("filters",), ("contents",), ("scenes",), ("sentences",), ("headlines",),
    ("h_loaded",), ("load", "balance"), ("flows", "stock"), ("attainment", "growth"), ("tenure", "heads"), ("touches",),
    ("footer",),
)  # fmt: skip
#: What each use shows of these: "detail" everything, the manager's page less, the presenter one scene at a time.
DETAIL = frozenset({"growth", "tenure", "heads", "touches"})
#: The scenes a presenter steps through -> title, the places shown.
SCENES: dict[str, tuple[str, tuple[str, ...]]] = {
    "loaded": ("Who is loaded", ("headlines", "h_loaded", "balance", "flows", "stock")),
}
USES = {"manager": "Manager's page", "detail": "In detail", "present": "Presentation"}
#: Columns a reader may select on: places, never persons.
DIMENSIONS = ("region", "team")
#: Columns whose values the levers reach.
REACHED = ("segment", "region")
#: Columns of `Book.deals` that the page asks for again and again.
COLUMNS = ("opportunity_id", "status", "closed_date", *DIMENSIONS)
#: Groups smaller than the whole company.
WHOLE = ("company", None)


def open_page(facts: Facts, reach: Reach, words: Words, query: Mapping[str, str | list[str]]) -> Page:
    """The page before anything is computed."""
    groups = {name: label(name, words) for name in facts.dimensions} or {"status": label("status", words)}
    organisations = {"as_was": words("Organisation as it was"), "today": words("Today's organisation")}
    controls: list[Control] = [
        Choice("use", words("Show as"), {use: words(text) for use, text in USES.items()}, "manager", shortcut="u"),
        Day("as_of", words("As of"), facts.first, facts.last, facts.last.isoformat(), slides=True, shortcut="a"),
        *period_controls(facts.first, facts.last, words),
        Choice("by", words("Group by"), {**groups, "seller": words("Seller")}, next(iter(groups)), shortcut="g"),
        Choice("organisation", words("Organisation"), organisations, "as_was", is_plain=True),
    ]
    if facts.n_corrected:
        pasts = {"known": words("As known then"), "corrected": words("As corrected since")}
        controls.append(Choice("past", words("Past"), pasts, "known", shortcut="k", is_plain=True))
    scenes = {name: words(title) for name, (title, _) in SCENES.items()}
    controls.append(Choice("scene", words("Scene"), scenes, next(iter(scenes)), is_local=True))
    return Page(words("Resources"), words, [*controls, *lever_controls(reach, words)], facts.dimensions, PLACES, query)


def local(page: Page) -> list[str]:
    """The controls that move one part of the page alone."""
    return [*names_of(page.controls), *KEPT, "scene"]


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


def focus(view: View) -> tuple[str, str | None]:
    """The one region or team that is selected, by its level and name; else the company."""
    chosen = [(level, name) for level, names in view.selection.items() for name in names]
    return (chosen[0][0], chosen[0][1] or None) if len(chosen) == 1 else WHOLE


def headings(words: Words) -> dict[str, Heading]:
    """The parts of the page."""
    return {"h_loaded": Heading("loaded", words("Who is loaded"))}


def frame_of(page: Page, answers: Answers, n_deals: int) -> dict[str, Block]:
    """What stands around the parts, and nothing in the places that this use of the page does not show."""
    words, facts, view = page.words, answers.facts, answers.view
    parts, seen = headings(words), shown(view)
    around: dict[str, Block] = {
        "selection": Selection(view.selection, n_deals),
        "filters": Filters({name: answers.of[name] for name in facts.dimensions}),
        "contents": Contents(tuple(parts.values())),
        "scenes": Scenes(view["scene"], tuple((name, words(title)) for name, (title, _) in SCENES.items())),
        **parts,
        "footer": footer(facts, words),
    }
    hidden = [slot for row in PLACES for slot in row if slot not in seen]
    page.forget(hidden)
    return {slot: block for slot, block in around.items() if slot in seen} | dict.fromkeys(hidden, Nothing())


@dataclass(frozen=True)
class Scenes:
    """The scenes of a presentation, the way to the one before and the one after."""

    at: str
    scenes: Sequence[tuple[str, str]]

    def html(self, slot: str, words: Words) -> str:
        """One line; Page Up and Page Down step through it, as a presenter's remote control does."""
        names = [name for name, _ in self.scenes]
        place = names.index(self.at)
        before, after = names[max(place - 1, 0)], names[min(place + 1, len(names) - 1)]
        links = "".join(
            f"<li{' aria-current=step' * (name == self.at)}>{put(title, _set(name))}</li>"
            for name, title in self.scenes
        )
        return (
            f'<nav class=scenes aria-label="{escape(words("Scenes"))}">'
            f"{put('‹', _set(before), 'PageUp', words('The scene before'))}<ol>{links}</ol>"
            f"{put('›', _set(after), 'PageDown', words('The next scene'))}</nav>"
        )


def _set(scene: str) -> str:
    return f'{{"scene":"{scene}"}}'


def coming(page: Page, names: Sequence[str], says: str) -> dict[str, Block]:
    """What stands in the parts of a model that is being worked out: said in the place `says`, nothing in the others."""
    page.forget(names)
    day = page.words.date(page.asked.day("as_of"))
    text = page.words(
        "Being computed from what was known on {day}, once. The rest of the page answers meanwhile.", day=day
    )
    return {name: Notice(text) if name == says else Nothing() for name in names}


def refused(page: Page, names: Sequence[str], says: str, problem: Problem, title: str = "") -> dict[str, Block]:
    """What stands in these parts where they cannot be told: why, in the place `says`."""
    page.forget(names)
    told = Notice(problem.told(page.words), title, kind="little")
    return {name: told if name == says else Nothing() for name in names}


def only(view: View, blocks: Mapping[str, Any]) -> dict[str, Block | Figure]:
    """Of these blocks, those in places that this use shows."""
    seen = shown(view)
    return {slot: block for slot, block in blocks.items() if slot in seen}
