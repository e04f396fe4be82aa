"""What a reader can set in the bar, and how what a browser sends is held to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from cadran.text import Words

#: A selection or a search beyond these is no reader's.
MOST_VALUES, MOST_LETTERS = 500, 200
#: How the names of dimensions of time end: their values are days.
TIMES = ("_month", "_quarter")


@dataclass(frozen=True)
class Choice:
    """One of several values, each with the label a reader sees."""

    name: str
    label: str
    options: Mapping[str, str]
    default: str
    shortcut: str = ""
    #: Whether the values say by themselves what they are: the label is then for those who listen only.
    is_plain: bool = False
    #: Whether it is a slider over its options, in their order.
    slides: bool = False
    #: Whether it stands in a block of the page and moves that block alone, instead of in the bar.
    is_local: bool = False
    #: "control=value" under which the control is shown; always when empty.
    when: str = ""
    #: The option that is left, or the page from it, only once the reader has said yes to `asks`.
    held: str = ""
    asks: str = ""

    def clamped(self, value: object) -> str:
        """The value if it is one of the options, else the default."""
        return value if isinstance(value, str) and value in self.options else self.default


@dataclass(frozen=True)
class Day:
    """A day between two others. With `slides`, a slider over month ends stands beside the calendar."""

    name: str
    label: str
    first: date
    last: date
    default: str
    slides: bool = False
    #: "control=value" under which the control is shown; always when empty.
    when: str = ""
    shortcut: str = ""

    def clamped(self, value: object) -> str:
        """The day, no earlier than the first and no later than the last; the default when it is no day."""
        day = _day(value) if isinstance(value, str) else None
        return self.default if day is None else min(max(day, self.first), self.last).isoformat()

    @property
    def steps(self) -> list[str]:
        """Every month end from the first day to the last, and the last day."""
        ends, day = [], self.first.replace(day=1)
        while day <= self.last:
            day = (day + timedelta(days=32)).replace(day=1)
            ends.append(min(day - timedelta(days=1), self.last).isoformat())
        return ends


@dataclass(frozen=True)
class Text:
    """A short text that a block of the page keeps in the address: a scenario under its name. Never in the bar."""

    name: str
    label: str
    default: str = ""
    most: int = 600

    def clamped(self, value: object) -> str:
        """The text, cut at its greatest length; the default when it is none."""
        return value[: self.most] if isinstance(value, str) else self.default


#: Something with a name and a value: text, as in the address.
Control = Choice | Day | Text


def stands_in_bar(control: Control) -> bool:
    """Whether a control stands in the bar, and moves the whole page."""
    return isinstance(control, Day) or (isinstance(control, Choice) and not control.is_local)


@dataclass(frozen=True)
class TableView:
    """How a reader looks at a table. `sort` is a column, with a minus for descending; `page` counts from 1."""

    sort: str = ""
    page: int = 1
    search: str = ""


@dataclass(frozen=True)
class View:
    """All that a reader has set, held to what the page allows. `said` tells what had to be changed for that."""

    controls: Mapping[str, str]
    selection: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: Mapping[str, TableView] = field(default_factory=dict)
    #: Figures whose table is shown.
    behind: frozenset[str] = frozenset()
    #: Row of a table that is opened.
    open: str | None = None
    #: The slider that is still held, if any: what takes long may wait until it rests.
    moving: str = ""
    seq: int = 0
    said: tuple[str, ...] = ()

    def __getitem__(self, control: str) -> str:
        return self.controls[control]

    @property
    def key(self) -> str:
        """All of it but the browser's count, and what was said of it: alike for two readers who look at the same."""
        return repr(replace(self, seq=0, said=()))

    def without(self, *controls: str) -> "View":
        """This view as far as these controls, the tables and the browser's count do not matter."""
        kept = {name: value for name, value in self.controls.items() if name not in controls}
        return View(kept, self.selection)

    def only(self, *controls: str) -> "View":
        """This view as far as these controls matter."""
        return View({name: self.controls[name] for name in controls})

    def day(self, control: str) -> date:
        """The value of a `Day`."""
        return date.fromisoformat(self.controls[control])


