"""Volumes, amounts and rates, against published values, scipy, statsmodels and plain loops."""

from datetime import date
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from cadran.measures import MEASURES, Question, availability
from cadran.measures.compared import compare
from cadran.measures.opportunities import deal_size, loss_rate, no_decision_rate, revenue, volumes, win_rate
from cadran.tables.problems import Problem


def deals_of(make_deals, *statuses, **columns):
    return make_deals([{"status": status, **columns} for status in statuses])


@pytest.mark.parametrize(
    ("statuses", "n_closed", "n_won"),
    [
        (["won", "lost"], 2, 1),
        (["won", "lost", "open"], 2, 1),  # an open deal changes nothing
        (["won", "lost", "disqualified"], 2, 1),  # nor one that never was an opportunity
    ],
)
def test_win_rate_counts_closed_deals_only(make_deals, statuses, n_closed, n_won):
    measured = win_rate(deals_of(make_deals, *statuses)).collect()

    assert measured.select("n_closed", "n_won").rows() == [(n_closed, n_won)]


def test_win_rate_interval_is_the_published_one(make_deals):
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263 gives 0.2553 to 0.3662.
    rate = win_rate(deals_of(make_deals, *["won"] * 81, *["lost"] * 182)).collect()

    assert rate.select("win_rate_low", "win_rate_high").row(0) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_loss_rate_is_what_the_win_rate_leaves(make_deals):
    deals = deals_of(make_deals, "won", "lost", "lost", "open")

    lost, won = loss_rate(deals).collect(), win_rate(deals).collect()

    assert lost["loss_rate"][0] == pytest.approx(2 / 3)
    assert lost["loss_rate_low"][0] == pytest.approx(1 - won["win_rate_high"][0])


def test_no_closed_deal_gives_no_rate(make_deals):
    assert win_rate(deals_of(make_deals, "open")).collect().is_empty()
    assert loss_rate(make_deals([])).collect().is_empty()


@pytest.mark.parametrize(("n_silent", "is_given"), [(0, True), (1, True), (2, False)])
def test_no_decision_rate_needs_reasons(make_deals, n_silent, is_given):
    reasons = ["No decision"] * 2 + ["Price"] * (3 - n_silent) + [None] * n_silent
    lost = [{"status": "lost", "loss_reason": why, "is_no_decision": why == "No decision"} for why in reasons]

    measured = no_decision_rate(make_deals([*lost, *[{"status": "won"}] * 5])).collect().to_native().row(0, named=True)

    assert (measured["n_closed"], measured["n_no_decision"], measured["n_unknown"]) == (10, 2, n_silent)
    expected = (0.2, *proportion_confint(2, 10, method="wilson")) if is_given else (None, None, None)
    assert tuple(measured.values())[3:] == (pytest.approx(expected) if is_given else expected)


def test_a_book_that_never_says_no_decision_has_no_rate_of_it(make_book):
    measure = MEASURES["no_decision_rate"]

    def told(*reasons):
        return make_book([{"status": "won"}, *({"status": "lost", "loss_reason": reason} for reason in reasons)])

    silent, speaking = told("Price", "Went quiet"), told("Price", "No decision")
    assert availability(silent, [measure]).rows() == [("no_decision_rate", "impossible", "is_no_decision (lost) 0/2")]
    assert availability(speaking, [measure]).rows() == [("no_decision_rate", "available", "")]
    assert measure.ask(speaking, Question())["no_decision_rate"][0] == pytest.approx(1 / 3)
    for ask in (measure.ask, partial(compare, "no_decision_rate")):
        with pytest.raises(Problem, match='to "No decision" those that mean it'):
            ask(silent, Question())


def test_unknown_amounts_are_counted_never_zero(make_deals):
    rows = [("won", 100.0), ("won", None), ("lost", None), ("open", 0.0)]

    measured = (
        volumes(make_deals([{"status": s, "amount": a} for s, a in rows])).collect().to_native().row(0, named=True)
    )

    assert (measured["amount_won"], measured["amount_lost"], measured["amount_open"]) == (100, None, 0)
    assert (measured["n_won_unknown"], measured["n_lost_unknown"], measured["n_open_unknown"]) == (1, 1, 0)


def test_open_deals_are_those_of_the_as_of_date_whatever_the_period(make_book):
    book = make_book([{"created": "2026-01-05"}, {"created": "2026-05-05"}])
    january = Question(until=date(2026, 1, 31))

    assert MEASURES["volumes"].ask(book, january)["n_open"][0] == 2
    assert MEASURES["volumes"].ask(book.as_of(date(2026, 1, 31)), january)["n_open"][0] == 1


def test_unknown_groups_are_groups_of_their_own(make_deals):
    teams = [{"status": "won", "team": team} for team in (None, None, "North")]

    assert volumes(make_deals(teams), ["team"]).collect().select("team", "n_won").rows() == [(None, 2), ("North", 1)]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([], []), ([None], [(1, 1, None)]), ([10.0, None], [(2, 1, 10.0)]), ([0.0], [(1, 0, 0.0)])],
)
def test_revenue(make_deals, amounts, expected):
    won = make_deals([{"status": "won", "amount": amount} for amount in amounts] + [{"status": "lost", "amount": 5.0}])

    assert revenue(won, ["status"]).collect().select("n_won", "n_won_unknown", "revenue").rows() == expected


