"""Early and late deals: sorted on the date first expected of them, whatever came later."""

from datetime import date

import pytest
from statsmodels.stats.proportion import proportion_confint

from cadran.measures import MEASURES, Question

TIMING = MEASURES["close_timing"]


def life(deal, *moves):
    """Versions from (when, status, expected)."""
    return [
        {"opportunity_id": deal, "valid_from": at, "status": status, "expected_close_date": expected}
        | {"stage": "Prospect" if status == "open" else status.title()}
        for at, status, expected in moves
    ]


LIVES = [
    life("early", ("2026-01-05", "open", "2026-03-01"), ("2026-02-01", "won", "2026-02-01")),
    life("that day", ("2026-01-05", "open", "2026-03-01"), ("2026-03-01T20:00:00", "lost", "2026-03-01")),
    life("late", ("2026-01-05", "open", None), ("2026-01-06", "open", "2026-03-01"), ("2026-02-20", "open", "2026-04-15"),
         ("2026-03-20", "won", "2026-03-20")),
    life("late lost", ("2026-01-05", "open", "2026-03-01"), ("2026-03-11", "lost", None)),
    life("still open", ("2026-01-05", "open", "2026-03-01"), ("2026-03-11", "open", "2026-07-01")),
    life("disqualified", ("2026-01-05", "open", "2026-03-01"), ("2026-02-01", "disqualified", None)),
    life("told at closing", ("2026-01-05", "open", None), ("2026-02-01", "won", "2026-02-01")),
    life("told too late", ("2026-01-05", "open", "2026-01-03"), ("2026-02-01", "won", "2026-02-01")),
    life("to come", ("2026-01-05", "open", "2026-09-01"), ("2026-02-01", "won", "2026-02-01")),
]  # fmt: skip


@pytest.fixture(scope="module")
def book(make_book):
    deals = [{"opportunity_id": own[0]["opportunity_id"], "product": "P"} for own in LIVES]
    return make_book(versions=[row for own in LIVES for row in own], opportunities=deals)


def rows(book, *columns, **question):
    return TIMING.ask(book, Question(**question)).select("timing", *columns).rows()


COUNTS = ("n_deals", "n_won", "n_lost", "n_open", "n_disqualified", "n_pushed", "n_unknown")


def test_each_deal_is_sorted_on_the_first_date(book):
    assert rows(book, *COUNTS) == [("by_then", 2, 1, 1, 0, 1, 0, 2), ("later", 3, 1, 1, 1, 0, 2, 2)]
    early, late = TIMING.ask(book, Question()).rows(named=True)
    assert (early["win_rate_low"], early["win_rate_high"]) == pytest.approx(proportion_confint(1, 2, method="wilson"))
    assert (early["median_days"], late["median_days"]) == (-14, 14.5)


def test_where_none_has_closed_no_share_won_is_told(make_book):
    own = life("open", ("2026-01-05", "open", "2026-03-01"), ("2026-03-11", "open", "2026-07-01"))
    book = make_book(versions=own, opportunities=[{"opportunity_id": "open", "product": "P"}])

    told = rows(book, "n_open", "win_rate", "win_rate_low", "win_rate_high", "open_share")
    assert told == [("by_then", 0, None, None, None, None), ("later", 1, None, None, None, 1.0)]


def test_those_still_open_count_for_as_long_as_they_were_followed(book):
    # One of three lost after 10 days, one won after 19, one open: a third won by then, a third still open.
    late = TIMING.ask(book, Question()).row(1, named=True)
    assert (late["win_rate"], late["open_share"]) == pytest.approx((1 / 3, 1 / 3))


def test_nothing_not_yet_known_counts(book):
    assert rows(book.as_of(date(2026, 2, 10)), *COUNTS) == [
        ("by_then", 0, 0, 0, 0, 0, 0, 2),
        ("later", 0, 0, 0, 0, 0, 0, 2),
    ]
    then = rows(book.as_of(date(2026, 3, 10)), *COUNTS)
    assert then == [("by_then", 2, 1, 1, 0, 1, 0, 2), ("later", 3, 0, 0, 3, 0, 1, 2)]


def test_the_period_is_that_of_the_first_date(book):
    assert rows(book, "n_deals", since=date(2026, 3, 2), until=date(2026, 8, 1)) == [("by_then", 0), ("later", 0)]
    assert rows(book, "n_deals", until=date(2026, 3, 1)) == [("by_then", 2), ("later", 3)]


def test_a_date_is_known_in_time_by_the_clock_of_the_book(make_book):
    """At 23:30 in Paris the first of March is not over, at half past midnight it is, though both are 1 March by UTC."""
    told = {"winter": ("2026-03-01T22:30:00", "2026-03-01"), "late": ("2026-03-01T23:30:00", "2026-03-01")}
    lives = [
        row
        for deal, (at, expected) in told.items()
        for row in life(deal, ("2026-01-05", "open", None), (at, "open", expected), ("2026-04-01", "won", None))
    ]
    deals = [{"opportunity_id": deal, "product": "P"} for deal in told]
    book = make_book(versions=lives, opportunities=deals, settings={"time_zone": "Europe/Paris"})

    assert rows(book, "n_deals", "n_unknown") == [("by_then", 0, 1), ("later", 1, 1)]
