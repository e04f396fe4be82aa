"""How many come a day, month by month, and what is to be expected: a level that wanders, and a season that returns.

The logarithm of the intensity is a Gaussian process: a level (a random walk, so that a regime that changed is followed
and no growth is carried on without evidence), an effect of the month of the year, one of the month's place in its
quarter, and a shock of each month. How strong each is comes from the counts themselves: each combination of `GRID`
tells as much as the past makes it likely. Few counts leave a wide law, and a flat season.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

#: Standard deviations, in logarithms, that are tried: the level's step in a month, the season's, and a month's shock.
GRID = tuple(product((0.01, 0.03, 0.06, 0.12), (0.03, 0.1, 0.25), (0.02, 0.08, 0.2)))
#: Prior standard deviation of the level around what the past makes on average.
LEVEL_SD = 1.0
#: Months of the past that are looked at.
MOST_MONTHS = 72
_STEPS = 30


@dataclass(frozen=True)
class Intensity:
    """The law of the logarithm of how many come a day in some coming months: normal."""

    mean: np.ndarray
    #: (months, months).
    covariance: np.ndarray
    #: (12,) what each month of the year adds to the logarithm, of which the mean is 0.
    season: np.ndarray

    @property
    def expected(self) -> np.ndarray:
        """(months,) mean number a day."""
        return np.exp(self.mean + np.diag(self.covariance) / 2)

    def drawn(self, noise: np.ndarray) -> np.ndarray:
        """(paths, months) numbers a day, from standard normals of that shape."""
        values, vectors = np.linalg.eigh(self.covariance)
        return np.exp(self.mean + noise @ (vectors * np.sqrt(np.maximum(values, 0))).T)


def fit(counts: np.ndarray, days: np.ndarray, months: np.ndarray, ahead: np.ndarray) -> Intensity:
    """Fit it.

    Args:
        counts: (n,) how many came in each past month.
        days: (n,) of how many days each count is; a month of none tells nothing.
        months: (n,) number of each month, from January of any year as a multiple of 12.
        ahead: (m,) numbers of the coming months; the one that has begun may be among both.

    Source:
        Rasmussen and Williams (2006), Gaussian processes for machine learning, algorithms 3.1 and 3.2 (Laplace's
        approximation), here with Poisson counts.
    """
    kept = (days > 0) & (months > months.max(initial=0) - MOST_MONTHS)
    counts, days, months = counts[kept], days[kept], months[kept]
    around = float(np.log((counts.sum() + 0.5) / max(days.sum(), 1.0)))
    year, first = np.arange(12), int(min(months.min(initial=ahead.min()), ahead.min()))
    told = []
    for sds in GRID:
        weights, slope, likelihood = _laplace(counts, days, around, _kernel(months, months, *sds, first))
        beside = _kernel(ahead, months, *sds, first)
        mean = around + beside @ slope
        covariance = _kernel(ahead, ahead, *sds, first) - beside @ weights @ beside.T
        told.append((likelihood, mean, covariance, _season(year, months, sds[1]) @ slope))
    likelihoods = np.array([each[0] for each in told])
    share = np.exp(likelihoods - likelihoods.max())
    share /= share.sum()
    means, covariances, seasons = (np.array([each[place] for each in told]) for place in (1, 2, 3))
    mean, season, apart = share @ means, share @ seasons, means - share @ means
    covariance = np.einsum("g,gij->ij", share, covariances)
    covariance += np.einsum("g,gi,gj->ij", share, apart, apart)
    return Intensity(mean, covariance, season - season.mean())


def _kernel(one: np.ndarray, other: np.ndarray, step: float, season: float, shock: float, first: int) -> np.ndarray:
    """Prior covariance of the months of one side (rows) with those of the other."""
    walked = np.minimum(one[:, None], other) - first
    same = one[:, None] == other
    return LEVEL_SD**2 + step**2 * walked + shock**2 * same + _season(one, other, season)


def _season(one: np.ndarray, other: np.ndarray, sd: float) -> np.ndarray:
    between = one[:, None] - other
    return sd**2 * ((between % 12 == 0) + 1.0 * (between % 3 == 0))


def _laplace(
    counts: np.ndarray, days: np.ndarray, around: float, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """What predictions need, (prior + 1 / curvature)⁻¹ and the slope at the best point, and the log marginal likelihood."""
    found = np.log((counts + 0.5) / np.maximum(days, 1e-9)) - around
    eye = np.eye(len(counts))
    for _ in range(_STEPS):
        expected = days * np.exp(np.minimum(around + found, 30))
        root = np.sqrt(expected)
        inner = np.linalg.inv(eye + root[:, None] * prior * root)
        weights = root[:, None] * inner * root
        pulled = expected * found + counts - expected
        slope = pulled - weights @ (prior @ pulled)
        before, found = found, prior @ slope
        if np.abs(found - before).max(initial=0) < 1e-6:
            break
    expected = days * np.exp(np.minimum(around + found, 30))
    said = counts * (around + found + np.log(np.maximum(days, 1e-9))) - expected
    likelihood = said.sum() - slope @ found / 2 - np.linalg.slogdet(eye + root[:, None] * prior * root)[1] / 2
    return weights, counts - expected, float(likelihood)
