"""Versions out of sources that tell only how a thing is now."""

from datetime import datetime

import polars as pl

from cadran.tables import TABLES, VERSIONED
from cadran.tables.deals import CLOSED

_NO_FACTS = ("valid_from", "valid_to", "end_reason")


def present(name: str, believed: pl.DataFrame, told: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The versions to believe of the keys that `told` names, once their present state is known.

    Nothing new: nothing is added. Else a new version from `now`. A close is dated by the source: it holds from its own
    instant, and what was believed of the deal from then on is not believed any more.

    Args:
        name: A table of `VERSIONED`.
        believed: Stored rows that are believed, of these keys and others.
        told: Rows as delivered; the last of each key is its present state.
        now: When the data was taken.

    Returns:
        Rows with at least the columns of `TABLES[name]`.
    """
    key = VERSIONED[name]
    told = told.sort(key, "valid_from")
    believed = believed.join(told.select(key).unique(), on=key, how="semi").sort(key, "valid_from")
    last_told, last = told.unique(key, keep="last"), believed.unique(key, keep="last")
    fates = last.join(last_told, on=key, suffix="@told").select(*_fates(name, now))
    rows = believed.join(fates, on=key, how="left", maintain_order="left")
    rows = rows.filter(~(pl.col("valid_from") >= pl.min_horizontal("@closes", "@starts")).fill_null(False))
    if name == "versions":
        rows = _without_the_earlier_close(rows, last_told)
    rows = _ends(rows, key)
    news = fates.filter(pl.col("@starts").is_not_null()).select(key, "@starts").join(last_told, on=key)
    news = news.with_columns(valid_from="@starts").drop("@starts")
    closing = fates.filter(pl.col("@closes").is_not_null()).select(key)
    closes = last_told.join(closing, on=key, how="semi")
    # Nothing believed is left of what closed before all of it, nor of what was never seen: all that is told of it.
    anew = told.join(rows.select(key).unique(), on=key, how="anti")
    closes = closes.join(anew.select(key).unique(), on=key, how="anti")
    columns = TABLES[name].column_names()
    return pl.concat([frame.select(columns) for frame in (rows, news, closes, anew.join(news, on=key, how="anti"))])


def ended(believed: pl.DataFrame, key: str, now: datetime) -> pl.DataFrame:
    """Versions of things that are told of no more: the last of each ends now, unless it had ended."""
    rows = believed.filter(pl.col("valid_from") < now).sort(key, "valid_from")
    is_last = (pl.col(key) != pl.col(key).shift(-1)).fill_null(True)
    lives = is_last & (pl.col("valid_to").is_null() | (pl.col("valid_to") > now))
    return rows.with_columns(
        valid_to=pl.when(lives).then(pl.lit(now).cast(pl.Datetime("us", "UTC"))).otherwise("valid_to"),
        end_reason=pl.when(lives).then(pl.lit("vanished").cast(rows.schema["end_reason"])).otherwise("end_reason"),
    )


def _fates(name: str, now: datetime) -> list[pl.Expr]:
    """What becomes of each key: `@closes` or `@starts`, the instant of a new version, and `@ends`, that of its end."""
    key, facts = (
        VERSIONED[name],
        [c for c in TABLES[name].column_names() if c != VERSIONED[name] and c not in _NO_FACTS],
    )
    alive, told_alive = (pl.col(c).is_null() | (pl.col(c) > now) for c in ("valid_to", "valid_to@told"))
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}@told")) for c in facts)
    closes = pl.lit(False)
    if name == "versions":
        known = (pl.col("status") == pl.col("status@told")) & (pl.col("status_since") == pl.col("valid_from@told"))
        closes = pl.col("status@told").is_in(CLOSED) & ~known
    starts = ~closes & told_alive & (differs | ~alive)
    moment = pl.lit(now).cast(pl.Datetime("us", "UTC"))
    ends = ~closes & ~starts & alive
    return [
        pl.col(key),
        pl.when(closes).then("valid_from@told").alias("@closes"),
        pl.when(starts).then(pl.max_horizontal(moment, "valid_from")).alias("@starts"),
        pl.when(ends & told_alive).then("valid_to@told")
        .when(ends & (pl.col("valid_to@told") > pl.col("valid_from"))).then("valid_to@told")
        .when(ends & (pl.col("valid_from") < moment)).then(moment).alias("@ends"),
        pl.when(ends).then("end_reason@told").alias("@reason"),
        ends.alias("@is_told"),
    ]  # fmt: skip


def _without_the_earlier_close(rows: pl.DataFrame, last_told: pl.DataFrame) -> pl.DataFrame:
    """A close that moved is not believed at its earlier date."""
    closing = rows.filter(pl.col("@closes").is_not_null()).unique("opportunity_id", keep="last", maintain_order=True)
    moved = closing.join(last_told, on="opportunity_id", suffix="@told").filter(
        pl.col("status") == pl.col("status@told")
    )
    moved = moved.select("opportunity_id", pl.col("status_since").alias("@moved"))
    joined = rows.join(moved, on="opportunity_id", how="left", maintain_order="left")
    return joined.filter(~(pl.col("valid_from") >= pl.col("@moved")).fill_null(False)).drop("@moved")


def _ends(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The last version of each key ends where the next begins, or where the source says."""
    is_last = (pl.col(key) != pl.col(key).shift(-1)).fill_null(True)
    next_one = pl.min_horizontal("@closes", "@starts")
    # A thing that had vanished and came back was not there between.
    has_ended = pl.col("end_reason").is_not_null() | pl.col("@starts").is_not_null()
    was_gone = has_ended & (pl.col("valid_to") <= next_one)
    follows = is_last & next_one.is_not_null() & ~was_gone.fill_null(False)
    told = is_last & pl.col("@is_told").fill_null(False)
    return rows.with_columns(
        valid_to=pl.when(follows).then(next_one).when(told).then("@ends").otherwise("valid_to"),
        end_reason=pl.when(follows).then(None).when(told).then("@reason").otherwise("end_reason"),
    )
