"""The card of a win model: what was chosen and why, what it leaves out, how the base rate drifts, for all to read."""

from dataclasses import asdict
from typing import Any

import polars as pl

from cadran.measures.counting import wilson
from cadran.models.hazards import PRIOR, Rates
from cadran.models.ladder import SIMPLE
from cadran.models.landmarks import ENDED, WON
from cadran.models.win import WinModel
from cadran.tables.measured.outlook import Drift
from cadran.tables.problems import Problem


def untold(model: WinModel) -> Problem | None:
    """Why no chance can be told of any deal; None where one can.

    A rate that rests on no deal won, or on none that ended otherwise, is the even guess it started from, or says that
    nothing is ever won, or all: of a source that leaves the lost ones out, say. It takes one of each.
    """
    if not isinstance(model.hazards, Rates):
        return None
    counted = (model.hazards.counts[0] - PRIOR / 3)[:, [WON, ENDED]].sum(axis=0)
    if (counted > 0).all():
        return None
    return Problem(
        "No chance can be told of a deal: of the deals seen while they were open, {won} were won and {ended} ended "
        "otherwise, and it takes one of each, with the weeks before.",
        "Import how deals were before they closed (their history, or their state day by day), the won and the lost ones; or wait.",
        won=model.card.n_won, ended=model.card.n_ended,
    )  # fmt: skip


def is_told(model: WinModel, facts: pl.DataFrame) -> pl.Series:
    """Whether a chance can be told of each deal: one entry per row of `facts`.

    The simple rates know no age: of a deal older than any that closed, or whose age is not known, they would tell the
    rate of the younger ones.
    """
    if untold(model):
        return pl.Series([False]).new_from_index(0, len(facts))
    if model.chosen not in SIMPLE or model.card.oldest is None:
        return pl.Series([True]).new_from_index(0, len(facts))
    return (facts["age_days"] <= model.card.oldest).fill_null(False)


def silent(model: WinModel) -> Problem | None:
    """Why a deal of which no chance is told has none; None where all have one."""
    if model.chosen not in SIMPLE or model.card.oldest is None or untold(model):
        return untold(model)
    return Problem(
        "No chance can be told of the deal: no deal of its age has closed here (the oldest was {days:.0f} days old), or "
        "its age is not known.",
        "Close it if it is dead; give the day it was created if it is not known.",
        days=model.card.oldest,
    )  # fmt: skip


def card(model: WinModel) -> dict[str, Any]:
    """What a reader must know of a model before acting on it.

    Returns:
        `chosen`; `untold` (a `Problem`: why no chance can be told; None where one can); `n_won`, `n_ended` (closed
        deals it could learn from), `n_snapshots` (looks at them); `rungs` (one mapping per step of the ladder, as
        `cadran.models.ladder.Rung`); `leaks` (a `Problem` per suspected fact); `drift` (one row per quarter, as
        `Drift`).
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
        "chosen": model.chosen, "untold": untold(model), "n_won": told.n_won, "n_ended": told.n_ended,
        "n_snapshots": told.n_snapshots,
        "rungs": [asdict(rung) for rung in told.rungs],
        "leaks": [suspect.problem() for suspect in told.suspects],
        "drift": drift,
    }  # fmt: skip
