"""What comes of an open deal period by period, and from it the chance that it is won within any number of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from cadran.models.landmarks import ENDED, LENGTHS, N_PERIODS, OPEN, STARTS, WON, Rows, Snapshots

#: Days after which what was seen weighs half.
HALF_LIFE = 730.0
Days = np.ndarray | float
#: The middle of each period, in days.
MIDDLES = STARTS + LENGTHS / 2


class Hazards(Protocol):
    """What a win model must tell: of each deal and period, the share that stays open, is won, or ends otherwise.

    `instead` are facts as they would be, had a team done otherwise: what it does from now on, and keeps doing.
    """

    def shares(self, facts: pl.DataFrame, day: Days, instead: pl.DataFrame | None = None) -> np.ndarray:
        """(n, N_PERIODS, 3), each summing to 1, for facts as of `day`: days from 1970, one for all or one each."""
        ...

    def drawn(self, facts: pl.DataFrame, day: Days, n: int, instead: pl.DataFrame | None = None) -> np.ndarray:
        """(n draws, n deals, N_PERIODS, 3): the shares under `n` models as likely as this one, always the same."""
        ...


def won_within(shares: np.ndarray, days: Sequence[float]) -> np.ndarray:
    """Cumulative incidence of winning: (..., N_PERIODS, 3) shares to (..., days) shares, 0 to 1.

    Inside a period both ends keep their ratio, and those still open thin out at an even pace; the last period repeats
    for ever, and its limit (`inf` days) is *the* win probability.

    Source:
        Kalbfleisch and Prentice (2002), The statistical analysis of failure time data, section 8.2.
    """
    period_of = np.maximum(np.searchsorted(STARTS, days, side="right") - 1, 0)
    after = np.asarray(days, float)
    told = np.zeros((len(days), *shares.shape[:-2]), shares.dtype)
    is_open, won = np.ones(shares.shape[:-2], shares.dtype), np.zeros(shares.shape[:-2], shares.dtype)
    for period in range(N_PERIODS):
        stay, win, end = (shares[..., period, outcome] for outcome in (OPEN, WON, ENDED))
        # Of those that leave. Not 1 - stay: where hardly any do, rounding would make more wins than ends.
        of_ends = win / np.maximum(win + end, np.finfo(np.float32).tiny)
        for place in np.flatnonzero(period_of == period):
            passed = float(max(after[place] - STARTS[period], 0) / LENGTHS[period])
            left = 1 - stay**passed if np.isfinite(passed) else 1
            told[place] = won + is_open * left * of_ends
        won, is_open = won + is_open * win, is_open * stay
    return np.moveaxis(told, 0, -1)


@dataclass(frozen=True)
class Rates:
    """Shares counted in the past, of all deals or of those at the same stage: the simple rules."""

    #: Stage -> its row of `counts`; row 0 is all deals.
    stages: dict[str, int]
    #: (rows, N_PERIODS, 3): what became of deals, in deals' worth, the prior included.
    counts: np.ndarray
    seed: int = 0

    def shares(self, facts: pl.DataFrame, day: Days, instead: pl.DataFrame | None = None) -> np.ndarray:
        """As `Hazards.shares`."""
        return (self.counts / self.counts.sum(axis=-1, keepdims=True))[self._of(facts)]

    def drawn(self, facts: pl.DataFrame, day: Days, n: int, instead: pl.DataFrame | None = None) -> np.ndarray:
        """As `Hazards.drawn`: from the Dirichlet law that the counts leave."""
        gamma = np.random.default_rng(self.seed).standard_gamma(self.counts, (n, *self.counts.shape))
        return (gamma / gamma.sum(axis=-1, keepdims=True))[:, self._of(facts)]

    def _of(self, facts: pl.DataFrame) -> np.ndarray:
        if not self.stages:
            return np.zeros(len(facts), int)
        return facts["stage"].replace_strict(self.stages, default=0, return_dtype=pl.Int64).to_numpy()


#: Deals' worth of the overall rate that a stage starts from, and of an even guess that the overall rate starts from.
PRIOR_OF_STAGE, PRIOR = 10.0, 1.0


def count_rates(past: Snapshots, by_stage: bool, seed: int = 0) -> Rates:
    """Fit `Rates`. Many snapshots of one deal count as one deal."""
    rows = past.rows()
    weight = weight_of(past, rows)
    overall = _counted(past, rows, weight, np.ones(len(rows.of), bool))
    overall += PRIOR / 3
    stages = sorted(set(past.facts["stage"].drop_nulls())) if by_stage else []
    prior = PRIOR_OF_STAGE * overall / overall.sum(axis=-1, keepdims=True)
    at_stage = past.facts["stage"].to_numpy()[rows.of]
    counts = [overall, *(_counted(past, rows, weight, at_stage == stage) + prior for stage in stages)]
    return Rates({stage: place + 1 for place, stage in enumerate(stages)}, np.stack(counts), seed)


def _counted(past: Snapshots, rows: Rows, weight: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(N_PERIODS, 3) outcomes, weighted, the recent ones more, brought to the number of deals that stand behind them."""
    counts = np.zeros((N_PERIODS, 3))
    np.add.at(counts, (rows.period[kept], rows.outcome[kept]), weight[kept])
    for period in range(N_PERIODS):
        here = kept & (rows.period == period)
        if total := counts[period].sum():
            kish = weight[here].sum() ** 2 / (weight[here] ** 2).sum()
            counts[period] *= min(kish, len(np.unique(past.deal[rows.of[here]]))) / total
    return counts


def interval_95(drawn: np.ndarray, axis: int = 0) -> np.ndarray:
    """(2, ...) the 95 % interval of drawn values: within it another draw lies 95 times in 100.

    Source:
        Hyndman and Fan (1996), Sample quantiles in statistical packages, The American Statistician 50(4), definition
        6. The usual definition 7 would leave 93 in 100 between the ends of 100 draws. Under 39 draws it is all they span.
    """
    return np.quantile(drawn, (0.025, 0.975), axis=axis, method="weibull")


def weight_of(past: Snapshots, rows: Rows) -> np.ndarray:
    """What each row weighs, 1 on average: the looks it stands for, the recent ones more."""
    weight = past.weight[rows.of] * 0.5 ** ((past.until - rows.start) / HALF_LIFE)
    return weight / weight.mean() if len(weight) else weight
