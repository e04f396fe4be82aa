"""Columns of a file as the mapping cleans them, and those brought from another file by key."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from difflib import get_close_matches

import polars as pl

from cadran.sources.feeds import Feed, Field, File, Mapping
from cadran.tables.problems import Problem

#: Whether one row goes with a key; false where several do that differ, null where none does.
FOUND = "@found"
#: Keys that may be an e-mail address or a phone number: a join may go by them, but they are never shown or kept.
PERSONAL = r"@|^[+(0][\d ().-]{8,}$"
NOWHERE = "`{field}` was taken as not given: its key stands on no row of the file joined"
SEVERAL = "`{field}` was taken as not given: its key stands on several rows of the file joined, which differ"


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


def chosen(only: Dict[str, tuple[str, ...]]) -> pl.Expr:
    """Whether a row holds, in every column named, one of the values named, whatever their case."""
    said = {c: pl.col(c).cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase() for c in only}
    return pl.all_horizontal(pl.lit(True), *(text.is_in([v.lower() for v in only[c]]) for c, text in said.items()))


def lookup(field: Field, read: Callable[[str, list[str]], Iterator[pl.DataFrame]], mapping: Mapping) -> pl.DataFrame:
    """The columns that a field brings from other files, by the keys of the first (`@0`, `@1`, …); and `FOUND`.

    Args:
        field: A field with a join.
        read: Gives some columns of a file, named as in the mapping, block by block.
        mapping: The mapping.

    Raises:
        Problem: If one key brings several things.
    """
    other: pl.DataFrame | None = None
    for n, (name, on, columns) in reversed([*enumerate(field.hops)]):
        only = field.only if n == 0 else {}
        found = [_brought(rows.filter(chosen(only)), on, columns, other, mapping.files[name])
                 for rows in read(name, list(dict.fromkeys([*on.values(), *columns, *only])))]  # fmt: skip
        other = _once(field, pl.concat(found).unique(maintain_order=True), on, mapping.files[name])
    assert other is not None, field
    return other


def _brought(
    rows: pl.DataFrame, on: Dict[str, str], columns: tuple[str, ...], further: pl.DataFrame | None, file: File
) -> pl.DataFrame:
    """What rows of a file bring by key: its columns; or, where these are keys of a `further` file, what that brings."""
    keys = [_key(column, f"@{i}", file, rows) for i, column in enumerate(on.values())]
    if further is None:
        found = rows.select(*columns, *keys, pl.lit(True).alias(FOUND))
    else:
        links = [_key(column, f"@link{i}", file, rows) for i, column in enumerate(columns)]
        right = [f"@{i}" for i in range(len(columns))]
        left = [f"@link{i}" for i in range(len(columns))]
        found = rows.select(*keys, *links).join(further, left_on=left, right_on=right, how="left").drop(left)
    return found.drop_nulls([f"@{i}" for i in range(len(on))]).unique(maintain_order=True)


def _once(field: Field, other: pl.DataFrame, on: Dict[str, str], file: File) -> pl.DataFrame:
    """One row for each key. Where one brings several things, none of them is known, if the mapping allows that."""
    keys = [f"@{i}" for i in range(len(on))]
    several = other.select(pl.struct(keys).is_duplicated()).to_series()
    if several.any() and field.unknown == "set aside":
        raise Problem(
            "{file}: {key} {value!r} stands on several rows that differ, so that it brings no single {column}.",
            "Keep one row for each.",
            file=file.path[0], key=", ".join(on.values()), value=" ".join(other.filter(several)[keys].row(0)),
            column=", ".join(field.column),
        )  # fmt: skip
    other = other.with_columns(pl.when(~several).then(c) for c in field.column)
    return other.with_columns(pl.col(FOUND) & ~several).unique(keys, keep="any", maintain_order=True)


def nothing(field: Field) -> pl.DataFrame:
    """What a field brings from files of which one is not there."""
    return pl.DataFrame(schema=dict.fromkeys([*field.column, *_keys(field)], pl.String))


def joined(field: Field, rows: pl.DataFrame, other: pl.DataFrame, feed: Feed, mapping: Mapping) -> pl.DataFrame:
    """The row of another file that goes with each row, by key."""
    left = [_key(column, f"@{i}", mapping.files[feed.file], rows) for i, column in enumerate(field.on)]
    return rows.select(left).join(other, on=_keys(field), how="left", maintain_order="left")


def unmatched(field: Field, rows: pl.DataFrame) -> list[tuple[str, int, set[str]]]:
    """Of rows as `joined` gives them, those whose key brought nothing: a remark, how many, and some of their keys."""
    if FOUND not in rows.columns:  # a file that is not there
        return []
    lone = rows.filter(~pl.col(FOUND).fill_null(False)).select(FOUND, key=pl.concat_str(_keys(field), separator=" "))
    several = pl.col(FOUND).is_not_null()
    found = [(NOWHERE, lone.filter(~several)), (SEVERAL, lone.filter(several))]
    return [
        (note.format(field=field.name), len(keys), {*keys.filter(~keys.str.contains(PERSONAL)).unique().bottom_k(10)})
        for note, keys in ((note, rows["key"].drop_nulls()) for note, rows in found)
    ]


def never_found(field: Field, feed: Feed, mapping: Mapping) -> Problem:
    """What is said if no row of the feed found its key in the other file."""
    here, there = mapping.files[feed.file], [mapping.files[name].path[0] for name, _, _ in field.hops]
    return Problem(
        "{where}: no {here} of {file} is found as {key} in {other}.",
        "Compare their values, and write `values` where they differ.",
        where=f"[{feed.table}] {field.name}", here=", ".join(field.on), file=here.path[0],
        key=" → ".join(", ".join(on.values()) for _, on, _ in field.hops), other=" → ".join(there),
    )  # fmt: skip


def _keys(field: Field) -> list[str]:
    return [f"@{i}" for i in range(len(field.on))]


def _key(column: str, name: str, file: File, rows: pl.DataFrame) -> pl.Expr:
    return cleaned(column, file.missing, file.values.get(column, {}), rows).cast(pl.String).alias(name)
