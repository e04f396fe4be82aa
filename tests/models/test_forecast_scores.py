"""Scores of forecasts: each figure against a slow plain loop, its interval against many invented pasts."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from cadran.models.blend import LEVELS
from cadran.models.forecast_scores import TOLD, scores, with_reasons
from cadran.tables.measured.forecast import QUANTILES
from cadran.tables.problems import Problem

RNG = np.random.default_rng(3)
NAMES = list(QUANTILES)


def told(name, off, actual, spread=10.0, is_point=False):
    rows = []
    for turn, (error, came) in enumerate(zip(off, actual, strict=True)):
        middle = came + error
        values = dict.fromkeys(NAMES) if is_point else dict(zip(NAMES, middle + spread * (LEVELS - 0.5), strict=True))
        day = date(2024, 1, 31) + timedelta(days=30 * turn)
        rows.append({"origin": day, "level": "company", "group": None, "month": day, "horizon": 1, "name": name,
                     "mean": middle + 1, "actual": came, "scale": 4.0} | values | {"q50": middle})  # fmt: skip
    return pl.DataFrame(rows, schema=TOLD, orient="row")


def test_every_figure_is_that_of_a_plain_loop():
    off, actual = [1.0, -2.0, 3.0, 8.0], [10.0, 20.0, 30.0, 40.0]
    row = scores(told("blend", off, actual), "blend", names=["blend"]).row(0, named=True)

    losses = []
    for error, came in zip(off, actual, strict=True):
        for level in LEVELS[1:-1]:
            gap = came - (came + error + 10 * (level - 0.5))
            losses.append(max(level * gap, (level - 1) * gap))
    assert row["wape"] == pytest.approx(14 / 100)
    assert row["mase"] == pytest.approx((1 + 2 + 3 + 8) / 4 / 4)
    assert row["bias"] == pytest.approx((1 - 2 + 3 + 8 + 4) / 100)
    assert row["pinball"] == pytest.approx(np.mean(losses) / 25)
    assert (row["coverage_80"], row["coverage_95"]) == (0.75, 0.75), "4 above or below hold 1, 2 and 3"
    assert (row["n"], row["n_origins"], row["wape_low"]) == (4, 4, None)


def test_a_point_has_no_interval_and_what_is_not_over_counts_nowhere():
    point = told("crm", [5.0, 5.0], [10.0, 20.0], is_point=True)
    later = point.with_columns(actual=pl.lit(None, pl.Float64))
    row = scores(pl.concat([told("blend", [0.0, 0.0], [10.0, 20.0]), point, later]), "blend", names=["crm"]).row(
        0, named=True
    )

    assert (row["n"], row["coverage_80"], row["wape"], row["difference"]) == (2, None, 10 / 30, 10 / 30)
    assert row["pinball"] == pytest.approx(2.5 / 15), "half the error, where every quantile is the point"


def test_rivals_are_compared_where_both_spoke():
    both = pl.concat([told("blend", [1.0], [10.0]), told("ets", [1.0, 100.0], [10.0, 10.0])])

    assert scores(both, "blend", names=["ets"])["n"][0] == 1


def test_the_interval_of_a_difference_holds_it_as_often_as_it_says():
    held = 0
    for _ in range(200):
        actual = RNG.gamma(20.0, 5.0, 24)
        mine, theirs = RNG.normal(0, 10, 24), RNG.normal(0, 20, 24)
        frame = pl.concat([told("blend", mine, actual), told("ets", theirs, actual)])
        row = scores(frame, "blend", names=["ets"]).row(0, named=True)
        # E|N(0, s)| is s × 0.7979; actuals are 100 on average.
        held += row["difference_low"] <= 10 * 0.7979 / 100 <= row["difference_high"]
    assert 172 <= held <= 199, "95 % of 200, less what so few correlated days lose"


def test_one_that_said_nothing_says_why():
    found = with_reasons(
        scores(told("blend", [1.0], [1.0]), "blend", names=["blend", "crm"]), {"crm": Problem("Why.", "Do.")}
    )

    assert found["reason"].to_list() == [None, "Why.\nDo."]
    assert found["n"].to_list() == [1, 0]
