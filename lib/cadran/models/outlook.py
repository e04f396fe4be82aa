"""What the open deals of a book promise, seen through its win model: for pages and reports."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from functools import cached_property, lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.known import kept_from
from cadran.book.landmarks import facts_at
from cadran.models import kept, win
from cadran.models.actions import actions
from cadran.models.backtest import Backtest
from cadran.models.card import untold
from cadran.models.gaps import beyond
from cadran.models.hazards import interval_95
from cadran.models.levers import LEVERS, kept_up
from cadran.models.reasons import Moves, moves, reasons
from cadran.models.typical import looks, typical
from cadran.tables.measured.outlook import Course, Expected, Promise

#: Models drawn for an interval, and for each value of a lever.
DRAWS, DRAWS_OF_LEVER = 200, 100
#: Numbers held at most in one array of draws: beyond, fewer models are drawn, down to the second.
MOST, LEAST_DRAWS = 16_000_000, 20
#: Days ahead at which the chance of one deal is told.
AHEAD = (0.0, 7.0, 14.0, 21.0, 30.0, 45.0, 60.0, 91.0, 121.0, 152.0, 182.0, 274.0, 365.0)
#: Days between two looks at the past of one deal, at most so many looks.
EVERY, MOST_LOOKS = 7, 60


@dataclass(frozen=True)
class Outlook:
    """The open deals of a book at its moment, and the model that tells their chances.

    Arrays follow the order of `facts`: one entry per open deal.
    """

    model: win.WinModel
    facts: pl.DataFrame
    day: date
    #: What to do about each of them, by rank, as `cadran.models.actions.actions` gives it.
    listed: pl.DataFrame
    _grids: dict[tuple[str, float], np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    _pulled: dict[tuple[bytes, str, str], pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _beyond: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def amounts(self) -> np.ndarray:
        """(n,) known amounts; NaN where unknown."""
        return self.facts["amount"].cast(pl.Float64).to_numpy()

    @cached_property
    def horizons(self) -> dict[str, float]:
        """Days from the book's day to the end of its quarter, of the next one, of 12 months, and ever."""
        first = self.day.replace(month=3 * ((self.day.month - 1) // 3) + 1, day=1)
        ends = [_months_later(first, months) for months in (3, 6)]
        days = [(end - self.day).days - 1 for end in ends]
        # On the last day of a quarter, that quarter is over.
        this, following = (
            (days[0], days[1]) if days[0] > 0 else (days[1], (_months_later(first, 9) - self.day).days - 1)
        )
        return {"quarter": float(this), "next_quarter": float(following), "months12": 365.0, "ever": np.inf}

    @cached_property
    def chances(self) -> np.ndarray:
        """(n, horizons) chance of being won within each horizon."""
        return self.model.incidence(self.facts, list(self.horizons.values()))

    @cached_property
    def drawn(self) -> np.ndarray:
        """(draws, n, horizons) the same under models as likely."""
        n_draws = int(np.clip(MOST // max(1, 4 * len(self.facts)), LEAST_DRAWS, DRAWS))
        return _in_parts(self.model, self.facts, list(self.horizons.values()), n_draws)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """One row per open deal: `opportunity_id`, `probability` with `probability_low`, `probability_high`, and
        `close_date`, by which half of its chance to be won has come (null beyond two years)."""
        low, high = interval_95(self.drawn[..., -1]) if len(self.facts) else (np.zeros(0), np.zeros(0))
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
        place = list(self.horizons).index(horizon)
        chance, drawn, amounts = self.chances[kept, place], self.drawn[:, kept, place], self.amounts[kept]
        came = np.random.default_rng(0).random(drawn.shape) < drawn
        known = np.nan_to_num(amounts)
        (few, many), (little, much) = (interval_95(each) for each in (came.sum(axis=1), came @ known))
        n_unknown = int(np.isnan(amounts).sum())
        return Expected(
            len(chance), float(chance.sum()), few, many, float(chance @ known), little, much, n_unknown
        )  # fmt: skip

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
        then = (self.grid(lever, horizon) @ weights).astype(float)
        more = then - then[:, :1]
        rows: list[dict[str, float | None]] = [
            {"value": value, "n_beyond": float(n_beyond[place])}
            | _interval("wins", then[:, place, 0]) | _interval("revenue", then[:, place, 1])
            | _interval("wins_more", more[:, place, 0]) | _interval("revenue_more", more[:, place, 1])
            for place, value in enumerate((None, *LEVERS[lever].values))
        ]  # fmt: skip
        return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.Float64))

    def grid(self, lever: str, horizon: str) -> np.ndarray:
        """(1 + draws, 1 + values, n): the chance at each value of a lever, first as things are. The first row is the
        model itself, the others are drawn. Worked out once."""
        with self._lock:
            if (lever, self.horizons[horizon]) not in self._grids:
                told = []
                for value in (None, *LEVERS[lever].values):
                    days, pulls = list(self.horizons.values()), {} if value is None else {lever: value}
                    n = int(np.clip(MOST // max(1, 28 * len(self.facts)), LEAST_DRAWS, DRAWS_OF_LEVER))
                    itself = self.model.incidence(self.facts, days, kept_up(self.facts, pulls))[None]
                    drawn = _in_parts(self.model, self.facts, days, n, pulls)
                    told.append(np.concatenate([itself, drawn]).astype(np.float32))
                whole = np.stack(told, axis=1)
                for place, days_ahead in enumerate(self.horizons.values()):
                    self._grids[lever, days_ahead] = np.ascontiguousarray(whole[..., place])
            return self._grids[lever, self.horizons[horizon]]

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
        """Chance of one open deal to have been won by days ahead, with levers pulled: `Promise`."""
        facts = self.facts.filter(pl.col("opportunity_id") == opportunity_id)
        itself = self.model.incidence(facts, AHEAD, kept_up(facts, pulls))
        told = _with_ends(itself, _in_parts(self.model, facts, AHEAD, DRAWS, pulls))
        days = [self.day + timedelta(days=int(each)) for each in AHEAD]
        return told.head(len(AHEAD) * facts.height).with_columns(
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
        told = _with_ends(self.model.incidence(facts), self.model.drawn(facts, n=DRAWS))
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
    return _told(_begun(book), wait)


def past(book: Book, wait: bool = True) -> Backtest | None:
    """The backtest of a book's win model, in the same way.

    Raises:
        Problem: If no deal of the days judged has closed.
    """
    return _told(_judged(book), wait)


def moves_since(book: Book, days: int, wait: bool = True) -> Moves | None:
    """What moved the open deals' probabilities within so many days, in the same way.

    Raises:
        Problem: If the book knows nothing of that day.
    """
    return _told(_moves(book, days), wait)


Told = TypeVar("Told")
_ONE_AT_A_TIME = threading.Lock()


def _told(future: Future[Told], wait: bool) -> Told | None:
    return future.result() if wait or future.done() else None


@lru_cache(maxsize=16)
def _begun(book: Book) -> Future[Outlook]:
    def work() -> Outlook:
        model = kept.model(book)
        if problem := untold(model):
            raise problem
        return Outlook(model, win.open_facts(book), book.day, actions(book, model))

    return _behind(work)


@lru_cache(maxsize=16)
def _judged(book: Book) -> Future[Backtest]:
    return _behind(lambda: kept.past(book))


@lru_cache(maxsize=32)
def _moves(book: Book, days: int) -> Future[Moves]:
    return _behind(lambda: moves(kept.model(book), book, book.as_of(book.day - timedelta(days=days))))


def _behind(work: Callable[[], Told]) -> Future[Told]:
    """Do it in a thread that keeps nobody from leaving."""
    future: Future[Told] = Future()

    def run() -> None:
        with _ONE_AT_A_TIME:
            try:
                future.set_result(work())
            except Exception as error:  # told to whoever asks for the result
                future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _in_parts(
    model: win.WinModel, facts: pl.DataFrame, days: Sequence[float], n: int, pulls: Mapping[str, float] | None = None
) -> np.ndarray:
    """(n draws, deals, days), with levers pulled, deal by deal in parts that fit in memory."""
    some = [facts[start : start + win.CHUNK] for start in range(0, len(facts), win.CHUNK)]
    parts = [model.drawn(part, days, n, kept_up(part, pulls or {})) for part in some]
    return np.concatenate(parts, axis=1) if parts else np.zeros((n, 0, len(days)))


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


def _months_later(day: date, months: int) -> date:
    return date(day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1, 1)
