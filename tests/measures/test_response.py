"""Response time, against a plain loop over the touches, statsmodels and counts by hand."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from cadran.book import open_book
from cadran.measures import MEASURES, Question, availability
from cadran.tables.problems import Problem

RESPONSE_TIME = MEASURES["response_time"]


def touches(deal: str, *told: str) -> list[dict]:
    """Touches from "in 2026-06-01T08:00", "out …" or "robot …" (outbound) or "bounce …" (inbound), by a machine."""
    rows = []
    for number, (word, at) in enumerate(each.split() for each in told):
        row = {"activity_id": f"{deal}{number}", "opportunity_id": deal, "kind": "email", "at": at}
        row |= {"direction": "inbound" if word in ("in", "bounce") else "outbound"}
        rows.append(row | {"is_automatic": word in ("robot", "bounce")})
    return rows


def waits_by_hand(rows: list[dict], taken: datetime) -> list[tuple[float, bool]]:
    """Hours and whether answered, of each wait: deal by deal, touch by touch."""
    of_deal, waits = defaultdict(list), []
    for row in rows:
        of_deal[row["opportunity_id"]].append(row)
    for deal in of_deal.values():
        since = None
        for row in sorted(deal, key=lambda row: (row["at"], row["activity_id"])):
            if row["is_automatic"] or row["at"] > taken:
                continue
            if row["direction"] == "inbound" and since is None:
                since = row["at"]
            elif row["direction"] == "outbound" and since is not None:
                waits.append(((row["at"] - since).total_seconds() / 3600, True))
                since = None
        if since is not None:
            waits.append(((taken - since) // timedelta(seconds=1) / 3600, False))
    return waits


@pytest.mark.parametrize("day", [None, date(2025, 3, 14)])
def test_sample_equals_a_plain_loop_and_statsmodels(day):
    book = open_book()
    rows = book.collect(
        book.table("activities").select("activity_id", "opportunity_id", "direction", "is_automatic", "at")
    )
    book = book.as_of(day) if day else book

    measured = RESPONSE_TIME.ask(book, Question()).row(0, named=True)

    known = set(book.collect(book.deals(["opportunity_id"]))["opportunity_id"])
    waits = waits_by_hand([row for row in rows.to_dicts() if row["opportunity_id"] in known], book.moment)
    hours, answered = (np.array(each) for each in zip(*waits, strict=True))
    assert (measured["n_waits"], measured["n_answered"]) == (len(waits), answered.sum())
    assert 0 < measured["n_answered"] < measured["n_waits"]
    theirs = SurvfuncRight(hours, answered.astype(int))
    assert measured["median_hours"] == pytest.approx(theirs.quantile(0.5))
    assert measured["p90_hours"] == pytest.approx(theirs.quantile(0.9))
    for share, within in (("within_hour_share", 1), ("within_day_share", 24)):
        place = np.searchsorted(theirs.surv_times, within, side="right") - 1
        assert measured[share] == pytest.approx(1 - theirs.surv_prob[place])
        assert measured[f"{share}_low"] < measured[share] < measured[f"{share}_high"]
    low, high = measured["median_hours_low"], measured["median_hours_high"]
    assert low <= measured["median_hours"] <= high
    assert [low, high] == pytest.approx(theirs.quantile_ci(0.5), rel=0.05)


def test_of_touches_in_a_row_the_first_counts_and_machines_never(make_book):
    told = touches(
        "d", "in 2026-06-01T08:00", "bounce 2026-06-01T08:05", "in 2026-06-01T09:00", "robot 2026-06-01T08:01",
        "out 2026-06-01T11:00", "bounce 2026-06-01T15:00", "out 2026-06-02T08:00", "in 2026-06-03T08:00",
        "out 2026-06-03T08:30",
    )  # fmt: skip
    book = make_book([{"opportunity_id": "d", "created": "2026-05-01"}], activities=told)

    measured = RESPONSE_TIME.ask(book, Question()).row(0, named=True)

    assert (measured["n_waits"], measured["n_answered"]) == (2, 2)
    assert (measured["median_hours"], measured["p90_hours"], measured["within_hour_share"]) == (0.5, 3, 0.5)


def test_touches_of_one_instant_are_one_wait(make_book):
    told = touches("d", *["in 2026-06-01", "out 2026-06-01"] * 2, "in 2026-06-01", "out 2026-06-03")
    book = make_book([{"opportunity_id": "d", "created": "2026-05-01"}], activities=told)

    measured = RESPONSE_TIME.ask(book, Question()).row(0, named=True)

    assert (measured["n_waits"], measured["median_hours"], measured["p90_hours"]) == (2, 0, 48)


def test_forgotten_clients_are_not_dropped_even_when_the_deal_is_lost(make_book):
    answered = [touches(f"a{n}", "in 2026-06-01T08:00", f"out 2026-06-01T{9 + n:02}:00") for n in range(3)]
    forgotten = [touches(f"f{n}", "in 2026-06-01T08:00", "in 2026-06-05", "robot 2026-06-06") for n in range(3)]
    deals = [{"opportunity_id": f"a{n}", "created": "2026-05-01"} for n in range(3)]
    deals += [
        {"opportunity_id": f"f{n}", "created": "2026-05-01", "status": "lost", "closed": "2026-06-01T08:20"}
        for n in range(3)
    ]
    book = make_book(deals, activities=[*chain(*answered, *forgotten)])

    measured = RESPONSE_TIME.ask(book, Question(by=("status",))).rows(named=True)
    pooled = RESPONSE_TIME.ask(book, Question()).row(0, named=True)

    assert [(row["status"], row["n_waits"], row["n_answered"]) for row in measured] == [("lost", 3, 0), ("open", 3, 3)]
    assert (pooled["median_hours"], pooled["p90_hours"], pooled["within_hour_share"]) == (3, None, pytest.approx(1 / 6))
    assert {rival.name: rival.value(book, Question()) for rival in RESPONSE_TIME.rivals} == {
        "Median of the answered waits": 2,
        "Mean of the answered waits": 2,
    }


def test_as_known_then_in_the_period_by_the_team_of_then(make_book, on_duckdb):
    told = touches("d", "in 2026-02-27T23:30", "out 2026-03-02T08:00", "in 2026-03-03", "out 2026-04-01")
    told += touches("e", "in 2026-03-10", "out 2026-03-11")
    deals = [{"opportunity_id": name, "created": "2026-01-01", "rep_id": "r"} for name in "de"]
    deals[1] |= {"status": "won", "closed": "2026-04-15"}
    teams = {"2025-01-01": "North", "2026-05-01": "South"}
    reps = [{"rep_id": "r", "valid_from": since, "team": team} for since, team in teams.items()]
    book = make_book(deals, activities=told, reps=reps, settings={"time_zone": "Europe/Paris"})
    counts = ("n_waits", "n_answered")

    for each in (book, on_duckdb(book)):
        ask = lambda question, book=each: RESPONSE_TIME.ask(book, question).select(*question.by, *counts).rows()  # noqa: E731
        assert ask(Question(by=("team",))) == [("North", 1, 1), ("South", 2, 2)]
        assert ask(Question(by=("team",), organisation="today")) == [("South", 3, 3)]
        # 23:30 in London is half past midnight, a day later, in Paris.
        assert ask(Question(since=date(2026, 2, 28), until=date(2026, 3, 3))) == [(2, 2)]
        assert ask(Question(where={"status": ("won",)})) == [(1, 1)]
        assert ask(Question(until=date(2026, 1, 31))) == []
        assert ask(Question(), replace(each).as_of(date(2026, 3, 20))) == [(3, 2)]


def test_an_answer_the_source_gave_is_believed(make_book):
    told = touches("d", "in 2026-06-01T08:00", "in 2026-06-01T10:00", "out 2026-06-01T11:00")
    told[0]["answered_at"] = "2026-06-01T12:00"
    book = make_book([{"opportunity_id": "d", "created": "2026-05-01"}], activities=told)

    measured = RESPONSE_TIME.ask(book, Question()).row(0, named=True)

    assert (measured["n_waits"], measured["median_hours"]) == (1, 4)


def test_the_past_is_told_as_known_then_or_as_corrected_since(make_book):
    deal = [{"opportunity_id": "d", "created": "2026-05-01"}]
    told = touches("d", "in 2026-06-01T08:00", "out 2026-06-01T12:00")
    first = make_book(deal, activities=told, taken="2026-06-10")
    told[0]["at"] = "2026-06-01T10:00"
    later = make_book(deal, activities=told, taken="2026-06-20", after=first)

    ask = lambda book: RESPONSE_TIME.ask(book, Question()).select("n_waits", "median_hours").rows()  # noqa: E731

    assert ask(later) == [(1, 2)]
    assert ask(later.as_of(date(2026, 6, 5))) == [(1, 4)]
    assert ask(later.as_of(date(2026, 6, 5), corrected=True)) == [(1, 2)]
    working = Question(options={"hours": "11-18"})
    assert RESPONSE_TIME.ask(later.as_of(date(2026, 6, 5)), working)["median_hours"].to_list() == [1]


def test_waits_of_one_deal_count_as_the_one_deal_they_are_of(make_book):
    # Twelve deals; in each, five waits that last as long as the deal's number says.
    pairs = [(f"in 2026-06-{d:02}T01:00", f"out 2026-06-{d:02}T{2 + n:02}:00") for n in range(12) for d in range(1, 6)]
    deals = [{"opportunity_id": f"d{n:02}", "created": "2026-05-01"} for n in range(12)]
    many = [touches(f"d{n:02}", *chain(*pairs[n * 5 : n * 5 + 5])) for n in range(12)]
    book, one = (make_book(deals, activities=[*chain(*(touches[:keep] for touches in many))]) for keep in (None, 2))

    asked, alone = (RESPONSE_TIME.ask(each, Question()).row(0, named=True) for each in (book, one))
    few = RESPONSE_TIME.ask(one, Question(where={"opportunity_id": ("d00", "d01")})).row(0, named=True)

    assert (asked["n_waits"], asked["n_deals"], alone["n_waits"], alone["n_deals"]) == (60, 12, 12, 12)
    for name in ("median_hours_low", "median_hours_high", "within_day_share_low", "within_hour_share_high"):
        assert asked[name] == pytest.approx(alone[name])
    assert (few["median_hours"], few["median_hours_low"], few["within_hour_share_high"]) == (1, None, None)


def test_a_book_without_inbound_touches_says_so(make_book):
    told = touches("d", "out 2026-06-01T11:00")
    book = make_book([{"opportunity_id": "d", "created": "2026-05-01"}], activities=told)

    assert availability(book, [RESPONSE_TIME])["available"].to_list() == ["impossible"]
    with pytest.raises(Problem, match="Response time cannot be had on this book"):
        RESPONSE_TIME.ask(book, Question())
