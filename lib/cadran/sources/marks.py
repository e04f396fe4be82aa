"""What a row says beside its fields: that it is deleted, which field it is about, that something is still so."""

import polars as pl

from cadran.sources.feeds import OLD, Feed
from cadran.sources.place import ID

#: A year from which on an end is no end: 9999-12-31 and its like.
_NEVER = r"(?:^|\D)(?:2[2-9]\d{2}|[3-9]\d{3})(?:\D|$)"
#: A month in which nothing was sold: moments there are numbers of milliseconds read as seconds.
_EPOCH = (1970, 1)


def deleted(feed: Feed, rows: pl.DataFrame) -> pl.Series:
    """Whether a row says, by a column of `deleted`, that it is deleted at the source."""
    said = [
        pl.col(c).cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase().is_in([v.lower() for v in values])
        for c, values in feed.deleted.items()
    ]
    return rows.select(pl.any_horizontal(said).alias("@deleted")).to_series()


def about(feed: Feed, texts: pl.DataFrame) -> pl.DataFrame:
    """Texts of changes, each field's only on the rows that are about it; what was before is no text, but nothing, if it
    is empty."""
    if feed.table != "changes":
        return texts
    typed = [n for n in texts.columns if n not in (ID, "key", "at", "field", "value", "old_value")]
    return texts.with_columns(
        pl.when((pl.col("field") == n.removeprefix(OLD)) & (pl.col(n).cast(pl.String) != "")).then(n).alias(n)
        for n in typed
    )


def still_so(ends: pl.Series) -> pl.Series:
    """Ends of validity, null where they say "never" (a year from 2200 on)."""
    if ends.dtype == pl.String:
        return ends.set(ends.str.contains(_NEVER).fill_null(False), None)
    if ends.dtype.is_temporal():
        return ends.set((ends.dt.year() >= 2200).fill_null(False), None)
    return ends


def at_the_epoch(moments: pl.Series) -> pl.Series:
    """Whether a moment lies in January 1970."""
    first = moments.min()
    if first is None or first.year > _EPOCH[0]:  # type: ignore[union-attr]
        return pl.repeat(False, len(moments), dtype=pl.Boolean, eager=True)
    return ((moments.dt.year() == _EPOCH[0]) & (moments.dt.month() == _EPOCH[1])).fill_null(False)
