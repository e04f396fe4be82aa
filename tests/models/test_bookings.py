"""Bookings to come: futures drawn fast against brute force, levers against what they should do, and what is not known."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import signed
from known import Known, model_of, untaught
from scipy.special import ndtr

from cadran.models import bookings as module
from cadran.models import futures
from cadran.models.amounts import became, signed_amounts
from cadran.models.bookings import of_model
from cadran.models.events import Events
from cadran.models.hazards import won_within
from cadran.models.landmarks import N_PERIODS
from cadran.models.pulls import Held, Limits, Pulls, factors, limits, with_odds
from cadran.tables.problems import Problem

DAY = date(2026, 6, 30)
ENDS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


class Slow(Known):
    """One deal in three is won in the end, more of it early."""

    def _shares(self, facts, slopes):
        told = super()._shares(facts, slopes)
        told[..., 0] = 0.6
        told[..., 1:] *= 0.4
        return told


class Answering(Known):
    """Answering clients adds `slope` to the log-odds of winning; `doubt` is the standard error of it, and of the level."""

    def shares(self, facts, day, instead=None):
        return self._of(facts, np.array([self.level + self.slope * (instead is not None)]))[0]

    def drawn(self, facts, day, n, instead=None):
        levels, slopes = np.random.default_rng(0).normal([[self.level], [self.slope]], self.doubt, (2, n))
        return self._of(facts, levels + slopes * (instead is not None))

    def _of(self, facts, odds):
        won = np.repeat(1 / (1 + np.exp(-odds))[:, None], len(facts), axis=1)
        told = np.stack([np.full_like(won, 0.6), 0.4 * won, 0.4 * (1 - won)], axis=-1)
        return np.repeat(told[:, :, None], N_PERIODS, axis=2)


def model(day=DAY, hazards=None):
    return replace(model_of(hazards or Slow(level=-0.7)), day=float((day - date(1970, 1, 1)).days + 1))


def past():
    """Three years: four deals won a month, and as many lost."""
    rows = []
    for seller, amount in (("r1", 100), ("r2", 150), ("r3", 60), ("r4", 200)):
        for turn in range(36):
            first = date(2023 + (6 + turn) // 12, (6 + turn) % 12 + 1, 3)
            rows.append({"status": "won", "created": first, "closed": first.replace(day=25), "rep_id": seller,
                         "amount": amount * (1 + turn % 5)})  # fmt: skip
            rows.append({"status": "lost", "created": first, "closed": first.replace(day=20), "rep_id": seller})
    return rows


OPEN = [{"rep_id": f"r{1 + turn % 4}", "amount": 50.0 * (1 + turn % 7)} for turn in range(120)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return of_model(signed.book(tmp_path_factory.mktemp("bookings"), past() + OPEN, DAY), model(), 6)


def totals(drawn, months):
    return drawn.bookings.sum(axis=1)[:, :months].sum(axis=1)


PULLED = Pulls(win_odds=((None, 1.2),), size=1.1, cycle=0.85, arrivals=((None, 1.2), ("North", 0.9)))


@pytest.mark.parametrize("pulls", [Pulls(), PULLED])
def test_futures_have_the_quantiles_of_brute_force(made, pulls):
    drawn, exact = made.drawn(pulls, 2000), made.exact(pulls, 2000)

    for months in (1, 3, 6):
        fast, slow = (np.quantile(totals(each, months), ENDS) for each in (drawn, exact))
        np.testing.assert_allclose(fast, slow, rtol=0.08)  # the noise of 2,000 futures, largest at the ends
    np.testing.assert_allclose(drawn.wins.mean(axis=0), exact.wins.mean(axis=0), rtol=0.08)


@pytest.mark.parametrize("pulls", [Pulls(), PULLED])
def test_deals_that_are_not_drawn_one_by_one_have_the_quantiles_of_brute_force_too(made, pulls, monkeypatch):
    monkeypatch.setattr(futures, "MOST_EVENTS", 1)
    monkeypatch.setattr(futures, "LEAST_DEALS", 10)
    some = replace(made, _kept={})

    drawn, exact = some.drawn(pulls, 2000), made.exact(pulls, 2000)

    assert some._futures(2000).rest is not None
    for months in (1, 3, 6):
        fast, slow = (np.quantile(totals(each, months), ENDS) for each in (drawn, exact))
        np.testing.assert_allclose(fast, slow, rtol=0.1)
    # Sellers too, whose months are nowhere below nothing.
    np.testing.assert_allclose(drawn.bookings.mean(axis=0), exact.bookings.mean(axis=0), rtol=0.25)
    spreads = [each.bookings.sum(axis=2).std(axis=0) for each in (drawn, exact)]
    np.testing.assert_allclose(*spreads, rtol=0.2)
    assert drawn.bookings.min() >= 0


def test_open_deals_are_won_as_often_as_the_model_says(tmp_path):
    made = of_model(signed.book(tmp_path, past()[:8] + OPEN, DAY), model(), 12)
    ever = made.stock.ever()

    won = made.chances().open_won

    np.testing.assert_allclose(ever, 1 / (1 + np.exp(0.7)), rtol=1e-6)
    assert (np.diff(won, axis=1) > 0).all()
    assert (won[:, -1] < ever).all()
    np.testing.assert_allclose(won[:, -1], ever, rtol=0.05)


def test_faster_deals_are_won_sooner_and_are_open_less(made):
    assert (made.stock.won(0.8) > made.stock.won()).all()
    assert (made.stock.is_open(0.8)[:, 1:] < made.stock.is_open()[:, 1:]).all()


def test_months_of_one_seller_go_against_one_another_as_no_deal_is_won_twice(made, monkeypatch):
    monkeypatch.setattr(futures, "MOST_EVENTS", 1)
    monkeypatch.setattr(futures, "LEAST_DEALS", 0)
    rest = replace(made, _kept={})._futures(10).rest

    spread = rest._open(made.chances())[2]

    mean, square = futures.amount_moments(made)
    share = np.diff(made.chances().open_won, axis=1, prepend=0)
    slow = np.zeros_like(spread)
    for deal, seller in enumerate(made.stock.seller):
        for one in range(6):
            for other in range(6):
                slow[seller, one, other] -= mean[deal] ** 2 * share[deal, one] * share[deal, other]
            slow[seller, one, one] += square[deal] * share[deal, one]
    np.testing.assert_allclose(spread, slow, rtol=1e-5, atol=1e-5 * np.abs(slow).max())
    assert (spread[:, 0, 1] < 0).all()


def test_a_lever_shows_itself_and_no_noise(made):
    as_now, larger, more = (made.drawn(pulls) for pulls in (Pulls(), Pulls(size=1.1), Pulls(arrivals=((None, 1.2),))))

    np.testing.assert_allclose(larger.bookings, 1.1 * as_now.bookings)
    assert (more.wins >= as_now.wins).all()
    np.testing.assert_allclose(more.created, 1.2 * as_now.created)


@pytest.mark.parametrize(
    ("pulls", "moves"),
    [
        (Pulls(win_odds=((None, 1.2),)), 1), (Pulls(win_odds=((None, 0.9),)), -1), (Pulls(cycle=0.8), 1),
        (Pulls(arrivals=(("North", 1.2),)), 1), (Pulls(win_odds=(("no such segment", 1.2),)), 0),
    ],
)  # fmt: skip
def test_levers_move_bookings_the_way_they_should(made, pulls, moves):
    assert np.sign(made.drawn(pulls).bookings.sum() - made.drawn().bookings.sum()) == moves


ANSWERED = Pulls(answer_hours=4)


def answering(folder, doubt, level=-0.7):
    hazards = Answering(level=level, slope=0.5, doubt=doubt)
    return of_model(signed.book(folder, past() + OPEN, DAY), model(hazards=hazards), 6)


@pytest.fixture(scope="module")
def in_doubt(tmp_path_factory):
    return answering(tmp_path_factory.mktemp("answering"), 0.3)


def wins_more_by_model(made):
    """(draws,) open deals won more by the win model's own draws, and new ones with the odds that it draws."""
    hazards, chances = made.stock.model.hazards, made.chances()
    drawn = (hazards.drawn(made.stock.facts, 0, 100, instead) for instead in (None, made.stock.facts))
    now, then = (won_within(shares, [float(made.stock.horizon.ends[-1])]).sum(axis=(1, 2)) for shares in drawn)
    odds = np.exp(np.random.default_rng(0).normal(0, hazards.doubt, (2, 100))[1] + hazards.slope)
    more = then - now
    for cell, ever in enumerate(made.arrivals.fates.ever):
        by_end = chances.new[cell] @ chances.new_won[cell, :, -1] / ever
        more += by_end * (odds * ever / (1 - ever + odds * ever) - ever)
    return more


