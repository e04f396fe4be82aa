"""What one cell gives away, beside every way in which its people may have answered."""

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from cadran.measures.disclosure_cells import CLOSE, band_of, bands_for, bands_hold, is_close
from cadran.measures.disclosure_counts import Scale
from cadran.measures.disclosure_room import held_by, told_by

FIVE = Scale("tools", 1, 5, 2, 4, False)
TEN = Scale("recommend", 0, 10, 6, 9, False)


def told(answers, scale):
    """Low, middle and high counts, and the sum."""
    part = scale.part[np.array(answers) - scale.low]
    return (*np.bincount(part, minlength=3).tolist(), sum(answers))


def is_pinned(worlds, scale, size):
    """Whether so many people have close means, or close high shares, in every way that fits."""
    sums = [sum(some) for some in worlds]
    high = [sum(s >= scale.favourable_from for s in some) for some in worlds]
    return (
        max(sums) - min(sums) <= CLOSE * size * (scale.high - scale.low) or max(high) - min(high) <= CLOSE * size
    )  # fmt: skip


def chosen(worlds, size):
    """What so many people of each world may have answered."""
    return {some for world in worlds for some in combinations(world, size)}


def slow(answers, scale, sizes):
    """The same by looking at every way to answer that is told alike."""
    n = len(answers)
    every = list(combinations_with_replacement(scale.levels.tolist(), n))
    alike = [world for world in every if told(world, scale) == told(answers, scale)]
    low, middle, high, _ = told(answers, scale)
    if max(low, middle, high) >= n - 1 or high <= 1:
        return True
    if any(is_pinned(chosen(alike, size), scale, size) for size in sizes):
        return True
    for own in set(answers):
        others = list(answers)
        others.remove(own)
        fits = [each for each in combinations_with_replacement(scale.levels.tolist(), n - 1)
                if told(each, scale) == told(others, scale)]  # fmt: skip
        if any(is_pinned(chosen(fits, size), scale, size) for size in sizes):
            return True
    return False


@pytest.mark.parametrize(("scale", "most", "times"), [(FIVE, 6, 60), (TEN, 5, 30)], ids=["five", "ten"])
def test_a_cell_is_close_where_every_way_to_answer_says_so(scale, most, times):
    rng = np.random.default_rng(1)
    both = set()
    for _ in range(times):
        n = int(rng.integers(5, most + 1))
        minimum = int(rng.integers(2, 6))
        middle = rng.uniform(0.4, 0.9)
        answers = tuple(sorted((rng.binomial(scale.high - scale.low, middle, n) + scale.low).tolist()))
        counts = np.bincount(np.array(answers) - scale.low, minlength=len(scale.levels))[None]
        found = bool(is_close(counts, scale, minimum)[0])
        both.add(found)

        assert found == slow(answers, scale, range(1, min(minimum, n))), answers
    assert both == {True, False}


@pytest.mark.parametrize("n", [5, 6, 8, 9, 13, 14, 15, 40, 101])
def test_a_band_stands_for_three_counts_or_more_and_all_bands_for_all_counts(n):
    bands = [band_of(high, n) for high in range(n + 1)]

    assert all(low <= high <= most for high, (low, most) in enumerate(bands))
    assert all(most - low >= 2 for low, most in bands)
    assert len(set(bands)) == bands_for(np.array(n))
    assert max(most - low for low, most in bands) <= max(0.2 * n + 1, n / 2)


def test_who_alone_gave_a_high_score_knows_that_nobody_else_did():
    counts = np.array([[3, 2, 6, 0, 1], [3, 2, 6, 0, 2]])

    assert is_close(counts, FIVE, 2).tolist() == [True, False]


@pytest.mark.parametrize(
    ("high", "total", "holds"),
    [
        ([3, 3], 6, False),  # both are 3 to 5 of 5: together 6 leaves 3 and 3
        ([4, 4], 8, True),
        ([3, 3], None, True),
        ([2, 2], 4, False),
        ([0, 5], 5, True),
    ],
)
def test_bands_do_not_hold_where_their_total_undoes_them(high, total, holds):
    assert bands_hold(np.array(high), np.array([5, 5]), total) == holds


@pytest.mark.parametrize("n", [1, 3, 4])
def test_too_few_for_two_bands(n):
    assert band_of(1, n) is None
    assert not bands_hold(np.array([1, 5]), np.array([n, 10]), None)


def test_bits_told_are_those_of_the_distribution_of_what_is_told():
    # Counts and sum of eight people, each drawn alike: the entropy of what is told, by enumeration of all 495 multisets.
    gave = np.array([10, 12, 20, 35, 25])
    share = gave / gave.sum()
    n, chance = 8, {}
    for answers in combinations_with_replacement(range(5), n):
        counts = np.bincount(answers, minlength=5)
        ways = np.exp(sum(np.log(np.arange(1, n + 1))) - sum(np.log(np.arange(1, k + 1)).sum() for k in counts))
        key = told([score + 1 for score in answers], FIVE)
        chance[key] = chance.get(key, 0) + ways * np.prod(share**counts)
    p = np.array(list(chance.values()))

    assert p.sum() == pytest.approx(1)
    bits = -(p * np.log2(p)).sum()
    assert bits <= told_by(gave, FIVE, np.array([n]))[0] <= bits + 1


def test_bits_held_are_entropy():
    assert held_by(np.array([4, 0, 4, 0, 0])) == 8
    assert held_by(np.array([0, 0, 9, 0, 0])) == 0
