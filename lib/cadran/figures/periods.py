"""The periods a reader may choose, relative to the day the book is seen from."""

from datetime import date, timedelta

from cadran.figures.controls import Choice, Control, Day, View
from cadran.text import Words


def period_controls(first: date, last: date, words: Words) -> list[Control]:
    """The choice of a period, and two days for one's own."""
    choices = {
        "quarter": words("This quarter"),
        "last_quarter": words("Last quarter"),
        "year": words("This year"),
        "months12": words("Last 12 months"),
        "all": words("All"),
        "custom": words("From … until …"),
    }
    return [
        Choice("period", words("Period"), choices, "months12", shortcut="p", is_plain=True),
        Day("from", words("From"), first, last, max(first, _year_before(last)).isoformat(), when="period=custom"),
        Day("until", words("Until"), first, last, last.isoformat(), when="period=custom"),
    ]


def chosen_period(view: View, as_of: date, first: date) -> tuple[date, date]:
    """First and last day of the period chosen, no later than the day the book is seen from."""
    quarter = as_of.replace(month=3 * ((as_of.month - 1) // 3) + 1, day=1)
    before = (quarter - timedelta(days=1)).replace(day=1)
    since, until = {
        "quarter": (quarter, as_of),
        "last_quarter": (before.replace(month=before.month - 2), quarter - timedelta(days=1)),
        "year": (as_of.replace(month=1, day=1), as_of),
        "months12": (_year_before(as_of) + timedelta(days=1), as_of),
        "all": (first, as_of),
        "custom": (view.day("from"), min(view.day("until"), as_of)),
    }[view["period"]]
    return min(since, until), until


def year_before(period: tuple[date, date]) -> tuple[date, date]:
    """The same period a year earlier."""
    since, until = period
    return _year_before(since), _year_before(until)


def day_before(day: date) -> date:
    """The day before: at its end stands what a period opens with."""
    return day - timedelta(days=1)


def last_months(day: date, months: int) -> tuple[date, date]:
    """The last so many calendar months, that of the day included, until the day."""
    first = day.year * 12 + day.month - months
    return date(first // 12, first % 12 + 1, 1), day


def told(period: tuple[date, date], words: Words) -> str:
    """A period in words."""
    return words("{since} to {until}", since=words.date(period[0]), until=words.date(period[1]))


def _year_before(day: date) -> date:
    is_month_end = (day + timedelta(days=1)).day == 1
    if is_month_end:
        return (day + timedelta(days=1)).replace(year=(day + timedelta(days=1)).year - 1) - timedelta(days=1)
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)
