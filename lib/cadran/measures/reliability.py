"""How well several questions measure one thing: Cronbach's alpha and McDonald's omega, with their intervals."""

from dataclasses import dataclass

import numpy as np

#: Fewest persons with all answers, fewest questions for alpha and for omega.
LEAST_PERSONS, LEAST_ALPHA, LEAST_OMEGA = 30, 2, 3
#: Draws of the bootstrap.
DRAWS, AT_ONCE = 1000, 100
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
    value, fits = omega(covariances[None])
    if not fits[0]:
        return Reliability(found.alpha, found.alpha_ends, why=NO_FACTOR)
    random, weight = np.random.default_rng(seed), np.full(persons, 1 / persons)
    parts = [_covariances(scores, random.multinomial(persons, weight, AT_ONCE)) for _ in range(0, DRAWS, AT_ONCE)]
    # A draw that asks a question to share more than it has is taken where it shares all.
    low, high = np.nanquantile(omega(np.concatenate(parts))[0], [0.025, 0.975])
    return Reliability(found.alpha, found.alpha_ends, float(value[0]), (float(low), float(high)))


def _covariances(scores: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Of the questions, each person taken so many times: (draws, questions, questions)."""
    persons, items = scores.shape
    pairs = (scores[:, :, None] * scores[:, None, :]).reshape(persons, -1)
    means = times @ scores / persons
    shared = (times @ pairs / persons).reshape(-1, items, items) - means[:, :, None] * means[:, None, :]
    return shared * persons / (persons - 1)


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
    from scipy.stats import f as fisher

    freedom = persons - 1, (persons - 1) * (items - 1)
    low, high = (1 - (1 - told) * fisher.ppf(quantile, *freedom) for quantile in (0.975, 0.025))
    return float(low), float(high)


def omega(covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """McDonald's omega of one factor, 0 to 1: the part of the variance of the sum that the factor makes.

    Args:
        covariances: Of the questions: (draws, questions, questions), three questions or more.

    Returns:
        One value per draw, and whether the factor fits: not where a question would share more than all of its variance.

    Source:
        McDonald (1999), Test Theory; loadings with the least squared residuals of the correlations (minres): Harman &
        Jones (1966), Psychometrika 31:351.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        loadings = _loadings(covariances / (spread[:, :, None] * spread[:, None, :]))
        common = (loadings * spread).sum(axis=1) ** 2
        told = common / (common + ((1 - loadings**2) * spread**2).sum(axis=1))
    return told, (np.abs(loadings) < 1).all(axis=1)


def _loadings(correlations: np.ndarray) -> np.ndarray:
    """Each loading in turn the best, given the others, until they stand still, none beyond 1: (draws, questions)."""
    items = correlations.shape[1]
    others = correlations - np.eye(items)
    loadings = np.sqrt(np.clip(others.sum(axis=2) / (items - 1), 0.05, 0.95))
    moving = np.arange(len(loadings))
    for _ in range(1000):
        now, among = loadings[moving], others[moving]
        for item in range(items):
            rest = now.copy()
            rest[:, item] = 0
            now[:, item] = np.clip((among[:, item] * rest).sum(axis=1) / (rest**2).sum(axis=1), -1, 1)
        steps = np.abs(now - loadings[moving]).max(axis=1)
        loadings[moving] = now
        moving = moving[steps > 1e-8]
        if not len(moving):
            break
    return loadings
