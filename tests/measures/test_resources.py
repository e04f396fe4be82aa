"""Load over time, growth, balance; and what is told of a named seller without further ado."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.rates import confint_poisson

from cadran.measures import MEASURES, Question
from cadran.measures.balance import gini
from cadran.measures.resources import growth
from cadran.tables.measured.resources import Balance, Growth, Load
from cadran.tables.problems import Problem

#: Deal: (valid from, status, expected, amount, owner), in time; the first line creates it.
STORY = {
    "won": [("03-01", "open", "05-10", 100, "ann"), ("05-09", "won", "05-10", 120, "ann")],
    "late": [("03-31", "open", "04-20", 300, "ann"), ("05-21", "open", "06-30", 300, "bob")],
    "unknown": [("04-02", "open", "04-30", None, "bob")],
    "undated": [("04-30", "open", None, 50, None)],
    "quick": [("05-02", "open", "05-20", 10, "bob"), ("05-15", "lost", "05-20", 10, "bob")],
    "again": [
        ("03-05", "open", "04-05", 70, "ann"), ("04-10", "won", "04-05", 70, "ann"), ("05-20", "open", "07-01", 80, "ann")
    ],
}  # fmt: skip
MONTHS = {"since": date(2026, 3, 1), "until": date(2026, 5, 25)}


@pytest.fixture(scope="module")
def book(make_book):
    versions = [
        {"opportunity_id": deal, "valid_from": f"2026-{when}", "status": status, "amount": amount, "rep_id": owner}
        | {"stage": "Propose" if status == "open" else status.title()}
        | {"expected_close_date": due and f"2026-{due}"}
        for deal, changes in STORY.items() for when, status, due, amount, owner in changes
    ]  # fmt: skip
    reps = [{"rep_id": rep, "valid_from": "2026-01-01", "team": rep.upper()} for rep in ("ann", "bob", "eve")]
    created = [{"opportunity_id": deal, "created_at": f"2026-{changes[0][0]}"} for deal, changes in STORY.items()]
    return make_book(versions=versions, reps=reps, opportunities=created)


def ask(book, name, **question):
    return MEASURES[name].ask(book, Question(**question))


def then(day):
    """Slow loop: what each deal was at the end of a day, and when it was created."""
    told = {deal: [c for c in changes if f"2026-{c[0]}" <= f"{day}"] for deal, changes in STORY.items()}
    return {deal: (changes[-1], f"2026-{changes[0][0]}") for deal, changes in told.items() if changes}


@pytest.mark.parametrize("owner", [None, "ann", "bob"])
def test_stock_is_that_of_each_day_and_flows_those_of_each_period(book, owner):
    where = {"rep_id": (owner,)} if owner else {}
    found = ask(book, "load", where=where, **MONTHS)

    Load.validate(found)
    assert found["until"].to_list() == [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 25)]
    assert found["is_whole"].to_list() == [True, True, False]
    for row in found.iter_rows(named=True):
        day = row["until"]
        mine = [(now, since) for now, since in then(day).values() if owner in (None, now[4])]
        is_open = [now for now, _ in mine if now[1] == "open"]
        assert row["n_open"] == len(is_open)
        overdue = [now for now in is_open if now[2] and f"2026-{now[2]}" < f"{day}"]
        assert row["n_overdue"] == len(overdue)
        assert row["n_undated"] == sum(now[2] is None for now in is_open)
        assert row["n_open_unknown"] == sum(now[3] is None for now in is_open)
        new = [now for now, since in mine if f"{row['period']}" <= since <= f"{day}"]
        assert (row["n_new"], row["n_new_unknown"]) == (len(new), sum(now[3] is None for now in new))
        if sum(now[3] is None for now in is_open) < len(is_open) or not is_open:
            assert row["amount_open"] == sum(now[3] or 0 for now in is_open)


def test_what_closed_is_as_known_at_the_end(book):
    found = ask(book, "load", **MONTHS)

    assert found["n_won"].to_list() == [0, 0, 1]  # `again` was opened again: it is no deal won in April
    assert found["n_lost"].to_list() == [0, 0, 1]
    assert found["amount_won"].to_list() == [0.0, 0.0, 120.0]
    low, high = confint_poisson(1, 1, method="score")
    row = found.row(2, named=True)
    assert [row[f"{name}_{end}"] for name in ("n_won", "amount_won") for end in ("low", "high")] == pytest.approx(
        [low, high, 120 * low, 120 * high]
    )


def test_groups_are_all_there_and_unknown_is_one(book):
    found = ask(book, "load", by=("rep_id",), options={"every": "quarter"}, **MONTHS)

    assert found.select("rep_id", "n_open").rows() == [
        (None, 0), (None, 1), ("ann", 3), ("ann", 1), ("bob", 0), ("bob", 2),
    ]  # fmt: skip


def rows_of(counts, first=date(2024, 1, 1)):
    days = [date(first.year + n // 12, n % 12 + 1, 1) for n in range(len(counts))]
    flows = {"n_new": counts, "n_won": counts, "n_lost": [0] * len(counts), "amount_won": [7.0 * n for n in counts]}
    return pl.DataFrame({"period": days, **flows, "n_won_unknown": [0] * len(counts)})


def test_growth_is_that_of_the_counts_and_its_interval_that_of_statsmodels():
    import statsmodels.api as sm

    counts = [90, 95, 97, 101, 99, 104, 107, 105, 110, 113, 112, 118, 119]
    days = dict.fromkeys(rows_of(counts)["period"], 20)

    found = growth(rows_of(counts), days).collect("polars").to_native()

    Growth.validate(found)
    design = sm.add_constant(np.arange(13) / 12)
    fitted = sm.GLM(counts, design, family=sm.families.Poisson()).fit(scale="X2", use_t=True)
    slope, (low, high) = fitted.params[1], fitted.conf_int()[1]
    row = found.filter(quantity="won_deals").row(0, named=True)
    assert fitted.scale < 1
    assert found["n_compared"].to_list() == [3] * 4
    wider = max(fitted.scale, 1) ** 0.5 / fitted.scale**0.5
    expected = np.expm1([slope, slope - (slope - low) * wider, slope + (high - slope) * wider])
    assert [row[name] for name in ("growth", "growth_low", "growth_high")] == pytest.approx(expected.tolist(), rel=1e-4)
    money = found.filter(quantity="signed_revenue").row(0, named=True)
    assert [money["growth_low"], money["growth_high"]] == pytest.approx(np.expm1([low, high]).tolist(), rel=1e-4)


def test_growth_is_per_business_day_and_leaves_the_season_out():
    season = [1, 1, 1.2, 1, 1, 1.4, 0.9, 0.5, 1.1, 1, 1, 1.5]
    days = {row: 18 + n % 5 for n, row in enumerate(rows_of([0] * 36)["period"])}
    counts = [round(400 * season[n % 12] * 1.1 ** (n / 12) * d / 20) for n, d in enumerate(days.values())]

    found = growth(rows_of(counts), days).collect("polars").to_native().filter(quantity="new_deals").row(0, named=True)

    assert found["growth_low"] < 0.1 < found["growth_high"]
    assert found["growth"] == pytest.approx(0.1, abs=0.06)
    assert found["growth_high"] < 0.35


def test_too_little_tells_no_growth_and_leading_months_without_any_are_no_rise():
    few = growth(rows_of([9] * 11), {}).collect("polars").to_native()
    begun = growth(rows_of([0] * 6 + [90] * 10), {}).collect("polars").to_native()

    assert few["growth"].is_null().all()
    assert begun["growth"].is_null().all()
    assert begun["n_periods"].to_list() == [10, 10, 0, 10]
    assert begun["per_month"].to_list() == [90, 90, None, 630]


def test_gini_is_half_the_mean_difference_over_the_mean():
    loads = np.random.default_rng(3).gamma(2, 5, 17)
    pairs = [abs(a - b) for i, a in enumerate(loads) for j, b in enumerate(loads) if i != j]

    assert gini(loads) == pytest.approx(np.mean(pairs) / (2 * loads.mean()))
    assert gini(np.array([0, 0, 0, 8.0])) == 1
    assert gini(np.array([3.0, 3.0])) == 0
    assert np.isnan(gini(np.zeros(4)))


def test_balance_counts_those_with_nothing_and_what_nobody_holds(make_book):
    begins = "2025-01-01"
    reps = [{"rep_id": f"r{n}", "valid_from": begins, "team": "North", "role": "Seller"} for n in range(12)]
    reps += [{"rep_id": "left", "valid_from": begins, "team": "North", "role": "seller", "left_date": "2026-06-01"}]
    reps += [{"rep_id": "boss", "valid_from": begins, "team": "North", "role": "manager"}]
    owners = ["r0"] * 9 + ["r1"] * 4 + ["left", None] + [f"r{n}" for n in range(2, 9) for _ in range(4)]
    deals = [
        {"created": "2026-05-05", "rep_id": owner, "amount": 10.0 if n else None} for n, owner in enumerate(owners)
    ]
    found = ask(make_book(deals, reps=reps), "balance")

    Balance.validate(found)
    row = found.row(0, named=True)
    assert [row[name] for name in ("quantity", "n_sellers", "total", "median_load", "n_above", "n_below")] == [
        "open_deals", 12, 41, 4, 1, 3,
    ]  # fmt: skip
    assert (row["n_elsewhere"], row["beyond_share"]) == (2, 4 / 12)
    loads = np.array([9, 4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0.0])
    assert row["gini"] == pytest.approx(float(gini(loads)))
    assert row["gini_low"] < row["gini"] < row["gini_high"]
    assert row["gini_luck"] < row["gini_luck_high"] < 1
    assert found["n_unknown"].to_list() == [0, 1, 0]
    with pytest.raises(Problem, match="Sellers cannot be grouped by product"):
        ask(make_book(deals, reps=reps), "balance", by=("product",))


def test_even_loads_are_said_to_be_no_less_even_than_luck(make_book):
    reps = [{"rep_id": f"r{n}", "valid_from": "2025-01-01", "role": "seller"} for n in range(10)]
    deals = [{"created": "2026-05-05", "rep_id": f"r{n % 10}"} for n in range(50)]

    row = ask(make_book(deals, reps=reps), "balance").row(0, named=True)

    assert (row["gini"], row["gini_low"], row["is_uneven"], row["beyond_share"]) == (0, None, False, 0)


def test_rates_of_a_named_seller_are_closed_and_counts_are_not(book):
    opened = replace(book, rates_persons=True)
    for name, measure in MEASURES.items():
        column = "rep_id" if "rep_id" in measure.subject.columns else None
        if column is None:
            continue
        for question in (Question(by=(column,)), Question(where={column: ("ann",)})):
            if measure.of_persons:
                measure.ask(book, question) if name != "lead_volumes" else None
                continue
            with pytest.raises(Problem, match="Rates of a named person are closed"):
                measure.ask(book, question)
    assert [name for name, each in MEASURES.items() if each.of_persons] == [
        "lead_volumes", "volumes", "revenue", "pipeline", "load",
    ]  # fmt: skip
    with pytest.raises(Problem, match="closed in this book"):
        ask(book, "win_rate", by=("seller",))
    assert ask(opened, "win_rate", by=("seller",)).height == 2
    assert ask(book, "win_rate", where={"rep_id": (None,)}).is_empty()  # whose deals have nobody is no person


def test_a_week_begins_on_monday(book):
    found = ask(book, "load", options={"every": "week"}, since=date(2026, 5, 13), until=date(2026, 5, 25))

    assert found["period"].to_list() == [date(2026, 5, 11), date(2026, 5, 18), date(2026, 5, 25)]
    assert found["is_whole"].to_list() == [False, True, False]
    assert found["until"][0] == found["period"][0] + timedelta(days=6)
