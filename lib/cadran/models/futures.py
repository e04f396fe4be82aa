"""Futures of bookings: chance drawn once and kept, so that a lever shows itself; and by brute force, to be held against.

Deals are drawn one by one where that is cheap enough, the largest first; the rest of a seller's month has the
mean, variance and negative covariance between months that its deals have.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from cadran.models import shocks
from cadran.models.events import Events
from cadran.models.open_stock import DRAWS
from cadran.models.pulls import MOST
from cadran.models.rest import Rest
from cadran.models.shocks import Shocks, quarter_of, spread_with

if TYPE_CHECKING:
    from cadran.models.bookings import Bookings, Chances

#: Deals times futures that are drawn one by one, of what is open and of what is to come; at least so many deals.
MOST_EVENTS, LEAST_DEALS = 1_200_000, 150
#: Futures drawn at a time by brute force, in deals times futures.
CHUNK = 2_000_000
#: Hours to an answer for which what could be won is kept in its order.
MOST_ANSWERS = 4


@dataclass(frozen=True)
class Drawn:
    """Futures of bookings."""

    #: (paths, sellers, months) signed revenue, and deals won; what the first month has brought so far is in it.
    bookings: np.ndarray
    wins: np.ndarray
    #: (sellers, months) expected number of open deals on average over the month, and of new deals.
    opened: np.ndarray
    created: np.ndarray
    #: (paths, months) factor on `created` in each future; its mean is about 1.
    level: np.ndarray


@dataclass(frozen=True)
class Futures:
    """Chance, drawn once for a number of futures."""

    bookings: "Bookings"
    n: int
    shocks: Shocks
    #: Which open deals are drawn one by one; the new ones are from an amount on.
    drawn_alone: np.ndarray
    above: float
    open_events: Events
    new_events: Events
    #: What is not drawn one by one; None where all is.
    rest: Rest | None
    _kept: dict[float, "Futures"] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, bookings: "Bookings", n: int, seed: int = 0) -> "Futures":
        """Draw them."""
        rng = np.random.default_rng(seed)
        drawn = _shocks(bookings, n, rng)
        stock = bookings.stock
        chance, (mean, square) = stock.ever(), amount_moments(bookings)
        most = max(MOST_EVENTS // n, LEAST_DEALS)
        alone = np.zeros(len(stock), bool)
        alone[np.argsort(-square * chance * (1 - 0.5 * chance), kind="stable")[:most]] = True
        open_events = _open_events(bookings, drawn, np.flatnonzero(alone), rng)
        factor = most_factor(bookings)
        due = (bookings.arrivals.expected.sum(axis=1) * factor).sum() * n
        above = -np.inf
        if due > MOST_EVENTS:
            weights = bookings.arrivals.expected.sum(axis=1) @ bookings.amounts.weights[bookings.laws]
            beyond = np.cumsum(weights[::-1])[::-1] / weights.sum()
            above = float(
                bookings.amounts.pool[np.searchsorted(-beyond, -MOST_EVENTS / 4 / due).clip(max=len(beyond) - 1)]
            )
        new_events = _new_events(bookings, drawn, above, rng)
        is_all = bool(alone.all()) and above == -np.inf
        left = np.flatnonzero(~alone)
        rest = None if is_all else Rest.of(bookings, drawn, left, (mean, square), above, rng)
        return cls(bookings, n, drawn, alone, above, open_events, new_events, rest)

    def answered(self, answer: float | None) -> "Futures":
        """The same luck with clients answered within so many hours: each future by the model it holds for true."""
        if answer is None:
            return self
        with self.bookings._lock:
            if answer not in self._kept:
                while len(self._kept) >= MOST_ANSWERS:
                    del self._kept[next(iter(self._kept))]
                self._kept[answer] = self._answered(answer)
            return self._kept[answer]

    def _answered(self, answer: float) -> "Futures":
        b, months = self.bookings, len(self.bookings.months)
        now, then = (b.stock.doubt(each)[:, self.drawn_alone] for each in (None, answer))
        new = np.repeat(b.doubt_of_new(answer), months, axis=1)
        quarter = np.tile(quarter_of(months), len(b.arrivals.cells))
        models = [self.shocks.model[e.place // (len(b.sellers) * months)] for e in (self.open_events, self.new_events)]
        open_events = self.open_events.moved(then - now, spread_with(0, now), spread_with(0, then), models[0])
        new_events = self.new_events.moved(new, spread_with(quarter), spread_with(quarter, new), models[1])
        rest = self.rest and replace(self.rest, answer=answer)
        return replace(self, open_events=open_events, new_events=new_events, rest=rest, _kept={})

    def drawn(self, chances: "Chances") -> Drawn:
        """The futures with levers pulled."""
        b = self.bookings
        shape = (self.n, len(b.sellers), len(b.months))
        flat, factor = chances.new_won.reshape(-1, shape[2]), np.repeat(chances.new_factor, shape[2])
        won = self.open_events.won(chances.open_won[self.drawn_alone]), self.new_events.won(flat, factor)
        place, amount = (np.concatenate(both) for both in zip(*won, strict=True))
        size = int(np.prod(shape))
        revenue = np.bincount(place, amount, size).reshape(shape)
        wins = np.bincount(place, minlength=size).reshape(shape).astype(np.float64)
        if self.rest is not None:
            more = self.rest.drawn(chances)
            revenue += more[0]
            wins += more[1]
        return finished(b, chances, revenue, wins, self.shocks)


def finished(b: "Bookings", chances: "Chances", revenue: np.ndarray, wins: np.ndarray, drawn: Shocks) -> Drawn:
    """With what is known already, and what is expected to be open and to come."""
    coming = np.einsum("ptm,t->pm", drawn.coming, _of_types(b)) * b.arrivals.days
    mean = np.maximum(b.arrivals.expected.sum(axis=0), 1e-12)
    if chances.size != 1:
        revenue *= chances.size
    revenue[:, :, 0] += b.known[:, 0]
    wins[:, :, 0] += b.known_wins[:, 0]
    return Drawn(revenue, wins, b.opened(chances), b.by_seller(chances.new), coming / mean)


def _of_types(b: "Bookings") -> np.ndarray:
    return np.bincount(b.arrivals.types, b.arrivals.share, len(b.arrivals.laws))


def amount_moments(b: "Bookings") -> tuple[np.ndarray, np.ndarray]:
    """(deals,) mean of what each open deal would be signed for, and of its square."""
    _, mean, square = b.amounts.moments()
    is_known = np.isfinite(b.stock.amounts)
    known = np.nan_to_num(b.stock.amounts)
    return (
        np.where(is_known, known * b.became.mean, mean[b.stock.law]),
        np.where(is_known, known**2 * b.became.square, square[b.stock.law]),
    )


def most_factor(b: "Bookings") -> np.ndarray:
    """(cells,) how far the lever on arrivals may go in each."""
    seen = b.limits.seen
    return np.array([
        min(MOST, seen.get(("arrivals", None), (1.0, 1.25))[1] * seen.get(("arrivals", region), (1.0, 1.25))[1])
        for _, _, region in b.arrivals.cells
    ])  # fmt: skip


def _shocks(b: "Bookings", n: int, rng: np.random.Generator) -> Shocks:
    return shocks.draw(b.arrivals, b.amounts.doubt, b.became.doubt, n, DRAWS, rng)


def _chance_of_open(
    b: "Bookings", drawn: Shocks, deals: np.ndarray, rng: np.random.Generator, answer: float | None = None
) -> np.ndarray:
    """(paths, deals) uniform numbers below which a deal is won: low together where all goes well."""
    doubt = b.stock.doubt(answer)[:, deals]
    shared = drawn.level[:, :1] + doubt[drawn.model]
    shared += drawn.region[:, b.region_of_seller[b.stock.seller[deals]]]
    latent = (rng.standard_normal(shared.shape, np.float32) - shared) / spread_with(0, doubt)
    told: np.ndarray = ndtr(latent)
    return told


def _amounts_of_open(b: "Bookings", drawn: Shocks, deals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(paths, deals) what each would be signed for."""
    n = len(drawn.became)
    known = b.stock.amounts[deals]
    told = known * b.became.factors[rng.integers(len(b.became.factors), size=(n, len(deals)))] * drawn.became[:, None]
    unknown = np.flatnonzero(np.isnan(known))
    law = b.stock.law[deals[unknown]]
    told[:, unknown] = b.amounts.drawn(np.tile(law, n), rng).reshape(n, -1) * drawn.sizes[:, law]
    return told


