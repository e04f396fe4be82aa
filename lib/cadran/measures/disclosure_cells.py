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


def is_close(counts: Array, scale: Scale) -> Array:
    """Whether a cell told exactly would tell of one person, or tell one of the group of all the others.

    Told are the low, middle and high scores and the sum of all. It tells too much if nobody, everybody, or all but one
    gave a high score; if all, or all but one, gave scores of one kind; or if the sum leaves some person scores that lie
    within a fifth of the scale, be it only for someone who takes their own score off.

    Args:
        counts: (cells, scores) how many gave each score of the scale.
        scale: The question's.

    Returns:
        (cells,) whether each does. A cell without scores does not.
    """
    parts = np.stack([counts[:, scale.part == part].sum(1) for part in range(3)], 1)
    sums = counts @ scale.levels
    n = parts.sum(1)
    found = (parts >= n[:, None] - 1).any(1) | (parts[:, 2] <= 1) | _pins(parts, sums, scale)
    for score, part in zip(scale.levels, scale.part, strict=True):
        gave = counts[:, score - scale.low] > 0
        others = parts.copy()
        others[:, part] -= 1
        found |= gave & _pins(np.maximum(others, 0), sums - score, scale)
    return found & (n > 0)


def _pins(parts: Array, sums: Array, scale: Scale) -> Array:
    """(cells,) whether low, middle and high counts and a sum leave any person only scores that are close together."""
    ends = np.array(
        [(scale.levels[scale.part == part].min(initial=99), scale.levels[scale.part == part].max(initial=-99))
         for part in range(3)]
    )  # fmt: skip
    least, most = np.full(len(parts), 99), np.full(len(parts), -99)
    for score, part in zip(scale.levels, scale.part, strict=True):
        others = parts.copy()
        others[:, part] -= 1
        rest = sums - score
        can = (others[:, part] >= 0) & (others @ np.where(parts.any(0), ends[:, 0], 0) <= rest)
        can &= rest <= others @ np.where(parts.any(0), ends[:, 1], 0)
        least, most = np.where(can, np.minimum(least, score), least), np.where(can, np.maximum(most, score), most)
    return most - least <= CLOSE * (scale.high - scale.low)


def bands_of(n: int) -> list[tuple[int, int]]:
    """The bands of how many of n gave a high score: five alike, or fewer so that each stands for three counts or more.

    None where n is too small for two of them.
    """
    n_bands = min(BANDS, (n + 1) // IN_A_BAND)
    if n_bands < 2:
        return []
    ends = np.round(np.linspace(0, n + 1, n_bands + 1)).astype(int).tolist()
    return [(first, after - 1) for first, after in pairwise(ends)]


def band_of(high: int, n: int) -> tuple[int, int] | None:
    """The band that a count stands in; null where n is too small to tell one."""
    return next((band for band in bands_of(n) if band[0] <= high <= band[1]), None)
