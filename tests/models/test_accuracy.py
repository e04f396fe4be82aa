import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from cadran.models.accuracy import bias, coverage, mase, naive_error, pinball, wape

NAN = np.nan
HISTORY = np.array([[10, 12, 14, 11, 13, 15, 12, 16, 18], [3, 1, 4, 1, 5, 9, 2, 6, 5]], dtype=float)
ACTUAL = np.array([[13, 17, 20], [3, 5, 8]], dtype=float)
FORECAST = np.array([[14, 15.5, 20], [4, 4, 4]])


def test_mase_of_a_published_example():
    # The example on the card of `mase` in the library Hugging Face evaluate, whose naive is of one period.
    history = np.array([[5, 0.5, 4, 6, 3, 5, 2]])

    found = mase(np.array([[3, -0.5, 2, 7, 2]]), np.array([[2.5, 0.0, 2, 8, 1.25]]), history, season=1)

    assert found == pytest.approx(0.18333333333333335)


def test_mase_by_season_is_that_of_utilsforecast():
    # utilsforecast 0.2.17, mase(seasonality=3): 0.5 and 0.705882 for the two series.
    assert mase(ACTUAL, FORECAST, HISTORY, season=3) == pytest.approx((0.5 + 0.705882) / 2, rel=1e-6)


def test_coverage_and_bias_are_those_of_utilsforecast():
    low, high = np.array([[12, 16, 20.5], [2, 5, 3]]), np.array([[15, 19, 22], [2.5, 6, 9]])

    assert coverage(ACTUAL, low, high) == pytest.approx(0.666667, rel=1e-5)
    assert bias(ACTUAL, FORECAST) == pytest.approx((-0.166667 - 1.333333) / 2, rel=1e-5)


def test_ends_of_an_interval_are_inside():
    assert coverage(np.array([1.0, 2.0, 3.0]), np.ones(3), np.full(3, 2.0)) == pytest.approx(2 / 3)


def test_wape_and_pinball_are_those_of_scikit_learn():
    draw = np.random.default_rng(7)
    actual, levels = draw.gamma(2.0, 10.0, 40), (0.05, 0.5, 0.95)
    quantiles = draw.gamma(2.0, 10.0, (40, 3))

    expected = np.mean([mean_pinball_loss(actual, quantiles[:, at], alpha=level) for at, level in enumerate(levels)])

    assert pinball(actual, quantiles, levels) == pytest.approx(expected)
    assert wape(actual, quantiles[:, 1]) == pytest.approx(mean_absolute_error(actual, quantiles[:, 1]) / actual.mean())


def test_what_is_not_known_counts_nowhere():
    actual, forecast = np.array([[10.0, NAN, 20.0]]), np.array([[12.0, 5.0, NAN]])
    history = np.array([[NAN, NAN, 1.0, 2.0, 4.0, 6.0]])

    assert wape(actual, forecast) == pytest.approx(0.2)
    assert bias(actual, forecast) == pytest.approx(2.0)
    assert mase(actual, forecast, history, season=2) == pytest.approx(2.0 / 3.5)
    assert pinball(actual, forecast[..., None], [0.5]) == pytest.approx(1.0)
    assert coverage(actual, forecast - 2, forecast + 2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("history", "scale"),
    [
        ([1.0, 2.0, 4.0, 6.0], 3.5),  # two pairs a season apart
        ([NAN, NAN, 1.0, 4.0], 3.0),  # shorter than a season: from one period to the next
        ([NAN, NAN, NAN, 4.0], NAN),
        ([5.0, 5.0, 5.0, 5.0], NAN),  # the naive was never wrong: there is no scale
    ],
)
def test_scale_of_short_and_flat_histories(history, scale):
    assert naive_error(np.array([history]), season=2) == pytest.approx([scale], nan_ok=True)


def test_a_series_without_a_scale_is_left_out():
    flat = np.vstack([HISTORY[0], np.full(9, 5.0)])

    assert mase(ACTUAL, FORECAST, flat, season=3) == pytest.approx(0.5)


def test_nothing_known_gives_nothing():
    none = np.full((1, 3), NAN)

    assert np.isnan(
        [wape(none, none), bias(none, none), mase(none, none, HISTORY[:1]), coverage(none, none, none)]
    ).all()
    assert np.isnan(pinball(none, none[..., None], [0.5]))
    assert np.isnan(wape(np.zeros(3), np.ones(3)))


def test_as_many_quantiles_as_levels():
    with pytest.raises(ValueError, match="shape"):
        pinball(np.ones(3), np.ones((3, 2)), [0.5])
