"""Bookings to come: what is open and what is still to be created, by month and seller, as futures that levers move."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from threading import RLock
from typing import Any

import numpy as np
import polars as pl
from scipy.special import logit, ndtri

from cadran.book import Book
from cadran.book.engines import POLARS
from cadran.book.whole import whole_of
from cadran.models import kept, win
from cadran.models.amounts import Amounts, Became, became, signed_amounts
from cadran.models.arrivals import Arrivals, arrivals
from cadran.models.behind import behind, told
from cadran.models.card import is_told, untold
from cadran.models.futures import Drawn, Futures, brute_force, most_factor
from cadran.models.horizon import EPOCH, Calendar, horizon
from cadran.models.limits import seen_limits
from cadran.models.open_stock import DRAWS, SURE, OpenStock
from cadran.models.pulls import Held, Limits, Pulls, factors, with_odds
from cadran.tables.problems import Problem

__all__ = ["Bookings", "Chances", "Drawn", "Pulls", "bookings", "of_model"]

_COLUMNS = (
    "opportunity_key", "rep_id", "region", "status", "amount", "deal_type", "segment", "created_day", "closed_date",
)  # fmt: skip
AS_NOW = Pulls()
#: Futures that pages and commands draw: the same everywhere, so that they agree.
PATHS = 400
#: Tables of arrivals and of open deals kept for the latest cycles asked for.
MOST_KEPT = 8


@dataclass(frozen=True)
class Chances:
    """What levers leave of the chances: of open deals, and of deals created in each month."""

    #: (deals, months) won by the end of each month.
    open_won: np.ndarray
    #: (cells, created in, months) the same.
    new_won: np.ndarray
    #: (cells, created in, months) still open, on average over the month.
    new_open: np.ndarray
    #: (cells, months) expected number of new deals, and (cells,) the factor on what is as now.
    new: np.ndarray
    new_factor: np.ndarray
    size: float
    cycle: float
    #: Hours within which clients are answered.
    answer: float | None = None


@dataclass(frozen=True)
class Bookings:
    """What is to come of a book as known at a moment. The whole company's: show a reader what is in scope alone."""

    #: One row per seller: `rep_id`, `team`, `region`, `is_present` (a null `rep_id`: deals without an owner).
    sellers: pl.DataFrame
    months: tuple[date, ...]
    stock: OpenStock
    arrivals: Arrivals
    amounts: Amounts
    became: Became
    #: (cells,) the law of amounts of each cell of new deals.
    laws: np.ndarray
    #: (sellers, months) signed in the first month so far: revenue, and deals.
    known: np.ndarray
    known_wins: np.ndarray
    #: Open deals of which no chance can be told, hence in no booking: one row per seller with any: `rep_id`, `n`,
    #: `amount` (of those known), `n_unknown`.
    silent: pl.DataFrame
    #: Open deals whose amount is not known: the law of signed amounts stands for it.
    n_unknown: int
    #: Deals signed this month whose amount nobody knows: in no sum, and among the deals won.
    n_won_unknown: int
    limits: Limits
    _kept: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    _lock: Any = field(default_factory=RLock, compare=False, repr=False)

    def held(self, pulls: Pulls) -> tuple[Pulls, tuple[Held, ...]]:
        """Levers as far as the past lets them go, and which were held back: those that `drawn` takes."""
        return self.limits.held(pulls)

    def drawn(self, pulls: Pulls = AS_NOW, n: int = PATHS) -> Drawn:
        """Futures with levers pulled, fast: the same chance in every call, so that a lever shows itself and no noise.

        Args:
            pulls: Held where they go beyond the past (`held`).
            n: Futures ("paths").
        """
        chances = self.chances(pulls)
        return self._futures(n).answered(chances.answer).drawn(chances)

    def exact(self, pulls: Pulls = AS_NOW, n: int = 2000, seed: int = 1) -> Drawn:
        """The same law by brute force, deal by deal and future by future, with other chance: slow."""
        return brute_force(self, self.chances(pulls), n, seed)

    def _futures(self, n: int) -> Futures:
        with self._lock:
            if ("futures", n) not in self._kept:
                self._kept["futures", n] = Futures.of(self, n)
            found: Futures = self._kept["futures", n]
            return found

    def chances(self, pulls: Pulls = AS_NOW) -> Chances:
        """What levers, held, leave of the chances."""
        pulls, _ = self.held(pulls)
        cycle, answer = pulls.cycle, pulls.answer_hours if len(self.stock) else None
        segments = [segment for _, segment, _ in self.arrivals.cells]
        won = self._once(("stock", cycle, answer), lambda: self.stock.won(cycle, answer))
        new_won, new_open = self._once(("new", cycle), lambda: self.arrivals.by_month(cycle))
        if pulls.win_odds:
            ever, factor = self.stock.ever(answer), factors(pulls.win_odds, self._segments)
            won = won * (with_odds(ever, factor) / np.maximum(ever, 1e-12))[:, None]
        odds = factors(pulls.win_odds, segments) * self._answered(answer)
        if (odds != 1).any():
            ever = self.arrivals.fates.ever
            new_won = new_won * (with_odds(ever, odds) / np.maximum(ever, 1e-12))[:, None, None]
        factor = np.minimum(
            factors(pulls.arrivals, [region for _, _, region in self.arrivals.cells]), most_factor(self)
        )
        new = self.arrivals.expected * factor[:, None]
        return Chances(won, new_won, new_open, new, factor, pulls.size, cycle, answer)

    @property
    def _segments(self) -> list[str | None]:
        segments: list[str | None] = self._once("segments", lambda: self.stock.facts["segment"].to_list())
        return segments

    def _answered(self, answer: float | None) -> np.ndarray:
        """(cells,) what answering within so many hours does to the odds of new deals: as to open ones of their type."""
        if answer is None:
            return np.ones(len(self.arrivals.cells))

        def of_cells() -> np.ndarray:
            now, then = (logit(np.clip(self.stock.ever(each), SURE, 1 - SURE)) for each in (None, answer))
            return np.exp(self.stock.by_kind(then - now)[self._kinds])

        odds: np.ndarray = self._once(("answered", answer), of_cells)
        return odds

    def doubt_of_new(self, answer: float | None) -> np.ndarray:
        """(draws, cells) how far the normal quantile of the chance of new deals moves under models as likely as this one,
        for what answering within so many hours does: as to open ones of their type."""
        if answer is None:
            return np.zeros((DRAWS, len(self.arrivals.cells)))

        def of_cells() -> np.ndarray:
            odds = np.exp(self.stock.drawn_odds(answer) - self.stock.drawn_odds())[:, self._kinds]
            moved = ndtri(np.clip(with_odds(self.arrivals.fates.ever, odds), SURE, 1 - SURE))
            return moved - moved.mean(axis=0)

        doubt: np.ndarray = self._once(("doubt of new", answer), of_cells)
        return doubt

    @property
    def _kinds(self) -> list[int]:
        """(cells,) where `OpenStock.by_kind` tells of the type of each cell: all deals, where none of it is open."""
        kinds = {kind: place for place, kind in enumerate(self.stock.kinds)}
        return [kinds.get(kind, -1) for kind, _, _ in self.arrivals.cells]

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._kept:
                while len(self._kept) > MOST_KEPT and isinstance(key, tuple):
                    old = next((each for each in self._kept if isinstance(each, tuple) and each[0] == key[0]), None)
                    if old is None:
                        break
                    del self._kept[old]
                self._kept[key] = make()
            return self._kept[key]

    def coming(self) -> np.ndarray:
        """(sellers, months) what new deals are expected to bring, things being as they are: without chance."""
        chances, (_, mean, _) = self.chances(), self.amounts.moments()
        won = np.einsum("cj,cjk->ck", chances.new, np.diff(chances.new_won, axis=2, prepend=0.0))
        return self.by_seller(won * mean[self.laws][:, None])

    def opened(self, chances: Chances) -> np.ndarray:
        """(sellers, months) expected number of open deals, on average over the month; silent ones stay open."""
        told: np.ndarray = self._once(("open", chances.cycle), lambda: self._stock_open(chances.cycle))
        return told + self.by_seller(np.einsum("cj,cjk->ck", chances.new, chances.new_open))

    def _stock_open(self, cycle: float) -> np.ndarray:
        told = np.zeros((len(self.sellers), len(self.months)))
        np.add.at(told, self.stock.seller, self.stock.is_open(cycle))
        place = {rep: row for row, rep in enumerate(self.sellers["rep_id"].to_list())}
        for rep, n in self.silent.select("rep_id", "n").iter_rows():
            told[place[rep]] += n
        return told

    @property
    def region_of_seller(self) -> np.ndarray:
        """(sellers,) place of each seller's region among those of new deals; -1 where there are none."""
        order = {region: place for place, region in enumerate(self.arrivals.sellers.regions)}
        return np.array([order.get(region, -1) for region in self.sellers["region"].to_list()], int)

    def by_seller(self, by_cell: np.ndarray) -> np.ndarray:
        """(sellers, months) what is told of cells, shared out among the sellers of their region."""
        regions = np.zeros((len(self.arrivals.sellers.regions), by_cell.shape[1]))
        np.add.at(regions, self.arrivals.regions, by_cell)
        return self.arrivals.sellers.shares.T @ regions


