"""The hours in which a team is at work, and how many of them lie between two instants."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.derive import calendar
from cadran.book.engines import EPOCH
from cadran.tables.problems import Problem

#: What "working" stands for.
USUAL = "9-18"
_SPAN = re.compile(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?")


@dataclass(frozen=True)
class WorkingHours:
    """One span of hours on each business day of a book's calendar, by the clock of its time zone."""

    #: Microseconds since 1970 at which each span begins and ends, in order.
    opens: np.ndarray
    closes: np.ndarray
    #: Length of a span by the clock, hours.
    day_hours: float

    @classmethod
    def of(cls, book: Book, hours: str, since: datetime) -> "WorkingHours":
        """Those of a book from a day on, until the end of its calendar.

        Args:
            book: Whose calendar says which days are business days.
            hours: As "9-18" or "8:30-17:30"; "working" stands for `USUAL`.
            since: No instant before it is asked about.

        Raises:
            Problem: If `hours` is no such span.
        """
        opening, closing = span_of(hours)
        zone = ZoneInfo(book.settings.time_zone)
        first = since.astimezone(zone).date()
        known = book.collect(book.table("calendar").select("date", "is_business_day")).sort("date")
        # The calendar begins with the first year that deals speak of; a touch may be older.
        earlier = calendar([first], book.settings).select(known.columns).filter(pl.col("date") < known["date"].min())
        days = (
            pl.concat([earlier, known]).filter(pl.col("is_business_day") & (pl.col("date") >= first))["date"].to_list()
        )
        opens, closes = (
            np.array([_instant(day, after, zone) for day in days], np.int64) for after in (opening, closing)
        )
        return cls(opens, closes, (closing - opening) / timedelta(hours=1))

    def between(self, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        """Hours at work between instants, both in microseconds since 1970; NaN where one is NaN."""
        return np.asarray(self._until(until) - self._until(since)) / 3.6e9

    def _until(self, instants: np.ndarray) -> np.ndarray:
        """Microseconds at work from the first span to each instant."""
        lengths = self.closes - self.opens
        before = np.concatenate([[0], np.cumsum(lengths)])
        place = np.searchsorted(self.opens, instants, side="right") - 1
        begun = np.maximum(place, 0)
        inside = np.clip(instants - self.opens[begun], 0, lengths[begun])
        return np.where(np.isnan(instants), np.nan, np.where(place < 0, 0, before[begun] + inside))


def span_of(hours: str) -> tuple[timedelta, timedelta]:
    """When a span such as "9-18" opens and closes, after midnight; "working" stands for `USUAL`.

    Raises:
        Problem: If it is none.
    """
    found = _SPAN.fullmatch(USUAL if hours == "working" else hours)
    start, start_minute, end, end_minute = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    opening, closing = timedelta(hours=start, minutes=start_minute), timedelta(hours=end, minutes=end_minute)
    if not opening < closing <= timedelta(days=1) or max(start_minute, end_minute) > 59:
        raise Problem(
            "{hours} are no working hours.", "Write calendar, or working hours as 9-18 or 8:30-17:30.", hours=hours
        )
    return opening, closing


def _instant(day: date, after: timedelta, zone: ZoneInfo) -> int:
    """Microseconds since 1970 when the clocks of a zone show so much after midnight."""
    local = datetime.combine(day, time()) + after
    return (local.replace(tzinfo=zone).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
