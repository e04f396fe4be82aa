"""Velocity, by hand and against a bootstrap."""

from datetime import date, timedelta

import numpy as np
import pytest

from cadran.measures import MEASURES, Question
from cadran.measures.velocity import velocity
from cadran.tables.measured.velocity import Velocity


def row(deals, **options):
    measured = velocity(deals, **options).to_native().collect()
    Velocity.validate(measured)
    return measured.row(0, named=True)


def test_velocity_of_the_textbook_example(make_deals):
    # 50 deals in the pipeline, 20 % won, 12,000 a deal, 90 days a cycle: 1,333.33 a day.
    deals = [{"is_qualified": True}] * 50 + [{"is_qualified": False}] * 9
    deals += [{"status": "won", "amount": 12_000, "cycle_days": 90}] * 10 + [{"status": "lost", "amount": 1}] * 40

    found = row(make_deals(deals), n_days=100)

    assert found["velocity"] == pytest.approx(1333.33, abs=0.01)
    assert found["won_per_day"] == 1200.0


def test_interval_is_that_of_a_bootstrap(make_deals):
    rng = np.random.default_rng(7)
    n = 400
    is_won = rng.random(n) < 0.4
    amounts = rng.lognormal(9, 0.8, n).round(2)
    cycles = (amounts**0.5 * rng.lognormal(0, 0.3, n)).round() + 1
    deals = [{"is_qualified": True}] * 80 + [
        {"status": "won" if won else "lost", "amount": float(a), "cycle_days": int(c)}
        for won, a, c in zip(is_won, amounts, cycles, strict=True)
    ]
    drawn = rng.integers(0, n, (4000, n))
    won = is_won[drawn]
    drawn_velocity = 80 * won.mean(axis=1) * (amounts[drawn] * won).sum(axis=1) / (cycles[drawn] * won).sum(axis=1)

    found = row(make_deals(deals))

    low, high = np.quantile(drawn_velocity, [0.025, 0.975])
    width = high - low
    assert found["velocity_low"] == pytest.approx(low, abs=0.08 * width)
    assert found["velocity_high"] == pytest.approx(high, abs=0.08 * width)


def test_too_little_to_say(make_deals, make_book):
    few = [{"is_qualified": True}, *[{"status": "won", "amount": 10, "cycle_days": 5}] * 9]
    unpriced = [{"is_qualified": True}, {"status": "won", "cycle_days": 5}]

    assert row(make_deals(few))["velocity"] == 2.0
    assert row(make_deals(few))["velocity_low"] is None
    assert (row(make_deals(unpriced))["velocity"], row(make_deals(unpriced))["won_per_day"]) == (None, None)
    assert row(make_deals([]))["velocity"] is None
    assert MEASURES["velocity"].ask(make_book(), Question(by=("region",))).is_empty()


def test_window_is_twelve_complete_months_as_known_at_their_end(make_book, on_duckdb):
    taken = date(2026, 6, 15)
    deals = [
        {"created": f"{date(2025, 5, 1) + timedelta(days=20 * n)}", "status": "won" if n % 3 else "lost",
         "closed": f"{date(2025, 5, 11) + timedelta(days=20 * n + n % 4)}", "amount": 100.0 + n}
        for n in range(20)
    ]  # fmt: skip
    deals += [{"created": "2026-05-01", "stage": "Propose"}, {"created": "2026-06-01", "stage": "Propose"}]
    book = make_book(deals, taken=taken)
    won = [d for d in deals if d.get("status") == "won" and "2025-06-01" <= d["closed"] <= "2026-05-31"]

    found = MEASURES["velocity"].ask(book, Question())

    assert found.select("n_open_qualified", "n_won").row(0) == (1, len(won))
    assert found["won_per_day"][0] == pytest.approx(sum(d["amount"] for d in won) / 365)
    on_duck = MEASURES["velocity"].ask(on_duckdb(book), Question())
    assert on_duck.row(0) == pytest.approx(found.row(0))
