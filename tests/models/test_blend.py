"""How forecasts are put together: weights by what they were worth, widths by what they held, paths that add up."""

import numpy as np
import pytest
from scipy.stats import norm

from cadran.models.blend import (
    LEVELS,
    Blend,
    impose,
    learn_weights,
    learn_widths,
    quantiles,
    ranks_of,
)  # fmt: skip

RNG = np.random.default_rng(5)


def normal(middle, spread):
    return np.asarray(middle)[:, None] + spread * norm.ppf(LEVELS)


def test_the_better_of_two_weighs_more_and_of_alike_ones_what_was_there_before():
    actual = RNG.normal(100, 10, 400)
    told = np.stack([normal(np.full(400, 140.0), 10), normal(np.full(400, 100.0), 10)], axis=1)
    much, n = learn_weights(told, actual, np.ones(400), 2)
    alike, _ = learn_weights(told[:, [0, 0, 0]], actual, np.ones(400), 1)

    assert n == 400
    assert much[0, 1] > 0.9
    assert alike[0] == pytest.approx([0.5, 0.25, 0.25], abs=0.03)
    assert np.allclose(much.sum(axis=1), 1)


def test_one_that_was_silent_teaches_nothing_and_leaves_its_weight_to_the_others():
    told = np.stack([normal(np.full(3, 100.0), 10), np.full((3, len(LEVELS)), np.nan)], axis=1)
    weights, n = learn_weights(told, np.full(3, 100.0), np.ones(3), 1)
    blend = Blend(("a", "b"), weights, (1.0, 1.0), n, 0)

    assert n == 0
    assert blend.of(1, told[0]) == pytest.approx(told[0, 0])
    assert np.isnan(blend.of(1, told[0] * np.nan)).all()


def test_widths_bring_held_out_coverage_to_what_is_said():
    actual = RNG.normal(100, 10, 4000)
    narrow = normal(np.full(4000, 100.0), 5)
    widths, n = learn_widths(narrow[:2000], actual[:2000])
    wide = Blend(("a",), np.ones((1, 1)), widths, 0, n).widened(narrow[2000:])
    inside = [((wide[:, low] <= actual[2000:]) & (actual[2000:] <= wide[:, -1 - low])).mean() for low in (2, 0)]

    assert inside == pytest.approx([0.8, 0.95], abs=0.02)
    assert widths == pytest.approx([2, 2], abs=0.15)


def test_without_any_past_widths_are_those_of_the_parts():
    assert learn_widths(np.full((2, len(LEVELS)), np.nan), np.array([1.0, 2.0])) == ((1.0, 1.0), 0)


def test_paths_take_the_wanted_quantiles_and_every_group_adds_up():
    paths = RNG.gamma(2.0, 50.0, (500, 4, 3))
    wanted = np.sort(RNG.normal(1000, 50, (500, 3)), axis=0)
    made, scale = impose(paths, np.zeros((4, 3)), wanted)

    assert np.allclose(np.sort(made.sum(axis=1), axis=0), wanted)
    assert np.allclose(made, paths * scale[:, None])
    order = np.argsort(paths[:, :, 0].sum(axis=1))
    assert (np.diff(made[order, :, 0].sum(axis=1)) >= 0).all(), "a path keeps its rank"


def test_what_is_won_stays_and_a_path_without_anything_gets_its_share():
    paths = np.zeros((4, 2, 1))
    paths[2:, :, 0] = [[10, 30], [20, 60]]
    won = np.array([[5.0], [0.0]])
    made, scale = impose(paths + won, won, np.array([[2.0], [20.0], [50.0], [90.0]]))

    assert made[0, :, 0].tolist() == [5, 0], "less than is won cannot come"
    assert made[1, :, 0] == pytest.approx([5 + 15 * 0.25, 15 * 0.75])
    assert made[:, :, 0].sum(axis=1).tolist() == pytest.approx([5, 20, 50, 90])
    assert scale[0, 0] == 1


def test_a_month_that_is_not_to_change_stays():
    paths = RNG.gamma(2.0, 50.0, (20, 2, 1))

    assert np.allclose(impose(paths, np.zeros((2, 1)), np.full((20, 1), np.nan))[0], paths)


def test_ranks_and_quantiles_are_of_one_definition():
    paths = RNG.normal(size=(200, 1))

    assert np.allclose(quantiles(paths, ranks_of(200))[0], np.sort(paths[:, 0]))
