"""What stands beside a forecast: each by hand on a tiny book, and silent for a reason, never 0."""

from datetime import date

import pytest
import signed

from cadran.models.booked import deals_known
from cadran.models.forecast_rivals import rivals

PAST = signed.monthly([100] * 18, date(2025, 1, 1))


def open_deal(**more):
    return {"amount": 1000.0, "stage": "Propose", "expected_close_date": date(2026, 8, 9)} | more


def told(tmp_path, deals, level="company", **more):
    book = signed.book(tmp_path, deals, **more)
    return rivals(book, deals_known(book), 3, level)


def test_the_crm_weighs_amounts_by_stage_in_the_month_expected(tmp_path):
    deals = [*PAST, open_deal(), open_deal(stage="Prospect"), open_deal(amount=None),
             open_deal(expected_close_date=date(2026, 7, 1)), open_deal(expected_close_date=date(2026, 5, 1)),
             open_deal(expected_close_date=None)]  # fmt: skip
    found = told(tmp_path, deals)

    assert found.told["crm"].to_list() == [500, 500 + 100, 0]
    assert found.probability == "stages"
    assert found.told["last_year"].to_list() == [100, 100, 100]
    assert found.told["run_rate"].to_list() == [100, 100, 100]


def test_categories_hold_one_another_and_what_is_won_counts(tmp_path):
    day = date(2026, 7, 20)
    deals = [*PAST, open_deal(forecast_category="commit", expected_close_date=date(2026, 7, 25)),
             open_deal(forecast_category="best_case", expected_close_date=date(2026, 7, 25)),
             open_deal(forecast_category="pipeline"),
             open_deal(forecast_category="commit", expected_close_date=date(2026, 7, 19)),
             {"status": "won", "closed": date(2026, 7, 3), "amount": 40.0}]  # fmt: skip
    row = told(tmp_path, deals, day=day).told.row(0, named=True)

    assert (row["month"], row["won"], row["commit"], row["best_case"]) == (date(2026, 7, 1), 40, 1040, 2040)


def test_without_probabilities_the_share_won_of_those_that_passed_stands_for_it(tmp_path):
    lost = [{"status": "lost", "closed": date(2026, 3, 1), "created": date(2026, 1, 1)} for _ in range(6)]
    found = told(tmp_path, [*PAST, *lost, open_deal(stage="Prospect")], probabilities=False)

    assert found.probability == "past"
    assert found.told["crm"][1] == pytest.approx(1000 * 18 / 24)


@pytest.mark.parametrize(
    ("gone", "silent", "says"),
    [
        ({"amount": None}, {"crm", "commit", "best_case"}, "has an amount"),
        ({"expected_close_date": None}, {"crm", "commit", "best_case"}, "expected close date"),
        ({"forecast_category": None}, {"commit", "best_case"}, "forecast category"),
    ],
)
def test_what_is_missing_is_said_and_never_0(tmp_path, gone, silent, says):
    found = told(tmp_path, [*PAST, open_deal(forecast_category="commit") | gone])

    assert set(found.silent) == silent
    assert all(found.told[name].null_count() == 3 for name in silent)
    assert says in str(found.silent["commit"])


def test_a_short_past_has_no_year_before_and_no_run_rate(tmp_path):
    found = told(tmp_path, signed.monthly([5, 5], date(2026, 5, 1)))

    assert set(found.silent) >= {"last_year", "run_rate"}
    assert found.told.select("last_year", "run_rate").null_count().row(0) == (3, 3)


def test_regions_add_up_to_the_company(tmp_path):
    deals = [*PAST, open_deal(rep_id="r3"), open_deal(), open_deal(rep_id=None)]
    book = signed.book(tmp_path, deals)
    by_region = rivals(book, deals_known(book), 3, "region").told

    assert by_region["group"].unique().to_list().count(None) == 1, "deals of nobody are not dropped"
    assert by_region["crm"].sum() == rivals(book, deals_known(book), 3).told["crm"].sum()
