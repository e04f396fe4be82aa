"""Reading what a person wrote as TOML: all of its faults are told together, each with file, table, key and repair.

Own code: pydantic would check it as well, but its sentences are not ours to translate, nor is what to do next in them.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from cadran.tables.problems import Faults, Problem

#: Names of one list that are told one by one if they are unknown: to find what was meant takes its time.
MOST_UNKNOWN = 5
#: So many names are proposed at most in place of one that is unknown; where there are no more, all of them.
MOST_PROPOSED = 8


@dataclass
class Section:
    """One table of a file. Its values are asked for one by one, each with what it may be; what is wrong with one becomes
    a fault of the whole file, and the default stands in for it until `check` tells them all.

    `name` is how the file writes it: `pay.tier[2]`.
    """

    file: str
    name: str
    values: dict[str, Any]
    faults: list[Problem]

    def __post_init__(self) -> None:
        self._asked: set[str] = set()

    def fault(self, what: str, repair: str, key: str, **values: object) -> None:
        """Note that something is wrong with a key: a sentence and its repair, told after the file and the key."""
        self.faults.append(_At(self.file, self._path(key), what, repair, values))

    def has(self, key: str) -> bool:
        """Whether the file says it. A key that may be left out is a key of the table all the same."""
        self._asked.add(key)
        return key in self.values

    def number(
        self, key: str, default: float | None = None, least: float | None = None, most: float | None = None
    ) -> float:
        """A number. One without a default must be said."""
        value = self._said(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            self._no("{value} is no number.", "Write a number, without quotes.", key, value)
        elif least is not None and value < least:
            self._no("{value} is below {least}.", "Write {least} or more.", key, value, least=least)
        elif most is not None and value > most:
            self._no("{value} is above {most}.", "Write {most} or less.", key, value, most=most)
        else:
            return float(value)
        return default or 0.0

    def whole(self, key: str, default: int | None = None, least: int | None = None, most: int | None = None) -> int:
        """A whole number. One without a default must be said."""
        value = self.number(key, default, least, most)
        if value != int(value):
            self._no("{value} is no whole number.", "Write it without a fraction, as 2.", key, value)
        return int(value)

    def numbers(self, key: str, least: float, most: float) -> tuple[float, ...]:
        """A list of numbers; empty where the file does not say it."""
        value = self._said(key, [])
        plain = isinstance(value, list) and all(type(each) in (int, float) for each in value)
        if plain and all(least <= each <= most for each in value):
            return tuple(float(each) for each in value)
        self._no("{value} is no list of numbers from {least} to {most}.", "Write it as [{least}, {most}].", key, value,
                 least=least, most=most)  # fmt: skip
        return ()

    def day(self, key: str, default: date | None = None) -> date:
        """A day. One without a default must be said."""
        value = self._said(key, default)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self._no("{value} is no day.", "Write it as 2026-01-31, without quotes.", key, value)
        return default or date(1970, 1, 1)

    def text(self, key: str, default: str | None = None, among: Sequence[str] = ()) -> str:
        """A text, one of some where these are given. One without a default must be said."""
        value = self._said(key, default)
        if not isinstance(value, str):
            self._no("{value} is no text.", "Write it between quotes.", key, value)
        elif among and value not in among:
            self._unknown(key, value, among)
        else:
            return value
        return default or ""

    def group(self, key: str, among: Sequence[str]) -> str | None:
        """A region or the like, one of those of the book. Where it knows none, the key is left out: None."""
        if among:
            return self.text(key, among=among)
        if self.has(key):
            self.fault("The book knows none.", "Leave it out.", key)
        return None

    def texts(self, key: str, among: Sequence[str] = ()) -> list[str]:
        """A list of texts; empty where the file does not say it."""
        value = self._said(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._no("{value} is no list of texts.", 'Write it as ["a", "b"].', key, value)
            return []
        names = set(among or value)
        unknown = [each for each in value if each not in names]
        for each in unknown[:MOST_UNKNOWN]:
            self._unknown(key, each, among)
        if len(unknown) > MOST_UNKNOWN:
            self.fault(
                "{n} more of these are unknown.", "Write them as the book does.", key, n=len(unknown) - MOST_UNKNOWN
            )
        return [each for each in value if each in names]

    def pairs(self, key: str, among: Sequence[str]) -> list[tuple[str, str]]:
        """A list of pairs of some texts; empty where the file does not say it."""
        value = self._said(key, [])
        if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
            self._no("{value} is no list of pairs.", 'Write it as [["a", "b"]].', key, value)
            return []
        unknown = [each for pair in value for each in pair if each not in among]
        for each in unknown[:MOST_UNKNOWN]:
            self._unknown(key, str(each), among)
        return [(one, other) for one, other in value if one in among and other in among]

    def flag(self, key: str, default: bool) -> bool:
        """Yes or no."""
        value = self._said(key, default)
        if isinstance(value, bool):
            return value
        self._no("{value} is neither true nor false.", "Write true or false, without quotes.", key, value)
        return default

    def section(self, key: str) -> "Section":
        """A table inside this one; an empty one where the file does not say it."""
        value, name = self._said(key, {}), self._path(key)
        if not isinstance(value, dict):
            header = re.sub(r"\[\d+\]( \(.*?\))?", "", name)
            self._no("{value} is no table.", "Begin a table with [{name}].", key, value, name=header)
            value = {}
        return Section(self.file, name, value, self.faults)

    def sections(self, key: str) -> "list[Section]":
        """A list of tables inside this one, in order."""
        value, name = self._said(key, []), self._path(key)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self._no("{value} is no list of tables.", "Begin each with [[{name}]].", key, value, name=name)
            value = []
        return [Section(self.file, f"{name}[{place}]", each, self.faults) for place, each in enumerate(value, 1)]

    def close(self) -> None:
        """What nobody asked for is a fault: a misspelt key would be a rule that is not followed."""
        for key in sorted(self.values.keys() - self._asked):
            names = ", ".join(get_close_matches(key, self._asked, 1) or sorted(self._asked))
            self.fault("This is no key of the table.", "Did you mean: {names}?", key, names=names)

    def check(self) -> None:
        """Raises Faults: If anything was wrong in the file so far."""
        if self.faults:
            raise Faults(self.faults)

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}".strip(".")

    def _said(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        return self.values.get(key, default)

    def _unknown(self, key: str, value: str, among: Sequence[str]) -> None:
        near = get_close_matches(value, among, 3)
        if len(among) <= MOST_PROPOSED:
            near += [each for each in among if each not in near]
        else:
            near = [*(near or among[:MOST_PROPOSED]), "…"]
        self._no("{value} is unknown here.", "Write one of: {near}.", key, value, near=", ".join(near))

    def _no(self, what: str, repair: str, key: str, value: object, **values: object) -> None:
        if value is None:
            self.fault("It is missing.", "Say it.", key)
        else:
            self.fault(what, repair, key, value=_as_written(value), **values)


def _as_written(value: Any) -> Any:
    """A value as a file writes it, where Python would write it otherwise."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value) if isinstance(value, float) and not isfinite(value) else value


class _At(Problem):
    """A fault at a key of a file."""

    def __init__(self, file: str, key: str, what: str, repair: str, values: Mapping[str, object]):
        self.place = f"{file}: {key}"
        super().__init__(what, repair, **values)

    def told(self, words: Callable[[str], str]) -> str:
        """The file and the key, then the sentence and its repair."""
        return f"{self.place}: {super().told(words)}"


def read_toml(path: Path) -> Section:
    """The outermost table of a file.

    Raises:
        Problem: If there is no such file, or it is no TOML: with the line where it stops being one.
    """
    try:
        return Section(path.name, "", tomllib.loads(_text(path)), [])
    except FileNotFoundError as error:
        raise Problem("There is no file {file}.", "Check the path.", file=path) from error
    except OSError as error:
        raise Problem(
            "{file} cannot be read: {reason}", "Check the path.", file=path, reason=error.strerror or error
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Problem(
            "{file} is no TOML: {reason}", "Mend that line: a key, an equals sign, a value; texts between quotes.",
            file=path.name, reason=str(error),
        ) from error  # fmt: skip


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Problem(
            "{file} is not written in UTF-8: line {line}.", "Save it as UTF-8: editors ask for the encoding.",
            file=path.name, line=line,
        ) from error  # fmt: skip
