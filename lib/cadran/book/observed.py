"""What an export shows of the present beside the past it tells: seen once, it is not new at every import."""

from datetime import datetime, timedelta

import polars as pl

from cadran.tables import TABLES, VERSIONED

#: Rows that begin so close to the moment of the export tell what was seen then, not what happened.
INSTANT = timedelta(seconds=1)
_NO_FACTS = ("valid_from", "valid_to", "end_reason")


def observed(name: str, believed: pl.DataFrame, told: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The versions to believe of things whose past is told, and their present beside it: what was seen before is not new.

    A history may end with a row that begins when the data was taken: the present row said more, or otherwise (see
    docs/mapping.md). Where the book has seen the same since an earlier import, it keeps that; so it does with an end
    that has no date of its own.

    Args:
        name: A table of `VERSIONED`.
        believed: Stored rows that are believed, of these keys and others.
        told: The whole past of each key, as delivered.
        now: When the data was taken.

    Returns:
        Rows with at least the columns of `TABLES[name]`.
    """
    key, columns = VERSIONED[name], TABLES[name].column_names()
    told = told.select(columns)
    is_seen = (pl.col("valid_from") >= now - INSTANT) | (
        pl.col("end_reason").is_not_null() & (pl.col("valid_to") >= now)
    )
    keys = told.filter(is_seen.fill_null(False)).select(key).unique()
    before = believed.select(columns).join(keys, on=key, how="semi")
    if before.is_empty():
        return told
    own = told.join(keys, on=key, how="semi").sort(key, "valid_from")
    past, seen = own.filter(pl.col("valid_from") < now - INSTANT), own.filter(pl.col("valid_from") >= now - INSTANT)
    latest = past.group_by(key).agg(pl.col("valid_from").max().alias("@past"))
    before = before.join(latest, on=key, how="left")
    ends = before.sort("valid_from").group_by(key).agg(pl.col("valid_to", "end_reason").last().name.prefix("@"))
    kept = before.filter((pl.col("valid_from") > pl.col("@past")).fill_null(True)).drop("@past")
    last = kept.sort("valid_from").unique(key, keep="last")
    facts = [c for c in columns if c not in (key, *_NO_FACTS)]
    same = seen.join(last, on=key, suffix="@before").filter(
        pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"{c}@before")) for c in facts)
    )
    kept = kept.join(seen.select(key).unique(), on=key, how="semi")
    rows = pl.concat([past, kept, seen.join(same.select(key), on=key, how="anti")]).sort(key, "valid_from")
    following = pl.when(pl.col(key).shift(-1) == pl.col(key)).then(pl.col("valid_from").shift(-1))
    fate = own.group_by(key).agg(pl.col("valid_to", "end_reason").last().name.prefix("@told_"))
    rows = rows.with_columns(following.alias("@next")).join(fate, on=key, how="left", maintain_order="left")
    rows = rows.join(ends, on=key, how="left", maintain_order="left")
    is_last = pl.col("@next").is_null()
    # An end that was seen at an earlier import was then; a date of its own prevails.
    again = (pl.col("@told_valid_to") >= now) & pl.col("@told_end_reason").eq_missing(pl.col("@end_reason"))
    end = pl.when(again & pl.col("@end_reason").is_not_null()).then("@valid_to").otherwise("@told_valid_to")
    rows = rows.with_columns(
        valid_to=pl.when(is_last).then(end).otherwise("@next"),
        end_reason=pl.when(is_last).then("@told_end_reason"),
    )
    return pl.concat([told.join(keys, on=key, how="anti"), rows.select(columns)])
