"""The hazards of open deals by a multinomial logit: what tells, how it fades, and a level that may drift."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from cadran.models import logit
from cadran.models.design import PULLED, WINDOWS, Design, learn
from cadran.models.hazards import MIDDLES, Days, weight_of
from cadran.models.landmarks import LENGTHS, N_PERIODS, STARTS, Snapshots

#: The level of the outcomes may move every so many days, by a step of this standard deviation in log-odds: so a base
#: rate that drifts is followed, and the latest level is the one that tells.
STEP, STEP_SD = 91.0, 0.2
#: Sizes of the columns of periods and months: the larger, the less the penalty holds them back.
PERIOD_SIZE, SEASON_SIZE = 10.0, 4.0
#: Coefficients drawn at once: fewer are the first of them.
MOST_DRAWN = 200


def _late(days: np.ndarray) -> np.ndarray:
    """How late days are, in spreads of the periods: what tells on the next two weeks may say little of next year."""
    return (np.log(days) - np.log(MIDDLES).mean()) / np.log(MIDDLES).std()


LATENESS = _late(MIDDLES)
#: Facts whose weight may change with the lateness of the period.
FADING = (
    "stage", "stage_position", "stage_days", "age_days", "days_to_expected", "forecast_category", "waiting_hours",
    "n_inbound_30", "n_outbound_30", "n_meetings", "n_asked_90", *PULLED,
)  # fmt: skip


@dataclass(frozen=True)
class LogitHazards:
    """A multinomial logit over the periods, and what it was fitted on."""

    design: Design
    fitted: logit.Logit
    n_steps: int
    step_size: float
    seed: int = 0
    _at: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def shares(self, facts: pl.DataFrame, day: Days, instead: pl.DataFrame | None = None) -> np.ndarray:
        """As `Hazards.shares`."""
        return self._shares(facts, day, self.fitted.coefficients[None], instead)[0]

    def drawn(self, facts: pl.DataFrame, day: Days, n: int, instead: pl.DataFrame | None = None) -> np.ndarray:
        """As `Hazards.drawn`: from the large-sample law of the coefficients, clustered by deal."""
        if n > len(self._at.get(0, ())):
            with threadpool_limits(1):
                drawn = self.fitted.draws(max(n, MOST_DRAWN), np.random.default_rng(self.seed))
            self._at[0] = drawn.astype(np.float32)
        return self._shares(facts, day, self._at[0][:n], instead)

    def _shares(
        self, facts: pl.DataFrame, day: Days, coefficients: np.ndarray, instead: pl.DataFrame | None
    ) -> np.ndarray:
        """(draws, n, N_PERIODS, 3). The part that no period changes is multiplied once.

        What is kept up tells in every period as it has told on the next two weeks, while what was done before a date
        fades. A fact that counts what was done over some days fills up first; then the days before them, in which the
        same was done, tell what the past of that age tells: so in later periods more and more of it adds up.
        """
        base = self.design.encode(facts)
        fading = _fading(self.design)
        p, f = base.shape[1], len(fading)
        slopes = coefficients[..., 1:].astype(np.float32)
        same = np.einsum("np,dkp->kdn", base, slopes[..., :p], optimize=True)
        fades = np.einsum("nf,dkf->kdn", base[:, fading], slopes[..., p : p + f], optimize=True)
        kept_up = []
        if instead is not None:
            done = self.design.encode(instead) - base
            windows = np.array([WINDOWS.get(fact, 0.0) for fact in self.design.of_facts()])
            for window in np.unique(windows[done.any(axis=0)]):
                here = done * (windows == window)
                odds = np.einsum("np,dkp->kdn", here, slopes[..., :p], optimize=True)
                later = np.einsum("nf,dkf->kdn", here[:, fading], slopes[..., p : p + f], optimize=True)
                kept_up.append((window, odds, later))
        days = np.atleast_1d(day)
        # Period and outcome come first in memory: each of them is worked on as a whole.
        told = np.empty((N_PERIODS, 3, *same.shape[1:]), np.float32)
        for period, start in enumerate(STARTS):
            fixed = _levels(
                np.full(len(days), period), days + start, np.full((len(days), self.n_steps), self.step_size)
            )
            level = np.einsum("ml,dkl->kdm", fixed, coefficients[..., 1 + p + f :]) + coefficients[..., 0].T[..., None]
            odds = same + fades * np.float32(LATENESS[period]) + level.astype(np.float32)
            for window, done_now, done_later in kept_up:
                times, late = _goes_on(window, MIDDLES[period])
                odds = odds + done_now * times + done_later * late
            raised = np.exp(np.minimum(odds, 60))
            told[period, 0] = 1 / (1 + raised[0] + raised[1])
            told[period, 1:] = raised * told[period, 0]
        return np.moveaxis(told, (0, 1), (-2, -1))


def fit_logit(past: Snapshots, left_out: Sequence[str] = (), ridge: float = 10.0, seed: int = 0) -> LogitHazards:
    """Fit the hazards by a multinomial logit.

    Raises:
        ValueError: If one of the three outcomes is never met.
    """
    design = learn(past.facts, past.deal, left_out)
    rows = past.rows()
    rows.check_all_met()
    base = design.encode(past.facts)[rows.of]
    fades = base[:, _fading(design)] * LATENESS[rows.period, None].astype(np.float32)
    n_steps = max(int((past.until - past.at.min(initial=past.until)) / STEP) - 1, 0)
    # Steps are penalised as any feature is: their size in the design is what makes `STEP_SD` their prior.
    step_size = STEP_SD * float(np.sqrt(ridge))
    steps = step_size * (rows.start[:, None] >= past.until - STEP * np.arange(1, n_steps + 1))
    levels = _levels(rows.period, rows.start, steps)
    features = np.hstack([base, fades, levels.astype(np.float32)])
    varies = features.std(axis=0) > 0
    features[:, ~varies] = 0
    weight = weight_of(past, rows)
    with threadpool_limits(1):  # On a machine that is busy, more threads wait for each other.
        fitted = logit.fit(features, rows.outcome, weight, past.deal[rows.of], ridge=ridge)
    return LogitHazards(design, fitted, n_steps, step_size, seed)


def _goes_on(window: float, day: float) -> tuple[np.float32, np.float32]:
    """What is done from now on, window after window, has told how many times after so many days, and how late in sum."""
    if not window:
        return np.float32(1), np.float32(LATENESS[0])
    ago = np.arange(0, day, window)
    arrived = np.minimum((day - ago) / window, 1)
    return np.float32(arrived.sum()), np.float32(arrived @ _late(MIDDLES[0] + ago))


def _fading(design: Design) -> np.ndarray:
    return np.flatnonzero([fact in FADING for fact in design.of_facts()])


def _levels(period: np.ndarray, start: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Columns that do not depend on the deal: the period, the season it falls in, and the steps of the level so far.

    Periods are steps too: one that has hardly been seen yet begins from the level of the one before.
    """
    reached = PERIOD_SIZE * (period[:, None] >= np.arange(1, N_PERIODS))
    seasons = _seasons(start, LENGTHS[period])
    return np.column_stack([reached, SEASON_SIZE * seasons, steps])


def _seasons(start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """(n, 12) share of the days of a period in each month of the year, less an even share."""
    first = np.floor(start).astype(int)
    if not len(first):
        return np.zeros((0, 12))
    days = np.arange(first.min(), int((first + length).max()) + 2)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    so_far = np.vstack([np.zeros(12), np.cumsum(months[:, None] == np.arange(12), axis=0)])
    at, span = first - days[0], length.astype(int)
    return (so_far[at + span] - so_far[at]) / span[:, None] - 1 / 12
