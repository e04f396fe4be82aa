"""The open pipeline on any date, and what becomes of it."""

from datetime import date

import pytest

from cadran.book import Reader
from cadran.measures import MEASURES, Question
from cadran.tables.measured.pipeline import ForecastTransitions, Pipeline, Pushes, Slippage
from cadran.tables.problems import Problem

MAY, JUNE = (date(2026, 5, 1), date(2026, 5, 31)), (date(2026, 6, 1), date(2026, 6, 30))
#: Deal: (valid from, status, expected, amount, forecast category, owner), in time.
STORY = {
    "won": [("03-01", "open", "05-10", 100, "commit", "ann"), ("05-09", "won", "05-10", 100, "closed", "ann")],
    "lost": [("03-01", "open", "05-20", 300, "commit", "ann"), ("05-21", "lost", "05-20", 300, "omitted", "ann")],
    "twice": [
        ("03-01", "open", "04-20", 50, "pipeline", "ann"),
        ("04-19", "open", "05-30", 50, "best_case", "ann"),
        ("05-10", "open", "06-30", 50, "best_case", "ann"),
        ("05-29", "open", "07-30", 600, "pipeline", "bob"),
    ],
    "same_month": [("04-02", "open", "05-03", 50, "commit", "bob"), ("05-03", "open", "05-29", 50, "commit", "bob")],
    "unknown": [("04-02", "open", "05-31", None, None, "bob")],
    "pulled": [("04-02", "open", "07-01", 10, "commit", None), ("05-02", "open", "06-01", 10, "commit", None)],
    "new": [("05-02", "open", "05-20", 10, "commit", "bob"), ("05-15", "open", "06-20", 10, "commit", "bob")],
    "gone": [("04-02", "open", "05-31", 100, "commit", "bob")],
    "before": [("01-02", "open", "02-01", 10, "commit", "bob"), ("02-02", "won", "02-01", 10, "closed", "bob")],
}


@pytest.fixture(scope="module")
def book(make_book):
    versions = []
    for deal, changes in STORY.items():
        for when, status, expected, amount, category, owner in changes:
            version = {"opportunity_id": deal, "valid_from": f"2026-{when}", "status": status, "rep_id": owner}
            version |= {"stage": "Propose" if status == "open" else status.title(), "forecast_category": category}
            version |= {"expected_close_date": f"2026-{expected}", "amount": amount}
            version |= {"valid_to": "2026-05-28" if deal == "gone" else None}
            versions.append(version)
    reps = [{"rep_id": rep, "valid_from": "2026-01-01", "region": rep.upper()} for rep in ("ann", "bob")]
    return make_book(
        versions=versions, reps=reps, opportunities=[{"opportunity_id": deal, "created_at": None} for deal in STORY]
    )


def ask(book, name, **question):
    return MEASURES[name].ask(book, Question(**question))


def standing(day):
    """Slow loop: amounts of the deals open at the end of a day."""
    last = {deal: [c for c in changes if f"2026-{c[0]}" <= f"{day}"] for deal, changes in STORY.items()}
    gone = {"gone"} if day >= date(2026, 5, 28) else set()
    return [
        changes[-1][3] for deal, changes in last.items() if deal not in gone and changes and changes[-1][1] == "open"
    ]


def test_pipeline_is_what_stood_open_each_day(book):
    found = ask(book, "pipeline", since=date(2026, 1, 1), until=date(2026, 6, 15))

    Pipeline.validate(found)
    assert found["date"].to_list()[-2:] == [date(2026, 5, 31), date(2026, 6, 15)]
    for day, n, amount, unknown in found.iter_rows():
        amounts = standing(day)
        assert (n, amount) == (len(amounts), sum(amount or 0 for amount in amounts))
        assert unknown == amounts.count(None)


@pytest.mark.parametrize(("every", "n"), [("week", 27), ("month", 6), ("quarter", 2)])
def test_pipeline_goes_by_week_month_or_quarter(book, every, n):
    found = ask(book, "pipeline", since=date(2026, 1, 1), until=date(2026, 6, 30), options={"every": every})

    assert found.height == n  # 26 Sundays and the last day


def test_pipeline_by_region_keeps_every_date(book):
    found = ask(book, "pipeline", by=("region",), since=date(2026, 1, 1), until=date(2026, 6, 30))

    assert found["region"].unique().sort().to_list() == [None, "ANN", "BOB"]
    assert found.height == 18
    bob = found.filter(region="BOB").row(-1, named=True)
    assert (bob["n_open"], bob["amount_open"], bob["n_open_unknown"]) == (4, 660.0, 1)


