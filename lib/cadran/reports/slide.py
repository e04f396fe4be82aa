"""One slide: its title, what is on it, and its notes."""

import io
from collections.abc import Sequence
from typing import Any

from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from cadran.figures.blocks import Headline
from cadran.figures.theme import COLOURS
from cadran.reports.cells import Cells
from cadran.reports.gathered import Report

FONT = "Arial"
#: In inches: the slide's edge, its inner width, where its body begins and ends.
EDGE, INNER, BODY, END = 0.6, 12.13, 1.62, 6.85
#: Letters on a line of a table, at 11 points; and on that of a title, times its points.
_LETTERS, _TITLE = 132, 1500
_LAYOUT_TITLE_ONLY = 5
_SVG = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
_MARKS = {"good": "▲ ", "bad": "▼ ", "even": ""}


class Slide:
    """A slide of a report; lengths are in inches, sizes in points."""

    def __init__(self, page: Any, report: Report):
        self.page, self.report = page, report

    def small(self, text: str) -> None:
        """A quiet line under the title."""
        self._text(text, 1.28, 0.6, 12, "muted")

    def lines(self, items: Sequence[tuple[str, str]], size: float, top: float = BODY + 0.35) -> None:
        """Paragraphs, each with what is said of it in smaller letters."""
        frame = self._box(top, END - top)
        for number, (what, said) in enumerate(items):
            first = frame.paragraphs[0] if not number else frame.add_paragraph()
            first.space_after = Pt(0 if said else size * 0.6)
            self._run(first, what, size, bold=bool(said))
            if said:
                second = frame.add_paragraph()
                second.space_after = Pt(size * 0.6)
                self._run(second, said, size * 0.85, "muted")

    def headlines(self, items: Sequence[Headline], top: float = BODY) -> None:
        """Numbers side by side."""
        width = INNER / max(len(items), 1)
        for place, each in enumerate(items):
            frame = self._box(top, 1.2, EDGE + place * width, width - 0.15)
            tone = {"good": "good", "bad": "bad", "even": "muted"}[each.tone]
            change = _MARKS[each.tone] * bool(each.change) + each.change
            told = (
                (each.label, 11, "muted", False), (each.value, 24, "ink", True), (change, 10, tone, False),
                (each.basis, 10, "muted", False),
            )  # fmt: skip
            for number, (text, size, colour, bold) in enumerate(line for line in told if line[0]):
                self._run(frame.paragraphs[0] if not number else frame.add_paragraph(), text, size, colour, bold)

    def table(self, cells: Cells, left_out: str) -> None:
        """A table as PowerPoint's own."""
        heads, top = cells.heads, 2.0
        made = self.page.shapes.add_table(
            len(cells.lines) + 1, len(heads), Inches(EDGE), Inches(top), Inches(INNER), Inches(0.34 * (len(cells.lines) + 1))
        )  # fmt: skip
        made._element.graphic.graphicData.tbl.tblPr.find(
            qn("a:tableStyleId")
        ).text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
        sizes, size = cells.widths(_LETTERS, 11, 8)
        for place, each in enumerate(sizes):
            made.table.columns[place].width = Emu(int(Inches(INNER) * each / sum(sizes)))
        for number, line in enumerate([[(head, "") for head in heads], *cells.lines]):
            for place, (value, ends) in enumerate(line):
                cell = made.table.cell(number, place)
                cell.margin_left = cell.margin_right = Inches(0.05)
                cell.margin_top = cell.margin_bottom = Inches(0.025)
                cell.vertical_anchor = MSO_ANCHOR.MIDDLE
                paragraph = cell.text_frame.paragraphs[0]
                paragraph.alignment = PP_ALIGN.RIGHT if cells.is_number[place] else PP_ALIGN.LEFT
                self._run(paragraph, value, size, "ink" if number else "muted", bold=not number)
                if ends:
                    self._run(paragraph, f" {ends}", size * 0.86, "muted")
                _rule(cell, COLOURS["light"]["line" if number else "ink"].removeprefix("#"))
        if left_out:
            self._text(left_out, END - 0.05, 0.3, 10, "muted")

    def note(self, text: str) -> None:
        """What can be said beside it."""
        self.page.notes_slide.notes_text_frame.text = text.strip()

    def number(self, number: int, last: int) -> None:
        """The footer: where the numbers come from, and which slide of how many."""
        self._text(f"{self.report.source} · {self.report.scope}", 7.08, 0.3, 9, "muted", width=10.5)
        frame = self._box(7.08, 0.3, EDGE + 10.6, INNER - 10.6)
        frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
        self._run(frame.paragraphs[0], f"{number} / {last}", 9, "muted")

    def _text(self, text: str, top: float, height: float, size: float, colour: str, width: float = INNER) -> None:
        self._run(self._box(top, height, EDGE, width).paragraphs[0], text, size, colour)

    def _box(self, top: float, height: float, left: float = EDGE, width: float = INNER) -> Any:
        frame = self.page.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height)).text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        return frame

    def _run(self, paragraph: Any, text: str, size: float, colour: str = "ink", bold: bool = False) -> None:
        run = paragraph.add_run()
        run.text = text
        run.font.size, run.font.bold, run.font.name = Pt(size), bold, FONT
        run.font.color.rgb = RGBColor.from_string(COLOURS["light"][colour].removeprefix("#").upper())
        run._r.get_or_add_rPr().set("lang", {"fr": "fr-FR", "en": "en-GB"}[self.report.words.language])


