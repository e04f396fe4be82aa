"""A report as PDF/UA: typst sets it on A4 with the fonts it embeds; charts stay vector pictures, text stays text."""

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import fontpkg
import typst

from cadran.figures.blocks import Heading, Headlines, Lines, Notice, Sentences
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.figures.theme import COLOURS, FONT, painted
from cadran.reports.cells import cells_of
from cadran.reports.gathered import Part, Report
from cadran.reports.pictures import width_in
from cadran.reports.shown import Settings, Shown
from cadran.text import LANGUAGES

FAMILY, SIGNS = "Roboto", "Libertinus Serif"
_SIGNS = re.compile("[\u2190-\u21ff\u2500-\u2bff]+")
MARKS = {"good": "▲ ", "bad": "▼ ", "even": ""}
#: Of a table as wide as the page: letters on a line at a size in points, and the size down to which they shrink before texts
#: are broken.
_LETTERS, _SIZE, _SMALL = 134, 7.0, 6.0
#: Lines of print from which a table may go on on the next page.
_MOST_LINES = 46


def pdf(report: Report) -> bytes:
    """The report as one PDF file.

    Raises:
        typst.TypstError: If it cannot be set, or not as PDF/UA.
    """
    source = (files("cadran.reports") / "report.typ").read_bytes()
    inputs = {"told": json.dumps(_told(report), ensure_ascii=False)}
    fonts = [str(Path(fontpkg.path(FAMILY)).parent)]
    made: bytes = typst.compile(  # type: ignore[misc]
        source, sys_inputs=inputs, font_paths=fonts, ignore_system_fonts=True, pdf_standards=["ua-1"],
        timestamp=int(report.made.timestamp()),
    )  # fmt: skip
    return made


def _told(report: Report) -> dict[str, Any]:
    words, facts, made = report.words, report.facts, report.made
    defined = {each.name for each in report.definitions}
    return {
        "lang": words.language,
        "region": LANGUAGES[words.language].partition("_")[2].lower(),
        "colours": COLOURS["light"],
        "document_title": f"{report.title} · {facts.name} · {words.date(report.day)}",
        "keywords": [facts.name, report.scope, report.day.isoformat()],
        "made": {"year": made.year, "month": made.month, "day": made.day},
        "masthead": {
            "what": report.title, "book": facts.name, "scope": report.scope, "source": report.source,
            "facts": report.told, "remarks": [],
        },
        "words": {
            "source": words("Source: {source}", source=report.source), "definitions": words("Definitions"),
            "defined": words("The measures that stand behind the numbers of this report."),
        },
        "parts": [_part(part, report, defined) for part in report.parts],
        "definitions": [
            {"name": each.name, "title": words(each.title), "definition": words(each.definition),
             "unit": words("Unit: {unit}", unit=words(each.unit))}
            for each in report.definitions
        ],
    }  # fmt: skip


def _lettered(svg: str) -> str:
    """A chart in the report's font; signs that it lacks in another, or the whole text they stand in would be."""

    def signs(text: re.Match[str]) -> str:
        return _SIGNS.sub(rf'<tspan font-family="{SIGNS}">\g<0></tspan>', text[0])

    return re.sub(r">[^<>]+<", signs, svg.replace(FONT, FAMILY))


def _part(part: Part, report: Report, defined: set[str]) -> dict[str, Any]:
    return {
        "name": part.name, "title": part.title, "asked": part.asked, "first": part.first,
        "rows": _rows(part, report, defined),
        "remarks": " · ".join(part.remarks),
    }  # fmt: skip


def _rows(part: Part, report: Report, defined: set[str]) -> list[list[dict[str, Any]]]:
    rows, level = [], 2
    for row in part.rows:
        level = 3 if isinstance(row[0], Heading) else level
        rows.append([_piece(shown, row, report, defined) | {"level": level} for shown in row])
    return rows


def _piece(shown: Shown, row: Sequence[Shown], report: Report, defined: set[str]) -> dict[str, Any]:
    """What the template draws of one block."""
    match shown:
        case Heading(title=title, said=said):
            return {"kind_of": "heading", "title": title, "said": said}
        case Sentences(items=items):
            return {"kind_of": "sentences", "items": list(items)}
        case Headlines(items=items):
            return {"kind_of": "headlines", "items": [
                {"label": each.label, "value": each.value, "tone": each.tone, "basis": each.basis,
                 "change": MARKS[each.tone] * bool(each.change) + each.change,
                 "to": f"define-{name}" if (name := each.definition.partition("#")[2]) in defined else ""}
                for each in items
            ]}  # fmt: skip
        case Figure(title=title, subtitle=subtitle):
            width = width_in(row)
            svg = _lettered(painted(report.pictures.of(shown, width), "light"))
            return {"kind_of": "figure", "title": title, "subtitle": subtitle, "svg": svg, "width": width,
                    "alt": shown.finding or title}  # fmt: skip
        case Table(title=title, subtitle=subtitle):
            cells = cells_of(shown)
            columns, size = cells.widths(_LETTERS, _SIZE, _SMALL)
            return {"kind_of": "table", "title": title, "subtitle": subtitle, "heads": cells.heads,
                    "is_number": cells.is_number, "lines": cells.lines, "under": cells.under, "columns": columns, "size": size,
                    "is_long": len(cells.lines) * (2 + any(cells.under)) > _MOST_LINES,
                    "left_out": cells.left_out(report.words)}  # fmt: skip
        case Lines(title=title, subtitle=subtitle, items=items):
            return {"kind_of": "lines", "title": title, "subtitle": subtitle, "items": items, "is_narrow": len(row) > 1}
        case Notice(title=title, text=text, kind=kind):
            return {"kind_of": "notice", "title": title, "text": text.replace("`", ""), "kind": kind}
        case Settings(title=title, said=said):
            return {"kind_of": "settings", "title": title, "said": said, "values": shown.told(report.words)}
