"""Tables as a report prints them: the cells that the page shows, of no more rows than its first page has."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cadran.figures.columns import HIDDEN, cell, is_number, label
from cadran.figures.figure import Figure
from cadran.figures.table import LONG, PAGE, Table
from cadran.text import Words

#: Columns of sentences, which are printed under their row.
SENTENCES = (*LONG, "reason")
#: Rows of a figure's table, where it is written out beside the picture.
MOST_OF_FIGURE = 100


@dataclass(frozen=True)
class Cells:
    """What is printed of a table: each cell is its value, and its interval or an empty text."""

    heads: Sequence[str]
    #: Whether the values of a column stand to the right.
    is_number: Sequence[bool]
    lines: Sequence[Sequence[tuple[str, str]]]
    #: Sentences of each line, printed under it; empty texts where it has none.
    under: Sequence[str]
    #: Rows there are, whether printed or not.
    n: int

    def left_out(self, words: Words) -> str:
        """How many rows are printed of how many, where not all are."""
        if self.n <= len(self.lines):
            return ""
        shown, rows = words.number(len(self.lines)), words.number(self.n)
        return words("{shown} of {all} rows; all of them in the .xlsx", shown=shown, all=rows)


def cells_of(table: Table, most: int = PAGE) -> Cells:
    """The first page of a table, or less of it, in the order it has on the page."""
    found = table.found()
    apart = [name for name in table.seen if name in SENTENCES]
    columns = [name for name in table.seen if name not in apart]
    rows = found.head(most).rows(named=True)
    return Cells(
        [label(name, table.words) for name in columns],
        [is_number(found, name) for name in columns],
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
        [[(cell(name, row[name], figure.words, figure.currency), "") for name in columns] for row in rows],
        [""] * len(rows),
        frame.height,
    )
