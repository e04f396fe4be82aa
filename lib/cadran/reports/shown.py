"""What of a page a report holds: its blocks as they stand, without what only a browser can use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cadran.figures.blocks import (
    Block,
    Contents,
    Footer,
    Heading,
    Headlines,
    Levers,
    Lines,
    Nothing,
    Notice,
    Sentences,
)
from cadran.figures.controls import Choice, Control, Day, View, stands_in_bar
from cadran.figures.figure import Figure
from cadran.figures.filters import Detail, Filters, Selection
from cadran.figures.page import Page
from cadran.figures.resources_levers import Kept, Panel
from cadran.figures.scenes import Scenes
from cadran.figures.table import Table
from cadran.reports.cells import cells_of
from cadran.text import Words


@dataclass(frozen=True)
class Settings:
    """How the controls of a part of a page stand: what they are called, and their values."""

    title: str
    said: str
    values: Sequence[tuple[str, str]]

    def told(self, words: Words) -> str:
        """In one line."""
        return " · ".join(f"{label}{words(': ')}{value}" for label, value in self.values)


#: What a report is made of.
Shown = Sentences | Headlines | Heading | Figure | Table | Lines | Notice | Settings
_KINDS = (Sentences, Headlines, Heading, Figure, Table, Lines, Notice)
#: What serves those alone who have a browser before them.
_FOR_HANDS = (Nothing, Selection, Filters, Contents, Scenes, Panel, Kept, Detail, Footer)
#: Letters on a line of a table half as wide as a page.
_HALF = 62
#: Controls that choose what is shown of a page, not what is asked; and the day, which stands on the cover.
_OF_THE_SCREEN = ("use", "scene", "as_of")


def rows_of(page: Page) -> list[list[Shown]]:
    """The rows of a page from top to bottom, without places that hold nothing and headings that head nothing.

    A table too wide to stand beside something has a row for itself, and so has that.

    Raises:
        TypeError: If the page holds a block of which it was not decided how a report tells it.
    """
    placed = [[shown for slot in row for shown in _shown(page.blocks.get(slot), page)] for row in page.places]
    rows = [each for row in placed for each in ([row] if all(map(_fits_beside, row)) else [[own] for own in row])]
    kept: list[list[Shown]] = []
    for row in reversed([row for row in rows if row]):
        if isinstance(row[0], Heading) and (not kept or isinstance(kept[-1][0], Heading)):
            continue
        kept.append(row)
    return kept[::-1]


def _shown(block: Block | Figure | None, page: Page) -> Iterable[Shown]:
    if isinstance(block, Levers):
        values = settings(block.controls, page.asked)
        return [Settings(block.title, block.said, values)] if values or block.said else []
    if isinstance(block, _KINDS):
        return [block]
    if block is None or isinstance(block, _FOR_HANDS):
        return []
    raise TypeError(f"A report does not know how to tell {type(block).__name__}.")


def _fits_beside(shown: Shown) -> bool:
    return not isinstance(shown, Table) or sum(cells_of(shown).widths(_HALF, 7, 7)[0]) <= _HALF


def bar_of(page: Page, words: Words) -> Settings:
    """How the controls in the bar of a page stand."""
    asked = [each for each in page.controls if stands_in_bar(each) and each.name not in _OF_THE_SCREEN]
    return Settings("", "", settings(asked, page.asked, words))


def settings(controls: Iterable[Control], view: View, words: Words | None = None) -> list[tuple[str, str]]:
    """The label and the value of each control that is shown in a view."""
    told = []
    for control in controls:
        value = view.controls[control.name]
        if isinstance(control, Day) and words and _is_shown(control, view):
            told.append((control.label, words.date(view.day(control.name))))
        elif isinstance(control, Choice) and _is_shown(control, view):
            told.append((control.label, control.options[value]))
    return told


def _is_shown(control: Choice | Day, view: View) -> bool:
    name, _, value = control.when.partition("=")
    return not name or view.controls.get(name) == value


def remarks_of(page: Page) -> list[str]:
    """What a page says at its foot of where its numbers come from, without its links."""
    footers = (block for block in page.blocks.values() if isinstance(block, Footer))
    return [text for footer in footers for text, address in footer.items if not address]
