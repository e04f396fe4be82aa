"""A digest as the body of a mail: HTML of tables with inline styles, plain text of 78 columns, or both in one message."""

import re
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from textwrap import wrap

from cadran.figures.blocks import Headline, Headlines, Lines, Notice, Sentences
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.figures.theme import COLOURS
from cadran.reports.cells import Cells, cells_of, cells_of_figure
from cadran.reports.digest import Digest, Piece
from cadran.tables.problems import Problem
from cadran.text import Words

#: Columns of the plain text, and those of a further line of one thing.
WIDTH, INDENT = 78, "  "
#: Lines of a list, and rows of the table behind a figure.
LINES, ROWS = 8, 14
_INK, _MUTED, _LINE = (COLOURS["light"][each] for each in ("ink", "muted", "line"))
_FONT = "font-family:'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_MARKS = {"good": "▲ ", "bad": "▼ ", "even": ""}
_ADDRESS = re.compile(r"[^\s<>,;:\"@]+@[^\s<>,;:\"@]+")


def parts_of(digest: Digest) -> list[tuple[str, Sequence[Piece]]]:
    """The two parts, with their headings."""
    words = digest.report.words
    return [(words("What changed"), digest.changed), (words("What to do"), digest.to_do)]


def sources(digest: Digest) -> list[str]:
    """Where the numbers come from, a line each."""
    report = digest.report
    return [" · ".join(report.told), report.source]


# As HTML


def as_html(digest: Digest) -> bytes:
    """The HTML body: no script, no picture, nothing fetched, no style that a mail program drops."""
    report = digest.report
    rows = [_row(digest.title, 22, True), _row(" · ".join(report.told), 13, colour=_MUTED)]
    for heading, pieces in parts_of(digest):
        rows.append(_row(heading, 19, True, rule=f"border-top:2px solid {_INK};padding-top:10px"))
        axis = ""
        for piece in pieces:
            if piece.axis != axis:
                axis = piece.axis
                rows.append(_row(axis, 12, colour=_MUTED))
            rows += _told(piece, report.words)
    rows.append(_row(report.source, 12, colour=_MUTED, rule=f"border-top:1px solid {_LINE};padding-top:8px"))
    text = (
        f'<!doctype html><html lang="{report.words.language}"><head><meta charset="utf-8"><title>{escape(digest.title)}'
        f'</title></head><body style="margin:0;padding:16px;background:#ffffff;color:{_INK}">'
        f'<table role="presentation" width="680" cellpadding="0" cellspacing="0" style="max-width:680px;width:100%;{_FONT}">'
        f"{''.join(rows)}</table></body></html>"
    )
    return text.encode()


def _row(text: str, size: int, bold: bool = False, colour: str = _INK, rule: str = "") -> str:
    weight = "font-weight:600;" if bold else ""
    return (
        f'<tr><td style="padding:0 0 8px;{rule};color:{colour};font-size:{size}px;line-height:1.45;{weight}">'
        f"{escape(text)}</td></tr>"
    )


def _told(piece: Piece, words: Words) -> list[str]:
    match piece.shown:
        case Sentences(items=items):
            return [_row(" ".join(items), 15)]
        case Headlines(items=items):
            cells = "".join(
                f'<td valign="top" style="padding:0 12px 12px 0;font-size:12px;color:{_MUTED}">{escape(each.label)}<br>'
                f'<span style="font-size:20px;font-weight:600;color:{_INK}">{escape(each.value)}</span><br>'
                f"{escape(_marked(each))}{'<br>' * bool(each.change)}{escape(each.basis)}</td>"
                for each in items
            )
            return [_inside(f"<tr>{cells}</tr>")]
        case Notice(title=title, text=text):
            return [_row(title, 15, True)] * bool(title) + [_row(text.replace("`", ""), 14, colour=_MUTED)]
        case Lines(title=title, subtitle=subtitle, items=items):
            rows = "".join(
                f'<tr><td valign="top" style="padding:5px 12px 5px 0;border-top:1px solid {_LINE};font-size:13px;color:{_MUTED};'
                f'white-space:nowrap">{escape(when)}</td><td style="padding:5px 0;border-top:1px solid {_LINE};font-size:14px">'
                f'{escape(what)}<br><span style="font-size:12px;color:{_MUTED}">{escape(said)}</span></td></tr>'
                for when, what, said in items[:LINES]
            )
            return [_row(title, 15, True), _row(subtitle, 12, colour=_MUTED), _inside(rows)]
        case Table(title=title, subtitle=subtitle):
            return _grid(title, subtitle, cells_of(piece.shown, piece.most), words)
        case Figure(title=title, subtitle=subtitle):
            return _grid(title, subtitle, cells_of_figure(piece.shown, ROWS), words)
    raise TypeError(f"A digest does not know how to tell {type(piece.shown).__name__}.")


def _marked(each: Headline) -> str:
    """A change with the mark of whether it is good or bad."""
    return _MARKS[each.tone] * bool(each.change) + each.change


