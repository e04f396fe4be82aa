"""What the open deals of a book promise, seen through its win model: for pages and reports."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.held import Kept
from cadran.book.known import kept_from
from cadran.book.landmarks import facts_at
from cadran.measures.periods import month_after
from cadran.models import kept, win
from cadran.models.actions import actions
from cadran.models.backtest import Backtest
from cadran.models.behind import behind, told
from cadran.models.card import is_told, untold
from cadran.models.gaps import beyond
from cadran.models.hazards import interval_95
from cadran.models.levers import LEVERS, kept_up
from cadran.models.reasons import Moves, moves, reasons
from cadran.models.typical import looks, typical
from cadran.tables.measured.outlook import Course, Expected, Promise

#: Models drawn for each value of a lever.
DRAWS_OF_LEVER = 100
#: Bytes of drawn chances held in the process, for all books together, deals in parts: what is not held is worked out
#: again when it is asked for, so that any number of deals fits in memory.
MOST_BYTES = 512 * 2**20
#: Open deals up to which levers are worked out before somebody pulls one.
BEFOREHAND = 10_000
#: Days ahead at which the chance of one deal is told.
AHEAD = (0.0, 7.0, 14.0, 21.0, 30.0, 45.0, 60.0, 91.0, 121.0, 152.0, 182.0, 274.0, 365.0)
#: Days between two looks at the past of one deal, at most so many looks.
EVERY, MOST_LOOKS = 7, 60


@dataclass(frozen=True)
class Outlook:
    """The open deals of a book at its moment of which a chance can be told, and the model that tells it.

    Arrays follow the order of `facts`: one entry per open deal.
    """

    model: win.WinModel
    facts: pl.DataFrame
    day: date
    #: What to do about each of them, by rank, as `cadran.models.actions.actions` gives it.
    listed: pl.DataFrame
    _pulled: dict[tuple[bytes, str, str], pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _beyond: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    #: What the parts held are found by.
    _name: object = field(default_factory=object, repr=False, compare=False)
    _lock: Any = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def amounts(self) -> np.ndarray:
        """(n,) known amounts; NaN where unknown."""
        return self.facts["amount"].cast(pl.Float64).to_numpy()

    @cached_property
    def horizons(self) -> dict[str, float]:
        """Days from the book's day to the end of its quarter, of the next one, of 12 months, and ever."""
        first = self.day.replace(month=3 * ((self.day.month - 1) // 3) + 1, day=1)
        days = [(month_after(first, months) - self.day).days - 1 for months in (3, 6, 9)]
        # On the last day of a quarter, that quarter is over.
        this, following = days[:2] if days[0] > 0 else days[1:]
        return {"quarter": float(this), "next_quarter": float(following), "months12": 365.0, "ever": np.inf}

    def until(self, horizon: str) -> date | None:
        """The last day of a horizon; None: ever."""
        days = self.horizons[horizon]
        return None if days == np.inf else self.day + timedelta(days=days)

    @cached_property
    def chances(self) -> np.ndarray:
        """(n, horizons) chance of being won within each horizon."""
        return self.model.incidence(self.facts, list(self.horizons.values()))

    @cached_property
    def scores(self) -> pl.DataFrame:
        """One row per open deal: `opportunity_id`, `probability` with `probability_low`, `probability_high`, and
        `close_date`, by which half of its chance to be won has come (null beyond two years)."""
        ends = [interval_95(self._part(part)[-1, 1:, 0]) for part in self._parts()]
        low, high = np.hstack([np.zeros((2, 0)), *ends])
        probability = self.chances[:, -1]
        grid = np.arange(0.0, 736.0, 7.0)
        so_far = self.model.incidence(self.facts, list(grid)) / np.maximum(probability, 1e-12)[:, None]
        after = (so_far >= 0.5).argmax(axis=1)
        here, before = (so_far[np.arange(len(after)), np.maximum(place, 0)] for place in (after, after - 1))
        days = grid[after] - 7 * (here - 0.5) / np.maximum(here - before, 1e-12)
        is_reached = (so_far[:, -1] >= 0.5) & (after > 0)
        close = [
            self.day + timedelta(days=round(each)) if is_known else None
            for each, is_known in zip(days.tolist(), is_reached, strict=True)
        ]
        return self.facts.select("opportunity_id").with_columns(
            probability=pl.Series(probability, dtype=pl.Float64),
            probability_low=pl.Series(np.minimum(low, probability), dtype=pl.Float64),
            probability_high=pl.Series(np.maximum(high, probability), dtype=pl.Float64),
            close_date=pl.Series(close, dtype=pl.Date),
        )

    def kept(self, deals: Sequence[str]) -> np.ndarray:
        """(n,) whether each open deal is one of these."""
        return self.facts["opportunity_id"].is_in(list(deals)).to_numpy()

    def expected(self, kept: np.ndarray, horizon: str) -> Expected:
        """What to expect of some of the open deals by a horizon; the intervals hold the model's doubt and chance."""
        place, rng = list(self.horizons).index(horizon), np.random.default_rng(0)
        chance, amounts = self.chances[kept, place], np.nan_to_num(self.amounts)
        wins, revenue = np.zeros(win.DRAWS), np.zeros(win.DRAWS)
        for part in self._parts(kept):
            drawn = self._part(part)[place, 1:, 0][:, kept[part]]
            came = rng.random(drawn.shape, np.float32) < drawn
            wins += came.sum(axis=1)
            revenue += came @ amounts[part][kept[part]]
        (few, many), (little, much) = interval_95(wins), interval_95(revenue)
        total, n_unknown = float(chance @ amounts[kept]), int(np.isnan(self.amounts[kept]).sum())
        return Expected(len(chance), float(chance.sum()), few, many, total, little, much, n_unknown)

    def pulled(self, kept: np.ndarray, lever: str, horizon: str) -> pl.DataFrame:
        """What to expect of some of the open deals at each value of a lever, first as things are.

        Returns:
            One row per value: `value` (null: as now); `n_beyond`, the deals it brings beyond what was ever seen, where
            they are held; `wins`, `revenue`, each with `_low` and `_high` (95 %, the model's doubt alone); and the same
            of what the lever adds: `wins_more`, `revenue_more`. The models drawn are the same at each value, so that a
            value shows the lever and not the noise.
        """
        key = (kept.tobytes(), lever, horizon)
        with self._lock:
            if key not in self._pulled:
                self._pulled[key] = self._each_value(kept, lever, horizon)
            return self._pulled[key]

    def _each_value(self, kept: np.ndarray, lever: str, horizon: str) -> pl.DataFrame:
        weights = np.column_stack([kept, np.where(kept, np.nan_to_num(self.amounts), 0)]).astype(np.float32)
        n_beyond = self.beyond(lever)[:, kept].sum(axis=1)
        place = list(self.horizons).index(horizon)
        sums = [self._part(part, lever)[place] @ weights[part] for part in self._parts(kept)]
        then = np.zeros((1 + DRAWS_OF_LEVER, len(n_beyond), 2)) + sum(sums)
        more = then - then[:, :1]
        rows: list[dict[str, float | None]] = [
            {"value": value, "n_beyond": float(n_beyond[place])}
            | _interval("wins", then[:, place, 0]) | _interval("revenue", then[:, place, 1])
            | _interval("wins_more", more[:, place, 0]) | _interval("revenue_more", more[:, place, 1])
            for place, value in enumerate((None, *LEVERS[lever].values))
        ]  # fmt: skip
        return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.Float64))

    def _parts(self, kept: np.ndarray | None = None) -> list[slice]:
        """The deals in parts that are worked out, and held, together: those in which some are kept."""
        parts = [slice(start, start + win.CHUNK) for start in range(0, len(self.facts), win.CHUNK)]
        return [part for part in parts if kept is None or kept[part].any()]

    def _part(self, part: slice, lever: str | None = None) -> np.ndarray:
        """(horizons, 1 + draws, 1 + values of the lever, deals) the chances of a part, first as things are. The first
        row is the model itself, the others are drawn."""

        def worked_out() -> np.ndarray:
            facts, days = self.facts[part], list(self.horizons.values())
            values, n = (LEVERS[lever].values, DRAWS_OF_LEVER) if lever else ((), win.DRAWS)
            told = np.empty((len(days), 1 + n, 1 + len(values), len(facts)), np.float32)
            for place, value in enumerate((None, *values)):
                instead = kept_up(facts, {lever: value} if lever and value is not None else {})
                told[:, 0, place] = self.model.incidence(facts, days, instead).T
                told[:, 1:, place] = np.moveaxis(self.model.drawn(facts, days, n, instead), -1, 0)
            return told

        with self._lock:
            return _HELD.get((self._name, lever, part.start), worked_out)

    def work_out_levers(self) -> None:
        """Have every lever ready before somebody pulls it, unless the deals are too many to hold."""
        if len(self.facts) <= BEFOREHAND:
            for lever in LEVERS:
                self.beyond(lever)
                for part in self._parts():
                    self._part(part, lever)

    def beyond(self, lever: str) -> np.ndarray:
        """(1 + values, n) whether a value of a lever brings each deal beyond what was ever seen, and so is held there."""
        with self._lock:
            if lever not in self._beyond:
                now = beyond(self.model, self.facts)
                told = [beyond(self.model, LEVERS[lever].applied(self.facts, each)) for each in LEVERS[lever].values]
                self._beyond[lever] = np.stack([np.zeros_like(now), *(each & ~now for each in told)])
            return self._beyond[lever]

    def is_beyond(self, opportunity_id: str, pulls: Mapping[str, float]) -> bool:
        """Whether one of these levers brings one deal beyond what was ever seen, where it is held."""
        of = (self.facts["opportunity_id"] == opportunity_id).to_numpy()
        return any(self.beyond(each)[1 + LEVERS[each].values.index(value), of].any() for each, value in pulls.items())

    def promise(self, opportunity_id: str, pulls: Mapping[str, float]) -> pl.DataFrame:
        """Chance of one open deal to have been won by days ahead, horizons among them, with levers pulled: `Promise`."""
        facts = self.facts.filter(pl.col("opportunity_id") == opportunity_id)
        ahead = sorted({*AHEAD, *self.horizons.values()} - {np.inf})
        itself = self.model.incidence(facts, ahead, kept_up(facts, pulls))
        told = _with_ends(itself, self.model.drawn(facts, ahead, instead=kept_up(facts, pulls)))
        days = [self.day + timedelta(days=int(each)) for each in ahead]
        return told.head(len(ahead) * facts.height).with_columns(
            by_date=pl.Series(days[: told.height], dtype=pl.Date)
        ).select(Promise.column_names())  # fmt: skip

    def course(self, book: Book, opportunity_id: str) -> pl.DataFrame:
        """What the model of today says of one deal as it was known on past days since it began: `Course`."""
        row = self.facts.filter(pl.col("opportunity_id") == opportunity_id)
        if row.is_empty():
            return Course.create_empty()
        age = row["age_days"][0] or 0.0
        step = max(EVERY, int(age // MOST_LOOKS) + 1)
        # At the same hour by the clock, so that a look is of its own day in summer as in winter.
        now, kept = book.moment.astimezone(ZoneInfo(book.settings.time_zone)), kept_from(book)
        days = [now - timedelta(days=step * turn) for turn in range(int(age // step), -1, -1)]
        at = pl.Series([day.astimezone(UTC) for day in days if kept is None or day >= kept])
        at = at.cast(pl.Datetime("us", "UTC"))
        facts = facts_at(book, pl.DataFrame({"opportunity_key": row["opportunity_key"][0], "at": at}))
        facts = facts.filter(pl.col("opportunity_id").is_not_null())
        told = _with_ends(self.model.incidence(facts), self.model.drawn(facts))
        at_date = facts["at"].dt.convert_time_zone(book.settings.time_zone).dt.date()
        return told.with_columns(at_date=at_date, stage=facts["stage"]).select(Course.column_names())

    def reasons(self, book: Book, opportunity_id: str) -> pl.DataFrame:
        """What lifts or lowers one deal's probability against what is typical at its stage: `Reason`."""
        one = self.facts.filter(pl.col("opportunity_id") == opportunity_id)
        return reasons(self.model, one, typical(looks(book)), most=6)


def outlook(book: Book, wait: bool = True) -> Outlook | None:
    """The outlook of a book at its moment: worked out once for all who ask, one book after the other, behind the page.

    Args:
        book: At its moment.
        wait: Whether to wait for it; otherwise None is given until it is there.

    Raises:
        Problem: If nothing can be learnt from the book.
    """
    return told(_begun(book), wait)


def past(book: Book, wait: bool = True) -> Backtest | None:
    """The backtest of a book's win model, in the same way.

    Raises:
        Problem: If no deal of the days judged has closed.
    """
    return told(_judged(book), wait)


def moves_since(book: Book, days: int, wait: bool = True) -> Moves | None:
    """What moved the open deals' probabilities within so many days, in the same way.

    Raises:
        Problem: If the book knows nothing of that day.
    """
    return told(_moves(book, days), wait)


_HELD = Kept(MOST_BYTES)


@lru_cache(maxsize=16)
def _begun(book: Book) -> Future[Outlook]:
    def work() -> Outlook:
        model = kept.model(book)
        if problem := untold(model):
            raise problem
        facts = win.open_facts(book)
        return Outlook(model, facts.filter(is_told(model, facts)), book.day, actions(book, model))

    return behind(work, Outlook.work_out_levers)


@lru_cache(maxsize=16)
def _judged(book: Book) -> Future[Backtest]:
    return behind(lambda: kept.past(book))


@lru_cache(maxsize=32)
def _moves(book: Book, days: int) -> Future[Moves]:
    return behind(lambda: moves(kept.model(book), book, book.as_of(book.day - timedelta(days=days))))


def _with_ends(told: np.ndarray, drawn: np.ndarray) -> pl.DataFrame:
    """Probabilities with the ends of their intervals, row by row."""
    told, drawn = told.reshape(-1), drawn.reshape(len(drawn), -1)
    low, high = interval_95(drawn) if told.size else (told, told)
    ends = {"probability_low": np.minimum(low, told), "probability_high": np.maximum(high, told)}
    return pl.DataFrame({"probability": told, **ends})


def _interval(name: str, told: np.ndarray) -> dict[str, float | None]:
    """The model's own value and the 95 % interval of the drawn ones."""
    low, high = interval_95(told[1:])
    return {name: float(told[0]), f"{name}_low": float(min(low, told[0])), f"{name}_high": float(max(high, told[0]))}
