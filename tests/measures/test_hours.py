"""Working hours, against a plain loop over minutes, and what is no span of hours."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest

from cadran.book.engines import EPOCH
from cadran.measures import MEASURES, Question
from cadran.measures.hours import WorkingHours
from cadran.tables.problems import Problem

PARIS = ZoneInfo("Europe/Paris")


def us(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def minutes_by_hand(since: datetime, until: datetime, opens: float, closes: float) -> int:
    """Minute by minute: is the wall clock of Paris inside the hours of a weekday that is no French holiday?"""
    off, n = holidays.country_holidays("FR"), 0
    while since < until:
        local = since.astimezone(PARIS)
        inside = opens <= local.hour + local.minute / 60 < closes
        n += inside and local.weekday() < 5 and local.date() not in off
        since += timedelta(minutes=1)
    return n


@pytest.fixture(scope="module")
def paris(make_book):
    return make_book([{"created": "2026-02-01"}], settings={"time_zone": "Europe/Paris", "holidays": "FR"})


@pytest.mark.parametrize(("hours", "opens", "closes"), [("working", 9, 18), ("8:30-17", 8.5, 17), ("0-24", 0, 24)])
def test_hours_equal_a_loop_over_minutes(paris, hours, opens, closes):
    # Over the end of March and of May 2026: the clocks change, Easter Monday, three holidays of May; and from before
    # the year in which the calendar of the book begins.
    work, draw = WorkingHours.of(paris, hours, datetime(2025, 12, 20, tzinfo=UTC)), random.Random(3)
    starts = [datetime(2025, 12, 22, tzinfo=UTC), datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)]
    pairs = [
        (begin := start + timedelta(minutes=draw.randrange(9_000)), begin + timedelta(minutes=draw.randrange(9_000)))
        for start in starts
        for _ in range(6)
    ]

    lasted = work.between(np.array([us(a) for a, _ in pairs]), np.array([float(us(b)) for _, b in pairs]))

    assert lasted * 60 == pytest.approx([minutes_by_hand(a, b, opens, closes) for a, b in pairs])
    assert work.day_hours == closes - opens


@pytest.mark.parametrize("hours", ["", "9", "18-9", "9-25", "9:70-18", "nine to five"])
def test_what_is_no_span_of_hours_is_said(make_book, hours):
    told = {"opportunity_id": "d", "kind": "email", "direction": "inbound", "at": "2026-06-01"}
    book = make_book([{"opportunity_id": "d", "created": "2026-05-01"}], activities=[told | {"activity_id": "t"}])

    with pytest.raises(Problem, match=r"no working hours\.\nWrite calendar, or working hours as 9-18"):
        MEASURES["response_time"].ask(book, Question(options={"hours": hours}))


def test_a_reply_on_monday_to_a_touch_of_friday_evening(make_book, on_duckdb):
    told = [
        {"activity_id": name, "opportunity_id": "d", "kind": "email", "direction": direction, "at": at}
        for name, direction, at in [
            ("a", "inbound", "2026-06-05T17:00"), ("b", "outbound", "2026-06-08T08:00"),  # 19:00 and 10:00 in Paris
            ("c", "inbound", "2026-06-30T07:30"),
        ]
    ]  # fmt: skip
    book = make_book(
        [{"opportunity_id": "d", "created": "2026-05-01"}], activities=told, settings={"time_zone": "Europe/Paris"}
    )

    for each in (book, on_duckdb(book)):
        ask = lambda hours, book=each: MEASURES["response_time"].ask(book, Question(options={"hours": hours}))  # noqa: E731
        working, calendar = (ask(hours).row(0, named=True) for hours in ("working", "calendar"))
        assert (working["median_hours"], working["within_hour_share"]) == (1, 0.5)
        assert (calendar["median_hours"], calendar["within_hour_share"]) == (63, 0)
        assert working["n_waits"] == calendar["n_waits"] == 2
        # The wait that goes on has lasted 4.5 hours at work: whether it ends within a day of nine is not known yet.
        assert working["within_day_share"] is None
    rivals = {
        rival.name: rival.value(book, Question(options={"hours": "8-18"})) for rival in MEASURES["response_time"].rivals
    }
    assert set(rivals.values()) == {2}
