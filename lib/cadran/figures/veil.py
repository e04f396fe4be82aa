"""What a room may not read: groups that are named after a person, told under a number instead."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import count
from typing import Any, TypeVar
from unicodedata import combining, normalize

import polars as pl

from cadran.figures.columns import label
from cadran.figures.controls import TableView, View
from cadran.figures.figure import Drawing, Figure
from cadran.figures.filters import Selection
from cadran.figures.table import Table
from cadran.text import Words

Shown = TypeVar("Shown")


def stand_ins(
    groups: Mapping[str, Iterable[str | None]], persons: Iterable[str | None], words: Words
) -> dict[str, str]:
    """What stands for each group that bears a person's name: "Team 1", in order of name.

    A group bears a name if it is that name, or if it holds all of its words, two at least, in any order; accents and
    capitals do not matter.

    Args:
        groups: Names of groups, by their dimension.
        persons: Names of persons, as the book writes them.
        words: The reader's.
    """
    names = {found for name in persons if (found := _words(name))}
    stands: dict[str, str] = {}
    for dimension, of in groups.items():
        known = sorted({group for group in of if group})
        what = label(dimension, words)
        free = (told for n in count(1) if (told := f"{what} {n}") not in known)
        stands |= {group: next(free) for group in known if group not in stands and _bears(_words(group), names)}
    return stands


def veiled(shown: Shown, stands: Mapping[str, str]) -> Shown:
    """A part of a page, wherever it names one of these groups told under what stands for it.

    A figure whose groups stand under other names is not clicked on: the browser does not get those names.
    """
    return _veiled(shown, dict(sorted(stands.items(), key=lambda each: -len(each[0])))) if stands else shown


def _veiled(shown: Any, stands: dict[str, str]) -> Any:
    if isinstance(shown, str):
        for name, told in stands.items():
            shown = shown.replace(name, told)
        return shown
    if isinstance(shown, pl.DataFrame):
        return shown.with_columns(pl.col(pl.String).str.replace_many(stands, leftmost=True))
    if isinstance(shown, Selection):
        return replace(shown, stands=stands)
    if isinstance(shown, Mapping):
        return {name: _veiled(each, stands) for name, each in shown.items()}
    if isinstance(shown, tuple | list):
        return type(shown)(_veiled(each, stands) for each in shown)
    if not is_dataclass(shown) or isinstance(shown, type | Words | View | TableView | Drawing):
        return shown
    # Columns of a table stay as they are called: one may be called after a scenario.
    kept = ("columns", "key") if isinstance(shown, Table) else ()
    parts = {each.name: _veiled(getattr(shown, each.name), stands) for each in fields(shown) if each.name not in kept}
    if isinstance(shown, Figure) and not all(of.equals(parts["frames"][name]) for name, of in shown.frames.items()):
        parts["dimension"] = None
    return replace(shown, **parts)


def _bears(group: frozenset[str], names: set[frozenset[str]]) -> bool:
    return group in names or any(len(name) > 1 and name <= group for name in names)


def _words(name: str | None) -> frozenset[str]:
    plain = "".join(letter for letter in normalize("NFKD", name or "") if not combining(letter))
    return frozenset(re.findall(r"\w+", plain.casefold()))
