"""Counts, shares, means and their intervals, for any group, on any engine."""

from collections.abc import Callable, Sequence
from typing import Any

import dataframely as dy
import narwhals as nw
import polars as pl

from cadran.book.engines import collect

#: Normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054
#: Fewer known values, or fewer clients to draw from, than this make no interval.
LEAST_FOR_INTERVAL = 10
#: Under this share of filled values, what rests on them is refused rather than given on what is left.
LEAST_FILLED = 0.8


def grouped(frame: nw.LazyFrame, by: Sequence[str], *aggregates: nw.Expr) -> nw.LazyFrame:
    """One row per group, sorted by `by`; one row in all when `by` is empty."""
    return frame.group_by(*by).agg(*aggregates).sort(*by) if by else frame.select(*aggregates)


def count(is_counted: nw.Expr, name: str) -> nw.Expr:
    """How many rows meet a condition, 0 where none does (an empty sum is null in SQL)."""
    return is_counted.cast(nw.Int64).sum().fill_null(0).cast(nw.Int64).alias(name)


def total(is_summed: nw.Expr, column: str, name: str) -> nw.Expr:
    """Sum of a column over the rows that meet a condition, 0 where none does."""
    return nw.when(is_summed).then(nw.col(column)).sum().fill_null(0.0).alias(name)


def small(frame: nw.LazyFrame) -> pl.DataFrame:
    """Bring counts or sums per group into memory, for statistics that no engine has. Never the deals themselves."""
    return collect(frame)


def per_group(
    counted: pl.DataFrame, by: Sequence[str], returns: type[dy.Schema], row: Callable[[pl.DataFrame], dict[str, Any]]
) -> nw.LazyFrame:
    """One row per group of a small frame, in its order: `row` makes the columns of `returns` from the group's rows."""
    groups = counted.partition_by(by, maintain_order=True) if by else [counted]
    types = {**{column: counted.schema[column] for column in by}, **returns.create_empty().schema}
    rows = [{name: group[name][0] for name in by} | row(group) for group in groups if not group.is_empty()]
    return nw.from_native(pl.LazyFrame(rows, schema=types, orient="row"))


def with_share(counted: nw.LazyFrame, part: str, whole: str, name: str) -> nw.LazyFrame:
    """Add a share of counts with its 95 % Wilson interval, as `name`, `name_low`, `name_high`.

    Null where the whole is 0.

    Source:
        Wilson (1927), score interval for a binomial share, JASA 22(158).
    """
    n = nw.when(nw.col(whole) > 0).then(nw.col(whole)).cast(nw.Float64)
    share = nw.col(part) / n
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = (Z95 / (1 + Z95**2 / n)) * (share * (1 - share) / n + Z95**2 / (4 * n * n)).sqrt()
    return counted.with_columns(
        share.alias(name),
        nw.when(~n.is_null()).then(nw.max_horizontal(middle - half, nw.lit(0.0))).alias(f"{name}_low"),
        nw.when(~n.is_null()).then(nw.min_horizontal(middle + half, nw.lit(1.0))).alias(f"{name}_high"),
    )


def wilson(share: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share seen in `n` independent ones, which need not be whole, at a quantile `z`.

    Source:
        Wilson (1927), score interval for a binomial share, JASA 22(158).
    """
    middle, half = share + z * z / (2 * n), z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    scale = 1 + z * z / n
    return float(max((middle - half) / scale, 0.0)), float(min((middle + half) / scale, 1.0))


def described(frame: nw.LazyFrame, by: Sequence[str], column: str, unit: str = "") -> nw.LazyFrame:
    """Size and spread of the known values of a column, 0 or more each.

    Returns:
        One row per group, sorted by `by`: `n` (rows with a known value), `n_unknown`, and `mean`, `mean_low`,
        `mean_high`, `median`, `p90` in the column's unit, whose name ends each of them when `unit` gives it.
        Null where no value is known; the interval also where fewer than `LEAST_FOR_INTERVAL` are. It holds nothing
        below 0: cut there, it covers no less than before (of 10 values half of which are 0, 94 % of simulated ones
        hold the mean; on a logarithmic scale 93 %, and 82 % against 88 % of 20 values of a heavy tail).

    Source:
        Hall (1992), On the removal of skewness by transformation, JRSS B 54(1): a 95 % interval for the mean of
        skewed values that supposes no distribution; here with Student's quantile (expansion of Cornish and Fisher)
        in the place of the normal one.
    """
    value, end = nw.col(column), f"_{unit}" if unit else ""
    measured = grouped(
        frame,
        by,
        count(~value.is_null(), "n"),
        count(value.is_null(), "n_unknown"),
        value.mean().alias(f"mean{end}"),
        value.median().alias(f"median{end}"),
        value.quantile(0.9, "linear").alias(f"p90{end}"),
        value.std(ddof=0).alias("spread"),
        value.skew().alias("skewness"),
    )
    return _with_hall(measured, f"mean{end}")


def _with_hall(measured: nw.LazyFrame, mean: str) -> nw.LazyFrame:
    """Add Hall's 95 % interval of a mean, from `n`, `spread` and `skewness`.

    In steps, as an expression that holds another many times takes long to build.
    """
    is_enough, skewness = nw.col("n") >= LEAST_FOR_INTERVAL, nw.col("skewness")
    root = nw.when(is_enough).then(nw.col("n")).cast(nw.Float64).sqrt()
    is_skewed = (skewness.abs() > 1e-6) & (skewness.abs() < 1e6)  # NaN where all values are alike
    freedom, second, third = nw.col("root") ** 2 - 1, Z95**3 + Z95, 5 * Z95**5 + 16 * Z95**3 + 3 * Z95
    # Student's quantile, within 0.004 from 9 degrees of freedom on.
    student = Z95 + second / (4 * freedom) + third / (96 * freedom * freedom)
    step, quantile = nw.col("step"), nw.col("quantile")
    stepped = measured.with_columns(root=root).with_columns(
        quantile=student,
        error=nw.col("spread") / nw.col("root"),
        step=nw.when(is_skewed).then(skewness / (3 * nw.col("root"))),
    )
    cubed = stepped.with_columns(
        low=1 + 3 * step * (quantile - step / 2), high=1 - 3 * step * (quantile + step / 2)
    ).with_columns(
        is_plain=step.is_null(), low_root=nw.col("low").abs() ** (1 / 3), high_root=nw.col("high").abs() ** (1 / 3)
    )
    ends = {}
    for end, plain in (("low", quantile), ("high", -quantile)):
        cube_root = nw.when(nw.col(end) < 0).then(-nw.col(f"{end}_root")).otherwise(nw.col(f"{end}_root"))
        t = nw.when(nw.col("is_plain")).then(plain).otherwise((cube_root - 1) / step)
        limit = nw.col(mean) - nw.col("error") * t
        ends[f"{mean}_{end}"] = nw.when(limit < 0).then(nw.lit(0.0)).otherwise(limit)
    return cubed.with_columns(**ends)
