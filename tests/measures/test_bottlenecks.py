"""Pace: restricted means and shrinking against published values, and bottlenecks of a book whose pace is known."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import polars as pl
import pytest

from cadran.measures import MEASURES, Question
from cadran.measures.bottlenecks import NO_AMOUNTS, TOO_FEW
from cadran.measures.pace import Shrunk, restricted_mean

TAKEN = datetime(2026, 6, 30, 21, 59, tzinfo=UTC)
QUARTERS = [date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1), date(2026, 4, 1)]


def clock(ended, lasts):
    times = sorted({*ended, *lasts})
    counts = [(float(time), ended.count(time), 0, lasts.count(time)) for time in times]
    return pl.DataFrame(counts, schema=["time", "n_event", "n_other", "n_censored"], orient="row")


#: Weeks to relapse on 6-MP, Freireich et al. (1963).
RELAPSED, FOLLOWED = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_restricted_mean_matches_published_value():
    # Klein and Moeschberger (2003), section 4.5: 23.29 weeks of the first 35, standard error 2.83.
    mean, variance = restricted_mean(clock(RELAPSED, FOLLOWED), 35)
    assert mean == pytest.approx(23.29, abs=0.005)
    assert variance**0.5 == pytest.approx(2.83, abs=0.005)


def test_restricted_mean_is_the_mean_where_all_have_ended():
    stays = [1, 2, 2, 5, 9, 30]
    mean, variance = restricted_mean(clock(stays, []), 10)
    cut = np.minimum(stays, 10)
    assert (mean, variance) == pytest.approx((cut.mean(), cut.var() / len(cut)))
    assert restricted_mean(clock(stays, [12]), 20) is not None
    assert restricted_mean(clock([1, 2], [12]), 20) is None
    assert restricted_mean(clock([], []), 1) is None


def test_shrinking_matches_the_published_eight_schools():
    # Gelman et al. (2013), table 5.3: posterior medians 10, 8, 7, 8, 5, 6, 10, 8; 95 % of the first -2 to 31.
    values, errors = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0])
    shrunk = Shrunk.of(values, errors**2)
    assert np.abs(shrunk.values - [10, 8, 7, 8, 5, 6, 10, 8]).max() < 1.5
    first, low, high = shrunk.contrast(np.eye(8)[0])
    assert first == pytest.approx(shrunk.values[0])
    assert (low, high) == pytest.approx((-2, 31), abs=5)


def test_the_luckiest_of_alike_quarters_is_not_taken_for_the_best():
    random, gaps, raw, covered = np.random.default_rng(1), [], [], []
    for spread in (0.0, 2.0):
        for _ in range(300):
            truth = 20 + spread * random.standard_normal(8)
            values = truth + random.standard_normal(8)
            shrunk = Shrunk.of(values, np.ones(8))
            contrast = np.full(8, 1 / 8) - np.eye(8)[shrunk.values.argmin()]
            gap, low, high = shrunk.contrast(contrast)
            covered.append(low <= truth @ contrast <= high)
            if not spread:
                gaps.append(gap)
                raw.append(values.mean() - values.min())
    # Alike quarters: there is no gap. As measured it is 1.4 days.
    assert np.mean(raw) > 1.3
    assert np.mean(gaps) < np.mean(raw) / 2
    assert 0.92 < np.mean(covered) < 0.99


@pytest.fixture(scope="module")
def paced(make_book):
    """60 deals a quarter with stays of 20 days on average in the first stage, 8 in the third quarter; 5 in the second."""
    pick, versions, deals = Random(2), [], []
    for place, quarter in enumerate(QUARTERS):
        for number in range(60):
            deal = f"d{place}{number:02}"
            at = datetime.combine(quarter, datetime.min.time(), UTC) + timedelta(hours=pick.randrange(1, 70 * 24))
            deals.append({"opportunity_id": deal, "created_at": at, "product": "AB"[number % 2]})
            won = pick.random() < 0.5
            stays = [pick.expovariate(1 / (8 if place == 2 else 20)), pick.expovariate(1 / 5)]
            for stage, status in (
                ("Prospect", "open"),
                ("Propose", "open"),
                ("Won", "won") if won else ("Lost", "lost"),
            ):
                if at < TAKEN:
                    row = {"opportunity_id": deal, "valid_from": at, "stage": stage, "status": status}
                    versions.append(row | {"amount": 1000.0 if number % 10 else None})
                at += timedelta(days=stays.pop(0)) if stays else timedelta()
    return make_book(versions=versions, opportunities=deals, taken=TAKEN)


def test_the_gap_to_the_best_quarter(paced):
    slow, quick = MEASURES["bottlenecks"].ask(paced, Question()).rows(named=True)

    assert (slow["entered_stage"], slow["best_quarter"], slow["reason"]) == ("Prospect", date(2025, 7, 1), None)
    assert slow["n_quarters"] >= 5
    cut = slow["within_days"]
    truth = [days * (1 - np.exp(-cut / days)) for days in (20, 8)]
    weights = np.array([slow["n_quarters"] - 1, 1]) / slow["n_quarters"]
    assert slow["gap_days_low"] < weights @ truth - truth[1] < slow["gap_days_high"]
    assert slow["gap_days_low"] > 0 > quick["gap_days_low"]
    assert slow["days_moved"] == pytest.approx(slow["gap_days"] * 60)
    # From 2025-01-01 on, 541 days of which the last quarter is whole: nine in ten amounts are known.
    won = paced.collect(paced.deals(["status", "amount"])).filter(status="won")
    assert (slow["n_won"], slow["n_won_unknown"]) == (won.height, won["amount"].null_count())
    assert slow["revenue_per_day"] == pytest.approx(won["amount"].sum() / (date(2026, 7, 1) - QUARTERS[0]).days)
    assert slow["revenue_moved_high"] == pytest.approx(slow["gap_days_high"] * slow["revenue_per_day"])


@pytest.mark.parametrize(
    "asked", [{"since": date(2025, 10, 2)}, {"where": {"amount": (None,)}}, {"until": date(2025, 9, 29)}]
)
def test_too_few_entries_are_said(paced, asked):
    few = MEASURES["bottlenecks"].ask(paced, Question(**asked))
    assert few.select("reason", "gap_days", "revenue_moved").unique().rows() == [(TOO_FEW, None, None)]


def test_without_amounts_days_are_told_and_revenue_is_not(paced, make_book):
    versions = (
        paced.collect(paced.table("versions")).select("opportunity_id", "valid_from", "stage", "status").to_dicts()
    )
    deals = [{"opportunity_id": deal} for deal in {row["opportunity_id"] for row in versions}]
    bare = make_book(versions=versions, opportunities=deals, taken=TAKEN)

    told = MEASURES["bottlenecks"].ask(bare, Question()).row(0, named=True)

    assert told["gap_days_low"] > 0
    assert (told["revenue_moved"], told["reason"]) == (None, NO_AMOUNTS)
