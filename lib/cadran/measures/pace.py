"""How long stays last on average, and which of several noisy averages is truly the shortest.

Own code: lifelines, which has a restricted mean, needs pandas and draws; no library at hand shrinks estimates of unequal
precision with the uncertainty of the shrinking itself.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cadran.measures.counting import Z95

#: An hour, squared: no mean of stays is known better, however alike they are.
_LEAST_VARIANCE = (1 / 24) ** 2
_STEPS = 1000


def restricted_mean(clock: pl.DataFrame, within: float) -> tuple[float, float] | None:
    """Mean of stays, each cut at `within`, those that still last counted for as long as they have lasted.

    Args:
        clock: One row per length of stay (`time`), with how many ended so (`n_event`) or still last (`n_censored`).
        within: In the unit of `time`.

    Returns:
        The mean and its variance; None where none was followed that long and some still last.

    Source:
        Klein and Moeschberger (2003), Survival Analysis, section 4.5: area under the Kaplan–Meier curve.
    """
    time, event, censored = (clock.sort("time")[name].to_numpy() for name in ("time", "n_event", "n_censored"))
    at_risk = np.cumsum((event + censored)[::-1])[::-1].astype(float)
    if not len(time) or (time[-1] < within and at_risk[-1] > event[-1]):
        return None
    lasts = np.cumprod(1 - event / at_risk)
    ends = np.append(np.minimum(time, within), within)
    areas = np.append(1.0, lasts) * np.diff(ends, prepend=0.0)
    after = np.cumsum(areas[::-1])[::-1][1:]
    left = at_risk - event
    terms = np.divide(after**2 * event, at_risk * left, out=np.zeros(len(time)), where=left > 0)
    return float(areas.sum()), float(terms.sum())


@dataclass(frozen=True)
class Shrunk:
    """Estimates of alike quantities, each pulled towards their mean the more the noisier it is.

    A luckily short one among noisy ones is pulled back, so that the best is not best by luck alone. Normal quantities
    with a common mean and spread, both unknown, flat beforehand; over a grid of the spread.

    Source:
        Gelman et al. (2013), Bayesian Data Analysis, section 5.4; Efron (2011), Tweedie's formula and selection bias,
        JASA 106(496).
    """

    #: By step of the spread (rows) and quantity (columns).
    means: np.ndarray
    pulls: np.ndarray
    own_variances: np.ndarray
    #: By step: variance of the common mean, and weight.
    mean_variance: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, variances: np.ndarray) -> "Shrunk":
        """From estimates (three or more) and their variances."""
        noise = np.maximum(variances, _LEAST_VARIANCE)
        spread = np.linspace(0, 10 * max(float(values.std()), float(np.sqrt(noise.mean()))), _STEPS)[:, None]
        precision = 1 / (noise + spread**2)
        mean_variance = 1 / precision.sum(axis=1)
        mean = (precision * values).sum(axis=1) * mean_variance
        misfit = (precision * (values - mean[:, None]) ** 2).sum(axis=1)
        likelihood = 0.5 * (np.log(mean_variance) + np.log(precision).sum(axis=1) - misfit)
        weight = np.exp(likelihood - likelihood.max())
        pulls = noise * precision
        means = mean[:, None] + (1 - pulls) * (values - mean[:, None])
        return cls(means, pulls, noise * (1 - pulls), mean_variance, weight / weight.sum())

    @property
    def values(self) -> np.ndarray:
        """The estimates after shrinking."""
        return np.asarray(self.weight @ self.means)

    def contrast(self, weights: np.ndarray) -> tuple[float, float, float]:
        """A weighted sum of the quantities, with its 95 % interval."""
        each = self.means @ weights
        within = self.own_variances @ weights**2 + self.mean_variance * (self.pulls @ weights) ** 2
        value = float(self.weight @ each)
        half = Z95 * float(np.sqrt(self.weight @ (within + (each - value) ** 2)))
        return value, value - half, value + half