def read_view(raw: Mapping[str, Any], controls: Sequence[Control], dimensions: Sequence[str], words: Words) -> View:
    """The view a browser sent, whatever it sent, held to the page's controls and dimensions."""
    asked, said, held = _mapping(raw.get("controls")), [], {}
    for control in controls:
        value = asked.get(control.name)
        held[control.name] = control.clamped(value)
        if value not in (None, "", held[control.name]):
            shown = _text(value)[:40]
            said.append(words("{control}: “{value}” is not possible here; {held} is shown.",
                              control=control.label, value=shown, held=_told(control, held[control.name], words)))  # fmt: skip
    selection = {
        dimension: chosen
        for dimension, values in _mapping(raw.get("selection")).items()
        if dimension in dimensions and isinstance(values, list) and (chosen := _chosen(dimension, values))
    }
    if strange := [_text(each) for each in _mapping(raw.get("selection")) if each not in dimensions]:
        said.append(_not_selected(strange, words))
    told = list(_mapping(raw.get("tables")).items())[:MOST_VALUES]
    tables = {_text(name): _table(_mapping(table)) for name, table in told}
    behind = raw.get("behind")
    opened = raw.get("open")
    seq = raw.get("seq")
    return View(
        held, selection, tables,
        frozenset(_text(each) for each in behind[:MOST_VALUES]) if isinstance(behind, list) else frozenset(),
        _text(opened) if opened else None,
        moving if isinstance(moving := raw.get("moving"), str) and moving in held else "",
        seq if isinstance(seq, int) and not isinstance(seq, bool) else 0,
        tuple(said),
    )  # fmt: skip


def view_of_address(query: Mapping[str, str | list[str]], controls: Sequence[Control]) -> dict[str, Any]:
    """What an address says of the view, unchecked: controls by name, `in.<dimension>`, `<table>.<sort|page|search>`."""
    lists = {name: [value] if isinstance(value, str) else list(value) for name, value in query.items()}
    names = {control.name for control in controls}
    tables: dict[str, dict[str, Any]] = {}
    for name, values in lists.items():
        table, _, part = name.rpartition(".")
        if table and part in {"sort", "page", "search"}:
            tables.setdefault(table, {})[part] = values[-1]
    return {
        "controls": {name: values[-1] for name, values in lists.items() if name in names and values},
        "selection": {name[3:]: values for name, values in lists.items() if name.startswith("in.")},
        "tables": tables,
        "open": lists.get("open", [None])[-1],
    }


def _not_selected(names: Sequence[str], words: Words) -> str:
    shown = [name[:40] for name in names[:2]]
    if len(names) > 3:
        shown.append(words.n("{n} other", "{n} others", len(names) - 2))
    else:
        shown += [name[:40] for name in names[2:]]
    return words("This page does not select by {names}.", names=words.list(shown))


def _chosen(dimension: str, values: list[Any]) -> tuple[str, ...]:
    """The values selected; of a month or a quarter only days are values."""
    texts = dict.fromkeys(_text(each) for each in values[:MOST_VALUES])
    return tuple(text for text in texts if not dimension.endswith(TIMES) or _day(text))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _table(raw: Mapping[str, Any]) -> TableView:
    page = raw.get("page", 1)
    is_number = isinstance(page, int) or (isinstance(page, str) and page.isdecimal() and len(page) < 10)
    page = int(page) if is_number else 1
    return TableView(_text(raw.get("sort") or ""), min(max(page, 1), 10**6), _text(raw.get("search") or ""))


def _told(control: Control, value: str, words: Words) -> str:
    if isinstance(control, Day):
        return words.date(date.fromisoformat(value))
    return control.options[value] if isinstance(control, Choice) else value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return str(value)[:MOST_LETTERS]
