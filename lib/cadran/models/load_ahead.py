"""The hours of work that deals bring in each month ahead, in many futures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from cadran.models.workload import BUSINESS_DAYS

if TYPE_CHECKING:
    from cadran.models.workforce import Workforce


class Drawn(Protocol):
    """Futures of the bookings, as `cadran.models.bookings` draws them: sellers in the order of its `sellers`."""

    @property
    def bookings(self) -> np.ndarray:
        """(paths, sellers, months) signed revenue."""

    @property
    def opened(self) -> np.ndarray:
        """(sellers, months) expected number of open deals, on average over the month."""

    @property
    def created(self) -> np.ndarray:
        """(sellers, months) expected number of new deals."""

    @property
    def level(self) -> np.ndarray:
        """(paths, months) factor on the number of new deals."""


@dataclass(frozen=True)
class Draws:
    """What is drawn once for a number of futures, so that a lever shows itself and not the noise."""

    #: (paths, sellers) how much of the rate of leaving each seller bears; (paths,) the rate.
    bears: np.ndarray
    rates: np.ndarray
    #: (paths,) doubt of the ramp, of hours, and of what a seller signs.
    of_ramp: np.ndarray
    of_hours: np.ndarray
    of_sales: np.ndarray
    #: (paths, groups, months) chance in the number of deals, and the drift of their arrivals, a factor.
    deals: np.ndarray
    drift: np.ndarray


def by_group(values: np.ndarray, belongs: np.ndarray, n_groups: int) -> np.ndarray:
    """(…, groups, months) out of (…, sellers, months): sums."""
    member = np.zeros((n_groups, len(belongs)), np.float32)
    member[belongs, np.arange(len(belongs))] = 1
    return np.asarray(member @ values.astype(np.float32))


def load_ahead(force: "Workforce", draws: Draws, belongs: np.ndarray, drawn: Drawn) -> np.ndarray:
    """(paths, groups, months) hours that deals bring: expected ones, with the doubt of hours, of arrivals, and of chance."""
    n_groups = len(force.groups)
    opened, created = (by_group(each, belongs, n_groups) for each in (drawn.opened, drawn.created))
    took = force.workload
    factor = np.array([took.factor(region) for region, _ in force.groups], np.float32)[:, None]
    pace = (force.business_days / BUSINESS_DAYS).astype(np.float32)
    # The share of open deals that is still open a month later, if as many come as go.
    stays = float(np.clip(1 - created.sum() / max(opened.sum(), 1e-9), 0, 0.95))
    level = drawn.level.astype(np.float32)[:, None] * draws.drift
    more, noise, fresh = created * (level - 1), draws.deals, np.float32(np.sqrt(1 - stays**2))
    many, extra, chance = np.empty_like(noise), np.zeros_like(noise[..., 0]), np.zeros_like(noise[..., 0])
    for month in range(noise.shape[-1]):
        # Deals open are about Poisson, as in a queue, and alike from month to month as far as they stay open.
        chance = stays * chance + fresh * noise[..., month]
        many[..., month] = opened[:, month] + stays * extra + more[..., month] / 2 + chance * np.sqrt(opened[:, month])
        extra = stays * extra + more[..., month]
    hours = np.maximum(many, 0) * (took.open_hours * factor * pace) + created * level * (took.new_hours * factor)
    return np.asarray(hours * np.exp(took.error * draws.of_hours)[:, None, None] + _openings(force), np.float32)


def _openings(force: "Workforce") -> np.ndarray:
    """(groups, months) hours that new regions and teams are said to bring."""
    told = np.zeros((len(force.groups), len(force.months)))
    for opening in force.staffing.openings:
        begun = np.array([month >= opening.day.replace(day=1) for month in force.months])
        told[force.place(opening.region, opening.team)] += opening.hours * begun * force.business_days / BUSINESS_DAYS
    return told
