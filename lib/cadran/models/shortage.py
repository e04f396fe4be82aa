"""Load coming against capacity, by region, team and month: how likely a shortage is, and what the staff can sign."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from cadran.models.load_ahead import Drawn, by_group
from cadran.models.one_person import Seen
from cadran.models.workforce import Change, Row, Workforce
from cadran.tables.measured.capacity import CapacityMonth

#: A month is short if it is, and if the months from it on, so many, are short together: what is over within them can be
#: bridged by moving leave or work, as a summer whose autumn has room.
RUNNING = 3
_ENDS = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class Plan:
    """Load against capacity under some levers on the staff. Arrays are (paths, rows, months), rows as `rows` has them."""

    force: Workforce
    change: Change
    sellers: pl.DataFrame
    drawn: Drawn
    #: Hours that deals bring, and that sellers have for them.
    load: np.ndarray
    capacity: np.ndarray
    #: (rows, months) sellers expected to be there.
    n_sellers: np.ndarray
    #: Which rows, and of which the revenue, are shown; None for all.
    seen: Seen | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The company, its regions, its teams."""
        return self.force.rows

    @property
    def months(self) -> tuple[date, ...]:
        """First days of the months planned."""
        return self.force.months

    @cached_property
    def _chances(self) -> tuple[np.ndarray, np.ndarray]:
        return chances(self.load - self.capacity)

    @cached_property
    def is_told(self) -> np.ndarray:
        """(rows, months) whether a shortage can be told: somebody is there, or was or will be, and deals bring work."""
        there = self.n_sellers > 1e-6
        return np.asarray(there | (there.any(axis=1, keepdims=True) & (self.load.mean(axis=0) > 1e-6)))

    @property
    def p_shortage(self) -> np.ndarray:
        """(rows, months) chance that load exceeds capacity; NaN where nobody is there, nor ever was."""
        return np.where(self.is_told, self._chances[0], np.nan)

    @property
    def p_lasting(self) -> np.ndarray:
        """(rows, months) chance of a shortage that cannot be bridged: the lesser of that of the month and that of the
        `RUNNING` months from it on, together; NaN likewise."""
        return np.where(self.is_told, np.minimum(*self._chances), np.nan)

    @property
    def is_short(self) -> np.ndarray:
        """(rows, months) whether that chance reaches the threshold."""
        return np.asarray(self.p_lasting >= self.force.staffing.threshold)

    @cached_property
    def bookings(self) -> np.ndarray:
        """(paths, rows, months) signed revenue that is forecast."""
        force = self.force
        return force.adds_up @ by_group(self.drawn.bookings, force.belongs(self.sellers), len(force.groups))

    @property
    def bookings_shown(self) -> np.ndarray:
        """The same; NaN where it is not shown, as it would tell of one person."""
        if self.seen is None or self.seen.revenue.all():
            return self.bookings
        return np.where(self.seen.revenue[:, None], self.bookings, np.nan)

    @cached_property
    def bookings_capacity(self) -> np.ndarray | None:
        """(paths, rows, months) signed revenue at the pace of the past; None where that is not known."""
        force, pace = self.force, self.force.productivity
        if pace is None:
            return None
        ramped, _ = force.staffed(len(self.load), self.change)
        each = np.array([pace.of(region) for region, _ in force.groups], np.float32)[:, None]
        season = pace.season[[month.month - 1 for month in force.months]].astype(np.float32)
        doubt = np.maximum(1 + pace.error * force.doubt(len(self.load)), 0)[:, None, None]
        return np.asarray(force.adds_up @ (ramped * each * season * doubt))

    def shows(self, place: int) -> bool:
        """Whether a row is shown."""
        return self.seen is None or bool(self.seen.rows[place])

    def frame(self, levels: Iterable[str] = ("company", "region", "team")) -> pl.DataFrame:
        """Load against capacity: `CapacityMonth`, a row per group of these levels that is shown and month, in order."""
        kept = [place for place, row in enumerate(self.rows) if row.level in set(levels) and self.shows(place)]
        n_months = len(self.months)
        told: dict[str, object] = {
            "level": [self.rows[place].level for place in kept for _ in range(n_months)],
            "group": [self.rows[place].group for place in kept for _ in range(n_months)],
            "region": [self.rows[place].region for place in kept for _ in range(n_months)],
            "month": list(self.months) * len(kept),
            "n_sellers": self.n_sellers[kept].ravel(),
            "n_ramped": (self.capacity[:, kept].mean(axis=0) / np.maximum(self.force.hours, 1e-9)).ravel(),
            "p_shortage": self.p_shortage[kept].ravel(),
            "is_short": self.is_short[kept].ravel(),
        }
        told |= _interval("hours_load", self.load[:, kept]) | _interval("hours_capacity", self.capacity[:, kept])
        ratio = self.load[:, kept] / np.where(self.capacity[:, kept] > 0, self.capacity[:, kept], np.nan)
        told |= _interval("load", np.where(self.n_sellers[kept] > 1e-6, ratio, np.nan), is_median=True)
        told |= _interval("bookings", self.bookings_shown[:, kept])
        capacity = self.bookings_capacity
        nothing = np.full((1, len(kept), n_months), np.nan)
        told |= _interval("bookings_capacity", nothing if capacity is None else capacity[:, kept])
        types = CapacityMonth.create_empty().schema
        frame = pl.DataFrame(
            told, schema_overrides={name: types[name] for name in ("level", "group", "region", "month")}
        )
        return frame.with_columns(pl.selectors.float().cast(pl.Float64).fill_nan(None)).select(
            CapacityMonth.column_names()
        )


