"""Bounds on what a few people answered: what steps from the best guess reach lies within what a plain program finds."""

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array

from cadran.measures.disclosure_bounds import Program, Question, centre, spans
from cadran.measures.disclosure_counts import Scale

SCALE = Scale("tools", 1, 5, 2, 4, False)


def question(seed, n=24, bands=False, alike=False):
    """A company of two cuts, told exactly or the second in bands; whose answers are as its second value gives them."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 3, n), rng.integers(0, 3, n)
    place = np.stack([np.zeros(n, int), 1 + one, 4 + other], 1)
    answers = np.full(n, 4) if alike else rng.choice(5, n, p=[0.15, 0.15, 0.2, 0.25, 0.25]) + 1
    told = np.zeros((7, 3))
    n_in = np.zeros(7)
    for group in range(7):
        theirs = answers[(place == group).any(1)]
        told[group] = [(theirs >= 4).sum(), (theirs == 3).sum(), ((theirs - 1) / 4).sum()]
        n_in[group] = len(theirs)
    is_told = np.ones(7, bool)
    band = np.full((7, 2), np.nan)
    if bands:
        is_told[4:] = False
        band[4:] = np.stack([np.maximum(told[4:, 0] - 1, 0), np.minimum(told[4:, 0] + 1, n_in[4:])], 1)
    return Question(SCALE, np.ones(n), place, told, is_told, band), answers


def ends(of, member, value):
    """Least and greatest sum over some people: variables are low, middle and high shares and the score of each."""
    n = len(of.n)
    equal, right, above, limit = [], [], [], []

    def row(weights):
        full = np.zeros((n, 4))  # low, middle, high, score from 0 to 1
        for people, column, weight in weights:
            full[people, column] = weight
        return full.ravel()

    for person in range(n):
        equal.append(row([(person, slice(0, 3), 1)]))
        right.append(1)
        # A score lies between the ends of its kind: 1 to 2, 3, and 4 to 5.
        above += [row([(person, slice(0, 4), [0, 0.5, 0.75, -1])]), row([(person, slice(0, 4), [-0.25, -0.5, -1, 1])])]
        limit += [0, 0]
    for group in range(of.groups):
        held = (of.place == group).any(1)
        for column, each in ((2, 0), (1, 1), (3, 2)):
            if of.is_told[group]:
                equal.append(row([(held, column, 1)]))
                right.append(of.told[group, each])
        if not np.isnan(of.band[group, 0]):
            above += [row([(held, 2, 1)]), row([(held, 2, -1)])]
            limit += [of.band[group, 1], -of.band[group, 0]]
    cost = row([(member, value, 1)])
    solved = [linprog(sign * cost, above, limit, equal, right, (0, 1)).fun for sign in (1, -1)]
    return solved[0], -solved[1]


@pytest.mark.parametrize(("seed", "bands"), [(1, False), (2, False), (3, True), (4, True)])
def test_steps_reach_no_further_than_the_bounds_and_most_of_the_way(seed, bands):
    of, answers = question(seed, bands=bands)
    found = centre(of)
    values = of.features[:, [0, 2]].T
    ways = np.concatenate([spans(of, found, eye_array(24, format="csr"), along, values) for along in values], 2)
    reached, program = np.stack([ways.min(2), ways.max(2)], 2), Program(of)

    assert found.is_inside
    wide = []
    for person in range(0, 24, 3):
        member = np.zeros(24, bool)
        member[person] = True
        for each, column in ((0, 2), (1, 3)):
            low, most = ends(of, member, column)
            assert low - 1e-6 <= reached[person, each, 0] <= reached[person, each, 1] <= most + 1e-6
            truth = [float(answers[person] >= 4), (answers[person] - 1) / 4][each]
            assert low - 1e-6 <= truth <= most + 1e-6
            weights = np.outer(member, values[each])
            assert (program.greatest(weights) * weights).sum() == pytest.approx(most, abs=1e-6)
            wide.append((reached[person, each, 1] - reached[person, each, 0]) / (most - low))
    assert np.median(wide) > 0.5


def test_the_centre_agrees_with_all_that_is_told():
    of, _ = question(5)
    chance = centre(of).chance

    for group in range(7):
        theirs = chance[(of.place == group).any(1)]
        assert (theirs @ of.features[:, :3]).sum(0) == pytest.approx(of.told[group, :3], abs=1e-4)
    assert chance.sum(1) == pytest.approx(1)


def test_where_all_agree_nobody_may_have_answered_otherwise():
    of, _ = question(6, alike=True)
    found = centre(of)
    member = csr_array(np.eye(1, 24))

    assert Program(of).greatest(-np.outer(member.toarray(), of.features[:, 0])) @ of.features[:, 0] == pytest.approx(1)
    assert found.chance @ of.features[:, 0] == pytest.approx(1)
