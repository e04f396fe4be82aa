"""Deals that are not drawn one by one: what a seller's month brings by its mean and variance, given what is shared."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from cadran.models.open_stock import SURE
from cadran.models.shocks import Shocks, quarter_of, spreads

if TYPE_CHECKING:
    from cadran.models.bookings import Bookings, Chances


@dataclass(frozen=True)
class Rest:
    """The open deals that are left, and the new ones up to an amount; normals drawn once."""

    bookings: "Bookings"
    shocks: Shocks
    #: Places of the open deals, by seller; mean of what each would be signed for, and of its square.
    deals: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    #: New deals up to this amount.
    up_to: float
    #: (sellers, paths, months) for revenue and for the number of deals.
    noise: np.ndarray
    noise_of_wins: np.ndarray
    #: Hours within which clients are answered.
    answer: float | None = None

    @classmethod
    def of(
        cls, b: "Bookings", drawn: Shocks, left: np.ndarray, moments: tuple[np.ndarray, np.ndarray], up_to: float,
        rng: np.random.Generator,
    ) -> "Rest":  # fmt: skip
        """Sort the deals, and draw."""
        deals = left[np.argsort(b.stock.seller[left], kind="stable")]
        shape = (len(b.sellers), len(drawn.became), len(b.months))
        noise, of_wins = (rng.standard_normal(shape, np.float32) for _ in range(2))
        return cls(b, drawn, deals, moments[0][deals], moments[1][deals], up_to, noise, of_wins)

    def drawn(self, chances: "Chances") -> tuple[np.ndarray, np.ndarray]:
        """(paths, sellers, months) revenue and number of deals.

        A seller's months of open deals go against one another, since no deal is won twice; those of new deals, whose
        number is a Poisson one, do not.
        """
        of_open, of_new = self._open(chances), self._new(chances)
        mean, mean_of_wins = (np.maximum(of_open[turn] + of_new[turn], 0) for turn in (0, 1))
        spread, both, of_wins = (one + other for one, other in zip(of_open[2:], of_new[2:], strict=True))
        months = spread.shape[1]
        sd = np.sqrt(np.maximum(np.einsum("skk->sk", spread), 1e-12))
        alike = spread / (sd[:, :, None] * sd[:, None]) * (1 - 1e-6) + 1e-6 * np.eye(months)
        noise = self.noise @ np.swapaxes(np.linalg.cholesky(alike).astype(np.float32), 1, 2)
        # The number goes with the revenue as far as deals are alike, and has a noise of its own besides.
        sd_of_wins = np.sqrt(np.maximum(of_wins, 1e-12))
        goes_with = np.clip(both / (sd * sd_of_wins), 0, 1)[:, None]
        noise_of_wins = goes_with * noise + np.sqrt(1 - goes_with**2) * self.noise_of_wins
        revenue, wins = _around(mean, sd, noise), _around(mean_of_wins, sd_of_wins, noise_of_wins)
        return np.swapaxes(revenue, 0, 1), np.swapaxes(wins, 0, 1)

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.searchsorted(self.bookings.stock.seller[self.deals], np.arange(len(self.bookings.sellers) + 1))

    def _by_seller(self, of_deals: np.ndarray) -> np.ndarray:
        """(sellers, months) sums of (deals, months)."""
        so_far = np.concatenate([np.zeros((1, of_deals.shape[1])), np.cumsum(of_deals, axis=0, dtype=np.float64)])
        told: np.ndarray = so_far[self._starts[1:]] - so_far[self._starts[:-1]]
        return told

    @cached_property
    def _model(self) -> np.ndarray:
        """(sellers, paths) by how much the model drawn moves a seller's normal quantile, on average over the money."""
        doubt = self.bookings.stock.doubt(self.answer)[:, self.deals] * self.mean
        whole = np.maximum(self._by_seller(self.mean[:, None]), 1e-12)
        return (self._by_seller(doubt.T) / whole)[:, self.shocks.model]

    def _open(self, chances: "Chances") -> tuple[np.ndarray, ...]:
        """Means of revenue and wins (sellers, paths, months), and what they vary by, given what is shared."""
        b, won = self.bookings, chances.open_won[self.deals]
        share = np.diff(won, axis=1, prepend=0)
        money = self.mean[:, None] * share
        spread = np.einsum("sk,kl->skl", self._by_seller(self.square[:, None] * share), np.eye(share.shape[1]))
        for seller, (start, stop) in enumerate(pairwise(self._starts)):
            spread[seller] -= money[start:stop].T @ money[start:stop]
        steeper = _steepness(won, spreads(1)[0])
        level = self.shocks.level[:, 0] + self.shocks.region[:, b.region_of_seller].T + self._model
        by_level = self._by_seller(steeper * self.mean[:, None])
        mean = (self._by_seller(money)[:, None] + level[:, :, None] * by_level[:, None]) * self.shocks.became[:, None]
        wins = self._by_seller(share)[:, None] + level[:, :, None] * self._by_seller(steeper)[:, None]
        both = self._by_seller(money * (1 - share))
        return mean, wins, spread, both, self._by_seller(share * (1 - share))

    def _new(self, chances: "Chances") -> tuple[np.ndarray, ...]:
        b, a = self.bookings, self.bookings.arrivals
        shares = a.sellers.shares.T
        lesser, mean, square = (each[b.laws] for each in b.amounts.moments(self.up_to))
        won = np.diff(chances.new_won, axis=2, prepend=0)
        vintage = quarter_of(len(b.months))
        steeper = _steepness(chances.new_won, spreads(1 + int(vintage[-1]))[vintage][None, :, None])
        came = (
            self.shocks.coming[:, a.types]
            * a.days
            * (a.share * chances.new_factor * self.shocks.share[:, a.regions])[:, :, None]
        )
        of_cell = self.shocks.region[:, a.regions]
        if self.answer is not None:
            of_cell = of_cell + b.doubt_of_new(self.answer)[self.shocks.model]
        level = self.shocks.level[:, vintage][:, None] + of_cell[:, :, None]
        revenue = came * (mean * self.shocks.sizes[:, b.laws])[:, :, None]
        wins = came * lesser[:, None]
        told = []
        for each in (revenue, wins):
            of_region = [
                _flat(each[:, here]) @ won[here].reshape(-1, won.shape[2])
                + _flat((each * level)[:, here]) @ steeper[here].reshape(-1, won.shape[2])
                for here in (a.regions == place for place in range(shares.shape[1]))
            ]  # fmt: skip
            told.append(np.einsum("sr,rpk->spk", shares, np.array(of_region), optimize=True))
        by_month = np.einsum("cj,cjk->ck", chances.new, won)
        spread, both, of_wins = (b.by_seller(by_month * each[:, None]) for each in (square, mean, lesser))
        return *told, spread[:, :, None] * np.eye(won.shape[2]), both, of_wins


def _around(mean: np.ndarray, sd: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(sellers, paths, months) with these means and standard deviations, never below 0: where they are far from it, normal.

    The logarithm is normal. Normals cut off at 0 would add to the mean of whoever has few deals.
    """
    spread = np.log1p((sd / np.maximum(mean.mean(axis=1), 1e-9)) ** 2)[:, None].astype(np.float32)
    told: np.ndarray = mean * np.exp(np.sqrt(spread) * noise - spread / 2)
    return told


def _flat(each: np.ndarray) -> np.ndarray:
    return each.reshape(len(each), -1)


def _steepness(won: np.ndarray, spread: np.ndarray | float) -> np.ndarray:
    """What a shift of the level of winning by one normal quantile adds to the share won in each month, to first order."""
    at = ndtri(np.clip(won, SURE, 1 - SURE))
    dense = np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi * (1 + np.square(spread)))
    return np.diff(dense, axis=-1, prepend=0)
