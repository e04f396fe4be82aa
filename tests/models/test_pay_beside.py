"""Plans beside one another: the same scale, whatever their periods."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import polars as pl
import pytest

from cadran.book import SAMPLE, open_book
from cadran.book.reader import Reader
from cadran.models.pay_beside import paid_reps, paid_to, yearly
from cadran.models.pay_plan import Measure, PayPlan, Tier
from cadran.tables.problems import Problem

LINEAR = (Measure("Sales", (Tier(Fraction(0), None, Fraction(1)),), Fraction(1)),)
QUARTERLY = PayPlan(
    "Quarterly", date(2026, 1, 1), date(2026, 12, 31), LINEAR, variable=12_000_00, quota=120_000_00,
)  # fmt: skip


@pytest.mark.parametrize("attainment", ["period", "year_to_date"])
def test_a_year_at_its_quota_pays_a_year_s_variable(attainment):
    told = yearly(replace(QUARTERLY, attainment=attainment))

    assert told.filter(pl.col("attainment") == 1.0)["pay"].item() == pytest.approx(12_000)


ONE = Reader("", "seller", persons=frozenset({"R129"}))


@pytest.fixture
def opened():
    """`opened(reader)`: the sample, in which pay of named persons is open."""
    return lambda reader=None: replace(open_book(SAMPLE, reader), rates_persons=True)


def test_lines_of_one_seller_add_up_to_each_payout_to_the_cent(opened):
    paid = paid_to(opened(ONE), "R129")

    sums = paid.lines.group_by("period", maintain_order=True).agg(pl.col("pay_cents").sum())
    assert sums.rows() == paid.payouts.select("period", "pay_cents").rows()
    assert paid.payouts["pay_cents"].sum() > 0
    assert set(paid.credits["rep_id"]) == {"R129"}
    assert paid.counted_from == date(2026, 1, 1)


def test_each_is_told_whose_pay_is_theirs_to_see(opened):
    assert list(paid_reps(opened(ONE))) == ["R129"]
    assert {"R129", "R012"} < paid_reps(opened(Reader("", "pay"))).keys()
    with pytest.raises(Problem, match="does not pay R012"):
        paid_to(opened(ONE), "R012")
    with pytest.raises(Problem, match="not told to your role"):
        paid_reps(opened(Reader("", "manager", frozenset({"Nord"}))))


def test_nobody_s_pay_is_told_where_it_is_closed():
    with pytest.raises(Problem, match="closed in this book"):
        paid_reps(open_book(SAMPLE))
    with pytest.raises(Problem, match="closed in this book"):
        paid_to(open_book(SAMPLE, ONE), "R129")


def test_who_looks_at_another_s_pay_is_noted_and_at_one_s_own_is_not(opened):
    noted = {}
    for reader in (ONE, Reader("", "pay")):
        seen = noted.setdefault(reader.role, set())
        paid_to(replace(opened(reader), viewed=lambda kind, whom, seen=seen: seen.add((kind, *whom))), "R129")

    assert noted == {"seller": set(), "pay": {("pay", "R129")}}
