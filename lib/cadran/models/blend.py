"""Forecasts put together: how much each candidate weighs, how wide the whole must be, and paths made to follow it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from cadran.tables.measured.forecast import QUANTILES

#: Levels of the quantiles that a forecast is kept and judged by, and their places.
LEVELS = np.array(list(QUANTILES.values()))
LOW, Q10, Q50, Q90, HIGH = (list(QUANTILES).index(name) for name in ("low", "q10", "q50", "q90", "high"))
#: Those of the 5 to 95 % quantiles, over which pinball loss is taken.
INNER = slice(1, -1)
#: Weights are tried in steps of this.
STEP = 0.1
#: How fast weights follow what held-out forecasts were worth: a blend a tenth worse over ten of them counts 1/e as much.
RATE = 1.0
#: Held-out forecasts that hang together, since they tell the same months from neighbouring days: so many count as one.
TOGETHER = 6
#: Such forecasts' worth of intervals as the candidates tell them, that widths start from.
PRIOR = 12.0
#: What a held-out forecast of another horizon counts, for each month between the two.
NEAR = 0.5


@dataclass(frozen=True)
class Blend:
    """Weights of candidates by horizon, and factors on the half-widths of the 80 and 95 % intervals."""

    names: tuple[str, ...]
    #: (horizons, candidates), each row summing to 1.
    weights: np.ndarray
    #: Of the 80 and the 95 % interval.
    widths: tuple[float, float]
    #: Held-out forecasts that the weights, and the widths, rest on.
    n: int
    n_widths: int

    def of(self, horizon: int, told: np.ndarray) -> np.ndarray:
        """(levels,) quantiles of the blend, without its widths.

        Args:
            horizon: Months ahead, from 1; beyond those learnt, the last holds.
            told: (candidates, levels); NaN for one that is silent, whose weight goes to the others.
        """
        speaks = ~np.isnan(told).any(axis=1)
        weights = np.where(speaks, self.weights[np.clip(horizon, 1, len(self.weights)) - 1], 0.0)
        if not weights.sum():
            weights = speaks.astype(float)
        return (
            np.where(speaks[:, None], told, 0.0).T @ weights / weights.sum()
            if speaks.any()
            else np.full(told.shape[1], np.nan)
        )

    def widened(self, told: np.ndarray, levels: np.ndarray = LEVELS) -> np.ndarray:
        """(..., levels) the same with its half-widths multiplied, no lower than 0."""
        middle = _at(told, levels, 0.5)[..., None]
        factor = np.interp(np.abs(levels - 0.5), (0.4, 0.475), self.widths)
        return np.maximum(np.sort(middle + factor * (told - middle), axis=-1), 0.0)


def learn_weights(told: np.ndarray, actual: np.ndarray, horizon: np.ndarray, n_horizons: int) -> tuple[np.ndarray, int]:
    """Weights by what each blend of the candidates was worth in forecasts held out.

    Every blend on a grid counts by how little pinball loss it had; before any forecast is seen, by what the first
    candidate, which alone knows the deals, weighs in it: half of all, on average.

    Args:
        told: (n, candidates, levels) quantiles at `LEVELS`; NaN where a candidate was silent.
        actual: (n,) what came.
        horizon: (n,) months ahead, from 1.
        n_horizons: Rows of weights to learn.

    Returns:
        (horizons, candidates) weights, and the number of forecasts in which every candidate spoke, which they rest on.

    Source:
        Averaging of quantiles: Lichtendahl, Grushka-Cockayne and Winkler (2013), Management Science 59(7).
        Exponentially weighted average: Cesa-Bianchi and Lugosi (2006), Prediction, Learning, and Games, chapter 2.
    """
    full = ~np.isnan(told).any(axis=(1, 2)) & ~np.isnan(actual)
    told, actual, horizon = told[full][..., INNER], actual[full], horizon[full]
    tried = _simplex(told.shape[1])
    before = tried[:, 0] + STEP / 2
    if not len(actual):
        return np.tile(before @ tried / before.sum(), (n_horizons, 1)), 0
    over = actual[:, None] - np.einsum("wc,ncl->wnl", tried, told)
    losses = np.maximum(LEVELS[INNER] * over, (LEVELS[INNER] - 1) * over).mean(axis=-1)
    weights = []
    for ahead in range(1, n_horizons + 1):
        near = NEAR ** np.abs(horizon - ahead)
        loss = losses @ near
        least = max(float(loss.min()), 1e-12)
        counts = before * np.exp(-RATE * near.sum() * (loss / least - 1))
        weights.append(counts @ tried / counts.sum())
    return np.array(weights), len(actual)


def learn_widths(told: np.ndarray, actual: np.ndarray) -> tuple[tuple[float, float], int]:
    """Factors on the half-widths of the 80 and 95 % intervals with which the next one holds what comes as often as it says.

    They are those of held-out forecasts, rounded up by what so few leave open, and pulled towards 1.

    Args:
        told: (n, levels) quantiles that were told; NaN where none were.
        actual: (n,) what came; NaN where it is not known.

    Source:
        Split conformal prediction with scores scaled by the half-width: Lei et al. (2018), Distribution-free predictive
        inference for regression, JASA 113(523), section 5.2.
    """
    known = ~(np.isnan(told).any(axis=-1) | np.isnan(actual))
    told, actual = told[known], actual[known]
    n, middle, factors = len(actual), told[:, Q50], [1.0, 1.0]
    for place, (low, high, share) in enumerate(((Q10, Q90, 0.8), (LOW, HIGH, 0.95))):
        least = 1e-9 * np.maximum(np.abs(middle), 1.0)
        down, up = np.maximum(middle - told[:, low], least), np.maximum(told[:, high] - middle, least)
        scores = np.where(actual < middle, (middle - actual) / down, (actual - middle) / up)
        if n:
            apart = n / TOGETHER
            factor = np.quantile(scores, min(share * (apart + 1) / apart, 1.0))
            factors[place] = float(np.exp(np.log(max(factor, 1e-3)) * apart / (apart + PRIOR)))
    return (factors[0], factors[1]), n


def impose(paths: np.ndarray, won: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paths whose totals have wanted quantiles, each multiplied as a whole: all groups add up in each of them.

    Args:
        paths: (paths, sellers, months) signed revenue, what is won so far included.
        won: (sellers, months) what is won so far: it stays as it is.
        wanted: (paths, months) totals in rising order; NaN in a month that stays as it is.

    Returns:
        (paths, sellers, months), and (paths, months) the factors on what was to come. A path keeps its rank in each
        month. Where nothing more was to come in a path, its factor is 1, and what is wanted of it is shared out as in
        the mean of all paths.
    """
    rest = paths - won
    total = rest.sum(axis=1)
    ranks = np.argsort(np.argsort(total, axis=0, kind="stable"), axis=0)
    more = np.maximum(np.take_along_axis(np.sort(wanted, axis=0), ranks, axis=0) - won.sum(axis=0), 0.0)
    more = np.where(np.isnan(wanted[0]), total, more)
    mean = rest.mean(axis=0)
    shares = np.divide(
        mean, mean.sum(axis=0), out=np.full_like(mean, 1 / max(len(mean), 1)), where=mean.sum(axis=0) > 0
    )
    factor = np.divide(more, total, out=np.ones_like(more), where=total > 0)
    spread = np.where((total > 0)[:, None], rest * factor[:, None], more[:, None] * shares)
    return won + spread, factor


def quantiles(paths: np.ndarray, levels: np.ndarray = LEVELS) -> np.ndarray:
    """(..., levels) of paths along the first dimension: half a path lies beyond the ends.

    Source:
        Hyndman and Fan (1996), The American Statistician 50(4), definition 5.
    """
    return np.moveaxis(np.quantile(paths, levels, axis=0, method="hazen"), 0, -1)


def ranks_of(n: int) -> np.ndarray:
    """(n,) the levels at which n ordered paths stand."""
    return (np.arange(n) + 0.5) / n


def _at(told: np.ndarray, levels: np.ndarray, level: float) -> np.ndarray:
    """Quantiles at one level, between those next to it."""
    place = int(np.clip(np.searchsorted(levels, level), 1, len(levels) - 1))
    low, high = levels[place - 1], levels[place]
    share = np.clip((level - low) / (high - low), 0, 1)
    return (1 - share) * told[..., place - 1] + share * told[..., place]


def _simplex(n: int) -> np.ndarray:
    """(tried, n) all weights in steps that add up to 1."""
    steps = round(1 / STEP)
    kept: list[Sequence[int]] = [each for each in product(range(steps + 1), repeat=n) if sum(each) == steps]
    return np.array(kept) / steps
