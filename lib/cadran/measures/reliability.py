"""How well several questions measure one thing: Cronbach's alpha and McDonald's omega, with their intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as fisher

#: Fewest persons with all answers, fewest questions for alpha and for omega.
LEAST_PERSONS, LEAST_ALPHA, LEAST_OMEGA = 30, 2, 3
#: Draws of the bootstrap.
DRAWS = 1000
ONE_ITEM = "One question has no inner consistency."
TOO_FEW = "Fewer than 30 persons scored all of its questions."
NO_SPREAD = "A question was answered alike by all."
OPPOSED = "The questions go against each other: one may be turned that is not declared as reversed."
TWO_ITEMS = "Two questions cannot tell one factor: alpha alone."
NO_FACTOR = "No single factor fits the questions."
Interval = tuple[float, float]


@dataclass(frozen=True)
class Reliability:
    """What can be told of some questions; None where it is not defined, and `why`."""

    alpha: float | None = None
    alpha_ends: Interval | None = None
    omega: float | None = None
    omega_ends: Interval | None = None
    why: str | None = None


def reliability(scores: np.ndarray, seed: int = 0) -> Reliability:
    """Alpha and omega of questions.

    Args:
        scores: One row per person, one column per question, none missing, high scores good in all.
        seed: Of the draws of persons from which omega has its interval.
    """
    persons, items = scores.shape
    if items < LEAST_ALPHA:
        return Reliability(why=ONE_ITEM)
    if persons < LEAST_PERSONS:
        return Reliability(why=TOO_FEW)
    covariances = np.cov(scores, rowvar=False)
    if np.diag(covariances).min() <= 0:
        return Reliability(why=NO_SPREAD)
    told = float(alpha(covariances))
    if told <= 0:
        return Reliability(why=OPPOSED)
    found = Reliability(told, alpha_interval(told, persons, items))
    if items < LEAST_OMEGA:
        return Reliability(found.alpha, found.alpha_ends, why=TWO_ITEMS)
    value = float(omega(covariances[None])[0])
    if np.isnan(value):
        return Reliability(found.alpha, found.alpha_ends, why=NO_FACTOR)
    random = np.random.default_rng(seed)
    drawn = scores[random.integers(0, persons, (DRAWS, persons))]
    centred = drawn - drawn.mean(axis=1, keepdims=True)
    values = omega(np.einsum("dpi,dpj->dij", centred, centred) / (persons - 1))
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Reliability(found.alpha, found.alpha_ends, value, (float(low), float(high)))


def alpha(covariances: np.ndarray) -> float:
    """Cronbach's alpha, at most 1, from the covariances of the questions.

    Source:
        Cronbach (1951), Psychometrika 16:297.
    """
    items = len(covariances)
    return items / (items - 1) * (1 - np.trace(covariances) / covariances.sum())


def alpha_interval(told: float, persons: int, items: int) -> Interval:
    """95 % interval of an alpha.

    Source:
        Feldt, Woodruff & Salih (1987), Applied Psychological Measurement 11:93, formulas 6 and 7.
    """
    freedom = persons - 1, (persons - 1) * (items - 1)
    low, high = (1 - (1 - told) * fisher.ppf(quantile, *freedom) for quantile in (0.975, 0.025))
    return float(low), float(high)


def omega(covariances: np.ndarray) -> np.ndarray:
    """McDonald's omega of one factor, 0 to 1: the part of the variance of the sum that the factor makes.

    Args:
        covariances: Of the questions: (draws, questions, questions), three questions or more.

    Returns:
        One value per draw; nan where no factor fits: a question would have to share more than all of its variance.

    Source:
        McDonald (1999), Test Theory; loadings with the least squared residuals of the correlations (minres): Harman &
        Jones (1966), Psychometrika 31:351.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        loadings = _loadings(covariances / (spread[:, :, None] * spread[:, None, :]))
        common = (loadings * spread).sum(axis=1) ** 2
        told = common / (common + ((1 - loadings**2) * spread**2).sum(axis=1))
        return np.where((np.abs(loadings) <= 1).all(axis=1), told, np.nan)


def _loadings(correlations: np.ndarray) -> np.ndarray:
    """Each loading in turn the best, given the others, until they stand still: (draws, questions)."""
    items = correlations.shape[1]
    others = correlations - np.eye(items)
    loadings = np.sqrt(np.clip(others.sum(axis=2) / (items - 1), 0.05, 0.95))
    for _ in range(2000):
        before = loadings.copy()
        for item in range(items):
            rest = loadings.copy()
            rest[:, item] = 0
            # Within what a correlation can be, so that two questions that are one do not run away.
            best = (others[:, item] * rest).sum(axis=1) / (rest**2).sum(axis=1)
            loadings[:, item] = np.clip(best, -1.000001, 1.000001)
        if np.nanmax(np.abs(loadings - before)) < 1e-9:
            break
    return loadings