def test_pipeline_of_deals_without_any_amount_is_unknown_not_zero(book):
    found = ask(book, "pipeline", where={"opportunity_id": ("unknown",)}, since=date(2026, 3, 1), until=JUNE[1])

    assert found["amount_open"].to_list() == [0.0, None, None, None]


def test_slippage_follows_what_was_due(book):
    # Due in May at its start: won, lost, twice (pushed in May), same_month, unknown, gone.
    found = ask(book, "slippage", since=MAY[0], until=MAY[1])

    Slippage.validate(found)
    row = found.row(0, named=True)
    assert [row[n] for n in ("n_due", "n_slipped", "n_won", "n_lost", "n_due_unknown")] == [6, 3, 1, 1, 1]
    assert (row["amount_due"], row["amount_slipped"]) == (600.0, 100.0)
    assert row["slippage_by_value"] == pytest.approx(1 / 6)


def test_slippage_sees_the_end_of_deals_that_left_the_scope(book):
    found = ask(book.scope(Reader("m", regions=frozenset(["ANN"]))), "slippage", since=MAY[0], until=MAY[1])

    assert found.select("n_due", "n_slipped").row(0) == (3, 1)  # `twice` went to Bob, still open


def test_slippage_interval_is_the_published_one(make_book):
    # 5 of 10: the Wilson 95 % interval is 0.2366 to 0.7634; with equal amounts the value's is the same.
    deals = [{"created": "2026-04-01", "expected_close_date": "2026-05-15", "amount": 70}] * 5
    book = make_book(deals + [deals[0] | {"status": "won", "closed": "2026-05-09"}] * 5)

    row = ask(book, "slippage", since=MAY[0], until=MAY[1]).row(0, named=True)

    for name in ("slippage", "slippage_by_value"):
        assert [round(row[f"{name}{end}"], 4) for end in ("", "_low", "_high")] == [0.5, 0.2366, 0.7634]


def test_pushes_are_moves_to_a_later_month_within_the_period(book):
    # Alive in May: all but `before`, and `gone`, which the source lost before its end.
    found = ask(book, "pushes", since=MAY[0], until=MAY[1])

    Pushes.validate(found)
    row = found.row(0, named=True)
    names = ("n_deals", "n_pushed", "n_pushed_once", "n_pushed_twice", "n_pushed_more", "n_pushes")
    assert [row[name] for name in names] == [7, 2, 1, 1, 0, 3]
    assert row["pushes_per_deal"] == pytest.approx(3 / 7)


def test_forecast_transitions_say_where_each_category_went(book):
    found = ask(book, "forecast_transitions", since=MAY[0], until=MAY[1])

    ForecastTransitions.validate(found)
    assert found.select("from_category", "to_category", "n", "amount", "n_unknown", "n_from").rows() == [
        ("best_case", "pipeline", 1, 50.0, 0, 1),
        ("commit", "commit", 2, 60.0, 0, 5),
        ("commit", "gone", 1, 100.0, 0, 5),
        ("commit", "lost", 1, 300.0, 0, 5),
        ("commit", "won", 1, 100.0, 0, 5),
        ("unknown", "unknown", 1, 0.0, 1, 1),
    ]


def test_a_period_is_the_last_complete_month_unless_said(book):
    assert ask(book, "pushes").equals(ask(book, "pushes", since=JUNE[0], until=JUNE[1]))
    assert ask(book.as_of(date(2026, 6, 29)), "slippage").equals(ask(book, "slippage", since=MAY[0], until=MAY[1]))


@pytest.mark.parametrize("name", ["pipeline", "slippage", "pushes", "forecast_transitions"])
def test_edges(make_book, on_duckdb, book, name):
    empty = make_book()
    assert ask(empty, name).height == (12 if name == "pipeline" else 0)
    with pytest.raises(Problem, match="later than"):
        ask(empty, name, until=date(2027, 1, 1))
    with pytest.raises(Problem, match="no option"):
        ask(empty, name, options={"unheard": 1})
    question = {"by": ("region",), "since": MAY[0], "until": MAY[1]}
    columns = ask(book, name, **question).columns
    assert ask(on_duckdb(book), name, **question).sort(columns).equals(ask(book, name, **question).sort(columns))
