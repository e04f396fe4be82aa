"""A trial of the size that Cadran asks for sees the effect as often as it says, and nothing where there is nothing."""

import numpy as np
import pytest

from cadran.models.power import difference_of_units, newcombe, power

RUNS = 4000


def often_seen(intervals):
    """In which share of runs the interval leaves out zero."""
    return np.mean([low > 0 or high < 0 for _, low, high in intervals])


@pytest.mark.parametrize("rise", [0.0, 0.06])
def test_deals_drawn_one_by_one(rise):
    random, n = np.random.default_rng(1), next(n for n in range(10, 5000) if power(n, 0.2, 0.26) >= 0.8)

    won, lost = random.binomial(n, 0.2 + rise, RUNS), random.binomial(n, 0.2, RUNS)
    seen = often_seen(newcombe(one, n, other, n) for one, other in zip(won, lost, strict=True))
    assert seen == pytest.approx(0.8 if rise else 0.05, abs=0.025 if rise else 0.012)


@pytest.mark.parametrize("rise", [0.0, 0.12])
def test_whole_teams_drawn(rise):
    random, teams, size, rho = np.random.default_rng(2), 20, 60, 0.03
    expected = power(teams / 2 * size / (1 + (size - 1) * rho), 0.2, 0.2 + rise, freedom=teams - 2)

    def won(share):
        alike = (1 - rho) / rho
        return random.binomial(size, random.beta(share * alike, (1 - share) * alike, (RUNS, teams // 2))).astype(float)

    sizes = np.full(teams // 2, float(size))
    lever, control = won(0.2 + rise), won(0.2)
    seen = often_seen(difference_of_units(one, sizes, other, sizes) for one, other in zip(lever, control, strict=True))
    assert seen == pytest.approx(expected if rise else 0.05, abs=0.04 if rise else 0.012)
