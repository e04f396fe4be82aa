"""Win rates by value and by cohort, against scipy and statsmodels."""

from datetime import date

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight
from statsmodels.stats.proportion import proportion_confint

from cadran.measures import MEASURES, Question, availability
from cadran.measures.win_rates import win_rate_by_cohort, win_rate_by_value
from cadran.tables.problems import Problem

ENDS = ("", "_low", "_high")


def only(frame) -> dict:
    return frame.collect().to_native().row(0, named=True)


def deals_by_client(make_deals, n_clients: int):
    random = np.random.default_rng(2)
    rows = [
        {"status": status, "amount": float(amount), "account_id": f"a{client}"}
        for client in range(n_clients)
        for status, amount in zip(random.choice(["won", "lost"], 6), random.lognormal(8, 1, 6), strict=True)
    ]
    return rows, make_deals(rows)


def test_by_value_equals_scipys_bootstrap(make_deals):
    rows, deals = deals_by_client(make_deals, 40)
    sums = {
        status: np.array(
            [sum(r["amount"] for r in rows if (r["status"], r["account_id"]) == (status, f"a{n}")) for n in range(40)]
        )
        for status in ("won", "lost")
    }

    measured = only(win_rate_by_value(deals))

    ratio = lambda won, lost, axis=-1: won.sum(axis) / (won.sum(axis) + lost.sum(axis))  # noqa: E731
    theirs = stats.bootstrap(
        (sums["won"], sums["lost"]), ratio, paired=True, n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    assert measured["win_rate_by_value"] == pytest.approx(ratio(sums["won"], sums["lost"]))
    assert [measured[f"win_rate_by_value{end}"] for end in ENDS[1:]] == pytest.approx(theirs, abs=0.01)
    assert measured["n_accounts"] == 40


def test_by_value_has_no_interval_under_ten_clients(make_deals):
    nine, ten = (only(win_rate_by_value(deals_by_client(make_deals, n)[1])) for n in (9, 10))

    assert (nine["n_accounts"], nine["win_rate_by_value_low"]) == (9, None)
    assert nine["win_rate_by_value"] is not None
    assert ten["win_rate_by_value_low"] < ten["win_rate_by_value"] < ten["win_rate_by_value_high"]


@pytest.mark.parametrize(
    ("amounts_lost", "rate"),
    [([50.0, 50.0], 0.5), ([None, None], None), ([0.0, 0.0], None), ([100.0, None], None), ([25.0] * 4 + [None], 0.5)],
)
def test_by_value_is_null_where_lost_amounts_are_unknown_or_zeroed(make_deals, amounts_lost, rate):
    rows = [{"status": "lost", "amount": amount} for amount in amounts_lost]

    measured = only(win_rate_by_value(make_deals([{"status": "won", "amount": 100.0}, *rows])))

    assert measured["win_rate_by_value"] == rate
    assert measured["n_unknown"] == sum(not amount for amount in amounts_lost)


@pytest.mark.parametrize("amount", [None, 0.0])
def test_by_value_is_refused_on_a_book_without_lost_amounts(make_book, amount):
    deals = [{"status": "won", "amount": 10.0, "account_id": "a"}, {"status": "lost", "amount": amount}]
    book = make_book([deal | {"created": "2026-01-01", "closed": "2026-02-01"} for deal in deals])
    measure = MEASURES["win_rate_by_value"]

    assert availability(book, [measure])["available"].to_list() == ["impossible"]
    with pytest.raises(Problem, match=r"Win rate by value cannot be had on this book: .*amount .lost"):
        measure.ask(book, Question())


def test_by_value_of_one_group_does_not_hang_on_the_others(make_deals):
    rows, _ = deals_by_client(make_deals, 12)
    alone = make_deals([row | {"team": "A"} for row in rows])
    among = make_deals([{"status": "won", "amount": 5.0}, *(row | {"team": "A"} for row in rows)])

    assert only(win_rate_by_value(alone, ["team"])) == win_rate_by_value(among, ["team"]).collect().to_native().row(
        1, named=True
    )


def test_by_cohort_equals_statsmodels(make_deals):
    random = np.random.default_rng(8)
    won, lost, follow_up = random.exponential((90, 60, 120), (400, 3)).T.round()
    time = np.minimum(np.minimum(won, lost), follow_up).astype(int)
    outcome = np.where(time == won, 1, np.where(time == lost, 2, 0))
    time, outcome = np.append(time, 500), np.append(outcome, 0)  # statsmodels divides by zero where nobody is left
    names = {1: "won", 2: "lost"}
    rows = [
        {"status": names[o], "cycle_days": int(t)} if o else {"age_days": int(t)}
        for t, o in zip(time, outcome, strict=True)
    ]

    measured = only(win_rate_by_cohort(make_deals(rows), age_days=60))

    theirs = CumIncidenceRight(time, outcome)
    place = np.searchsorted(theirs.times, 60, side="right") - 1
    share, error = theirs.cinc[0][place], theirs.cinc_se[0][place]
    assert measured["win_rate"] == pytest.approx(share, abs=1e-12)
    # Rothman: Wilson's interval with the number of deals that would give that standard error.
    n = share * (1 - share) / error**2
    interval = proportion_confint(share * n, n, method="wilson")
    assert (measured["win_rate_low"], measured["win_rate_high"]) == pytest.approx(interval, abs=1e-9)
    assert measured["open_share"] == pytest.approx(1 - share - theirs.cinc[1][place], abs=1e-12)
    assert measured["n_won"] == ((outcome == 1) & (time <= 60)).sum()
    assert measured["n_young"] == ((outcome == 0) & (time < 60)).sum()


def test_a_cohort_too_young_for_the_age_has_no_rate(make_book):
    recent = [{"created": "2026-05-01", "status": s, "closed": "2026-05-20"} for s in ("won", "won", "lost")]
    old = [{"created": "2025-11-01", "status": s, "closed": "2026-02-20"} for s in ("won", "lost", "disqualified")]
    book = make_book([*recent, {"created": "2026-05-02"}, *old, {"created": "2025-11-02"}, {}])
    asked = Question(by=("created_quarter",), since=date(2025, 10, 1), options={"age_days": 120})

    measured = MEASURES["win_rate_by_cohort"].ask(book, asked)

    columns = (
        "created_quarter",
        "n_deals",
        "n_won",
        "n_young",
        "n_disqualified",
        "n_unknown",
        "win_rate",
        "open_share",
    )
    assert measured.select(columns).rows() == [
        (None, 0, 0, 0, 0, 1, None, None),
        (date(2025, 10, 1), 3, 1, 0, 1, 0, pytest.approx(1 / 3), pytest.approx(1 / 3)),
        (date(2026, 4, 1), 4, 2, 1, 0, 0, None, None),
    ]
