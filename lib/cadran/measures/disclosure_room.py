"""How much of what the answers hold is told: where it is most of it, whole numbers alone can fit only one way.

Exact counts of many cuts of a small company can be solved like a puzzle, although no sum or bound gives anybody away. So
what is told of a question, in bits, stays under a part of what its answers hold.

Source:
    Dinur, Nissim (2003), Revealing information while preserving privacy, PODS: too many exact counts give all away.
"""

from typing import Any

import numpy as np

from cadran.measures.disclosure_counts import Scale

Array = np.ndarray[Any, Any]
#: The part of what the answers of a question hold that may be told.
ROOM = 2 / 3


def held_by(gave: Array) -> float:
    """Bits that the answers hold, each drawn as the company answered.

    Args:
        gave: (scores,) how many gave each score.
    """
    share = gave[gave > 0] / max(gave.sum(), 1)
    return float(-(share * np.log2(share)).sum() * gave.sum())


def told_by(gave: Array, scale: Scale, n: Array) -> Array:
    """(groups,) bits told by the high and middle counts and the sum of groups of n, drawn as the company answered.

    Of sums of n the logarithm of the spread of a bell curve, a whole number being a curve's width of 1/12.
    """
    share = gave / max(gave.sum(), 1)
    features = np.stack([scale.part == 2, scale.part == 1, scale.levels], 1).astype(float)
    mean = share @ features
    spread = np.linalg.eigvalsh((features * share[:, None]).T @ features - np.outer(mean, mean))
    sizes = np.asarray(n, float)[:, None] * np.maximum(spread, 0) + 1 / 12
    return np.asarray(0.5 * np.log2(2 * np.pi * np.e * sizes).sum(1))
