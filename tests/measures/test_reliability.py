"""Alpha and omega against published numbers, another library and slow plain sums; and when they are not defined."""

import numpy as np
import pytest
from statsmodels.multivariate.factor import Factor

from cadran.measures import reliability as of
from cadran.measures.reliability import alpha, alpha_interval, omega, reliability


def drawn(persons, loadings, seed=1, step=None):
    """Scores of one factor: loading × what a person is + what is left; on a scale of whole numbers where `step` is given."""
    random, loadings = np.random.default_rng(seed), np.array(loadings)
    scores = random.normal(size=(persons, 1)) * loadings
    scores = scores + random.normal(size=scores.shape) * np.sqrt(1 - loadings**2)
    return np.clip(np.round(3 + scores / step), 1, 5) if step else scores


def test_alpha_as_published():
    """Bland & Altman (1997), BMJ 314:572: ten items, variances that sum to 11.16, variance of the total 77.44: 0.95."""
    shared = (77.44 - 11.16) / 90
    covariances = np.full((10, 10), shared) + np.diag(np.full(10, 11.16 / 10 - shared))

    assert alpha(covariances) == pytest.approx(10 / 9 * (1 - 11.16 / 77.44))
    assert round(alpha(covariances), 2) == 0.95


def test_alpha_is_the_plain_sum():
    scores = drawn(60, [0.8, 0.6, 0.7, 0.5], step=0.7)
    total = [sum(row) for row in scores.tolist()]

    def variance(values):
        mean = sum(values) / len(values)
        return sum((value - mean) ** 2 for value in values) / (len(values) - 1)

    plain = 4 / 3 * (1 - sum(variance(column) for column in scores.T.tolist()) / variance(total))
    assert reliability(scores).alpha == pytest.approx(plain)


def test_the_interval_of_alpha_holds_it():
    """Parallel questions, for which Feldt's interval is exact: alpha is that of Spearman and Brown."""
    true = 4 * 0.36 / (1 + 3 * 0.36)
    held = 0
    for seed in range(400):
        scores = drawn(40, [0.6] * 4, seed)
        low, high = alpha_interval(alpha(np.cov(scores, rowvar=False)), 40, 4)
        held += low <= true <= high
    assert held / 400 == pytest.approx(0.95, abs=0.025)


def test_omega_of_three_questions_in_closed_form():
    """With three, loadings follow from the correlations alone (Spearman): λ₁² = r₁₂ r₁₃ ÷ r₂₃."""
    r12, r13, r23 = 0.5, 0.4, 0.3
    loadings = np.sqrt([r12 * r13 / r23, r12 * r23 / r13, r13 * r23 / r12])
    spread = np.array([1.0, 2.0, 0.5])
    correlations = np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]])

    common = (loadings @ spread) ** 2
    told, fits = omega((correlations * np.outer(spread, spread))[None])

    assert fits.all()
    assert told[0] == pytest.approx(common / (common + ((1 - loadings**2) * spread**2).sum()), abs=1e-6)


def test_omega_as_another_library_has_it():
    scores = drawn(4000, [0.8, 0.6, 0.7, 0.4, 0.5])
    theirs = np.abs(Factor(scores, n_factor=1, method="ml").fit().loadings[:, 0]) * scores.std(axis=0, ddof=1)
    common = theirs.sum() ** 2
    left = scores.var(axis=0, ddof=1) - theirs**2

    told = omega(np.cov(scores, rowvar=False)[None])[0]

    assert told[0] == pytest.approx(common / (common + left.sum()), abs=0.002)
    assert told[0] == pytest.approx(9 / (9 + 5 - 1.9), abs=0.02)


def test_the_interval_of_omega_holds_it():
    true, held = 2.1**2 / (2.1**2 + 3 - 1.49), 0
    for seed in range(10):
        low, high = reliability(drawn(80, [0.8, 0.6, 0.7], seed), seed).omega_ends
        held += low <= true <= high
    assert held >= 8


def test_omega_has_an_interval_around_it():
    told = reliability(drawn(80, [0.8, 0.6, 0.7], step=0.7))

    low, high = told.omega_ends
    assert 0 < low < told.omega < high < 1
    assert told == reliability(drawn(80, [0.8, 0.6, 0.7], step=0.7))


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        (drawn(50, [0.8]), of.ONE_ITEM),
        (drawn(29, [0.8, 0.8]), of.TOO_FEW),
        (np.column_stack([drawn(40, [0.8, 0.8]), np.ones(40)]), of.NO_SPREAD),
        (drawn(50, [0.8, -0.8]), of.OPPOSED),
    ],
)
def test_where_it_is_not_defined_it_says_so(scores, why):
    told = reliability(scores)

    assert (told.alpha, told.omega, told.why) == (None, None, why)


def test_two_questions_have_alpha_alone():
    told = reliability(drawn(50, [0.8, 0.8]))

    assert told.alpha > 0
    assert (told.omega, told.why) == (None, of.TWO_ITEMS)


def test_a_question_that_shares_more_than_it_has_fits_no_factor():
    first = drawn(60, [0.9, 0.9, 0.5])
    told = reliability(np.column_stack([first[:, 0], first[:, 0] + 0.01 * first[:, 2], first[:, 1]]))

    assert told.alpha is not None
    assert (told.omega, told.why) == (None, of.NO_FACTOR)
