"""What tiers, caps, draws and clawbacks pay: published examples line by line, and a plain loop."""

from datetime import date
from fractions import Fraction

import numpy as np
import plain_pay
import pytest

from cadran.models.pay import lines_of
from cadran.models.pay_earned import Roll, part, settle, tier_lines
from cadran.models.pay_futures import paid
from cadran.models.pay_plan import Measure, PayPlan, Tier


def tiers(*rows, from_first=False):
    """Tiers of amounts, from rows of (from, rate): each ends where the next begins."""
    ends = [*(start for start, _ in rows[1:]), None]
    return tuple(
        Tier(Fraction(100 * start), None if end is None else Fraction(100 * end), Fraction(rate), from_first)
        for (start, rate), end in zip(rows, ends, strict=True)
    )


def shares(*rows):
    """Tiers of shares of the quota, from rows of (from, to, rate, from first, bonus)."""
    return tuple(
        Tier(Fraction(start), None if end is None else Fraction(end), Fraction(rate), *more)
        for start, end, rate, *more in rows
    )


def of_amount(*rows, **more):
    return Measure("Sales", tiers(*rows, **more), weight=None, is_on_quota=False)


def line_by_line(measure, amount):
    """Each line in currency, for one amount credited."""
    one = np.array([round(100 * amount)])
    told = tier_lines(measure, one, np.array([0]), np.array([0]))
    return [float(line["pay"][0]) / 100 for line in told]


def plan(*measures, **more):
    return PayPlan("Plan", date(2026, 1, 1), date(2026, 12, 31), measures, **{"period": "month", **more})


def roll(n, reps=1, quota=0, variable=0, cap=None, draw=0, **more):
    def full(value):
        return np.full((reps, n), value, np.int64)

    told = {"quota": full(quota), "variable": full(variable), "cap": None if cap is None else full(cap), "draw": full(draw),
            "present": np.ones((reps, n), bool), "team": np.arange(reps)[:, None].repeat(n, 1)}  # fmt: skip
    return Roll(**told | more)


def known(rows):
    """What one rep is credited with each month, in currency: as `settle` takes it."""
    one = np.array(np.round(np.array(rows) * 100), np.int64)[None, None]
    return [np.concatenate([one, one])] * one.shape[-1]


# ---- worked examples from published plans: the facts and figures, cited ----


STEP_RATES = of_amount((0, "0.01"), (1000, "0.02"), (3000, "0.03"), (8000, "0.05"))


@pytest.mark.parametrize(
    ("amount", "lines"),
    [
        # Oracle, Examples of Calculating Earnings Using Step Rates: six transactions, 164 in all.
        # https://docs.oracle.com/en/cloud/saas/sales/facmi/examples-of-calculating-earnings-using-step-rates.html
        (200, [2, 0, 0, 0]),
        (300, [3, 0, 0, 0]),
        (1500, [10, 10, 0, 0]),
        (1200, [10, 4, 0, 0]),
        (2000, [10, 20, 0, 0]),
        (4500, [10, 40, 45, 0]),
    ],
)
def test_each_tier_pays_its_part(amount, lines):
    assert line_by_line(STEP_RATES, amount) == lines


def test_published_transactions_add_up():
    assert sum(sum(line_by_line(STEP_RATES, amount)) for amount in (200, 300, 1500, 1200, 2000, 4500)) == 164


def test_a_graduated_scale_and_the_highest_tier_alone():
    # Aptify, Commission Agreement Details: 11,000 pays 250 + 500 + 150 = 900, or 15 % of all = 1,650.
    # https://aptifykb.atlassian.net/wiki/pages/diffpagesbyversion.action?pageId=15417386804
    rows = [(0, "0.05"), (5000, "0.10"), (10000, "0.15")]

    assert line_by_line(of_amount(*rows), 11_000) == [250, 500, 150]
    assert line_by_line(of_amount(*rows, from_first=True), 11_000) == [0, 0, 1650]


