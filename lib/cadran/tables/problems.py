"""What is said when something is wrong: what it is, where, and how to repair it."""

from collections.abc import Callable, Sequence
from string import Formatter
from typing import Any

#: Names of values that are words of ours: the title of a rule, the modes of a survey.
OURS = ("title", "mode", "mode_before")


class Problem(Exception):
    """Something a person can repair, told in their language.

    Args:
        what: The sentence, in English, with `{names}` for the values. The key of its translation.
        repair: What to do next, in English, with `{names}` likewise.
        values: The values: file, row, column, … Those of `OURS` are words of ours, and told in that language too.
    """

    def __init__(self, what: str, repair: str, **values: object):
        self.what, self.repair, self.values = what, repair, values
        super().__init__(self.told(str))

    def told(self, words: Callable[[str], str]) -> str:
        """The sentence and its repair, in the language of `words`: its numbers and dates too, where it has a `value`."""
        values = {name: words(str(each)) if name in OURS else each for name, each in self.values.items()}
        sentence = _Sentence(getattr(words, "value", format))
        return "\n".join(sentence.format(words(text), **values) for text in (self.what, self.repair) if text)


class Faults(Problem):
    """Several problems at once."""

    def __init__(self, faults: Sequence[Problem]):
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.what for fault in faults), "")

    def told(self, words: Callable[[str], str]) -> str:
        """Each of them, one after the other."""
        return "\n".join(fault.told(words) for fault in self.faults)


class _Sentence(Formatter):
    """Fills in sentences, each value written by `write(value, spec)`."""

    def __init__(self, write: Callable[[Any, str], str]):
        self._write = write

    def format_field(self, value: Any, format_spec: str) -> str:
        """One value."""
        return self._write(value, format_spec)
