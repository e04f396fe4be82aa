"""The levers of the chain that bookings come from: how far each is pulled, and how far the past lets it go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

#: Any lever may go this far both ways, whatever was seen, and never further than `MOST`.
ALWAYS, MOST = 1.25, 3.0

Factors = tuple[tuple[str | None, float], ...]


@dataclass(frozen=True)
class Pulls:
    """Levers of the chain; 1.0, or nothing, is as now. The pairs of one lever multiply: one for all, one for a part."""

    #: Segment of the client (None: all) and the factor on the odds that a deal is won.
    win_odds: Factors = ()
    #: Factor on the size of deals.
    size: float = 1.0
    #: Factor on the time deals take: 0.9 is a tenth faster.
    cycle: float = 1.0
    #: Region (None: all) and the factor on new deals.
    arrivals: Factors = ()
    #: Clients are answered within so many hours, from now on; None: as now.
    answer_hours: float | None = None


@dataclass(frozen=True)
class Held:
    """A lever that was pulled beyond what was ever seen, and where it is held."""

    #: Name of the lever, as a field of `Pulls`, and the segment or region it was for.
    lever: str
    group: str | None
    asked: float
    held: float


@dataclass(frozen=True)
class Limits:
    """How far the past lets each lever go: least and most factor, by the quarters that were seen."""

    #: By lever; for those with parts also by part: (lever, part) -> least, most.
    seen: Mapping[tuple[str, str | None], tuple[float, float]] = field(default_factory=dict)
    #: Hours within which clients can be said to be answered; None: the model cannot tell what it would change.
    answer: tuple[float, float] | None = None

    def held(self, pulls: Pulls) -> tuple[Pulls, tuple[Held, ...]]:
        """The levers as far as they may go, and which were held back."""
        said: list[Held] = []

        def one(lever: str, group: str | None, asked: float) -> float:
            least, most = self.seen.get((lever, group), (1 / ALWAYS, ALWAYS))
            kept = float(np.clip(asked, least, most)) if asked == asked else 1.0
            if kept != asked:
                said.append(Held(lever, group, asked, kept))
            return kept

        hours = pulls.answer_hours
        if hours is not None:
            kept = float(np.clip(hours, *self.answer)) if self.answer else None
            if kept != hours:
                said.append(Held("answer_hours", None, hours, float("nan") if kept is None else kept))
            hours = kept
        kept_pulls = replace(
            pulls,
            win_odds=tuple((group, one("win_odds", group, factor)) for group, factor in _once(pulls.win_odds)),
            size=one("size", None, pulls.size),
            cycle=one("cycle", None, pulls.cycle),
            arrivals=tuple((group, one("arrivals", group, factor)) for group, factor in _once(pulls.arrivals)),
            answer_hours=hours,
        )
        return kept_pulls, tuple(said)


def _once(pairs: Factors) -> Factors:
    """Each group's factors as one: a lever that is pulled twice goes no further than one."""
    told: dict[str | None, float] = {}
    for group, factor in pairs:
        told[group] = told.get(group, 1.0) * factor
    return tuple(told.items())


def limits(by_quarter: Iterable[float]) -> tuple[float, float]:
    """Least and most factor on what the latest of some quarters tells, by all of them: at least `ALWAYS` both ways."""
    told = np.array([each for each in by_quarter if np.isfinite(each) and each > 0])
    ratios = told / told[-1] if len(told) else np.ones(1)
    least, most = min(ratios.min(), 1 / ALWAYS), max(ratios.max(), ALWAYS)
    return max(float(least), 1 / MOST), min(float(most), MOST)


def factors(pairs: Factors, groups: Sequence[str | None]) -> np.ndarray:
    """(n,) the factor of each row, by the group it belongs to."""
    told = np.ones(len(groups))
    for group, factor in pairs:
        told *= factor if group is None else np.where(np.array(groups, object) == group, factor, 1.0)
    return told


def with_odds(chance: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Chances with their odds multiplied."""
    return chance * factor / (1 - chance + chance * factor)
