"""The bar that is always there: the app's name, its controls, the language, the theme, help."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

from cadran.figures.controls import Choice, Control, Day, Text, View, stands_in_bar
from cadran.text import LANGUAGES, Words

#: The pages that come with Cadran: name in the address -> title (an English sentence of the catalogue).
PAGES = {
    "opportunities": "Opportunities", "process": "Sales process", "resources": "Resources", "pulse": "Pulse",
    "definitions": "Definitions",
}  # fmt: skip


def bar(title: str, controls: Sequence[Control], view: View, words: Words, pages: Mapping[str, str] = PAGES) -> str:
    """The bar's markup, each control at the value the view holds; `pages` are those that its reader may open."""
    in_bar = [control for control in controls if stands_in_bar(control)]
    asking = "".join(_asking(control, words) for control in in_bar if isinstance(control, Choice) and control.asks)
    inputs = "".join(control_html(control, view.controls, words) for control in in_bar)
    return (
        f"<header class=bar><div class=name><a href='/?lang={words.language}' target=_top>Cadran</a><span aria-hidden=true>▸</span>"
        f"{_pages(title, words, pages)}</div><div class=controls>{inputs}</div>"
        f"<div class=reader>{_languages(words)}{_buttons(words)}</div></header>{_help(controls, words)}{asking}"
    )


def _asking(control: Choice, words: Words) -> str:
    """The question before an option is left that the reader may not want to leave by a slip of the hand."""
    return (
        f'<dialog class=leave aria-label="{escape(control.label)}" data-of="{control.name}" data-held="{control.held}">'
        f"<p>{escape(control.asks)}</p><button type=button data-act=dismiss autofocus>{escape(words('Stay here'))}</button> "
        f"<button type=button data-act=leave>{escape(words('Yes, leave'))}</button></dialog>"
    )


def _pages(title: str, words: Words, pages: Mapping[str, str]) -> str:
    """The page's title, which opens the list of pages."""
    links = "".join(
        f'<a href="/{name}?lang={words.language}" target=_top>{escape(words(text))}</a>'
        for name, text in {"": "Home", **pages}.items()
    )
    return (
        f"<details class='menu sheets' data-key=sheets><summary><h1>{escape(title)}</h1><span aria-hidden=true> ▾</span>"
        f"</summary><div>{links}</div></details>"
    )


def control_html(control: Control, held: Mapping[str, str], words: Words) -> str:
    """The markup of one control, of a page whose controls hold these values."""
    if isinstance(control, Text):
        return ""
    value, when = held[control.name], _when(control, held)
    if isinstance(control, Day):
        return _day(control, value, when, words)
    return _slider(control, value, when) if control.slides else _choice(control, value, when)


def _slider(control: Choice, value: str, when: str) -> str:
    """A slider over the options, with what the one chosen says beside it."""
    steps, told = list(control.options), escape(control.options[value])
    texts = escape(json.dumps(control.options, ensure_ascii=False))
    return (
        f"<label class='control slides'{when}><span>{escape(control.label)}</span>"
        f"<input class=slider type=range min=0 max={len(steps) - 1} value={steps.index(value)} "
        f'data-control="{control.name}" data-steps="{escape(json.dumps(steps))}"{_shortcut(control.shortcut)} '
        f'aria-valuetext="{told}"><output data-text="{control.name}" data-texts="{texts}">{told}</output></label>'
    )


def _when(control: Choice | Day, held: Mapping[str, str]) -> str:
    """Under which value of another control this one is shown; hidden while that holds another."""
    name, _, wanted = control.when.partition("=")
    return f' data-when="{control.when}"{" hidden" * (held.get(name) != wanted)}' if control.when else ""


def _choice(control: Choice, value: str, when: str) -> str:
    options = "".join(
        f'<option value="{escape(key)}"{" selected" * (key == value)}>{escape(text)}</option>'
        for key, text in control.options.items()
    )
    hidden = " class=visually-hidden" if control.is_plain else ""
    return (
        f"<label class=control{when}><span{hidden}>{escape(control.label)}</span>"
        f'<select data-control="{control.name}"{_shortcut(control.shortcut)}>{options}</select></label>'
    )


def _day(control: Day, value: str, when: str, words: Words) -> str:
    calendar = (
        f"<label class=control{when}><span>{escape(control.label)}</span>"
        f'<output data-day="{control.name}">{escape(words.date(date.fromisoformat(value)))}</output>'
        f'<input type=date data-control="{control.name}" min="{control.first}" max="{control.last}" value="{value}"'
        f"{_shortcut(control.shortcut)}></label>"
    )
    if not control.slides:
        return calendar
    steps = control.steps
    at = max((index for index, step in enumerate(steps) if step <= value), default=0)
    label = escape(words("{control}, month by month", control=control.label))
    return (
        f'{calendar}<input class=slider type=range min=0 max={len(steps) - 1} value={at} data-control="{control.name}" '
        f'data-steps=\'{json.dumps(steps)}\' aria-label="{label}" title="{label}" data-shortcut=m '
        f'aria-valuetext="{escape(words.date(date.fromisoformat(value)))}">'
    )


def _languages(words: Words) -> str:
    return (
        "<span class=languages>"
        + "".join(
            f'<button type=button data-act=language data-language="{code}" lang="{code}" '
            f'aria-label="{name}"{" aria-current=true" * (code == words.language)}>{code}</button>'
            for code, name in zip(sorted(LANGUAGES, reverse=True), ("Français", "English"), strict=True)
        )
        + "</span>"
    )


def _buttons(words: Words) -> str:
    theme, help_text = escape(words("Light or dark")), escape(words("Keyboard shortcuts"))
    return (
        f'<button type=button data-act=theme data-shortcut=d aria-label="{theme}" title="{theme}">◐</button>'
        f'<button type=button data-act=help data-shortcut="?" aria-label="{help_text}" title="{help_text}">?</button>'
    )


def _help(controls: Sequence[Control], words: Words) -> str:
    keys = {
        "Esc": words("Clear the selection, close what is open"),
        "m": words("Move through the months"),
        **{c.shortcut: c.label for c in controls if not isinstance(c, Text) and c.shortcut},
        "/": words("Search in the table"),
        "d": words("Light or dark"),
        "?": words("Keyboard shortcuts"),
    }
    lines = "".join(f"<dt><kbd>{escape(key)}</kbd></dt><dd>{escape(text)}</dd>" for key, text in keys.items())
    return (
        f'<dialog class=help aria-label="{escape(words("Keyboard shortcuts"))}"><h2>{escape(words("Keyboard shortcuts"))}</h2>'
        f"<dl>{lines}</dl><button type=button data-act=dismiss>{escape(words('Close'))}</button></dialog>"
    )


def _shortcut(key: str) -> str:
    return f' data-shortcut="{escape(key)}"' if key else ""
