"""The refusal ladder: what may be tried, and what must be beaten by how much."""

from dataclasses import replace

import numpy as np
import pytest
from looks import lives, looked_at

from cadran.models.chain import Chained
from cadran.models.judged import difference
from cadran.models.ladder import MARGIN, STEPS, allowed, climb

ALL = list(STEPS)


@pytest.mark.parametrize(
    ("n_won", "n_ended", "tried"),
    [
        (0, 0, ["constant"]),
        (10_000, 0, ["constant"]),
        (0, 10_000, ["constant"]),
        (29, 500, ["constant"]),
        (30, 30, ["constant", "stage rates"]),
        (100, 99, ["constant", "stage rates"]),
        (100, 100, ["constant", "stage rates", "logit"]),
        (300, 300, ALL),
    ],
)
def test_as_many_won_and_ended_as_a_step_needs(n_won, n_ended, tried):
    assert allowed(n_won, n_ended) == tried


def chained(silent=None, **skill) -> Chained:
    """Later deals; each step says the truth drawn to a coin: 0 tells nothing, 1 everything."""
    asked = looked_at(lives(200, seed=5), most=1)
    asked = asked.keep(asked.outcome != 0)
    is_won = asked.outcome == 1
    noise = np.random.default_rng(0).normal(0, 0.02, len(asked))
    said = {
        name: np.clip(0.5 + (is_won - 0.5) * share * 0.8 + noise * (share != 0), 0.01, 0.99)
        for name, share in skill.items()
    }
    return Chained(replace(asked, weight=np.ones(len(asked))), said, silent or {}, np.inf)


def names(**skill):
    return {"constant": 0.0, **{name.replace("_", " "): share for name, share in skill.items()}}


@pytest.mark.parametrize(
    ("skill", "held"),
    [
        ({"stage_rates": 0.0, "logit": 0.0, "boosting": 0.0}, "constant"),
        ({"stage_rates": 0.2, "logit": 0.0, "boosting": 0.0}, "stage rates"),
        ({"stage_rates": 0.2, "logit": 0.4, "boosting": 0.3}, "logit"),
        ({"stage_rates": 0.4, "logit": 0.2, "boosting": 0.5}, "boosting"),
    ],
)
def test_a_step_is_stood_on_only_if_it_beats_the_one_before(skill, held):
    told = chained(**names(**skill))

    name, rungs = climb(told, ALL)

    assert name == held
    assert [rung.name for rung in rungs] == ALL
    stood = "constant"
    for rung in rungs[1:]:
        assert rung.against == stood
        expected = difference(told.losses(rung.name), told.losses(stood), told.weight, told.asked.deal)
        assert (rung.difference, rung.error) == expected
        stood = rung.name if rung.difference < -MARGIN * rung.error else stood
    assert stood == held


def test_a_little_better_is_not_enough():
    told = chained(**names(stage_rates=0.0))
    noise = np.random.default_rng(3).normal(0, 0.2, len(told.asked))
    better = np.exp(-(told.losses("constant") - 0.01 + noise - noise.mean()))
    told.said["stage rates"][:] = np.where(told.won, better, 1 - better)

    name, rungs = climb(told, ["constant", "stage rates"])

    assert name == "constant"
    assert -2 * rungs[1].error < rungs[1].difference < 0


def test_what_was_not_tried_says_why():
    told = chained(silent={"logit": "It has not settled."}, **names(stage_rates=0.3))

    name, rungs = climb(told, ["constant", "stage rates", "logit"])

    assert name == "stage rates"
    assert [(rung.is_tried, rung.why_not) for rung in rungs] == [
        (True, ""), (True, ""), (False, "It has not settled."), (False, "few")
    ]  # fmt: skip


def test_without_later_data_the_constant_and_the_others_few():
    name, rungs = climb(None, ["constant"])

    assert name == "constant"
    assert [(rung.name, rung.is_tried, rung.why_not) for rung in rungs[:2]] == [
        ("constant", True, ""), ("stage rates", False, "few")
    ]  # fmt: skip
    assert {rung.why_not for rung in rungs[1:]} == {"few"}


def test_where_no_later_deal_counts_nothing_is_told_apart():
    told = chained(**names(stage_rates=0.9))
    none = replace(told, asked=replace(told.asked, weight=np.zeros(len(told.asked))))

    name, rungs = climb(none, ["constant", "stage rates"])

    assert name == "constant"
    assert (rungs[1].is_tried, rungs[1].why_not, rungs[1].difference) == (False, "few", None)