def test_deal_size_equals_numpy(make_deals):
    amounts = np.random.default_rng(3).lognormal(9, 1, 40)
    rows = [{"status": "won", "amount": amount} for amount in amounts] + [{"status": "won"}, {"status": "open"}]

    measured = deal_size(make_deals(rows)).collect().to_native().row(0, named=True)

    assert (measured["outcome"], measured["n"], measured["n_unknown"]) == ("won", 40, 1)
    assert (measured["mean"], measured["median"], measured["p90"]) == pytest.approx(
        (amounts.mean(), np.median(amounts), np.quantile(amounts, 0.9))
    )
    # Hall's transformation of Student's t, inverted by root finding instead of the closed form.
    n, skewness, quantile = 40, stats.skew(amounts), stats.t.ppf(0.975, 39)

    def transformed(mean):
        t = np.sqrt(n) * (amounts.mean() - mean) / amounts.std()
        return t + skewness * t**2 / (3 * n**0.5) + skewness**2 * t**3 / (27 * n) + skewness / (6 * n**0.5)

    assert transformed(measured["mean_low"]) == pytest.approx(quantile, abs=1e-3)
    assert transformed(measured["mean_high"]) == pytest.approx(-quantile, abs=1e-3)


@pytest.mark.parametrize(("amounts", "low"), [([100.0] * 9, None), ([100.0] * 10, 100.0), ([None] * 10, None)])
def test_interval_of_a_mean_needs_ten_values(make_deals, amounts, low):
    rows = [{"status": "lost", "amount": amount} for amount in amounts]

    assert deal_size(make_deals(rows)).collect()["mean_low"].to_list() == [low]


def test_interval_of_a_mean_holds_nothing_below_0(make_deals):
    rows = [{"status": "won", "amount": 0.0}] * 9 + [{"status": "won", "amount": 100.0}]

    measured = deal_size(make_deals(rows)).collect().to_native()

    assert measured.select("mean_low", "mean").row(0) == (0, 10)  # Hall's own end is -3.8
    assert measured["mean_high"].item() > 30


def test_interval_of_a_mean_covers_a_skewed_truth(make_deals):
    # 300 samples of 50 lognormal amounts: Student's own interval covers 89 %, ours 92 %.
    amounts = np.random.default_rng(11).lognormal(0, 1, (300, 50))
    rows = [
        {"status": "won", "amount": amount, "team": f"{number:03}"}
        for number, sample in enumerate(amounts)
        for amount in sample
    ]

    measured = deal_size(make_deals(rows), ["team"]).collect().to_native()

    covered = measured["mean_low"].le(np.exp(0.5)) & measured["mean_high"].ge(np.exp(0.5))
    assert covered.sum() >= 270


DIMENSIONS = ["team", "status", "is_no_decision", "amount", "closed_date", "account_id"]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "status": st.sampled_from(["open", "won", "lost", "disqualified"]),
                "team": st.sampled_from(["North", "South", None]),
                "amount": st.sampled_from([None, 0.0, 10.0]),
                "account_id": st.sampled_from(["a1", "a2", None]),
            }
        ),
        max_size=12,
    ),
    by=st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True),
)
def test_groups_add_up_to_the_total(make_deals, rows, by):
    counts = ["n_open", "n_won", "n_lost", "n_disqualified", "n_open_unknown", "n_won_unknown", "n_lost_unknown"]

    grouped = volumes(make_deals(rows), by).collect().to_native()

    statuses = [row["status"] for row in rows]
    assert grouped.select(counts[:4]).sum().row(0) == tuple(
        statuses.count(name) for name in ("open", "won", "lost", "disqualified")
    )
    assert grouped.select(counts).sum().row(0) == volumes(make_deals(rows)).collect().select(counts).row(0)
    assert grouped["amount_won"].sum() == sum(row["amount"] or 0 for row in rows if row["status"] == "won")


def test_rivals_of_the_win_rate(make_book):
    won = {"status": "won", "created": "2026-01-10", "closed": "2026-03-01"}
    early = {"status": "lost", "created": "2025-06-01", "closed": "2026-03-02"}
    book = make_book([won, early, {"created": "2026-01-15"}, {"created": "2026-01-20"}])
    question = Question(since=date(2026, 1, 1))

    values = {rival.name: rival.value(book, question) for rival in MEASURES["win_rate"].rivals}

    assert values == {"With open deals": 0.25, "Created in the period, closed since": 1.0}


def test_a_column_that_deals_do_not_have_is_said(make_book):
    with pytest.raises(Problem, match="Deals have no column colour"):
        MEASURES["volumes"].ask(make_book(), Question(by=("colour",)))
