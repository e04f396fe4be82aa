"""Estimates of deals that weigh unequally and belong to clients, against statsmodels, scipy and slow plain loops."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm, t
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cadran.measures.clustered import Times, Values, difference, seen_closing


def alone(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Equal weights, each its own client."""
    return np.ones(n), np.arange(n)


def as_normal(alpha: float, n: int) -> float:
    """The error at which the normal quantile is Student's of n clients."""
    return 2 * norm.sf(t.ppf(1 - alpha / 2, n - 1))


def test_mean_of_clusters_equals_statsmodels():
    random = np.random.default_rng(1)
    client = random.integers(0, 40, 200)
    value = random.poisson(3, 200) + client % 5
    weight = random.uniform(1, 3, 200)
    theirs = sm.WLS(value, np.ones(200), weights=weight).fit(cov_type="cluster", cov_kwds={"groups": client})
    n = len(np.unique(client))

    ours = Values(value.astype(float), weight, client, 50).mean

    assert ours.value == pytest.approx(theirs.params[0], rel=1e-12)
    factor = np.exp(t.ppf(0.975, n - 1) * theirs.bse[0] / theirs.params[0])
    assert ours.limits(0.05) == pytest.approx((ours.value / factor, ours.value * factor), rel=1e-9)


def test_interval_of_a_rare_count_equals_that_of_a_poisson_regression_and_never_falls_below_0():
    value, client = np.repeat([0.0, 1.0, 2.0], [44, 5, 1]), np.arange(50) % 25
    theirs = sm.GLM(value, np.ones(50), family=sm.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": client}, use_t=True
    )

    low, high = Values(value, np.ones(50), client, 25).mean.limits(0.05)

    assert (low, high) == pytest.approx(tuple(np.exp(theirs.conf_int()[0])), rel=1e-6)
    assert 0 < low < 0.14 < high


def test_share_and_difference_of_single_deals_are_wilson_and_newcombe():
    won, lost = np.repeat([1.0, 0.0], [30, 50]), np.repeat([1.0, 0.0], [20, 80])
    one = Values(won, np.ones(80), np.arange(80), 180).share
    other = Values(lost, np.ones(100), np.arange(80, 180), 180).share

    # The variance of a share has n in it, that of clusters n − 1: as many deals less one tell as much.
    assert one.limits(0.05) == pytest.approx(proportion_confint(30 * 79 / 80, 79, as_normal(0.05, 80), "wilson"))
    widths = [
        proportion_confint(x * (n - 1) / n, n - 1, as_normal(0.05, n), "wilson") for x, n in ((30, 80), (20, 100))
    ]
    below = np.hypot(0.375 - widths[0][0], widths[1][1] - 0.2)
    assert difference(one, other, 0.05)[0] == pytest.approx(0.175 - below)
    theirs = confint_proportions_2indep(30, 80, 20, 100, method="newcomb", compare="diff")
    assert difference(one, other, 0.05) == pytest.approx(theirs, abs=0.003)


def test_wilson_is_on_clients_where_all_are_alike():
    told = Values(np.zeros(40), np.ones(40), np.repeat(np.arange(10), 4), 10).share

    assert told.limits(0.05) == pytest.approx(proportion_confint(0, 10, as_normal(0.05, 10), "wilson"), abs=1e-12)


def test_curve_and_error_of_single_times_equal_statsmodels():
    random = np.random.default_rng(2)
    happens, followed = random.exponential(20, 150).round() + 1, random.uniform(5, 60, 150).round()
    time, has_happened = np.append(np.minimum(happens, followed), 70.0), np.append(happens <= followed, False)
    theirs = SurvfuncRight(time, has_happened)
    ours = Times(time, has_happened, *alone(151), 151)

    for at in (3.0, 10.0, 25.0):
        place = np.searchsorted(theirs.surv_times, at, side="right") - 1
        told = ours.within(at)
        assert told.value == pytest.approx(1 - theirs.surv_prob[place], abs=1e-12)
        assert np.sqrt((told.influence**2).sum()) == pytest.approx(theirs.surv_prob_se[place], rel=1e-9)
    assert ours.quantile(0.5).value == theirs.quantile(0.5)
    assert ours.quantile(0.5).limits(0.05) == pytest.approx(theirs.quantile_ci(0.5), abs=3)
    assert ours.within(71.0) is None, "nobody was followed that long"


