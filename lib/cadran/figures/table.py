"""Tables: sorted, searched and cut into pages here, so that only what is seen travels; exported whole."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import polars as pl
import xlsxwriter

from cadran.figures.columns import HIDDEN, VALUES, WORDED, cell, is_number, label
from cadran.figures.controls import TableView
from cadran.text import Words

#: Rows of one page of a table.
PAGE = 15
#: Columns of sentences, which are written on several lines; other texts are cut at so many letters, whole on hover.
LONG, CUT = {"moved_with", "path", "undefined"}, 30
#: A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Table:
    """Rows to read, one line each. `key` names the column whose value opens a row; None opens nothing."""

    frame: pl.DataFrame
    title: str
    words: Words
    currency: str
    view: TableView = field(default_factory=TableView)
    subtitle: str = ""
    key: str | None = None
    #: Columns shown, in order; all but those that serve the drawing by default.
    columns: Sequence[str] = ()
    #: How a value of a column is written, given its row, where that hangs on the row; None: by its column.
    writes: Callable[[str, Any, Mapping[str, Any]], str] | None = None

    @property
    def shown(self) -> list[str]:
        """The columns shown."""
        return list(self.columns) or [name for name in self.frame.columns if name not in HIDDEN]

    @property
    def seen(self) -> list[str]:
        """The columns to be seen: the ends of an interval stand beside their value, in one cell."""
        return [
            name for name in self.shown if name.removesuffix("_low").removesuffix("_high") not in {*self.shown} - {name}
        ]

    def found(self) -> pl.DataFrame:
        """The rows that the search keeps, in the order asked for."""
        frame, search = self.frame, self.view.search.strip().lower()
        if search:
            texts = [
                pl.col(c).cast(pl.String).str.to_lowercase().str.contains(search, literal=True) for c in self.shown
            ]
            frame = frame.filter(pl.any_horizontal(texts).fill_null(False))
        column = self.view.sort.removeprefix("-")
        if column in self.shown:
            frame = frame.sort(column, descending=self.view.sort.startswith("-"), nulls_last=True, maintain_order=True)
        return frame

    def html(self, slot: str, words: Words) -> str:
        """The page of the table that is looked at, with its tools."""
        found = self.found()
        last = max(1, -(-found.height // PAGE))
        page = min(self.view.page, last)
        rows = found.slice((page - 1) * PAGE, PAGE)
        count = words.n("{n} row", "{n} rows", found.height)
        search = escape(words("Search"))
        searches = (
            f'<input type=search data-search="{slot}" data-key="search-{slot}" aria-label="{search}" '
            f'placeholder="{search}" value="{escape(self.view.search)}">'
            if self.frame.height > PAGE or self.view.search
            else ""
        )
        return (
            f"<div class=table><div class=tablehead><div><h2>{escape(self.title)}</h2><p>{escape(self.subtitle)}</p></div>"
            f"{searches}{_exports(slot, words)}</div>"
            f"{self._grid(slot, rows)}"
            f"<div class=pages><span>{count}</span>{_pager(slot, self.title, page, last, words) if last > 1 else ''}</div></div>"
        )

    def _grid(self, slot: str, rows: pl.DataFrame) -> str:
        heads = "".join(self._head(slot, column) for column in self.seen)
        numeric = {column: is_number(rows, column) for column in self.seen}
        lines = []
        for row in rows.iter_rows(named=True):
            cells = []
            for index, column in enumerate(self.seen):
                text = self._text(column, row)
                if index == 0 and self.key:
                    key = escape(str(row[self.key]))
                    text = f'<button type=button class=link data-act=open data-open="{key}" data-key="open-{key}">{text}</button>'
                kind = " class=n" if numeric[column] else " class=long" if column in LONG else ""
                whole = f' title="{escape(str(row[column]))}"' if not kind and len(str(row[column])) > CUT else ""
                cells.append(f"<td{kind}{whole}>{text}</td>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return f"<div class=grid tabindex=0><table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"

    def _text(self, column: str, row: Mapping[str, Any]) -> str:
        value, ends = self.told(column, row)
        return escape(value) + (f" <small>{escape(ends)}</small>" if ends else "")

    def told(self, column: str, row: Mapping[str, Any]) -> tuple[str, str]:
        """One value in the reader's words, and its interval where it has one."""
        value, *ends = (
            self.writes(name, row[name], row) if self.writes else cell(name, row[name], self.words, self.currency)
            for name in (column, f"{column}_low", f"{column}_high")
            if name in row and (name == column or name in self.shown)
        )
        has_ends = len(ends) == 2 and row[f"{column}_low"] is not None and row[f"{column}_high"] is not None
        return value, f"({ends[0]} – {ends[1]})" if has_ends else ""

    def _head(self, slot: str, column: str) -> str:
        sort = self.view.sort
        order = "ascending" if sort == column else "descending" if sort == f"-{column}" else "none"
        number = is_number(self.frame, column)
        first, second = (f"-{column}", column) if number else (column, f"-{column}")
        following = second if sort == first else "" if sort == second else first
        mark = {"ascending": " ↑", "descending": " ↓", "none": ""}[order]
        kind = " class=n" if number else ""
        return (
            f'<th scope=col aria-sort={order}{kind}><button type=button data-act=sort data-sort="{slot}" '
            f'data-by="{following}" data-key="sort-{slot}-{column}">{escape(label(column, self.words))}{mark}</button></th>'
        )


