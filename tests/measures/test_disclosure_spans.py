"""Sums of few people that sums and differences of groups give away, beside a plain rank."""

import numpy as np
import pytest
from disclosed import staff, wave

from cadran.measures.disclosure_counts import counted
from cadran.measures.disclosure_merge import merged
from cadran.measures.disclosure_spans import targets_of

CUTS = ("department", "role", "tenure")
#: Everybody is in one of A1, B1 and C1, but for the last, who are in two: A1 + B1 + C1 - all is theirs.
MOST = (
    (10, {"department": "A1", "role": "B2", "tenure": "C2"}), (10, {"department": "A2", "role": "B1", "tenure": "C2"}),
    (10, {"department": "A2", "role": "B2", "tenure": "C1"}),
)  # fmt: skip
BOTH = {"department": "A1", "role": "B1", "tenure": "C2"}
OTHERS = {"department": "A2", "role": "B1", "tenure": "C1"}


def looked(*last):
    """The targets of a company, and what is told exactly of it: everything."""
    of = counted(wave(staff(*MOST, *last), cuts=CUTS))
    parts = merged(of, 5).partitions
    targets = targets_of(of, parts, 5)
    return of, parts, targets, np.ones(len(targets.shared), bool)


def rank_gives(parts, n, people):
    """Whether the sum over some people is a combination of those over groups, by ranks."""
    groups = np.vstack([part.of == each for part in parts for each in range(len(part.values))]).astype(float)
    target = np.zeros((1, n))
    target[0, people] = 1
    return np.linalg.matrix_rank(np.vstack([groups, target])) == np.linalg.matrix_rank(groups)


@pytest.mark.parametrize(
    ("last", "people"),
    [
        ([(1, BOTH)], [30]),  # one person
        ([(2, BOTH)], [30, 31]),  # two alike
        ([(1, BOTH), (1, OTHERS)], [30, 31]),  # two who are not alike: together
    ],
)
def test_a_sum_of_few_that_is_given_away(last, people):
    of, parts, targets, exact = looked(*last)
    found = targets.given_away(exact, ~exact)

    assert rank_gives(parts, of.n_respondents, people)
    n_sets = len(targets.shared) + len(targets.meets)
    assert sorted(set(targets.types[people] + n_sets)) == [each for each in found if each >= n_sets]
    assert all(targets.groups_of(each)[targets.place[each - n_sets]].all() for each in found if each >= n_sets)


def test_one_group_less_gives_nobody_away():
    _, _, targets, exact = looked((1, BOTH))
    exact[1:3] = False  # departments

    assert targets.given_away(exact, np.zeros(len(exact), bool)).size == 0


def test_a_group_that_must_not_be_told_is_found_where_its_parent_is():
    _, _, targets, exact = looked((6, BOTH))
    secret = np.zeros(len(exact), bool)
    secret[1] = True
    exact[1] = False  # A1 is all but A2

    assert targets.given_away(exact, secret).tolist() == [1]
    assert targets.given_away(exact, ~secret & ~exact).size == 0


def test_more_than_the_minimum_is_no_secret():
    _, _, targets, exact = looked((6, BOTH))

    assert targets.given_away(exact, ~exact).size == 0
