"""The staff of a book, what it can carry in each month ahead, and the hours of work that deals bring: in many futures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache
from threading import RLock
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import is_active
from cadran.measures.periods import month_after
from cadran.models.load_ahead import Drawn, Draws, load_ahead
from cadran.models.met import left_by_meetings, met_before
from cadran.models.productivity import MOST_MONTHS, Productivity, learn_productivity
from cadran.models.ramp import Attrition, Ramp, learn_attrition, learn_ramp, stated_attrition, stated_ramp
from cadran.models.staff import presence, staff, tenure_of
from cadran.models.staffing import Group, Move, Staffing
from cadran.models.working_days import WorkingDays
from cadran.models.workload import Workload, worked, workload

#: Relative standard error, after a year, of the deals that arrive in a group, beside that of all deals: an assumption.
OWN_DRIFT = 0.06
#: Futures of bookings whose load is kept.
MOST_KEPT = 8
_DAYS_OF_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Change:
    """Levers on the staff. As given, nothing is changed."""

    #: Region, first day of the month of start, how many.
    hires: tuple[tuple[str | None, date, int], ...] = ()
    #: Factor on the time that new sellers take to grow into the work, and on the rate at which sellers leave.
    ramp: float = 1.0
    attrition: float = 1.0


@dataclass(frozen=True)
class Row:
    """Whom one row of a plan is about."""

    level: str
    group: str | None
    region: str | None


@dataclass(frozen=True)
class Workforce:
    """The staff of a book and what it can carry: the heavy work, once for each book, plan file and horizon.

    Arrays of groups follow `groups`, those of months `months`, those of sellers the order in which they stand in the book.
    """

    staffing: Staffing
    day: date
    months: tuple[date, ...]
    groups: tuple[Group, ...]
    #: (months,) business days left of each month; hours that one tenured seller has for deals in them.
    business_days: np.ndarray
    hours: np.ndarray
    #: (sellers,) their group; (sellers, months) months since hiring.
    group: np.ndarray
    tenure: np.ndarray
    #: (sellers,) months ahead at which each is known to leave; infinite where nothing is known.
    leaves: np.ndarray
    ramp: Ramp
    attrition: Attrition
    workload: Workload
    productivity: Productivity | None
    calendar: WorkingDays = field(repr=False)
    seed: int = 0
    _brought: dict[tuple[int, int, int], tuple[np.ndarray, Drawn]] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=RLock, repr=False)
    #: (sellers,) the share of their selling hours that one-to-ones with those they lead leave; null: all of them.
    free: np.ndarray | None = field(default=None, repr=False)

    @cached_property
    def ahead(self) -> np.ndarray:
        """(months,) months from the book's day to the middle of each month, or of what is left of it."""
        starts = [max(month, self.day + timedelta(days=1)) for month in self.months]
        middles = [(start - self.day).days + (month_after(start, 1) - start).days / 2 for start in starts]
        return np.array(middles) / _DAYS_OF_MONTH

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The company, its regions, its teams."""
        regions = list(dict.fromkeys(region for region, _ in self.groups))
        teams = [Row("team", team, region) for region, team in self.groups if team is not None]
        return (Row("company", None, None), *(Row("region", name, name) for name in regions), *teams)

    @cached_property
    def adds_up(self) -> np.ndarray:
        """(rows, groups) which groups each row holds."""
        return np.array(
            [
                [
                    row.level == "company"
                    or (row.region == region and (row.level == "region" or row.group == team))
                    for region, team in self.groups
                ]
                for row in self.rows
            ],
            np.float32,
        )  # fmt: skip

    def place(self, region: str | None, team: str | None = None) -> int:
        """Where a group stands; a region without a team in its own place.

        Raises:
            ValueError: If there is no such group.
        """
        return self.groups.index((region, team))

    def staffed(self, n: int, change: Change) -> tuple[np.ndarray, np.ndarray]:
        """(paths, groups, months) how many tenured sellers would do the work of those who are there, in `n` futures, and
        (groups, months) how many are expected there, under some levers."""
        ramped, heads = _staffed(self, n, change.ramp, change.attrition)
        if not change.hires:
            return ramped, heads
        moves = [Move(region, None, month, count) for region, month, count in change.hires]
        more, there = _joined(self, n, moves, change)
        return ramped + more, heads + there

    def brought(self, sellers: pl.DataFrame, drawn: Drawn) -> np.ndarray:
        """(paths, groups, months) hours of work that deals bring in each future, kept for the last few sets of futures."""
        key = id(drawn.opened), id(drawn.created), id(drawn.level)
        with self._lock:
            if key not in self._brought:
                while len(self._brought) >= MOST_KEPT:
                    del self._brought[next(iter(self._brought))]
                hours = load_ahead(self, _draws(self, drawn.bookings.shape[0]), self.belongs(sellers), drawn)
                self._brought[key] = hours, drawn  # whose arrays live on, so that nothing else has their ids
            return self._brought[key][0]

    def doubt(self, n: int) -> np.ndarray:
        """(paths,) standard normal: the doubt of what a seller signs."""
        return _draws(self, n).of_sales

    def belongs(self, sellers: pl.DataFrame) -> np.ndarray:
        """(sellers,) the place of each one's group."""
        place = {group: number for number, group in enumerate(self.groups)}
        return np.array([place[group] for group in zip(sellers["region"], sellers["team"], strict=True)], np.int64)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@lru_cache(maxsize=16)
