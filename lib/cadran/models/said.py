"""What a forecast says, as it is kept to be judged: the blend's months and quarters, and the points of those beside it."""

from dataclasses import replace

import polars as pl

from cadran.models.calls import KEPT, SAID
from cadran.models.forecast import Forecast
from cadran.models.forecast_rivals import NAMES

#: What of those beside a forecast is kept; the year before can be looked up at any time.
POINTS = tuple(name for name in NAMES if name != "last_year")


def said(told: Forecast) -> pl.DataFrame:
    """One row per level, group, period and candidate: the columns of a call that are known when it is made. None where
    all of it would be one person's."""
    kept = {name: kind for name, kind in SAID.items() if name not in ("called_date", "version")}
    if told.seen.sellers["rep_id"].drop_nulls().n_unique() == 1:
        return pl.DataFrame(schema=kept)
    told = replace(told, book=replace(told.book, rates_persons=False))  # no team of one is named
    tables = [told.table(level, every) for level in KEPT for every in ("month", "quarter")]
    whole = pl.concat(tables)
    rows = [whole.with_columns(candidate=pl.lit(told.chosen))]
    for name in POINTS:
        point = whole.select("level", "group", "period", "until", "target", mean=name, q50=name)
        rows.append(point.filter(pl.col("q50").is_not_null()).with_columns(candidate=pl.lit(name)))
    return pl.concat(rows, how="diagonal").select(list(kept))
