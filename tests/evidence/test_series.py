"""Intervals of the series part: on Australian retail, a year at a time, and on invented regions of a short past."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from panels import panel

from cadran.models.accuracy import coverage, mase
from cadran.models.series import forecast_series

RETAIL = Path(__file__).parents[3] / "shared" / "data" / "aus_retail" / "aus_retail.csv.gz"
#: Last months of the histories, counted from the end, each followed by a year to be forecast.
LEFT, YEAR = (72, 60, 48, 36, 24, 12), 12
SEEDS, MONTHS, HORIZON = range(1, 61), (3, 6, 12, 18, 24, 36, 60), 6
#: Noise and drift of the invented regions.
KINDS = ((0.1, 0.02), (0.3, 0.03), (0.3, 0.1), (0.7, 0.03))


def counted(told, came: np.ndarray) -> dict:
    """Shares inside the 80 and 95 % intervals, and of how many."""
    ends = {share: (told.quantile(out), told.quantile(1 - out)) for share, out in ((80, 0.1), (95, 0.025))}
    return {"n": came.size} | {f"in_{share}": coverage(came, *both) for share, both in ends.items()}


@pytest.mark.parametrize("left", LEFT)
def test_a_year_of_retail(ledger, left):
    if ledger.find(retail_left=left) is None:
        if not RETAIL.exists():
            pytest.skip("../shared/data/aus_retail is not there.")
        with gzip.open(RETAIL) as file:
            rows = pl.read_csv(file.read()).with_columns(pl.col("Month").str.to_date("%Y-%m")).sort("Month")
        wide = rows.pivot(on="Series ID", index="Month", values="Turnover").drop("Month").to_numpy().T
        wide = wide[~np.isnan(wide[:, -24 - 96 :]).any(axis=1)]
        history, came = wide[:, : wide.shape[1] - left], wide[:, wide.shape[1] - left :][:, :YEAR]
        told = forecast_series(history, YEAR)
        ledger.add(retail_left=left, series=len(wide), mase=mase(came, told.mean, history), **counted(told, came))


def test_the_last_two_years_of_retail_are_covered(ledger):
    lines = [ledger.find(retail_left=left) for left in LEFT[-2:]]

    assert 0.77 <= np.mean([line["in_80"] for line in lines]) <= 0.83
    assert 0.93 <= np.mean([line["in_95"] for line in lines]) <= 0.97


@pytest.mark.parametrize("months", MONTHS)
@pytest.mark.parametrize(("noise", "drift"), KINDS)
def test_invented_regions(ledger, months, noise, drift):
    if ledger.find(months=months, noise=noise, drift=drift) is None:
        found = []
        for seed in SEEDS:
            whole = panel(seed, months + HORIZON, noise=noise, drift=drift, season=0.15)
            told = forecast_series(whole[:, :months], HORIZON, n_paths=400)
            found.append(counted(told, whole[:, months:]))
        shares = {name: np.array([each[name] for each in found]) for name in ("in_80", "in_95")}
        errors = {f"{name}_error": float(each.std(ddof=1) / np.sqrt(len(each))) for name, each in shares.items()}
        ledger.add(
            months=months, noise=noise, drift=drift, seeds=len(SEEDS), n=sum(each["n"] for each in found),
            **{name: float(each.mean()) for name, each in shares.items()}, **errors,
        )  # fmt: skip


def test_a_past_of_two_years_or_more_is_covered(ledger):
    lines = [
        ledger.find(months=months, noise=noise, drift=drift)
        for months in MONTHS if months >= 24 for noise, drift in KINDS
    ]  # fmt: skip

    # 240 histories of each kind and length: a simulation error of about 0.005.
    assert 0.77 <= np.mean([line["in_80"] for line in lines]) <= 0.83
    assert 0.93 <= np.mean([line["in_95"] for line in lines]) <= 0.97
