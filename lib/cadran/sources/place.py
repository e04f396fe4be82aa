"""Where a row stands in its file, and a block of rows read at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from cadran.tables.problems import Problem

#: Where a row stands: its file, its number among the data rows from 1, its line (null in Parquet).
FILE, ROW, LINE, RAGGED = "@file", "@row", "@line", "@ragged"
PLACE = (FILE, ROW, LINE, RAGGED)
#: Number of a source row, unique in a delivery.
ID = "@id"


class Load(Protocol):
    """Gives the rows of a block: the columns named (all where none are), and `PLACE` (`ROW` from 1 in the block)."""

    def __call__(self, columns: Sequence[str] | None = None, data: Any = None) -> pl.DataFrame: ...


@dataclass(frozen=True)
class Block:
    """Rows read at once; they can be loaded again as often as needed. A row's `LINE` is told when all are loaded."""

    file: str
    load: Load
    #: What `load` takes, where it is at hand already.
    data: Any = None


def blank_to_null(names: Sequence[str]) -> list[pl.Expr]:
    """Cells of nothing but spaces made null."""
    return [pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)).alias(name) for name in names]


def no_duplicates(names: Sequence[str], file: str) -> None:
    """Raise a `Problem` if a header names a column twice."""
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        places = ", ".join(str(i) for i, name in enumerate(names, 1) if name == twice[0])
        raise Problem(
            "{file}: the header names {column!r} more than once (columns {places}).",
            "Rename one of them in the file.",
            file=file, column=twice[0], places=places,
        )  # fmt: skip


def same_columns(first: Sequence[str], columns: Sequence[str], name: str, other: str) -> None:
    """Raise a `Problem` if two files of one form do not have the same columns."""
    odd = sorted(set(first) ^ set(columns))
    if odd:
        raise Problem(
            "{file} and {other} do not have the same columns: {columns}.",
            "Export both in one form, or feed them apart.",
            file=name, other=other, columns=", ".join(odd),
        )  # fmt: skip
