"""The proportional odds model: what goes with an ordered answer, when only its order counts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

#: Steps of Newton at most; the gradient per person at which it has arrived; slopes beyond which nothing is learnt.
MOST_STEPS, ENOUGH, MOST_SLOPE = 50, 1e-9, 25.0
#: Chances are not taken to be smaller than this.
_LEAST = 1e-300


@dataclass(frozen=True)
class Ordinal:
    """P(score up to c) = logistic(threshold of c less the sum of slopes times predictors)."""

    #: (predictors,) slopes, and what is known of them once the thresholds are learnt with them: its inverse is their
    #: covariance.
    slopes: np.ndarray
    information: np.ndarray
    thresholds: np.ndarray
    #: The scores, in order, of which all but the last have a threshold.
    levels: np.ndarray
    log_likelihood: float


def fit_ordinal(predictors: np.ndarray, scores: np.ndarray) -> Ordinal | None:
    """Fit by Newton's method, which finds the one maximum there is.

    Args:
        predictors: (people, predictors), of about unit spread.
        scores: (people,) at least two different ones; what lies between them does not count.

    Returns:
        The model; None where some predictor parts high scores from low ones without fault, or two predictors are one:
        no slope is then the likeliest.

    Source:
        McCullagh (1980), Regression models for ordinal data, JRSS B 42(2).
    """
    levels, place = np.unique(scores, return_inverse=True)
    n, cuts = len(place), len(levels) - 1
    share = np.cumsum(np.bincount(place, minlength=cuts + 1))[:-1] / n
    told = np.concatenate([np.log(share / (1 - share)), np.zeros(predictors.shape[1])])
    designs = _designs(place, predictors, cuts)
    likelihood, gradient, hessian = _at(told, designs, place, cuts)
    for _ in range(MOST_STEPS):
        if np.abs(gradient).max() <= ENOUGH * n:
            break
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            return None
        size = 1.0
        while size > 1e-8:
            found = _at(told - size * step, designs, place, cuts)
            if np.isfinite(found[0]) and found[0] >= likelihood - 1e-10 * abs(likelihood):
                break
            size /= 2
        else:
            return None
        told, (likelihood, gradient, hessian) = told - size * step, found
    else:
        return None
    if np.abs(told[cuts:]).max(initial=0.0) > MOST_SLOPE:
        return None
    across, within = -hessian[cuts:, :cuts], -hessian[:cuts, :cuts]
    information = -hessian[cuts:, cuts:] - across @ np.linalg.solve(within, across.T)
    return Ordinal(told[cuts:], information, told[:cuts], levels, float(likelihood))


def _designs(place: np.ndarray, predictors: np.ndarray, cuts: int) -> tuple[np.ndarray, np.ndarray]:
    """How the upper and the lower end of each one's step depend on thresholds and slopes; 0 where a step is open."""
    ends = np.eye(cuts + 2)[:, 1:-1]
    return tuple(np.hstack([ends[place + shift], -predictors]) for shift in (1, 0))  # type: ignore[return-value]


def _at(
    told: np.ndarray, designs: tuple[np.ndarray, np.ndarray], place: np.ndarray, cuts: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Logarithm of the likelihood, its gradient and its matrix of second derivatives."""
    upper, lower = designs
    # An order of the thresholds that cannot be has no likelihood.
    if (np.diff(told[:cuts]) <= 0).any():
        return -np.inf, told, np.eye(len(told))
    above = np.where(place < cuts, expit(upper @ told), 1.0)
    below = np.where(place > 0, expit(lower @ told), 0.0)
    chance = np.maximum(above - below, _LEAST)
    up, down = above * (1 - above), below * (1 - below)
    first = up / chance, -down / chance
    second_up = up * (1 - 2 * above) / chance - first[0] ** 2
    second_down = -down * (1 - 2 * below) / chance - first[1] ** 2
    gradient = first[0] @ upper + first[1] @ lower
    mixed = (upper * (-first[0] * first[1])[:, None]).T @ lower
    hessian = (upper * second_up[:, None]).T @ upper + (lower * second_down[:, None]).T @ lower + mixed + mixed.T
    return float(np.log(chance).sum()), gradient, hessian
