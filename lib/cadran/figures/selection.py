"""The associative selection: which values are selected, still possible, or excluded, for every dimension."""

from collections.abc import Mapping, Sequence

import polars as pl

#: Column -> the values selected; None, or an empty text, stands for what is not known.
Selected = Mapping[str, Sequence[str | None]]


def as_where(selected: Selected, without: str | None = None) -> dict[str, tuple[str | None, ...]]:
    """The selection as the filter of a question, `without` one dimension: a figure is not filtered by its own."""
    return {
        column: tuple(value or None for value in values) for column, values in selected.items() if column != without
    }


def states(deals: pl.DataFrame, selected: Selected, dimensions: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Every value of each dimension, and its state.

    Args:
        deals: One row per deal, with the dimensions.
        selected: What is selected.
        dimensions: The columns asked about.

    Returns:
        For each dimension one row per value, in order: the dimension, `n_deals` that the selections of the *other*
        dimensions leave it, and `state`: "selected", "possible", or "excluded" when no deal is left.
    """
    kept = {column: _text(column).is_in(_texts(values)) for column, values in selected.items()}
    asked = []
    for dimension in dimensions:
        left = pl.all_horizontal(pl.lit(True), *(mask for column, mask in kept.items() if column != dimension))
        chosen = _text(dimension).is_in(_texts(selected.get(dimension, ())))
        counted = (
            deals.lazy().select(dimension, left=left.cast(pl.Int64))
            .group_by(dimension).agg(n_deals=pl.col("left").sum()).sort(dimension, nulls_last=True)
        )  # fmt: skip
        asked.append(counted.with_columns(
            state=pl.when(chosen).then(pl.lit("selected"))
            .when(pl.col("n_deals") > 0).then(pl.lit("possible")).otherwise(pl.lit("excluded"))
        ))  # fmt: skip
    # All at once: one by one each would wait for its turn among all readers.
    return dict(zip(dimensions, pl.collect_all(asked), strict=True))


def with_states(
    measured: pl.DataFrame, dimension: str, of: pl.DataFrame | None, chosen: Sequence[str | None]
) -> pl.DataFrame:
    """A measured frame with the `state` of each value of its dimension.

    Args:
        measured: One row per value that was measured.
        dimension: The column.
        of: Every value and its state, as `states` gives them: values that were not measured get a row of nulls.
            None where only what was measured is shown: it is selected or possible.
        chosen: The values selected.
    """
    if of is None:
        is_chosen = _text(dimension).is_in(_texts(chosen))
        return measured.with_columns(state=pl.when(is_chosen).then(pl.lit("selected")).otherwise(pl.lit("possible")))
    every = of.select(dimension, "state").join(
        measured, on=dimension, how="left", nulls_equal=True, maintain_order="left"
    )
    return every.select(*measured.columns, "state")


def _texts(values: Sequence[str | None]) -> list[str]:
    return [value or "" for value in values]


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).fill_null("")