def test_an_amount_at_the_edge_counts_in_the_higher_tier():
    # Oracle, Equal Tier Values: exactly 50,000 is paid at 3 %.
    # https://docs.oracle.com/en/cloud/saas/sales/facmi/equal-tier-values.html
    measure = of_amount((0, "0.01"), (25_000, "0.02"), (50_000, "0.03"), (75_000, "0.04"), from_first=True)

    assert line_by_line(measure, 50_000) == [0, 0, 1500, 0]
    assert line_by_line(measure, 49_999.99) == [0, 1000, 0, 0]


def test_tiers_of_a_quarterly_quota():
    # A quarterly quota of 100,000: 5 % up to it, 6 % to 125,000, 7 % beyond; 150,000 pays 5,000 + 1,500 + 1,750.
    # https://excelforum.com/excel-formulas-and-functions/861932-vlookup-for-multiple-results-without-duplicates-prev-thread.html
    measure = Measure("Sales", shares((0, 1, "0.05"), (1, "1.25", "0.06"), ("1.25", None, "0.07")), weight=None)
    told = tier_lines(measure, np.array([150_000_00]), np.array([100_000_00]), np.array([0]))

    assert [int(line["pay"][0]) for line in told] == [5000_00, 1500_00, 1750_00]


@pytest.mark.parametrize(("attained", "pay"), [(0.69, 0), (0.85, 5_000), (1, 10_000), (1.2, 14_000), (1.6, 20_000)])
def test_a_payout_curve_with_threshold_accelerator_and_cap(attained, pay):
    # Quota 100,000, bonus 10,000 at 100 %, threshold 70 %, twice the rate above quota, cap 200 %:
    # 85 % pays 5,000, 120 % pays 14,000. https://bonuspaycalc.com/guides/bonus-payout-curve-explained.html
    measure = Measure("Sales", shares((0, "0.7", 0), ("0.7", 1, "10/3"), (1, None, 2)), Fraction(1))
    who = roll(1, quota=100_000_00, variable=10_000_00, cap=20_000_00)

    assert settle(plan(measure), who, known([100_000 * attained])).pay[0, 0] == pay * 100


def test_a_recoverable_draw_month_by_month():
    # Siebel Incentive Compensation, table 4: a draw of 2,000 a month.
    # https://docs.oracle.com/cd/E05553_01/books/InCompAdm/InCompAdmPlanDesign8.html
    told = settle(
        plan(of_amount((0, 1)), draw=2000_00, is_draw_recoverable=True),
        roll(6, draw=2000_00), known([2750, 3000, 1500, 2375, 3000, 2750]),
    )  # fmt: skip

    assert (told.pay[0] / 100).tolist() == [2750, 3000, 2000, 2000, 2875, 2750]
    assert (told.balance[0] / 100).tolist() == [0, 0, 500, 125, 0, 0]


def test_a_draw_that_is_owed_adds_up():
    # Oracle, Example of Incentive Compensation Draw and Recovery: 1,000 a period, three lean ones.
    # https://docs.oracle.com/en/cloud/saas/sales/facmi/example-of-incentive-compensation-draw-and-recovery.html
    told = settle(
        plan(of_amount((0, 1)), draw=1000_00, is_draw_recoverable=True), roll(3, draw=1000_00), known([500, 700, 400])
    )

    assert (told.pay[0] / 100).tolist() == [1000, 1000, 1000]
    assert (told.balance[0] / 100).tolist() == [500, 800, 1400]


def test_a_deal_paid_in_june_and_cancelled_in_august_is_taken_back():
    # Salesforce Spiff, Create a Clawback Rule: 500 paid in June are taken back in August.
    # https://help.salesforce.com/s/articleView?id=sales.spiff_clawback.htm
    paid_then = known([5000, 0, 3000])[:2]
    cancelled = known([0, 0, 10_000])[2]
    told = settle(plan(of_amount((0, "0.1"))), roll(3), [*paid_then, cancelled])

    assert (told.pay[0] / 100).tolist() == [500, 0, 500]


# ---- rules of our own ----


def test_no_payout_is_below_nothing_and_what_is_owed_is_carried():
    told = settle(plan(of_amount((0, "0.1"))), roll(3), [*known([5000, 0, 0])[:1], *known([0, 1000, 7000])[1:]])

    assert (told.pay[0] / 100).tolist() == [500, 0, 300]
    assert (told.carried[0] / 100).tolist() == [0, -400, 0]


