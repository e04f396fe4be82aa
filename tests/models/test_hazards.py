"""Hazards: the chance to be won by any day, against slow loops and statsmodels; what no model may do."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from looks import UNTIL, few_trees, lives, looked_at, snapshots
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight

from cadran.models import hazards as module
from cadran.models.design import WINDOWS
from cadran.models.hazards import count_rates, interval_95, weight_of, won_within
from cadran.models.hazards_boosted import fit_boosting
from cadran.models.hazards_logit import _seasons, fit_logit
from cadran.models.landmarks import BEYOND, ENDED, ENDS, N_PERIODS, OPEN, WON


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Few trees."""
    patch = few_trees()
    yield
    patch.undo()


LENGTHS = np.append(np.diff(np.append(0, ENDS)), BEYOND)
DAYS = [0, 1, 13.5, 14, 27, 28, 60, 91, 100, 182, 183, 364, 500, 2_000, 1e5, np.inf]


def shares(n: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet([6, 1, 1], (n, N_PERIODS))


def day_by_day(of_deal: np.ndarray, days: int) -> float:
    """Share won within so many days, walking from one to the next."""
    is_open, won, period, left = 1.0, 0.0, 0, LENGTHS[0]
    for _ in range(days):
        stay, win, end = of_deal[period]
        gone = 1 - stay ** (1 / LENGTHS[period])
        won += is_open * gone * win / (win + end)
        is_open *= 1 - gone
        left -= 1
        if not left:
            period = min(period + 1, N_PERIODS - 1)
            left = LENGTHS[period]
    return won


@pytest.mark.parametrize("days", [1, 14, 15, 50, 182, 200, 800])
def test_within_days_against_a_walk(days):
    given = shares()

    assert won_within(given, [days])[:, 0] == pytest.approx([day_by_day(each, days) for each in given], abs=1e-12)


def test_ever_is_the_limit_of_a_long_walk_and_nobody_is_won_before_the_first_day():
    given = np.random.default_rng(0).dirichlet([3, 1, 1], (5, N_PERIODS))

    assert won_within(given, [np.inf])[:, 0] == pytest.approx([day_by_day(each, 20_000) for each in given], abs=1e-7)
    assert (won_within(given, [0, -3]) == 0).all()


def test_rising_within_0_and_1_with_both_ends_making_1():
    given = shares(50).astype(np.float32)
    told = won_within(given, DAYS)

    assert (np.diff(told) >= -1e-6).all()
    assert ((told >= 0) & (told <= 1)).all()
    assert (told[:, -1:] >= told - 1e-6).all()
    lost = won_within(given[..., [OPEN, ENDED, WON]], [np.inf])
    assert told[:, -1:] + lost == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("of_period", "ever"),
    [
        ([1, 0, 0], 0),  # nothing ever comes of it
        ([0, 1, 0], 1),
        ([0, 0, 1], 0),
        ([1 - 2e-9, 1e-9, 1e-9], 0.5),  # in float32 the first is 1
        ([1, 1e-12, 3e-12], 0.25),
    ],
)
def test_extreme_shares(of_period, ever):
    given = np.tile(np.array(of_period, np.float32), (1, N_PERIODS, 1))

    assert won_within(given, [np.inf])[0, 0] == pytest.approx(ever, abs=1e-6)
    assert 0 <= won_within(given, [30.0])[0, 0] <= 1


def test_the_constant_is_the_cumulative_incidence_of_aalen_and_johansen(monkeypatch):
    # Followed to the end of some period each; those still open then are censored.
    monkeypatch.setattr(module, "PRIOR", 1e-9)
    monkeypatch.setattr(module, "HALF_LIFE", np.inf)
    random = np.random.default_rng(1)
    n = 400
    followed = random.choice(ENDS, n)
    lived = random.exponential(120, n)
    fate = np.where(lived > followed, OPEN, np.where(random.random(n) < 0.3, WON, ENDED))
    lived = np.minimum(lived, followed)
    frame = pl.DataFrame({"deal": np.arange(n), "at": UNTIL - followed, "end": UNTIL - followed + lived, "fate": fate})
    taken = snapshots(frame)

    told = won_within(count_rates(taken, by_stage=False).shares(taken.facts[:1], UNTIL), ENDS.tolist())[0]

    curve = CumIncidenceRight(lived, fate)
    expected = [curve.cinc[0][np.searchsorted(curve.times, end, side="right") - 1] for end in ENDS]
    assert told == pytest.approx(expected, abs=1e-6)
    naive = [((fate == WON) & (lived <= end)).mean() for end in ENDS]
    assert told[-1] > naive[-1] + 0.01  # the censored ones are not as good as lost


