"""Time in the invented company: days from 0, business days, office hours, seasons. Instants are UTC seconds."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cadran.sources.sample.draws import Floats

Ints = NDArray[np.int64]

TIME_ZONE = "Europe/Paris"
START = date(2021, 7, 1)
END = date(2026, 6, 30)
N_DAYS = (END - START).days + 1
DATES = [START + timedelta(days=day) for day in range(N_DAYS)]
TAKEN = datetime(END.year, END.month, END.day, 23, 59, 59, tzinfo=ZoneInfo(TIME_ZONE)).astimezone(UTC)
HOUR = 3600

_CLOSED_ON = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}
#: Hands raised and deals begun, by month: August is empty, autumn is busy.
_ARRIVALS = [1.10, 1.05, 1.10, 1.00, 0.92, 1.02, 0.85, 0.45, 1.20, 1.22, 1.10, 0.80]
_SHOCK = date(2024, 3, 1)
_YEARLY_GROWTH = 0.08


def day_of(when: date) -> int:
    """Days from `START`; negative before it."""
    return (when - START).days


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIME_ZONE)).timestamp())


#: UTC second at which each local day begins, one more than there are days.
MIDNIGHT: Ints = np.array([_midnight(START + timedelta(days=day)) for day in range(N_DAYS + 1)], dtype=np.int64)
IS_BUSINESS = np.array([day.weekday() < 5 and (day.month, day.day) not in _CLOSED_ON for day in DATES])
#: The first business day on or after each day (`N_DAYS` where none is left), with one more for `N_DAYS` itself.
NEXT_BUSINESS: Ints = np.minimum.accumulate(np.append(np.where(IS_BUSINESS, np.arange(N_DAYS), N_DAYS), N_DAYS)[::-1])[
    ::-1
]
#: Day on which demand falls for good.
SHOCK = day_of(_SHOCK)


def _arrivals(day: date) -> float:
    growth = (1 + _YEARLY_GROWTH) ** ((day - START).days / 365.25)
    return _ARRIVALS[day.month - 1] * growth * (0.78 if day >= _SHOCK else 1.0)


def _closing(day: date, left: int) -> float:
    """How ready clients are to sign: `left` business days remain in the quarter, this one included."""
    rush = 1.9 if left <= 8 else 0.75 if left > 50 else 1.0
    month = {8: 0.5, 12: 1.15}.get(day.month, 1.0)
    return rush * month


def _left_in_quarter() -> list[int]:
    left = [0] * N_DAYS
    for day in reversed(range(N_DAYS)):
        last = day == N_DAYS - 1 or (DATES[day + 1].month - 1) // 3 != (DATES[day].month - 1) // 3
        left[day] = int(IS_BUSINESS[day]) + (0 if last else left[day + 1])
    return left


#: Relative number of arrivals of each day, cumulated from 0 to 1.
ARRIVED: Floats = np.cumsum([_arrivals(day) * IS_BUSINESS[i] for i, day in enumerate(DATES)])
ARRIVED /= ARRIVED[-1]
#: Multiplies the rate at which clients sign on each day.
SIGNING: Floats = np.array([_closing(day, left) for day, left in zip(DATES, _left_in_quarter(), strict=True)])


def arrival(chance: Floats) -> Ints:
    """The day on which each of some uniform numbers falls, given the seasons, growth and the fall in demand."""
    return np.searchsorted(ARRIVED, chance, side="right").astype(np.int64)


def at_work(day: Ints | int, chance: Floats, opens: float = 8.5, closes: float = 18.5) -> Ints:
    """A second of the day between two local hours."""
    return MIDNIGHT[day] + (HOUR * (opens + chance * (closes - opens))).astype(np.int64)


def day_at(second: Ints) -> Ints:
    """The local day of each instant, clipped to `N_DAYS` after the end."""
    return np.clip(np.searchsorted(MIDNIGHT, second, side="right") - 1, 0, N_DAYS)


def in_office_hours(second: Ints, chance: Floats) -> Ints:
    """Put off what falls at night or on a day off until the next morning; one evening in seven is worked."""
    day = day_at(second)
    hour = (second - MIDNIGHT[day]) / HOUR
    worked = (hour >= 8) & (hour < np.where(chance < 1 / 7, 21.5, 19.0)) & (NEXT_BUSINESS[day] == day)
    later = NEXT_BUSINESS[np.minimum(day + (hour >= 12), N_DAYS)]
    return np.where(worked, second, MIDNIGHT[later] + (HOUR * (8.4 + 2.0 * chance)).astype(np.int64))
