"""How new sellers grow into the work and how often sellers leave, on staffs of which both are known."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from cadran.models.ramp import (
    PRIOR_WINS,
    RAMP_MONTHS,
    even,
    learn_attrition,
    learn_ramp,
    monthly_of,
    stated_attrition,
    stated_ramp,
)
from cadran.models.staff import TENURED, Presence, months_between, tenure_of

MONTHS = months_between(date(2022, 1, 1), date(2025, 12, 1))
TRUE = np.append(np.minimum((np.arange(TENURED) + 1) / 9, 1.0), 1.0)


def past(hired, left=(), pace=1.0, shares=TRUE, seed=0):
    """Sellers hired on some days, of whom some left, who carry Poisson numbers of won deals."""
    left = [*left, *[None] * (len(hired) - len(left))]
    sellers = pl.DataFrame(
        {"region": ["Nord", "Sud"] * len(hired), "hired": hired * 2, "left": left * 2},
        schema={"region": pl.String, "hired": pl.Date, "left": pl.Date},
    ).with_columns(is_present=pl.col("left").is_null())
    tenure = tenure_of(sellers["hired"], MONTHS)
    starts = np.array(MONTHS, "datetime64[D]")
    gone = np.array([date(2200, 1, 1) if day is None else day for day in left * 2], "datetime64[D]")
    present = ((tenure >= 0) & (starts <= gone[:, None])).astype(float)
    rate = (
        pace * present * shares[np.clip(tenure, 0, TENURED)] * np.where(sellers["region"] == "Nord", 1.0, 0.5)[:, None]
    )
    carried = np.random.default_rng(seed).poisson(rate).astype(float)
    return Presence(sellers, MONTHS, present, tenure, carried, carried)


HIRED = [date(2015, 1, 1)] * 12 + [date(2022 + n // 12, n % 12 + 1, 1) for n in range(0, 36, 2)]


def test_a_ramp_is_learnt():
    ramp = learn_ramp(past(HIRED, pace=4.0))

    assert ramp.basis == "learnt"
    assert ramp.n_hires == 36
    assert (np.diff(ramp.shares) >= 0).all()
    assert np.abs(ramp.shares - TRUE)[:12] == pytest.approx(0, abs=0.12)
    assert ramp.months_to(0.5) in (3, 4, 5)


def test_few_wins_are_pulled_towards_the_assumed_curve():
    slow = np.append(np.minimum((np.arange(TENURED) + 1) / 24, 1.0), 1.0)
    far, near = (learn_ramp(past(HIRED, pace=pace, shares=slow)).shares for pace in (0.15, 4.0))
    assumed = even(RAMP_MONTHS)

    assert np.abs(far - assumed)[:8].mean() < np.abs(near - assumed)[:8].mean()


def test_one_month_is_gamma_and_poisson_by_hand():
    told = past(HIRED, pace=4.0)
    nord = np.array(told.sellers["region"] == "Nord")
    old = told.tenure >= TENURED
    by_month = (told.carried * old).sum(axis=0) / (told.present * old).sum(axis=0)
    seen = due = 0.0
    for here in (nord, ~nord):
        own = (told.carried * old)[here].sum() + PRIOR_WINS
        factor = own / ((told.present * old)[here] * by_month).sum(axis=None).__add__(PRIOR_WINS)
        first = (told.tenure == 0) & (told.present > 0) & here[:, None]
        seen += told.carried[first].sum()
        due += (first * by_month * factor).sum()

    share = (seen + PRIOR_WINS * even(RAMP_MONTHS)[0]) / (due + PRIOR_WINS)
    assert learn_ramp(told).shares[0] == pytest.approx(share)


@pytest.mark.parametrize("hired", [HIRED[:12], HIRED[:14], [None] * 12])
def test_too_few_hires_leave_the_assumption_with_its_doubt(hired):
    ramp = learn_ramp(past(hired))

    assert ramp.basis == "assumed"
    assert ramp.shares[:3] == pytest.approx([0.5 / 6, 1.5 / 6, 2.5 / 6])
    assert ramp.errors[3] > 0.1


def test_a_stated_ramp_stands():
    assert stated_ramp((0.2, 0.5, 0.9), None).shares[:5].tolist() == [0.2, 0.5, 0.9, 1.0, 1.0]
    assert stated_ramp((), 4.0).months_to(1.0) == 4
    assert not stated_ramp((), 4.0).errors.any()


def test_a_slower_ramp_takes_longer_and_nothing_is_done_before_hiring():
    ramp = stated_ramp((), 6.0)
    share, _ = ramp.at(np.array([-1, 0, 3, 6, TENURED]), stretch=2.0)

    assert share.tolist() == pytest.approx([0.0, 0.5 / 6, 2.0 / 6, 3.5 / 6, 1.0])
    assert ramp.months_to(0.5, 2.0) == 2 * 3 - 1  # (2.5 + 0.5) / 6 is reached at 5 / 2


def test_attrition_is_departures_by_time():
    told = past(HIRED, left=[date(2024, 6, 30)] * 6)
    found = learn_attrition(told)
    exposure = told.present[:, -36:].sum()

    assert (found.n_left, found.basis) == (12, "learnt")
    assert found.monthly == pytest.approx(12.5 / exposure)
    # Jeffreys' interval of a rate, by the chi-squared distribution (Garwood's form).
    assert (found.low, found.high) == pytest.approx(tuple(chi2.ppf([0.025, 0.975], 25) / 2 / exposure))
    assert found.drawn(4000, np.random.default_rng(0)).mean() == pytest.approx(found.monthly, rel=0.03)


def test_nobody_known_to_have_left_is_no_rate_of_zero():
    found = learn_attrition(past(HIRED))

    assert found.basis == "assumed"
    assert found.low < monthly_of(0.12) == found.monthly < found.high


def test_a_stated_rate_is_what_leaves_within_a_year():
    found = stated_attrition(0.2)

    assert 1 - np.exp(-12 * found.monthly) == pytest.approx(0.2)
    assert set(found.drawn(5, np.random.default_rng(0))) == {found.monthly}
