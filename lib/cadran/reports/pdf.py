"""A report as PDF/UA: typst sets it on A4 with the fonts it embeds; charts stay vector pictures, text stays text."""

import json
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
from cadran.reports.shown import Settings, Shown
from cadran.text import LANGUAGES, Words

#: Width in pixels of a chart that has its row alone, and of one of two beside each other.
ALONE, BESIDE = 900, 435
FAMILY = "Roboto"
MARKS = {"good": "▲ ", "bad": "▼ ", "even": ""}
#: Of a table as wide as the page: letters on a line at a size in points, and the size down to which they shrink before texts
#: are broken.
_LETTERS, _SIZE, _SMALL = 146, 7.0, 6.0
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
        "parts": [_part(part, words, defined) for part in report.parts],
        "definitions": [
            {"name": each.name, "title": words(each.title), "definition": words(each.definition),
             "unit": words("Unit: {unit}", unit=words(each.unit))}
            for each in report.definitions
        ],
    }  # fmt: skip


def _part(part: Part, words: Words, defined: set[str]) -> dict[str, Any]:
    return {
        "name": part.name, "title": part.title, "asked": part.asked, "first": part.first,
        "rows": _rows(part, words, defined),
        "remarks": " · ".join(part.remarks),
    }  # fmt: skip


def _rows(part: Part, words: Words, defined: set[str]) -> list[list[dict[str, Any]]]:
    rows, level = [], 2
    fitting = [each for row in part.rows for each in ([row] if all(map(_fits_beside, row)) else [[own] for own in row])]
    for row in fitting:
        level = 3 if isinstance(row[0], Heading) else level
        rows.append([_piece(shown, len(row) > 1, words, defined) | {"level": level} for shown in row])
    return rows


def _piece(shown: Shown, is_narrow: bool, words: Words, defined: set[str]) -> dict[str, Any]:
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
            width = BESIDE if is_narrow else ALONE
            svg = painted(shown.picture(width), "light").replace(FONT, FAMILY)
            return {"kind_of": "figure", "title": title, "subtitle": subtitle, "svg": svg, "width": width,
                    "alt": shown.finding or title}  # fmt: skip
        case Table(title=title, subtitle=subtitle):
            cells = cells_of(shown)
            columns, size = cells.widths(_LETTERS, _SIZE, _SMALL)
            return {"kind_of": "table", "title": title, "subtitle": subtitle, "heads": cells.heads,
                    "is_number": cells.is_number, "lines": cells.lines, "under": cells.under, "columns": columns, "size": size,
                    "is_long": len(cells.lines) * (2 + any(cells.under)) > _MOST_LINES,
                    "left_out": cells.left_out(words)}  # fmt: skip
        case Lines(title=title, subtitle=subtitle, items=items):
            return {"kind_of": "lines", "title": title, "subtitle": subtitle, "items": items, "is_narrow": is_narrow}
        case Notice(title=title, text=text, kind=kind):
            return {"kind_of": "notice", "title": title, "text": text.replace("`", ""), "kind": kind}
        case Settings(title=title, said=said):
            return {"kind_of": "settings", "title": title, "said": said, "values": shown.told(words)}


def _fits_beside(shown: Shown) -> bool:
    """Whether a block can stand beside another: not a table of many columns."""
    return not isinstance(shown, Table) or sum(cells_of(shown).widths(_LETTERS // 2, _SIZE, _SIZE)[0]) <= _LETTERS // 2