def new_slide(show: Any, report: Report, title: str, over: str) -> Slide:
    """A further slide, with what it is about over its title."""
    page = show.slides.add_slide(show.slide_layouts[_LAYOUT_TITLE_ONLY])
    slide = Slide(page, report)
    heading = page.shapes.title
    heading.left, heading.top, heading.width, heading.height = (Inches(each) for each in (EDGE, 0.62, INNER, 0.66))
    frame = heading.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor, frame.word_wrap = MSO_ANCHOR.TOP, True
    frame.paragraphs[0].alignment = PP_ALIGN.LEFT
    slide._run(frame.paragraphs[0], title, min(26, max(13, _TITLE / max(len(title), 1))), bold=True)
    slide._text(over, 0.34, 0.28, 11, "muted")
    return slide


def add_picture(slide: Slide, svg: bytes, png: bytes, said: str) -> None:
    """A vector picture as large as there is room, with the pixels that older programs show in its place."""
    page, room = slide.page, (Inches(INNER), Inches(END - 2.0))
    picture = page.shapes.add_picture(io.BytesIO(png), Inches(EDGE), Inches(2.0))
    scale = min(room[0] / picture.width, room[1] / picture.height)
    picture.width, picture.height = Emu(int(picture.width * scale)), Emu(int(picture.height * scale))
    picture._element.nvPicPr.cNvPr.set("descr", said)
    package = page.part.package
    name = PackURI(f"/ppt/media/chart{page.slide_id}.svg")
    related = page.part.relate_to(Part(name, "image/svg+xml", package, svg), RELATIONSHIP_TYPE.IMAGE)
    blip = picture._element.find(f".//{qn('a:blip')}")
    blip.append(parse_xml(
        f'<a:extLst xmlns:a="{_MAIN}"><a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}">'
        f'<asvg:svgBlip xmlns:asvg="{_SVG}" xmlns:r="{_RELATED}" r:embed="{related}"/></a:ext></a:extLst>'
    ))  # fmt: skip


def _rule(cell: Any, colour: str) -> None:
    """A line under a cell."""
    cell._tc.get_or_add_tcPr().append(parse_xml(
        f'<a:lnB xmlns:a="{_MAIN}" w="6350"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill></a:lnB>'
    ))  # fmt: skip
