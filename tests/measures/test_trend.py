"""Series over time, with what the team did marked on them."""

from datetime import date

import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from cadran.measures import MEASURES, Question
from cadran.tables.measured.trend import Trend

REPS = [{"rep_id": r, "valid_from": "2024-01-01", "region": r.upper()} for r in ("ann", "bob")]
ACTIONS = [
    {"action_id": "1", "date": "2026-03-15", "label": "New prices", "scope": "company"},
    {"action_id": "2", "date": "2026-03-20", "label": "Training", "scope": "region", "scope_id": "ANN"},
    {"action_id": "3", "date": "2026-08-01", "label": "Later", "scope": "company"},
]
HALF = {"since": date(2026, 1, 1), "until": date(2026, 6, 30)}


@pytest.fixture(scope="module")
def book(make_book):
    deals = []
    for month, won, lost in [(1, 5, 5), (3, 12, 4), (6, 0, 3)]:
        for n in range(won + lost):
            status = "won" if n < won else "lost"
            closed = f"2026-{month:02}-{n % 28 + 1:02}"
            deals.append(
                {"created": "2025-11-03", "status": status, "closed": closed, "amount": 100.0, "rep_id": "ann"}
            )
    deals[-4]["amount"] = None
    deals.append({"created": "2025-11-03", "status": "won", "closed": "2026-05-20", "rep_id": "bob"})
    return make_book(deals, reps=REPS, actions=ACTIONS)


def ask(book, **question):
    found = MEASURES["trend"].ask(book, Question(**question))
    Trend.validate(found.drop(question.get("by", ())))
    return found


def test_every_month_has_its_row_and_its_actions(book):
    found = ask(book, **HALF)

    assert found["period"].to_list() == [date(2026, month, 1) for month in range(1, 7)]
    assert found["n_closed"].to_list() == [10, 0, 16, 0, 1, 3]
    assert found["amount_won"].to_list() == [500.0, 0.0, 1200.0, 0.0, None, 0.0]
    assert found["win_rate"].to_list() == [0.5, None, 0.75, None, 1.0, 0.0]
    assert found["actions"].to_list() == [None, None, "New prices; Training", None, None, None]


def test_intervals_are_statsmodels(book):
    row = ask(book, **HALF).row(2, named=True)

    assert (row["n_won_low"], row["n_won_high"]) == pytest.approx(confint_poisson(12, 1, method="score"))
    assert (row["amount_won_low"], row["amount_won_high"]) == pytest.approx(
        tuple(100 * end for end in confint_poisson(12, 1, method="score"))
    )
    assert (row["win_rate_low"], row["win_rate_high"]) == pytest.approx(proportion_confint(12, 16, method="wilson"))


def test_an_action_is_marked_on_the_groups_it_concerns(book):
    by_region = ask(book, by=("region",), **HALF).filter(period=date(2026, 3, 1))
    elsewhere = ask(book, where={"region": ("BOB",)}, **HALF).filter(pl.col("actions").is_not_null())

    assert dict(by_region.select("region", "actions").rows()) == {"ANN": "New prices; Training", "BOB": "New prices"}
    assert elsewhere["actions"].to_list() == ["New prices"]


@pytest.mark.parametrize(("every", "periods"), [("quarter", 2), ("week", 27)])
def test_series_by_quarter_or_week(book, every, periods):
    found = ask(book, options={"every": every}, **HALF)

    assert (found.height, found["n_closed"].sum()) == (periods, 30)


def test_without_dates_the_last_24_complete_months(make_book, book, on_duckdb):
    empty = ask(make_book(taken=date(2026, 6, 15)))

    assert (empty["period"].min(), empty["period"].max(), empty.height) == (date(2024, 6, 1), date(2026, 5, 1), 24)
    assert ask(make_book(), by=("region",)).is_empty()
    assert ask(on_duckdb(book), by=("region",), **HALF).equals(ask(book, by=("region",), **HALF))