def _open_events(b: "Bookings", drawn: Shocks, deals: np.ndarray, rng: np.random.Generator) -> Events:
    n, months = len(drawn.became), len(b.months)
    chance, amount = _chance_of_open(b, drawn, deals, rng), _amounts_of_open(b, drawn, deals, rng)
    cell = np.broadcast_to(np.arange(len(deals)), chance.shape)
    place = (np.arange(n)[:, None] * len(b.sellers) + b.stock.seller[deals]) * months
    return Events.of(cell.ravel(), chance.ravel(), place.ravel(), amount.ravel())


@dataclass(frozen=True)
class _New:
    """New deals of some futures, one entry each."""

    path: np.ndarray
    cell: np.ndarray
    month: np.ndarray
    chance: np.ndarray
    seller: np.ndarray
    amount: np.ndarray


def _new_deals(
    b: "Bookings", drawn: Shocks, factor: np.ndarray, above: float, rng: np.random.Generator, shares: np.ndarray,
    answer: float | None = None,
) -> _New:  # fmt: skip
    """Draw new deals, those of an amount beyond `above`, `factor` times as many as now."""
    a, laws, months = b.arrivals, b.laws, len(b.months)
    beyond = 1 - b.amounts.moments(above)[0][laws] if above > -np.inf else np.ones(len(a.cells))
    share = a.share * drawn.share[:, a.regions]
    due = drawn.coming[:, a.types] * a.days * (share * factor * beyond)[:, :, None]
    came = rng.poisson(due)
    path, cell, month = np.unravel_index(np.repeat(np.arange(came.size), came.ravel()), came.shape)
    vintage, region = quarter_of(months)[month], a.regions[cell]
    doubt = b.doubt_of_new(answer)
    shared = drawn.level[path, vintage] + drawn.region[path, region] + doubt[drawn.model[path], cell]
    latent = rng.standard_normal(len(path), np.float32) - shared
    chance = ndtr(latent / spread_with(np.arange(vintage.max(initial=0) + 1)[:, None], doubt)[vintage, cell])
    amount = b.amounts.drawn(laws[cell], rng, above) * drawn.sizes[path, laws[cell]]
    return _New(path, cell, month, chance, _sellers(shares, path, region, rng), amount)