def _draws(force: Workforce, n: int) -> Draws:
    def normal(purpose: int) -> np.ndarray:
        return np.random.default_rng([force.seed, purpose]).standard_normal(n).astype(np.float32)

    def by_group(purpose: int) -> np.ndarray:
        # Each has draws of its own, so that a group more, or less, leaves the others as they are.
        seeds = [[force.seed, purpose, crc32(repr(group).encode())] for group in force.groups]
        drawn = [np.random.default_rng(seed).standard_normal((n, len(force.months)), np.float32) for seed in seeds]
        return np.stack(drawn, axis=1) if drawn else np.zeros((n, 0, len(force.months)), np.float32)

    steps = np.sqrt(np.diff(force.ahead, prepend=0.0) / 12).astype(np.float32)
    own = (by_group(5) * steps).cumsum(axis=2) * OWN_DRIFT
    bears = np.random.default_rng([force.seed, 6]).standard_exponential((n, len(force.group)), np.float32)
    rates = force.attrition.drawn(n, np.random.default_rng([force.seed, 7])).astype(np.float32)
    return Draws(bears, rates, normal(0), normal(1), normal(8), by_group(3), np.exp(own))


@lru_cache(maxsize=64)
def _staffed(force: Workforce, n: int, stretch: float, attrition: float) -> tuple[np.ndarray, np.ndarray]:
    """(paths, groups, months) tenured sellers that do the same work, and (groups, months) sellers expected there: those of
    the book, and the joiners and leavers of the plan."""
    draws, n_groups = _draws(force, n), len(force.groups)
    share, error = (each.astype(np.float32) for each in force.ramp.at(force.tenure, stretch))
    if force.free is not None:
        share, error = share * force.free[:, None], error * force.free[:, None]
    order = np.argsort(force.group, kind="stable")
    groups, firsts = np.unique(force.group[order], return_index=True)
    ramped, heads = np.zeros((n, n_groups, len(force.months)), np.float32), np.zeros((n_groups, len(force.months)))
    growing = (error > 0).any(axis=1)
    for place, ahead in enumerate(force.ahead) if len(order) else ():
        stays = (draws.bears > attrition * draws.rates[:, None] * ahead) & (force.leaves > ahead)
        worth = stays * share[:, place]
        worth[:, growing] += stays[:, growing] * error[growing, place] * draws.of_ramp[:, None]
        there = stays & (force.tenure[:, place] >= 0)
        for into, each in ((ramped[:, :, place], worth), (heads[:, place], there.mean(axis=0, dtype=np.float64)[None])):
            into[..., groups] = np.add.reduceat(each[:, order], firsts, axis=1)
    change = Change((), stretch, attrition)
    more, joined = _joined(force, n, force.staffing.joiners, change)
    keeps = _keeps(force, heads)
    return np.maximum(ramped, 0) * keeps.astype(np.float32) + more, heads * keeps + joined


def _joined(force: Workforce, n: int, moves: Sequence[Move], change: Change) -> tuple[np.ndarray, np.ndarray]:
    """(paths, groups, months) what joiners add, and (groups, months) how many of them are there."""
    ramped, heads = (
        np.zeros((n, len(force.groups), len(force.months)), np.float32),
        np.zeros((len(force.groups), len(force.months))),
    )
    for move in moves:
        at = force.place(move.region, move.team)
        worth, there = joiner(force, n, move.day, change.ramp, change.attrition)
        ramped[:, at] += move.n * worth
        heads[at] += move.n * there
    return ramped, heads


