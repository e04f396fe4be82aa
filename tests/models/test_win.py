"""The win model: what it chooses, what it refuses, what it says of open deals whatever they bring."""

from dataclasses import replace
from datetime import date, datetime
from functools import cache
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from looks import EVERY, UNTIL, lives, looked_at

from cadran.book import open_book, write_book
from cadran.models import win
from cadran.models.hazards import Rates, count_rates, won_within
from cadran.models.ladder import STEPS
from cadran.models.landmarks import ENDED, N_PERIODS, OPEN, WON
from cadran.sources.sample import invent


@cache
def chosen(n: int = 900, effect: float = 1.2, **more):
    """The model chosen from invented deals: the steps up to the logit, which are quick."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(win, "allowed", lambda n_won, n_ended: [
            name for name in ("constant", "stage rates", "logit") if min(n_won, n_ended) >= STEPS[name]
        ])  # fmt: skip
        return win.choose(looked_at(lives(n, effect=effect, **more)))


@pytest.fixture(scope="module")
def open_now():
    told = lives(900, effect=1.2).filter(fate=OPEN)
    return looked_at(told.with_columns(begun=UNTIL - 20), most=1).facts


def test_what_tells_is_learnt_and_noise_is_not():
    assert chosen().chosen == "logit"
    assert chosen(effect=0.0, seed=1).chosen == "constant"


def test_a_base_rate_that_drifts_is_followed_by_the_constant_and_is_no_reason_to_trust_the_facts():
    # Facts tell nothing; a year ago, ends turned into wins.
    told, late = lives(900, effect=0.0, seed=1), pl.col("end") > UNTIL - 365
    closed = pl.col("fate") != OPEN
    won = (pl.col("deal") % 10 < pl.when(late).then(7).otherwise(2)).cast(pl.Int64)
    taken = looked_at(told.with_columns(fate=pl.when(closed).then(ENDED + (WON - ENDED) * won).otherwise("fate")))
    facts = taken.facts[:50]

    model = win.choose(taken)
    counted = count_rates(taken, False)

    assert model.chosen == "constant"
    chance = model.incidence(facts)[:, 0]
    assert chance == pytest.approx(np.full(50, chance[0]))
    shares = counted.shares(facts[:1], UNTIL)
    assert won_within(shares, [np.inf])[0, 0] + 0.1 < chance[0] == pytest.approx(0.7, abs=0.1)


def test_the_card_counts_each_life_once():
    taken, card = looked_at(lives(900, effect=1.2)), chosen().card
    closed = {(deal, end): fate for deal, end, fate in zip(taken.deal, taken.end, taken.outcome, strict=True) if fate}

    assert card.n_won == list(closed.values()).count(WON)
    assert card.n_ended == list(closed.values()).count(ENDED)
    assert card.n_snapshots == len(taken)
    assert [rung.name for rung in card.rungs] == list(STEPS)
    assert card.drift["n_won"].sum() == card.n_won
    closed = taken.outcome != OPEN
    assert card.oldest == max((taken.facts["age_days"].to_numpy() + taken.end - taken.at)[closed])
    assert card.drift["n_ended"].sum() == card.n_ended
    assert card.drift["won_share"].to_list() == pytest.approx(
        (card.drift["n_won"] / (card.drift["n_won"] + card.drift["n_ended"])).to_list()
    )


def test_the_drift_by_hand():
    taken = looked_at(lives(200))
    by_quarter = {}
    for _, end, fate in {each for each in zip(taken.deal, taken.end, taken.outcome, strict=True) if each[2] != OPEN}:
        day = np.datetime64(int(end), "D").astype(object)
        by_quarter.setdefault((day.year, (day.month - 1) // 3), []).append(fate)

    told = win.drift(taken)

    assert {
        (row["quarter"].year, row["quarter"].month // 3): (row["n_won"], row["n_ended"]) for row in told.to_dicts()
    } == {quarter: (fates.count(WON), fates.count(ENDED)) for quarter, fates in by_quarter.items()}


def test_a_deal_closed_at_midnight_in_paris_belongs_to_the_quarter_that_begins():
    taken = looked_at(lives(200))
    midnight = datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Paris")).timestamp() / 86_400
    one = replace(taken.keep(np.flatnonzero(taken.outcome == WON)[:1]), end=np.array([midnight]))

    assert win.drift(one)["quarter"].to_list() == [date(2026, 1, 1)]
    assert win.drift(replace(one, time_zone="Europe/Paris"))["quarter"].to_list() == [date(2026, 4, 1)]


def test_scores_hold_their_interval_and_are_the_same_each_time(open_now):
    model = chosen()

    told = model.score(open_now)

    assert told.columns == ["opportunity_id", "probability", "low", "high"]
    assert told["opportunity_id"].to_list() == open_now["opportunity_id"].to_list()
    assert (
        told.select((pl.col("low") <= pl.col("probability")) & (pl.col("probability") <= pl.col("high")))
        .to_series()
        .all()
    )
    assert told["low"].min() >= 0
    assert told["high"].max() <= 1
    assert (told["high"] - told["low"]).min() > 0
    assert told.equals(model.score(open_now))
    assert told["probability"].to_numpy() == pytest.approx(model.incidence(open_now)[:, 0])


@pytest.mark.parametrize("drawn", [0.2, 0.8])
def test_an_interval_holds_the_estimate_even_where_no_draw_reaches_it(drawn):
    def ever(chance, n):
        return np.tile([0.5, chance / 2, (1 - chance) / 2], (n, 6, 1))

    hazards = SimpleNamespace(
        shares=lambda facts, *_: ever(0.5, len(facts)),
        drawn=lambda facts, day, n, *_: np.stack([ever(drawn, len(facts))] * n),
    )
    told = win.WinModel("logit", hazards, UNTIL, chosen().card).score(pl.DataFrame({"opportunity_id": ["a"]}))

    assert told.row(0)[1:] == pytest.approx((0.5, min(0.5, drawn), max(0.5, drawn)))


def test_the_size_of_a_chunk_changes_nothing(open_now, monkeypatch):
    whole = chosen().score(open_now)
    monkeypatch.setattr(win, "CHUNK", 7)

    for name in ("probability", "low", "high"):
        assert chosen().score(open_now)[name].to_list() == pytest.approx(whole[name].to_list(), abs=1e-6)


def test_never_more_deals_at_a_time_than_a_chunk(monkeypatch):
    asked = []

    def ever(facts, day, *n_and_instead):
        *n, instead = n_and_instead
        asked.append((facts["x"].to_list(), instead["x"].to_list()))
        shares = np.full((*n, len(facts), N_PERIODS, 3), 1 / 3)
        shares[..., 1] = 0.1 * instead["x"].to_numpy()[:, None]
        return shares

    model = win.WinModel("logit", SimpleNamespace(shares=ever, drawn=ever), UNTIL, None)
    facts = pl.DataFrame({"x": range(5)})
    whole = [
        model.incidence(facts, [7.0], facts.reverse()),
        model.drawn(facts, [7.0], 3, facts),
    ]
    asked.clear()
    monkeypatch.setattr(win, "CHUNK", 2)

    assert (model.incidence(facts, [7.0], facts.reverse()) == whole[0]).all()
    assert asked == [([0, 1], [4, 3]), ([2, 3], [2, 1]), ([4], [0])]
    assert (model.drawn(facts, [7.0], 3, facts) == whole[1]).all()
    assert whole[1].shape == (3, 5, 1)
    assert max(len(rows) for rows, _ in asked) == 2


def test_by_a_day_less_than_ever(open_now):
    model, days = chosen(), [0.0, 7.0, 30.0, 91.0, 365.0, np.inf]

    told = model.incidence(open_now, days)

    assert told.shape == (len(open_now), len(days))
    assert (told[:, 0] == 0).all()
    assert (np.diff(told, axis=1) >= -1e-6).all()
    assert told[:, -1] == pytest.approx(model.score(open_now)["probability"].to_numpy())
    assert model.score(open_now, days=30)["probability"].to_numpy() == pytest.approx(told[:, 2])
    drawn = model.drawn(open_now, days, n=20)
    assert drawn.shape == (20, len(open_now), len(days))
    assert (np.diff(drawn, axis=2) >= -1e-6).all()


def test_the_mean_chance_is_the_share_won():
    # In the large: of all looks, each as of its own day, those that have ended.
    taken = looked_at(lives(900, effect=1.2))
    past = taken.keep(taken.at < UNTIL - 500)

    told = won_within(chosen().hazards.shares(past.facts, past.at), [np.inf])[:, 0]

    share = np.average(past.outcome == WON, weights=past.weight)
    assert np.average(told, weights=past.weight) == pytest.approx(share, abs=0.05)


def test_a_leak_is_named_and_left_out():
    taken = looked_at(lives(900, effect=1.2))
    leaked = pl.Series(np.where(taken.outcome == ENDED, "Acme", None).tolist(), dtype=pl.String)
    taken = type(taken)(**{**vars(taken), "facts": taken.facts.with_columns(competitor=leaked)})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(win, "allowed", lambda n_won, n_ended: ["constant", "stage rates", "logit"])
        model, trusting = win.choose(taken), win.choose(taken, confirmed=["competitor"])

    assert [suspect.fact for suspect in model.card.suspects] == ["competitor"]
    assert "competitor" not in model.hazards.design.facts
    assert trusting.card.suspects == ()
    assert "competitor" in trusting.hazards.design.facts


# ---- bad input ----


def only(fate: int, n: int = 400):
    return lives(n).with_columns(fate=pl.when(pl.col("fate") == OPEN).then("fate").otherwise(fate))


BOOKS = {
    "no deal": lambda: lives(0),
    "12 deals": lambda: lives(12),
    "no won deal": lambda: only(ENDED),
    "no lost deal": lambda: only(WON),
    "nothing closed": lambda: lives(100).with_columns(fate=OPEN, end=UNTIL),
    "one stage": lambda: lives(300).with_columns(stage=pl.lit("Prospect")),
    "no stage": lambda: lives(300).with_columns(stage=pl.lit(None, pl.String)),
    "all begun on one day": lambda: lives(400).with_columns(begun=UNTIL - 8, end=UNTIL - 0.5),
    "closed within a week": lambda: lives(300).with_columns(end=pl.col("begun") + 0.1),
    "nothing for a year": lambda: lives(400).filter(pl.col("end") < UNTIL - 365),
}


@pytest.mark.parametrize("name", list(BOOKS))
def test_a_strange_book_gets_the_simple_rules_with_their_doubt(name, monkeypatch):
    monkeypatch.setattr(win, "allowed", lambda n_won, n_ended: [
        each for each in ("constant", "stage rates", "logit") if min(n_won, n_ended) >= STEPS[each]
    ])  # fmt: skip
    taken = looked_at(BOOKS[name](), until=UNTIL + EVERY)
    facts = looked_at(lives(30).with_columns(begun=UNTIL - 9, end=UNTIL)).facts

    model = win.choose(taken)
    told = model.score(facts)

    assert len(told) == len(facts) > 0
    assert told.select(pl.col("probability", "low", "high").is_between(0, 1).all()).row(0) == (True, True, True)
    assert (told["high"] >= told["low"]).all()
    if name in ("no deal", "12 deals", "nothing closed", "closed within a week"):
        assert model.chosen == "constant"
        assert (told["high"] - told["low"]).min() > 0.2  # so little is known
    if name == "no won deal":
        assert isinstance(model.hazards, Rates)
        assert told["probability"].max() < 0.2
    if name == "no lost deal":
        assert told["probability"].min() > 0.8
    assert model.score(facts.clear()).is_empty()


def test_scoring_survives_what_was_never_seen(open_now):
    model = chosen()
    strange = open_now.head(3).with_columns(
        stage=pl.Series(["renamed", None, "Propose"]), deal_type=pl.lit(None, pl.String), age_days=pl.lit(1e6),
        competitor=pl.Series(["new rival", None, "another"]), n_meetings=pl.lit(None), amount_change=pl.lit(None),
    )  # fmt: skip

    told = model.score(strange)

    assert told["probability"].is_finite().all()
    assert told["probability"].is_between(0, 1).all()


def test_of_an_invented_company(tmp_path):
    delivery = invent(deals=120, seed=3, activities=0.1)
    write_book(tmp_path / "book", delivery, delivery.settings.taken)
    book = open_book(tmp_path / "book")

    model = win.fit(book)
    facts = win.open_facts(book)
    told = model.score(facts)

    deals = book.collect(book.deals(["opportunity_id", "status"])).filter(status="open")
    assert set(told["opportunity_id"]) == set(deals["opportunity_id"])
    assert told["probability"].is_between(0, 1, closed="none").all()
    assert model.day == pytest.approx(book.moment.timestamp() / 86_400)
