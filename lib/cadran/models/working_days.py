"""Business days of the past and of the months planned, what sellers have of them for deals, and what recruiting takes."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from cadran.book import Book
from cadran.book.derive import calendar
from cadran.measures.periods import month_after
from cadran.models.staffing import Staffing

#: Days before the book's day from which recruiting may have had to begin: two years of ramp, one of notice, two of it.
BACK = timedelta(days=6 * 365)


@dataclass(frozen=True)
class WorkingDays:
    """The calendar of a book's country, reaching as far as is planned."""

    staffing: Staffing
    days: frozenset[date] = field(repr=False)
    first: date
    last: date

    @classmethod
    def of(cls, book: Book, staffing: Staffing, since: date, last_month: date) -> "WorkingDays":
        """Business days from a day of the past until three years after the last month planned."""
        first, last = min(since, book.day - BACK), month_after(last_month, 36)
        told = calendar([first, last], book.settings).filter(pl.col("is_business_day"), pl.col("date") >= first)
        return cls(staffing, frozenset(told["date"]), first, last)

    def business(self, month: date, known: date | None = None) -> float:
        """Business days of a month; of what is left of it after a day."""
        start, end = month_after(month, 0), month_after(month, 1)
        start = max(start, known + timedelta(days=1)) if known else start
        return float(sum(start + timedelta(days=n) in self.days for n in range((end - start).days)))

    def selling_hours(self, month: date, known: date | None = None) -> float:
        """Hours that one tenured seller has for deals in a month, without leave; in what is left of it after a day."""
        whole, left = self.business(month), self.business(month, known)
        leave = min(self.staffing.leave_days[month.month - 1], whole)
        worked = left * (1 - leave / whole) if whole else 0.0
        return worked * self.staffing.hours_per_week / 5 * self.staffing.selling_share

    def recruit_by(self, start: date) -> date:
        """The day by which recruiting has to begin for a seller to start on a day: before that, notice, and before that
        the business days of recruiting, slower ones counting less."""
        day, left = before_notice(start, self.staffing.notice_months), self.staffing.recruiting_days
        while left > 1e-9 and day > self.first:
            day -= timedelta(days=1)
            left -= self._counts(day)
        return day

    def ready(self, begun: date) -> date:
        """The first day of the month in which a seller can start for whom recruiting begins on a day."""
        month = month_after(begun, 0)
        while self.recruit_by(month) < begun:
            month = month_after(month, 1)
        return month

    def _counts(self, day: date) -> float:
        return self.staffing.recruiting_pace[day.month - 1] * (day in self.days)


def before_notice(start: date, months: float) -> date:
    """The day so many months before another: whole months by the calendar, the rest in days."""
    whole = int(months)
    month = month_after(start, -whole)
    last = (month_after(month, 1) - timedelta(days=1)).day
    return month.replace(day=min(start.day, last)) - timedelta(days=round((months - whole) * 365.25 / 12))
