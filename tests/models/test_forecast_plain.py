"""Plain forecasts of a series, each against a value from outside."""

import numpy as np
import pytest

from cadran.models.blend import LEVELS
from cadran.models.forecast_plain import average, ets, seasonal_naive

YEARS = np.tile(np.arange(12.0) + 1, 3) * 100


def test_the_same_month_of_the_last_year_that_is_known():
    mean, told = seasonal_naive(YEARS[:30], 8, LEVELS)

    assert mean.tolist() == [700, 800, 900, 1000, 1100, 1200, 100, 200]
    assert told[:, 4].tolist() == mean.tolist()
    assert np.isnan(seasonal_naive(YEARS[:8], 6, LEVELS)[0]).tolist() == [True] * 4 + [False] * 2


def test_its_interval_is_that_of_the_errors_it_made():
    past = np.concatenate([np.zeros(12), np.tile([100.0, -100.0], 6)]) + 5000
    _, told = seasonal_naive(past, 1, LEVELS)

    # 5100 ± 1.959964 × 100: every month was 100 off the year before.
    assert told[0, [0, -1]] == pytest.approx([5100 - 195.9964, 5100 + 195.9964])


def test_the_mean_of_the_latest_months_is_as_wide_as_they_spread():
    past = np.array([np.nan, 8.0, 12.0, 10.0])
    mean, told = average(past, 2, LEVELS)

    assert mean.tolist() == [10, 10]
    # Gamma of mean 10 and variance 4 × (1 + 1/3): 4/15 of a chi-square of 37.5 degrees, by Wilson and Hilferty's cube.
    chi = 37.5 * (1 - 2 / (9 * 37.5) + np.array([-1.959964, 0, 1.959964]) * np.sqrt(2 / (9 * 37.5))) ** 3
    assert told[0, [0, 4, 8]] == pytest.approx(chi * 4 / 15, rel=1e-3)
    assert np.isnan(average(past[:3], 2, LEVELS)[0]).all()


def test_smoothing_is_that_of_statsmodels():
    past = 100 + 10 * np.sin(np.arange(20.0)) + np.arange(20.0)
    mean, told = ets(past, 3, LEVELS)

    assert mean.shape == (3,)
    assert (np.diff(told, axis=1) >= 0).all()
    assert abs(mean[0] - 119) < 15
    assert np.isnan(ets(past[:5], 3, LEVELS)[0]).all()
