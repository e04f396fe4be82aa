"""The interval of an eNPS holds the true one as often as it says, and those beside it."""

from math import ceil, floor

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, xlogy
from scipy.stats import hypergeom, norm
from statsmodels.stats.proportion import proportion_confint

from cadran.measures.enps_interval import (
    AT_THE_ENDS,
    BETWEEN,
    enps_interval,
    enps_interval_of_all,
    mean_interval,
    share_interval,
    share_interval_of_all,
)


def outcomes(n):
    high, low = (each.ravel() for each in np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij"))
    fits = high + low <= n
    return high[fits], n - high[fits] - low[fits], low[fits]


def shares(score, passive):
    return (1 - passive + score) / 2, passive, (1 - passive - score) / 2


CELLS = [(s, m) for m in (0.15, 0.35) for s in np.arange(-60, 81, 10) / 100 if abs(s) <= 1 - m - 0.0499]


def test_the_interval_holds_the_true_score_as_often_as_it_says():
    """Every outcome of 8 to 40 answers, and surveys of 500 drawn with a seed: the demands of the issue."""
    covered = []
    for n in (8, 9, 11, 15, 25, 40):
        counts = outcomes(n)
        lower, upper = enps_interval(*counts)
        for score, passive in CELLS:
            logs = sum(xlogy(k, p) - gammaln(k + 1) for k, p in zip(counts, shares(score, passive), strict=True))
            holds = (lower <= 100 * score + 1e-9) & (100 * score - 1e-9 <= upper)
            covered.append(np.exp(gammaln(n + 1) + logs) @ holds)
    assert 0.945 <= np.mean(covered) <= 0.955
    assert min(covered) >= 0.93

    drawn = np.random.default_rng(5)
    score = 0.2
    lower, upper = enps_interval(*drawn.multinomial(500, shares(score, 0.35), 4000).T)
    assert np.mean((lower <= 20) & (upper >= 20)) == pytest.approx(0.95, abs=0.012)


def test_ends_are_those_of_the_plain_profile_likelihood():
    """A slow search of the shares that are likeliest at each end: twice the log-likelihood lost is 1.96²."""
    counts = np.array([7 + AT_THE_ENDS, 3 + BETWEEN, 5 + AT_THE_ENDS])

    def lost(score):
        def against(q):
            return -np.sum(counts * np.log([q + score, 1 - 2 * q - score, q]))

        at = minimize_scalar(
            against, bounds=(max(0, -score) + 1e-9, (1 - score) / 2 - 1e-9), method="bounded", options={"xatol": 1e-12}
        )
        return 2 * (at.fun + np.sum(counts * np.log(counts / counts.sum())))

    lower, upper = enps_interval(7, 3, 5)

    assert [lost(lower / 100), lost(upper / 100)] == pytest.approx([1.959964**2] * 2, rel=1e-4)


def test_the_score_itself_is_within():
    lower, upper = enps_interval([0, 6, 0, 0], [0, 0, 4, 0], [9, 0, 0, 0])

    assert (lower[0], upper[1]) == (-100, 100)
    assert lower[2] < 0 < upper[2]
    assert np.isnan([lower[3], upper[3]]).all()


def test_a_stricter_level_is_wider():
    assert np.ptp(enps_interval(9, 4, 3, level=0.995)) > np.ptp(enps_interval(9, 4, 3)) > 0


def test_of_all_invited():
    lower, upper = enps_interval_of_all([5, 5, 5, 40], [2, 2, 2, 30], [1, 1, 1, 30], [8, 9, np.nan, 1e9])

    assert lower[0] == upper[0] == 50
    assert (lower[1], upper[1]) == (pytest.approx(100 * 3 / 9), pytest.approx(100 * 5 / 9))
    assert np.isnan(lower[2])
    assert [lower[3], upper[3]] == pytest.approx(np.ravel(enps_interval(40, 30, 30)), abs=1e-6)


@pytest.mark.parametrize(("people", "n"), [(10, 8), (20, 10), (30, 27)])
def test_the_interval_of_all_holds_in_small_companies(people, n):
    counts = outcomes(n)
    lower, upper = enps_interval_of_all(*counts, people)
    k = np.arange(n + 1)
    least, most = share_interval_of_all(k, n, people)
    for score, passive in CELLS:
        high, middle = (int(each * people + 0.5) for each in shares(score, passive)[:2])
        there = (high, middle, people - high - middle)
        if there[2] < 0:
            continue
        chance = np.nan_to_num([
            hypergeom.pmf(p, people, there[0], n) * hypergeom.pmf(m, people - there[0], there[1], n - p)
            for p, m in zip(counts[0], counts[1], strict=True)
        ])  # fmt: skip
        true = 100 * (there[0] - there[2]) / people
        assert chance @ ((lower <= true + 1e-9) & (true - 1e-9 <= upper)) >= 0.95
        is_held = (least <= high / people + 1e-9) & (high / people - 1e-9 <= most)
        assert hypergeom.pmf(k, people, high, n) @ is_held >= 0.95


def test_a_share_as_statsmodels_has_it():
    lower, upper = share_interval([0, 7, 12], [12, 12, 12])

    expected = proportion_confint(np.array([0, 7, 12]), 12, method="wilson")
    assert lower == pytest.approx(expected[0])
    assert upper == pytest.approx(expected[1])


def test_a_share_of_all_invited_is_wilsons_with_what_is_left_to_draw():
    for n, people in ((20, 30), (150, 1000), (5, 5)):
        for part in range(n + 1):
            lower, upper = share_interval_of_all(part, n, people)

            alpha = 2 * norm.sf(1.959964 * ((people - n) / (people - 1)) ** 0.5)
            low, high = proportion_confint(part, n, alpha=alpha, method="wilson")
            least = max(part, floor(low * people + 1e-6)) / people
            most = min(part + people - n, ceil(high * people - 1e-6)) / people
            assert (lower, upper) == (pytest.approx(least), pytest.approx(most))


def test_a_mean_whose_spread_is_told_only_in_part():
    """Scores 1 1 3 3 3 3 3 5 5: no other nine with two low, five middle and two high that sum to 27 spread more."""
    bands = np.array([[[1, 2], [3, 3], [4, 5]]] * 2)
    lower, upper = mean_interval([27, 25], [[2, 5, 2], [0, 0, 5]], bands)

    scores, weights = np.array([1, 1, 1, 3, 3, 3, 3, 3, 5, 5, 5]), np.array([0.25, *[1] * 9, 0.25])
    error = np.sqrt(np.sum(weights * (scores - 3) ** 2) / (weights.sum() - 1) / weights.sum())
    assert [lower[0], upper[0]] == pytest.approx([3 - 2.306004 * error, 3 + 2.306004 * error], abs=1e-5)
    # Five that are all alike do not make a mean known for certain.
    assert lower[1] < 4.6
    assert upper[1] == 5
