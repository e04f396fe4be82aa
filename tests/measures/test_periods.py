"""Days and periods of a question."""

import calendar
from datetime import date, timedelta

import pytest

from cadran.measures import Question
from cadran.measures.periods import add_months, ends, last_months, month_end, period, start_of
from cadran.tables.problems import Problem


@pytest.mark.parametrize("day", [date(2024, 1, 31), date(2024, 2, 29), date(2025, 12, 31), date(2026, 6, 1)])
def test_months_are_those_of_the_calendar(day):
    assert month_end(day).day == calendar.monthrange(day.year, day.month)[1]
    for months in (-25, -12, -1, 0, 1, 11, 12, 13):
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        length = calendar.monthrange(year, month + 1)[1]
        assert add_months(day, months) == date(year, month + 1, min(day.day, length))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 6, 30), 1, (date(2026, 6, 1), date(2026, 6, 30))),
        (date(2026, 6, 29), 1, (date(2026, 5, 1), date(2026, 5, 31))),
        (date(2026, 1, 15), 12, (date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_last_months_are_complete(day, months, expected):
    assert last_months(day, months) == expected


def test_a_period_is_completed_from_what_is_said(make_book):
    book = make_book(taken=date(2026, 6, 15))

    assert period(book, Question()) == (date(2026, 5, 1), date(2026, 5, 31))
    assert period(book, Question(since=date(2026, 5, 20))) == (date(2026, 5, 20), date(2026, 6, 15))
    assert period(book, Question(until=date(2026, 4, 10)), months=3) == (date(2026, 2, 1), date(2026, 4, 10))
    with pytest.raises(Problem, match="Swap"):
        period(book, Question(since=date(2026, 5, 2), until=date(2026, 5, 1)))


@pytest.mark.parametrize("every", ["week", "month", "quarter"])
def test_every_end_closes_what_its_start_opens(make_book, every):
    since, until = date(2025, 2, 12), date(2026, 3, 18)
    days = ends(make_book(), since, until, every)

    assert days[-1] == until
    starts = [start_of(day, every) for day in days]
    assert starts[1:] == [day + timedelta(days=1) for day in days[:-1]]
    with pytest.raises(Problem, match="by fortnight"):
        ends(make_book(), since, until, "fortnight")


def test_series_begin_where_the_book_does(make_book):
    book = make_book([{"created": "2025-11-20"}])

    assert ends(book, date(2025, 1, 1), date(2026, 1, 31), "month") == [
        date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31),
    ]  # fmt: skip