def of_model(book: Book, model: win.WinModel, months: int = 12, facts: pl.DataFrame | None = None) -> Bookings:
    """The bookings to come of a book at its moment, by a win model fitted on what was known then.

    Args:
        book: At its moment; whoever reads, the whole company is looked at.
        model: Of the same moment.
        months: How many months ahead, the one that has begun among them.
        facts: Of the open deals, if they are there already (`win.open_facts`).

    Raises:
        Problem: If no chance, or no amount, can be told of any deal.
        ValueError: If `months` is not 1 or more.
    """
    if problem := untold(model):
        raise problem
    if months < 1:
        raise ValueError(f"months must be 1 or more, got {months!r}.")
    book = replace(whole_of(book, __name__), engine=POLARS)
    today = (book.day - EPOCH).days
    asked = [name for name in _COLUMNS if name != "closed_date"]
    deals = book.collect(book.deals([*asked, "closed_date"])).with_columns(
        closed_day=pl.col("closed_date").cast(pl.Int32).cast(pl.Int64)
    )
    won = deals.filter((pl.col("status") == "won") & (pl.col("closed_day") <= today))
    calendar = Calendar.of(book)
    ahead = horizon(book, calendar, won["closed_day"].to_numpy(), months)
    coming = arrivals(book, deals, calendar, ahead, today)
    if coming.sellers.frame.is_empty():
        raise Problem(
            "Nobody sells any more: no deal is open, and no seller had a new one within a year.",
            "Import a newer past, or ask for an earlier day.",
        )
    facts = win.open_facts(book) if facts is None else facts
    laws = list(dict.fromkeys([
        *((kind, segment) for kind, segment, _ in coming.cells), *facts.select("deal_type", "segment").iter_rows()
    ]))  # fmt: skip
    amounts = signed_amounts(won, laws, today)
    owner = facts.select("opportunity_key").join(
        deals.select("opportunity_key", "rep_id"), on="opportunity_key", how="left", maintain_order="left"
    )["rep_id"]  # fmt: skip
    place = {rep: row for row, rep in enumerate(coming.sellers.frame["rep_id"].to_list())}
    chance = is_told(model, facts)
    stands = facts.filter(chance)
    law = {pair: row for row, pair in enumerate(laws)}
    stock = OpenStock(
        model, stands, np.array([place[rep] for rep in owner.filter(chance)], int),
        stands["amount"].cast(pl.Float64).to_numpy(),
        np.array([law[pair] for pair in stands.select("deal_type", "segment").iter_rows()], int), ahead,
    )  # fmt: skip
    silent = facts.select("amount").with_columns(rep_id=owner).filter(~chance).group_by("rep_id").agg(
        n=pl.len().cast(pl.Int64), amount=pl.col("amount").sum(), n_unknown=pl.col("amount").null_count().cast(pl.Int64)
    )  # fmt: skip
    now = won.filter(pl.col("closed_date") >= ahead.months[0])
    known, known_wins = np.zeros((2, len(place), months))
    sellers = [place[rep] for rep in now["rep_id"].to_list()]
    np.add.at(known[:, 0], sellers, now["amount"].cast(pl.Float64).fill_null(0.0).to_numpy())
    np.add.at(known_wins[:, 0], sellers, 1)
    laws_of_cells = np.array([law[kind, segment] for kind, segment, _ in coming.cells], int)
    return Bookings(
        coming.sellers.frame, ahead.months, stock, coming, amounts, became(book), laws_of_cells, known, known_wins, silent,
        stands["amount"].null_count(), now["amount"].null_count(), seen_limits(deals, won, today, stock),
    )  # fmt: skip


def bookings(book: Book, months: int = 12, wait: bool = True) -> Bookings | None:
    """The bookings to come of a book: worked out once for all who ask, behind the page.

    Args:
        book: At its moment.
        months: How many months ahead.
        wait: Whether to wait for it; otherwise None is given until it is there.

    Raises:
        Problem: If no chance, or no amount, can be told of any deal.
    """
    return told(_begun(replace(whole_of(book, __name__), engine=POLARS), months), wait)


@lru_cache(maxsize=16)
def _begun(book: Book, months: int) -> Future[Bookings]:
    def work() -> Bookings:
        found = of_model(book, kept.model(book), months)
        found.drawn()
        return found

    return behind(work)
