"""A report as an Excel workbook: a sheet for the contents, one for each page's words, one for each figure and table."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import xlsxwriter

from cadran.figures.blocks import Heading, Headlines, Lines, Notice, Sentences
from cadran.figures.columns import HIDDEN
from cadran.figures.figure import Figure
from cadran.figures.table import Table, worded
from cadran.reports.gathered import Part, Report
from cadran.reports.shown import Settings, Shown

#: Texts stay texts, whatever they begin with.
OPTIONS = {
    "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True,
    "nan_inf_to_errors": True,
}  # fmt: skip
#: Letters of a sheet's name, and those that it may not have.
_MOST, _BARRED = 31, "[]:*?/\\'"
#: Rows and columns above which a sheet takes no table.
_ROWS = 1_048_000


@dataclass(frozen=True)
class Sheet:
    """What is on the sheet of one figure or table."""

    name: str
    shown: Figure | Table

    @property
    def frame(self) -> pl.DataFrame:
        """Its rows, all of them, exact."""
        return self.shown.frame if isinstance(self.shown, Figure) else self.shown.found().select(self.shown.shown)


def workbook(report: Report) -> bytes:
    """The report as one workbook; numbers are exact, days are days."""
    file = io.BytesIO()
    sheets = [
        (part, _name(f"{place} {part.title}"), list(_sheets(part, place))) for place, part in enumerate(report.parts, 1)
    ]
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties(
            {
                "title": f"{report.title} · {report.facts.name}",
                "author": "Cadran",
                "created": report.made.replace(tzinfo=None),
            }
        )
        styles = {
            "title": book.add_format({"bold": True, "font_size": 16}), "head": book.add_format({"bold": True}),
            "quiet": book.add_format({"font_color": "#59616b"}), "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "link": book.add_format({"font_color": "#1b5fc1", "underline": 1}),
        }  # fmt: skip
        _contents(book, report, sheets, styles)
        for part, name, own in sheets:
            _words_of(book, part, name, report, styles)
            for sheet in own:
                _rows_of(book, sheet, report, styles)
        _definitions(book, report, styles)
    return file.getvalue()


def _sheets(part: Part, place: int) -> Iterator[Sheet]:
    drawn = [shown for row in part.rows for shown in row if isinstance(shown, Figure | Table)]
    for number, shown in enumerate(drawn, 1):
        yield Sheet(_name(f"{place}.{number:02} {shown.title}"), shown)


def _name(title: str) -> str:
    return "".join(letter for letter in title if letter not in _BARRED)[:_MOST].strip()


def _contents(
    book: Any, report: Report, sheets: Sequence[tuple[Part, str, list[Sheet]]], styles: dict[str, Any]
) -> None:
    words = report.words
    page = book.add_worksheet(_name(words("Contents")))
    page.hide_gridlines(2)
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 100)
    page.write_string(0, 0, f"{report.title} · {report.facts.name}", styles["title"])
    for line, text in enumerate(report.told, 1):
        page.write_string(line, 0, text)
    line = len(report.told) + 2
    for part, name, own in sheets:
        page.write_url(line, 0, f"internal:'{name}'!A1", styles["link"], part.title)
        page.write_string(line, 1, part.asked, styles["quiet"])
        for sheet in own:
            line += 1
            page.write_url(line, 0, f"internal:'{sheet.name}'!A1", styles["link"], sheet.name)
            page.write_string(line, 1, sheet.shown.title)
        line += 2
    page.write_url(line, 0, f"internal:'{_name(words('Definitions'))}'!A1", styles["link"], words("Definitions"))


def _words_of(book: Any, part: Part, name: str, report: Report, styles: dict[str, Any]) -> None:
    """What a page says beside its figures and tables, in its order."""
    page = book.add_worksheet(name)
    page.hide_gridlines(2)
    page.set_column(0, 0, 40)
    page.set_column(1, 4, 34)
    page.write_string(0, 0, part.title, styles["title"])
    page.write_string(1, 0, part.asked, styles["quiet"])
    line = 3
    for shown in (each for row in part.rows for each in row):
        for cells, style in _lines_of(shown, report):
            for column, text in enumerate(cells):
                page.write_string(line, column, text, styles.get(style))
            line += 1
        line += not isinstance(shown, Figure | Table)
    for text in part.remarks:
        page.write_string(line, 0, text, styles["quiet"])
        line += 1


def _lines_of(shown: Shown, report: Report) -> list[tuple[tuple[str, ...], str]]:
    words = report.words
    match shown:
        case Sentences(items=items):
            return [((text,), "") for text in items]
        case Headlines(items=items):
            heads = tuple(map(words, ("Number", "Value", "Change", "Basis", "Exact")))
            rows = [(each.label, each.value, each.change, each.basis, each.exact) for each in items]
            return [(heads, "head"), *((row, "") for row in rows)]
        case Heading(title=title, said=said):
            return [((title,), "head"), *([((said,), "quiet")] if said else [])]
        case Lines(title=title, subtitle=subtitle, items=items):
            return [((title,), "head"), ((subtitle,), "quiet"), *((tuple(item), "") for item in items)]
        case Notice(title=title, text=text):
            return [*([((title,), "head")] if title else []), ((text,), "")]
        case Settings(title=title, said=said):
            told = [each for each in (title, said, shown.told(words)) if each]
            return [((text,), "quiet") for text in told]
    return []


def _rows_of(book: Any, sheet: Sheet, report: Report, styles: dict[str, Any]) -> None:
    """The rows of a figure or a table, under its title."""
    page, shown = book.add_worksheet(sheet.name), sheet.shown
    page.write_string(0, 0, shown.title, styles["title"])
    page.write_string(1, 0, shown.subtitle, styles["quiet"])
    page.write_string(2, 0, report.words("Source: {source}", source=report.source), styles["quiet"])
    frame = sheet.frame.head(_ROWS)
    named = worded(frame, report.words)
    instants = [
        pl.col(name).dt.replace_time_zone(None) for name, kind in named.schema.items() if isinstance(kind, pl.Datetime)
    ]
    kept = [name for name in frame.columns if name not in HIDDEN]
    formats: dict[Any, Any] = {
        name: form
        for column, name in zip(kept, named.columns, strict=True)
        if named.schema[name].is_numeric() and (form := number_format(column, shown.currency))
    }
    if not named.width:
        return
    named.with_columns(instants).write_excel(
        book, page, position="A5", column_formats=formats, dtype_formats={pl.Float64: "General", pl.Date: "yyyy-mm-dd"},
        autofit=True, autofilter=True, table_style="Table Style Light 1",
    )  # fmt: skip
    page.freeze_panes(5, 1)


def number_format(column: str, currency: str) -> str:
    """How Excel shows the numbers of a column, whose value stays exact; empty where that is as they are."""
    base = column.removesuffix("_low").removesuffix("_high")
    if base.endswith(("_rate", "_share", "probability", "_before")) and "amount" not in base:
        return "0.0%"
    if ("amount" in base or "revenue" in base) and not base.startswith("n_"):
        return f'#,##0.00 "{currency}"'
    return "#,##0" if base.startswith("n_") else ""


def _definitions(book: Any, report: Report, styles: dict[str, Any]) -> None:
    words = report.words
    page = book.add_worksheet(_name(words("Definitions")))
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 110)
    page.set_column(2, 2, 34)
    page.write_row(0, 0, [words("Measure"), words("Definition"), words("Unit")], styles["head"])
    for line, each in enumerate(report.definitions, 1):
        for column, text in enumerate((each.title, each.definition, each.unit)):
            page.write_string(line, column, words(text), styles["wrap"])
