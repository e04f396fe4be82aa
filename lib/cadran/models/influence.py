"""Figures of a sample of deals with their 95 % intervals, drawn from what each row adds to the figure (its influence).

Rows of one deal share its outcome: influences are summed by deal before they are squared, so no resampling is needed.
Own code, checked against scikit-learn and statsmodels, which give no such interval for the AUC and none at all for
average precision.
"""

import numpy as np
from scipy.special import expit

from cadran.measures.counting import LEAST_FOR_INTERVAL, Z95

#: Newton steps of a calibration, the longest one, and the one, in log-odds, below which it has settled.
STEPS, LONGEST, SETTLED = 50, 5.0, 1e-9

Estimate = tuple[float | None, float | None, float | None]
UNKNOWN: Estimate = (None, None, None)


def error(influence: np.ndarray, groups: np.ndarray) -> float:
    """Standard error of a figure from what each row adds to it, summed by group; NaN with fewer than two groups."""
    by_group = np.bincount(np.unique(groups, return_inverse=True)[1], influence)
    g = len(by_group)
    return float(np.sqrt(g / (g - 1) * (by_group**2).sum())) if g > 1 else float("nan")


def interval(value: float, influence: np.ndarray, groups: np.ndarray) -> Estimate:
    """A figure with its 95 % interval; without one where fewer than `LEAST_FOR_INTERVAL` groups make it."""
    if len(np.unique(groups)) < LEAST_FOR_INTERVAL:
        return value, None, None
    half = Z95 * error(influence, groups)
    return value, value - half, value + half


def share_interval(value: float, influence: np.ndarray, groups: np.ndarray) -> Estimate:
    """The same on the log-odds scale, which keeps it within 0 and 1; without one where the share is 0 or 1."""
    if not 1e-12 < value < 1 - 1e-12:
        return value, None, None
    _, low, high = interval(np.log(value / (1 - value)), influence / (value * (1 - value)), groups)
    return value, None if low is None else _share(low), None if high is None else _share(high)


def _share(log_odds: float) -> float:
    return float(expit(log_odds))


def mean(values: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> Estimate:
    """The mean of what is never below 0."""
    if not len(values):
        return UNKNOWN
    middle = float(np.average(values, weights=weights))
    value, low, high = interval(middle, weights * (values - middle) / weights.sum(), groups)
    return value, None if low is None else max(0.0, low), high


def auc(probability: np.ndarray, won: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> Estimate:
    """Chance that the won one of a pair has the higher probability: weighted, a tie counting half.

    The influence of a row is the share of the other outcome's weight that it is ranked rightly against.

    Source:
        Obuchowski (1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53(2).
    """
    levels, place = np.unique(probability, return_inverse=True)
    lost_at, won_at = (np.bincount(place, weights * kept, len(levels)) for kept in (~won, won))
    lost_below, won_above = lost_at.cumsum() - lost_at / 2, won_at.sum() - won_at.cumsum() + won_at / 2
    right = np.where(won, lost_below[place] / lost_at.sum(), won_above[place] / won_at.sum())
    own = np.where(won, won_at.sum(), lost_at.sum())
    value = float((weights * right)[won].sum() / won_at.sum())
    return share_interval(value, weights * (right - value) / own, groups)


def average_precision(probability: np.ndarray, won: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> Estimate:
    """Mean, over the won, of the share won among all whose probability is no lower.

    The influence of a row is its own precision where it is won, and how it bends that of the won ones ranked no higher.
    """
    levels, place = np.unique(probability, return_inverse=True)
    all_at, won_at = np.bincount(place, weights, len(levels)), np.bincount(place, weights * won, len(levels))
    all_above, won_above = all_at[::-1].cumsum()[::-1], won_at[::-1].cumsum()[::-1]
    precision = won_above / all_above
    value = float((won_at * precision).sum() / won_at.sum())
    as_won, as_any = np.cumsum(won_at / all_above), np.cumsum(won_at * precision / all_above)
    bend = won * as_won[place] - as_any[place]
    return share_interval(value, weights * (won * (precision[place] - value) + bend) / won_at.sum(), groups)


def calibration(
    design: np.ndarray, offset: np.ndarray, won: np.ndarray, weights: np.ndarray, groups: np.ndarray
) -> Estimate:
    """The last coefficient of a logistic regression of `won` on `design` beside `offset`; unknown where none is best.

    Source:
        Newton's method; the sandwich by group, Liang and Zeger (1986), Biometrika 73(1), with G / (G - 1).
    """
    best = np.zeros(design.shape[1])
    for _ in range(STEPS):
        shares = expit(design @ best + offset)
        scores = design * (weights * (won - shares))[:, None]
        curvature = (design * (weights * shares * (1 - shares))[:, None]).T @ design
        try:
            inverse = np.linalg.inv(curvature)
        except np.linalg.LinAlgError:
            return UNKNOWN
        step = inverse @ scores.sum(axis=0)
        if np.abs(step).max() < SETTLED:
            return interval(float(best[-1]), (scores @ inverse)[:, -1], groups)
        best = best + step * min(1, LONGEST / np.abs(step).max())
    return UNKNOWN
