"""What one-to-ones leave of the selling hours of those who sell and lead others."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.whole import whole_of
from cadran.measures.one_to_ones import hours
from cadran.measures.periods import month_after
from cadran.models.staff import Presence
from cadran.models.staffing import Staffing
from cadran.models.working_days import WorkingDays


def left_by_meetings(sellers: Sequence[str], staffing: Staffing) -> np.ndarray | None:
    """(sellers,) the share of their selling hours left from now on; null where none of them meets those they lead."""
    a_week = staffing.hours_per_week * staffing.selling_share
    taken = dict(staffing.met_hours)
    if not taken.keys() & set(sellers):
        return None
    return np.array([max(0.0, 1 - taken.get(name, 0.0) / a_week) for name in sellers], np.float32)


def met_before(book: Book, past: Presence, days: WorkingDays) -> np.ndarray:
    """(sellers, months) the share of their selling hours that one-to-ones held left in each month of the past; 1 for who
    held none, and before any was noted."""
    left = np.ones(past.present.shape)
    if not past.months:
        return left
    end = month_after(past.months[-1], 1)
    held = hours(whole_of(book, __name__), past.months[0], min(end, book.day))
    # A week counts in the month of its Monday.
    held = (
        held.with_columns(month=pl.col("week").dt.month_start())
        .group_by("manager", "month")
        .agg(pl.col("hours_held").sum())
    )
    place = {name: number for number, name in enumerate(past.sellers["rep_id"])}
    column = {month: number for number, month in enumerate(past.months)}
    for name, month, taken in held.iter_rows():
        if name in place and month in column and (had := days.selling_hours(month)):
            left[place[name], column[month]] = max(0.0, 1 - taken / had)
    return left