def _grid(title: str, subtitle: str, cells: Cells, words: Words) -> list[str]:
    aligned = ["right" if each else "left" for each in cells.is_number]
    heads = "".join(
        f'<th align="{side}" style="padding:3px 8px 3px 0;font-size:12px;font-weight:500;color:{_MUTED}">{escape(head)}</th>'
        for head, side in zip(cells.heads, aligned, strict=True)
    )
    lines = ""
    for line, under in zip(cells.lines, cells.under, strict=True):
        told = "".join(
            f'<td align="{side}" valign="top" style="padding:4px 8px 0 0;border-top:1px solid {_LINE};font-size:13px">'
            f"{escape(' '.join(filter(None, cell)))}</td>"
            for cell, side in zip(line, aligned, strict=True)
        )
        lines += f"<tr>{told}</tr>"
        if under:
            style = f"padding:0 0 4px;font-size:12px;color:{_MUTED}"
            lines += f'<tr><td colspan="{len(line)}" style="{style}">{escape(under)}</td></tr>'
    left_out = cells.told_of(words)
    return [
        _row(title, 15, True), *([_row(subtitle, 12, colour=_MUTED)] if subtitle else []),
        _inside(f"<tr>{heads}</tr>{lines}"), *([_row(left_out, 12, colour=_MUTED)] if left_out else []),
    ]  # fmt: skip


def _inside(rows: str) -> str:
    return (
        '<tr><td style="padding:0 0 14px"><table width="100%" cellpadding="0" cellspacing="0" '
        f'style="border-collapse:collapse;{_FONT}">{rows}</table></td></tr>'
    )


# As plain text


def as_text(digest: Digest) -> bytes:
    """The plain text, no line longer than `WIDTH`."""
    words = digest.report.words
    lines = [*_wrapped(digest.title), "=" * min(len(digest.title), WIDTH)]
    for text in sources(digest):
        lines += _wrapped(text)
    for heading, pieces in parts_of(digest):
        lines += ["", "", *_wrapped(heading.upper()), "-" * min(len(heading), WIDTH)]
        axis = ""
        for piece in pieces:
            if piece.axis != axis:
                axis = piece.axis
                lines += ["", *_wrapped(f"[{axis}]")]
            lines += ["", *_plain(piece, words)]
    return ("\n".join(line.rstrip() for line in lines) + "\n").encode()


def _plain(piece: Piece, words: Words) -> list[str]:
    match piece.shown:
        case Sentences(items=items):
            return _wrapped(" ".join(items))
        case Headlines(items=items):
            return [
                line
                for each in items
                for line in _item(
                    f"{each.label}{words(': ')}{each.value}", " · ".join(filter(None, (each.change, each.basis)))
                )
            ]
        case Notice(title=title, text=text):
            return [*_wrapped(title), *_wrapped(text.replace("`", ""))]
        case Lines(title=title, subtitle=subtitle, items=items):
            told = (
                line
                for when, what, said in items[:LINES]
                for line in _item(" · ".join(filter(None, (when, what))), said)
            )
            return [*_wrapped(title), *_wrapped(subtitle), *told]
        case Table(title=title, subtitle=subtitle):
            return [*_wrapped(title), *_wrapped(subtitle), *_rows(cells_of(piece.shown, piece.most), words)]
        case Figure(title=title, subtitle=subtitle):
            return [*_wrapped(title), *_wrapped(subtitle), *_rows(cells_of_figure(piece.shown, ROWS), words)]
    raise TypeError(f"A digest does not know how to tell {type(piece.shown).__name__}.")


def _rows(cells: Cells, words: Words) -> Iterable[str]:
    """Each row by its columns' names, the first alone without."""
    for line, under in zip(cells.lines, cells.under, strict=True):
        first, *others = (" ".join(filter(None, cell)) for cell in line)
        named = (f"{head}{words(': ')}{value}" for head, value in zip(cells.heads[1:], others, strict=True))
        yield from _item(" · ".join((first, *named)), under)
    yield from _wrapped(cells.told_of(words))


def _item(what: str, said: str) -> list[str]:
    return [
        *wrap(f"* {what}", WIDTH, subsequent_indent=INDENT),
        *wrap(said, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT),
    ]


def _wrapped(text: str) -> list[str]:
    return [line for part in text.split("\n") for line in wrap(part, WIDTH)]


# As a message


def as_message(digest: Digest, to: Sequence[str] = (), sender: str | None = None) -> bytes:
    """A whole message with both bodies, as `sendmail -t` takes it."""
    report, message = digest.report, EmailMessage(policy=SMTP)
    message["Subject"] = digest.title
    if to:
        message["To"] = ", ".join(to)
    if sender:
        message["From"] = sender
    message["Date"] = format_datetime(report.made)
    message["Content-Language"] = report.words.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(digest).decode(), cte="quoted-printable")
    message.add_alternative(as_html(digest).decode(), subtype="html", cte="quoted-printable")
    return message.as_bytes()


def check_addresses(addresses: Iterable[str]) -> None:
    """That addresses are plain ones: NAME@PLACE.

    Raises:
        Problem: If one is not.
    """
    for each in addresses:
        if not _ADDRESS.fullmatch(each):
            raise Problem("{address} is no e-mail address.", "Write it as name@example.com.", address=each)
