"""One-to-ones out of a file that people keep: who, when, planned or held. Whatever else it holds is not read."""

from pathlib import Path

import polars as pl

from cadran.sources.dates import day_first
from cadran.sources.feeds import File
from cadran.sources.parse import in_file
from cadran.sources.place import LINE, ROW
from cadran.sources.read import read
from cadran.tables.one_to_ones import HELD
from cadran.tables.problems import Problem

#: What is read, and by which other names it goes.
COLUMNS = {
    "person": ("person", "rep_id", "personne", "collaborateur"), "manager": ("manager", "manager_id", "responsable"),
    "day": ("day", "date", "jour"), "kind": ("kind", "status", "statut", "type"), "minutes": ("minutes", "duration", "durée"),
}  # fmt: skip
_KINDS = {
    "planned": ("planned", "planifié", "prévu"), "held": ("held", "done", "tenu", "fait"),
    "cancelled": ("cancelled", "canceled", "annulé"),
}  # fmt: skip


def read_one_to_ones(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """The rows of a file (CSV, Excel, …) as `cadran.book.one_to_ones.sifted` takes them, and the columns not read.

    Raises:
        Problem: If it cannot be read, or says not who or when.
    """
    rows = read(File(path.stem, (path.name,)), path.parent)
    named = {column.strip().casefold(): column for column in rows.columns}
    found = {name: named[each] for name, others in COLUMNS.items() for each in reversed(others) if each in named}
    for name in ("person", "day"):
        if name not in found:
            raise Problem(
                "{file} has no column {column}.", "Name one so: {names}.", file=path.name, column=name,
                names=", ".join(COLUMNS[name]),
            )  # fmt: skip
    text = {name: pl.col(column).cast(pl.String).str.strip_chars() for name, column in found.items()}
    told = rows.frame.select(row=ROW, line=LINE, **text)
    told = told.with_columns(pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in found)
    kinds = {each: kind for kind, others in _KINDS.items() for each in others}
    kind = pl.col("kind").fill_null(HELD)
    told = told.with_columns(
        day_told=pl.col("day"), minutes_told=pl.col("minutes"), file=pl.lit(path.name), day=_day(told["day"], path.name),
        kind=kind.str.to_lowercase().replace(kinds), minutes=pl.col("minutes").cast(pl.Int64, strict=False),
    )  # fmt: skip
    return told, [column for column in rows.columns if column not in found.values()]


def _day(texts: pl.Series, file: str) -> pl.Series:
    """Days: 2026-05-31, or 31/05/2026 where some day of the column is beyond 12; null where it cannot be told."""
    try:
        first = day_first(texts.drop_nulls())
    except Problem as problem:
        raise in_file(problem, file) from None
    forms = ["%Y-%m-%d"] + ([] if first is None else ["%d/%m/%Y" if first else "%m/%d/%Y"])
    date = pl.col("day").str.slice(0, 10)
    return texts.to_frame("day").select(pl.coalesce(date.str.to_date(form, strict=False) for form in forms)).to_series()