def test_the_prior_of_few_deals_is_an_even_guess_and_no_deal_gives_it():
    nothing = looked_at(lives(0))
    of_one = pl.DataFrame({"stage": ["Prospect"]})

    rates = count_rates(nothing, by_stage=True)

    assert rates.shares(of_one, UNTIL) == pytest.approx(np.full((1, N_PERIODS, 3), 1 / 3))
    drawn = won_within(rates.drawn(of_one, UNTIL, 400), [np.inf])
    assert np.quantile(drawn, 0.025) < 0.1
    assert np.quantile(drawn, 0.975) > 0.9


def test_stages_are_drawn_to_all_deals_and_unknown_ones_are_like_all():
    frame = pl.DataFrame({
        "deal": range(100), "at": [UNTIL - 100.0] * 100, "stage": ["A"] * 90 + ["B"] * 10,
        "end": [UNTIL - 95.0] * 100, "fate": [WON] * 45 + [ENDED] * 45 + [WON] * 10,
    })  # fmt: skip
    rates = count_rates(snapshots(frame), by_stage=True)

    told = rates.shares(pl.DataFrame({"stage": ["A", "B", "never met", None]}), UNTIL)[:, 0]

    overall = np.array([0, 55, 45]) + 1 / 3
    for other in told[2:]:
        assert other == pytest.approx(overall / overall.sum())
    of_b = np.array([0, 10, 0]) + 10 * overall / overall.sum()
    assert told[1] == pytest.approx(of_b / of_b.sum())


def test_many_looks_at_one_deal_are_one_deal():
    one = pl.DataFrame({"deal": [0, 1], "at": [UNTIL - 50.0] * 2, "end": [UNTIL - 45.0] * 2, "fate": [WON, ENDED]})
    many = pl.concat([one.filter(deal=0)] * 1 + [one.filter(deal=1)] * 1 + [one] * 9)

    single, repeated = (count_rates(snapshots(frame), False).counts for frame in (one, many))

    assert repeated == pytest.approx(single)


# ---- fitted models ----

FITTED = {
    "constant": lambda past: count_rates(past, False),
    "stage rates": lambda past: count_rates(past, True),
    "logit": lambda past: fit_logit(past, ridge=20.0),
    "boosting": fit_boosting,
}


@pytest.fixture(scope="module")
def taken():
    return looked_at(lives(700, seed=1))


@pytest.fixture(scope="module")
def fitted(taken):
    return {name: fit(taken) for name, fit in FITTED.items()} | {"boosting": fit_boosting(taken, n_resampled=3)}


@pytest.mark.parametrize("name", FITTED)
def test_shares_sum_to_1_and_chances_rise(fitted, taken, name):
    facts = taken.facts[:40]

    told = fitted[name].shares(facts, UNTIL)

    assert told.shape == (40, N_PERIODS, 3)
    assert told.sum(axis=-1) == pytest.approx(1, abs=1e-5)
    assert (told >= 0).all()
    chances = won_within(told, DAYS)
    assert (np.diff(chances) >= -1e-6).all()
    assert ((chances >= 0) & (chances <= 1 + 1e-6)).all()
    one_by_one = np.concatenate([fitted[name].shares(facts[each : each + 1], UNTIL) for each in range(5)])
    assert one_by_one == pytest.approx(told[:5], abs=1e-6)
    each_its_day = fitted[name].shares(facts, np.full(40, UNTIL))
    assert each_its_day == pytest.approx(told, abs=1e-6)


@pytest.mark.parametrize("name", FITTED)
def test_the_same_models_are_drawn_each_time_and_for_any_part(fitted, taken, name):
    facts = taken.facts[:30]

    first = fitted[name].drawn(facts, UNTIL, 12)

    assert first.shape == (12, 30, N_PERIODS, 3)
    assert (fitted[name].drawn(facts, UNTIL, 12) == first).all()
    assert fitted[name].drawn(facts[10:20], UNTIL, 12) == pytest.approx(first[:, 10:20], abs=1e-6)
    assert first.std(axis=0).max() > 0


def test_few_resampled_fits_give_intervals_of_students_t(taken):
    boosted, facts = fit_boosting(taken, n_resampled=4), taken.facts[:5]

    told = np.log(boosted.drawn(facts, UNTIL, 20_000))

    low, high = interval_95(told[..., 1] - told[..., 0])
    fits = [np.log(replace(boosted, trees=trees).shares(facts, UNTIL)) for trees in boosted.resampled]
    far = stats.t.ppf(0.975, 3) * np.std([fit[..., 1] - fit[..., 0] for fit in fits], axis=0, ddof=1)
    fit = np.log(boosted.shares(facts, UNTIL))
    assert (low + high) / 2 == pytest.approx(fit[..., 1] - fit[..., 0], abs=0.05 * far.max())
    assert (high - low) / 2 == pytest.approx(far, rel=0.04)


