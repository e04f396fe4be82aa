"""Scores of probabilities against scikit-learn, statsmodels, slow loops and simulations with a known answer."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from cadran.models.judged import difference, judge, log_losses, log_odds, reliability, skill_by

ENDS = ("log_loss", "brier", "auc", "average_precision", "calibration_slope", "calibration_intercept")


def told(n=600, seed=1, deals=200):
    """Probabilities (some alike), outcomes shared within a deal, weights, deals."""
    random = np.random.default_rng(seed)
    deal = random.integers(0, deals, n)
    chance = random.beta(2, 3, deals)
    probability = np.round(np.clip(chance[deal] ** 1.3 + random.normal(0, 0.1, n), 0.02, 0.98), 2)
    return probability, (random.random(deals) < chance)[deal], random.uniform(0.5, 3, n), deal


def test_figures_equal_scikit_learn():
    probability, won, weights, deal = told()
    judged = judge(probability, won, weights, deal)

    assert (judged.n, judged.n_won) == (600, won.sum())
    for figure, theirs in (
        (judged.log_loss, log_loss), (judged.brier, brier_score_loss), (judged.auc, roc_auc_score),
        (judged.average_precision, average_precision_score),
    ):  # fmt: skip
        assert figure == pytest.approx(theirs(won, probability, sample_weight=weights), rel=1e-9)


def test_calibration_equals_statsmodels():
    probability, won, _, deal = told()
    weights = np.random.default_rng(7).integers(1, 4, 600)
    judged = judge(probability, won, weights, deal)
    # statsmodels clusters no weighted rows: theirs are repeated.
    probability, won, deal = (np.repeat(given, weights) for given in (probability, won, deal))
    clustered = {"cov_type": "cluster", "cov_kwds": {"groups": deal, "use_correction": False}}
    family, g = sm.families.Binomial(), len(np.unique(deal))
    odds = log_odds(probability)
    slope = sm.GLM(won, sm.add_constant(odds), family=family).fit(**clustered, tol=1e-12)
    level = sm.GLM(won, np.ones(len(won)), family=family, offset=odds).fit(**clustered, tol=1e-12)

    for name, theirs in (("calibration_slope", slope), ("calibration_intercept", level)):
        half = 1.959964 * theirs.bse[-1] * np.sqrt(g / (g - 1))
        assert getattr(judged, name) == pytest.approx(theirs.params[-1], abs=1e-6)
        assert getattr(judged, f"{name}_high") == pytest.approx(theirs.params[-1] + half, abs=1e-5)
        assert getattr(judged, f"{name}_low") == pytest.approx(theirs.params[-1] - half, abs=1e-5)


def test_intervals_are_as_wide_as_resampling_the_deals_says():
    probability, won, weights, deal = told(400, deals=150)
    random, rows, drawn = np.random.default_rng(2), [np.flatnonzero(deal == each) for each in range(150)], []
    for _ in range(200):
        taken = np.concatenate([rows[each] for each in random.integers(0, 150, 150)])
        again = judge(probability[taken], won[taken], weights[taken])
        drawn.append([getattr(again, name) for name in ENDS])
    judged = judge(probability, won, weights, deal)

    for name, resampled in zip(ENDS, np.array(drawn).T, strict=True):
        wide = np.diff(np.quantile(resampled, [0.025, 0.975]))[0]
        own = getattr(judged, f"{name}_high") - getattr(judged, f"{name}_low")
        assert own == pytest.approx(wide, rel=0.25), name


def test_every_row_three_times_is_no_more_knowledge():
    probability, won, _, _ = told(200)
    once = judge(probability, won)
    thrice = judge(np.tile(probability, 3), np.tile(won, 3), groups=np.tile(np.arange(200), 3))

    for name in (f"{each}{end}" for each in ENDS for end in ("", "_low", "_high")):
        assert getattr(thrice, name) == pytest.approx(getattr(once, name), rel=1e-9), name


def test_a_constant_ranks_nothing_and_has_no_slope():
    judged = judge(np.full(100, 0.3), np.arange(100) < 50)

    assert (judged.auc, judged.average_precision) == (0.5, 0.5)
    assert judged.calibration_slope is None
    assert judged.calibration_intercept == pytest.approx(np.log(0.7 / 0.3))


@pytest.mark.parametrize("won", [np.zeros(40, bool), np.ones(40, bool)])
def test_one_outcome_alone_is_scored_but_not_ranked(won):
    judged = judge(np.linspace(0.1, 0.9, 40), won)

    assert judged.log_loss > 0
    assert (judged.auc, judged.average_precision, judged.calibration_intercept) == (None, None, None)


def test_certain_and_wrong_is_clipped_not_infinite():
    assert log_losses(np.array([0.0, 1, 1]), np.array([True, True, False])) == pytest.approx(
        [13.8155, 0, 13.8155], abs=1e-4
    )
    judged = judge(np.array([0.0, 0, 1, 1] * 5), np.array([False, False, True, True] * 5))
    assert (judged.auc, judged.auc_low, judged.calibration_slope) == (1, None, None)
    assert judge(np.full(60, 1e-6), np.arange(60) < 30).calibration_intercept == pytest.approx(13.8155, abs=1e-3)


def test_few_deals_make_no_interval_and_none_makes_nothing():
    assert judge(np.full(9, 0.3), np.arange(9) < 4).brier_low is None
    empty = judge(np.array([0.2]), np.array([True]), np.array([0.0]))
    assert (empty.n, empty.log_loss, empty.auc) == (0, None, None)


@pytest.mark.parametrize(("probability", "weights"), [([1.2], [1]), ([np.nan], [1]), ([0.5], [-1]), ([0.5, 0.5], [1])])
def test_refuses_what_is_no_probability(probability, weights):
    with pytest.raises(ValueError, match=r"within 0 and 1|Lengths"):
        judge(np.array(probability), np.array([True]), np.array(weights))


def test_reliability_equals_scikit_learn_and_statsmodels():
    random = np.random.default_rng(3)
    probability = random.random(1_000)
    won = random.random(1_000) < probability
    curve = reliability(probability, won)
    observed, predicted = calibration_curve(won, probability, n_bins=10, strategy="quantile")

    assert curve["observed"].to_numpy() == pytest.approx(observed)
    assert curve["predicted"].to_numpy() == pytest.approx(predicted)
    low, high = proportion_confint(curve["n_won"].to_numpy(), curve["n"].to_numpy(), method="wilson")
    assert curve.select("observed_low", "observed_high").to_numpy() == pytest.approx(np.column_stack([low, high]))


def test_reliability_keeps_ties_together_and_counts_deals_not_rows():
    probability, won = np.repeat([0.2, 0.7], [90, 10]), np.tile([True, False], 50)

    once, twice = reliability(probability, won), reliability(
        np.tile(probability, 2), np.tile(won, 2), groups=np.tile(np.arange(100), 2)
    )  # fmt: skip

    assert once["n"].to_list() == [90, 10]
    assert twice["n"].to_list() == [180, 20]
    assert twice["observed_low"].to_list() == pytest.approx(once["observed_low"].to_list())
    assert reliability(probability, won, np.zeros(100)).is_empty()


def test_difference_is_paired_and_clustered():
    random = np.random.default_rng(4)
    shared, deal = random.normal(size=300), np.repeat(np.arange(100), 3)
    gap = random.normal(0.1, 1, 100)[deal]
    mean, error = difference(shared + gap, shared, groups=deal)

    assert mean == pytest.approx(gap.mean())
    assert error == pytest.approx(gap[::3].std(ddof=1) / 10)  # the textbook error of a mean of 100
    assert np.isnan(difference(shared[:0], shared[:0])[0])


def test_skill_by_band():
    random = np.random.default_rng(5)
    probability, won = np.tile([0.1, 0.9], 100), np.tile([False, True], 100)
    won ^= random.random(200) < 0.1
    group = pl.Series(["young", None] * 50 + ["old"] * 100)
    rows = skill_by(group, log_losses(probability, won), log_losses(np.full(200, 0.5), won), won)

    assert rows["group"].to_list() == ["old", "young", None]
    assert rows["n"].to_list() == [100, 50, 50]
    old = log_loss(won[100:], probability[100:]) / log_loss(won[100:], np.full(100, 0.5))
    assert rows["skill"][0] == pytest.approx(1 - old)
    assert (rows["skill_low"] < rows["skill"]).all()
