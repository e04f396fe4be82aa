"""Who sells, what they did, how long they have been there, and their targets."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from cadran.measures import MEASURES, Question
from cadran.tables.measured.resources import ActivityLoad, Attainment, Heads, Tenure
from cadran.tables.problems import Problem

BEGINS = "2025-01-01"
SPRING = {"since": date(2026, 3, 1), "until": date(2026, 5, 31)}


def rep(rep_id, team="North", since=BEGINS, **more):
    told = {"rep_id": rep_id, "valid_from": since, "team": team, "region": team.upper(), "role": "seller"}
    return told | {"hired_date": "2025-01-01"} | more


def ask(book, name, **question):
    return MEASURES[name].ask(book, Question(**question))


@pytest.fixture(scope="module")
def staff(make_book):
    """North: stays, moves to South in April, leaves in May; South: hired in April; a manager who sells, one who does not."""
    return make_book(
        [{"created": "2026-04-20", "rep_id": "sells", "status": "open"}, {"created": BEGINS}],
        reps=[
            rep("stays"), rep("moves"), rep("moves", "South", "2026-04-10"),
            rep("leaves"), rep("leaves", since="2026-05-12", left_date="2026-05-11"),
            rep("new", "South", "2026-04-15", hired_date="2026-04-15"),
            rep("sells", role="manager", hired_date=None), rep("boss", role="manager"),
        ],
    )  # fmt: skip


def test_heads_add_up_from_month_to_month(staff):
    found = ask(staff, "heads", by=("team",), **SPRING)

    Heads.validate(found.drop("team"))
    counts = ("n_heads", "n_joined", "n_moved_in", "n_left", "n_moved_out")
    north, south = (found.filter(team=team) for team in ("North", "South"))
    assert north.select(counts).rows() == [(3, 0, 0, 0, 0), (3, 1, 0, 0, 1), (2, 0, 0, 1, 0)]
    assert south.select(counts).rows() == [(0, 0, 0, 0, 0), (2, 1, 1, 0, 0), (2, 0, 0, 0, 0)]
    assert north["n_unknown"].to_list() == [0, 1, 1]
    for rows in (north, south):
        change = rows["n_joined"] + rows["n_moved_in"] - rows["n_left"] - rows["n_moved_out"]
        assert rows["n_heads"].to_list()[1:] == (rows["n_heads"].shift() + change).to_list()[1:]


def test_todays_organisation_moves_nobody(staff):
    found = ask(staff, "heads", by=("team",), organisation="today", **SPRING)

    assert found["n_moved_in"].sum() == found["n_moved_out"].sum() == 0
    assert found.filter(team="South")["n_heads"].to_list() == [1, 2, 2]


def test_a_past_day_knows_no_later_leaving(staff):
    may = ask(staff.as_of(date(2026, 5, 5)), "heads", **SPRING | {"until": date(2026, 5, 5)})

    assert may["n_left"].sum() == 0
    assert may["is_whole"].to_list() == [True, True, False]
    assert may["median_tenure_days"][-1] == (date(2026, 5, 5) - date(2025, 1, 1)).days


def test_people_have_no_other_groups(staff):
    with pytest.raises(Problem, match="Sellers have no column product"):
        ask(staff, "heads", by=("product",))
    with pytest.raises(Problem, match="Rates of a named person"):
        ask(staff, "activity_load", where={"rep_id": ("stays",)})


def touch(n, at, rep_id="r0", **more):
    return {"activity_id": f"t{n}", "rep_id": rep_id, "kind": "call", "at": at, **more}


@pytest.fixture(scope="module")
def busy(make_book):
    paris = ZoneInfo("Europe/Paris")
    hours = [datetime(2026, 3, 1, 7, 30, tzinfo=paris) + timedelta(hours=7 * n) for n in range(310)]
    touches = [
        touch(n, at.astimezone(UTC), f"r{n % 6}", duration_minutes=30.0 if n % 3 else None)
        for n, at in enumerate(hours)
    ]
    touches += [touch("auto", "2026-03-04T10:00", is_automatic=True), touch("who", "2026-03-04T10:00", None)]
    touches += [touch("other", "2026-03-04T10:00", "boss")]
    reps = [rep(f"r{n}", "North" if n < 5 else "South") for n in range(6)] + [rep("boss", role="manager")]
    return make_book(reps=reps, activities=touches, settings={"time_zone": "Europe/Paris", "holidays": "FR"}), hours


def test_activity_is_counted_per_seller_and_outside_hours_by_the_clock(busy):
    book, hours = busy

    found = ask(book, "activity_load", **SPRING)

    ActivityLoad.validate(found)
    off = {date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14), date(2026, 5, 25)}
    for row in found.iter_rows(named=True):
        mine = [at for at in hours if row["period"] <= at.date() <= row["until"]]
        outside = [at for at in mine if at.weekday() > 4 or at.date() in off or not 9 <= at.hour < 18]
        assert (row["n_sellers"], row["n_touches"], row["n_after_hours"]) == (6, len(mine), len(outside))
        timed = [n for n, at in enumerate(hours) if row["period"] <= at.date() <= row["until"] and n % 3]
        assert (row["n_timed"], row["timed_hours"]) == (len(timed), len(timed) / 2)
        assert row["touches_per_seller"] == pytest.approx(len(mine) / 6)
    assert found["n_others"].to_list() == [2, 0, 0]


def test_hours_outside_work_are_told_of_five_sellers_and_more(busy):
    found = ask(busy[0], "activity_load", by=("team",), since=date(2026, 3, 1), until=date(2026, 3, 31))

    assert found.select("team", "n_sellers").rows() == [(None, 0), ("North", 5), ("South", 1)]
    assert found["after_hours_share"].is_null().to_list() == [True, False, True]
    with pytest.raises(Problem, match="are no working hours"):
        ask(busy[0], "activity_load", options={"hours": "9h-18h"})


def test_tenure_counts_months_at_each_band_and_never_tells_of_few(make_book):
    reps = [rep(f"old{n}", hired_date="2020-05-01", since="2020-05-01") for n in range(11)]
    reps += [rep(f"new{n}", hired_date="2026-03-16", since="2026-03-16") for n in range(4)] + [
        rep("gap", hired_date=None)
    ]
    won = [{"created": "2026-03-02", "closed": "2026-04-10", "status": "won", "rep_id": "old3", "amount": 60.0}] * 6
    won += [dict(won[0], rep_id="new0"), dict(won[0], rep_id="old4", amount=None)]
    found = ask(make_book(won, reps=reps), "tenure", since=date(2026, 3, 1), until=date(2026, 5, 31))

    Tenure.validate(found)
    rows = {row["tenure"]: row for row in found.iter_rows(named=True)}
    assert {name: row["n_heads"] for name, row in rows.items() if row["n_heads"]} == {
        "under_3_months": 4, "over_5_years": 11, "tenure_unknown": 1,
    }  # fmt: skip
    new, old = rows["under_3_months"], rows["over_5_years"]
    assert new["seller_months"] == pytest.approx(4 * (16 + 30 + 31) / (365.2425 / 12))
    assert (new["n_won"], new["won_per_month"]) == (None, None)
    assert new["heads_share"] == 4 / 16
    months = 11 * 92 / (365.2425 / 12)
    assert (old["n_won"], old["n_won_unknown"]) == (7, 1)
    assert old["won_per_month"] == pytest.approx(7 / months)
    assert old["amount_per_month"] == pytest.approx(360 / months)
    # One seller won 6, another 1, nine none: linearised, on the logarithm, with Student's t of 10 degrees of freedom.
    each = np.array([6, 1] + [0] * 9) / 7 - 1 / 11
    error = (11 / 10 * (each**2).sum()) ** 0.5
    assert old["won_per_month_low"] == pytest.approx(7 / months * np.exp(-2.228139 * error), rel=1e-5)


def goal(n, scope, scope_id, amount, first="2026-04-01", last="2026-06-30"):
    return {"target_id": f"g{n}", "valid_from": BEGINS, "scope": scope, "scope_id": scope_id, "amount": amount,
            "start_date": first, "end_date": last}  # fmt: skip


@pytest.fixture(scope="module")
def goals(make_book):
    deals = [
        {"created": "2026-01-02", "closed": f"2026-04-{day:02}", "status": "won", "rep_id": who, "amount": 50.0}
        for day, who in [(1, "a"), (8, "a"), (9, "b"), (20, "solo")]
    ]
    deals += [dict(deals[0], amount=None, closed="2026-05-04")]
    # Four quarters before: 7 of 10 signed in the first days of the quarter, 1 just before this one's day, 2 at its end.
    for first in (date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1)):
        for n in range(10):
            day = first + timedelta(days=n if n < 7 else 40 if n == 7 else 85)
            deals.append({"created": "2025-01-02", "closed": f"{day}", "status": "won", "rep_id": "a", "amount": 10.0})
    reps = [rep("a"), rep("b", hired_date="2026-06-01"), rep("c"), rep("solo", "Alone")]
    targets = [goal(1, "company", None, 400.0), goal(2, "team", "North", 300.0), goal(3, "team", "Alone", 100.0)]
    targets += [goal(4, "rep", "a", 100.0), goal(5, "rep", "b", 100.0)]
    return make_book(deals, reps=reps, targets=targets, taken="2026-05-15T12:00")


def test_attainment_is_won_over_target_and_its_pace_over_what_is_usual(goals):
    found = ask(goals, "attainment")

    Attainment.validate(found)
    row = found.row(-1, named=True)
    assert (row["target"], row["amount_won"], row["n_won"], row["n_won_unknown"]) == (400, 200, 5, 1)
    assert row["attainment"] == 0.5
    assert not row["is_whole"]
    # 33 of 65 business days of the quarter have passed; in the four before, 80 of 100 were signed by then.
    assert row["elapsed_share"] == pytest.approx(33 / 65)
    assert (row["n_past_periods"], row["expected_share"], row["expected_share_low"]) == (4, 0.8, 0.8)
    assert row["pace"] == pytest.approx(0.5 / 0.8)
    assert found["target"].to_list()[:-1] == [None] * (found.height - 1)
    assert found["attainment"][0] is None


def test_a_team_of_one_is_not_rated_nor_a_seller_unless_persons_are(goals):
    teams = ask(goals, "attainment", by=("team",), since=date(2026, 4, 1))
    opened = replace(goals, rates_persons=True)

    assert teams.select("team", "n_sellers", "attainment").rows() == [("Alone", 1, None), ("North", 2, 150 / 300)]
    assert ask(opened, "attainment", by=("team",), since=date(2026, 4, 1))["attainment"].to_list() == [0.5, 0.5]
    with pytest.raises(Problem, match="named person"):
        ask(goals, "attainment", by=("rep_id",))
    reps = ask(opened, "attainment", by=("rep_id",), since=date(2026, 4, 1)).filter(pl.col("target").is_not_null())
    # b came on the first of June: 22 of the 65 business days of the quarter.
    assert reps.select("rep_id", "target").rows() == [("a", 100.0), ("b", pytest.approx(100 * 22 / 65))]


def test_attainment_goes_by_quarter_or_month(goals):
    months = ask(goals, "attainment", since=date(2026, 4, 1), options={"every": "month"})

    assert months["period"].to_list() == [date(2026, 4, 1), date(2026, 5, 1)]
    assert months["target"].to_list() == pytest.approx([400 * 22 / 65, 400 * 21 / 65])
    with pytest.raises(Problem, match="Ask for every month or quarter"):
        ask(goals, "attainment", options={"every": "week"})


def test_a_period_of_attainment_is_whole_and_there_are_eight(make_book):
    deals = [
        {"created": "2022-01-03", "closed": f"{year}-{month:02}-06", "status": "won", "rep_id": "a", "amount": 0.0}
        for year in (2023, 2024, 2025, 2026) for month in range(1, 5)
    ] * 3  # fmt: skip
    targets = [goal(1, "company", None, 400.0)]
    book = make_book(deals, reps=[rep("a")], targets=targets, taken="2026-05-15T12:00")
    found = ask(book, "attainment")

    assert found.height == 8
    assert found["period"][0] == date(2024, 7, 1)
    assert found["is_whole"].to_list() == [True] * 7 + [False]
    # A first day within a quarter asks for all of it: target and wins are of the whole.
    late = ask(book, "attainment", since=date(2026, 2, 15))
    assert late.select("period", "is_whole", "n_won").rows() == [
        (date(2026, 1, 1), True, 9), (date(2026, 4, 1), False, 3),
    ]  # fmt: skip
    # Nothing was signed by then, nor later: business days tell the pace.
    assert found["n_past_periods"][-1] == 0
    assert found["expected_share"][-1] == found["elapsed_share"][-1]
