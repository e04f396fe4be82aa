from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from cadran.book.one_to_ones import agree, noted, sifted
from cadran.models.capacity import staffing_of
from cadran.models.met import left_by_meetings, met_before
from cadran.models.staff import presence, staff
from cadran.models.staffing import Staffing
from cadran.models.workforce import Change, workforce
from cadran.models.working_days import WorkingDays

MONTHS = (date(2026, 7, 1), date(2026, 8, 1))


@pytest.fixture
def book(make_book):
    """Two who sell and are led by m, who sells too; deals of a year."""
    reps = [
        {"rep_id": each, "manager_id": None if each == "m" else "m", "valid_from": "2024-01-01", "hired_date": "2020-01-01",
         "team": "T", "region": "R", "role": "seller"}
        for each in ("a", "b", "m")
    ]  # fmt: skip
    first = date(2025, 6, 1)
    deals = [
        {"rep_id": each, "created": (first + timedelta(days=11 * n)).isoformat(), "status": "won", "amount": 100,
         "closed": (first + timedelta(days=11 * n + 20)).isoformat()}
        for n in range(30) for each in ("a", "b", "m")
    ]  # fmt: skip
    return make_book(deals, reps=reps)


def test_one_to_ones_of_a_manager_who_sells_take_from_what_the_team_can_carry(book):
    agree(book, 14, 60, datetime(2026, 6, 30, tzinfo=UTC))
    staffing, sellers = staffing_of(book), staff(book).select("rep_id", "region", "team")
    assert staffing.met_hours == (("m", 1.0),)

    with_, without = (workforce(book, each, sellers, MONTHS) for each in (staffing, replace(staffing, met_hours=())))

    assert without.free is None
    taken = 1 / (35 * 0.35)
    assert with_.free.tolist() == pytest.approx([1, 1, 1 - taken])
    assert left_by_meetings(["x"], staffing) is None
    change = Change(attrition=0.0)
    carried, all_of_it = (force.staffed(20, change)[0].sum(axis=1).mean(axis=0) for force in (with_, without))
    assert all_of_it - carried == pytest.approx([taken] * 2, abs=1e-5)


def test_what_was_held_left_less_of_the_month(book):
    rows = pl.DataFrame({"person": ["a", "b"], "day": [date(2026, 5, 5), date(2026, 5, 19)]}).with_columns(
        kind=pl.lit("held"), manager=pl.lit(None, pl.String), minutes=pl.lit(120), file=pl.lit("f"), row=1, line=2,
        day_told=pl.lit(""), minutes_told=pl.lit(""),
    )  # fmt: skip
    noted(book, sifted(book, rows, date(2026, 6, 30))[0], None)
    past = presence(book, staff(book))
    days = WorkingDays.of(book, Staffing(), past.months[0], MONTHS[-1])

    left = met_before(book, past, days)

    assert left[2, past.months.index(date(2026, 5, 1))] == pytest.approx(1 - 4 / days.selling_hours(date(2026, 5, 1)))
    assert np.delete(left.ravel(), 2 * len(past.months) + past.months.index(date(2026, 5, 1))).tolist() == [1.0] * (
        left.size - 1
    )
