"""What if: one set of levers through deals, bookings, load, hires and pay, beside things as they are, in the same futures."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from threading import RLock
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.engines import POLARS
from cadran.book.whole import whole_of
from cadran.measures.catalogue import Question
from cadran.measures.periods import month_end
from cadran.measures.targets import targets_for
from cadran.models.behind import behind, told
from cadran.models.blend import quantiles
from cadran.models.bookings import Bookings
from cadran.models.capacity import capacity
from cadran.models.coming import scaled
from cadran.models.forecast import MONTHS, check_horizon, foretold
from cadran.models.futures import Drawn
from cadran.models.hiring import Hiring
from cadran.models.one_person import check_whole
from cadran.models.pay_costs import Ahead
from cadran.models.plan_file import beside
from cadran.models.pulls import Held
from cadran.models.scenario_levers import AS_IS, Levers
from cadran.models.shortage import Plan, plan
from cadran.models.workforce import Change
from cadran.tables.measured.scenario import QUANTITIES, ScenarioMonth, ScenarioTotal, Sensitivity
from cadran.tables.problems import Problem

#: Between these shares of the futures lies an interval, as the forecast has it.
ENDS = (0.025, 0.975)
#: Sets of levers whose outcome is kept, the last asked for: ten megabytes each, and memory used again is faster than new.
MOST_KEPT = 16
#: By how much each lever is moved, down and up, to say which matters most. Clients are never answered later than now.
STEPS: dict[str, tuple[float | None, float]] = {
    "win_odds": (0.9, 1.1), "size": (0.9, 1.1), "cycle": (0.9, 1.1), "arrivals": (0.9, 1.1), "answer_hours": (None, 4.0),
    "ramp": (0.75, 1.25), "attrition": (0.5, 1.5), "quota": (0.9, 1.1),
}  # fmt: skip
#: Types of the columns told, by name: making an empty table takes longer than filling one.
_TYPES = {each: dict(each.create_empty().schema) for each in (ScenarioMonth, ScenarioTotal, Sensitivity)}
#: Why something is not told, sentences of the catalogue.
WHY_NOT = {
    "p_target": "No target is set for these months.",
    "pay": "There is no pay plan for these months.",
    "pay_share": "There is no pay plan for these months.",
    "p_shortage": "Nobody sells in these months.",
}


@dataclass(frozen=True)
class Outcome:
    """What comes of one set of levers. Arrays are (paths, rows, months), rows as `Plan.rows` has them."""

    levers: Levers
    drawn: Drawn
    plan: Plan
    #: (paths, months) variable pay; None without a plan.
    pay: np.ndarray | None
    #: (rows, months) targets, after the lever; NaN where none is set.
    targets: np.ndarray
    #: Levers that were pulled beyond what was ever seen, and where they were held.
    clamped: tuple[Held, ...]
    #: How many of the months are told.
    horizon: int
    #: `totals` against each set of levers it was asked for.
    _totals: dict[Levers, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    #: What `Chain.tornado` told of it, by quantity.
    sensitivities: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def hiring(self) -> Hiring:
        """The hires that are still called for."""
        return Hiring(self.plan)

    @cached_property
    def by_path(self) -> dict[str, np.ndarray]:
        """(paths,) each quantity of the company over the horizon, where it can be told future by future."""
        here = slice(self.horizon)
        bookings, targets = self.plan.bookings[:, 0, here], self.targets[0, here]
        has_target = ~np.isnan(targets)
        load = self.plan.load[:, 0, here] / np.maximum(self.plan.capacity[:, 0, here], 1e-9)
        told = {
            "bookings": bookings.sum(axis=1),
            "wins": self.drawn.wins[..., here].sum(axis=(1, 2)),
            "load_peak": load.max(axis=1),
        }
        if has_target.any():
            goal = targets[has_target].sum()
            told["p_target"] = (bookings[:, has_target].sum(axis=1) >= goal).astype(float)
        if self.pay is not None:
            told["pay"] = self.pay[:, here].sum(axis=1)
            told["pay_share"] = told["pay"] / np.maximum(told["bookings"], 1e-9)
        return told

    @cached_property
    def counted(self) -> dict[str, float]:
        """The others: the greatest chance of a shortage that lasts, sellers in the last month, and hires called for."""
        lasting = self.plan.p_lasting[0, : self.horizon]
        n_sellers = float(self.plan.n_sellers[0, self.horizon - 1])
        told = {"n_sellers": n_sellers, "hires_needed": float(self.hiring.n_hires())}
        return told | ({} if np.isnan(lasting).all() else {"p_shortage": float(np.nanmax(lasting))})

    @cached_property
    def months(self) -> pl.DataFrame:
        """The company, each region and each team month by month: `ScenarioMonth`."""
        rows, n_months = self.plan.rows, len(self.plan.months)
        told: dict[str, Any] = {name: [getattr(row, name) for row in rows for _ in range(n_months)]
                                for name in ("level", "group")}  # fmt: skip
        told["month"] = list(self.plan.months) * len(rows)
        bookings = self.plan.bookings_shown
        told["bookings"] = bookings.mean(axis=0, dtype=float).ravel()
        ends = quantiles(bookings, np.array([*ENDS[:1], 0.25, 0.75, *ENDS[1:]]))
        for place, name in enumerate(("low", "q25", "q75", "high")):
            told[f"bookings_{name}"] = ends[..., place].ravel()
        told["target"] = self.targets.ravel()
        has_staff = self.plan.n_sellers > 1e-6
        load = self.plan.load / np.where(self.plan.capacity > 0, self.plan.capacity, np.nan)
        middle = np.where(has_staff[..., None], quantiles(load, np.array([ENDS[0], 0.5, ENDS[1]])), np.nan)
        for place, name in enumerate(("load_low", "load", "load_high")):
            told[name] = middle[..., place].ravel()
        told["p_shortage"] = self.plan.p_shortage.ravel()
        told["n_sellers"] = self.plan.n_sellers.ravel()
        company = np.full((len(rows), n_months), np.nan)
        if self.pay is not None:
            company[0] = self.pay.mean(axis=0)
        told["pay"] = company.ravel()
        schema = _TYPES[ScenarioMonth]
        frame = pl.DataFrame({name: told[name] for name in schema}, schema_overrides=schema, nan_to_null=True)
        shown = [
            self.plan.shows(place) and turn < self.horizon for place in range(len(rows)) for turn in range(n_months)
        ]
        return frame if all(shown) else frame.filter(pl.Series(shown))

    def totals(self, now: "Outcome") -> pl.DataFrame:
        """Each quantity of the company over the horizon, and what it has more than `now`: `ScenarioTotal`."""
        if now.levers not in self._totals:
            self._totals[now.levers] = self._against(now)
        return self._totals[now.levers]

    def _against(self, now: "Outcome") -> pl.DataFrame:
        rows, drawn = [], [name for name in self.by_path if name != "p_target"]  # a chance has no interval of its own
        here, there = (np.array([each.by_path[name] for name in drawn], float) for each in (self, now))
        ends = dict(zip(drawn, quantiles(np.stack([here, here - there]).T, np.array(ENDS)).tolist(), strict=True))
        for name in QUANTITIES:
            row: dict[str, Any] = {"quantity": name}
            if name in self.by_path:
                value = self.by_path[name].mean()
                row |= {"value": value, "more": value - now.by_path[name].mean()}
                for of, (low, high) in zip(("value", "more"), ends.get(name, ()), strict=False):
                    row |= {f"{of}_low": low, f"{of}_high": high}
            elif name in self.counted:
                row |= {"value": self.counted[name], "more": self.counted[name] - now.counted[name]}
            else:
                row["reason"] = WHY_NOT[name]
            rows.append(row)
        return pl.DataFrame(rows, schema=_TYPES[ScenarioTotal], orient="row")


@dataclass(frozen=True)
class Chain:
    """The chain of a book, worked out once: a set of levers is then told in some tens of milliseconds."""

    bookings: Bookings
    #: (paths, months) what the forecast multiplies what is to come with in each future, and (paths, sellers, months)
    #: what it adds where nothing was: so that things as they are, are the forecast; None where something always was.
    scale: np.ndarray
    added: np.ndarray | None
    hiring: Hiring
    #: Pay plans by name; the first is the one in force.
    plans: Mapping[str, Ahead]
    #: Why a plan of the book is not among them.
    faults: tuple[Problem, ...]
    #: (rows, months) targets; NaN where none is set.
    targets: np.ndarray
    #: How many of the months are told.
    horizon: int = MONTHS
    _kept: dict[Levers, Outcome] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=RLock, repr=False, compare=False)

    @property
    def months(self) -> tuple[date, ...]:
        """First days of the months told."""
        return self.bookings.months

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions in which sellers can be hired."""
        return tuple(row.group for row in self.hiring.plan.rows if row.level == "region" and row.group)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Segments that deals are told by."""
        return tuple(sorted({segment for _, segment, _ in self.bookings.arrivals.cells if segment}))

    def within(self, months: int) -> "Chain":
        """The same over the first months alone.

        Raises:
            Problem: If these are more than are drawn, or none.
        """
        check_horizon(months)
        return replace(self, horizon=months, _kept={})

    def run(self, levers: Levers = AS_IS) -> Outcome:
        """What comes of a set of levers, in the same futures as of any other."""
        with self._lock:
            found = self._kept.pop(levers, None)
            while found is None and len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[levers] = found or self._outcome(levers)
            return self._kept[levers]

    def _outcome(self, levers: Levers) -> Outcome:
        n, force = len(self.scale), self.hiring.plan.force
        drawn = scaled(self.bookings, self.bookings.drawn(levers.pulls, n), self.scale)
        if self.added is not None:
            drawn = replace(drawn, bookings=drawn.bookings + self.added)
        change = Change(levers.hires, levers.ramp, levers.attrition)
        paid = self._plan(levers.plan)
        return Outcome(
            levers, drawn, plan(force, self.bookings.sellers, drawn, change, self.hiring.plan.seen),
            None if paid is None else paid.variable(drawn.bookings, drawn.wins, levers.quota),
            self.targets * levers.quota, self.bookings.held(levers.pulls)[1], self.horizon,
        )  # fmt: skip

    def _plan(self, name: str | None) -> Ahead | None:
        if name is None:
            return next(iter(self.plans.values()), None)
        if name not in self.plans:
            raise Problem("There is no pay plan {name} for these months.", "Name one of: {names}.",
                          name=name, names=", ".join(self.plans) or "–")  # fmt: skip
        return self.plans[name]

    def tornado(self, levers: Levers = AS_IS, quantity: str = "bookings") -> pl.DataFrame:
        """What a quantity gains or loses when one lever is moved by its step from where it stands, the others as they
        are: `Sensitivity`, the lever that matters most first."""
        outcome = self.run(levers)
        if quantity not in outcome.by_path:
            return Sensitivity.create_empty()
        with self._lock:
            if quantity not in outcome.sensitivities:
                outcome.sensitivities[quantity] = self._weighed(levers, quantity, outcome.by_path[quantity])
            return outcome.sensitivities[quantity]

    def _weighed(self, levers: Levers, quantity: str, here: np.ndarray) -> pl.DataFrame:
        rows = []
        for lever, ends in STEPS.items():
            row: dict[str, Any] = {"lever": lever, "of": None}
            for side, value in zip(("less", "more"), ends, strict=True):
                if value is None:
                    continue
                moved = _moved(levers, lever, value)
                goes = value * self._goes(moved, lever) / (1 if lever == "answer_hours" else self._goes(levers, lever))
                if np.isnan(goes):  # the book does not tell what it would change
                    continue
                change = self._outcome(moved).by_path[quantity] - here
                row |= {f"{side}_value": goes, side: change.mean()} | _ends(side, change)
            rows += [row] * (len(row) > 2)
        told = pl.DataFrame(rows, schema=_TYPES[Sensitivity], orient="row")
        return told.sort(pl.max_horizontal(pl.col("less", "more").abs()), descending=True, maintain_order=True)

    def _goes(self, levers: Levers, lever: str) -> float:
        """What is kept of a lever on all, held to the past: 1 where it is not; NaN where the book does not tell it."""
        held = self.bookings.held(levers.pulls)[1]
        return next((each.held / each.asked for each in held if (each.lever, each.group) == (lever, None)), 1.0)


def chain(book: Book, wait: bool = True) -> Chain | None:
    """The chain of a book at its moment: worked out once for all who ask, behind the page. The whole company's; a reader of
    some regions or teams is shown those and the sum.

    Args:
        book: At its moment.
        wait: Whether to wait for it; otherwise None is given until it is there.

    Raises:
        Problem: If no forecast can be made, nobody sells, or what is told of the company would tell of one person.
    """
    asked = replace(book, engine=POLARS, rates_persons=False)
    is_limited = book.reader is not None and book.reader.is_limited
    whole = whole_of(asked, __name__)
    return told(_shown(asked, beside(book)) if is_limited else _begun(whole, beside(book)), wait)


@lru_cache(maxsize=8)
def _shown(book: Book, _beside: tuple[tuple[str, int], ...]) -> Future[Chain]:
    """That of the whole company, as the book's reader is shown it."""

    def work() -> Chain:
        whole, hiring = chain(whole_of(book, __name__)), capacity(book, MONTHS)
        assert whole is not None  # both were waited for
        assert hiring is not None
        check_whole(whole.bookings.sellers, book)
        return replace(whole, hiring=hiring, _kept={})

    return behind(work)


