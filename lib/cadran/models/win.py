"""The chance that an open deal is won, and by when: a landmark model of competing risks in discrete time."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.landmarks import facts_at, open_pairs
from cadran.models.chain import Chained, Fitter, chain, to_follow
from cadran.models.design import CATEGORIES, NUMBERS
from cadran.models.hazards import Hazards, count_rates, interval_95, won_within
from cadran.models.hazards_boosted import fit_boosting
from cadran.models.hazards_logit import fit_logit
from cadran.models.ladder import Rung, allowed, climb
from cadran.models.landmarks import ENDED, OPEN, WON, Snapshots, take
from cadran.models.leaks import Suspect, suspects

#: Models drawn for an interval.
DRAWS = 200
#: Fits on resampled deals that a boosted model's intervals come from.
RESAMPLED = 10
#: Deals whose chances are worked out at a time: their draws, period by period, fit in memory.
CHUNK = 4_000
#: Shares of the looks at open deals before which the folds of the choice learn.
CUTS = (0.5, 0.625, 0.75, 0.875, 1.0)
#: Penalty of the logit: a prior standard deviation of 0.1 in log-odds per unit of a feature. Of 30, 100 and 300 it
#: forecast best in most invented companies (docs/win_model.md).
RIDGE = 100.0


@dataclass(frozen=True)
class Learnt:
    """What can be learnt from some snapshots: the facts left out, and the penalty of the logit."""

    left_out: tuple[str, ...] = ()
    ridge: float = RIDGE
    seed: int = 0

    def hazards(self, name: str, past: Snapshots, n_resampled: int = 0) -> Hazards:
        """Fit one candidate by its name.

        Raises:
            ValueError: If the past holds too little for it.
        """
        if name == "constant" and len(allowed(*lives(past))) > 1:
            # The logit without any fact: a base rate that drifts is followed, so that what climbs above it tells more.
            # Where one of its outcomes is never met, the shares are counted.
            with suppress(ValueError):
                return fit_logit(past, (*NUMBERS, *CATEGORIES), self.ridge, self.seed)
        if name in ("constant", "stage rates"):
            return count_rates(past, name == "stage rates", self.seed)
        if name == "logit":
            return fit_logit(past, self.left_out, self.ridge, self.seed)
        return fit_boosting(past, self.left_out, n_resampled, self.seed)

    def fitter(self, name: str) -> Fitter:
        """A candidate as forward chaining asks for it."""

        def fit(past: Snapshots) -> Callable[[Snapshots, float], np.ndarray]:
            hazards = self.hazards(name, past)
            return lambda asked, within: won_within(hazards.shares(asked.facts, asked.at), [within])[:, 0]

        return fit


@dataclass(frozen=True)
class Card:
    """What a reader must know of a model before acting on it."""

    #: Closed lives it could learn from, and weekly looks at open deals drawn from them.
    n_won: int
    n_ended: int
    n_snapshots: int
    rungs: tuple[Rung, ...]
    suspects: tuple[Suspect, ...]
    #: The forward chain that the choice rests on; none where too little is known to hold one.
    chained: Chained | None
    #: Quarter by quarter: share won of the deals that closed.
    drift: pl.DataFrame
    #: Age in days of the oldest deal that closed; None where no age is known.
    oldest: float | None = None


@dataclass(frozen=True)
class WinModel:
    """A fitted win model: `score`, `incidence` and `drawn` take facts as `facts_at` gives them at the model's moment."""

    chosen: str
    hazards: Hazards
    #: Days from 1970 of the moment up to which it learnt, which is the moment it tells from.
    day: float
    card: Card

    def incidence(
        self, facts: pl.DataFrame, days: Sequence[float] = (np.inf,), instead: pl.DataFrame | None = None
    ) -> np.ndarray:
        """(n, days) the chance of being won within so many days of the moment, 0 to 1; `inf` is ever.

        `instead` is what is done otherwise from now on, and kept up.
        """
        return self._in_parts(self.hazards.shares, facts, days, instead)

    def drawn(
        self,
        facts: pl.DataFrame,
        days: Sequence[float] = (np.inf,),
        n: int = DRAWS,
        instead: pl.DataFrame | None = None,
    ) -> np.ndarray:
        """(n draws, n deals, days) the same under models as likely as this one: the same draws each time."""

        def shares(part: pl.DataFrame, day: float, otherwise: pl.DataFrame | None) -> np.ndarray:
            return self.hazards.drawn(part, day, n, otherwise)

        return self._in_parts(shares, facts, days, instead)

    def _in_parts(
        self,
        shares: Callable[[pl.DataFrame, float, pl.DataFrame | None], np.ndarray],
        facts: pl.DataFrame,
        days: Sequence[float],
        instead: pl.DataFrame | None,
    ) -> np.ndarray:
        told = []
        for part in (slice(start, start + CHUNK) for start in range(0, max(len(facts), 1), CHUNK)):
            otherwise = None if instead is None else instead[part]
            told.append(won_within(shares(facts[part], self.day, otherwise), days))
        return np.concatenate(told, axis=-2)

    def score(self, facts: pl.DataFrame, days: float = np.inf) -> pl.DataFrame:
        """One row per deal: `opportunity_id`, `probability`, and the ends `low`, `high` of its 95 % interval."""
        drawn = self.drawn(facts, [days])[..., 0]
        low, high = interval_95(drawn) if len(facts) else drawn[:2]
        probability = self.incidence(facts, [days])[:, 0]
        ends = {"low": np.minimum(low, probability), "high": np.maximum(high, probability)}
        return facts.select("opportunity_id").with_columns(probability=pl.Series(probability, dtype=pl.Float64), **{
            name: pl.Series(end, dtype=pl.Float64) for name, end in ends.items()
        })  # fmt: skip


