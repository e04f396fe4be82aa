"""The bar that is always there: the app's name, its controls, the language, the theme, help."""

import json
from collections.abc import Sequence
from datetime import date
from html import escape

from cadran.figures.controls import Choice, Control, Day, View
from cadran.text import LANGUAGES, Words


def bar(title: str, controls: Sequence[Control], view: View, words: Words) -> str:
    """The bar's markup, each control at the value the view holds."""
    inputs = "".join(_control(control, view[control.name], words) for control in controls)
    return (
        f"<header class=bar><div class=name><a href='/' target=_top>Cadran</a><span aria-hidden=true>▸</span>"
        f"<h1>{escape(title)}</h1></div><div class=controls>{inputs}</div>"
        f"<div class=reader>{_languages(words)}{_buttons(words)}</div></header>{_help(controls, words)}"
    )


def _control(control: Control, value: str, words: Words) -> str:
    return _choice(control, value) if isinstance(control, Choice) else _day(control, value, words)


def _choice(control: Choice, value: str) -> str:
    options = "".join(
        f'<option value="{escape(key)}"{" selected" * (key == value)}>{escape(text)}</option>'
        for key, text in control.options.items()
    )
    hidden = " class=visually-hidden" if control.is_plain else ""
    return (
        f"<label class=control><span{hidden}>{escape(control.label)}</span>"
        f'<select data-control="{control.name}"{_shortcut(control.shortcut)}>{options}</select></label>'
    )


def _day(control: Day, value: str, words: Words) -> str:
    when = f' data-when="{control.when}" hidden' if control.when else ""
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
        **{control.shortcut: control.label for control in controls if control.shortcut},
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
