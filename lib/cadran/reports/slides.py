"""A report as slides: one for each message, charts as vector pictures, and in the notes what can be said of them."""

import io
from collections.abc import Sequence
from typing import Any

import vl_convert
from pptx import Presentation
from pptx.util import Inches

from cadran.figures.blocks import Heading, Headlines, Lines, Notice, Sentences
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.figures.theme import FONT, painted
from cadran.reports.cells import Cells, cells_of, cells_of_figure
from cadran.reports.gathered import Part, Report
from cadran.reports.pictures import ALONE
from cadran.reports.shown import Settings
from cadran.reports.slide import BODY, Slide, add_picture, new_slide

#: What whoever shows slides has; charts are measured in a font of the same widths.
FAMILY = "Arial"
#: Rows of a table on a slide, lines of a list, definitions, and rows of a figure's numbers in the notes.
ROWS, LINES, DEFINED, NOTED = 10, 6, 5, 40


def slides(report: Report) -> bytes:
    """The report as one PowerPoint file, 16:9."""
    words = report.words
    show = Presentation()
    show.slide_width, show.slide_height = Inches(13.333), Inches(7.5)
    about = show.core_properties
    about.title, about.author, about.language = f"{report.title} · {report.facts.name}", "Cadran", words.language
    about.created = about.modified = report.made.replace(tzinfo=None)
    first = new_slide(show, report, report.title, f"Cadran · {report.facts.name}")
    first.lines([(text, "") for text in report.told], size=18)
    for part in report.parts:
        _part(show, report, part)
    told = [(words(each.title), words(each.definition)) for each in report.definitions]
    for at in range(0, len(told), DEFINED):
        page = new_slide(
            show, report, words("Definitions"), words("The measures that stand behind the numbers of this report.")
        )
        page.lines(told[at : at + DEFINED], size=11)
    for number, page in enumerate(show.slides, 1):
        Slide(page, report).number(number, len(show.slides))
    file = io.BytesIO()
    show.save(file)
    return file.getvalue()


def _part(show: Any, report: Report, part: Part) -> None:
    over, lead = part.title, new_slide(show, report, part.title, part.asked)
    texts = [text for row in part.rows for shown in row if isinstance(shown, Sentences) for text in shown.items]
    numbers = next((shown for row in part.rows for shown in row if isinstance(shown, Headlines)), None)
    lead.lines([(text, "") for text in texts], size=17, top=2.9 if numbers else BODY)
    if numbers:
        lead.headlines(numbers.items)
    lead.note("\n".join(part.remarks))
    for shown in (each for row in part.rows for each in row):
        match shown:
            case Heading(title=title):
                over = f"{part.title} · {title}"
            case Headlines(items=items) if shown is not numbers:
                new_slide(show, report, over.rpartition(" · ")[2], over).headlines(items)
            case Figure():
                _figure(new_slide(show, report, shown.title, over), shown, report)
            case Table(title=title, subtitle=subtitle):
                cells = cells_of(shown, ROWS)
                page = new_slide(show, report, title, over)
                page.small(subtitle)
                page.table(cells, cells.left_out(report.words))
                page.note("\n".join([subtitle, *_rows(cells), *filter(None, cells.under)]))
            case Lines(title=title, subtitle=subtitle, items=items):
                for at in range(0, len(items), LINES):
                    page = new_slide(show, report, title, over)
                    page.small(subtitle)
                    page.lines(
                        [(": ".join(filter(None, item[:2])), item[2]) for item in items[at : at + LINES]], size=13
                    )
            case Notice(title=title, text=text):
                page = new_slide(show, report, title or over.rpartition(" · ")[2], over)
                page.lines([(text.replace("`", ""), "")], size=15)
            case Settings() | Sentences():
                pass


def _figure(page: Slide, figure: Figure, report: Report) -> None:
    page.small(figure.subtitle)
    svg = painted(report.pictures.of(figure, ALONE), "light")
    png = vl_convert.svg_to_png(svg, scale=1.8)
    svg = svg.replace(FONT, FAMILY)
    add_picture(page, svg.encode(), png, figure.finding or figure.title)
    numbers = cells_of_figure(figure, NOTED)
    source = report.words("Source: {source}", source=report.source)
    page.note("\n".join([figure.subtitle, figure.finding, source, "", *_rows(numbers), numbers.left_out(report.words)]))


def _rows(cells: Cells) -> Sequence[str]:
    """The numbers of a table, a line a row."""
    return [
        " | ".join(cells.heads),
        *(" | ".join(" ".join(filter(None, cell)) for cell in line) for line in cells.lines),
    ]
