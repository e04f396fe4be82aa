"""Columns of a file as the mapping cleans them, and those brought from another file by key."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from difflib import get_close_matches

import polars as pl

from cadran.sources.feeds import Feed, Field, Mapping
from cadran.tables.problems import Problem


def has(columns: Sequence[str], column: str, file: str, where: str) -> None:
    """Raise a `Problem` if a file lacks a column that the mapping names."""
    if column in columns:
        return
    close = get_close_matches(column, columns, 1) or get_close_matches(column.lower(), columns, 1)
    repair = "Was it renamed to {close!r}? Then write that in the mapping." if close else "Its columns are: {there}."
    values = {"file": file, "column": column, "where": where, "close": close and close[0], "there": ", ".join(columns)}
    raise Problem("{file} has no column {column!r}, which the mapping names in {where}.", repair, **values)


def cleaned(
    column: str, missing: tuple[str, ...], values: Dict[str, str], rows: pl.DataFrame, is_trimmed: bool = False
) -> pl.Expr:
    """A column trimmed (unless `is_trimmed` says it need not be), nothing for nothing, with synonyms."""
    text = pl.col(column)
    if not missing and not values and (is_trimmed or rows.schema[column] != pl.String):
        return text
    text = text.cast(pl.String).str.strip_chars()
    nothing = ["", *missing]
    text = pl.when(~text.is_in(nothing)).then(text) if missing else pl.when(text != "").then(text)
    return text.replace(dict(values)) if values else text


def trimmed(texts: pl.Series, is_plain: bool = False) -> pl.Series:
    """Texts without spaces around them, null where nothing is left.

    Args:
        texts: Cells of a file.
        is_plain: Whether they hold no space but " ", and are null where a cell is empty: then a look at both ends tells
            whether there is anything to do.
    """
    if is_plain and not texts.str.starts_with(" ").any() and not texts.str.ends_with(" ").any():
        return texts
    texts = texts.str.strip_chars()
    return texts.set((texts == "").fill_null(False), None)


def lookup(field: Field, frames: Iterable[pl.DataFrame], feed: Feed, mapping: Mapping) -> pl.DataFrame:
    """The columns that a field brings from another file, by its keys (`@0`, `@1`, …).

    Raises:
        Problem: If one key brings several things.
    """
    there = mapping.files[str(field.source)]
    found = []
    for rows in frames:
        keys = [_key(c, i, there.missing, there.values.get(c, {}), rows) for i, c in enumerate(field.on.values())]
        found.append(rows.select(*field.column, *keys).drop_nulls(_keys(field)).unique(maintain_order=True))
    other = pl.concat(found).unique(maintain_order=True)
    if field.unknown != "set aside":  # what is not told of one thing is not known
        return other.filter(~pl.struct(_keys(field)).is_duplicated())
    if other.select(pl.struct(_keys(field)).is_duplicated().any()).item():
        twice = other.filter(pl.struct(_keys(field)).is_duplicated())[_keys(field)].row(0)
        raise Problem(
            "{file}: {key} {value!r} stands on several rows that differ, so that it brings no single {column}.",
            "Keep one row for each.",
            file=there.path[0], key=", ".join(field.on.values()), value=" ".join(twice), column=", ".join(field.column),
        )  # fmt: skip
    return other


def nothing(field: Field) -> pl.DataFrame:
    """What a field brings from a file that is not there."""
    return pl.DataFrame(schema=dict.fromkeys([*field.column, *_keys(field)], pl.String))


def joined(field: Field, rows: pl.DataFrame, other: pl.DataFrame, feed: Feed, mapping: Mapping) -> pl.DataFrame:
    """The row of another file that goes with each row, by key."""
    here = mapping.files[feed.file]
    left = [_key(c, i, here.missing, here.values.get(c, {}), rows) for i, c in enumerate(field.on)]
    return rows.select(left).join(other, on=_keys(field), how="left", maintain_order="left")


def never_found(field: Field, feed: Feed, mapping: Mapping) -> Problem:
    """What is said if no row of the feed found its key in the other file."""
    here, there = mapping.files[feed.file], mapping.files[str(field.source)]
    return Problem(
        "{where}: no {here} of {file} is found as {key} in {other}.",
        "Compare their values, and write `values` where they differ.",
        where=f"[{feed.table}] {field.name}", here=", ".join(field.on), file=here.path[0],
        key=", ".join(field.on.values()), other=there.path[0],
    )  # fmt: skip


def _keys(field: Field) -> list[str]:
    return [f"@{i}" for i in range(len(field.on))]


def _key(column: str, i: int, missing: tuple[str, ...], values: Dict[str, str], rows: pl.DataFrame) -> pl.Expr:
    return cleaned(column, missing, values, rows).cast(pl.String).alias(f"@{i}")