@pytest.mark.parametrize(
    ("whole", "rate", "cents"),
    [
        (10, Fraction(1, 20), 1),
        (9, Fraction(1, 20), 0),
        (11, Fraction(1, 2), 6),
        (10**15, Fraction(1, 3), 333333333333333),
    ],
)
def test_half_a_cent_goes_up(whole, rate, cents):
    assert part(np.array([whole]), rate).item() == cents


def test_numbers_too_large_for_the_machine_stay_exact():
    huge = np.array([3 * 10**12])

    assert part(huge, Fraction(3, 2), huge, np.array([7 * 10**12])).item() == plain_pay.cent(
        Fraction(3, 2) * 9 * 10**24 / (7 * 10**12)
    )


def made_up(seed, attainment):
    """A plan with everything in it, people who come and go, and deals taken back."""
    rng = np.random.default_rng(seed)
    steps = [(0, "0.4", "0.3", False, 0), ("0.4", 1, "1.15", True, 123_45), (1, None, "1.7", False, 0)]
    own = Measure("Own", shares(*steps), Fraction("0.65"), Fraction("0.9"))
    team = Measure("Team", shares((0, "0.8", 0), ("0.8", None, "1.25")), Fraction("0.35"), is_of_team=True)
    counted = (Tier(Fraction(0), Fraction(300), Fraction(7)), Tier(Fraction(300), None, Fraction("9.5")))
    deals = Measure("Deals", counted, None, is_on_quota=False, is_of_deals=True)
    reps, n = 7, 4
    here = rng.random((reps, n)) < 0.85

    def drawn(least, most):
        return rng.integers(least, most, (reps, n)) * here

    who = Roll(
        quota=drawn(5_000_00, 40_000_00), variable=drawn(1, 5_000_00), cap=drawn(3_000_00, 9_000_00),
        draw=drawn(0, 900_00), present=here, team=rng.integers(0, 3, (reps, n)),
    )  # fmt: skip
    told, sums = [], np.zeros((4, reps, n), np.int64)
    for p in range(n):
        sums = sums.copy()
        sums[:, :, p] = rng.integers(0, 60_000_00, (4, reps))
        sums[2, :, p] = 100 * rng.integers(0, 6, reps)
        if p:  # something of before is lost
            sums[:, rng.integers(reps), rng.integers(p)] //= 2
        told.append(sums)
    made = plan(own, team, deals, attainment=attainment, period="quarter", draw=1, is_draw_recoverable=bool(seed % 2))
    return made, who, told


@pytest.mark.parametrize("attainment", ["period", "year_to_date", "year"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plain_loop_pays_the_same_to_the_cent_and_so_do_the_lines(seed, attainment):
    made, who, told = made_up(seed, attainment)
    noted = []
    settled = settle(made, who, told, noted.append)
    plain = {name: (None if value is None else value.tolist()) for name, value in vars(who).items()}
    pays, carried, balances = plain_pay.settle(made, plain, [each.tolist() for each in told])

    assert settled.pay.tolist() == pays
    assert settled.carried.tolist() == carried
    assert settled.balance.tolist() == balances
    lines = lines_of(noted, [str(rep) for rep in range(7)], made.periods())
    found = [[0] * 4 for _ in range(7)]
    for rep, period, cents in lines.select("rep_id", "period", "pay_cents").iter_rows():
        found[int(rep)][(period.month - 1) // 3] += cents
    assert found == pays


@pytest.mark.parametrize("attainment", ["period", "year_to_date", "year"])
def test_futures_are_paid_as_the_past_is_but_for_rounding(attainment):
    made, who, told = made_up(3, attainment)
    credited = told[-1].copy()
    credited[0] = np.where(credited[0] == 0, 1, credited[0])
    exact = settle(made, who, [credited] * 4).pay
    so_far = np.where(np.arange(4) < 2, credited, 0).astype(float)
    coming = [np.moveaxis(credited[m][None, :, 2:], -1, 0).astype(float) for m in range(3)]
    fast = paid(made, who, so_far, coming, first=2)

    assert np.abs(fast[:, 0].T - exact[:, 2:]).max() < 10  # cents, of a dozen lines rounded each
