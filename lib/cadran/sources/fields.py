"""From rows of a file to fields: joins, synonyms, missing values, and text parsed to what a table holds."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from difflib import get_close_matches

import dataframely as dy
import polars as pl

from cadran.sources import parse
from cadran.sources.dates import dates
from cadran.sources.feeds import Feed, Field, Mapping, column_of
from cadran.sources.read import ID, PLACE, RAGGED, Rows
from cadran.sources.rules import broken
from cadran.tables import TABLES
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Fed:
    """A feed as read: source rows with their `ID`, the same rows parsed into fields, and what was wrong with them."""

    feed: Feed
    rows: pl.DataFrame
    fields: pl.DataFrame
    broken: pl.DataFrame


def fed(feed: Feed, read: Dict[str, Rows], mapping: Mapping, first_id: int) -> Fed:
    """Parse one feed. Rows that cannot be understood stay in, null where they fail, and are named in `broken`.

    Args:
        feed: Which file feeds which table.
        read: Files as read, by their name in the mapping.
        mapping: The whole mapping.
        first_id: `ID` of the first row.

    Raises:
        Problem: If a column is missing, holds personal data, or is written in a way that cannot be told.
    """
    file = mapping.files[feed.file].path[0]
    rows = read[feed.file].frame.with_row_index(ID, first_id).cast({ID: pl.Int64})
    for field in feed.fields.values():
        for column in field.column if not field.source else field.on:
            _has(rows, column, file, f"[{feed.table}] {field.name}")
    left_out = _left_out(feed, rows, file)
    if feed.from_values:
        rows, left_out = rows.join(left_out, on=ID, how="anti").filter(~pl.col(RAGGED)), left_out.clear()
    texts = pl.DataFrame([rows[ID], *(_text(f, rows, read, feed, mapping) for f in feed.fields.values())])
    if feed.from_values:
        texts = _values_met(texts, TABLES[feed.table].primary_key()[0])
        rows = rows.join(texts, on=ID, how="semi", maintain_order="left")
    how = _writing(feed, texts, mapping)
    values, wrong = [texts.select(ID)], [left_out, broken(rows.filter(RAGGED)[ID], "", "cells")]
    for name, field in feed.fields.items():
        try:
            parsed = _parsed(feed.table, field, texts[name], how, mapping)
        except Problem as problem:
            raise _in_file(problem, file) from None
        values.append(parsed)
        bad = texts.filter(pl.col(name).is_not_null() & parsed.to_series(0).is_null())[ID]
        wrong.append(broken(bad, name, f"{feed.table}.{name}|type"))
    return Fed(feed, rows, pl.concat(values, how="horizontal"), pl.concat(wrong))


def _in_file(problem: Problem, file: str) -> Problem:
    return Problem(problem.what, problem.repair, **{**problem.values, "file": file})


def _values_met(texts: pl.DataFrame, key: str) -> pl.DataFrame:
    """One row per value of `key`, at the first row that holds it; a field on which its rows differ is null."""
    others = [pl.col(c).drop_nulls() for c in texts.columns if c not in (ID, key)]
    agreed = [pl.when(c.n_unique() == 1).then(c.first()) for c in others]
    met = texts.drop_nulls(key).group_by(key, maintain_order=True).agg(pl.col(ID).first(), *agreed)
    return met.select(texts.columns)


def _has(rows: pl.DataFrame, column: str, file: str, where: str) -> None:
    if column in rows.columns:
        return
    there = [c for c in rows.columns if c not in (*PLACE, ID)]
    close = get_close_matches(column, there, 1) or get_close_matches(column.lower(), there, 1)
    repair = "Was it renamed to {close!r}? Then write that in the mapping." if close else "Its columns are: {there}."
    values = {"file": file, "column": column, "where": where, "close": close and close[0], "there": ", ".join(there)}
    raise Problem("{file} has no column {column!r}, which the mapping names in {where}.", repair, **values)


def _cleaned(column: str, missing: tuple[str, ...], values: Dict[str, str], rows: pl.DataFrame) -> pl.Expr:
    text = pl.col(column)
    if rows.schema[column] != pl.String:
        if not missing and not values:
            return text
        text = text.cast(pl.String)
    text = text.str.strip_chars()
    if missing:
        text = pl.when(~text.is_in(list(missing))).then(text)
    return text.replace(dict(values)) if values else text


def _text(field: Field, rows: pl.DataFrame, read: Dict[str, Rows], feed: Feed, mapping: Mapping) -> pl.Series:
    """What the source says for one field: text (or Parquet's own type), trimmed, with synonyms and missing values."""
    if not field.column:
        return pl.repeat(str(field.constant), rows.height, dtype=pl.String, eager=True).alias(field.name)
    file, frame = mapping.files[feed.file], rows
    if field.source:
        frame, file = _joined(field, rows, read, feed, mapping), mapping.files[field.source]
    parts = [_cleaned(c, file.missing, file.values.get(c, {}), frame) for c in field.column]
    whole = (
        parts[0]
        if len(parts) == 1
        else pl.concat_str([p.cast(pl.String) for p in parts], separator=" ", ignore_nulls=True)
    )
    text = frame.select(whole.alias(field.name))
    own = text.select(_cleaned(field.name, field.missing, field.values, text)).to_series()
    if field.missing and isinstance(column_of(feed.table, field.name), dy.Float64 | dy.Int64):
        own = _without_numbers(own, field.missing)
    if own.dtype == pl.String:
        own = text.select(pl.when(own != "").then(own).alias(field.name)).to_series()
    if field.personal is None and (kind := parse.looks_personal(own)):
        phones = "{file}: {column} holds phone numbers, which never enter a book."
        mails = "{file}: {column} holds e-mail addresses, which never enter a book."
        what = {"e-mail addresses": mails, "phone numbers": phones}[kind]
        raise Problem(
            what, 'Map another column to {where}; or, if it is none, write personal = "allowed" there.',
            file=mapping.files[feed.file].path[0], column=", ".join(field.column), where=f"[{feed.table}] {field.name}",
        )  # fmt: skip
    return own


def _without_numbers(texts: pl.Series, missing: tuple[str, ...]) -> pl.Series:
    """Texts without those that are a missing number written otherwise: 0,00 is 0."""
    meant = pl.Series(missing).cast(pl.Float64, strict=False).drop_nulls()
    value = texts.cast(pl.String).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return (
        texts.to_frame()
        .select(pl.when(~value.is_in(meant.implode()).fill_null(False)).then(texts))
        .to_series()
        .alias(texts.name)
    )


def _joined(field: Field, rows: pl.DataFrame, read: Dict[str, Rows], feed: Feed, mapping: Mapping) -> pl.DataFrame:
    """The row of another file that goes with each row, by key."""
    here, there = mapping.files[feed.file], mapping.files[str(field.source)]
    other, where = read[there.name].frame, f"[{feed.table}] {field.name}"
    for column in field.on:
        _has(rows, column, here.path[0], where)
    for column in (*field.on.values(), *field.column):
        _has(other, column, there.path[0], where)
    left = [
        _cleaned(c, here.missing, here.values.get(c, {}), rows).cast(pl.String).alias(f"@{i}")
        for i, c in enumerate(field.on)
    ]
    right = [
        _cleaned(c, there.missing, there.values.get(c, {}), other).cast(pl.String).alias(f"@{i}")
        for i, c in enumerate(field.on.values())
    ]
    keys = [f"@{i}" for i in range(len(field.on))]
    other = other.select(*field.column, *right).drop_nulls(keys).unique(maintain_order=True)
    if other.select(pl.struct(keys).is_duplicated().any()).item():
        twice = other.filter(pl.struct(keys).is_duplicated())[keys].row(0)
        raise Problem(
            "{file}: {key} {value!r} stands on several rows that differ, so that it brings no single {column}.",
            "Keep one row for each.",
            file=there.path[0], key=", ".join(field.on.values()), value=" ".join(twice), column=", ".join(field.column),
        )  # fmt: skip
    joined = rows.select(left).join(other, on=keys, how="left", maintain_order="left")
    if rows.height and joined[field.column[0]].is_null().all():
        raise Problem(
            "{where}: no {here} of {file} is found as {key} in {other}.",
            "Compare their values, and write `values` where they differ.",
            where=where, here=", ".join(field.on), file=here.path[0],
            key=", ".join(field.on.values()), other=there.path[0],
        )  # fmt: skip
    return joined


def _left_out(feed: Feed, rows: pl.DataFrame, file: str) -> pl.DataFrame:
    """Rows that `only` does not keep."""
    for column in feed.only:
        _has(rows, column, file, f"[{feed.table}] only")
    kept = [
        pl.col(column)
        .cast(pl.String)
        .fill_null("")
        .str.strip_chars()
        .str.to_lowercase()
        .is_in([v.lower() for v in values])
        for column, values in feed.only.items()
    ]
    return broken(rows.filter(~pl.all_horizontal(pl.lit(True), *kept))[ID], "", "only")


def _writing(feed: Feed, texts: pl.DataFrame, mapping: Mapping) -> parse.Writing:
    """How the file writes dates and numbers, told by all its columns together."""
    file = mapping.files[feed.file]
    kinds = {n: column_of(feed.table, n) for n, f in feed.fields.items() if texts.schema[n] == pl.String and f.column}
    days = [n for n, kind in kinds.items() if isinstance(kind, dy.Date | dy.Datetime)]
    days = [] if file.dates else [n for n in days if not feed.fields[n].dates]
    figures = [n for n, kind in kinds.items() if isinstance(kind, dy.Float64)]
    figures = [] if file.decimal else [n for n in figures if not feed.fields[n].decimal]
    try:
        told = parse.writing([texts[n] for n in days], [texts[n] for n in figures])
    except Problem as problem:
        raise _in_file(problem, file.path[0]) from None
    return replace(told, forms=file.dates, decimal=file.decimal)


def _parsed(table: str, field: Field, texts: pl.Series, how: parse.Writing, mapping: Mapping) -> pl.DataFrame:
    """The values of one field; a moment comes with a second column, whether it is a whole day."""
    column, name = column_of(table, field.name), field.name
    if isinstance(column, dy.Date | dy.Datetime):
        found = dates(texts, mapping.time_zone, field.dates or how.forms, how.is_day_first)
        if isinstance(column, dy.Date):
            return found.select(pl.col("day").alias(name))
        return found.select(
            pl.col("at").alias(name), pl.col("is_day").alias(f"@{name}_is_day"), pl.col("day").alias(f"@{name}_day")
        )
    if isinstance(column, dy.Float64 | dy.Int64):
        if name == "amount" and (sign := parse.foreign_sign(texts, mapping.currency)):
            raise Problem(
                "{file}: {column} writes amounts in {sign}; the book counts in {currency}.",
                "Correct `currency` in the mapping; or map a `currency` column, and give its rate in `rates`.",
                file="", column=", ".join(field.column), sign=sign, currency=mapping.currency,
            )  # fmt: skip
        value = parse.numbers(texts, replace(how, decimal=field.decimal or how.decimal)) * (field.scale or 1)
        if isinstance(column, dy.Int64):
            value = value.set(value != value.round(), None).cast(pl.Int64, strict=False)
        return value.alias(name).to_frame()
    if isinstance(column, dy.Bool):
        return parse.yes_no(texts).alias(name).to_frame()
    if isinstance(column, dy.Enum):
        return parse.one_of(texts, list(column.categories)).alias(name).to_frame()
    return texts.cast(pl.String).alias(name).to_frame()
