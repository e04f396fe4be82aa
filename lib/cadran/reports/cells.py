"""Tables as a report prints them: the cells that the page shows, of no more rows than its first page has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cadran.figures.columns import HIDDEN, cell, is_number, label
from cadran.figures.figure import Figure
from cadran.figures.table import LONG, PAGE, Table
from cadran.text import Words

#: Columns of sentences, which are printed under their row.
SENTENCES = (*sorted(LONG - {"path"}), "reason")
#: Rows of a figure's table, where it is written out beside the picture.
MOST_OF_FIGURE = 100
#: Letters' room between two columns, and up to how many letters of a text stay on one line.
_GAP, _ON_ONE_LINE = 2, 9


@dataclass(frozen=True)
class Cells:
    """What is printed of a table: each cell is its value, and its interval or an empty text."""

    heads: Sequence[str]
    #: Whether the values of a column stand to the right; whether they are never written on two lines.
    is_number: Sequence[bool]
    is_whole: Sequence[bool]
    lines: Sequence[Sequence[tuple[str, str]]]
    #: Sentences of each line, printed under it; empty texts where it has none.
    under: Sequence[str]
    #: Rows there are, whether printed or not.
    n: int

    def left_out(self, words: Words) -> str:
        """How many rows are printed of how many, where not all are, and where the others are."""
        told = self.told_of(words)
        return words("{told}; all of them in the .xlsx", told=told) if told else ""

    def told_of(self, words: Words) -> str:
        """How many rows are printed of how many, where not all are."""
        if self.n <= len(self.lines):
            return ""
        return words("{shown} of {all} rows", shown=words.number(len(self.lines)), all=words.number(self.n))

    def widths(self, letters: float, size: float, small: float) -> tuple[list[float], float]:
        """The share of the width of each column, in letters, and the size of letters at which nothing overlaps.

        Numbers, days, and every word stay on one line; letters shrink before texts are broken.

        Args:
            letters: How many stand on a line at `size`.
            size: In points, at most.
            small: In points, down to which they shrink so that no text is broken; further only for what must not be.
        """
        least, wanted = [], []
        for place, head in enumerate(self.heads):
            texts = [value + (f" {ends}" if ends else "") for value, ends in (line[place] for line in self.lines)]
            word = max(len(word) for text in (head, *texts) for word in re.split(r"[ \-/]", text))
            longest = max(map(len, texts), default=0)
            least.append(max(word, longest if self.is_whole[place] else min(longest, _ON_ONE_LINE)) + _GAP)
            wanted.append(max(longest, word, min(len(head), 12)) + _GAP)
        chosen = min(max(letters * size / sum(wanted), small), letters * size / sum(least), size)
        room = max(min(letters * size / chosen, sum(wanted)) - sum(least), 0)
        spare = max(sum(wanted) - sum(least), 1)
        return [low + room * (want - low) / spare for low, want in zip(least, wanted, strict=True)], chosen


def cells_of(table: Table, most: int = PAGE) -> Cells:
    """The first page of a table, or less of it, in the order it has on the page."""
    found = table.found()
    apart = [name for name in table.seen if name in SENTENCES]
    columns = [name for name in table.seen if name not in apart]
    rows = found.head(most).rows(named=True)
    return Cells(
        [label(name, table.words) for name in columns],
        [is_number(found, name) for name in columns],
        [is_number(found, name) or found.schema[name].is_temporal() for name in columns],
        [[table.told(name, row) for name in columns] for row in rows],
        [" ".join(table.told(name, row)[0] for name in apart if row[name]) for row in rows],
        found.height,
    )


def cells_of_figure(figure: Figure, most: int = MOST_OF_FIGURE) -> Cells:
    """The table behind a figure, as the page shows it on demand."""
    frame: pl.DataFrame = figure.frame
    columns = [name for name in frame.columns if name not in HIDDEN]
    rows = frame.head(most).rows(named=True)
    return Cells(
        [label(name, figure.words) for name in columns],
        [is_number(frame, name) for name in columns],
        [is_number(frame, name) or frame.schema[name].is_temporal() for name in columns],
        [[(cell(name, row[name], figure.words, figure.currency), "") for name in columns] for row in rows],
        [""] * len(rows),
        frame.height,
    )
