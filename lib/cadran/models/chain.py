"""Forward chaining: each model learns from what was known on a day, and is asked of the deals open after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cadran.models.judged import log_losses
from cadran.models.landmarks import WON, Snapshots

#: Learns from the past, and gives each of later snapshots its chance to be won within so many days.
Fitter = Callable[[Snapshots], Callable[[Snapshots, float], np.ndarray]]
#: Days within which a deal is to be won, at most; in a short past, this share of it.
WITHIN, SHARE = 182.0, 0.25


@dataclass(frozen=True)
class Chained:
    """Deals looked at after each day of learning, what was said of them, and what came."""

    asked: Snapshots
    #: Share, 0 to 1, by the name of who said it; who could not learn on some day said nothing at all.
    said: Mapping[str, np.ndarray]
    #: Why the others said nothing.
    silent: Mapping[str, str]
    #: Days within which a deal is to be won.
    within: float

    @property
    def weight(self) -> np.ndarray:
        """How many snapshots each stands for."""
        return self.asked.weight

    @property
    def won(self) -> np.ndarray:
        """Whether each was won within these days."""
        return (self.asked.outcome == WON) & (self.asked.end - self.asked.at <= self.within)

    def losses(self, name: str) -> np.ndarray:
        """Log loss of each snapshot under one model, nats."""
        return log_losses(self.said[name], self.won)


def to_follow(taken: Snapshots) -> float:
    """Days over which a look is followed to be judged: whether its deal was won within them.

    Only looks that old are asked of. To count the younger ones by what has come of them so far would be wrong: the
    deals that closed fast would speak for all, and won and lost ones do not close equally fast.
    """
    return float(np.floor(min(WITHIN, SHARE * (taken.until - taken.at.min(initial=taken.until)))))


def chain(taken: Snapshots, cuts: np.ndarray, fitters: Mapping[str, Fitter], within: float) -> Chained:
    """Learn on each cut but the last, and ask of the deals looked at until the next.

    Args:
        taken: With every outcome known by now; a fold sees only those known on its day.
        cuts: Days from 1970, rising; two or more, the last one `within` days or more ago.
        fitters: By name. One that raises ValueError has too little to learn from.
        within: Days within which a deal is to be won.
    """
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
    return Chained(asked, told, silent, within)
