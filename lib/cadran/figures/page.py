"""A page: one widget that holds every control, sentence, figure and table, and is fed rows after each change."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar, Protocol

import anywidget
import traitlets

from cadran.figures import bundle
from cadran.figures.bar import PAGES, bar
from cadran.figures.blocks import Block, Offers, figure_html, live_rows
from cadran.figures.controls import Control, View, read_view, stands_in_bar, view_of_address
from cadran.figures.figure import WIDTH, Figure
from cadran.figures.table import Table, as_csv, as_xlsx, plain_table
from cadran.figures.theme import FONT, variables
from cadran.tables.problems import Problem
from cadran.text import Words

_STYLES = Path(__file__).parent
#: Width of the prepared picture of a figure that has a row for itself, in pixels: that of a laptop.
ALONE_IN_ROW = 1180
#: Rows of places on the page, from top to bottom; two in a row stand side by side on a laptop.
Places = Sequence[Sequence[str]]


class Audience(Protocol):
    """Who looks on at presentations, besides the one who gives them."""

    def meet(self, page: "Page") -> None:
        """A page is opened."""

    def see(self, page: "Page") -> None:
        """What a page shows has changed."""

    def lose(self, page: "Page") -> None:
        """A page is about to show more than those who look on may see.

        Raises:
            Problem: If it must not.
        """


class Page(anywidget.AnyWidget):
    """A page of an app, or one figure in an analyst's cell.

    Args:
        title: Name of the app, in the reader's language.
        words: The reader's language.
        controls: What can be set in the bar, in order.
        dimensions: Columns on which a reader may select.
        places: The places of the page.
        query: The address's query, which may hold a view.
        alone: Whether this is one figure in a cell: no bar, and no more room than it needs.
        veil: What is done to every block before it is shown in a view, where some of it must not be read.
        onlooked: The places that those who look on may see in a view; None where nothing is presented.

    `view` changes when the reader changes anything; read it through `asked`.
    """

    frame = traitlets.Unicode().tag(sync=True)
    specs = traitlets.Dict().tag(sync=True)
    content = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    #: Of all pages of this process, where they are published.
    audience: ClassVar[Audience | None] = None
    #: The pages that whoever reads this one may open: name in the address -> title (an English sentence of the catalogue).
    menu: ClassVar[Callable[[], Mapping[str, str]]] = staticmethod(lambda: PAGES)

    def __init__(
        self,
        title: str,
        words: Words,
        controls: Sequence[Control] = (),
        dimensions: Sequence[str] = (),
        places: Places = (("figure",),),
        query: Mapping[str, str | list[str]] | None = None,
        alone: bool = False,
        veil: Callable[[View, Block | Figure], Block | Figure] = lambda _view, block: block,
        onlooked: Callable[[View], Collection[str] | None] = lambda _view: None,
    ):
        self.alone, self.veil, self.onlooked = alone, veil, onlooked
        #: What those who look on may see: blocks that were made to be presented. None where nothing is.
        self.presented: Mapping[str, Block | Figure] | None = None
        self.title, self.words, self.controls = title, words, tuple(controls)
        self.dimensions, self.places = tuple(dimensions), places
        self.blocks: dict[str, Block | Figure] = {}
        self._shown_for: dict[str, object] = {}
        self._earlier: set[str] = set()
        self._coming: set[str] = set()
        type(self)._esm = bundle.module()
        first = read_view(view_of_address(query or {}, self.controls), self.controls, self.dimensions, words)
        self._at_start, self.first = first.said, first
        super().__init__(view=_raw(first, self.controls))
        self.frame = self.document(first)
        self.on_msg(self._hear)
        if self.audience:
            self.audience.meet(self)

    def close(self) -> None:
        """Let go of the page: until then the process keeps it, and all that it shows, for whom it might answer."""
        layout = self.layout
        super().close()
        layout.close()

    @property
    def asked(self) -> View:
        """The reader's view, held to what the page allows."""
        view = read_view(self.view, self.controls, self.dimensions, self.words)
        return View(**{**vars(view), "said": self._at_start}) if not view.seq else view

    @property
    def is_coming(self) -> bool:
        """Whether more is still to come to some place."""
        return bool(self._coming)

    def show(
        self,
        blocks: Mapping[str, Block | Figure],
        said: Sequence[str] = (),
        is_coming: bool = False,
        is_other: bool = False,
    ) -> None:
        """Put blocks in their places, in one message to the browser; places not named keep what they hold, and
        what has no place on this page is left out.

        While a slider is held, or where the question `is_other` than the one these answered, they are marked as stale,
        until a later call fills them. Where more `is_coming` to these places, the browser asks again in a while.
        """
        asked, there = self.asked, {slot for row in self.places for slot in row}
        blocks = {slot: self.veil(asked, block) for slot, block in blocks.items() if slot in there}
        try:
            self._present(asked, blocks)
        except Problem as problem:
            self._shown_for.clear()
            blocks, said = {}, [problem.told(self.words)]
        is_local = any(not stands_in_bar(c) for c in self.controls if c.name == asked.moving)
        others = self.blocks.keys() - blocks.keys()
        self._earlier = others if is_other else self._earlier & others
        self._coming = self._coming | blocks.keys() if is_coming else self._coming - blocks.keys()
        stale = sorted(others if asked.moving and not is_local else self._earlier)
        self.blocks = {**self.blocks, **blocks}
        specs = {each.drawing.key: each.drawing.vega for each in blocks.values() if isinstance(each, Figure)}
        slots = {slot: self._written(slot, block, asked) for slot, block in blocks.items()}
        told = " ".join([*asked.said, *said])
        content = {
            "seq": asked.seq,
            "said": told,
            "view": {"controls": dict(asked.controls)},
            "stale": stale,
            "is_coming": is_coming or self.is_coming,
            "slots": {**self.content.get("slots", {}), **slots},
        }
        with self.hold_sync():
            if not specs.keys() <= self.specs.keys():
                self.specs = {**self.specs, **specs}
            self.content = content
        if self.audience:
            self.audience.see(self)

    def _present(self, asked: View, blocks: Mapping[str, Block | Figure]) -> None:
        """Keep what may be looked on at: nothing that was made while the page was not presented."""
        places = self.onlooked(asked)
        if places is None and self.presented is not None and self.audience:
            self.audience.lose(self)
        of_all = {**(self.presented or {}), **blocks}
        self.presented = None if places is None else {slot: of_all[slot] for slot in of_all if slot in places}

    def is_new(self, part: str, question: object) -> bool:
        """Whether a part of the page has to be made for this question: not if it was last made for the same one.

        A part that fills places is named after one of them.
        """
        is_new = self._shown_for.get(part) != question
        self._shown_for[part] = question
        return is_new

    def forget(self, slots: Iterable[str]) -> None:
        """Have the parts named after these places made anew, as something else stands there meanwhile."""
        for slot in slots:
            self._shown_for.pop(slot, None)

    def refuse(self, problem: Problem) -> None:
        """Say what went wrong and how to repair it, in place of the page's first block."""
        from cadran.figures.blocks import Notice

        self.show({self.places[0][0]: Notice(problem.told(self.words), kind="error")})

    def html(self, theme: str = "light") -> str:
        """The page as it stands, as one HTML document without scripts: figures are inline SVG."""
        inner = self.picture()
        return (
            f'<!doctype html><html lang="{self.words.language}"><head><meta charset=utf-8>'
            f'<meta name=viewport content="width=device-width, initial-scale=1"><title>{escape(self.title)}</title></head>'
            f'<body class=host data-theme="{theme}">{inner}</body></html>'
        )

    def picture(self) -> str:
        """The page's markup as it stands: figures are inline SVG."""
        return self.document(self.asked, self._markup)

    def document(self, view: View, markup: Any = None) -> str:
        """The page's markup: style, bar and places, empty unless `markup(slot)` fills them."""
        rows = "".join(
            f"<div class='row n{len(row)}'>{''.join(self._place(slot, markup) for slot in row)}</div>"
            for row in self.places
        )
        late = escape(self.words("No answer yet. What is shown may not be what was asked."))
        use = escape(view.controls.get("use", ""))
        alone = " alone" if self.alone else ""
        head = "" if self.alone else bar(self.title, self.controls, view, self.words, type(self).menu())
        return (
            f"<style>{stylesheet()}</style><template class=chrome>{chrome_style()}</template>"
            f'<div class="page{alone}" data-use="{use}" lang="{self.words.language}" data-title="{escape(self.title)} · Cadran" '
            f'data-late="{late}">{head}<main>{rows}</main><div class=visually-hidden aria-live=polite></div>'
            f"<p class=said role=status hidden></p><dl class=tip hidden></dl></div>"
        )

    def _place(self, slot: str, markup: Any) -> str:
        filled = markup(slot) if markup else ""
        busy = "" if filled or (markup and slot in self.blocks) else " aria-busy=true"
        return f'<section class="place at-{slot}" data-slot="{slot}"{busy}>{filled}</section>'

    def _markup(self, slot: str) -> str:
        block = self.blocks.get(slot)
        if isinstance(block, Figure):
            width = WIDTH if any(slot in row for row in self.places if len(row) > 1) else ALONE_IN_ROW
            return self._figure(slot, block, self.asked, block.picture(width))
        return block.html(slot, self.words) if block else ""

    def _written(self, slot: str, block: Block | Figure, view: View) -> str:
        """What the browser gets of a block: one that pages share is written for the first of them."""
        written: dict[Any, str] = vars(block).setdefault("_written", {})
        key = slot, slot in view.behind, self.words.language
        if key not in written:
            written[key] = json.dumps(self._slot(slot, block, view))
        return written[key]

    def _slot(self, slot: str, block: Block | Figure, view: View) -> dict[str, Any]:
        if isinstance(block, Figure):
            return {"html": self._figure(slot, block, view), "figures": [live_rows(block, slot)]}
        return {"html": block.html(slot, self.words)}

    def _figure(self, slot: str, figure: Figure, view: View, picture: str = "") -> str:
        behind = ""
        if slot in view.behind:
            behind = plain_table(figure.frame, self.words, figure.currency, figure.title, figure.dimension)
        return figure_html(figure, slot, self.words, behind, picture)

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Answer a request for a file."""
        block = self.blocks.get(str(content.get("export"))) if isinstance(content, dict) else None
        if not isinstance(block, Figure | Table | Offers):
            return
        kind, theme = content.get("format"), "dark" if content.get("theme") == "dark" else "light"
        made = self._file(block, kind, theme)
        if made is not None:
            self.send({"file": f"{_file_name(block.title)}.{kind}", "kind": _KINDS[kind]}, [made])

    def _file(self, block: Figure | Table | Offers, kind: str, theme: str) -> bytes | None:
        if isinstance(block, Offers):
            return block.offers.get(kind)
        frame = block.found().select(block.shown) if isinstance(block, Table) else block.frame
        if kind == "csv":
            return as_csv(frame, self.words)
        if kind == "xlsx":
            return as_xlsx(frame, self.words, block.title)
        if isinstance(block, Figure) and kind in _KINDS:
            return block.svg(theme).encode() if kind == "svg" else block.png(theme)
        return None


_KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "svg": "image/svg+xml",
    "png": "image/png",
    "toml": "application/toml",
}


def stylesheet() -> str:
    """The page's style, with the colours of both themes."""
    light, dark = variables("light"), variables("dark")
    themes = (
        f":host,.host{{{light}}}"
        f"@media (prefers-color-scheme:dark){{:host(:not([data-theme=light])),.host:not([data-theme=light]){{{dark}}}}}"
        f":host([data-theme=dark]),.host[data-theme=dark]{{{dark}}}"
    )
    return f":host,.host{{--font:{FONT}}}{themes}{(_STYLES / 'page.css').read_text('utf-8')}"


def chrome_style() -> str:
    """How marimo's own window is hidden around a page."""
    light, dark = variables("light"), variables("dark")
    themes = (
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root:not([data-cadran-theme=light]){{{dark}}}}}"
        f":root[data-cadran-theme=dark]{{{dark}}}"
    )
    return themes + (_STYLES / "chrome.css").read_text("utf-8")


def _raw(view: View, controls: Sequence[Control]) -> dict[str, Any]:
    return {
        "controls": dict(view.controls),
        "defaults": {control.name: control.default for control in controls},
        "selection": {dimension: list(values) for dimension, values in view.selection.items()},
        "tables": {name: vars(table) for name, table in view.tables.items()},
        "behind": sorted(view.behind),
        "open": view.open,
        "seq": 0,
    }


def _file_name(title: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return "-".join(part for part in kept.split("-") if part)[:60] or "cadran"