def test_influence_of_a_client_is_what_a_little_more_weight_of_it_does():
    random = np.random.default_rng(3)
    n, client = 60, random.integers(0, 12, 60)
    time, has_happened, weight = (
        random.integers(1, 15, n).astype(float),
        random.random(n) < 0.7,
        random.uniform(1, 4, n),
    )

    def within(weights):
        return Times(time, has_happened, weights, client, 12).within(8.0).value

    told = Times(time, has_happened, weight, client, 12).within(8.0).influence
    for each in range(12):
        step = 1e-6
        assert told[each] == pytest.approx(
            (within(weight * (1 + step * (client == each))) - within(weight)) / step, abs=1e-5
        )


def test_quantile_without_censoring_is_that_of_numpy():
    value = np.random.default_rng(4).lognormal(3, 1, 101)
    told = Times(value, np.ones(101, bool), *alone(101), 101)

    for share in (0.5, 0.9):
        assert told.quantile(share).value == np.quantile(value, share, method="inverted_cdf")
    limits = proportion_confint(50, 100, as_normal(0.05, 101), "wilson")
    ends = [np.quantile(value, end, method="inverted_cdf") for end in limits]
    assert told.quantile(0.5).limits(0.05) == pytest.approx(ends)


def test_weights_of_those_seen_closing_give_the_cumulative_incidence():
    random = np.random.default_rng(5)
    times = random.exponential([[60], [45], [80]], (3, 400)).round() + 1  # won, lost, still open at the end
    time, outcome = times.min(axis=0), (times.argmin(axis=0) + 1) % 3  # 1 won, 2 lost, 0 open
    time, outcome = np.append(time, 1000.0), np.append(outcome, 0)
    theirs = CumIncidenceRight(time, outcome)

    weight = seen_closing(time, outcome > 0)

    assert weight[outcome == 0].sum() == 0
    for place, code in enumerate((1, 2)):
        assert weight[outcome == code].sum() / len(time) == pytest.approx(theirs.cinc[place][-1], abs=1e-12)


def test_clients_on_both_sides_make_the_difference_surer():
    level = np.random.default_rng(6).gamma(2, 3, 30)
    one = Values(level + 1, np.ones(30), np.arange(30), 60).mean
    same_clients = Values(level, np.ones(30), np.arange(30), 60).mean
    others = Values(level, np.ones(30), np.arange(30, 60), 60).mean

    low, high = difference(one, same_clients, 0.05)

    assert low < 1 < high < 2
    assert difference(one, others, 0.05)[0] < 0 < low


def test_too_few_clients_make_no_interval():
    few = Values(np.arange(40.0), np.ones(40), np.arange(40) % 9, 9)

    assert few.mean.limits(0.05) == few.share.limits(0.05) == (None, None)
    assert Times(np.empty(0), np.empty(0, bool), np.empty(0), np.empty(0, int), 1).quantile(0.5) is None


@pytest.mark.parametrize("kind", ["mean", "share", "quantile"])
def test_intervals_hold_the_difference_of_deals_in_clients(kind):
    """400 draws of 60 clients a side with up to 5 deals alike: of 95 % intervals, 92 to 98 % hold the truth."""
    random, held = np.random.default_rng(7), 0
    for _ in range(400):
        sides = []
        for first in (0, 60):
            client = np.repeat(np.arange(60), random.integers(1, 6, 60)) + first
            drift = random.normal(0, 1, 120)[client]
            n = len(client)
            if kind == "mean":
                sides.append(
                    Values(random.poisson(np.exp(0.5 * drift)).astype(float), random.uniform(1, 2, n), client, 120).mean
                )
            elif kind == "share":
                sides.append(
                    Values((random.normal(0, 1, n) + drift > 0.8).astype(float), np.ones(n), client, 120).share
                )
            else:
                sides.append(
                    Times(np.exp(drift + random.normal(0, 1, n)), np.ones(n, bool), np.ones(n), client, 120).quantile(
                        0.5
                    )
                )
        low, high = difference(*sides, 0.05)
        held += low <= 0 <= high
    assert 0.92 * 400 <= held <= 0.98 * 400, held / 400
