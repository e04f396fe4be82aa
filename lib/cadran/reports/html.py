"""A report as one HTML file: no script, no address outside of it, light and dark, and page numbers where it is printed."""

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from cadran.figures.blocks import Heading, Headline, Headlines, Lines, Notice, Sentences
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.figures.theme import FONT, variables
from cadran.reports.cells import Cells, cells_of, cells_of_figure
from cadran.reports.gathered import Part, Report
from cadran.reports.pictures import width_in
from cadran.reports.shown import Settings, Shown
from cadran.text import Words

#: Nothing is fetched and nothing runs, whatever a text of the book holds.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_MARKS = {"good": "▲ ", "bad": "▼ ", "even": ""}


def html(report: Report) -> bytes:
    """The report as one file."""
    words = report.words
    title = f"{report.title} · {report.facts.name} · {words.date(report.day)}"
    facts = "".join(f"<li>{escape(each)}</li>" for each in report.told)
    parts = "".join(_part(part, report) for part in report.parts)
    text = (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{_style(report)}</style></head><body>"
        f"<header><p class=kicker>Cadran · {escape(report.facts.name)}</p><h1>{escape(report.title)}</h1>"
        f"<ul class=facts>{facts}</ul></header>{_contents(report)}<main>{parts}{_definitions(report)}</main></body></html>"
    )
    return text.encode()


def _style(report: Report) -> str:
    light, dark = variables("light"), variables("dark")
    source = re.sub(r'["\\<>\n]', " ", report.source)
    foot = f'@page{{@bottom-left{{content:"{source}"}}}}'
    sheet = (files("cadran.reports") / "report.css").read_text("utf-8")
    return (
        f":root{{color-scheme:light dark;--font:{FONT};{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"{sheet}{foot}"
    )


def _contents(report: Report) -> str:
    """The parts with what each says first; nothing where there is one alone."""
    if len(report.parts) < 2:
        return ""
    lines = "".join(
        f'<li><a href="#part-{part.name}">{escape(part.title)}</a><p>{escape(" ".join(part.first))}</p></li>'
        for part in report.parts
    )
    last = f'<li><a href="#definitions">{escape(report.words("Definitions"))}</a></li>' if report.definitions else ""
    return f'<nav aria-label="{escape(report.words("Contents"))}"><ol>{lines}{last}</ol></nav>'


def _part(part: Part, report: Report) -> str:
    asked = f"<p class=asked>{escape(part.asked)}</p>" if part.asked else ""
    rows, level = [], 3
    for row in part.rows:
        level = 4 if isinstance(row[0], Heading) else level
        blocks = "".join(f"<div>{_block(shown, report, level, width_in(row))}</div>" for shown in row)
        rows.append(f"<div class='row n{len(row)}'>{blocks}</div>")
    remarks = f"<p class=remarks>{escape(' · '.join(part.remarks))}</p>" if part.remarks else ""
    return f'<section id="part-{part.name}"><h2>{escape(part.title)}</h2>{asked}{"".join(rows)}{remarks}</section>'


def _block(shown: Shown, report: Report, level: int, width: int) -> str:
    words = report.words
    match shown:
        case Heading(title=title, said=said):
            return f"<div class=heading><h3>{escape(title)}</h3>{_small(said)}</div>"
        case Sentences(items=items):
            return f"<p class=lead>{escape(' '.join(items))}</p>"
        case Headlines(items=items):
            return f"<div class=numbers>{''.join(_headline(each, report) for each in items)}</div>"
        case Figure():
            return _figure(shown, report, level, width)
        case Table(title=title):
            cells = cells_of(shown)
            return (
                f"<div class=table>{_titled(title, shown.subtitle, level)}{_grid(cells, title)}"
                f"{_small(cells.left_out(words))}</div>"
            )
        case Lines(title=title, subtitle=subtitle, items=items):
            return f"<div class=lines>{_titled(title, subtitle, level)}<ul>{''.join(map(_line, items))}</ul></div>"
        case Notice(title=title, text=text, kind=kind):
            said = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
            return f"<div class='notice {kind}' role=note>{_titled(title, '', level)}<p>{said}</p></div>"
        case Settings(title=title, said=said):
            return f"<div class=settings>{_titled(title, said, level)}{_small(shown.told(words))}</div>"


