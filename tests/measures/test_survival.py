"""Cumulative incidence against statsmodels, closed forms and a published table."""

import numpy as np
import polars as pl
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from cadran.measures.survival import UNKNOWN, Incidence


def counts(time, outcome) -> pl.DataFrame:
    """One row per time, from one outcome per subject: 0 censored, 1 the event, 2 another."""
    subjects = pl.DataFrame({"time": time, "outcome": outcome})
    names = {"n_event": 1, "n_other": 2, "n_censored": 0}
    return subjects.group_by("time").agg(**{name: (pl.col("outcome") == code).sum() for name, code in names.items()})


def simulated(outcomes: int, seed: int):
    random = np.random.default_rng(seed)
    times = random.exponential(60, (outcomes + 1, 400)).round() + 1
    time, outcome = times.min(axis=0), times.argmin(axis=0)
    # Nothing has happened yet to the one followed longest: where nobody is left, statsmodels divides by zero.
    return np.append(time, 1000.0), np.append(outcome, 0)


def test_share_and_error_equal_statsmodels_with_competing_outcomes():
    time, outcome = simulated(2, seed=1)
    theirs = CumIncidenceRight(time, outcome)

    ours = Incidence.of(counts(time, outcome))

    here = np.isin(ours.time[1:], theirs.times)
    assert ours.share[1:][here] == pytest.approx(theirs.cinc[0], abs=1e-12)
    assert np.sqrt(ours.variance[1:][here]) == pytest.approx(theirs.cinc_se[0], rel=1e-9)


def test_median_and_error_equal_statsmodels_without_other_outcomes():
    time, outcome = simulated(1, seed=2)
    theirs = SurvfuncRight(time, outcome)

    ours = Incidence.of(counts(time, outcome))

    events = np.isin(ours.time, theirs.surv_times) & (ours.time > 0)
    assert 1 - ours.share[events] == pytest.approx(theirs.surv_prob, abs=1e-12)
    assert np.sqrt(ours.variance[events]) == pytest.approx(theirs.surv_prob_se, rel=1e-9)
    median, low, high = ours.quantile(0.5)
    assert median == theirs.quantile(0.5)
    # Another transformation, so another interval, but by no more than a few days.
    assert (low, high) == pytest.approx(theirs.quantile_ci(0.5), abs=4)


def test_published_remission_times():
    # Freireich et al. (1963), the 6-MP arm; Kalbfleisch and Prentice, table 1.2: S(6) = 0.857, S(10) = 0.753,
    # S(22) = 0.538, S(23) = 0.448, the median being 23 weeks.
    time = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    outcome = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]

    remission = Incidence.of(counts(time, outcome))

    assert [remission.open_after(week) for week in (6, 10, 22, 23)] == pytest.approx(
        [0.857, 0.753, 0.538, 0.448], abs=5e-4
    )
    assert np.sqrt(remission.variance[remission.time == 10]) == pytest.approx(0.0963, abs=5e-5)
    assert remission.quantile(0.5)[0] == 23
    assert remission.quantile(0.5)[2] is None  # the upper limit has not been reached
    assert remission.by(36) == UNKNOWN


@pytest.mark.parametrize("n_event", [0, 3, 10])
def test_interval_is_wilsons_when_everybody_is_followed(n_event):
    outcome = [1] * n_event + [2] * (10 - n_event)

    share, low, high = Incidence.of(counts(list(range(1, 11)), outcome)).by(20)

    assert share == pytest.approx(n_event / 10)
    assert (low, high) == pytest.approx(proportion_confint(n_event, 10, method="wilson"), abs=1e-9)


def test_interval_without_any_event_knows_how_few_were_followed():
    # 10 open for 30 days, 5 of them for 60: at day 45, 5 are known to be open still.
    _, low, high = Incidence.of(counts([30] * 5 + [60] * 5, [0] * 10)).by(45)

    assert (low, high) == pytest.approx(proportion_confint(0, 5, method="wilson"), abs=1e-9)


def test_nobody_at_all():
    nobody = Incidence.of(counts([], []).cast(pl.Int64))

    assert nobody.by(10) == UNKNOWN
    assert nobody.quantile(0.5) == UNKNOWN


def test_before_the_first_outcome_the_share_is_zero():
    share, low, high = Incidence.of(counts([5, 8], [1, 1])).by(4)

    assert (share, low) == (0, 0)
    assert high == pytest.approx(proportion_confint(0, 2, method="wilson")[1])


@pytest.mark.parametrize("seed", range(3))
def test_interval_covers_the_truth(seed):
    # Half exponential with mean 60 censored by another with mean 60: 300 draws, coverage of 95 % gives 285 +- 7.5.
    random = np.random.default_rng(seed)
    truth, hits = 1 - np.exp(-30 / 60), 0
    for _ in range(300):
        event, censoring = random.exponential(60, (2, 50))
        ours = Incidence.of(counts(np.minimum(event, censoring), (event <= censoring).astype(int)))
        _, low, high = ours.by(30)
        hits += low <= truth <= high
    assert hits >= 270


def clustered(seed: int, most: int = 6):
    """Times of 1 to `most` rows in each of 40 clusters, alike within each; with ties."""
    random = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(40), random.integers(1, most + 1, 40))
    alike = np.exp(random.normal(0, 1, 40))[cluster]
    event, censoring = random.exponential(20, len(cluster)) * alike, random.exponential(40, len(cluster))
    rows = {"cluster": cluster, "time": np.minimum(event, censoring).round() + 1, "is_event": event <= censoring}
    return pl.DataFrame(rows)


def test_clustered_variance_is_the_jackknife_of_weights():
    # Each cluster's influence is what the share gains per unit of its weight: here by plain differences.
    rows, step = clustered(seed=3), 1e-6
    cluster, time, event = (rows[name].to_numpy() for name in rows.columns)

    def share(weights, until):
        still_open = 1.0
        for at in np.unique(time[event & (time <= until)]):
            still_open *= 1 - weights[event & (time == at)].sum() / weights[time >= at].sum()
        return 1 - still_open

    ours = Incidence.of(counts(time, event.astype(int))).clustered(rows)

    for until in (3, 10, 25):
        equal = share(np.ones(len(time)), until)
        gains = [(share(1 + step * (cluster == each), until) - equal) / step for each in range(40)]
        place = np.flatnonzero(ours.time <= until)[-1]
        assert ours.variance[place] == pytest.approx(np.square(gains).sum() * 40 / 39, rel=1e-4)


def test_clusters_of_one_have_greenwoods_variance_and_copies_add_nothing():
    rows = clustered(seed=4, most=1)
    alone = Incidence.of(counts(rows["time"], rows["is_event"].cast(int)))
    theirs = SurvfuncRight(rows["time"].to_numpy(), rows["is_event"].cast(int).to_numpy())
    thrice = pl.concat([rows] * 3)

    ours = alone.clustered(rows)
    copied = Incidence.of(counts(thrice["time"], thrice["is_event"].cast(int))).clustered(thrice)

    events = np.isin(ours.time, theirs.surv_times) & (ours.time > 0)
    assert np.sqrt(ours.variance[events] * 39 / 40) == pytest.approx(theirs.surv_prob_se, rel=1e-9)
    assert copied.variance == pytest.approx(ours.variance, rel=1e-9)
    assert copied.by(10) == pytest.approx(ours.by(10))
    assert copied.quantile(0.5) == ours.quantile(0.5)
