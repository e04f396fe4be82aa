"""How good forecasts were, once it is known what came: one row per candidate, or per candidate and horizon or level."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from cadran.models.accuracy import coverage, pinball
from cadran.models.blend import HIGH, INNER, LEVELS, LOW, Q10, Q90
from cadran.tables.measured.forecast import CANDIDATES, QUANTILES, Score
from cadran.tables.problems import Problem

#: One row per forecast of one group and month by one candidate: when it was made, what it said, and what came.
TOLD: dict[str, Any] = {
    "origin": pl.Date, "level": pl.String, "group": pl.String, "month": pl.Date, "horizon": pl.Int64, "name": pl.String,
    "mean": pl.Float64, **dict.fromkeys(QUANTILES, pl.Float64), "actual": pl.Float64, "scale": pl.Float64,
}  # fmt: skip
#: Months for which forecasts of days one month apart overlap: their errors are not independent.
OVERLAP = 5
_FIGURES = ("wape", "difference")


def scores(told: pl.DataFrame, chosen: str, by: Sequence[str] = (), names: Sequence[str] = CANDIDATES) -> pl.DataFrame:
    """What each candidate's forecasts were worth.

    Args:
        told: As `TOLD`; a point forecast has its median and its mean alone. What is not known yet counts nowhere.
        chosen: The name of the one that is told to readers, which the others are compared with.
        by: Columns of `told` to tell apart, such as `horizon` or `level`.
        names: Whom to tell of, in this order.

    Returns:
        One row per group of `by` and name, as `Score` has it after `by`. Forecasts of a candidate count where the chosen
        one spoke too. Pinball loss takes a point for all its quantiles; a point has no interval, hence no coverage.

    Source:
        `cadran.models.accuracy`. Intervals and differences: ratio of sums over forecast days, linearised, with the
        errors of Newey and West (1987), Econometrica 55(3), over `OVERLAP` days, and Student's quantile; as in Diebold
        and Mariano (1995), Journal of Business and Economic Statistics 13(3).
    """
    known = told.filter(pl.col("actual").is_not_null())
    groups = known.select(by).unique().sort(by).rows(named=True) if by else [{}]
    rows = []
    for group in groups:
        part = known.filter(*(pl.col(name).eq_missing(value) for name, value in group.items()))
        with_chosen = part.filter(name=chosen).select("origin", "level", "group", "month", chosen_at="q50")
        for name in names:
            keys = ["origin", "level", "group", "month"]
            mine = part.filter(pl.col("name") == name, pl.col("q50").is_not_null())
            mine = mine.join(with_chosen, on=keys, how="inner" if name != chosen else "left", nulls_equal=True)
            rows.append(group | {"name": name, "chosen": name == chosen} | _scored(mine.sort("origin")))
    schema = {name: told.schema[name] for name in by} | _schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row")


def _scored(told: pl.DataFrame) -> dict[str, Any]:
    if told.is_empty():
        return {"n": 0, "n_origins": 0}
    point, actual, mean, scale = (told[name].to_numpy() for name in ("q50", "actual", "mean", "scale"))
    filled = told.select(pl.coalesce(name, "q50").alias(name) for name in QUANTILES).to_numpy()
    off, whole, day = np.abs(point - actual), float(np.abs(actual).sum()), told["origin"]
    is_point = told["low"].null_count() == told.height
    told_scale = np.where(scale > 0, scale, np.nan)
    row: dict[str, Any] = {
        "n": told.height, "n_origins": day.n_unique(),
        "mase": _mean(off / told_scale),
        "coverage_80": None if is_point else coverage(actual, filled[:, Q10], filled[:, Q90]),
        "coverage_95": None if is_point else coverage(actual, filled[:, LOW], filled[:, HIGH]),
    }  # fmt: skip
    if whole > 0:
        others = np.abs(told["chosen_at"].to_numpy() - actual)
        row |= _ratio("wape", off, np.abs(actual), day) | _ratio("difference", off - others, np.abs(actual), day)
        row |= {
            "pinball": pinball(actual, filled[:, INNER], LEVELS[INNER].tolist()) * len(actual) / whole,
            "bias": float((mean - actual).sum() / whole),
        }
    return row


def _ratio(name: str, top: np.ndarray, bottom: np.ndarray, day: pl.Series) -> dict[str, float | None]:
    """Σ top ÷ Σ bottom and its 95 % interval over the days; none with fewer than twice the overlap."""
    value = float(top.sum() / bottom.sum())
    influence = pl.DataFrame({"day": day, "part": (top - value * bottom) / bottom.sum()})
    parts = influence.group_by("day").agg(pl.col("part").sum()).sort("day")["part"].to_numpy()
    if len(parts) < 2 * (OVERLAP + 1):
        return {name: value, f"{name}_low": None, f"{name}_high": None}
    error = np.sqrt(max(_newey_west(parts), 0.0))
    reach = float(student.ppf(0.975, len(parts) - 1) * error)
    return {name: value, f"{name}_low": value - reach, f"{name}_high": value + reach}


def _newey_west(parts: np.ndarray) -> float:
    """Variance of a sum of parts that hang together over `OVERLAP` of them."""
    lags = range(1, OVERLAP + 1)
    together = sum((1 - lag / (OVERLAP + 1)) * float(parts[lag:] @ parts[:-lag]) for lag in lags)
    return (float(parts @ parts) + 2 * together) * len(parts) / (len(parts) - 1)


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _schema() -> dict[str, Any]:
    kinds = {"name": pl.String, "chosen": pl.Boolean, "n": pl.Int64, "n_origins": pl.Int64, "reason": pl.String}
    return {name: kinds.get(name, pl.Float64) for name in Score.column_names()}


def with_reasons(scored: pl.DataFrame, silent: dict[str, Problem]) -> pl.DataFrame:
    """The same, with the reason of each candidate that said nothing, and its repair, a line each."""
    reasons = [
        f"{silent[name].what}\n{silent[name].repair}" if n == 0 and name in silent else None
        for name, n in scored.select("name", "n").iter_rows()
    ]
    return scored.with_columns(reason=pl.Series(reasons, dtype=pl.String))
