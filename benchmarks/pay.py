"""`python -m benchmarks.pay [--reps N]`: a pay plan settled for many reps, beside a plain loop over them in Python.

Invented deals, a monthly plan with tiers, a cap, a draw and a team's result, paid on the year so far. Both start from the
deals credited and end with payouts to the cent, which are compared; Cadran also gives every line of them.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from benchmarks.report import put
from cadran.models.pay import lines_of
from cadran.models.pay_credits import CREDIT, Credits
from cadran.models.pay_earned import Array, Line, Roll, settle
from cadran.models.pay_plan import Measure, PayPlan, Tier

MONTHS, DEALS_EACH, TEAM = 12, 15, 10
TIERS = (
    Tier(Fraction(0), Fraction(1, 2), Fraction(4, 5)), Tier(Fraction(1, 2), Fraction(1), Fraction(6, 5)),
    Tier(Fraction(1), None, Fraction(8, 5)),
)  # fmt: skip
PLAN = PayPlan(
    "Invented", date(2026, 1, 1), date(2026, 12, 31),
    (
        Measure("Own", TIERS, Fraction(85, 100)),
        Measure("Team", (Tier(Fraction(0), None, Fraction(1)),), Fraction(15, 100), is_of_team=True),
    ),
    period="month", attainment="year_to_date", draw=200_00, is_draw_recoverable=True,
)  # fmt: skip


def main() -> None:
    """Settle it both ways in turn, hold the payouts to each other, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    names, roll, credits_ = company(asked.reps)
    ways: dict[str, Callable[[], Any]] = {
        "payouts": lambda: payouts(names, roll, credits_)[0],
        "lines": lambda: payouts(names, roll, credits_, with_lines=True),
        "loop": lambda: loop(names, roll, credits_.rows),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {}
    for _ in range(asked.rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - began)
    assert found["payouts"].tolist() == found["loop"], "the payouts differ"
    lines = found["lines"][1]
    assert lines["pay_cents"].sum() == found["payouts"].sum()
    text = report(asked.reps, credits_.rows.height, lines.height, {n: statistics.median(s) for n, s in seconds.items()})
    put("pay", text)
    print(text)


def company(n: int, seed: int = 0) -> tuple[list[str], Roll, Credits]:
    """Reps with their quotas, and a year of deals credited to them."""
    rng = np.random.default_rng(seed)
    full = np.ones((n, MONTHS), np.int64)
    roll = Roll(
        quota=full * rng.integers(15_000_00, 40_000_00, (n, 1)), variable=full * 2_000_00, cap=full * 5_000_00,
        draw=full * 200_00, present=full > 0, team=np.arange(n)[:, None] // TEAM * full,
    )  # fmt: skip
    names = [f"R{number:05}" for number in range(n)]
    rep, month = rng.integers(0, n, n * DEALS_EACH), rng.integers(0, MONTHS, n * DEALS_EACH)
    rows = pl.DataFrame(
        {
            "opportunity_id": [f"D{number}" for number in range(len(rep))], "rep_id": [names[each] for each in rep],
            "kind": "won", "date": date(2026, 1, 1), "won_date": date(2026, 1, 1), "counts_in": month, "known_in": month,
            "share": 1.0, "cents": rng.gamma(0.7, 3_500_000, len(rep)).astype(np.int64), "hundredths": 100,
        },
        schema=CREDIT,
    )  # fmt: skip
    return names, roll, Credits(rows.with_columns(measure_0=True, measure_1=True), 0, 0)


def payouts(
    names: list[str], roll: Roll, found: Credits, with_lines: bool = False
) -> tuple[Array, pl.DataFrame | None]:
    """Cadran: payouts in cents, and every line of them if asked."""
    noted: list[Line] = []
    known = found.known(PLAN, names, MONTHS)
    settled = settle(PLAN, roll, known, noted.append) if with_lines else settle(PLAN, roll, known)
    return settled.pay, lines_of(noted, names, PLAN.periods()) if with_lines else None


def loop(names: list[str], roll: Roll, rows: pl.DataFrame) -> list[list[int]]:
    """The peer: rep by rep and month by month, in whole numbers."""
    place = {name: number for number, name in enumerate(names)}
    credited = [[0] * MONTHS for _ in names]
    for rep, month, cents in rows.select("rep_id", "counts_in", "cents").iter_rows():
        credited[place[rep]][month] += cents
    quota, variable, cap, draw, team = (
        each.tolist() for each in (roll.quota, roll.variable, roll.cap, roll.draw, roll.team)
    )
    n_teams = team[-1][0] + 1
    of_team, held = [[0] * MONTHS for _ in range(n_teams)], [[0] * MONTHS for _ in range(n_teams)]
    for rep in range(len(names)):
        for month in range(MONTHS):
            of_team[team[rep][month]][month] += credited[rep][month]
            held[team[rep][month]][month] += quota[rep][month]
    pays = []
    for rep in range(len(names)):
        own = own_quota = its = its_quota = target = most = paid = owed = drawn = 0
        row = []
        for month in range(MONTHS):
            own, own_quota = own + credited[rep][month], own_quota + quota[rep][month]
            its, its_quota = its + of_team[team[rep][month]][month], its_quota + held[team[rep][month]][month]
            target, most = target + variable[rep][month], most + cap[rep][month]
            mine, theirs = nearest(target * 85, 100), nearest(target * 15, 100)
            half = nearest(own_quota, 2)
            due = nearest(4 * min(own, half) * mine, 5 * own_quota)
            due += nearest(6 * min(max(own - half, 0), own_quota - half) * mine, 5 * own_quota)
            due += nearest(8 * max(own - own_quota, 0) * mine, 5 * own_quota)
            now = min(due + nearest(its * theirs, its_quota), most)
            amount, paid = now - paid + owed, now
            owed = min(amount, 0)
            amount -= owed
            advance, back = max(draw[rep][month] - amount, 0), min(drawn, max(amount - draw[rep][month], 0))
            drawn += advance - back
            row.append(amount + advance - back)
        pays.append(row)
    return pays


def nearest(top: int, bottom: int) -> int:
    """To the nearest whole, halves upwards."""
    return (2 * top + bottom) // (2 * bottom)


def report(n_reps: int, n_deals: int, n_lines: int, seconds: dict[str, float]) -> str:
    """The part of the page."""
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    where = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {loads} at the end"
    return f"""## Pay

{n_reps:,} reps × {MONTHS} months, {n_deals:,} deals; a plan with tiers, a cap, a recoverable draw and a team's result, on the
year so far. Medians of turns; the payouts of both are equal to the cent, and the {n_lines:,} lines add up to them.

| | seconds |
|---|---|
| Cadran, payouts (target: 2) | {seconds["payouts"]:.2f} |
| Cadran, payouts and every line of them | {seconds["lines"]:.2f} |
| a plain Python loop over reps, payouts | {seconds["loop"]:.2f} |

Measured on {where}; Python {platform.python_version()}, numpy {np.__version__}, polars {pl.__version__}, with
`python -m benchmarks.pay`."""


if __name__ == "__main__":
    main()
