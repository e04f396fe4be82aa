"""Cycle and time to close, against numpy, scipy and statsmodels."""

from datetime import date

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from cadran.measures import MEASURES, Question
from cadran.measures.cycle import cycle, time_to_close


def test_cycle_keeps_won_and_lost_apart_and_open_out(make_deals):
    days = {"won": [10, 20, 60, None], "lost": [5], "open": [400]}
    rows = [{"status": status, "cycle_days": n} for status, ns in days.items() for n in ns]

    measured = cycle(make_deals(rows)).collect().to_native()

    assert measured.select("outcome", "n", "n_unknown", "mean_days", "median_days").rows() == [
        ("lost", 1, 0, 5.0, 5.0),
        ("won", 3, 1, 30.0, 20.0),
    ]
    assert measured["p90_days"].to_list() == pytest.approx([5, np.quantile([10, 20, 60], 0.9)])


def test_a_reopened_deal_counts_its_whole_time(make_book):
    story = [("2026-01-01", "open"), ("2026-01-11", "lost"), ("2026-02-01", "open"), ("2026-03-02", "won")]
    book = make_book(
        opportunities=[{"opportunity_id": "x", "created_at": "2026-01-01"}],
        versions=[{"opportunity_id": "x", "valid_from": at, "stage": s, "status": s} for at, s in story],
        stages=[{"stage": s, "position": 0, "kind": s, "is_qualified": True} for s in ("open", "won", "lost")],
    )

    assert MEASURES["cycle"].ask(book, Question())["mean_days"].to_list() == [60]
    before = MEASURES["cycle"].ask(book.as_of(date(2026, 1, 15)), Question())
    assert before.select("outcome", "mean_days").rows() == [("lost", 10.0)]


def test_time_to_close_equals_statsmodels(make_deals):
    random = np.random.default_rng(5)
    closes, follow_up = random.exponential(50, 300).round(), random.uniform(10, 150, 300).round()
    time, has_closed = np.minimum(closes, follow_up).astype(int), closes <= follow_up
    rows = [
        {"status": random.choice(["won", "lost"]), "cycle_days": int(t)} if ended else {"age_days": int(t)}
        for t, ended in zip(time, has_closed, strict=True)
    ]
    gone = [{"status": "disqualified", "cycle_days": 1}] * 50

    measured = time_to_close(make_deals([*rows, {"status": "won"}, *gone])).collect().to_native().row(0, named=True)

    theirs = SurvfuncRight(time, has_closed.astype(int))
    quantiles = {0.25: "p25_days", 0.5: "median_days", 0.75: "p75_days"}
    assert [measured[name] for name in quantiles.values()] == [theirs.quantile(share) for share in quantiles]
    assert (measured["n_open"], measured["n_won"] + measured["n_lost"]) == ((~has_closed).sum(), has_closed.sum())
    assert measured["n_unknown"] == 1
    assert measured["median_days_low"] <= measured["median_days"] <= measured["median_days_high"]


def test_slow_open_deals_lengthen_the_time_to_close_not_the_cycle(make_deals):
    closed = [{"status": "won", "cycle_days": n} for n in range(1, 11)]
    slow = [{"age_days": 200}] * 11

    assert cycle(make_deals(closed + slow)).collect()["median_days"].to_list() == [5.5]
    assert time_to_close(make_deals(closed + slow)).collect()["median_days"].to_list() == [None]  # not reached yet
    assert time_to_close(make_deals(closed + slow[:5])).collect()["median_days"].to_list() == [8]


def test_deals_of_unknown_creation_are_counted_in_any_period(make_book):
    deals = [{"created": "2026-02-01"}, {"created": "2025-02-01"}, {}]
    book = make_book(deals)

    measured = MEASURES["time_to_close"].ask(book, Question(since=date(2026, 1, 1)))

    assert measured.select("n_open", "n_unknown").rows() == [(1, 1)]


def test_rivals_leave_open_deals_out(make_book):
    won = [{"status": "won", "created": "2026-01-01", "closed": f"2026-01-{n:02}"} for n in (11, 21, 31)]
    lost = [{"status": "lost", "created": "2026-01-01", "closed": "2026-01-05"}]
    book = make_book([*won, *lost, *[{"created": "2026-01-01"}] * 2])

    rivals = {rival.name: rival.value(book, Question()) for rival in MEASURES["time_to_close"].rivals}

    assert MEASURES["time_to_close"].ask(book, Question())["median_days"].to_list() == [20]
    assert rivals == {"Mean of the closed deals": 16, "Median of the closed deals": 15, "Mean of the won deals": 20}
    assert MEASURES["cycle"].rivals[0].value(book, Question()) == 20
