"""Every file of a report tells what its pages tell, to the last digit, and needs nothing else to be read."""

import io
import re
import zipfile
from dataclasses import replace
from functools import wraps
from html import unescape
from itertools import pairwise

import fastexcel
import polars as pl
import pypdf
import pytest
from pptx import Presentation

from cadran.figures.blocks import Headlines, Sentences
from cadran.figures.figure import Figure
from cadran.figures.table import PAGE, Table
from cadran.reports.html import html
from cadran.reports.pdf import pdf
from cadran.reports.slides import slides
from cadran.reports.workbook import _sheets, workbook


def bare(text):
    """A text without its spaces, which lines of print break."""
    return re.sub(r"\s+", "", text)


def shown(report, kind):
    """All that pages show of one kind."""
    return [each for part in report.parts for row in part.rows for each in row if isinstance(each, kind)]


def told(report):
    """Every text that a reader acts on: sentences, headline numbers, the cells of the first page of each table."""
    texts = [text for each in shown(report, Sentences) for text in each.items]
    for each in shown(report, Headlines):
        texts += [text for item in each.items for text in (item.label, item.value, item.change, item.basis) if text]
    for table in shown(report, Table):
        rows = table.found().head(PAGE).rows(named=True)
        texts += [" ".join(filter(None, table.told(name, row))) for row in rows for name in table.seen]
    return texts


def once(read):
    """A file of a report is made and read once for all tests."""
    made = {}

    @wraps(read)
    def reading(report):
        if id(report) not in made:
            made[id(report)] = report, read(report)
        return made[id(report)][1]

    return reading


@once
def read_html(report):
    return html(report).decode()


@once
def read_pdf(report):
    return pypdf.PdfReader(io.BytesIO(pdf(report)))


@once
def read_slides(report):
    return Presentation(io.BytesIO(slides(report)))


def test_html_tells_what_the_pages_tell(french):
    text = bare(unescape(re.sub(r"<[^>]+>", " ", read_html(french))))

    assert len(told(french)) > 500
    assert [each for each in told(french) if bare(each) not in text] == []


def test_html_asks_for_nothing_else(french):
    text = read_html(french)
    addresses = re.findall(r"""\b(?:src|href|action|data|poster|srcset)=["']?([^"'\s>]*)""", text)

    assert addresses
    assert {each for each in addresses if not each.startswith("#")} == set()
    assert re.findall(r"<(?:script|link|iframe|img|object|embed|form)\b|@import|url\(", text) == []
    assert """<meta http-equiv="Content-Security-Policy" content="default-src 'none';""" in text
    assert '<html lang="fr">' in text


def test_addresses_within_html_are_there(french):
    text = read_html(french)
    there = set(re.findall(r'\bid="([^"]+)"|\bid=(\w+)', text))

    assert set(re.findall(r'href="#([^"]+)"', text)) <= {name for pair in there for name in pair}


def test_headings_of_html_skip_no_level(french):
    levels = [int(each) for each in re.findall(r"<h(\d)", read_html(french))]

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_figure_of_html_has_its_words_and_numbers(french):
    text = read_html(french)
    figures = shown(french, Figure)

    assert len(figures) > 30
    assert text.count("<figure>") == text.count("<details>") == len(figures)
    assert 'aria-label=""' not in text


def test_html_runs_no_text_of_the_book(english):
    part, *others = english.parts
    table = next(each for row in part.rows for each in row if isinstance(each, Table))
    attack = replace(table, frame=table.frame.with_columns(client=pl.lit("<script>alert(1)</script>")))
    attacked = replace(english, parts=[replace(part, rows=[[attack]]), *others])

    assert "<script>" not in html(attacked).decode()
    assert "&lt;script&gt;" in html(attacked).decode()


@pytest.mark.parametrize("language", ["french", "english"])
def test_pdf_tells_what_the_pages_tell(language, request):
    report = request.getfixturevalue(language)
    text = bare("".join(page.extract_text() for page in read_pdf(report).pages))
    missing = [each for each in told(report) if not all(bare(word) in text for word in each.split())]

    assert missing == []


