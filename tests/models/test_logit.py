"""The multinomial logit against statsmodels, slow plain loops and what must not change the answer."""

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import MNLogit

from cadran.models.logit import fit, probabilities


def simulated(n: int = 1_500, seed: int = 1):
    """Features on unlike scales, outcomes 0, 1, 2 that depend on them, and a group per row."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(n, 4)) * [1, 30, 0.01, 1] + [0, 500, 0, 2]
    features[:, 3] = features[:, 3] > 2
    true = np.array([[-1.5, 0.8, 0.002, 20, 0.3], [0.2, -0.5, -0.001, 10, -0.6]])
    shares = probabilities(true, features)
    return features, (random.random((n, 1)) > shares.cumsum(axis=1)).sum(axis=1), random.integers(0, n // 3, n)


def with_ones(features):
    return np.column_stack([np.ones(len(features)), features])


def test_equals_statsmodels_without_ridge():
    features, outcome, groups = simulated()
    # Its Newton needs features on like scales: ours is given the raw ones, theirs divided by `units`.
    units = np.array([1, 100, 0.01, 1])
    theirs = MNLogit(outcome, with_ones(features / units)).fit(disp=0, tol=1e-12)
    clustered = MNLogit(outcome, with_ones(features / units)).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    errors = np.sqrt(np.diag(clustered.cov_params())).reshape(2, 5) / np.append(1, units)
    n_groups = len(np.unique(groups))

    ours, grouped = fit(features, outcome, ridge=0), fit(features, outcome, groups=groups, ridge=0)

    assert ours.coefficients == pytest.approx(theirs.params.T / np.append(1, units), rel=1e-4)
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-7)
    assert ours.probabilities(features) == pytest.approx(theirs.predict(), abs=1e-5)
    plain = np.sqrt(np.diag(theirs.cov_params())).reshape(2, 5) / np.append(1, units)
    assert np.sqrt(np.diag(ours.covariance)).reshape(2, 5) == pytest.approx(plain, rel=1e-4)
    corrected = errors * np.sqrt(n_groups / (n_groups - 1))
    assert np.sqrt(np.diag(grouped.covariance)).reshape(2, 5) == pytest.approx(corrected, rel=1e-4)


def test_two_outcomes_are_a_plain_logit():
    features, outcome, _ = simulated()
    features = features / [1, 100, 0.01, 1]
    theirs = MNLogit(outcome > 0, with_ones(features)).fit(disp=0)

    ours = fit(features, (outcome > 0).astype(int), ridge=0, n_outcomes=2)

    assert ours.coefficients == pytest.approx(theirs.params.T, rel=1e-4)


def test_a_weight_is_a_repeated_row():
    features, outcome, groups = simulated()
    times = np.random.default_rng(2).integers(0, 4, len(outcome))

    weighted = fit(features, outcome, weights=times, groups=groups)
    repeated = fit(*(np.repeat(given, times, axis=0) for given in (features, outcome)), groups=np.repeat(groups, times))

    # A group whose rows all weigh 0 still counts in G / (G - 1).
    counted, kept = len(np.unique(groups)), len(np.unique(groups[times > 0]))
    assert weighted.coefficients == pytest.approx(repeated.coefficients, rel=1e-4, abs=1e-5)
    correction = counted / (counted - 1) / (kept / (kept - 1))
    errors, theirs = (np.sqrt(np.diag(model.covariance)) for model in (weighted, repeated))
    assert errors == pytest.approx(theirs * np.sqrt(correction), rel=1e-4)


def test_chunks_change_nothing():
    features, outcome, groups = simulated()

    whole, pieces = (fit(features, outcome, groups=groups, chunk=chunk) for chunk in (10_000, 97))

    assert pieces.coefficients == pytest.approx(whole.coefficients, rel=1e-4, abs=1e-6)
    # The covariance of features in unlike units: compared in those units.
    errors = np.sqrt(np.diag(whole.covariance))
    assert pieces.covariance / np.outer(errors, errors) == pytest.approx(
        whole.covariance / np.outer(errors, errors), abs=1e-4
    )


def test_ridge_and_sandwich_equal_a_slow_loop():
    features, outcome, groups = simulated(400)
    features = features / [1, 100, 0.01, 1]
    weights = np.random.default_rng(3).uniform(0.5, 2, 400)
    model = fit(features, outcome, weights, groups, ridge=2.0)
    shares = model.probabilities(features)
    penalty = np.diag([0, 2, 2, 2, 2] * 2)

    curvature, scores = penalty.astype(float), {group: np.zeros(10) for group in groups}
    for row, (y, x, p) in enumerate(zip(outcome, with_ones(features), shares[:, 1:], strict=True)):
        curvature += weights[row] * np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x))
        scores[groups[row]] += weights[row] * np.kron((y == np.array([1, 2])) - p, x)
    spread = sum(np.outer(score, score) for score in scores.values()) * len(scores) / (len(scores) - 1)
    slow = np.linalg.inv(curvature) @ spread @ np.linalg.inv(curvature)

    # At the best fit the scores pull exactly as hard as the penalty: intercepts are pulled by nothing.
    assert sum(scores.values()) == pytest.approx(penalty @ model.coefficients.ravel(), abs=1e-3)
    assert model.covariance == pytest.approx(slow, rel=1e-3, abs=1e-6)


def test_perfect_separation_is_finite_under_ridge_and_refused_without():
    feature = np.linspace(-1, 1, 300)[:, None]
    outcome = np.digitize(feature[:, 0], [-0.3, 0.3])

    model = fit(feature, outcome, ridge=0.1)

    assert np.isfinite(model.coefficients).all()
    assert np.isfinite(model.covariance).all()
    assert (model.probabilities(feature).argmax(axis=1) == outcome).mean() > 0.95
    with pytest.raises(ValueError, match="ridge"):
        fit(feature, outcome, ridge=0)


def test_repeated_and_constant_features_need_ridge():
    features, outcome, _ = simulated()
    for added in (features[:, 0], np.full(len(features), 0.1)):
        wider = np.column_stack([features, added])

        with pytest.raises(ValueError, match="ridge"):
            fit(wider, outcome, ridge=0)
        assert np.isfinite(fit(wider, outcome).covariance).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome": np.array([0, 1, 1, 0])}, "No row has outcome 2"),
        ({"weights": np.array([1, 0, 1, 1])}, "No row has outcome 1"),
        ({"outcome": np.array([0, 1, 2, 3])}, "from 0 to 2"),
        ({"features": np.array([[0], [1], [np.nan], [2]])}, "missing or infinite"),
        ({"weights": np.array([1, 1, -1, 1])}, "0 or more"),
        ({"ridge": -1}, "0 or more"),
        ({"groups": np.zeros(4)}, "two or more groups"),
        ({"outcome": np.array([0, 1, 2])}, "Shapes differ"),
    ],
)
def test_refuses_what_it_cannot_fit(change, said):
    given = {"features": np.array([[0.0], [1], [3], [2]]), "outcome": np.array([0, 1, 2, 0])} | change

    with pytest.raises(ValueError, match=said):
        fit(**given)


def test_draws_spread_as_the_covariance_says():
    features, outcome, groups = simulated()
    model = fit(features, outcome, groups=groups)

    drawn = model.draws(20_000, np.random.default_rng(4))

    assert drawn.shape == (20_000, 2, 5)
    errors = np.sqrt(np.diag(model.covariance))
    spread = np.cov(drawn.reshape(-1, 10).T)
    assert spread / np.outer(errors, errors) == pytest.approx(model.covariance / np.outer(errors, errors), abs=0.04)
    assert drawn.mean(axis=0).ravel() == pytest.approx(model.coefficients.ravel(), abs=0.04 * errors.max())
    shares = probabilities(drawn[:50], features[:7])
    assert shares.shape == (50, 7, 3)
    assert shares.sum(axis=-1) == pytest.approx(1)
