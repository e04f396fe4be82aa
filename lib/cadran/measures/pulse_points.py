"""Scores of released cells in points: eNPS from −100 to 100, favourable shares from 0 to 100; their spread and changes."""

import numpy as np
import polars as pl

from cadran.measures.enps_interval import AT_THE_ENDS, BETWEEN, enps_interval, share_interval
from cadran.measures.pulse import exact
from cadran.tables.pulse import ENPS

#: What of a cell makes its score.
COUNTS = ("n", "n_high", "n_middle", "n_low")
#: Added to the favourable and to the others, before the spread of a share is taken.
ONE_MORE = 1.0
IS_ENPS = pl.col("kind").is_in(ENPS)


def with_points(rows: pl.DataFrame) -> pl.DataFrame:
    """Cells with `quantity` (enps or favourable_share) and `value`, null where they are not told exactly."""
    return rows.with_columns(
        quantity=pl.when(IS_ENPS).then(pl.lit("enps")).otherwise(pl.lit("favourable_share")),
        value=100 * (pl.col("n_high") - pl.when(IS_ENPS).then("n_low").otherwise(0)) / pl.col("n"),
    )


def ends(rows: pl.DataFrame, suffix: str = "", level: float = 0.95) -> tuple[pl.Series, pl.Series]:
    """The interval of each score: profile likelihood of an eNPS, Wilson of a share; null where it is not told."""
    low, high = _ends(rows, suffix, level)
    return series(low), series(high)


def difference(rows: pl.DataFrame, suffix: str, name: str, level: float = 0.95) -> list[pl.Series]:
    """Score less another one beside it, whose counts end in `suffix`: as `name`, `name_low` and `name_high`.

    Source:
        Zou & Donner (2008), Statistics in Medicine 27:1693: the distances of both to their own limits, squared and added.
    """
    value, other = _values(rows, ""), _values(rows, suffix)
    (low, high), (other_low, other_high) = _ends(rows, "", level), _ends(rows, suffix, level)
    below, above = np.hypot(value - low, other_high - other), np.hypot(high - value, other - other_low)
    least = -np.where(_is_enps(rows), 200.0, 100.0)
    found = {"": value - other, "_low": value - other - below, "_high": value - other + above}
    return [series(np.clip(each, least, -least)).alias(f"{name}{end}") for end, each in found.items()]


def pooled_variance(rows: pl.DataFrame, suffix: str = "") -> pl.Series:
    """The variance of one answer, points squared, once a little is added to each side: never 0 where all agree."""
    n, high, _, low = exact(rows, *(f"{name}{suffix}" for name in COUNTS))
    people = n + 2 * AT_THE_ENDS + BETWEEN
    promote, detract = (high + AT_THE_ENDS) / people, (low + AT_THE_ENDS) / people
    share = (high + ONE_MORE) / (n + 2 * ONE_MORE)
    of_enps = promote + detract - (promote - detract) ** 2
    return series(1e4 * np.where(_is_enps(rows), of_enps, share * (1 - share)))


def series(values: np.ndarray) -> pl.Series:
    """An array as a column: nan is null."""
    return pl.Series(values, dtype=pl.Float64).fill_nan(None)


def _is_enps(rows: pl.DataFrame) -> np.ndarray:
    return rows.select(IS_ENPS).to_series().to_numpy()


def _values(rows: pl.DataFrame, suffix: str) -> np.ndarray:
    n, high, _, low = exact(rows, *(f"{name}{suffix}" for name in COUNTS))
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * (high - np.where(_is_enps(rows), low, 0)) / n


def _ends(rows: pl.DataFrame, suffix: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    n, high, middle, low = exact(rows, *(f"{name}{suffix}" for name in COUNTS))
    of_enps, of_share = enps_interval(high, middle, low, level), share_interval(high, n, level)
    lower, upper = (np.where(_is_enps(rows), e, 100 * s) for e, s in zip(of_enps, of_share, strict=True))
    return lower, upper
