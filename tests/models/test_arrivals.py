"""Deals still to be created: how many, whose, what comes of them, and on which days."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from cadran.models import fates as module
from cadran.models import intensity
from cadran.models.arrivals import who_sells
from cadran.models.fates import fates
from cadran.models.horizon import Calendar, Horizon, coming_months, horizon

TODAY = 20_000
MONTHS = np.arange(24_000, 24_048)
AHEAD = np.arange(24_048, 24_060)
DAYS = np.full(48, 21.0)


def counts(rate):
    """As many as expected, to the nearest deal."""
    return np.round(np.asarray(rate) * DAYS)


def test_the_best_level_is_the_one_a_general_solver_finds():
    came, lasted, months = np.array([3.0, 0.0, 5.0, 9.0]), np.array([21.0, 4.0, 20.0, 22.0]), np.arange(4)
    prior = intensity._kernel(months, months, 0.1, 0.2, 0.1, 0)
    inverse = np.linalg.inv(prior)

    def surprise(level):
        return (lasted * np.exp(level - 1) - came * level).sum() + level @ inverse @ level / 2

    _, slope, _ = intensity._laplace(came, lasted, -1.0, prior)

    np.testing.assert_allclose(prior @ slope, minimize(surprise, np.zeros(4), tol=1e-10).x, atol=1e-4)


@pytest.mark.parametrize("rate", [0.2, 2.0, 50.0])
def test_a_steady_stream_goes_on_at_its_pace(rate):
    law = intensity.fit(counts(np.full(48, rate)), DAYS, MONTHS, AHEAD)

    np.testing.assert_allclose(law.expected, counts(np.full(1, rate))[0] / 21, rtol=0.08)


def test_a_quiet_month_of_every_year_is_expected_again_and_one_of_a_single_year_hardly():
    every = np.where(MONTHS % 12 == 7, 1.0, 4.0)
    once = np.where(np.arange(48) == 43, 1.0, 4.0)

    told, hardly = (np.exp(intensity.fit(counts(rate), DAYS, MONTHS, AHEAD).season) for rate in (every, once))

    assert told[7] / np.delete(told, 7).mean() < 0.5
    assert hardly[MONTHS[-5] % 12] / hardly.mean() > 0.75


def test_a_new_level_is_followed_and_growth_is_not_carried_on():
    fallen = np.where(np.arange(48) < 40, 6.0, 3.0)
    grown = np.linspace(2.0, 6.0, 48)

    after, on = (intensity.fit(counts(rate), DAYS, MONTHS, AHEAD).expected for rate in (fallen, grown))

    np.testing.assert_allclose(after.mean(), 3.0, rtol=0.12)
    assert on[-1] < 6.6


def test_few_months_leave_it_wide():
    short, long = (intensity.fit(counts(np.full(48, 0.5))[:n], DAYS[:n], MONTHS[:n], AHEAD) for n in (2, 48))

    assert np.sqrt(short.covariance[0, 0]) > 1.3 * np.sqrt(long.covariance[0, 0])


def deals(n, **columns):
    """Deals created a year ago."""
    plain = {"deal_type": "new", "segment": None, "region": None, "status": "open", "created_day": TODAY - 365}
    rows = {name: np.resize(np.array(value, object), n).tolist() for name, value in (plain | columns).items()}
    closed = rows.pop("lived", [None] * n)
    ends = [None if each is None else day + each for each, day in zip(closed, rows["created_day"], strict=True)]
    schema = {"created_day": pl.Int64, "closed_day": pl.Int64}
    return pl.DataFrame(rows | {"closed_day": ends}, schema_overrides=schema)


def test_fates_are_the_shares_of_deals_that_were_followed(monkeypatch):
    monkeypatch.setattr(module, "OF_TYPE", 1e-9)
    monkeypatch.setattr(module, "FATE", 1e12)
    lived = [10, 10, 40, 100, None]
    told = fates(deals(500, status=["won", "lost", "won", "lost", "open"], lived=lived), (("new", None, None),), TODAY)

    at = [1, 2, 6, 26]
    np.testing.assert_allclose(told.won[0, at], [0, 0.2, 0.4, 0.4], atol=1e-4)
    np.testing.assert_allclose(told.still_open[0, at], [1, 0.6, 0.4, 0.2], atol=1e-4)
    assert told.won[0, 53] == pytest.approx(0.4)


def test_what_is_young_counts_as_open_not_as_never_won():
    young = deals(400, status="open", created_day=TODAY - 20)
    followed = deals(400, status=["won", "lost"], lived=60)
    told, alone = (fates(frame, (("new", None, None),), TODAY) for frame in (pl.concat([followed, young]), followed))

    np.testing.assert_allclose(told.won[0, 20], alone.won[0, 20], rtol=1e-6)


def test_a_segment_is_told_apart_where_many_deals_tell_it():
    cells = (("new", "large", None), ("new", "small", None))
    many, few = (
        fates(pl.concat([deals(n, segment="large", status=["won", *["lost"] * 3], lived=30),
                         deals(n, segment="small", status=["won", "lost"], lived=30)]), cells, TODAY).won[:, -1]
        for n in (800, 8)
    )  # fmt: skip

    assert many == pytest.approx([0.25, 0.5], abs=0.06)
    assert 0.7 < few[0] / few[1] < 1


def seller(rep_id, region, **more):
    return {"rep_id": rep_id, "valid_from": "2020-01-01", "region": region, "team": region, "role": "seller"} | more


def test_new_deals_go_to_those_who_are_there(make_book):
    staff = [
        seller("a", "North"), seller("b", "North"), seller("new", "North", hired_date="2026-06-01"),
        seller("gone", "South", left_date="2026-03-01"), seller("boss", "East", role="director"),
    ]  # fmt: skip
    came = [{"created": date(2026, 1, 5) + timedelta(days=turn), "rep_id": rep}
            for rep, n in (("a", 30), ("b", 10), ("gone", 20)) for turn in range(n)]  # fmt: skip
    book = make_book(came, reps=staff)
    known = book.collect(book.deals(["rep_id", "status", "created_day", "closed_date"])).with_columns(
        closed_day=pl.col("closed_date").cast(pl.Int32)
    )

    told = who_sells(book, known, (book.day - date(1970, 1, 1)).days)

    names = told.frame["rep_id"].to_list()
    share = dict(zip(names, told.shares[0], strict=True))
    assert told.regions == ("North",)
    assert set(names) == {"a", "b", "new", "gone"}  # who left still owns what is open
    assert share["gone"] == 0
    assert share["a"] > share["new"] > share["b"] > 0  # who has just come has the mean of the region
    assert sum(share.values()) == pytest.approx(1)


def test_days_off_and_quiet_months_hardly_count(make_book):
    won = [{"created": date(2022, 1, 3), "status": "won", "closed": day, "amount": 1.0}
           for day in pl.date_range(date(2022, 2, 1), date(2026, 6, 30), "1d", eager=True)
           if day.weekday() < 5 and (day.month != 8 or day.day < 4)]  # fmt: skip
    book = make_book(won)
    closed = book.collect(book.deals(["closed_date"]))["closed_date"].cast(pl.Int32).to_numpy()

    told = horizon(book, Calendar.of(book), closed, 12)

    weekday = np.array([(told.day + timedelta(days=turn + 1)).weekday() for turn in range(len(told.pace))])
    month = np.array([(told.day + timedelta(days=turn + 1)).month for turn in range(len(told.pace))])
    assert told.pace[weekday > 4].max() == 0
    assert told.pace[month == 8].mean() < 0.5 * told.pace[month == 7].mean()
    assert told.pace[:365].mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("day", "first", "left"),
    [
        (date(2028, 2, 10), date(2028, 2, 1), 19),
        (date(2028, 2, 29), date(2028, 3, 1), 31),
        (date(2026, 12, 30), date(2026, 12, 1), 1),
    ],
)
def test_the_month_that_has_begun_comes_first_unless_it_is_over(day, first, left):
    told = Horizon(day, coming_months(day, 3), np.ones(400))

    assert told.months[0] == first
    assert told.ends[0] == left
    assert told.paced(told.ends) == pytest.approx(told.ends)
    assert told.paced_in_periods(told.ends, np.ones(6)) == pytest.approx(told.ends)