def fit(book: Book, seed: int = 0, confirmed: Sequence[str] = ()) -> WinModel:
    """Choose and fit the win model of a book at its moment.

    Args:
        book: Nothing later than its moment is used, and nothing that was not known then.
        seed: Of snapshots, draws and resampling.
        confirmed: Facts suspected of a leak that were found to be sound.

    Source:
        van Houwelingen and Putter (2012), Dynamic prediction in clinical survival analysis (landmarking);
        Tutz and Schmid (2016), Modeling discrete time-to-event data, chapter 8 (competing risks).
    """
    return choose(take(book, seed), seed, confirmed, open_facts(book))


def choose(
    taken: Snapshots, seed: int = 0, confirmed: Sequence[str] = (), open_now: pl.DataFrame | None = None
) -> WinModel:
    """Choose by forward chaining within some snapshots, and fit the choice on all of them."""
    name, learnt, card = select(taken, seed, confirmed, open_now)
    return WinModel(name, learnt.hazards(name, taken, RESAMPLED), taken.until, card)


def select(
    taken: Snapshots, seed: int = 0, confirmed: Sequence[str] = (), open_now: pl.DataFrame | None = None
) -> tuple[str, Learnt, Card]:
    """What forward chaining within some snapshots chooses, how to fit it, and what the choice rests on."""
    found, (n_won, n_ended) = suspected(taken, open_now, confirmed), lives(taken)
    tried = allowed(n_won, n_ended)
    learnt = Learnt(tuple(suspect.fact for suspect in found), seed=seed)
    chained = None
    if len(tried) > 1:
        within = to_follow(taken)
        cuts = np.quantile(taken.at[taken.followed >= within], CUTS)
        chained = chain(taken, cuts, {name: learnt.fitter(name) for name in tried}, within)
    name, rungs = climb(chained, tried)
    age = taken.facts["age_days"].to_numpy() + taken.end - taken.at
    oldest = np.nanmax(age[taken.outcome != OPEN], initial=-np.inf)
    card = Card(
        n_won, n_ended, len(taken), tuple(rungs), found, chained, drift(taken), float(oldest) if oldest >= 0 else None
    )
    return name, learnt, card


def lives(taken: Snapshots) -> tuple[int, int]:
    """Lives of deals that were won, and that ended otherwise: one that was opened again has had two."""
    closed = np.unique(np.column_stack([taken.deal, taken.end, taken.outcome]), axis=0)[:, 2]
    return int((closed == WON).sum()), int((closed == ENDED).sum())


def suspected(taken: Snapshots, open_now: pl.DataFrame | None, confirmed: Sequence[str]) -> tuple[Suspect, ...]:
    """The facts that may know the answer, by the looks at deals that have closed since."""
    closed = taken.keep(taken.outcome != OPEN)
    return suspects(closed.facts, closed.outcome == WON, closed.weight, open_now, confirmed)


def open_facts(book: Book) -> pl.DataFrame:
    """The facts of the deals open at the moment."""
    return facts_at(book, open_pairs(book))


def drift(taken: Snapshots) -> pl.DataFrame:
    """Per quarter of closing, in the book's time zone, of the deals seen open: `quarter`, `n_won`, `n_ended`, `won_share`."""
    lives = pl.DataFrame({"deal": taken.deal, "end": taken.end, "outcome": taken.outcome}).unique()
    # Days since 1970 hold an instant to a millisecond: a midnight must not fall into the day before.
    ended_at = pl.from_epoch((pl.col("end") * 86_400).round().cast(pl.Int64), "s").dt.replace_time_zone("UTC")
    quarter = ended_at.dt.convert_time_zone(taken.time_zone).dt.date().dt.truncate("1q")
    closed = lives.filter(pl.col("outcome") != 0).with_columns(quarter=quarter)
    n_won, n_ended = (pl.col("outcome") == WON).sum(), (pl.col("outcome") == ENDED).sum()
    counted = closed.group_by("quarter").agg(n_won=n_won, n_ended=n_ended).sort("quarter")
    return counted.with_columns(won_share=pl.col("n_won") / (pl.col("n_won") + pl.col("n_ended")))