def test_one_fit_tells_no_doubt(taken):
    with pytest.raises(ValueError, match="doubt"):
        fit_boosting(taken).drawn(taken.facts[:5], UNTIL, 9)


def test_the_logit_finds_what_tells_and_the_constant_does_not(fitted, taken):
    telling = taken.facts[:2].with_columns(amount_change=pl.Series([-3.0, 3.0]), n_meetings=pl.lit(1.0))

    for name in ("logit", "boosting"):
        low, high = won_within(fitted[name].shares(telling, UNTIL), [np.inf])[:, 0]
        assert high > low + 0.2, name
    low, high = won_within(fitted["constant"].shares(telling, UNTIL), [np.inf])[:, 0]
    assert low == high == pytest.approx(taken.keep(taken.outcome != OPEN).outcome.mean() * 0 + low)


@pytest.mark.parametrize("name", FITTED)
def test_new_categories_and_unknown_facts_are_ordinary(fitted, taken, name):
    strange = taken.facts[:3].with_columns(
        stage=pl.Series(["renamed", None, "Propose"]), deal_type=pl.Series([None, "gift", "new"]),
        competitor=pl.Series(["Acme", None, None]), age_days=pl.Series([None, 1e6, -3.0]),
        n_meetings=pl.lit(None, pl.Float64), amount_change=pl.lit(None),
    )  # fmt: skip

    chances = won_within(fitted[name].shares(strange, UNTIL), DAYS)

    assert np.isfinite(chances).all()
    assert ((chances >= 0) & (chances <= 1 + 1e-6)).all()
    assert len(fitted[name].shares(strange.clear(), UNTIL)) == 0
    assert fitted[name].drawn(strange.clear(), UNTIL, 4).shape[1] == 0


@pytest.mark.parametrize("name", list(FITTED))
def test_nothing_later_than_the_day_changes_what_was_learnt(name):
    whole, day = looked_at(lives(500, seed=2)), UNTIL - 300
    mutated = looked_at(lives(500, seed=2))
    random = np.random.default_rng(0)
    later = mutated.known > day
    mutated.outcome[later] = random.choice([OPEN, WON, ENDED], later.sum())
    mutated.end[later] = mutated.known[later] = day + random.uniform(0.1, 299, later.sum())
    mutated.weight[mutated.at >= day] *= 7
    changed = pl.Series(mutated.at >= day)
    facts = mutated.facts.with_columns(
        pl.when(changed).then(pl.lit(99.0)).otherwise(pl.col(each)).alias(each)
        for each in ("amount_change", "n_meetings")
    ).with_columns(stage=pl.when(changed).then(pl.lit("later")).otherwise("stage"))
    mutated = type(mutated)(**{**vars(mutated), "facts": facts, "until": UNTIL + 500})
    asked = whole.facts[:60]

    told, then = (FITTED[name](each.known_on(day)).shares(asked, day) for each in (whole, mutated))

    assert (told == then).all()
    if name != "boosting":  # which takes long
        now = FITTED[name](whole).shares(asked, day)
        assert np.abs(now - told).max() > 1e-4  # what came later does tell


def test_recent_rows_weigh_more(taken):
    rows = taken.rows()
    weight = weight_of(taken, rows)

    assert weight.mean() == pytest.approx(1)
    plain = weight / taken.weight[rows.of]
    ago = UNTIL - rows.start
    assert plain / plain[0] == pytest.approx(0.5 ** ((ago - ago[0]) / 730))


def test_the_season_of_a_period_by_counting_its_days():
    start, length = np.array([20_000.7, 19_990, 0]), np.array([14.0, 182, 364])

    for told, first, span in zip(_seasons(start, length), np.floor(start), length, strict=True):
        days = (first + np.arange(span)).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
        assert told == pytest.approx(np.bincount(days, minlength=12) / span - 1 / 12)


# ---- too little, or strange ----


