import numpy as np
import pytest
from panels import panel

from cadran.models.series import _held_out, forecast_series

NAN = np.nan


def test_intervals_cover_what_comes():
    inside = []
    for seed in range(30):
        whole = panel(seed, 27)
        told = forecast_series(whole[:, :24], 3, n_paths=300)
        inside.append(
            [(told.quantile(low) <= whole[:, 24:]) & (whole[:, 24:] <= told.quantile(1 - low)) for low in (0.1, 0.025)]
        )

    # 450 months hang together in fives: a standard error of about 0.025.
    of_80, of_95 = np.mean(inside, axis=(0, 2, 3))
    assert of_80 == pytest.approx(0.80, abs=0.05)
    assert of_95 == pytest.approx(0.95, abs=0.03)


def test_the_mean_is_that_of_the_paths_and_luck_is_the_seed_s():
    history = panel(1, 30)
    told = forecast_series(history, 4, n_paths=200, seed=7)

    assert told.paths.shape == (200, 5, 4)
    assert told.mean == pytest.approx(told.paths.mean(axis=0))
    assert (forecast_series(history, 4, n_paths=200, seed=7).paths == told.paths).all()
    assert (forecast_series(history, 4, n_paths=200, seed=8).paths != told.paths).any()
    assert (told.paths >= 0).all()
    assert forecast_series(history[:, :2], 4, n_paths=7).paths.shape == (7, 5, 4)


def test_futures_of_a_level_that_walks_stay_where_they_went():
    def together(history: np.ndarray) -> float:
        paths = forecast_series(history, 6, n_paths=400).paths
        return float(np.mean([np.corrcoef(paths[:, each, 4], paths[:, each, 5])[0, 1] for each in range(len(history))]))

    assert together(panel(2, 40, noise=0.02, drift=0.1)) > 0.7
    assert together(panel(2, 40, noise=0.5, drift=0.001)) < 0.4


def test_regions_that_rise_together_are_drawn_together():
    rng = np.random.default_rng(4)
    alike = 100 * rng.gamma(4, 0.25, 40) * rng.gamma(100, 0.01, (4, 40))
    apart = 100 * rng.gamma(4, 0.25, (4, 40))

    def wide(history: np.ndarray) -> float:
        """How much wider the sum is than if the series had nothing in common."""
        paths = forecast_series(history, 3, n_paths=400).paths
        return float((paths.sum(axis=1).var(axis=0) / paths.var(axis=0).sum(axis=0)).mean())

    assert wide(alike) > 2.5
    assert wide(apart) < 1.7


def test_errors_of_the_past_know_nothing_later():
    history = panel(3, 30)
    off, weight = _held_out(history, 3)
    history[:, -1] *= 50
    changed, _ = _held_out(history, 3)

    assert (off[:-1, :, 0] == changed[:-1, :, 0]).all()
    assert (off[-1] != changed[-1])[weight[-1] > 0].all()


def test_a_series_that_has_just_begun_is_wider_than_the_others():
    history = panel(5, 40, noise=0.2)
    history[4, :-1] = NAN
    told = forecast_series(history, 3)
    width = (told.quantile(0.9) - told.quantile(0.1)) / told.mean

    assert told.months.tolist() == [40, 40, 40, 40, 1]
    assert told.mean[4] == pytest.approx(np.full(3, history[4, -1]), rel=0.35)
    assert width[4].mean() > 1.2 * width[:4].mean()


@pytest.mark.parametrize(
    ("last", "is_closed"),
    [([0.0] * 6, True), ([0.0] * 5, False), ([0.0, 0.0, 0.0, 5.0, *[0.0] * 8], False), ([NAN, *[0.0] * 6], True)],
)
def test_a_region_has_closed_when_nothing_comes_for_much_longer_than_before(last, is_closed):
    history = np.vstack([panel(6, 30, regions=1), np.r_[panel(7, 30 - len(last), regions=1)[0], last]])
    told = forecast_series(history, 3)

    assert told.is_closed.tolist() == [False, is_closed]
    assert (told.paths[:, 1] == 0).all() == is_closed


def test_of_a_series_silent_for_a_year_nothing_is_told():
    history = panel(8, 30)
    history[2, -12:] = NAN
    told = forecast_series(history, 3)

    assert np.isnan(told.paths[:, 2]).all()
    assert not np.isnan(told.paths[:, [0, 1, 3, 4]]).any()


@pytest.mark.parametrize("months", [1, 2, 3])
def test_of_almost_no_past_the_width_is_assumed(months):
    told = forecast_series(np.full((1, months), 100.0), 2)

    assert told.n_held_out == 0
    assert told.mean == pytest.approx(np.full((1, 2), 100.0))
    assert told.quantile(0.1).max() < 60 < 140 < told.quantile(0.9).min()


@pytest.mark.parametrize(
    "history",
    [
        np.zeros((0, 5)),
        np.zeros((2, 0)),
        np.full((2, 20), NAN),
        np.zeros((1, 4)),
        np.zeros((1, 40)),
        np.full((2, 40), 5.0),
    ],
)
def test_nothing_and_always_the_same_are_ordinary(history):
    told = forecast_series(history, 3, n_paths=10)

    assert told.paths.shape == (10, len(history), 3)
    assert told.mean == pytest.approx(np.tile(history[:, -1:], 3) if history.shape[1] else NAN, nan_ok=True)


def test_a_new_level_is_followed_and_said_to_be_uncertain():
    rng = np.random.default_rng(9)
    before, after = rng.gamma(100, 1, 40), rng.gamma(100, 3, 8)
    steady, changed = (forecast_series(each[None], 3) for each in (np.r_[before, after / 3], np.r_[before, after]))
    width = [float(((each.quantile(0.9) - each.quantile(0.1)) / each.mean).mean()) for each in (steady, changed)]

    assert changed.mean == pytest.approx(np.full((1, 3), 300), rel=0.25)
    assert width[1] > 2 * width[0]


def test_a_series_below_zero_keeps_its_sign():
    told = forecast_series(np.random.default_rng(1).normal(0, 10, (1, 30)), 3)

    assert told.quantile(0.1).max() < 0 < told.quantile(0.9).min()


def test_working_days_are_taken_out_and_put_back():
    days = np.random.default_rng(2).integers(18, 24, 34).astype(float)
    told = forecast_series(10 * days[None, :30], 4, days=days)

    assert told.mean[0] == pytest.approx(10 * days[30:])


@pytest.mark.parametrize(
    ("history", "horizon", "days"),
    [
        ([1.0, 2.0], 3, None),
        ([[1.0, np.inf]], 3, None),
        ([[1.0, 2.0]], 0, None),
        ([[1.0]], 1, [20.0]),
        ([[1.0]], 1, [20, 0]),
    ],
)
def test_what_cannot_be_forecast_is_refused(history, horizon, days):
    with pytest.raises(ValueError, match="must be"):
        forecast_series(np.array(history), horizon, days=days)