def test_every_page_of_pdf_has_its_number_and_the_day_of_the_data(french):
    pages = [page.extract_text() for page in read_pdf(french).pages]

    assert len(pages) > 10
    for number, text in enumerate(pages, 1):
        assert bare(f"{number} / {len(pages)}") in bare(text)
        assert bare(french.source) in bare(text)


def test_pdf_says_what_it_is(french):
    read = read_pdf(french)
    marks = [each["/Title"] for each in read.outline if not isinstance(each, list)]

    assert read.metadata.title.startswith("Rapport de pilotage commercial · ")
    assert read.trailer["/Root"]["/Lang"] == "fr-FR"
    assert read.trailer["/Root"]["/MarkInfo"]["/Marked"].value
    assert [part.title for part in french.parts] == marks[:-1]


def test_pdf_draws_charts_and_embeds_its_fonts(french):
    read = read_pdf(french)
    fonts = [font.get_object() for page in read.pages for font in page["/Resources"].get("/Font", {}).values()]

    assert sum(len(page.images) for page in read.pages) == 0
    assert fonts
    assert all("+" in font["/BaseFont"] for font in fonts)


def test_slides_tell_each_figure(french):
    pages = list(read_slides(french).slides)
    titles = [page.shapes.title.text_frame.text for page in pages]

    for figure in shown(french, Figure):
        page = pages[titles.index(figure.title)]
        assert figure.subtitle in page.notes_slide.notes_text_frame.text.replace("\x0b", "\n")
        assert any(each.target_part.partname.endswith(".svg") for each in page.part.rels.values())


def test_slides_are_numbered_and_say_the_day_of_the_data(french):
    pages = list(read_slides(french).slides)

    for number, page in enumerate(pages, 1):
        text = [each.text_frame.text for each in page.shapes if each.has_text_frame]
        assert f"{number} / {len(pages)}" in text
        assert any(french.source in each for each in text)


def test_slides_tell_headline_numbers(french):
    text = " ".join(
        each.text_frame.text for page in read_slides(french).slides for each in page.shapes if each.has_text_frame
    )

    assert [item.value for each in shown(french, Headlines) for item in each.items if item.value not in text] == []


def test_workbook_has_every_row_exact(french):
    book = fastexcel.read_excel(workbook(french))

    for place, part in enumerate(french.parts, 1):
        for sheet in _sheets(part, place):
            read = book.load_sheet(sheet.name, header_row=4).to_polars()
            assert read.height == sheet.frame.height, sheet.name
            numbers = [name for name, kind in sheet.frame.schema.items() if kind == pl.Float64]
            sums = sorted(
                round(total, 9) for name in numbers if (total := sheet.frame[name].fill_nan(None).sum()) is not None
            )
            read_sums = [round(float(read[name].sum()), 9) for name, kind in read.schema.items() if kind.is_numeric()]
            assert all(
                any(abs(each - one) <= 1e-9 * max(1, abs(each)) for one in read_sums) for each in sums if each
            ), sheet.name


def test_workbook_runs_no_text_of_the_book(english):
    part, *others = english.parts
    table = next(each for row in part.rows for each in row if isinstance(each, Table))
    attack = replace(table, frame=table.frame.with_columns(client=pl.lit('=HYPERLINK("http://x")')))
    made = workbook(replace(english, parts=[replace(part, rows=[[attack]]), *others]))
    sheets = [zipfile.ZipFile(io.BytesIO(made)).read(name) for name in zipfile.ZipFile(io.BytesIO(made)).namelist()]

    assert not any(b"<f>" in each for each in sheets)
    assert any(b"=HYPERLINK" in each for each in sheets)


@pytest.mark.parametrize("make", [html, pdf, slides, workbook])
def test_poor_books_have_a_report(make, poor):
    assert len(make(poor)) > 5_000
