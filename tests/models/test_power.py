"""The formulas of a trial, held to published values and to statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.proportion import power_proportions_2indep, proportion_confint

from cadran.models.power import (
    design_effect,
    difference_of_units,
    intraclass,
    least_p,
    newcombe,
    power,
    share_of,
    share_of_units,
    spent,
)


def test_power_of_a_published_example():
    # The examples of R's power.prop.test: 50 in each arm, 50 % against 75 %: 0.740; 76.7 in each for 90 %.
    assert power(50, 0.50, 0.75) == pytest.approx(0.740, abs=5e-4)
    assert power(76.7, 0.50, 0.75) == pytest.approx(0.90, abs=5e-4)


@pytest.mark.parametrize(("p", "difference", "n"), [(0.2, 0.05, 900), (0.05, 0.1, 80), (0.6, -0.2, 60)])
def test_power_is_that_of_statsmodels(p, difference, n):
    theirs = power_proportions_2indep(difference, p, n, return_results=False)

    assert power(n, p, p + difference) == pytest.approx(theirs, abs=2e-3)  # theirs counts the wrong side too


def test_few_units_have_less_power_than_many():
    assert power(100, 0.2, 0.4, freedom=6) < power(100, 0.2, 0.4, freedom=100) < power(100, 0.2, 0.4)


def test_nothing_can_be_told_beyond_what_shares_can_be():
    assert power(100, 0.5, 1.2) == 0
    assert power(100, 0.2, 0.4, freedom=0) == 0


def test_likeness_of_a_published_example():
    # Shrout and Fleiss (1979), table 2: 6 targets, 4 judges: ICC(1,1) = 0.17, 95 % from −0.13 to 0.72.
    ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    means = ratings.mean(axis=1)

    rho, low, high = intraclass(np.full(6, 4.0), means, float(((ratings - means[:, None]) ** 2).sum()))

    assert (rho, low, high) == pytest.approx((0.17, -0.13, 0.72), abs=5e-3)


@pytest.mark.parametrize("sizes", [[5.0], [1.0, 1.0, 1.0]])
def test_likeness_is_unknown_without_two_units_or_two_of_a_unit(sizes):
    assert intraclass(np.array(sizes), np.full(len(sizes), 0.5), 1.0) == (None, None, None)


def test_design_effect():
    # Donner and Klar: units of 20 with ρ 0.05 nearly double the number needed.
    assert design_effect(20, 0.05) == pytest.approx(1.95)
    assert design_effect(20, -0.1) == 1
    assert design_effect(0.4, 0.9) == 1


def test_difference_of_a_published_example():
    # Newcombe (1998), 56/70 less 48/80, method 10: 0.0524 to 0.3339.
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert newcombe(1, 2, 0, 0) == (None, None, None)


def test_wilson_is_that_of_statsmodels():
    for part, n in ((0, 7), (3, 11), (9, 9)):
        assert share_of(part, n)[1:] == pytest.approx(proportion_confint(part, n, method="wilson"), abs=1e-9)


def test_units_of_one_are_as_deals():
    won, n = np.array([1.0] * 30 + [0.0] * 70), np.ones(100)

    value, low, high = share_of_units(won, n)
    assert (value, low, high) == pytest.approx(share_of(30, 100), abs=3e-3)
    estimate = difference_of_units(won, n, won[::-1][:80], n[:80])
    assert estimate == pytest.approx(newcombe(30, 100, 10, 80), abs=0.02)


def test_units_alike_widen_the_interval():
    alike = np.array([10.0, 0, 10, 0, 10, 0]), np.full(6, 10.0)
    mixed = np.array([5.0, 5, 5, 5, 5, 4]), np.full(6, 10.0)

    one, other = difference_of_units(*alike, *mixed), difference_of_units(*mixed, *mixed)
    assert one.high - one.low > 3 * (other.high - other.low)
    assert difference_of_units(np.array([3.0]), np.array([9.0]), *mixed).low is None


def test_few_units_hold_the_share_as_often_as_promised():
    """2,000 draws of 5 units of 20 deals that end alike: with the normal quantile 89 % of intervals hold the truth."""
    random, held = np.random.default_rng(3), 0
    for _ in range(2000):
        won = random.binomial(20, random.beta(2.7, 6.3, 5)).astype(float)
        _, low, high = share_of_units(won, np.full(5, 20.0))
        held += low is None or low <= 0.3 <= high  # none where all units end alike
    assert 0.93 * 2000 <= held <= 0.98 * 2000, held / 2000
    # Units that happen to be all alike tell no more than as many single deals.
    assert share_of_units(np.array([6.0, 6, 6, 7]), np.full(4, 20.0)).low < share_of(25, 80).low


def test_few_units_cannot_reach_the_level():
    # 6 teams, 3 in each arm: 20 draws, the two most extreme of them mirror each other.
    assert least_p(6) == pytest.approx(0.1)
    assert least_p(8) == pytest.approx(2 / 70)
    assert least_p(7) == pytest.approx(1 / 35)
    assert least_p(1) == 1


def test_spending_of_a_published_table():
    # Lan and DeMets (1983): O'Brien and Fleming's spending of 5 %: 0.003 at half of the trial, all of it at the end.
    assert spent(0.5) == pytest.approx(0.00305, abs=5e-5)
    assert spent(1) == pytest.approx(0.05)
    assert spent(2) == pytest.approx(0.05)
    assert spent(0) == 0
