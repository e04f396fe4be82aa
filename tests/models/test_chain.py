"""Forward chaining: who learns from what, who is asked of what."""

import numpy as np
import polars as pl
import pytest
from looks import UNTIL, lives, looked_at

from cadran.models.chain import chain, stood_for
from cadran.models.judged import follow_up_weights
from cadran.models.landmarks import OPEN, WON

CUTS = np.array([UNTIL - 600, UNTIL - 400, UNTIL - 200, UNTIL])


@pytest.fixture(scope="module")
def taken():
    return looked_at(lives(300))


def test_each_fold_learns_from_its_past_and_is_asked_of_what_follows(taken):
    learnt, asked = [], []

    def watching(past):
        learnt.append(past)
        return lambda later, within: asked.append(later) or np.full(len(later), len(learnt) / 10)

    told = chain(taken, CUTS, {"watching": watching})

    assert [past.until for past in learnt] == CUTS[:-1].tolist()
    for past, later, first, last in zip(learnt, asked, CUTS[:-1], CUTS[1:], strict=True):
        assert past.at.max() < first <= later.at.min() <= later.at.max() < last
        assert past.end.max() <= first
        assert ((past.outcome == OPEN) | (past.end <= first)).all()
    assert len(told.asked) == (taken.at >= CUTS[0]).sum() == sum(map(len, asked))
    assert told.said["watching"].tolist() == pytest.approx(np.repeat([0.1, 0.2, 0.3], list(map(len, asked))))
    lived = told.asked.end - told.asked.at
    assert (told.asked.followed >= told.within).mean() == pytest.approx(0.25, abs=0.03)
    assert told.won.tolist() == ((told.asked.outcome == WON) & (lived <= told.within)).tolist()
    assert (told.asked.outcome != OPEN).any()  # judged by all that is known now


def test_the_losses_are_those_of_what_was_said(taken):
    told = chain(taken, CUTS, {"coin": lambda past: lambda later, within: np.full(len(later), 0.5)})

    assert told.losses("coin") == pytest.approx(np.log(2))


def test_those_whose_fate_is_not_known_pass_on_their_weight(taken):
    told = chain(taken, CUTS, {})
    asked, lived = told.asked, told.asked.end - told.asked.at
    is_known = (asked.followed >= told.within) | ((asked.outcome != OPEN) & (lived <= told.within))

    assert not is_known.all()
    assert (told.weight[~is_known] == 0).all()
    assert (told.weight[is_known] >= asked.weight[is_known]).all()
    assert told.weight.sum() == pytest.approx(asked.weight.sum(), rel=0.05)  # nobody is lost
    ever = np.where(asked.outcome == OPEN, np.inf, lived)
    factor = follow_up_weights(ever, asked.followed, asked.weight)
    assert stood_for(asked) == pytest.approx(asked.weight * factor)


def test_the_share_won_of_those_judged_is_that_of_all():
    # Won deals close eight times as fast: of those closed by now, too many were won; some lost ones outlive any look.
    random = np.random.default_rng(0)
    n = 6_000
    is_won = random.random(n) < 0.3
    begun = UNTIL - random.uniform(8, 1_000, n)
    end = begun + random.exponential(np.where(is_won, 30, 240))
    fate = np.where(end > UNTIL, OPEN, np.where(is_won, WON, 2))
    told = pl.DataFrame({"deal": np.arange(n), "begun": begun, "end": np.minimum(end, UNTIL), "fate": fate})
    taken = looked_at(told, most=1)
    chained = chain(taken, np.array([UNTIL - 250, UNTIL]), {})
    asked = chained.asked

    is_soon = end[asked.deal] - asked.at <= chained.within
    truth = np.average(is_won[asked.deal] & is_soon, weights=asked.weight)
    closed = asked.outcome != OPEN
    naive = np.average(chained.won[closed], weights=asked.weight[closed])
    weighted = np.average(chained.won, weights=chained.weight)
    of_the_closed = np.average(asked.outcome == WON, weights=stood_for(asked))

    assert abs(weighted - truth) < 0.01
    assert 0.02 < of_the_closed - truth < naive - truth


def test_who_cannot_learn_on_some_day_says_nothing_at_all(taken):
    calls = []

    def late(past):
        calls.append(past.until)
        if past.until > CUTS[0]:
            raise ValueError("Too little.")
        return lambda later, within: np.full(len(later), 0.4)

    told = chain(taken, CUTS, {"late": late, "coin": lambda past: lambda later, within: np.full(len(later), 0.5)})

    assert set(told.said) == {"coin"}
    assert told.silent == {"late": "Too little."}
    assert len(calls) == 2


def test_only_too_little_is_a_reason_to_be_silent(taken):
    def broken(past):
        raise KeyError("stage")

    with pytest.raises(KeyError):
        chain(taken, CUTS, {"broken": broken})
