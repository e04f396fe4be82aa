"""The card of a win model: what was chosen and why, what it leaves out, how the base rate drifts, for all to read."""

from dataclasses import asdict
from typing import Any

import polars as pl

from cadran.measures.counting import wilson
from cadran.models.win import WinModel
from cadran.tables.measured.outlook import Drift


def card(model: WinModel) -> dict[str, Any]:
    """What a reader must know of a model before acting on it.

    Returns:
        `chosen`; `n_won`, `n_ended` (closed deals it could learn from), `n_snapshots` (looks at them); `rungs` (one
        mapping per step of the ladder, as `cadran.models.ladder.Rung`); `leaks` (a `Problem` per suspected fact);
        `drift` (one row per quarter, as `Drift`).
    """
    told = model.card
    closed = told.drift.with_columns(
        pl.col("n_won").cast(pl.Int64), n_closed=(pl.col("n_won") + pl.col("n_ended")).cast(pl.Int64)
    )
    ends = [wilson(won / n, n) for won, n in closed.select("n_won", "n_closed").iter_rows()]
    drift = closed.with_columns(
        pl.Series("win_rate_low", [low for low, _ in ends], dtype=pl.Float64),
        pl.Series("win_rate_high", [high for _, high in ends], dtype=pl.Float64),
        win_rate=pl.col("n_won") / pl.col("n_closed"),
    ).select(Drift.column_names())
    return {
        "chosen": model.chosen, "n_won": told.n_won, "n_ended": told.n_ended, "n_snapshots": told.n_snapshots,
        "rungs": [asdict(rung) for rung in told.rungs],
        "leaks": [suspect.problem() for suspect in told.suspects],
        "drift": drift,
    }  # fmt: skip
