"""Things that a source made one with others, and no longer holds: they end for that reason, not because they vanished."""

from datetime import datetime, timedelta

import polars as pl

from cadran.tables import VERSIONED
from cadran.tables.groups import group_of

INSTANT = timedelta(seconds=1)


def merged(name: str, untold: pl.DataFrame, merges: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What is believed of things that an import does not hold, those ended and named that were merged.

    Args:
        name: A table.
        untold: Stored rows that are believed, of things that are not delivered.
        merges: What the source tells, as `tables.delivery.MERGES`.
        now: When the data was taken: what was merged at a moment not told, was then.
    """
    key = group_of(name).key
    own = merges.filter(table=group_of(name).name)
    if own.is_empty() or key not in untold.columns or (name not in VERSIONED and name != "opportunities"):
        return untold
    own = own.select(pl.col("key").alias(key), "into", "at").unique(key, keep="first")
    rows = untold.join(own, on=key, how="left", maintain_order="left")
    is_merged = pl.col("into").is_not_null()
    if name in VERSIONED:
        is_last = pl.col("valid_from") == pl.col("valid_from").max().over(key)
        is_merged = is_merged & is_last & (pl.col("valid_to").is_null() | (pl.col("valid_to") > now))
        end = pl.max_horizontal(pl.coalesce("at", pl.lit(now)), pl.col("valid_from") + INSTANT)
        rows = rows.with_columns(is_merged.alias("@merged")).with_columns(
            valid_to=pl.when("@merged").then(end).otherwise("valid_to"),
            end_reason=pl.when("@merged")
            .then(pl.lit("merged"))
            .otherwise("end_reason")
            .cast(rows.schema["end_reason"]),
        )
        is_merged = pl.col("@merged")
    if "merged_into" in rows.columns:
        rows = rows.with_columns(merged_into=pl.when(is_merged).then("into").otherwise("merged_into"))
    return rows.select(untold.columns)