@lru_cache(maxsize=512)
def joiner(force: Workforce, n: int, day: date, stretch: float, attrition: float) -> tuple[np.ndarray, np.ndarray]:
    """(paths, months) what one seller who starts in the month of a day does of a tenured one's work, and (months,) the chance
    to be there still."""
    draws = _draws(force, n)
    began = (force.months[0].year - day.year) * 12 + force.months[0].month - day.month
    tenure = np.arange(len(force.months)) + began
    share, error = force.ramp.at(tenure, stretch)
    stayed = np.maximum(force.ahead - force.ahead[0] + began, 0) * (tenure >= 0)
    stays = np.exp(-attrition * draws.rates[:, None] * stayed) * (tenure >= 0)
    worth = np.maximum(share + error * draws.of_ramp[:, None], 0) * stays
    return worth.astype(np.float32), stays.mean(axis=0)


def _keeps(force: Workforce, heads: np.ndarray) -> np.ndarray:
    """(groups, months) the share of each group that stays when those leave who the plan says will."""
    gone = np.zeros_like(heads)
    for move in force.staffing.leavers:
        among = [place for place, (region, team) in enumerate(force.groups)
                 if region == move.region and move.team in (None, team)]  # fmt: skip
        later = np.array([month > move.day for month in force.months])
        there = heads[among]
        gone[among] += move.n * later * there / np.maximum(there.sum(axis=0), 1e-9)
    return np.asarray(1 - np.minimum(gone / np.maximum(heads, 1e-9), 1))


def workforce(
    book: Book, staffing: Staffing, sellers: pl.DataFrame, months: Sequence[date], seed: int = 0
) -> Workforce:
    """The staff of a book and what it can carry.

    Args:
        book: At its moment.
        staffing: What a plan states.
        sellers: Those whose deals are forecast: `rep_id`, `region`, `team`.
        months: First days of the months planned, in order.
        seed: Of what is drawn.
    """
    everybody = staff(book)
    past = presence(book, everybody)
    is_stated = staffing.ramp_shares or staffing.ramp_months is not None
    ramp = stated_ramp(staffing.ramp_shares, staffing.ramp_months) if is_stated else learn_ramp(past)
    rate = staffing.yearly_attrition
    attrition = learn_attrition(past) if rate is None else stated_attrition(rate)
    days = WorkingDays.of(book, staffing, past.months[0] if past.months else book.day, months[-1])
    share, _ = ramp.at(past.tenure)
    ramped = past.present * share * met_before(book, past, days)
    told = worked(book, everybody.select("rep_id", "region"), {month: days.business(month) for month in past.months})
    is_of_one = past.revenue[:, -MOST_MONTHS:].any(axis=1).sum() == 1  # its pace would be that person's
    pace = None if is_of_one and not is_active(book) else learn_productivity(past, ramped)
    had = ramped.sum(axis=0) * np.array([days.selling_hours(month) for month in past.months])
    there = everybody.filter("is_present")
    groups: dict[Group, None] = dict.fromkeys(there.select("region", "team").iter_rows())
    groups |= dict.fromkeys(sellers.select("region", "team").iter_rows())
    groups |= dict.fromkeys((each.region, each.team) for each in staffing.openings)
    groups |= dict.fromkeys((each.region, each.team) for each in staffing.joiners)
    groups |= dict.fromkeys((region, None) for region, _ in list(groups))  # hires of a region, in no team yet
    ordered = tuple(sorted(groups, key=lambda each: (each[0] is None, each[0] or "", each[1] is None, each[1] or "")))
    place = {group: number for number, group in enumerate(ordered)}
    leaves = there.select(((pl.col("left") - pl.lit(book.day)).dt.total_days() / _DAYS_OF_MONTH).fill_null(np.inf))
    return Workforce(
        staffing, book.day, tuple(months), ordered,
        np.array([days.business(month, book.day) for month in months]),
        np.array([days.selling_hours(month, book.day) for month in months]),
        np.array([place[group] for group in there.select("region", "team").iter_rows()], np.int64),
        tenure_of(there["hired"], tuple(months)), leaves.to_series().to_numpy(), ramp, attrition,
        workload(told, had[len(had) - len(told.months):], staffing), pace, days, seed,
        free=left_by_meetings(there["rep_id"].to_list(), staffing),
    )  # fmt: skip
