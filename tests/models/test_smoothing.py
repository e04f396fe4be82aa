import numpy as np
import pytest
from statsmodels.tsa.holtwinters import Holt
from statsmodels.tsa.seasonal import seasonal_decompose

from cadran.models import smoothing
from cadran.models.smoothing import WAYS, seasonal_profile, smooth

PROFILE = np.array([0.8, 0.9, 1.1, 1.0, 0.9, 1.1, 0.9, 0.7, 1.0, 1.1, 1.0, 1.5])


def series(n: int, noise: float = 0.0, k: int = 1, seed: int = 0) -> np.ndarray:
    """So many series of 100 a month in the season of `PROFILE`, times noise of mean 1."""
    times = np.random.default_rng(seed).gamma(1 / noise**2, noise**2, (k, n)) if noise else np.ones((k, n))
    return 100 * PROFILE[np.arange(n) % 12] * times


def test_one_way_without_a_season_is_the_damped_trend_of_statsmodels(monkeypatch):
    monkeypatch.setattr(smoothing, "WAYS", np.array([[0.7, 0.06, 0.0, 0.95]]))
    history = np.random.default_rng(3).gamma(4, 25, 24)
    known = Holt(history, damped_trend=True, initialization_method="known", initial_level=history[0], initial_trend=0)
    expected = known.fit(smoothing_level=0.7, smoothing_trend=0.06, damping_trend=0.95, optimized=False).forecast(6)

    assert smooth(history[None], 6)[0] == pytest.approx(expected)


def test_season_is_that_of_a_classical_decomposition():
    history = series(60, noise=0.02)
    expected = seasonal_decompose(history[0], model="multiplicative", period=12).seasonal[:12]

    assert seasonal_profile(history)[0] == pytest.approx(expected, abs=0.003)


def test_a_season_that_is_noise_is_not_believed():
    noise = np.random.default_rng(5).gamma(4, 25, (3, 48))

    assert np.abs(seasonal_profile(noise) - 1).mean() < 0.06
    assert (seasonal_profile(noise[:, :24]) == 1).all()  # two years: not to be told from a trend


def test_the_season_of_all_is_lent_to_a_young_series():
    history = np.vstack([series(60, noise=0.1, k=3), np.r_[np.full(54, np.nan), series(60)[0, 54:]]])

    assert smooth(history, 12)[3] == pytest.approx(100 * PROFILE, rel=0.2)


def test_every_way_beside_a_plain_loop():
    history = series(30, noise=0.3)
    ahead, _, _ = smoothing._run(history, 3)
    profile = seasonal_profile(history)[0]

    for way, (pull, slope_pull, season_pull, damped) in enumerate(WAYS):
        level, slope, season = history[0, 0] / profile[0], 0.0, list(profile)
        for at, came in enumerate(history[0]):
            line = max(level + damped * slope, 0.1)
            off = came - line * season[at % 12]
            moved = off / max(season[at % 12], 1)
            level = max(line + max(pull, 1 / (at + 1)) * moved, 0.1)
            slope = damped * slope + pull * slope_pull * moved
            season[at % 12] += season_pull * (1 - pull) * off / line
        told = [
            (level + slope * sum(damped**step for step in range(1, far + 1))) * season[(29 + far) % 12]
            for far in (1, 2, 3)
        ]
        assert ahead[0, :, way] == pytest.approx(told)


def test_a_month_not_known_moves_nothing():
    history = series(60)
    history[0, 30] = np.nan

    assert smooth(history, 12)[0] == pytest.approx(100 * PROFILE, rel=0.02)
    assert np.isnan(smooth(np.full((1, 5), np.nan), 2)).all()
