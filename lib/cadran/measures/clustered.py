"""Means, shares and times of deals that weigh unequally and belong to clients, and the difference of two sides.

Deals of one client resemble each other, and of deals that close late fewer have been seen closing: so every estimate
takes the weight and the client of each value, and its interval rests on how much the clients differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cadran.measures.counting import LEAST_FOR_INTERVAL, wilson

Limits = tuple[float | None, float | None]
UNKNOWN: Limits = (None, None)


@dataclass(frozen=True)
class Estimate:
    """A number, what each client adds to its error, and its interval."""

    value: float
    #: By client, in the book's own numbers: linear influence on the value, or on the share that a quantile reaches.
    influence: np.ndarray
    #: The two-sided interval that misses with probability `alpha`, without regard to how many clients there are.
    interval: Callable[[float], Limits]
    n_clients: int

    def limits(self, alpha: float) -> Limits:
        """The interval; unknown with fewer than `LEAST_FOR_INTERVAL` clients."""
        return self.interval(alpha) if self.n_clients >= LEAST_FOR_INTERVAL else UNKNOWN


@dataclass(frozen=True)
class Values:
    """Values with the weight and the client (0 to `n_numbers` − 1) of each."""

    value: np.ndarray
    weight: np.ndarray
    client: np.ndarray
    n_numbers: int

    @property
    def mean(self) -> Estimate | None:
        """Weighted mean of values of 0 or more, with Student's interval over clients on the scale of logarithms, so that
        it holds nothing below 0; none where all values are alike.

        Source:
            Linearised ratio with clusters: Liang & Zeger (1986), Biometrika 73:13, corrected by G ÷ (G − 1); its
            logarithm by the delta method: of counts, a Poisson regression's own interval.
        """
        estimate = self._mean
        if estimate is None:
            return None
        value, influence, n_clients = estimate
        error = _variance(influence, n_clients) ** 0.5

        def interval(alpha: float) -> Limits:
            if error == 0:
                return UNKNOWN
            factor = float(np.exp(_student(alpha, n_clients) * error / value))
            return value / factor, value * factor

        return Estimate(value, influence, interval, n_clients)

    @property
    def share(self) -> Estimate | None:
        """Weighted share of values that are 1, not 0, with Wilson's interval on the effective number of deals.

        Source:
            Franco, Little, Louis & Slud (2019), Comparative study of confidence intervals for proportions in complex
            sample surveys, Journal of Survey Statistics and Methodology 7(3).
        """
        estimate = self._mean
        if estimate is None:
            return None
        value, influence, n_clients = estimate
        n = _effective(value, influence, n_clients, self.weight, self.client)
        return Estimate(value, influence, lambda alpha: wilson(value, n, _student(alpha, n_clients)), n_clients)

    @cached_property
    def _mean(self) -> tuple[float, np.ndarray, int] | None:
        total = self.weight.sum()
        if total <= 0:
            return None
        value = float((self.weight * self.value).sum() / total)
        influence = np.bincount(self.client, self.weight * (self.value - value) / total, self.n_numbers)
        return value, influence, len(np.unique(self.client))


@dataclass(frozen=True)
class Times:
    """Times until something happened, or, where it has not, how long it was waited for: Kaplan and Meier, weighted.

    Source:
        Kaplan and Meier (1958), JASA 53(282); its error by the infinitesimal jackknife over clusters, which with
        equal weights and one time a cluster is Greenwood's: Williams (1995), Product-limit survival functions with
        correlated survival times, Lifetime Data Analysis 1(2).
    """

    time: np.ndarray
    has_happened: np.ndarray
    weight: np.ndarray
    client: np.ndarray
    n_numbers: int

    @cached_property
    def _curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The distinct times; at each the share it has happened to; what an event, and being followed, weigh in it."""
        times, place = np.unique(self.time, return_inverse=True)
        happened = np.bincount(place, self.weight * self.has_happened, len(times))
        followed = np.bincount(place, self.weight, len(times))[::-1].cumsum()[::-1]
        left = np.where(followed - happened > 1e-9 * followed, followed - happened, np.inf)
        still = np.cumprod(np.where(np.isinf(left), 0, 1 - happened / followed))
        return times, 1 - still, 1 / left, np.cumsum(happened / followed / left), place

    def within(self, time: float) -> Estimate | None:
        """Share to whom it has happened by a time, with Wilson's interval on the effective number of deals; None
        where nobody was followed that long."""
        if not len(self.time):
            return None
        times, share, _, _, _ = self._curve
        if time > times[-1] and share[-1] < 1:
            return None
        value, influence = self._at(int(np.searchsorted(times, time, side="right")) - 1)
        n = _effective(value, influence, self._n_clients, self.weight, self.client)
        student = self._n_clients
        return Estimate(value, influence, lambda alpha: wilson(value, n, _student(alpha, student)), student)

    def quantile(self, share: float) -> Estimate | None:
        """Time by which it has happened to a share; None where it has not happened to so many.

        Source:
            Woodruff (1952), Confidence intervals for medians and other position measures, JASA 47(260): the limits of
            the share at that time, read back on the curve. An end that the curve does not reach is unknown.
        """
        found = self._first(share)
        if found is None:
            return None
        place = int(np.searchsorted(self._curve[0], found))
        value, influence = self._at(place)
        if value >= 1:  # where the last one falls too, the error is that of the time before
            value, influence = self._at(place - 1)
        n = _effective(value, influence, self._n_clients, self.weight, self.client)

        def interval(alpha: float) -> Limits:
            low, high = wilson(share, n, _student(alpha, self._n_clients))
            return self._first(low), self._first(high)

        return Estimate(found, influence, interval, self._n_clients)

    @cached_property
    def _n_clients(self) -> int:
        return len(np.unique(self.client))

    def _first(self, share: float) -> float | None:
        times, shares, _, _, _ = self._curve if len(self.time) else (np.empty(0),) * 5
        places = np.flatnonzero(shares >= share - 1e-12)
        return float(times[places[0]]) if len(places) else None

    def _at(self, last: int) -> tuple[float, np.ndarray]:
        """The share at one of the distinct times, and what each client adds to its error."""
        if last < 0:
            return 0.0, np.zeros(self.n_numbers)
        _, shares, of_event, of_followed, place = self._curve
        added = self.has_happened * (place <= last) * of_event[place] - of_followed[np.minimum(place, last)]
        value = float(shares[last])
        return value, np.bincount(self.client, (1 - value) * self.weight * added, self.n_numbers)