def _sellers(shares: np.ndarray, path: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whose each new deal is: by the shares (paths, regions, sellers) of its region in its future."""
    told = np.empty(len(path), int)
    for place in range(shares.shape[1]):
        here = np.flatnonzero(region == place)
        those = np.flatnonzero(shares[:, place].any(axis=0))
        so_far = np.cumsum(shares[:, place][:, those], axis=1)
        so_far = so_far / so_far[:, -1:] + np.arange(len(so_far))[:, None]
        at = np.searchsorted(so_far.ravel(), path[here] + rng.random(len(here)), side="right")
        told[here] = those[np.minimum(at - path[here] * len(those), len(those) - 1)]
    return told


def _shares(b: "Bookings", n: int, rng: np.random.Generator) -> np.ndarray:
    """(paths, regions, sellers) whose the new deals are: how many deals tell it leaves it open."""
    a = b.arrivals
    behind = np.bincount(a.regions, a.behind, len(a.sellers.regions))
    gamma = rng.standard_gamma(np.maximum(a.sellers.shares * behind[:, None], 1e-9), (n, *a.sellers.shares.shape))
    gamma = np.where(a.sellers.shares > 0, np.maximum(gamma, 1e-300), 0)
    told: np.ndarray = gamma / gamma.sum(axis=2, keepdims=True)
    return told


def _new_events(b: "Bookings", drawn: Shocks, above: float, rng: np.random.Generator) -> Events:
    n, months, factor = len(drawn.became), len(b.months), most_factor(b)
    new = _new_deals(b, drawn, factor, above, rng, _shares(b, n, rng))
    could = new.chance < most_chance(b)[new.cell]
    place = (new.path * len(b.sellers) + new.seller) * months
    needs = rng.random(len(new.path)) * factor[new.cell]
    cell = new.cell * months + new.month
    return Events.of(*(each[could] for each in (cell, new.chance, place, new.amount, needs)))


def most_chance(b: "Bookings") -> np.ndarray:
    """(cells,) the greatest chance that levers can lead to."""
    ever = b.arrivals.fates.ever
    odds = MOST**2 * 10 * ever / np.maximum(1 - ever, 1e-9)
    told: np.ndarray = odds / (1 + odds)
    return told


def brute_force(b: "Bookings", chances: "Chances", n: int, seed: int) -> Drawn:
    """Future by future, deal by deal."""
    rng = np.random.default_rng(seed)
    drawn = _shocks(b, n, rng)
    shape = (n, len(b.sellers), len(b.months))
    revenue, wins = np.zeros(shape), np.zeros(shape)
    deals = np.arange(len(b.stock))
    at_once = max(int(CHUNK // max(len(deals) + b.arrivals.expected.sum(), 1)), 1)
    for start in range(0, n, at_once):
        part = drawn.some(slice(start, start + at_once))
        paths = np.arange(len(part.became))
        chance = _chance_of_open(b, part, deals, rng, chances.answer)
        amount = _amounts_of_open(b, part, deals, rng)
        path = np.repeat(start + paths, len(deals))
        _add(revenue, wins, path, np.tile(b.stock.seller, len(paths)), chance.ravel(), amount.ravel(),
             np.tile(chances.open_won, (len(paths), 1)))  # fmt: skip
        new = _new_deals(b, part, chances.new_factor, -np.inf, rng, _shares(b, len(paths), rng), chances.answer)
        won = chances.new_won[new.cell, new.month]
        _add(revenue, wins, start + new.path, new.seller, new.chance, new.amount, won)
    return finished(b, chances, revenue, wins, drawn)


def _add(
    revenue: np.ndarray, wins: np.ndarray, path: np.ndarray, seller: np.ndarray, chance: np.ndarray, amount: np.ndarray,
    won: np.ndarray,
) -> None:  # fmt: skip
    month = (chance[:, None] >= won).sum(axis=1)
    is_won = month < won.shape[1]
    at = path[is_won], seller[is_won], month[is_won]
    np.add.at(revenue, at, amount[is_won])
    np.add.at(wins, at, 1.0)
