"""The figures of the Resources page: valid charts in both languages, and what they make of their rows."""

import re
from datetime import date

import polars as pl
import pytest

from cadran.figures import resources_hiring as hiring
from cadran.figures import resources_loaded as loaded
from cadran.tables.measured.capacity import HireBy
from cadran.tables.measured.resources import Balance, Load
from cadran.text import words_for


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