def test_what_could_be_won_is_put_in_order_again_by_the_same_luck():
    rng = np.random.default_rng(0)
    cell, row, luck = np.repeat([0, 1], 50), rng.integers(3, size=100), rng.standard_normal(100)
    before, after, moved = np.array([1.1, 1.2]), np.array([1.3, 1.5]), rng.normal(size=(3, 2))
    events = Events.of(cell, ndtr(luck / before[cell]), np.arange(100), np.arange(100.0))

    told = events.moved(moved, before, after, row[events.place])

    afresh = cell + ndtr((luck - moved[row, cell]) / after[cell])
    np.testing.assert_allclose(told.drawn, np.sort(afresh), atol=1e-6)
    np.testing.assert_array_equal(told.place, np.argsort(afresh))
    np.testing.assert_array_equal(told.amount, told.place)


@pytest.mark.parametrize("how", ["drawn", "exact", "rest"])
def test_what_answers_change_is_as_doubtful_in_the_futures_as_in_the_win_model(in_doubt, how, monkeypatch):
    made, n = in_doubt, 1000
    if how == "rest":
        monkeypatch.setattr(futures, "MOST_EVENTS", 1)
        monkeypatch.setattr(futures, "LEAST_DEALS", 10)
        made = replace(made, _kept={})
    draw = made.exact if how == "exact" else made.drawn
    more = draw(ANSWERED, n).wins.sum(axis=(1, 2)) - draw(Pulls(), n).wins.sum(axis=(1, 2))

    expected = wins_more_by_model(made)
    slope, _ = np.polyfit(expected[np.arange(n) % 100], more, 1)
    by_model = more.reshape(-1, 100)

    assert slope == pytest.approx(1, abs=0.1)
    # Of one model's futures luck alone makes a difference; of their means, a tenth of its variance is left.
    luck = by_model.var(axis=0, ddof=1).mean()
    assert np.sqrt(by_model.mean(axis=0).var() - luck / 10) == pytest.approx(expected.std(), rel=0.15)
    assert more.mean() == pytest.approx(expected.mean(), rel=0.05)


