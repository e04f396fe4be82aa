"""The figures of the Resources page: valid charts in both languages, and what they make of their rows."""

import re
from datetime import date

import polars as pl
import pytest
from charts import check_valid_without_data

from cadran.figures import resources_coming as coming
from cadran.figures import resources_hiring as hiring
from cadran.figures import resources_if as what_if
from cadran.figures import resources_loaded as loaded
from cadran.figures import resources_paying as paying
from cadran.figures import resources_sharing as sharing
from cadran.tables.measured.capacity import HireBy
from cadran.tables.measured.resources import Balance, Load
from cadran.text import words_for

BUILDERS = {
    loaded.balance: {"by": "team", "is_money": False}, loaded.open_by: {"by": "region"}, loaded.flows: {"every": "month"},
    loaded.stock: {"every": "month"}, loaded.growth: {}, loaded.attainment: {"by": "region"},
    loaded.touches: {"every": "month"}, loaded.heads: {"every": "month"}, loaded.tenure: {},
    coming.fan: {"every": "month", "rivals": ("crm", "last_year")}, coming.made_of: {"every": "quarter"}, coming.moved: {},
    coming.calls: {}, hiring.shortage: {"by": "label"}, hiring.ahead: {}, hiring.bookings_capacity: {}, hiring.hire_by: {},
    hiring.timing: {"is_costed": True}, hiring.ramp: {}, what_if.months: {"value": "bookings"}, what_if.shortage: {},
    what_if.tornado: {"quantity": "bookings"}, sharing.funnel: {}, sharing.help_pays: {"value": "revenue"}, sharing.teams: {},
    sharing.sellers: {}, paying.curve: {}, paying.cost: {}, paying.compared: {}, paying.attained: {},
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_every_figure_is_a_valid_chart_without_data(build, language):
    check_valid_without_data(build, BUILDERS[build], language)


def test_what_is_said_of_an_axis_of_days_is_the_same_at_every_width():
    days = {"hire_by": date(2025, 11, 21), "start_month": date(2026, 5, 1), "shortage_month": date(2026, 7, 1)}
    row = days | {"label": "Nord", "told": "1 hire", "today_date": date(2026, 6, 30), "level": "region"}
    schema = {name: kind for name, kind in HireBy.create_empty().schema.items() if name not in row}
    rows = pl.DataFrame([row]).with_columns(pl.lit(None, kind).alias(name) for name, kind in schema.items())
    drawn = hiring.hire_by(rows, words=words_for("en"), title="By when")

    said = [re.findall(r'aria-label="(X-axis[^"]*)"', drawn.picture(width)) for width in (390, 600, 1180)]
    assert said[0]
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("build", [loaded.balance, loaded.open_by], ids=lambda build: build.__name__)
def test_a_group_of_which_nothing_is_told_has_nothing_beside_it(build):
    schema = (Balance if build is loaded.balance else Load).create_empty().schema
    row = {"region": "East", "told": None, "n_open": None, "n_overdue": None}
    rows = pl.DataFrame(
        [row], schema={"region": pl.String, "told": pl.String, "n_open": pl.Int64, "n_overdue": pl.Int64}
    )
    rows = rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in row)
    whole = {"frames": {"whole": rows}, "is_money": False} if build is loaded.balance else {}

    assert "null" not in build(rows, words=words_for("en"), title="Open", by="region", **whole).picture()