def _headline(each: Headline, report: Report) -> str:
    """A number; its name leads to its definition, where the report has one."""
    name = each.definition.partition("#")[2]
    label = escape(each.label)
    if name in {defined.name for defined in report.definitions}:
        label = f'<a href="#define-{name}">{label}</a>'
    change = f"<span class='change {each.tone}'>{_MARKS[each.tone]}{escape(each.change)}</span>" if each.change else ""
    exact = f' title="{escape(each.exact)}"' if each.exact else ""
    basis = f"<span class=basis>{escape(each.basis)}</span>" if each.basis else ""
    return f"<div class=headline><span class=label>{label}</span><strong{exact}>{escape(each.value)}</strong>{change}{basis}</div>"


def _figure(figure: Figure, report: Report, level: int, width: int) -> str:
    words = report.words
    cells = cells_of_figure(figure)
    picture = report.pictures.of(figure, width)
    source = words("Source: {source}", source=report.source)
    return (
        f"<figure><figcaption>{_titled(figure.title, figure.subtitle, level)}</figcaption>"
        f'<div class=picture role=img aria-label="{escape(figure.finding or figure.title)}">{picture}</div>'
        f"<p class=source>{escape(source)}</p><details><summary>{escape(words('The numbers'))}</summary>"
        f"{_grid(cells, figure.title)}{_small(cells.left_out(words))}</details></figure>"
    )


def _titled(title: str, subtitle: str, level: int) -> str:
    return (f"<h{level}>{escape(title)}</h{level}>" if title else "") + _small(subtitle)


def _small(text: str) -> str:
    return f"<p class=small>{escape(text)}</p>" if text else ""


def _line(item: tuple[str, str, str]) -> str:
    when, what, said = (escape(each) for each in item)
    dated, more = (f"<span class=when>{when}</span>" if when else ""), (f"<p class=small>{said}</p>" if said else "")
    return f"<li>{dated}<div>{what}{more}</div></li>"


def _grid(cells: Cells, caption: str) -> str:
    kinds = [
        " class=n" if number else " class=w" if whole else ""
        for number, whole in zip(cells.is_number, cells.is_whole, strict=True)
    ]
    heads = "".join(f"<th scope=col{kind}>{escape(head)}</th>" for head, kind in zip(cells.heads, kinds, strict=True))
    lines = "".join(
        f"<tr{' class=over' if under else ''}>{''.join(_cells(line, kinds))}</tr>"
        + (f'<tr><td class=under colspan="{len(kinds)}">{escape(under)}</td></tr>' if under else "")
        for line, under in zip(cells.lines, cells.under, strict=True)
    )
    return (
        f'<div class=grid tabindex=0 role=region aria-label="{escape(caption)}"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _cells(line: Sequence[tuple[str, str]], kinds: Sequence[str]) -> list[str]:
    return [
        f"<td{kind}>{escape(value)}{f' <small>{escape(ends)}</small>' if ends else ''}</td>"
        for (value, ends), kind in zip(line, kinds, strict=True)
    ]


def _definitions(report: Report) -> str:
    words: Words = report.words
    if not report.definitions:
        return ""
    defined = "".join(
        f'<dt id="define-{each.name}">{escape(words(each.title))}</dt><dd>{escape(words(each.definition))}'
        f"{_small(words('Unit: {unit}', unit=words(each.unit)))}</dd>"
        for each in report.definitions
    )
    said = words("The measures that stand behind the numbers of this report.")
    return f"<section id=definitions><h2>{escape(words('Definitions'))}</h2>{_small(said)}<dl>{defined}</dl></section>"
