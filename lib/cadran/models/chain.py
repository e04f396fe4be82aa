"""Forward chaining: each model learns from what was known on a day, and is asked of the deals open after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cadran.models.judged import follow_up_weights, log_losses
from cadran.models.landmarks import OPEN, WON, Snapshots

#: Learns from the past, and gives each of later snapshots its chance to be won within so many days.
Fitter = Callable[[Snapshots], Callable[[Snapshots, float], np.ndarray]]
#: Share of the snapshots that could be followed over all the days within which a deal is to be won.
FOLLOWED = 0.25


@dataclass(frozen=True)
class Chained:
    """Deals looked at after each day of learning, what was said of them, and what came."""

    asked: Snapshots
    #: Share, 0 to 1, by the name of who said it; who could not learn on some day said nothing at all.
    said: Mapping[str, np.ndarray]
    #: Why the others said nothing.
    silent: Mapping[str, str]
    #: As `stood_for` gives them.
    weight: np.ndarray
    #: Days within which a deal is to be won.
    within: float

    @property
    def won(self) -> np.ndarray:
        """Whether each was won within these days."""
        return (self.asked.outcome == WON) & (self.asked.end - self.asked.at <= self.within)

    def losses(self, name: str) -> np.ndarray:
        """Log loss of each snapshot under one model, nats."""
        return log_losses(self.said[name], self.won)


def chain(taken: Snapshots, cuts: np.ndarray, fitters: Mapping[str, Fitter]) -> Chained:
    """Learn on each cut but the last, and ask of the deals looked at until the next.

    Args:
        taken: With every outcome known by now; a fold sees only those known on its day.
        cuts: Days from 1970, rising; two or more.
        fitters: By name. One that raises ValueError has too little to learn from.
    """
    followed = taken.followed[(taken.at >= cuts[0]) & (taken.at < cuts[-1])]
    within = float(np.quantile(followed, 1 - FOLLOWED, method="inverted_cdf")) if len(followed) else 0.0
    places: list[np.ndarray] = []
    said: dict[str, list[np.ndarray]] = {name: [] for name in fitters}
    silent: dict[str, str] = {}
    for day, until in pairwise(cuts):
        places.append(np.flatnonzero((taken.at >= day) & (taken.at < until)))
        past, asked = taken.known_on(day), taken.keep(places[-1])
        for name, fitter in fitters.items():
            try:
                if name not in silent:
                    said[name].append(fitter(past)(asked, within))
            except ValueError as error:
                silent[name] = str(error)
    asked = taken.keep(np.concatenate(places))
    told = {name: np.concatenate(each) for name, each in said.items() if name not in silent}
    return Chained(asked, told, silent, stood_for(asked, within), within)


def stood_for(looks: Snapshots, within: float = np.inf) -> np.ndarray:
    """(n,) weekly looks that each stands for, those whose fate is not known yet having passed theirs on; 0 for these.

    The fate is how the deal ended, or that it had not after `within` days. Source of the latter:
        Graf, Schmoor, Sauerbrei and Schumacher (1999), Assessment and comparison of prognostic classification schemes
        for survival data, Statistics in Medicine 18.
    """
    lived = np.where(looks.outcome == OPEN, np.inf, looks.end - looks.at)
    lived = np.where(lived <= within, lived, np.where(looks.followed >= within, within, np.inf))
    return looks.weight * follow_up_weights(lived, looks.followed, looks.weight)