def test_where_each_model_drawn_is_the_same_what_answers_change_is_in_no_doubt(tmp_path):
    made = answering(tmp_path, 0.0)
    pulled, as_told = made.drawn(ANSWERED), made._futures(400).drawn(made.chances(ANSWERED))

    assert pulled.wins.sum() > made.drawn().wins.sum()
    np.testing.assert_array_equal(pulled.wins, as_told.wins)
    np.testing.assert_allclose(pulled.bookings, as_told.bookings)


def test_what_is_expected_of_answers_is_what_the_model_says_however_great_the_doubt(tmp_path):
    made = answering(tmp_path, 0.8, level=-2.5)
    chances = made.chances(ANSWERED)

    pulled, as_told = made.drawn(ANSWERED), made._futures(400).drawn(chances)

    assert pulled.wins.sum() == pytest.approx(as_told.wins.sum(), rel=0.03)
    assert made.exact(ANSWERED, 400).wins.sum() == pytest.approx(pulled.wins.sum(), rel=0.06)


def test_the_order_of_few_answers_is_kept(in_doubt):
    answers = (72.0, 48.0, 24.0, 8.0, 4.0, 1.0)
    for answer in answers:
        in_doubt.drawn(Pulls(answer_hours=answer), 20)

    kept = in_doubt._futures(20)
    assert list(kept._kept) == list(answers[-futures.MOST_ANSWERS :])
    assert kept.answered(1.0) is kept.answered(1.0)
    assert kept.answered(None) is kept


