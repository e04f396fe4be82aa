"""What could be won, drawn once and sorted, so that a lever only moves how far each slice reaches."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri


@dataclass(frozen=True)
class Events:
    """What could be won, drawn one by one: sorted by cell, and by chance within it, so that what is won comes first."""

    #: Cell plus the chance drawn of it, 0 to 1, rising.
    drawn: np.ndarray
    #: Place in (paths, sellers, months) of its future's and seller's first month; its amount; the part of the lever on
    #: arrivals from which on it comes (0: it is there anyhow); and which cell's factor that is.
    place: np.ndarray
    amount: np.ndarray
    needs: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        cell: np.ndarray,
        chance: np.ndarray,
        place: np.ndarray,
        amount: np.ndarray,
        needs: np.ndarray | None = None,
    ) -> "Events":
        """Sort them."""
        drawn = cell + np.minimum(chance.astype(np.float64), 1 - 1e-9)
        order = np.argsort(drawn)
        sort: Callable[[np.ndarray], np.ndarray] = lambda each: each.astype(np.float32)[order]  # noqa: E731
        return cls(drawn[order], place.astype(np.int64)[order], sort(amount), None if needs is None else sort(needs))

    def moved(self, quantile: np.ndarray, before: np.ndarray, after: np.ndarray, row: np.ndarray) -> "Events":
        """The same luck where what is shared moves besides.

        Args:
            quantile: (rows, cells) how far the normal quantile of a cell's chance moves.
            before, after: (cells,) standard deviation of luck and all that is shared, without and with that.
            row: (events,) which row holds for each.
        """
        cell = np.floor(self.drawn).astype(np.intp)
        latent = ndtri(self.drawn - cell) * before[cell] - quantile[row, cell]
        return Events.of(cell, ndtr(latent / after[cell]), self.place, self.amount, self.needs)

    def won(self, chances: np.ndarray, factor: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Which are won: the place in (paths, sellers, months) of each, and its amount.

        Args:
            chances: (cells, months) share won by the end of each month.
            factor: (cells,) the lever on arrivals.
        """
        n, months = chances.shape
        cells = np.arange(n)[:, None]
        sought = np.column_stack([np.arange(n), cells + np.minimum(chances, 1 - 1e-9)]).astype(np.float64)
        edges: np.ndarray = np.searchsorted(self.drawn, sought.ravel()).reshape(sought.shape)
        # Within a cell the months follow one another, so what is won of it is one slice.
        whole = edges[:, -1] - edges[:, 0]
        ends = np.cumsum(whole)
        total = int(ends[-1]) if n else 0
        which = np.arange(total) + np.repeat(edges[:, 0] - (ends - whole), whole)
        month = np.repeat(np.tile(np.arange(months), n), np.diff(edges, axis=1).ravel())
        if factor is not None and self.needs is not None:
            comes = np.flatnonzero(self.needs[which] < np.repeat(factor.astype(np.float32), whole))
            which, month = which[comes], month[comes]
        return self.place[which] + month, self.amount[which]