@lru_cache(maxsize=8)
def _begun(book: Book, _beside: tuple[tuple[str, int], ...]) -> Future[Chain]:
    def work() -> Chain:
        found, hiring = foretold(book), capacity(book, MONTHS)
        assert found is not None  # both were waited for
        assert hiring is not None
        seen = found.seen
        if seen.source is None:
            raise seen.silent["bookings"]
        check_whole(seen.source.sellers, book)
        plans, faults = _plans(book, seen.source)
        as_is = scaled(seen.source, seen.source.drawn(n=len(seen.scale)), seen.scale).bookings
        added = None if np.allclose(seen.paths, as_is) else seen.paths - as_is
        made = Chain(seen.source, seen.scale, added, hiring, plans, faults, _targets(book, hiring.plan))
        made.run()
        return made

    return behind(work)


def _plans(book: Book, found: Bookings) -> tuple[dict[str, Ahead], tuple[Problem, ...]]:
    """The pay plans of a book that cover months ahead, and why others do not."""
    from cadran.models.pay_read import plans_of

    read, faults = plans_of(book)
    made: dict[str, Ahead] = {}
    for name, each in read.items():
        try:
            made[name] = Ahead(book, each, found.sellers["rep_id"].to_list(), found.months)
        except Problem as problem:
            faults = (*faults, problem)
    return made, faults