def test_odds_are_multiplied():
    assert with_odds(np.array([0.5, 0.2, 0.0, 1.0]), np.array(2.0)) == pytest.approx([2 / 3, 1 / 3, 0, 1])
    assert factors(((None, 2.0), ("a", 3.0)), ["a", "b", None]) == pytest.approx([6, 2, 2])


def test_a_lever_beyond_the_past_is_held_and_said():
    told = Limits({("size", None): (0.8, 1.5)}, (1, 72))

    kept, said = told.held(Pulls(size=9.0, arrivals=(("West", 0.1),), answer_hours=0.1))

    assert (kept.size, kept.arrivals, kept.answer_hours) == (1.5, (("West", 0.8),), 1)
    assert said == (
        Held("answer_hours", None, 0.1, 1), Held("size", None, 9.0, 1.5), Held("arrivals", "West", 0.1, 0.8),
    )  # fmt: skip
    kept, said = told.held(Pulls(arrivals=((None, 1.2), ("West", 1.1), (None, 1.2))))
    assert kept.arrivals == ((None, 1.25), ("West", 1.1)), "pulled twice, it is held once, as one"
    assert said == (Held("arrivals", None, pytest.approx(1.44), 1.25),)
    assert Limits().held(Pulls(answer_hours=4))[0].answer_hours is None
    assert limits([10, 20, 10]) == (0.8, 2.0)
    assert limits([]) == (0.8, 1.25)


def test_new_deals_beyond_what_is_drawn_are_not_counted_as_created(made):
    """All new deals three times as many, and one region's three times as many of these, are three times as many."""
    region = made.arrivals.cells[0][2]
    seen = dict(made.limits.seen) | dict.fromkeys((("arrivals", None), ("arrivals", region)), (1 / 3, 3.0))
    wide = replace(made, limits=replace(made.limits, seen=seen), _kept={})
    once, twice = (wide.drawn(Pulls(arrivals=pulls)) for pulls in (((None, 3.0),), ((None, 3.0), (region, 3.0))))

    np.testing.assert_allclose(twice.created, once.created)
    np.testing.assert_allclose(twice.bookings, once.bookings)


def test_what_was_signed_this_month_is_known(tmp_path):
    before = [each for each in past() if each["closed"] < date(2026, 6, 1)]
    won = [{"status": "won", "created": date(2026, 5, 4), "closed": date(2026, 6, 5), "amount": amount, "rep_id": "r2"}
           for amount in (500.0, None)]  # fmt: skip
    made = of_model(signed.book(tmp_path, before + won, date(2026, 6, 15)), model(date(2026, 6, 15)), 3)

    drawn, of_r2 = made.drawn(), made.sellers["rep_id"].to_list().index("r2")

    assert made.months[0] == date(2026, 6, 1)
    assert made.known[of_r2, 0] == 500, "what nobody knows is in no sum, as in every past month"
    assert (made.n_unknown, made.n_won_unknown) == (0, 1)
    assert drawn.bookings[:, of_r2, 0].min() >= made.known[of_r2, 0] - 1e-9
    assert drawn.wins[:, of_r2, 0].min() == 2


def test_an_unknown_amount_is_not_nothing(tmp_path):
    made = of_model(signed.book(tmp_path, [*past(), {"amount": None, "rep_id": "r1"}], DAY), model(), 3)

    mean, _ = futures.amount_moments(made)

    assert made.n_unknown == 1
    assert mean == pytest.approx(made.amounts.moments()[1])
    assert mean[0] > 100


