"""A win model of known coefficients, whose every number can be worked out by hand."""

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cadran.models.design import Design, Number
from cadran.models.hazards import PRIOR, Rates
from cadran.models.ladder import Rung
from cadran.models.landmarks import N_PERIODS
from cadran.models.win import Card, WinModel


@dataclass
class Known:
    """A deal is won or lost at once, with log-odds `level` + `slope` × contacts + `cross` × contacts × touches.

    `doubt` is the standard error of the slope, `most` the contacts ever seen.
    """

    level: float = -2.0
    slope: float = 0.8
    doubt: float = 0.1
    most: float = 20
    cross: float = 0.0

    @property
    def design(self):
        seen = (0.0, math.log1p(self.most))
        limits = {"seen": seen, "low": seen[0], "high": seen[1], "mean": 1.0, "spread": 1.0, "knots": ()}
        return Design((Number("n_contacts", **limits, is_ever_unknown=False),))

    def shares(self, facts, day, instead=None):
        return self._shares(facts if instead is None else instead, np.array([self.slope]))[0]

    def drawn(self, facts, day, n, instead=None):
        slopes = np.random.default_rng(0).normal(self.slope, self.doubt, n)
        return self._shares(facts if instead is None else instead, slopes)

    def _shares(self, facts, slopes):
        contacts = facts["n_contacts"].fill_null(0).to_numpy()
        both = self.cross * contacts * facts["n_touches"].fill_null(0).to_numpy()
        won = 1 / (1 + np.exp(-(self.level + slopes[:, None] * contacts + both)))
        told = np.stack([np.zeros_like(won), won, 1 - won], axis=-1)
        return np.repeat(told[:, :, None], N_PERIODS, axis=2)


def model_of(hazards):
    """The same as a fitted model."""
    drift = pl.DataFrame(schema={"quarter": pl.Date, "n_won": pl.Int64, "n_ended": pl.Int64, "won_share": pl.Float64})
    rungs = (Rung("logit", 100, True, "stage rates", -0.1, 0.02),)
    name = "constant" if isinstance(hazards, Rates) else "logit"
    return WinModel(name, hazards, 20_000.0, Card(100, 100, 0, rungs, (), None, drift))


def untaught():
    """A model of the overall rate that has seen no deal close: the even guess it starts from."""
    return replace(model_of(Rates({}, np.full((1, N_PERIODS, 3), PRIOR / 3))), chosen="constant")