def _targets(book: Book, planned: Plan) -> np.ndarray:
    """(rows, months) the target of the company, of each region and of each team; NaN where none is set."""
    goals = np.full((len(planned.rows), len(planned.months)), np.nan)
    for place, month in enumerate(planned.months):
        for level, by in {"company": (), "region": ("region",), "team": ("team",)}.items():
            found = targets_for(book, Question(by=by), month, month_end(month))
            known = {(row[0] if by else None): row[-1] for row in found.iter_rows()}
            for row, each in enumerate(planned.rows):
                if each.level == level and each.group in known:
                    goals[row, place] = known[each.group]
    return goals


def _moved(levers: Levers, lever: str, value: float) -> Levers:
    """Levers with one moved from where it stands: a factor is multiplied, hours are set."""
    if lever == "answer_hours":
        return replace(levers, answer_hours=value)
    if lever in ("win_odds", "arrivals"):
        return replace(levers, **{lever: (*getattr(levers, lever), (None, value))})  # type: ignore[arg-type]
    return replace(levers, **{lever: getattr(levers, lever) * value})


def _ends(name: str, told: np.ndarray) -> dict[str, float]:
    low, high = quantiles(told, np.array(ENDS))
    return {f"{name}_low": float(low), f"{name}_high": float(high)}
