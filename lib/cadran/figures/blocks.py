"""The parts of a page as HTML: written here once, for the live page, its first sight and reports."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal, Protocol, runtime_checkable

from cadran.figures.bar import control_html
from cadran.figures.controls import Control
from cadran.figures.figure import Figure
from cadran.text import Words

#: Whether a change is good, bad, or none that may be called one.
Tone = Literal["good", "bad", "even"]


class Block(Protocol):
    """One part of a page."""

    def html(self, slot: str, words: Words) -> str:
        """Its markup for a place on the page."""
        ...


@runtime_checkable
class Offers(Protocol):
    """A part of a page that has files to offer, by their kind."""

    title: str
    offers: Mapping[str, bytes]


@dataclass(frozen=True)
class Nothing:
    """A place that holds nothing for now."""

    def html(self, slot: str, words: Words) -> str:
        """No markup."""
        return ""


@dataclass(frozen=True)
class Sentences:
    """What the page says first, in words."""

    items: Sequence[str]

    def html(self, slot: str, words: Words) -> str:
        """One paragraph, a sentence a span."""
        return f"<p class=lead>{' '.join(f'<span>{escape(each)}</span>' for each in self.items)}</p>"


@dataclass(frozen=True)
class Headline:
    """One number: its value with unit, what it is compared with, how sure it is, where it is defined."""

    label: str
    value: str
    #: The comparison: "+8 % on the same period last year".
    change: str = ""
    tone: Tone = "even"
    #: Interval or count.
    basis: str = ""
    #: Exact value, on hover.
    exact: str = ""
    #: Address of its definition.
    definition: str = ""

    def html(self, slot: str, words: Words) -> str:
        """A card, the whole of which leads to the definition."""
        mark = {"good": "▲ ", "bad": "▼ ", "even": ""}[self.tone]
        inner = (
            f"<span class=label>{escape(self.label)}</span>"
            f'<strong title="{escape(self.exact)}">{escape(self.value)}</strong>'
            f"<span class='change {self.tone}'>{mark}{escape(self.change)}</span>"
            f"<span class=basis>{escape(self.basis)}</span>"
        )
        hint = escape(words("How this is defined"))
        return f'<a class=headline href="{escape(self.definition)}" target=_top title="{hint}">{inner}</a>'


@dataclass(frozen=True)
class Headlines:
    """At most five numbers."""

    items: Sequence[Headline]

    def html(self, slot: str, words: Words) -> str:
        """The cards side by side."""
        return f"<div class=numbers>{''.join(each.html(slot, words) for each in self.items)}</div>"


@dataclass(frozen=True)
class Notice:
    """What is said where a figure cannot be: why, and what would change that."""

    text: str
    title: str = ""
    kind: Literal["empty", "little", "error", "info"] = "info"

    def html(self, slot: str, words: Words) -> str:
        """A quiet box, commands set as such."""
        title = f"<h2>{escape(self.title)}</h2>" if self.title else ""
        role = "alert" if self.kind == "error" else "note"
        said = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(self.text))
        return f"<div class='notice {self.kind}' role={role}>{title}<p>{said}</p></div>"


def once(blocks: Mapping[str, Block | Figure], words: Words) -> dict[str, Block | Figure]:
    """These blocks, what several notices say alike told in the first of their places alone, under all their titles."""
    notices = {slot: block for slot, block in blocks.items() if isinstance(block, Notice)}
    alike: dict[str, list[str]] = {}
    for slot, notice in notices.items():
        alike.setdefault(notice.text, []).append(slot)
    told = {
        slots[0]: replace(notices[slots[0]], title=words("; ").join(notices[slot].title for slot in slots))
        for slots in alike.values()
    }
    return {slot: told.get(slot, Nothing() if slot in notices else block) for slot, block in blocks.items()}


@dataclass(frozen=True)
class Lines:
    """A list of dated things, each with what is said of it."""

    title: str
    subtitle: str
    items: Sequence[tuple[str, str, str]]

    def html(self, slot: str, words: Words) -> str:
        """One line a thing."""
        lines = "".join(
            f"<li><time>{escape(when)}</time><div>{escape(what)}<p>{escape(said)}</p></div></li>"
            for when, what, said in self.items
        )
        return f"<div class=lines><h2>{escape(self.title)}</h2><p>{escape(self.subtitle)}</p><ul>{lines}</ul></div>"


@dataclass(frozen=True)
class Heading:
    """The beginning of a part of a page, with its name in the address and what it answers."""

    name: str
    title: str
    said: str = ""

    def html(self, slot: str, words: Words) -> str:
        """A heading to which `Contents` lead."""
        said = f"<p>{escape(self.said)}</p>" if self.said else ""
        return f'<div class=heading id="{self.name}"><h2>{escape(self.title)}</h2>{said}</div>'


@dataclass(frozen=True)
class Contents:
    """What the parts of a page are, each a way to it."""

    items: Sequence[Heading]

    def html(self, slot: str, words: Words) -> str:
        """One line of links."""
        links = "".join(
            f'<a href="#{each.name}" data-act=goto data-goto="{each.name}">{escape(each.title)}</a>'
            for each in self.items
        )
        return f'<nav class=contents aria-label="{escape(words("Contents"))}">{links}</nav>'


@dataclass(frozen=True)
class Levers:
    """Controls that move one part of the page alone. `values` are those it begins with; the browser keeps them."""

    controls: Sequence[Control]
    values: Mapping[str, str]
    title: str = ""
    said: str = ""

    def html(self, slot: str, words: Words) -> str:
        """The same markup whatever is chosen since, so that a slider stays under the hand that moves it."""
        inputs = "".join(control_html(control, self.values, words) for control in self.controls)
        title = f"<h2>{escape(self.title)}</h2>" if self.title else ""
        said = f"<p>{escape(self.said)}</p>" if self.said else ""
        return f"<div class=levers>{title}{said}<div class=controls>{inputs}</div></div>"


@dataclass(frozen=True)
class Footer:
    """Where the numbers come from."""

    items: Sequence[tuple[str, str]] = field(default_factory=list)

    def html(self, slot: str, words: Words) -> str:
        """A line of texts, each with its address if it has one."""
        parts = (
            f'<a href="{escape(to)}" target=_top>{escape(text)}</a>' if to else escape(text) for text, to in self.items
        )
        return f"<p class=source>{' <span aria-hidden=true>·</span> '.join(parts)}</p>"


def figure_html(
    figure: Figure, slot: str, words: Words, behind: str = "", picture: str = "", has_tools: bool = True
) -> str:
    """A figure's title, subtitle, tools, the place of its picture and, when asked for, the table behind it."""
    exports = "".join(
        _button(words(text), act="export", export=slot, format=kind)
        for kind, text in {
            "svg": "Picture as SVG", "png": "Picture as PNG", "csv": "Data as CSV", "xlsx": "Data as Excel",
        }.items()
    )  # fmt: skip
    shown = words("Hide the table") if behind else words("Show the table")
    tools = (
        f'<details class=menu data-key="menu-{slot}"><summary aria-label="{escape(words("Tools of this figure"))}">⋯</summary>'
        f"<div>{_button(shown, act='behind', behind=slot)}{exports}</div></details>"
    )
    drawn = picture.replace("<svg", "<svg aria-hidden=true", 1)
    live = f'<div class=picture data-live="{slot}" role=img aria-label="{escape(figure.finding)}">{drawn}</div>'
    return (
        f"<figure><figcaption><h2>{escape(figure.title)}</h2><p>{escape(figure.subtitle)}</p></figcaption>"
        f"{tools if has_tools else ''}{live}{behind}</figure>"
    )


def live_rows(figure: Figure, slot: str) -> dict[str, Any]:
    """What the browser needs to draw a figure."""
    return {
        "slot": slot,
        "key": figure.drawing.key,
        "rows": figure.rows(),
        "dimension": figure.dimension,
        "alt": figure.finding,
    }


def _button(text: str, **data: str) -> str:
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return f"<button type=button{attributes}>{escape(text)}</button>"
