"""Who is bounded too closely, beside a program written out for each set and each who takes their own answer off."""

import numpy as np
import pytest
from disclosed import wave
from scipy.optimize import linprog

from cadran.measures.disclosure_apart import Partition, company_of
from cadran.measures.disclosure_audit import few_apart
from cadran.measures.disclosure_counts import Scale, counted
from cadran.measures.disclosure_spans import targets_of
from cadran.measures.disclosure_tight import Tight
from cadran.measures.disclosure_told import summed

SCALE, MINIMUM = Scale("tools", 1, 5, 2, 4, False), 3


def told_of(answers, region, site):
    """A wave of one question, its three partitions, all told exactly, and the counts of their groups."""
    people = {f"p{n}": {"region": f"R{r}", "site": f"S{s}"} for n, (r, s) in enumerate(zip(region, site, strict=True))}
    of = wave(people, {"tools": dict(zip(people, map(int, answers), strict=True))}, cuts=("region", "site"))
    counts = counted(of)
    parts = [company_of(counts)] + [
        Partition(cut.name, "company", [[0], [1]], [0, 0], cut.values, [False, False]) for cut in counts.cuts
    ]
    return counts, parts, np.concatenate([summed(counts, part)[:, 0] for part in parts])


def is_narrow(of, own, region, site, answers):
    """Whether low, middle and high counts and sums of all groups leave a set of people too little, by linear programs."""
    n = len(answers)
    equal, right = [], []
    score = np.arange(1, 6)
    for held in [np.ones(n, bool), *(region == r for r in set(region)), *(site == s for s in set(site))]:
        for worth in (score >= 4, score == 3, score):
            equal.append(np.outer(held, worth).ravel())
            right.append(sum(worth[answers[held] - 1]))
    for person in range(n):
        equal.append(np.outer(np.arange(n) == person, np.ones(5)).ravel())
        right.append(1)
    floor = np.zeros((n, 5))
    if own is not None:
        floor[own, answers[own] - 1] = 1
    ends = []
    others = np.array([each for each in of if each != own])
    member = np.isin(np.arange(n), others)
    for worth in (score >= 4, score, score <= 2):
        cost = np.outer(member, worth).ravel()
        limits = np.column_stack([floor.ravel(), np.ones(5 * n)])
        low, most = (sign * linprog(sign * cost, A_eq=equal, b_eq=right, bounds=limits).fun for sign in (1, -1))
        ends.append((np.ceil(low - 1e-6), np.floor(most + 1e-6), low, most))
    k = len(others)
    (_, _, no_high, all_high), (least, greatest, *_), (low_least, low_most, low, _) = ends
    if min(all_high, 1) - max(no_high - k + 1, 0) < 1 - 1e-6:
        return True
    if k >= MINIMUM:
        return False
    shares = [ends[0][1] - ends[0][0]] + ([low_most - low_least] if low > 1e-6 else [])
    return greatest - least <= 0.2 * 4 * k or (k > 1 and min(shares) <= 0.2 * k)


@pytest.mark.parametrize(
    ("seed", "for_all", "for_one"), [(1, True, True), (2, False, True), (14, False, True), (6, False, False)]
)
def test_a_set_is_bounded_for_all_or_for_one_who_takes_off_their_own_answer(seed, for_all, for_one):
    rng = np.random.default_rng(seed)
    n = 12
    region, site = rng.integers(0, 2, n), rng.integers(0, 2, n)
    answers = rng.choice(5, n, p=[0.25, 0.2, 0.1, 0.2, 0.25]) + 1
    counts, parts, cells = told_of(answers, region, site)
    tight = Tight(counts, 0, cells, targets_of(counts, parts, MINIMUM))
    kinds = [np.flatnonzero((region == r) & (site == s)) for r in range(2) for s in range(2)]
    sets = [each for each in kinds if len(each)]

    def slow(who):
        found = ((own, each) for own in who for each in sets if set(each.tolist()) != {own})
        return any(is_narrow(each, own, region, site, answers) for own, each in found)

    assert (slow([None]), slow([None, *range(n)])) == (for_all, for_one)
    assert tight.broken(np.zeros(len(cells), int)).groups.any() == for_one


def test_whoever_stands_beside_a_few_learns_of_them_from_their_own_answer():
    # Site S1 is region R1 without one person, and with five others, of whom one alone gave a low score, as that person did.
    region = np.repeat([1, 1, 2, 2], [1, 20, 5, 20])
    site = np.repeat([2, 1, 1, 2], [1, 20, 5, 20])
    answers = np.array([2, *([1, 5, 3, 4] * 5), 1, 3, 4, 5, 4, *([2, 4, 3, 5] * 5)])
    _, parts, cells = told_of(answers, region, site)

    def found(minimum):
        few = few_apart(parts, cells, SCALE, minimum)
        return {tuple(pair) for pair in np.argwhere(few).tolist()}

    # Groups: the company, R1, R2, S1, S2. Of the person, R1 holds what S1 does not, and S2 what R2 does not.
    assert found(5) == {(1, 3), (4, 2)}
    assert found(1) == set()
