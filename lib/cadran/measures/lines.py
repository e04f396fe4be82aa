"""Results that have the same lines in every group, shown where nothing was counted too."""

from collections.abc import Sequence

import polars as pl


def every_line(rows: pl.DataFrame, by: Sequence[str], lines: pl.DataFrame) -> pl.DataFrame:
    """Each group with each line, in the order of `lines`; counts and sums that are not there are 0.

    Args:
        rows: At most one row per group and line.
        by: The columns of the groups. A group is there if it has any row.
        lines: One row per line, in order: the columns that name it, which `rows` has too.

    Returns:
        One row per group and line, sorted by `by`, then as `lines` are.
    """
    names = lines.columns
    placed = lines.with_row_index("line")
    grid = rows.select(by).unique().join(placed, how="cross") if by else placed
    full = grid.join(rows, on=[*by, *names], how="left", nulls_equal=True).sort(*by, "line").drop("line")
    return full.with_columns(pl.exclude(*by, *names).fill_null(0))