def test_deals_of_which_no_chance_is_told_are_counted_and_stay_open(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_told", lambda model, facts: pl.Series([False, True] * (len(facts) // 2)))
    half = of_model(signed.book(tmp_path, past() + OPEN, DAY), model(), 3)

    drawn, told = half.drawn(), half.silent.select(pl.col("n", "amount", "n_unknown").sum()).row(0, named=True)

    assert told == {"n": 60, "amount": pytest.approx(sum(each["amount"] for each in OPEN[::2])), "n_unknown": 0}
    assert len(half.stock) == 60
    assert drawn.opened[:, -1].sum() > 60


def test_no_open_deal_is_a_stock_of_none(tmp_path):
    made = of_model(signed.book(tmp_path, past(), DAY), model(), 3)

    drawn = made.drawn()

    np.testing.assert_array_equal(made.drawn(ANSWERED).bookings, drawn.bookings)
    assert made.exact(ANSWERED, 10).bookings.mean() > 0
    assert drawn.bookings.mean() > 0
    assert drawn.created.sum() > 0


@pytest.mark.parametrize(
    ("deals", "why"),
    [
        ([], "no deal is open"), (OPEN, "No deal has been won yet"),
        ([each | {"amount": None} for each in past()], "none has a known amount"),
    ],
)  # fmt: skip
def test_without_a_signed_amount_nothing_is_told(tmp_path, deals, why):
    with pytest.raises(Problem, match=why):
        of_model(signed.book(tmp_path, deals, DAY), model(), 3)


def test_where_no_day_of_creation_is_known_only_open_deals_are_foreseen(make_book):
    deals = [{"status": "won", "closed": date(2026, 1 + turn, 5), "amount": 100, "rep_id": "r1"} for turn in range(6)]
    made = of_model(make_book([*deals, {"rep_id": "r1", "amount": 70.0}]), model(), 3)

    drawn, exact = made.drawn(), made.exact(n=400)

    assert drawn.created.sum() == 0
    assert 0 < drawn.wins.mean() < 1
    assert drawn.bookings.mean() == pytest.approx(exact.bookings.mean(), rel=0.3)


def test_where_no_chance_can_be_told_nothing_is(tmp_path):
    with pytest.raises(Problem, match="No chance can be told"):
        of_model(signed.book(tmp_path, past(), DAY), replace(untaught(), day=1.0), 3)


def test_who_sells_nothing_new_has_what_is_open_alone(tmp_path):
    """Nobody has had a new deal within a year: as in an export that stopped."""
    day = date(2028, 6, 30)
    made = of_model(signed.book(tmp_path / "a", [*past(), {"rep_id": "r1", "created": DAY}], day), model(day), 3)
    told = [made.drawn(Pulls(arrivals=(("North", 1.2),), cycle=0.9, answer_hours=4)), made.exact(n=50)]

    assert made.arrivals.expected.shape == (0, 3)
    assert all(np.isfinite(each.bookings).all() and each.created.sum() == 0 for each in told)
    assert made.drawn().wins.sum() > 0
    with pytest.raises(Problem, match="Nobody"):
        of_model(signed.book(tmp_path / "b", past(), day), model(day), 3)


def test_one_open_deal_and_one_won(tmp_path):
    drawn = of_model(
        signed.book(tmp_path, past()[:1] + OPEN[:1], date(2028, 2, 29)), model(date(2028, 2, 29)), 3
    ).drawn()

    assert np.isfinite(drawn.bookings).all()
    assert 0 < drawn.wins.mean() < 1


def test_what_amounts_became_is_learnt_as_far_as_deals_tell_it(make_book):
    deals = [{"opportunity_id": f"d{turn}"} for turn in range(60)]
    versions = [
        {"opportunity_id": f"d{turn}", "valid_from": since, "status": status, "stage": "Prospect", "amount": amount}
        for turn in range(60) for since, status, amount in (("2025-10-01", "open", 100), ("2026-05-01", "won", 80))
    ]  # fmt: skip
    told = became(make_book([], opportunities=deals, versions=versions))

    assert told.mean == pytest.approx(1 - 0.2 * 60 / (60 + 20))
    assert became(make_book([])).mean == 1


def test_the_law_of_amounts_of_few_deals_is_near_that_of_all():
    won = pl.DataFrame({
        "deal_type": ["new"] * 200 + ["renewal"] * 2, "segment": [None] * 202, "amount": [10.0] * 200 + [1000.0] * 2,
        "closed_day": [20_000] * 202,
    })  # fmt: skip
    told = signed_amounts(won, [("new", None), ("renewal", None), ("other", None)], 20_000)

    _, mean, _ = told.moments()
    everything = (200 * 10 + 2 * 1000) / 202
    renewal = (2 * 1000 + 20 * everything) / 22
    assert mean[1] == pytest.approx((2 * 1000 + 20 * renewal) / 22)
    assert mean[2] == pytest.approx(everything)
    assert told.drawn(np.full(4000, 1), np.random.default_rng(0)).mean() == pytest.approx(mean[1], rel=0.1)
