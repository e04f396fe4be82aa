"""Forward chaining: who learns from what, who is asked of what."""

from dataclasses import replace

import numpy as np
import pytest
from looks import UNTIL, lives, looked_at

from cadran.models.chain import chain, to_follow
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

    told = chain(taken, CUTS, {"watching": watching}, 100)

    assert [past.until for past in learnt] == CUTS[:-1].tolist()
    for past, later, first, last in zip(learnt, asked, CUTS[:-1], CUTS[1:], strict=True):
        assert past.at.max() < first <= later.at.min() <= later.at.max() < last
        assert past.end.max() <= first
        assert ((past.outcome == OPEN) | (past.end <= first)).all()
    assert len(told.asked) == (taken.at >= CUTS[0]).sum() == sum(map(len, asked))
    assert told.said["watching"].tolist() == pytest.approx(np.repeat([0.1, 0.2, 0.3], list(map(len, asked))))
    assert told.won.tolist() == ((told.asked.outcome == WON) & (told.asked.end - told.asked.at <= 100)).tolist()
    assert told.won.sum() < (told.asked.outcome == WON).sum()
    assert (told.asked.outcome != OPEN).any()  # judged by all that is known now


def test_the_losses_are_those_of_what_was_said(taken):
    told = chain(taken, CUTS, {"coin": lambda past: lambda later, within: np.full(len(later), 0.5)}, 100)

    assert told.losses("coin") == pytest.approx(np.log(2))


@pytest.mark.parametrize(("first", "days"), [(1_000, 182), (400, 100), (30, 7)])
def test_looks_are_followed_half_a_year_or_a_quarter_of_a_short_past(first, days):
    told = looked_at(lives(100, seed=3))
    short = replace(told, until=float(told.at.min()) + first)

    assert to_follow(short) == days
    assert to_follow(told.keep(told.at < 0)) == 0


def test_who_cannot_learn_on_some_day_says_nothing_at_all(taken):
    calls = []

    def late(past):
        calls.append(past.until)
        if past.until > CUTS[0]:
            raise ValueError("Too little.")
        return lambda later, within: np.full(len(later), 0.4)

    told = chain(taken, CUTS, {"late": late, "coin": lambda past: lambda later, within: np.full(len(later), 0.5)}, 100)

    assert set(told.said) == {"coin"}
    assert told.silent == {"late": "Too little."}
    assert len(calls) == 2


def test_only_too_little_is_a_reason_to_be_silent(taken):
    def broken(past):
        raise KeyError("stage")

    with pytest.raises(KeyError):
        chain(taken, CUTS, {"broken": broken}, 100)
