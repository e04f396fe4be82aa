"""By when to hire, how many and where, and what hiring too early costs against too late."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from cadran.measures.periods import month_after
from cadran.models.shortage import Plan, chances, windows
from cadran.models.workforce import joiner
from cadran.tables.measured.capacity import CASES, Hire, HireBy, Timing
from cadran.tables.problems import Problem

#: Chances of shortage that stand for the best and the worst case.
BEST, WORST = 0.8, 0.2
#: Where help comes too late anyway, hires are counted for the month in which they do this share of a tenured one's work.
GROWN = 0.8
#: Months by which the hires are begun sooner or later, to say what that costs.
SHIFTS = tuple(range(-6, 7))


@dataclass(frozen=True)
class _Need:
    """What one row of a plan needs at one threshold."""

    #: Month of the first shortage (its place), and month in which hires for it start, as a day; None: no shortage.
    first: int | None
    start: date | None
    #: Hires by month of start.
    hires: dict[date, int]
    #: Single months that reach the threshold once these have come.
    n_peaks: int


@dataclass(frozen=True)
class Hiring:
    """The hires that a plan of load against capacity calls for."""

    plan: Plan
    #: Why the revenue in it is not the forecast's; None where it is.
    why_not: Problem | None = None
    _found: dict[tuple[int, str], _Need] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def useful(self) -> int:
        """Months after which a new seller is useful."""
        return self.plan.force.ramp.months_to(self.plan.force.staffing.useful_share, self.plan.change.ramp)

    @cached_property
    def _grown(self) -> int:
        return self.plan.force.ramp.months_to(GROWN, self.plan.change.ramp)

    @cached_property
    def ready(self) -> date:
        """The first month in which sellers can start for whom recruiting begins now."""
        return self.plan.force.calendar.ready(self.plan.force.day)

    @cached_property
    def cases(self) -> dict[str, float]:
        """Chance of shortage from which a month counts as short, by case."""
        threshold = self.plan.force.staffing.threshold
        return {"best": max(BEST, threshold), "base": threshold, "worst": min(WORST, threshold)}

    def n_hires(self, level: str = "region", case: str = "base") -> int:
        """How many to hire in all groups of a level: a few milliseconds, where `hire_by` takes longer."""
        return sum(sum(need.hires.values()) for _, _, need in self._needs((level,), (case,)))

    def _needs(
        self, levels: Iterable[str] = ("region", "team"), cases: Iterable[str] = CASES
    ) -> Iterator[tuple[int, str, _Need]]:
        """What each group of some levels, by its place, needs in some cases."""
        asked = set(levels)
        for place, row in enumerate(self.plan.rows):
            for case in cases if row.level in asked else ():
                if (place, case) not in self._found:
                    self._found[place, case] = self._need(place, self.cases[case])
                yield place, case, self._found[place, case]

    def _shown(self, cases: Iterable[str] = CASES) -> Iterator[tuple[int, str, _Need]]:
        """The same of each region and team that is shown."""
        return (each for each in self._needs(cases=cases) if self.plan.shows(each[0]))

    def _worth(self, start: date) -> np.ndarray:
        """(paths, months) hours that one seller has who starts in a month."""
        force, change = self.plan.force, self.plan.change
        worth, _ = joiner(force, len(self.plan.load), start, change.ramp, change.attrition)
        return np.asarray(worth * force.hours)

    def _need(self, place: int, threshold: float) -> _Need:
        """Month by month: where it is short, the fewest hires that end it, starting as late as they can."""
        plan, gap = self.plan, self.plan.load[:, place] - self.plan.capacity[:, place]
        there, together = plan.is_told[place], windows(len(plan.months))
        hires: dict[date, int] = {}
        short = there & (np.minimum(*chances(gap)) >= threshold)
        first = int(short.argmax()) if short.any() else None
        until = 0
        for month in np.flatnonzero(short).tolist():
            start = max(month_after(plan.months[month], -self.useful), self.ready)
            helps = _months(plan.months[0], start) + self.useful
            if helps >= len(plan.months):
                break
            if month < until or not short[month]:
                continue
            # Help that comes too late for this month is counted for that in which it has grown.
            aim = (
                month
                if helps <= month
                else min(helps - self.useful + max(self._grown, self.useful), len(plan.months) - 1)
            )
            until, worth = aim, self._worth(start)
            n = min(_fewest(gap[:, aim], worth[:, aim], threshold),
                    _fewest(gap @ together[:, aim], worth @ together[:, aim], threshold))  # fmt: skip
            if n:
                hires[start] = hires.get(start, 0) + n
                gap = gap - n * worth
                short = there & (np.minimum(*chances(gap)) >= threshold)
        needed = None if first is None else month_after(plan.months[first], -self.useful)
        peaks = there & (chances(gap)[0] >= threshold) & ~short
        return _Need(first, needed, hires, int(peaks.sum()))

    @cached_property
    def hire_by(self) -> pl.DataFrame:
        """When to begin to hire, by region and team and case: `HireBy`."""
        told = []
        plan, calendar = self.plan, self.plan.force.calendar
        for place, case, need in self._shown():
            group = plan.rows[place]
            row = {**vars(group), "case": case, "threshold": self.cases[case]}
            by = calendar.recruit_by(need.start) if need.start else None
            late = (plan.force.day - by).days if by and by < plan.force.day else None
            row |= {
                "shortage_month": None if need.first is None else plan.months[need.first],
                "start_month": need.start, "hire_by": by, "days_late": late,
                "help_month": None if late is None else month_after(self.ready, self.useful),
                "n_hires": sum(need.hires.values()), "n_peaks": need.n_peaks,
            }  # fmt: skip
            told.append(row)
        return _frame(told, HireBy)

    @cached_property
    def hires(self) -> pl.DataFrame:
        """Whom to hire in the base case, by region and team and month of start: `Hire`."""
        calendar = self.plan.force.calendar
        return _frame(
            [
                {**vars(row), "start_month": start, "hire_by": calendar.recruit_by(start), "n": n}
                for place, _, need in self._shown(cases=("base",)) for row in [self.plan.rows[place]]
                for start, n in sorted(need.hires.items())
            ],
            Hire,
        )  # fmt: skip

    @cached_property
    def timing(self) -> pl.DataFrame:
        """What the hires of the base case cost if they are begun sooner or later: `Timing`."""
        told = []
        for place, _, need in self._shown(cases=("base",)):
            if need.hires:
                planned = self._begun(place, need, 0)
                told += [self._cost(place, need, shift, planned) for shift in SHIFTS]
        return _frame(told, Timing)

    def _begun(self, place: int, need: _Need, shift: int) -> tuple[np.ndarray, np.ndarray, float, int]:
        """(paths,) hours short and revenue not carried if the hires start so many months later; months that they are paid
        until the horizon, and how many start by then."""
        plan = self.plan
        load, capacity = plan.load[:, place], plan.capacity[:, place]
        paid, n_hires = 0.0, 0
        for start, n in need.hires.items():
            begun = month_after(start, shift)
            capacity = capacity + n * self._worth(begun)
            months = max(_months(begun, plan.months[-1]) + 1, 0)
            paid, n_hires = paid + n * months, n_hires + n * (months > 0)
        short = np.maximum(load - capacity, 0)
        lost = (short / np.maximum(load, 1e-9) * plan.bookings[:, place]).sum(axis=1)
        return short.sum(axis=1), lost, paid, n_hires

    def _cost(
        self, place: int, need: _Need, shift: int, planned: tuple[np.ndarray, np.ndarray, float, int]
    ) -> dict[str, object]:
        plan, staffing = self.plan, self.plan.force.staffing
        hours, revenue, paid, n_hires = self._begun(place, need, shift)
        assert need.first is not None
        idle = sum(
            n * max(_months(month_after(start, shift), plan.months[need.first]), 0) for start, n in need.hires.items()
        )
        each = staffing.monthly_cost
        more = None if each is None else each * (paid - planned[2]) + staffing.margin * (revenue - planned[1])
        row: dict[str, object] = {
            **vars(plan.rows[place]), "shift_months": shift,
            "is_possible": month_after(min(need.hires), shift) >= self.ready, "n_hires": n_hires,
            "seller_months": paid, "seller_months_idle": float(idle), "salary": None if each is None else each * paid,
        }  # fmt: skip
        told: dict[str, np.ndarray | None] = {"hours_short": hours, "revenue_short": revenue, "more": more}
        if plan.seen is not None and not plan.seen.revenue[place]:
            told |= {"revenue_short": None, "more": None}
        for name, values in told.items():
            ends = (None, None) if values is None else np.quantile(values, (0.025, 0.975)).tolist()
            row |= {name: None if values is None else float(values.mean())}
            row |= {f"{name}_{end}": value for end, value in zip(("low", "high"), ends, strict=True)}
        return row


def _fewest(gap: np.ndarray, worth: np.ndarray, threshold: float) -> int:
    """The fewest hires with which the share of futures that would need more than them is below the threshold.

    Args:
        gap: (paths,) hours that are too much.
        worth: (paths,) hours that one hire has.
        threshold: Above 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ordered = np.sort(np.where(gap <= 0, 0.0, gap / worth))
    place = len(ordered) - int(np.ceil(threshold * len(ordered) - 1e-9))
    needed = ordered[min(place, len(ordered) - 1)]
    return int(np.ceil(needed - 1e-6)) if np.isfinite(needed) else 0


def _months(first: date, last: date) -> int:
    """Months from that of one day to that of another."""
    return (last.year - first.year) * 12 + last.month - first.month


def _frame(rows: list[dict[str, object]], schema: type) -> pl.DataFrame:
    types = dict(schema.create_empty().schema)  # type: ignore[attr-defined]
    return pl.DataFrame(rows, schema=types, orient="row").select(list(types))
