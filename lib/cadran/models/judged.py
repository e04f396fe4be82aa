"""How good a probability of winning was, once it is known who won: proper scores, ranking, calibration, skill."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import logit

from cadran.measures.counting import wilson
from cadran.models.influence import UNKNOWN, auc, average_precision, calibration, error, interval, mean

#: A probability nearer to 0 or 1 than this is scored as if it were this near: no log loss is above 13.8.
CLIP = 1e-6


@dataclass(frozen=True)
class Judged:
    """What was said beside what came: each figure with the ends of its 95 % interval, None where it cannot be told.

    `log_loss` (nats, 0 or more, probabilities held within `CLIP` of 0 and 1) and `brier` (0 to 1): 0 is perfect.
    `auc`: chance that of a won and a lost one the won had the higher probability, a tie counting half; 0.5 tells
    nothing. `average_precision`: mean share won among all ranked as high as each won one; a constant has the share
    won. `calibration_slope`: 1 is right, below 1 probabilities are too extreme, and a constant has none.
    `calibration_intercept`: by how much log-odds were too low on the whole; 0 is right.
    """

    #: Rows that count (weight above 0), and of them the won.
    n: int
    n_won: int
    log_loss: float | None
    log_loss_low: float | None
    log_loss_high: float | None
    brier: float | None
    brier_low: float | None
    brier_high: float | None
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    average_precision: float | None
    average_precision_low: float | None
    average_precision_high: float | None
    calibration_slope: float | None
    calibration_slope_low: float | None
    calibration_slope_high: float | None
    calibration_intercept: float | None
    calibration_intercept_low: float | None
    calibration_intercept_high: float | None


def judge(
    probability: np.ndarray, won: np.ndarray, weights: np.ndarray | None = None, groups: np.ndarray | None = None
) -> Judged:
    """Score probabilities of winning against outcomes.

    Args:
        probability: (n,) shares, 0 to 1.
        won: (n,) whether it was won; a lost one was not.
        weights: (n,) 0 or more: how many each row stands for. None is 1 each.
            A row of weight 0 counts nowhere.
        groups: (n,) whose row it is (the deal): intervals take rows of one group as dependent. None takes every row
            as a deal of its own.

    Returns:
        Nothing but counts where no row counts. Where all are won, or all lost, ranking and calibration are unknown.
        Intervals are unknown with fewer than `LEAST_FOR_INTERVAL` groups.

    Raises:
        ValueError: If shapes differ, a probability is not within 0 and 1, or a weight is below 0.

    Source:
        Intervals: influence functions summed by group (Obuchowski 1997, Biometrics 53(2), for the AUC; its form on
        the log-odds scale, Pepe 2003, section 5.2). Calibration: Cox (1958), Biometrika 45(3/4); the intercept with
        the slope held at 1: Van Calster et al. (2019), BMC Medicine 17:230; sandwich by group with G / (G - 1).
    """
    probability, won, weights, groups = _counted(probability, won, weights, groups)
    n, n_won = len(won), int(won.sum())
    figures = {
        "log_loss": mean(log_losses(probability, won), weights, groups),
        "brier": mean((probability - won) ** 2, weights, groups),
        "auc": UNKNOWN, "average_precision": UNKNOWN, "calibration_slope": UNKNOWN, "calibration_intercept": UNKNOWN,
    }  # fmt: skip
    if 0 < n_won < n:
        ones, told = np.ones((n, 1)), log_odds(probability)
        figures["auc"] = auc(probability, won, weights, groups)
        figures["average_precision"] = average_precision(probability, won, weights, groups)
        figures["calibration_intercept"] = calibration(ones, told, won, weights, groups)
        if np.ptp(told) > 0:
            design = np.column_stack([ones, told])
            figures["calibration_slope"] = calibration(design, np.zeros(n), won, weights, groups)
    flat = {name + end: each for name, figure in figures.items() for end, each in zip(_ENDS, figure, strict=True)}
    return Judged(n, n_won, **flat)


def log_losses(probability: np.ndarray, won: np.ndarray) -> np.ndarray:
    """(n,) log loss of each row, in nats: minus the log of the probability given to what came, clipped at `CLIP`."""
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    return -np.log(np.where(won, clipped, 1 - clipped))


def difference(
    loss_a: np.ndarray, loss_b: np.ndarray, weights: np.ndarray | None = None, groups: np.ndarray | None = None
) -> tuple[float, float]:
    """Mean of `loss_a` - `loss_b` over the same rows, below 0 where a is better, and its standard error by group.

    The error is NaN with fewer than two groups, the mean too where no row counts.
    """
    weights, groups = _filled(weights, groups, len(loss_a))
    counts = weights > 0
    gap, weights, groups = (loss_a - loss_b)[counts], weights[counts], groups[counts]
    if not len(gap):
        return float("nan"), float("nan")
    middle = float(np.average(gap, weights=weights))
    return middle, error(weights * (gap - middle) / weights.sum(), groups)


def reliability(
    probability: np.ndarray,
    won: np.ndarray,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    bins: int = 10,
) -> pl.DataFrame:
    """What share was won where such a probability was given: the reliability curve, in bins of like weight.

    Returns:
        One row per bin, by rising probability; equal probabilities share a bin, so there may be fewer than `bins`.
        `n`, `n_won` (rows), `predicted` (mean probability), `observed` (share won) with `observed_low` and
        `observed_high` (95 %, Wilson).

    Source:
        Wilson (1927), JASA 22(158), with Kish's effective number of groups (1965) in the place of n: all rows of a
        deal share its outcome.
    """
    probability, won, weights, groups = _counted(probability, won, weights, groups)
    if not len(won):
        return pl.DataFrame(schema=_RELIABILITY)
    levels, level = np.unique(probability, return_inverse=True)
    held = np.bincount(level, weights, len(levels))
    place = ((held.cumsum() - held / 2) * bins // held.sum())[level]
    rows = []
    for each in np.unique(place):
        here = place == each
        w, held = weights[here], np.bincount(np.unique(groups[here], return_inverse=True)[1], weights[here])
        share, effective = np.average(won[here], weights=w), held.sum() ** 2 / (held**2).sum()
        low, high = wilson(share, effective)
        predicted = np.average(probability[here], weights=w)
        rows.append((int(here.sum()), int(won[here].sum()), predicted, share, low, high))
    return pl.DataFrame(rows, schema=_RELIABILITY, orient="row")


def skill_by(
    group: pl.Series,
    loss: np.ndarray,
    constant_loss: np.ndarray,
    won: np.ndarray,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> pl.DataFrame:
    """How much of the constant's loss is saved, in each group of deals (age, region, amount, …).

    Args:
        group: (n,) the group of each row; null is one of its own.
        loss, constant_loss: (n,) loss of each row under the model, and under one constant for all rows.
        won, weights, groups: As `judge` takes them.

    Returns:
        One row per group, sorted, null last: `group` (text), `n`, `n_won` (rows), `log_loss`, `constant_log_loss`, and `skill`
        = 1 - log_loss / constant_log_loss (1 at most, below 0 where the constant is better) with `skill_low` and
        `skill_high` (95 %, delta method by group; null with fewer than `LEAST_FOR_INTERVAL` groups).
    """
    weights, groups = _filled(weights, groups, len(loss))
    rows = []
    for each in group.unique().sort(nulls_last=True):
        here = group.eq_missing(each).to_numpy() & (weights > 0)
        if not here.any():
            continue
        w = weights[here]
        mine, theirs = (float(np.average(given[here], weights=w)) for given in (loss, constant_loss))
        influence = w * (loss - constant_loss * mine / theirs)[here] / (w.sum() * theirs)
        skill = interval(1 - mine / theirs, influence, groups[here])
        rows.append((each, int(here.sum()), int(won[here].sum()), mine, theirs, *skill))
    floats = dict.fromkeys(("log_loss", "constant_log_loss", "skill", "skill_low", "skill_high"), pl.Float64)
    schema: dict[str, Any] = {"group": pl.String, "n": pl.Int64, "n_won": pl.Int64, **floats}
    return pl.DataFrame(rows, schema=schema, orient="row")


_ENDS = ("", "_low", "_high")
_RELIABILITY = {"n": pl.Int64, "n_won": pl.Int64} | dict.fromkeys(
    ("predicted", "observed", "observed_low", "observed_high"), pl.Float64
)


def _filled(weights: np.ndarray | None, groups: np.ndarray | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.ones(n) if weights is None else np.asarray(weights, float),
        np.arange(n) if groups is None else np.asarray(groups),
    )


def _counted(
    probability: np.ndarray, won: np.ndarray, weights: np.ndarray | None, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The rows whose weight is above 0."""
    weights, groups = _filled(weights, groups, len(won))
    probability, won = np.asarray(probability, float), np.asarray(won, bool)
    if not len(probability) == len(won) == len(weights) == len(groups):
        raise ValueError(f"Lengths differ: {len(probability)}, {len(won)}, {len(weights)}, {len(groups)}.")
    if not ((probability >= 0) & (probability <= 1)).all() or not (weights >= 0).all():
        raise ValueError("Probabilities must be within 0 and 1, and weights 0 or more.")
    counts = weights > 0
    return probability[counts], won[counts], weights[counts], groups[counts]


def log_odds(probability: np.ndarray) -> np.ndarray:
    """(n,) log of probability / (1 - probability), clipped at `CLIP`."""
    return logit(np.clip(probability, CLIP, 1 - CLIP))
