"""General dominance: how much of what goes with an outcome each predictor tells, over all orders of asking them."""

from collections.abc import Iterator
from functools import lru_cache
from math import factorial

import numpy as np

#: What a predictor still tells beside others that tell nearly all of it is rounding.
_NOTHING = 1e-9
#: Numbers held at once, about: draws are worked through in parts.
_AT_ONCE = 2_000_000


def explained(products: np.ndarray) -> np.ndarray:
    """What each subset of predictors explains of an outcome.

    Args:
        products: (..., k + 1, k + 1) correlations, the outcome last; or any matrix of cross-products.

    Returns:
        (..., 2^k) explained sum of squares, of correlations R²; predictor j is in a subset if bit j of its place is set.
        Each is found from the one without its last predictor by one step of Gauss: 2^k steps in k sweeps. A predictor
        that others tell wholly adds nothing.
    """
    k = products.shape[-1] - 1
    left, told = products[..., None, :, :], np.zeros((*products.shape[:-2], 1))
    scale = np.diagonal(products, axis1=-2, axis2=-1)
    for place in range(k):
        pivot, column, rest = left[..., 0, 0], left[..., 1:, 0], left[..., 1:, 1:]
        is_more = pivot > _NOTHING * scale[..., place, None]
        share = np.where(is_more, 1 / np.where(is_more, pivot, 1.0), 0.0)
        taken = rest - share[..., None, None] * column[..., :, None] * column[..., None, :]
        left = np.concatenate([rest, taken], axis=-3)
        told = np.concatenate([told, told + share * column[..., -1] ** 2], axis=-1)
    return told


def dominance(products: np.ndarray) -> np.ndarray:
    """(..., k) general dominance of each predictor: what it adds to a subset of the others, averaged over subsets of each
    size, then over sizes; of correlations, they sum to R². It is the Shapley value of R², and the LMG of relaimpo.

    Args:
        products: As for `explained`.

    Source:
        Budescu (1993), Psychological Bulletin 114(3); Lindeman, Merenda & Gold (1980), p. 119; Lipovetsky & Conklin
        (2001), Applied Stochastic Models in Business and Industry 17(4): Shapley values.
    """
    return np.asarray(explained(products) @ _weights(products.shape[-1] - 1))


@lru_cache(maxsize=16)
def _weights(k: int) -> np.ndarray:
    """(2^k, k) how much what a subset explains counts for each predictor: for those in it, against those that are not."""
    subsets = np.arange(2**k)
    is_in = (subsets[:, None] >> np.arange(k)) & 1
    size = is_in.sum(axis=1)
    of_size = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)] or [0.0])
    joining = of_size[np.minimum(size, k - 1)][:, None]
    leaving = of_size[np.maximum(size - 1, 0)][:, None]
    return np.where(is_in == 1, leaving, -joining)


def correlations(moments: np.ndarray) -> np.ndarray:
    """(..., p, p) correlations from (..., p + 1, p + 1) mean products of a 1 and p variables; 0 with a constant."""
    means = moments[..., 0, 1:]
    covariance = moments[..., 1:, 1:] - means[..., :, None] * means[..., None, :]
    spread = np.diagonal(covariance, axis1=-2, axis2=-1)
    is_spread = spread > _NOTHING * np.diagonal(moments, axis1=-2, axis2=-1)[..., 1:]
    over = np.where(is_spread, 1 / np.sqrt(np.where(is_spread, spread, 1.0)), 0.0)
    return np.asarray(covariance * over[..., :, None] * over[..., None, :])


def drawn(values: np.ndarray, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Moments, as `correlations` takes them, of people drawn anew with replacement, some draws at a time.

    Args:
        values: (people, p), about centred on 0.
        draws: How often.
        rng: Of the draws.
    """
    n, p = values.shape
    each = np.hstack([np.ones((n, 1)), values])
    upper = np.triu_indices(p + 1)
    products = each[:, upper[0]] * each[:, upper[1]]
    at_once = max(1, min(draws, _AT_ONCE // n, _AT_ONCE * 4 // 2**p))
    for first in range(0, draws, at_once):
        some = min(at_once, draws - first)
        # How often each one is drawn, not whom: the rest is one product of matrices.
        picked = rng.integers(0, n, (some, n)) + np.arange(some)[:, None] * n
        counts = np.bincount(picked.ravel(), minlength=some * n).reshape(some, n) / n
        yield _filled(counts @ products, upper, p + 1)


def _filled(columns: np.ndarray, upper: tuple[np.ndarray, np.ndarray], size: int) -> np.ndarray:
    full = np.empty((len(columns), size, size))
    full[:, upper[0], upper[1]] = columns
    full[:, upper[1], upper[0]] = columns
    return full
