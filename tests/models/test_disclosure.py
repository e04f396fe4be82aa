"""Totals that give one person away, alone or as a difference: found, and left out."""

import numpy as np
import pytest

from cadran.models.disclosure import disclosed, withheld


def parts(*groups, n=6):
    return np.array([[part in group for part in range(n)] for group in groups], bool)


@pytest.mark.parametrize(
    ("totals", "found"),
    [
        (parts({0}, {1, 2}), {"p0"}),
        (parts({0, 1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}), {"p0"}),  # all less the rest
        (parts({0, 1, 2}, {0, 1}, {3, 4, 5}), {"p2"}),  # a region less its other team
        (parts({0, 1}, {1, 2}, {0, 2}), {"p0", "p1", "p2"}),  # half of what two hold more than the third
        (parts({0, 1}, {1, 2}), set()),
        (parts({0, 1, 2}, {3, 4, 5}), set()),
        (np.zeros((0, 6), bool), set()),
    ],
)
def test_who_is_given_away(totals, found):
    assert disclosed(totals, [f"p{n}" for n in range(6)]) == found


def test_parts_of_one_person_are_one_and_those_of_nobody_hide_nobody():
    assert disclosed(parts({0, 1}, {2, 3}), ["a", "a", "b", "c", None, None]) == {"a"}
    assert disclosed(parts({0, 4}, {2, 3}), ["a", "a", "b", "c", None, None]) == {"a"}
    assert disclosed(parts({0, 1, 2, 3, 4, 5}, {2, 3}), ["a", "a", "b", "c", None, "a"]) == {"a"}


def test_as_ranks_find_it_person_by_person():
    rng = np.random.default_rng(4)
    for _ in range(60):
        totals, wanted = (rng.random((4, 5)) < 0.5).astype(float), np.eye(5)
        rank = np.linalg.matrix_rank(totals)
        slow = {f"p{n}" for n in range(5) if np.linalg.matrix_rank(np.vstack([totals, wanted[n]])) == rank}
        assert disclosed(totals, [f"p{n}" for n in range(5)]) == slow


def test_what_is_left_out_gives_nobody_away():
    company = parts({0, 1, 2, 3, 4, 5})
    # North: teams of 2 and of 1; South: a team of 3.
    regions, teams = parts({0, 1, 2}, {3, 4, 5}), parts({0, 1}, {2}, {3, 4, 5})
    persons = [f"p{n}" for n in range(6)]

    gone = withheld([company, regions, teams], persons)

    assert [each.tolist() for each in gone] == [[False], [False, False], [True, True, False]]
    assert [each.tolist() for each in withheld([company, parts({0}, {1, 2}, {3, 4, 5})], persons)] == [
        [False], [True, True, False]
    ]  # fmt: skip
    assert [each.tolist() for each in withheld([parts({0, 1}), company], ["a", "a", *"bcde"])] == [[True], [False]]
    assert withheld([parts({0, 1, 2, 3, 4}), company], persons)[1].tolist() == [True], "all but one is told before"


def test_whatever_the_company_nobody_is_given_away():
    rng = np.random.default_rng(2)
    for _ in range(30):
        n = int(rng.integers(2, 12))
        region, team = rng.integers(0, 3, n), rng.integers(0, 5, n)
        persons = [f"p{each}" for each in rng.integers(0, n, n)]
        levels = [np.ones((1, n), bool), region == np.arange(3)[:, None], team == np.arange(5)[:, None]]
        gone = withheld(levels, persons)
        told = np.vstack([level[~each] for level, each in zip(levels, gone, strict=True)])
        assert disclosed(told, persons) == set()
