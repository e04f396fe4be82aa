"""Where pay jumps, where it is flat, whether holding a deal pays, and what a plan may cost."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from cadran.book import SAMPLE, open_book
from cadran.measures.periods import month_after
from cadran.models.pay import payroll
from cadran.models.pay_costs import Ahead
from cadran.models.pay_curve import curve, flat_zones, held
from cadran.models.pay_plan import Measure, PayPlan, Tier
from cadran.models.pay_read import load_plan, plan_path
from cadran.tables.problems import Problem

#: Nothing below half the quota; there everything at once; capped at 150 %.
TIERS = Tier(Fraction(0), Fraction(1, 2), Fraction(0)), Tier(Fraction(1, 2), None, Fraction(1), True)
CLIFF = PayPlan(
    "Cliff", date(2026, 1, 1), date(2026, 12, 31), (Measure("Sales", TIERS, Fraction(1)),),
    variable=12_000_00, cap=18_000_00, quota=120_000_00,
)  # fmt: skip


def test_cliffs_and_flat_zones_are_where_the_plan_puts_them():
    told = curve(CLIFF)
    jump = told.filter("is_cliff").select("attainment", "pay").rows()

    assert jump == [(0.5, 1500.0)]  # a quarter's variable is 3,000
    assert told.filter(pl.col("attainment") == 0.5)["pay"].to_list() == [0, 1500]
    assert flat_zones(told) == [(0.0, 0.5), (1.5, 2.0)]
    assert told.filter(pl.col("attainment") == 1.0)["pay"].item() == 3000
    assert told.filter(pl.col("attainment") == 1.0)["marginal_rate"].item() == pytest.approx(0.1)
    assert told.filter(pl.col("at") == "cap")["attainment"].to_list() == [1.5]


def test_holding_a_deal_back_pays_below_a_threshold_and_above_a_cap():
    told = held(CLIFF, 3000.0)  # a tenth of a quarter's quota: 300 of pay at 100 %
    gain = dict(told.select("attainment", "gain_pay").rows())

    assert gain[0.2] == pytest.approx(300)
    assert gain[0.45] == pytest.approx(300 - 1650)  # it reaches the threshold
    assert gain[1.0] == pytest.approx(0)
    assert gain[1.6] == pytest.approx(300)


def test_without_a_quota_attainment_has_no_scale():
    with pytest.raises(Problem, match="no scale"):
        curve(replace(CLIFF, quota=None))
    assert curve(replace(CLIFF, quota=None), quota=120_000.0).height == curve(CLIFF).height


@pytest.fixture(scope="module")
def sample():
    book = open_book(SAMPLE)
    return book, load_plan(plan_path(book), book)


def test_a_future_like_the_past_costs_what_was_paid(sample):
    """What the second quarter brought, given as simulated, costs the second quarter's payouts."""
    book, plan = sample
    whole = payroll(book, plan)
    rows = whole.credits.rows.filter(pl.col("known_in") == 1)
    months = [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]
    reps = whole.rep_ids
    booked = np.zeros((2, len(reps) + 1, 3))
    for rep, day, cents in rows.select("rep_id", "won_date", "cents").iter_rows():
        booked[:, reps.index(rep), day.month - 4] += cents / 100
    booked[:, -1] = 1e6  # of somebody whom the plan does not pay
    ahead = Ahead(book, plan, [*reps, "nobody"], months)

    assert ahead.variable(booked)[0].tolist() == pytest.approx([0, 0, whole.settled.pay[:, 1].sum() / 100], abs=1)
    told = ahead.costs(booked)
    assert told.cost.filter(pl.col("period").is_null())["pay"].item() == pytest.approx(
        whole.settled.pay[:, 1].sum() / 100, abs=1
    )
    assert told.attainment["n_expected"].sum() == whole.staff.roll.present[:, -1].sum()
    assert 0 < told.covered_share < 1


def test_a_higher_quota_costs_less_and_a_plan_goes_on_into_its_next_year(sample):
    book, plan = sample
    months = [month_after(date(2026, 7, 1), n) for n in range(12)]
    reps = payroll(book, plan).rep_ids
    booked = np.random.default_rng(0).gamma(0.3, 80_000, (20, len(reps), 12))
    ahead = Ahead(book, plan, reps, months)
    paid = ahead.variable(booked)

    assert (ahead.variable(booked, quota=1.2).sum(1) < paid.sum(1)).all()
    assert np.flatnonzero(paid.sum(0)).tolist() == [2, 5, 8, 11]
    costs = ahead.costs(booked).cost
    assert costs["period"].to_list() == [date(2026, 7, 1), date(2026, 10, 1), date(2027, 1, 1), date(2027, 4, 1), None]
    assert costs["pay"][:4].sum() == pytest.approx(costs["pay"][4])
    assert (costs["low"] <= costs["q50"]).all()
