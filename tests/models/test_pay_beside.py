"""Plans beside one another: the same scale, whatever their periods."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import polars as pl
import pytest

from cadran.models.pay_beside import yearly
from cadran.models.pay_plan import Measure, PayPlan, Tier

LINEAR = (Measure("Sales", (Tier(Fraction(0), None, Fraction(1)),), Fraction(1)),)
QUARTERLY = PayPlan(
    "Quarterly", date(2026, 1, 1), date(2026, 12, 31), LINEAR, variable=12_000_00, quota=120_000_00,
)  # fmt: skip


@pytest.mark.parametrize("attainment", ["period", "year_to_date"])
def test_a_year_at_its_quota_pays_a_year_s_variable(attainment):
    told = yearly(replace(QUARTERLY, attainment=attainment))

    assert told.filter(pl.col("attainment") == 1.0)["pay"].item() == pytest.approx(12_000)
