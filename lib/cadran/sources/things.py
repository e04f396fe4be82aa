"""The lives of accounts, contacts, reps and targets: of their present rows, their dated rows, or their field history."""

from datetime import datetime

import polars as pl

from cadran.sources.changes import fields_of, states
from cadran.sources.place import ID
from cadran.sources.spans import ENDS, MOMENT, Note, Shaped, complete, noted, spans
from cadran.tables import TABLES, VERSIONED

DISAGREES = (
    "the present row says otherwise than the history before it; this was taken as a change when the data was taken"
)


def dead(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `@deleted`: whether a row says that the thing was deleted or merged."""
    rows = complete(rows, [("@deleted", pl.Boolean), ("merged_into", pl.String), ("deleted_at", MOMENT)])
    gone = (
        pl.col("@deleted").fill_null(False) | pl.col("merged_into").is_not_null() | pl.col("deleted_at").is_not_null()
    )
    return rows.with_columns(gone.alias("@deleted"))


def ends_of(now: pl.DataFrame, key: str, merges: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The things that ended (`ENDS`), and the keys of those that are there, by present rows (see `dead`) and merges."""
    marked = now.filter("@deleted").select(
        pl.col(key).alias("key"), pl.col("deleted_at").alias("end"), into="merged_into"
    )
    merged = merges.select("key", pl.col("at").alias("end"), "into")
    ends = pl.concat([merged, marked], how="vertical_relaxed").drop_nulls("key")
    ends = ends.group_by("key", maintain_order=True).agg(pl.all().drop_nulls().first())
    alive = now.filter(~pl.col("@deleted")).join(ends, left_on=key, right_on="key", how="anti")[key]
    return ends.select(ENDS.keys()).cast(ENDS), alive  # type: ignore[arg-type]


def things(
    table: str, rows: pl.DataFrame, changes: pl.DataFrame | None, merges: pl.DataFrame, bad: pl.DataFrame,
    until: datetime, since: datetime,
) -> Shaped:  # fmt: skip
    """Every version of the things of one table.

    A row without a date of its own is the thing as it is when the data was taken; where nothing else is told, it
    holds since ever. Dated rows hold each until the next. Field changes are put together with the present row, whose
    other fields hold since ever.

    Args:
        table: accounts, contacts, reps or targets.
        rows: Fields of its feeds, with `@dated`: whether the feed gives `valid_from`.
        changes: Field changes of these things (see `changes.states`); null if there are none.
        merges: `key`, `into` and `at` of merges.
        bad: `BROKEN` rows so far.
        until: The moment the data was taken.
        since: The first moment anything happened.
    """
    key = VERSIONED[table]
    rows = dead(complete(rows, [("valid_from", MOMENT)]))
    now, dated = rows.filter(~pl.col("@dated")), rows.filter("@dated")
    ends, alive = ends_of(now, key, merges)
    told = [dated]
    wrong, names = [], []
    if changes is not None:
        names = fields_of(changes)
        there = [n for n in names if n in now.columns]
        always = pl.lit(since).dt.cast_time_unit("us").alias("begin")
        begins = now.select(pl.col(key).alias("key"), always, *there)
        made = states(changes, begins.unique("key"), bad, until)
        wrong.append(made.wrong)
        own = now.drop(
            "valid_from", "@deleted", "deleted_at", "merged_into", ID, *(n for n in names if n in now.columns)
        )
        told.append(made.rows.drop("@base").rename({"key": key}).join(own.unique(key), on=key, how="left"))
    history = pl.concat(told, how="diagonal_relaxed")
    alone = now.join(history, on=key, how="anti").with_columns(
        pl.lit(since).dt.cast_time_unit("us").alias("valid_from"), pl.lit(False).alias("@deleted"), merged_into=None
    )
    shaped = spans(table, pl.concat([history, alone], how="diagonal_relaxed"), until, since, ends, alive)
    versions, notes = _present(
        table, shaped.rows, now.join(history, on=key, how="semi").filter(~pl.col("@deleted")), until
    )
    return Shaped(versions, pl.concat([shaped.wrong, *wrong]), shaped.notes + notes)


def _present(
    table: str, versions: pl.DataFrame, now: pl.DataFrame, until: datetime
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Histories that end as the present row says. A field that the history never tells holds since ever."""
    key = VERSIONED[table]
    own = {key, "valid_from", "valid_to", "end_reason", "merged_into"}
    fields = [c for c in TABLES[table].column_names() if c in now.columns and c not in own]
    if now.is_empty() or not fields:
        return versions, ()
    versions = complete(versions, [(f, now.schema[f]) for f in fields])
    said = now.select(key, *(pl.col(f).alias(f"@now_{f}") for f in fields)).unique(key)
    versions = versions.join(said, on=key, how="left", maintain_order="left")
    versions = versions.with_columns(
        pl.when(pl.col(f).is_null().all().over(key)).then(f"@now_{f}").otherwise(f).alias(f) for f in fields
    )
    news = [pl.col(f"@now_{f}").is_not_null() & pl.col(f).ne_missing(pl.col(f"@now_{f}")) for f in fields]
    last = versions.filter(pl.col("valid_to").is_null(), pl.any_horizontal(news))
    last = last.with_columns(
        *(pl.coalesce(f"@now_{f}", f).alias(f) for f in fields),
        pl.lit(until).dt.cast_time_unit("us").alias("valid_from"),
    )
    begins = last.select(key, begins="valid_from")
    versions = versions.join(begins, on=key, how="left", maintain_order="left")
    versions = versions.with_columns(
        valid_to=pl.when(pl.col("valid_to").is_null()).then("begins").otherwise("valid_to")
    )
    gone = [f"@now_{f}" for f in fields]
    return pl.concat([versions.drop("begins", *gone), last.drop(gone)]), noted(table, DISAGREES, last[key])