@pytest.mark.parametrize("fate", [WON, ENDED, OPEN])
def test_where_an_outcome_is_never_met_the_simple_rules_alone_speak(fate):
    told = lives(120)
    told = told.with_columns(fate=pl.when(pl.col("fate") == fate).then(WON if fate != WON else ENDED).otherwise("fate"))
    taken = looked_at(told)
    taken = taken if fate != OPEN else taken.keep(taken.end - taken.at < 14)

    for name in ("logit", "boosting"):
        with pytest.raises(ValueError, match="never met"):
            FITTED[name](taken)
    for name in ("constant", "stage rates"):
        assert np.isfinite(FITTED[name](taken).shares(taken.facts[:3], UNTIL)).all()


@pytest.mark.parametrize("name", ["logit", "boosting"])
def test_no_look_yet_is_told_as_too_little(name):
    with pytest.raises(ValueError, match="never met"):
        FITTED[name](looked_at(lives(0)))


def test_a_fact_known_of_the_latest_looks_alone_breaks_nothing(taken):
    # As where a source of touches began a week ago: no period of these looks is over.
    fresh = pl.Series(taken.at > UNTIL - 10)
    facts = taken.facts.with_columns(
        n_touches=pl.when(fresh).then(pl.Series(np.arange(len(taken)) % 7)), rep_id=pl.lit("r1")
    )
    late = type(taken)(**{**vars(taken), "facts": facts})

    for name in ("logit", "boosting"):
        assert np.isfinite(FITTED[name](late).shares(facts[:5], UNTIL)).all()


@pytest.mark.parametrize("name", ["logit", "boosting"])
def test_what_is_kept_up_from_now_on_tells_in_every_period_as_in_the_first(fitted, taken, name):
    facts = taken.facts[:20]
    otherwise = facts.with_columns(pl.col("n_meetings") + 2)
    as_is, done = (fitted[name].shares(each, UNTIL) for each in (facts, otherwise))

    kept_up = fitted[name].shares(facts, UNTIL, otherwise)

    assert kept_up[:, 0] == pytest.approx(done[:, 0], abs=1e-5)
    assert fitted[name].shares(facts, UNTIL, facts) == pytest.approx(as_is, abs=1e-6)
    if name == "logit":
        gained = _odds(kept_up) - _odds(as_is)
        assert gained == pytest.approx(np.broadcast_to(gained[:, :1], gained.shape), abs=1e-3)


def test_what_is_done_window_after_window_adds_up_as_the_past_of_each_age_tells(fitted, taken, monkeypatch):
    facts, middles = taken.facts[:20], module.MIDDLES
    otherwise = facts.with_columns(pl.col("n_meetings") + 2)
    as_is, done = (_odds(fitted["logit"].shares(each, UNTIL)) for each in (facts, otherwise))
    monkeypatch.setitem(WINDOWS, "n_meetings", 28.0)

    kept_up = _odds(fitted["logit"].shares(facts, UNTIL, otherwise))

    # What meetings so long ago go with: two periods tell the line in the logarithm of days.
    slope = ((done - as_is)[:, 5] - (done - as_is)[:, 0]) / np.log(middles[5] / middles[0])
    for period, middle in enumerate(middles):
        told = 0
        for ago in np.arange(0, middle, 28):
            told += min((middle - ago) / 28, 1) * (
                (done - as_is)[:, 0] + slope * np.log((middles[0] + ago) / middles[0])
            )
        assert (kept_up - as_is)[:, period] == pytest.approx(told, abs=2e-3)


def test_trees_see_a_count_fill_up_with_what_is_done_now(fitted, taken, monkeypatch):
    facts = taken.facts[:20]
    otherwise = facts.with_columns(pl.col("n_meetings") + 2)
    monkeypatch.setitem(WINDOWS, "n_meetings", 28.0)

    kept_up, done = (fitted["boosting"].shares(*each) for each in ((facts, UNTIL, otherwise), (otherwise, UNTIL)))

    assert kept_up[:, 2:] == pytest.approx(done[:, 2:], abs=1e-6)
    scaled = np.log1p(facts["n_meetings"].to_numpy()), np.log1p(otherwise["n_meetings"].to_numpy())
    partly = facts.with_columns(n_meetings=pl.Series(np.expm1(scaled[0] + (scaled[1] - scaled[0]) * 7 / 28)))
    assert kept_up[:, 0] == pytest.approx(fitted["boosting"].shares(partly, UNTIL)[:, 0], abs=1e-6)


def _odds(shares):
    """Log-odds of being won against staying open."""
    return np.log(shares[..., WON] / shares[..., OPEN])


@pytest.mark.parametrize("n", [39, 100, 200])
def test_the_interval_of_draws_holds_95_in_100(n):
    drawn = np.random.default_rng(n).random((n, 20_000))

    low, high = interval_95(drawn)

    assert (high - low).mean() == pytest.approx(0.95, abs=0.001)
