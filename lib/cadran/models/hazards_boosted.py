"""The hazards of open deals by boosted trees: what a logit cannot bend to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cadran.models.design import WINDOWS, Design, learn
from cadran.models.hazards import MIDDLES, Days, weight_of
from cadran.models.landmarks import N_PERIODS, STARTS, Snapshots


@dataclass(frozen=True)
class BoostedHazards:
    """Boosted trees over the periods, and the same on resampled deals for intervals."""

    design: Design
    trees: Any
    resampled: tuple[Any, ...] = ()
    seed: int = 0

    def shares(self, facts: pl.DataFrame, day: Days, instead: pl.DataFrame | None = None) -> np.ndarray:
        """As `Hazards.shares`."""
        return self._shares(facts, day, self.trees, instead)

    def drawn(self, facts: pl.DataFrame, day: Days, n: int, instead: pl.DataFrame | None = None) -> np.ndarray:
        """As `Hazards.drawn`: around the fit, in log-odds, with the covariance of the fits on resampled deals.

        So few fits do not know their own spread well: draws follow the t law of one degree of freedom less than fits.

        Raises:
            ValueError: If it was fitted without two resampled fits or more.
        """
        freedom = len(self.resampled) - 1
        if freedom < 1:
            raise ValueError("without two resampled fits, boosting cannot tell its doubt")
        fits = np.stack([_odds(self._shares(facts, day, trees, instead)) for trees in self.resampled])
        rng = np.random.default_rng(self.seed)
        pull = rng.normal(size=(n, freedom + 1)) / np.sqrt(rng.chisquare(freedom, (n, 1)))
        away = np.tensordot(pull.astype(np.float32), fits - fits.mean(axis=0), axes=1)
        raised = np.exp(np.minimum(_odds(self.shares(facts, day, instead)) + away, 60))
        return np.concatenate([np.ones_like(raised[..., :1]), raised], axis=-1) / (
            1 + raised.sum(axis=-1, keepdims=True)
        )

    def _shares(self, facts: pl.DataFrame, day: Days, trees: Any, instead: pl.DataFrame | None) -> np.ndarray:
        if facts.is_empty():  # scikit-learn refuses to say nothing
            return np.zeros((0, N_PERIODS, 3))
        plain, _ = self.design.plain(facts)
        then = plain if instead is None else self.design.plain(instead)[0]
        windows = np.array([WINDOWS.get(part.fact, 0.0) for part in self.design.parts])
        rows = []
        for period, start in enumerate(STARTS):
            months = np.broadcast_to(_months(np.asarray(day) + start), len(plain))
            # What was done before is still in the facts until their days are over.
            arrived = np.minimum(MIDDLES[period] / np.maximum(windows, 1e-9), 1)
            now = np.where(arrived < 1, plain + (then - plain) * arrived, then)
            rows.append(np.column_stack([now, np.full(len(plain), period), months, np.zeros(len(plain))]))
        # Asked of all periods at once: each call of the trees has its cost.
        told = trees.predict_proba(np.concatenate(rows))
        return told.reshape(N_PERIODS, len(plain), 3).swapaxes(0, 1)


def _odds(shares: np.ndarray) -> np.ndarray:
    """Log-odds of being won, and of ending otherwise, against staying open."""
    logs = np.log(np.maximum(shares, 1e-9)).astype(np.float32)
    return logs[..., 1:] - logs[..., :1]


def _months(start: Days) -> np.ndarray:
    """The month of the year, 0 to 11, that a period begins in."""
    return np.asarray(np.floor(start)).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12


def fit_boosting(past: Snapshots, left_out: Sequence[str] = (), n_resampled: int = 0, seed: int = 0) -> BoostedHazards:
    """Fit the hazards by boosted trees.

    Raises:
        ValueError: If one of the three outcomes is never met.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    design = learn(past.facts, past.deal, left_out)
    rows = past.rows()
    rows.check_all_met()
    plain, is_code = design.plain(past.facts)
    features = np.column_stack([plain[rows.of], rows.period, _months(rows.start), past.until - rows.start])
    rng = np.random.default_rng(seed)
    names, of_deal = np.unique(past.deal, return_inverse=True)
    fits = []
    for turn in range(n_resampled + 1):
        drawn = rng.integers(len(names), size=len(names)) if turn else np.arange(len(names))
        weight = weight_of(past, rows) * np.bincount(drawn, minlength=len(names))[of_deal[rows.of]]
        kept = weight > 0
        trees = HistGradientBoostingClassifier(
            max_iter=100, learning_rate=0.08, max_leaf_nodes=12, min_samples_leaf=60, l2_regularization=5.0,
            categorical_features=np.append(is_code, [False, False, False]), random_state=seed, early_stopping=False,
        )  # fmt: skip
        told = features[kept]
        told[:, np.isnan(told).all(axis=0)] = 0  # scikit-learn takes no column without a value
        fits.append(trees.fit(told, rows.outcome[kept], weight[kept]))
    return BoostedHazards(design, fits[0], tuple(fits[1:]), seed)
