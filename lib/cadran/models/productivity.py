"""Signed revenue per ramped seller and month, from the past, with its seasons."""

from dataclasses import dataclass

import numpy as np

from cadran.measures.pace import Shrunk
from cadran.models.staff import Presence

#: Months of the past that tell the pace, at most and at least; sellers without whom a region has no pace of its own.
MOST_MONTHS, LEAST_MONTHS, LEAST_SELLERS = 24, 6, 5.0
#: Whole years that tell the seasons, at most and at least.
MOST_YEARS, LEAST_YEARS = 5, 2
#: Regions without which none is told apart.
LEAST_REGIONS = 3


@dataclass(frozen=True)
class Productivity:
    """Signed revenue of one ramped seller in a usual month."""

    #: In the book's currency, over all regions; and of each region that has a pace of its own.
    monthly: float
    regions: dict[str | None, float]
    #: Relative standard error.
    error: float
    #: By month of the year, 1 on average.
    season: np.ndarray
    #: Ramped seller-months behind it.
    seller_months: float

    def of(self, region: str | None) -> float:
        """The pace of a region; that of all where it has none of its own."""
        return self.regions.get(region, self.monthly)


def learn_productivity(past: Presence, ramped: np.ndarray) -> Productivity | None:
    """The pace of the last two years at most; None where less than half a year, or no revenue, is known.

    Args:
        past: From `presence`.
        ramped: (sellers, months) what each did of a tenured seller's work.
    """
    if len(past.months) < LEAST_MONTHS or not past.revenue.any() or not ramped.any():
        return None
    season = _season(past)
    of_month = season[[month.month - 1 for month in past.months]]
    revenue, there = (past.revenue / of_month)[:, -MOST_MONTHS:], ramped[:, -MOST_MONTHS:]
    each = revenue.sum(axis=0) / np.maximum(there.sum(axis=0), 1e-9)
    monthly = float(revenue.sum() / there.sum())
    error = float(each.std(ddof=1) / np.sqrt(len(each)) / monthly) if monthly else 0.0
    return Productivity(monthly, _by_region(past, revenue, there), error, season, float(there.sum()))


def _by_region(past: Presence, revenue: np.ndarray, there: np.ndarray) -> dict[str | None, float]:
    """The pace of each region, shrunk towards one another; of regions of a few sellers none, as it would be theirs."""
    names, place = np.unique(past.sellers["region"].fill_null("").to_numpy().astype(str), return_inverse=True)
    member = np.arange(len(names))[:, None] == place
    signed, heads = member.astype(float) @ revenue, member.astype(float) @ there
    enough = [n for n, name in enumerate(names) if name and heads[n].mean() >= LEAST_SELLERS]
    if len(enough) < LEAST_REGIONS:
        return {}
    paces = signed[enough] / np.maximum(heads[enough], 1e-9)
    values = signed[enough].sum(axis=1) / heads[enough].sum(axis=1)
    shrunk = Shrunk.of(values, paces.var(axis=1, ddof=1) / paces.shape[1]).values
    return {str(names[n]): float(each) for n, each in zip(enough, shrunk, strict=True)}


def _season(past: Presence) -> np.ndarray:
    """(12,) how much of a usual month is signed in each month of the year, pulled towards none the fewer years there are."""
    years = min(len(past.months) // 12, MOST_YEARS)
    if years < LEAST_YEARS:
        return np.ones(12)
    revenue = past.revenue.sum(axis=0)[-12 * years :].reshape(years, 12)
    index = (revenue / np.maximum(revenue.mean(axis=1, keepdims=True), 1e-9)).mean(axis=0)
    first = past.months[-12 * years].month - 1
    pulled = 1 + years / (years + 1) * (np.roll(index, first) - 1)
    return np.asarray(np.maximum(pulled / pulled.mean(), 0.05))