def plan(
    force: Workforce, sellers: pl.DataFrame, drawn: Drawn, change: Change | None = None, seen: Seen | None = None
) -> Plan:
    """Load against capacity in the futures of the bookings, under some levers on the staff. Made to be asked at every move
    of a lever: a few milliseconds while only hires change, or levers that were seen before.

    Args:
        force: From `cadran.models.workforce.workforce`.
        sellers: Whom the arrays of `drawn` are about: `region` and `team` of each.
        drawn: Futures of the bookings.
        change: Levers on the staff.
        seen: Which rows are shown.
    """
    change = change or Change()
    ramped, heads = force.staffed(drawn.bookings.shape[0], change)
    load = force.adds_up @ force.brought(sellers, drawn)
    capacity = force.adds_up @ (ramped * force.hours.astype(np.float32))
    return Plan(force, change, sellers, drawn, load, capacity, force.adds_up @ heads, seen)


def chances(gap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(…, months) chance of too much load in each month; and in it and those that follow, `RUNNING` together (the last ones
    of the horizon: in these), from load less capacity (paths, …, months)."""
    running = min(RUNNING, gap.shape[-1])
    return (gap > 0).mean(axis=0), (gap @ windows(gap.shape[-1], running) > 0).mean(axis=0)


def windows(n_months: int, running: int = RUNNING) -> np.ndarray:
    """(months, months) which months (rows) are looked at together from each one (columns)."""
    first = np.minimum(np.arange(n_months), n_months - min(running, n_months))
    month = np.arange(n_months)[:, None]
    return ((month >= first) & (month < first + running)).astype(np.float32)


def _interval(name: str, told: np.ndarray, is_median: bool = False) -> dict[str, np.ndarray]:
    """Mean, or median, and 95 % interval over the paths, flat; NaN where a path has none."""
    ordered = np.sort(told.reshape(len(told), -1).T, axis=1)
    low, median, high = (_at(ordered, share) for share in _ENDS)
    return {name: median if is_median else ordered.mean(axis=1), f"{name}_low": low, f"{name}_high": high}


def _at(ordered: np.ndarray, share: float) -> np.ndarray:
    """(n,) quantile of rows in order, as `blend.quantiles` has it: half a path lies beyond the ends."""
    place = min(max(share * ordered.shape[1] - 0.5, 0.0), ordered.shape[1] - 1.0)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return np.asarray(ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low]))
