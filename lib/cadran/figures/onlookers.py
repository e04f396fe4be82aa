"""What those get who look on at a page: what it presents, with nothing in it that can be pressed or is not drawn."""

import json
import re
from html import escape
from typing import Any

from cadran.figures.blocks import Block, figure_html
from cadran.figures.figure import Figure, as_rows
from cadran.figures.page import Page, stylesheet
from cadran.figures.table import plain_table

#: Names of parts: the page around the places, the values of its controls; a place and a chart each.
FRAME, CONTROLS, PLACE, SPEC = "frame", "controls", "place.", "spec."
#: Results come first where there is room for one column alone; nothing answers the hand but what a figure says on hover.
_STYLE = (
    "main input,main select,main a{pointer-events:none}.scenes li .told{padding:4px 6px;font-weight:600}"
    "@media(max-width:1099px){.row:has(> .at-levers){order:3}.row:has(> .at-footer){order:4!important}}"
    ".scenes li:not([aria-current]){display:none}"
)
_CONTROL = re.compile(r'data-control="([^"]+)"')


def frame(page: Page) -> str:
    """The page around the places, as JSON."""
    places = (
        "".join(f'<section class="place at-{slot}" data-slot="{slot}"></section>' for slot in row)
        for row in page.places
    )
    rows = "".join(f"<div class='row n{len(row)}'>{each}</div>" for row, each in zip(page.places, places, strict=True))
    title = escape(page.title)
    html = (
        f"<style>{stylesheet()}{_STYLE}</style>"
        f'<div class=page data-use=present lang="{page.words.language}" data-title="{title} · Cadran">'
        f"<header class=bar><div class=name><span>Cadran</span><span aria-hidden=true>▸</span><h1>{title}</h1></div></header>"
        f"<main>{rows}</main><div class=visually-hidden aria-live=polite></div><dl class=tip hidden></dl></div>"
    )
    return _json({"html": html, "title": f"{page.title} · Cadran", "language": page.words.language})


def place(page: Page, slot: str, block: Block | Figure) -> str:
    """One place, as JSON: of a figure, its picture and what the chart draws of its rows."""
    if not isinstance(block, Figure):
        return _json({"html": block.html(slot, page.words)})
    behind = ""
    if slot in page.asked.behind:
        behind = plain_table(block.frame, page.words, block.currency, block.title, block.dimension)
    return _json(
        {"html": figure_html(block, slot, page.words, behind, has_tools=False), "figures": [_drawn(block, slot)]}
    )


def controls(page: Page, parts: dict[str, str]) -> str:
    """The values of the controls that stand in these parts, and of no other, as JSON."""
    named = {name for text in parts.values() for name in _CONTROL.findall(text.replace('\\"', '"'))}
    held = page.asked.controls
    return _json({name: held[name] for name in sorted(named & held.keys())} | {"use": "present"})


def _drawn(figure: Figure, slot: str) -> dict[str, Any]:
    """A figure without what its chart does not name: no column more, and nothing that a click would need."""
    rows = {}
    for name, frame in figure.marked().items():
        rows[name] = as_rows(frame.select(column for column in frame.columns if column in figure.drawing.vega))
    return {"slot": slot, "key": figure.drawing.key, "rows": rows, "dimension": None, "alt": figure.finding}


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
