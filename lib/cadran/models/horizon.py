"""The coming months of a book, and how fast deals are signed on each of their days: holidays, quarter ends, Augusts."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.measures.periods import add_months
from cadran.models import intensity
from cadran.models.hazards import MIDDLES
from cadran.models.landmarks import BEYOND, LENGTHS, STARTS

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Calendar:
    """Which days are worked: `date` of each and whether it is a business day, from the book's own calendar."""

    first: int
    is_business: np.ndarray

    @classmethod
    def of(cls, book: Book) -> "Calendar":
        """That of a book. Weekends are off beyond the days it tells of."""
        told = small(book.table("calendar").select("date", "is_business_day")).sort("date")
        known = dict(zip(told["date"].to_list(), told["is_business_day"].to_list(), strict=True))
        first, last = date(min(book.day.year - 10, *(d.year for d in known)), 1, 1), add_months(book.day, 60)
        days = (first + timedelta(days=turn) for turn in range((last - first).days + 1))
        return cls((first - EPOCH).days, np.array([known.get(day, day.weekday() < 5) for day in days]))

    def weights(self, since: int, until: int, off: float) -> np.ndarray:
        """What each day weighs, from one (days from 1970) to the one before another: 1, or `off` on days off."""
        return np.where(self.is_business[since - self.first : until - self.first], 1.0, off)

    def of_days_off(self, days: np.ndarray) -> float:
        """How many of some events (days from 1970 of each) come on a day off, for one on a business day."""
        inside = days[(days >= self.first) & (days < self.first + len(self.is_business))].astype(int)
        if not len(inside):
            return 1.0
        is_business = self.is_business[inside - self.first]
        span = self.is_business[inside.min() - self.first : inside.max() + 1 - self.first]
        n_business, n_off = max(span.sum(), 1), (~span).sum()
        per_business = max(is_business.sum(), 1) / n_business
        return float((~is_business).sum() / n_off / per_business) if n_off else 1.0


@dataclass(frozen=True)
class Horizon:
    """The months to come, the first one from the moment on."""

    day: date
    months: tuple[date, ...]
    #: What each coming day weighs for signing, from the day after the moment's; its mean is 1.
    pace: np.ndarray

    @cached_property
    def ends(self) -> np.ndarray:
        """(months,) days from the moment to the end of each."""
        return np.array([(add_months(month, 1) - self.day).days - 1.0 for month in self.months])

    @cached_property
    def starts(self) -> np.ndarray:
        """(months,) days from the moment to the beginning of each; 0 for one that has begun."""
        return np.concatenate([[0.0], self.ends[:-1]])

    @cached_property
    def _elapsed(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(self.pace)])

    def paced(self, days: np.ndarray) -> np.ndarray:
        """Days after the moment, counted by what is signed on them: a quiet one hardly counts."""
        return np.interp(days, np.arange(len(self._elapsed)), self._elapsed)

    def paced_in_periods(self, days: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """The same within each period of the win model, which tells by itself how much is signed in each as a whole.

        Args:
            days: After the moment.
            rates: (periods,) how many of the deals still open are signed a day in each: within a period the rate goes
                from that of the one before to that of the next, in logarithms, and does not step at its ends.
        """
        elapsed = np.concatenate([[0.0], np.cumsum(self.pace * self._shape(rates))])

        def paced(days: np.ndarray) -> np.ndarray:
            return np.interp(days, np.arange(len(elapsed)), elapsed)

        edges = [*STARTS, *np.arange(STARTS[-1] + BEYOND, days.max(initial=0) + BEYOND, BEYOND)]
        edges.append(edges[-1] + BEYOND)
        period = np.searchsorted(edges, days, side="right") - 1
        start, stop = np.array(edges)[period], np.array(edges)[period + 1]
        passed = paced(days) - paced(start)
        whole = np.maximum(paced(stop) - paced(start), 1e-9)
        return start + passed / whole * (stop - start)

    def _shape(self, rates: np.ndarray) -> np.ndarray:
        days = np.arange(len(self.pace)) + 0.5
        shape: np.ndarray = np.exp(np.interp(days, MIDDLES, np.log(np.maximum(rates, 1e-9))))
        return shape


def month_number(day: date) -> int:
    """Months since the year 0: a multiple of 12 is a January."""
    return day.year * 12 + day.month - 1


def coming_months(day: date, n: int) -> tuple[date, ...]:
    """First days of the months to come: that of the day, unless it is over."""
    first = (day + timedelta(days=1)).replace(day=1)
    return tuple(add_months(first, turn) for turn in range(n))


def horizon(book: Book, calendar: Calendar, signed: np.ndarray, months: int) -> Horizon:
    """The months to come of a book, with the pace learnt from the days (from 1970) on which deals were signed."""
    until = (book.day - EPOCH).days + 1
    off = calendar.of_days_off(signed)
    told = coming_months(book.day, months)
    span = (add_months(told[-1], 1) - book.day).days + int(BEYOND) + int(LENGTHS.sum())
    weights = calendar.weights(until, until + span, off)
    if len(signed):
        season = counted(calendar, signed, off, until, np.array([month_number(told[0])])).season
        of_month = (
            pl.date_range(book.day + timedelta(days=1), book.day + timedelta(days=span), eager=True).dt.month()
        ).to_numpy()
        weights = weights * np.exp(season[of_month - 1])
    return Horizon(book.day, told, weights / weights[:365].mean())


def counted(calendar: Calendar, days: np.ndarray, off: float, until: int, ahead: np.ndarray) -> intensity.Intensity:
    """The intensity of events (days from 1970 of each) from the month of the first up to a day, and in months ahead."""
    first = int(days.min())
    every = np.arange(first, until)
    month = every.astype("datetime64[D]").astype("datetime64[M]").astype(int) + 1970 * 12
    months = np.arange(month[0], month[-1] + 1)
    lasted = np.bincount(month - month[0], calendar.weights(first, until, off))
    came = np.bincount(month[days.astype(int) - first] - month[0], minlength=len(months))
    return intensity.fit(came.astype(float), lasted, months, ahead)
