"""Leads, against statsmodels and counts by hand."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from cadran.measures import MEASURES, Question, availability
from cadran.tables.problems import Problem

TAKEN = datetime(2026, 6, 30, 12, tzinfo=UTC)


def leads_of(seed: int, n: int = 200) -> list[dict]:
    """Leads of the last 100 days, with what had happened to them by `TAKEN`."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        created = TAKEN - timedelta(seconds=int(random.uniform(60, 100 * 86400)))
        after = lambda mean, since=created: since + timedelta(seconds=int(random.exponential(mean) * 86400))  # noqa: E731
        row = {"lead_id": f"l{number}", "created_at": created, "first_response_at": after(3)}
        row |= {random.choice(["qualified_at", "rejected_at"]): after(40)}
        rows.append({k: v for k, v in row.items() if not isinstance(v, datetime) or v <= TAKEN})
    return rows


def hours(row: dict, *events: str) -> float:
    ends = [row[event] for event in events if event in row]
    return ((ends[0] if ends else TAKEN) - row["created_at"]).total_seconds() / 3600


def test_first_response_equals_statsmodels(make_book):
    rows = leads_of(1)

    measured = MEASURES["lead_first_response"].ask(make_book(leads=rows), Question()).row(0, named=True)

    answered = np.array(["first_response_at" in row for row in rows])
    theirs = SurvfuncRight(np.array([hours(row, "first_response_at") for row in rows]), answered.astype(int))
    assert (measured["n_leads"], measured["n_answered"]) == (len(rows), answered.sum())
    assert measured["median_hours"] == pytest.approx(theirs.quantile(0.5))
    assert measured["p90_hours"] == pytest.approx(theirs.quantile(0.9))
    by_a_day = 1 - theirs.surv_prob[np.searchsorted(theirs.surv_times, 24, side="right") - 1]
    assert measured["within_day_share"] == pytest.approx(by_a_day)


def test_forgotten_leads_are_not_dropped(make_book):
    at = "2026-06-01T08:00:00"
    answered = [
        {"lead_id": f"a{n}", "created_at": at, "first_response_at": f"2026-06-01T{9 + n:02}:00:00"} for n in range(3)
    ]
    forgotten = [{"lead_id": f"f{n}", "created_at": at, "rejected_at": "2026-06-20"} for n in range(3)]
    book = make_book(leads=answered + forgotten)

    measured = MEASURES["lead_first_response"].ask(book, Question()).row(0, named=True)

    assert (measured["median_hours"], measured["p90_hours"], measured["within_hour_share"]) == (
        3,
        None,
        pytest.approx(1 / 6),
    )
    rivals = {rival.name: rival.value(book, Question()) for rival in MEASURES["lead_first_response"].rivals}
    assert rivals == {"Median of the answered leads": 2, "Mean of the answered leads": 2}


def test_conversion_equals_statsmodels(make_book):
    rows = leads_of(2, 300)

    asked = Question(options={"within_days": 30})
    measured = MEASURES["lead_conversion"].ask(make_book(leads=rows), asked).row(0, named=True)

    outcome = np.array([1 if "qualified_at" in r else 2 if "rejected_at" in r else 0 for r in rows])
    theirs = CumIncidenceRight(np.array([hours(row, "qualified_at", "rejected_at") for row in rows]), outcome)
    by_then = theirs.cinc[0][np.searchsorted(theirs.times, 30 * 24, side="right") - 1]
    assert measured["conversion_rate"] == pytest.approx(by_then)
    assert measured["conversion_rate_low"] < by_then < measured["conversion_rate_high"]
    assert measured["n_leads"] == 300


def test_leads_too_young_have_no_conversion(make_book):
    young = [
        {"lead_id": "a", "created_at": "2026-06-20", "qualified_at": "2026-06-21"},
        {"lead_id": "b", "created_at": "2026-06-20"},
    ]
    book = make_book(leads=young)

    measured = MEASURES["lead_conversion"].ask(book, Question()).row(0, named=True)

    assert (measured["n_leads"], measured["n_qualified"], measured["n_young"]) == (2, 1, 1)
    assert measured["conversion_rate"] is None
    assert {rival.name: rival.value(book, Question()) for rival in MEASURES["lead_conversion"].rivals} == {
        "Qualified so far": 0.5,
        "Among decided leads": 1.0,
    }


def test_volumes_as_known_then_by_the_team_of_then(make_book):
    leads = [
        {"lead_id": "a", "created_at": "2026-01-05", "rep_id": "r", "source": "web", "first_response_at": "2026-01-06"},
        {"lead_id": "b", "created_at": "2026-03-05", "rep_id": "r", "qualified_at": "2026-04-01"},
        {"lead_id": "c", "created_at": "2026-03-06", "rejected_at": "2026-03-07"},
    ]
    teams = {"2025-01-01": "North", "2026-02-01": "South"}
    reps = [{"rep_id": "r", "valid_from": since, "team": team} for since, team in teams.items()]
    book, by_team = make_book(leads=leads, reps=reps), Question(by=("team",))
    volumes = MEASURES["lead_volumes"]

    assert volumes.ask(book, by_team).rows() == [
        (None, 1, 0, 0, 1, 0),
        ("North", 1, 1, 0, 0, 1),
        ("South", 1, 0, 1, 0, 0),
    ]
    assert volumes.ask(book.as_of(date(2026, 3, 20)), by_team)["n_qualified"].to_list() == [0, 0, 0]
    today = volumes.ask(book, Question(by=("team",), organisation="today"))
    assert today.select("team", "n_leads").rows() == [(None, 1), ("South", 2)]
    march = Question(since=date(2026, 3, 1), until=date(2026, 3, 5))
    assert volumes.ask(book, march).row(0) == (1, 0, 1, 0, 0)
    assert volumes.ask(book, Question(where={"source": ("web",)}))["n_leads"].to_list() == [1]


def test_a_book_without_leads_says_so(make_book):
    measures = [MEASURES[name] for name in ("lead_volumes", "lead_conversion", "lead_first_response")]

    assert availability(make_book(), measures)["available"].to_list() == ["impossible"] * 3
    with pytest.raises(Problem, match="Leads have no column sector"):
        MEASURES["lead_volumes"].ask(make_book(), Question(by=("sector",)))
