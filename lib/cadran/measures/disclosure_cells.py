"""What one cell gives away by itself: of a person, and to one of the group, who knows their own answer."""

from itertools import pairwise
from typing import Any

import numpy as np

from cadran.measures.disclosure_counts import Scale

Array = np.ndarray[Any, Any]
#: Known this closely, as a part of the scale, a score counts as told: 10 % on either side.
CLOSE = 0.2
#: Steps of the bands, and the fewest counts that one of them may stand for.
BANDS, IN_A_BAND = 5, 3


def is_close(counts: Array, scale: Scale, minimum: int) -> Array:
    """Whether a cell told exactly would tell of a few people, or tell one of the group of all the others.

    Told are the low, middle and high scores and the sum of all. It tells too much if nobody, everybody, or all but one
    gave a high score; if all, or all but one, gave scores of one kind; if what is left for one person, or for any few of
    them, lies within a fifth of the scale; or if it does so once another person takes their own score off.

    Args:
        counts: (cells, scores) how many gave each score of the scale.
        scale: The question's.
        minimum: Fewer people than this are a few.

    Returns:
        (cells,) whether each does. A cell without scores does not.
    """
    parts = np.stack([counts[:, scale.part == part].sum(1) for part in range(3)], 1)
    sums = counts @ scale.levels
    n = parts.sum(1)
    found = (parts >= n[:, None] - 1).any(1)
    # Each cell as it stands, then as it is to those who gave each of its scores.
    cell, level = np.nonzero(counts)
    cell = np.concatenate([np.arange(len(counts)), cell])
    parts, sums = parts[cell], sums[cell]
    parts[np.arange(len(n), len(cell)), scale.part[level]] -= 1
    sums[len(n) :] -= scale.levels[level]
    for size in range(1, minimum):
        left = np.flatnonzero((parts.sum(1) >= size) & (n > size)[cell] & ~found[cell])
        found[cell[left[_pins(parts[left], sums[left], scale, size)]]] = True
    return np.asarray(found & (n > 0))


def _pins(parts: Array, sums: Array, scale: Scale, size: int) -> Array:
    """(cells,) whether low, middle and high counts and a sum leave the mean, or the high share, of so many of a cell's
    people values that are close together."""
    ends = np.array([
        (scale.levels[scale.part == part].min(), scale.levels[scale.part == part].max()) if (scale.part == part).any()
        else (0, 0) for part in range(3)
    ])  # fmt: skip
    far = size * (scale.high + 1)
    theirs = np.array(
        [(size - high - middle, middle, high) for high in range(size + 1) for middle in range(size + 1 - high)]
    )
    others = parts[:, None] - theirs
    lowest = np.maximum(theirs @ ends[:, 0], sums[:, None] - others @ ends[:, 1])
    top = np.minimum(theirs @ ends[:, 1], sums[:, None] - others @ ends[:, 0])
    can = (others >= 0).all(2) & (lowest <= top)

    def width(low: Array, most: Array) -> Array:
        return np.asarray(np.where(can, most, -far).max(1) - np.where(can, low, far).min(1))

    is_near = width(lowest, top) <= CLOSE * size * (scale.high - scale.low)
    return np.asarray(is_near | (width(theirs[:, 2], theirs[:, 2]) <= CLOSE * size))


def bands_for(n: Array) -> Array:
    """How many bands the number of high scores among n is told in: five, or fewer so that each stands for three counts."""
    return np.minimum(BANDS, (n + 1) // IN_A_BAND)


def band_of(high: int, n: int) -> tuple[int, int] | None:
    """The least and greatest count of the band that a count of n stands in; null where n is too small for two bands."""
    if (n_bands := int(bands_for(np.asarray(n)))) < 2:
        return None
    ends = np.round(np.linspace(0, n + 1, n_bands + 1)).astype(int).tolist()
    return next((first, after - 1) for first, after in pairwise(ends) if first <= high < after)


def bands_hold(high: Array, n: Array, total: int | None) -> bool:
    """Whether bands can be told of cells, and leave each of them three counts or more.

    Args:
        high: (cells,) how many gave a high score, of (cells,) n.
        n: See `high`; cells of nobody are not told.
        total: How many of all of them together, if that can be known.
    """
    bands = [band_of(int(each), int(of)) for each, of in zip(high, n, strict=True) if of]
    if None in bands:
        return False
    low, most = np.array(bands, int).reshape(-1, 2).T
    if total is not None:
        low, most = np.maximum(low, total - (most.sum() - most)), np.minimum(most, total - (low.sum() - low))
    return bool((most - low >= IN_A_BAND - 1).all())
