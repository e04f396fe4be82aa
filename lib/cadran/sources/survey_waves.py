"""When the waves of a survey were: told by their names (a week, a month, a quarter, a year), or by the mapping."""

import re
from collections.abc import Mapping as Dict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

_DAY = timedelta(days=1)
_NAME = re.compile(r"(?P<y>\d{4})(?:-(?:W(?P<w>\d{2})|Q(?P<q>[1-4])|(?P<m>\d{2})(?:-(?P<d>\d{2}))?))?$")
#: How the waves of a cadence are named after the day of an answer.
NAMES = {
    "weekly": pl.col("day").dt.strftime("%G-W%V"),
    "monthly": pl.col("day").dt.strftime("%Y-%m"),
    "quarterly": pl.format("{}-Q{}", pl.col("day").dt.year(), pl.col("day").dt.quarter()),
}


def period(name: str) -> tuple[date, date] | None:
    """The first and last day of a wave called 2026-W21, 2026-05, 2026-Q2, 2026 or 2026-05-12; null of another name."""
    told = _NAME.match(name)
    if told is None:
        return None
    year, week, quarter, month, day = (int(told[part]) if told[part] else 0 for part in "ywqmd")
    try:
        if week:
            first = date.fromisocalendar(year, week, 1)
            return first, first + 6 * _DAY
        if day:
            return date(year, month, day), date(year, month, day)
        first = date(year, month or 3 * max(quarter, 1) - 2, 1)
        months = 1 if month else 3 if quarter else 12
    except ValueError:
        return None
    after = first.month + months
    return first, date(year + (after > 12), (after - 1) % 12 + 1, 1) - _DAY


def moments(days: tuple[date, date], zone: str) -> tuple[datetime, datetime]:
    """When a wave opened and closed: the beginning of its first day, and the end of its last (the second before)."""
    place = ZoneInfo(zone)
    opened = datetime.combine(days[0], time(), place).astimezone(UTC)
    closed = datetime.combine(days[1] + _DAY, time(), place).astimezone(UTC) - timedelta(seconds=1)
    return opened, closed


def taken_at(taken: date | datetime, zone: str) -> datetime:
    """The moment the data was taken: a day is taken at its end."""
    if isinstance(taken, datetime):
        return (taken if taken.tzinfo else taken.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    return moments((taken, taken), zone)[1]


def sorts_by_time(closed: Dict[str, date | datetime]) -> bool:
    """Whether the names of waves sort as they closed."""
    ends = [closed[name] for name in sorted(closed)]
    return ends == sorted(ends)  # type: ignore[type-var]
