"""The open pipeline against what remains of the target."""

from datetime import date

import numpy as np
import pytest

from cadran.book import Reader
from cadran.measures import MEASURES, Question
from cadran.measures.targets import targets_for
from cadran.tables.measured.coverage import Coverage, RequiredConversion
from cadran.tables.problems import Problem

Q2 = {"since": date(2026, 4, 1), "until": date(2026, 6, 30)}


def goal(amount, scope="company", scope_id=None, start="2026-04-01", end="2026-06-30", **more):
    return {
        "target_id": f"{scope_id} {start} {end} {more.get('deal_type')}", "valid_from": "2026-01-01", "scope": scope,
        "scope_id": scope_id, "start_date": start, "end_date": end, "amount": float(amount),
    } | more  # fmt: skip


DEALS = [
    {"status": "won", "created": "2026-01-05", "closed": "2026-04-20", "amount": 60, "rep_id": "ann"},
    {"status": "won", "created": "2026-01-05", "closed": "2026-03-20", "amount": 999, "rep_id": "ann"},
    {"status": "won", "created": "2026-01-05", "closed": "2026-06-20", "amount": 500, "rep_id": "bob"},
    {"created": "2026-01-05", "expected_close_date": "2026-06-25", "amount": 80, "rep_id": "ann", "deal_type": "new"},
    {"created": "2026-01-05", "expected_close_date": "2026-06-25", "rep_id": "ann"},
    {"created": "2026-01-05", "expected_close_date": "2026-07-01", "amount": 999, "rep_id": "ann"},
]
REPS = [
    {"rep_id": rep, "valid_from": "2026-01-01", "region": rep.upper(), "team": f"{rep}s"}
    for rep in ("ann", "bob", "cy")
]
GOALS = [
    goal(1000),
    goal(100, "region", "ANN"),
    goal(400, "region", "BOB"),
    goal(200, "region", "CY"),
    goal(150, "team", "anns"),
]


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(DEALS, reps=REPS, targets=GOALS)


def ask(book, name="coverage", **question):
    return MEASURES[name].ask(book, Question(**question))


def test_coverage_and_its_inverse_by_hand(book):
    row = ask(book).row(0, named=True)

    # 80 open for the quarter, 1000 - 560 to go; one open deal of unknown amount is counted.
    assert (row["target"], row["amount_won"], row["remaining"], row["amount_due"]) == (1000.0, 560.0, 440.0, 80.0)
    assert (row["n_won"], row["n_due"], row["n_due_unknown"]) == (2, 2, 1)
    assert row["coverage"] == pytest.approx(0.1818, abs=1e-4)
    assert ask(book, "required_conversion")["required_conversion"][0] == pytest.approx(5.5)


def test_coverage_by_region_is_undefined_once_the_target_is_reached(book):
    found = ask(book, by=("region",), **Q2)

    Coverage.validate(found.drop("region"))
    assert found.select("region", "target", "coverage").rows() == [
        ("ANN", 100.0, 2.0),
        ("BOB", 400.0, None),
        ("CY", 200.0, 0.0),
    ]
    needed = ask(book, "required_conversion", by=("region",), **Q2)
    RequiredConversion.validate(needed.drop("region"))
    assert needed["required_conversion"].to_list() == [0.5, None, None]


def test_a_scope_is_held_against_its_own_targets(book):
    assert ask(book, where={"team": ("anns",)})["target"].to_list() == [150.0]
    assert ask(book.scope(Reader("m", regions=frozenset(["ANN", "CY"]))))["target"].to_list() == [300.0]
    assert ask(book, where={"region": ("BOB",)}, by=("region",))["target"].to_list() == [400.0]
    assert ask(book, where={"deal_type": ("new",)})["target"].to_list() == [None]


@pytest.mark.parametrize(
    ("question", "told"),
    [({"by": ("sector",)}, "no targets by sector"), ({"by": ("region", "team")}, "region or for team")],
)
def test_what_has_no_target_is_refused(book, question, told):
    with pytest.raises(Problem, match=told):
        ask(book, **question)


def test_as_of_an_earlier_day_only_what_was_known_counts(book):
    row = ask(book.as_of(date(2026, 6, 1)), **Q2).row(0, named=True)

    assert (row["n_won"], row["amount_won"], row["n_due"]) == (1, 60.0, 2)


def test_a_target_cut_by_the_period_counts_for_its_business_days(make_book):
    # numpy counts weekdays: 22 of the 65 of the second quarter are in June; no public holidays in this book.
    book = make_book(targets=[goal(650)])
    weekdays = [int(np.busday_count(start, "2026-07-01")) for start in ("2026-06-01", "2026-04-01")]

    found = targets_for(book, Question(), date(2026, 6, 1), date(2026, 6, 30))

    assert found["target"][0] == pytest.approx(650 * weekdays[0] / weekdays[1])


@pytest.mark.parametrize(
    ("goals", "expected"),
    [
        ([goal(100, start=f"2026-0{m}-01", end=f"2026-0{m}-30") for m in (4, 6)] + [goal(500)], 500.0),
        (
            [goal(100, start=f"2026-0{m}-01", end=f"2026-0{m}-{d}") for m, d in ((4, 30), (5, 31), (6, 30))]
            + [goal(500), goal(9999, start="2026-01-01", end="2026-12-31")],
            300.0,
        ),
        ([goal(100, deal_type="new"), goal(40, deal_type="renewal")], 140.0),
        ([goal(100, deal_type="new"), goal(500)], 500.0),
        ([goal(100) | {"valid_to": "2026-02-01"}, goal(120) | {"valid_from": "2026-02-01"}], 120.0),
        ([goal(100, start="2026-04-01", end="2026-05-31")], None),
    ],
)
def test_each_euro_of_target_counts_once(make_book, goals, expected):
    found = ask(make_book(targets=goals), **Q2)

    assert found["target"].to_list() == [expected]


def test_rivals_give_their_own_numbers(book):
    given = {rival.name: rival.value(book, Question()) for rival in MEASURES["coverage"].rivals}

    assert given == {"Over the full target": 0.08, "With what is won": 0.64, "Its inverse": pytest.approx(5.5)}


def test_without_targets_or_deals_nothing_is_invented(make_book, on_duckdb, book):
    with pytest.raises(Problem, match=r"amount \(targets\)"):
        ask(make_book(DEALS))
    later = ask(make_book(DEALS, targets=[goal(5, start="2027-01-01", end="2027-12-31")]))
    assert later.select("target", "remaining", "coverage").row(0) == (None, None, None)
    assert ask(make_book(targets=GOALS[:1]), by=("region",)).is_empty()
    for by in [(), ("region",)]:
        assert ask(on_duckdb(book), by=by).equals(ask(book, by=by))