def plain_table(frame: pl.DataFrame, words: Words, currency: str, caption: str, dimension: str | None = None) -> str:
    """The table behind a figure: every row, and for a dimension a button that selects the value."""
    columns = [name for name in frame.columns if name not in HIDDEN]
    pressed_on = "label" if dimension in HIDDEN else dimension
    heads = "".join(f"<th scope=col{' class=n' * is_number(frame, c)}>{escape(label(c, words))}</th>" for c in columns)
    lines = []
    for row in frame.iter_rows(named=True):
        cells = []
        for column in columns:
            text = escape(cell(column, row[column], words, currency))
            key = row.get("key", row[column] or "") if column == pressed_on else None
            if key is not None:
                value = escape(str(key))
                pressed = "true" if row.get("state") == "selected" else "false"
                text = (
                    f'<button type=button class=link data-act=toggle data-toggle="{dimension}" data-value="{value}" '
                    f'data-key="toggle-{dimension}-{value}" aria-pressed={pressed}>{text}</button>'
                )
            cells.append(f"<td{' class=n' * is_number(frame, column)}>{text}</td>")
        lines.append(f"<tr class={row.get('state') or 'possible'}>{''.join(cells)}</tr>")
    return (
        f"<div class='grid behind' tabindex=0><table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def as_csv(frame: pl.DataFrame, words: Words) -> bytes:
    """The rows as CSV that a spreadsheet of the reader's language opens by double click: UTF-8 with its mark,
    and in French semicolons and decimal commas. Texts that a spreadsheet would run are quoted with an apostrophe."""
    french = words.language == "fr"
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if french else ",", lineterminator="\r\n")
    frame = worded(frame, words)
    writer.writerow(frame.columns)
    for row in _harmless(frame).iter_rows():
        writer.writerow([str(x).replace(".", ",") if french and isinstance(x, float) else x for x in row])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(frame: pl.DataFrame, words: Words, title: str) -> bytes:
    """The rows as an Excel workbook with one sheet; numbers and dates stay numbers and dates, texts stay texts."""
    file = io.BytesIO()
    named = worded(frame, words)
    instants = [
        pl.col(c).dt.replace_time_zone(None) for c, kind in named.schema.items() if isinstance(kind, pl.Datetime)
    ]
    named = named.with_columns(instants)
    name = "".join(letter for letter in title if letter not in "[]:*?/\\'")[:31] or "Cadran"
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(file, options) as workbook:
        named.write_excel(workbook, name, autofit=True, autofilter=True)
    return file.getvalue()


def worded(frame: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The rows under the names that readers know, our own words in their language, without what serves the drawing."""
    shown = [name for name in frame.columns if name not in HIDDEN]
    said = {value: words(text) for value, text in VALUES.items()}
    worded = [pl.col(name).cast(pl.String).replace(said) for name in shown if name in WORDED]
    named = {name: label(name, words) for name in shown}
    twice = {text for text in named.values() if list(named.values()).count(text) > 1}
    names = {name: f"{text} ({name})" if text in twice else text for name, text in named.items()}
    return frame.select(shown).with_columns(worded).rename(names)


def _harmless(frame: pl.DataFrame) -> pl.DataFrame:
    def quoted(name: str) -> pl.Expr:
        starts = pl.any_horizontal(pl.col(name).str.starts_with(sign) for sign in _FORMULA)
        return pl.when(starts).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)

    texts = [pl.col(c).cast(pl.String) for c, kind in frame.schema.items() if kind in (pl.Enum, pl.Categorical)]
    frame = frame.with_columns(texts)
    return frame.with_columns(quoted(name) for name, kind in frame.schema.items() if kind == pl.String)


def _exports(slot: str, words: Words) -> str:
    buttons = "".join(
        f'<button type=button data-act=export data-export="{slot}" data-format="{kind}">{escape(words(text))}</button>'
        for kind, text in {"csv": "Data as CSV", "xlsx": "Data as Excel"}.items()
    )
    return (
        f'<details class=menu data-key="menu-{slot}"><summary aria-label="{escape(words("Download"))}">⤓</summary>'
        f"<div>{buttons}</div></details>"
    )


def _pager(slot: str, title: str, page: int, last: int, words: Words) -> str:
    def button(text: str, number: int, name: str) -> str:
        off = " disabled" if not 1 <= number <= last else ""
        return (
            f'<button type=button data-act=page data-page="{slot}" data-number={number} data-key="page-{slot}-{name}" '
            f'aria-label="{escape(words(name))}"{off}>{text}</button>'
        )

    where = escape(words("page {page} of {last}", page=words.number(page), last=words.number(last)))
    before = f"{button('«', 1, 'First page')}{button('‹', page - 1, 'Previous page')}"
    after = f"{button('›', page + 1, 'Next page')}{button('»', last, 'Last page')}"
    return f'<nav aria-label="{escape(title)}">{before}<span>{where}</span>{after}</nav>'
