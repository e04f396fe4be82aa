"""From what was kept of a column to its values: those parsed at once, and the texts that waited for the whole."""

import polars as pl

from cadran.sources import dates, parse
from cadran.sources.evidence import DAYS, MIDNIGHTS, TEXTS, Column


def or_null(kept: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    """A column, or nulls where it is not there."""
    if name in kept.columns:
        return kept[name]
    return pl.repeat(None, kept.height, dtype=dtype, eager=True).alias(name)


def number(column: Column, kept: pl.DataFrame, decimal: str | None, scale: float | None) -> pl.Series:
    """The numbers of a field, whole where it holds whole numbers.

    Args:
        column: What is known of the column.
        kept: Rows that were kept of it.
        decimal: The decimal mark.
        scale: What one stands for.
    """
    value = or_null(kept, column.name, pl.Float64())
    if column.name + TEXTS in kept.columns:
        waited = parse.numbers(kept[column.name + TEXTS], parse.Writing(decimal=decimal))
        value = value.zip_with(value.is_not_null(), waited)
    if scale is not None:
        value = value * scale
    if column.kind.dtype == pl.Int64:
        value = value.set((value != value.round()).fill_null(False), None).cast(pl.Int64, strict=False)
    return value.alias(column.name)


def dated(column: Column, kept: pl.DataFrame, zone: str, is_day_first: bool | None) -> list[pl.Series]:
    """The days of a field; or its moments, with whether each is a whole day (`@…_is_day`) and its day (`@…_day`)."""
    name = column.name
    waited = None
    if name + TEXTS in kept.columns:
        texts = kept[name + TEXTS].alias(name)
        waited = dates.dates(texts, zone, column.forms, is_day_first, column.has_hours or None)
        column.has_hours = column.has_hours or bool(waited["has_hour"].any())
    if column.kind.dtype == pl.Date:
        value = or_null(kept, name, pl.Date())
        return [value if waited is None else value.zip_with(value.is_not_null(), waited["day"])]
    at = or_null(kept, name, pl.Datetime("us", "UTC"))
    is_day = pl.repeat(False, kept.height, dtype=pl.Boolean, eager=True)
    for ending, whole in ((DAYS, True), (MIDNIGHTS, not column.has_hours)):
        if name + ending in kept.columns:
            days = kept[name + ending]
            begins = dates.utc(days.cast(pl.Datetime("us")), zone)
            at = at.zip_with(at.is_not_null(), begins)
            is_day = is_day | (days.is_not_null() & whole)
    if waited is not None:
        is_day = is_day.zip_with(at.is_not_null(), waited["is_day"])
        at = at.zip_with(at.is_not_null(), waited["at"])
    day = dates.local_day(at, zone)
    return [at, is_day.set(at.is_null(), None).alias(f"@{name}_is_day"), day.alias(f"@{name}_day")]
