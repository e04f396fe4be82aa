"""Every measure of the catalogue, asked of the same book read by polars and by another engine, gives the same frame.

DuckDB, or what `--engine` names: `make test-spark` runs this file on Spark.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from told import release

from cadran.book import Book
from cadran.book.pulse import LATEST, pulse_of
from cadran.measures import MEASURES, Measure, Question
from cadran.measures.leads import LEADS
from cadran.measures.pulse import PULSE
from cadran.measures.pulse_rolling import ROLLING
from cadran.measures.staff import SELLERS
from cadran.tables.problems import Problem

PERIOD = {"since": date(2026, 2, 1), "until": date(2026, 6, 20)}
DEAL_QUESTIONS = {
    "all": Question(),
    "by team, today's organisation": Question(by=("team", "created_quarter"), organisation="today", **PERIOD),
    "by the column of the window, filtered": Question(
        by=("sector", "closed_date"), where={"deal_type": ("new", None)}, **PERIOD
    ),
}
LEAD_QUESTIONS = {
    "all": Question(**PERIOD),
    "by team and month, filtered": Question(by=("team", "created_month"), where={"source": ("web", None)}),
}
SELLER_QUESTIONS = {
    "by team, today's organisation": Question(by=("team",), organisation="today", **PERIOD),
    "by region, filtered": Question(by=("region",), where={"team": ("North", None)}),
}
PULSE_QUESTIONS = {
    "all": Question(),
    "by region, filtered": Question(
        by=("region",), where={"survey": ("pulse", None), "question": ("recommend", "tools")}
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _planned_once() -> Iterator[None]:
    """The deals of a book are planned once for all measures that ask for the same columns."""
    plan = cache(Book.deals)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Book, "deals", lambda book, columns=None, *how: plan(book, columns and tuple(columns), *how))
        yield


@pytest.fixture(scope="module")
def book(make_book) -> Book:
    """120 deals, 300 touches and 80 leads with every kind of gap, two teams of which one moved, clients in and out of groups."""
    pick = random.Random(7)
    first = date(2026, 1, 1)

    def day(low: int, high: int) -> date:
        return first + timedelta(days=pick.randint(low, high))

    deals, versions, leads = [], [], []
    for number in range(120):
        status = pick.choice(["open", "open", "won", "won", "lost", "lost", "disqualified"])
        created, closed = day(0, 100), day(101, 178)
        deals.append(
            {
                "opportunity_id": f"d{number:03}",
                "created": created if number % 11 else None,
                "status": status,
                "closed": closed if status != "open" else None,
                "amount": pick.choice([None, *(pick.lognormvariate(9, 1) for _ in range(12))]),
                "account_id": pick.choice([None, *(f"a{n}" for n in range(25))]),
                "rep_id": pick.choice([None, "r1", "r2", "r3"]),
                "deal_type": pick.choice([None, "new", "renewal"]),
                "expected_close_date": day(100, 220),
                "forecast_category": pick.choice([None, "pipeline", "commit", "best_case"]),
                "loss_reason": pick.choice(["No decision", "Price", "Price"]) if status == "lost" else None,
                "competitor": None if number % 7 else "Rival",
            }
        )
        if status == "open" and number % 2:
            later = {"opportunity_id": f"d{number:03}", "valid_from": day(102, 170), "stage": "Propose"}
            later |= {"status": "open", "amount": 5000.0 + number, "expected_close_date": day(150, 260)}
            versions.append(later | {"rep_id": deals[-1]["rep_id"], "forecast_category": "commit"})
        if number < 80:
            at = f"{day(0, 178)}T0{number % 10}:15:00"
            answered = pick.choice([None, f"{at[:11]}{10 + number % 12}:40:00"])
            fate = pick.choice(["qualified_at", "rejected_at", None])
            lead = {"lead_id": f"l{number}", "source": pick.choice([None, "web", "fair"]), "created_at": at}
            lead |= {"first_response_at": answered, "rep_id": pick.choice([None, "r1", "r2"])}
            leads.append(lead | ({fate: f"{at[:11]}23:59:00"} if fate else {}))
    begins = "2026-01-01"
    activities = [
        {
            "activity_id": f"t{number:03}",
            "opportunity_id": pick.choice([None, *(f"d{n:03}" for n in range(40))]),
            "contact_id": f"c{number % 9}" if number % 3 else None,
            "rep_id": pick.choice(["r1", "r2", "r3", "r9"]),
            "duration_minutes": 5.0 * number if number % 4 else None,
            "kind": "email",
            "direction": pick.choice([None, "inbound", "inbound", "outbound"]),
            "is_automatic": pick.choice([None, False, False, True]),
            "at": f"{day(0, 178)}T{10 + number % 3}:15:00",
        }
        for number in range(300)
    ]
    made = make_book(
        deals,
        versions=versions,
        leads=leads,
        activities=activities,
        reps=[
            {"rep_id": "r1", "valid_from": begins, "team": "North", "region": "Europe", "hired_date": "2026-02-10"},
            {"rep_id": "r2", "valid_from": begins, "team": "South", "region": "Europe"},
            {"rep_id": "r2", "valid_from": "2026-05-01", "team": "North", "region": "Asia"},
            {"rep_id": "r3", "valid_from": begins},
        ],
        accounts=[
            {"account_id": f"a{n}", "valid_from": begins, "name": f"Client {n}", "sector": "tech" if n % 3 else None}
            | ({"parent_account_id": f"a{n - n % 5}"} if n % 5 else {})
            for n in range(25)
        ],
        targets=[
            {"target_id": "t1", "valid_from": begins, "scope": "company", "amount": 900_000.0}
            | {"start_date": "2026-01-01", "end_date": "2026-12-31"},
        ],
        actions=[
            {"action_id": "x1", "date": "2026-04-15", "label": "Training", "scope": "team", "scope_id": "North"},
        ],
    )
    for month in (4, 5):
        here = {"recommend": (20 + month, 15, 9), "tools": (30, 4, 6), "speed": (25, 9, month)}
        north = {"recommend": (12, 8, 4), "tools": ("band", 24, 0.8, 1.0), "speed": None}
        told = release(month, {" (80)": here, "region:North (40)": north})
        pulse_of(made).keep_release(told)
        pulse_of(made).keep_latest(replace(told, wave=told.wave + LATEST))
    return made


#: Refused where no target was set for such groups, or where the measure has its own.
WITH_OWN_GROUPS = ("coverage", "required_conversion", "before_after", "attainment", "balance", "pulse_compared")


def questions(measure: Measure) -> dict[str, Question]:
    return {LEADS: LEAD_QUESTIONS, SELLERS: SELLER_QUESTIONS, PULSE: PULSE_QUESTIONS, ROLLING: PULSE_QUESTIONS}.get(
        measure.subject, DEAL_QUESTIONS
    )


CASES = [(name, asked) for name, measure in MEASURES.items() for asked in questions(measure)]


def answered(measure: Measure, book: Book, question: Question) -> pl.DataFrame | str:
    """The measured frame, or why there is none."""
    try:
        return measure.ask(book, question)
    except Problem as problem:
        return str(problem)


def assert_same(ours: pl.DataFrame | str, theirs: pl.DataFrame | str) -> None:
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
    else:
        assert_frame_equal(ours, theirs, rel_tol=1e-9)


@pytest.mark.parametrize(("name", "asked"), CASES)
def test_measure_is_the_same_on_both_engines(book, elsewhere, name, asked):
    measure = MEASURES[name]
    question = questions(measure)[asked]

    on_polars = answered(measure, book, question)

    assert_same(answered(measure, elsewhere(book), question), on_polars)
    if isinstance(on_polars, pl.DataFrame):
        measure.returns.validate(on_polars.select(measure.returns.column_names()))
        assert on_polars.columns == [*question.by, *measure.returns.column_names()]
    else:
        assert name in WITH_OWN_GROUPS, on_polars


@pytest.fixture(scope="module")
def empty(make_book) -> Book:
    return make_book()


@pytest.mark.parametrize("name", MEASURES)
def test_measure_of_an_empty_book(empty, elsewhere, name):
    measure = MEASURES[name]

    assert_same(answered(measure, elsewhere(empty), Question()), answered(measure, empty, Question()))