def difference(one: Estimate, other: Estimate, alpha: float) -> Limits:
    """Interval of one estimate less another: the distances of both to their own limits, squared and added, less what
    clients on both sides share. Of two shares without such clients this is Newcombe's method 10.

    Source:
        Zou (2007), Toward using confidence intervals to compare correlations, Psychological Methods 12(4); Newcombe
        (1998), Statistics in Medicine 17:873.
    """
    (low, high), (other_low, other_high) = one.limits(alpha), other.limits(alpha)
    norm = float(np.sqrt((one.influence**2).sum() * (other.influence**2).sum()))
    alike = float((one.influence * other.influence).sum() / norm) if norm > 0 else 0.0

    def distance(a: float, b: float) -> float:
        return float(np.sqrt(max(a * a + b * b - 2 * alike * a * b, 0.0)))

    between = one.value - other.value
    below = None if low is None or other_high is None else distance(one.value - low, other_high - other.value)
    above = None if high is None or other_low is None else distance(high - one.value, other.value - other_low)
    return None if below is None else between - below, None if above is None else between + above


def seen_closing(time: np.ndarray, has_closed: np.ndarray) -> np.ndarray:
    """Weight of each closed deal: one over the chance to have been followed until it closed; 0 for open ones.

    Of deals that take long, some are still open: those seen closing stand for them. The weighted share of won deals
    is then the cumulative incidence of Aalen and Johansen at the end of what was followed.

    Source:
        Satten & Datta (2001), The Kaplan–Meier estimator as an inverse-probability-of-censoring weighted average, The
        American Statistician 55(3).
    """
    times, place = np.unique(time, return_inverse=True)
    closed = np.bincount(place, has_closed, len(times))
    left = np.bincount(place, minlength=len(times))[::-1].cumsum()[::-1] - closed  # those closing then close first
    censored = np.bincount(place, ~has_closed, len(times))
    followed = np.cumprod(1 - censored / np.maximum(left, 1))
    before = np.concatenate([[1.0], followed[:-1]])[place]
    return np.where(has_closed, 1 / np.where(has_closed, before, 1), 0.0)


def _variance(influence: np.ndarray, n_clients: int) -> float:
    return float((influence**2).sum() * n_clients / max(n_clients - 1, 1))


def _student(alpha: float, n_clients: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(max(n_clients - 1, 1), 1 - alpha / 2))


def _effective(share: float, influence: np.ndarray, n_clients: int, weight: np.ndarray, client: np.ndarray) -> float:
    """How many deals, each its own client and of equal weight, would tell the share as well; clients where it is 0
    or 1, as nothing then tells how much those of one client resemble each other."""
    variance, spread = _variance(influence, n_clients), share * (1 - share)
    each = weight if variance > 0 and spread > 1e-12 else np.bincount(client, weight)
    alone = float(each.sum() ** 2 / (each**2).sum())
    return min(spread / variance, alone) if variance > 0 and spread > 1e-12 else alone
