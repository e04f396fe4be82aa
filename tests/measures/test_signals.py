"""Weak signals, against plain loops over the versions and touches, and on books that lack what they need."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.stats import kstest
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import confint_proportions_2indep

from cadran.book import open_book
from cadran.book.held import hold
from cadran.book.landmarks import open_pairs
from cadran.measures import MEASURES, Question
from cadran.measures.signals import SIGNALS, shown, signals, thresholds
from cadran.measures.signals_learnt import drawn, lives
from cadran.measures.signals_told import at_equal, past
from cadran.tables.deals import CLOSED
from cadran.tables.problems import Problem
from cadran.text import words_for

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def ninth(values: list, share: float = 0.9) -> float:
    """The smallest value that a share of them are no greater than."""
    return float(np.quantile(values, share, method="inverted_cdf"))


@pytest.fixture(scope="module")
def sample():
    return hold(open_book())


@pytest.fixture(scope="module")
def told(sample):
    """The rows of the sample, deal by deal: versions, human touches with a direction, and the deals won."""
    versions, touches = defaultdict(list), defaultdict(list)
    for row in sample.collect(sample.table("versions")).sort("opportunity_id", "valid_from").iter_rows(named=True):
        versions[row["opportunity_id"]].append(row)
    for row in sample.collect(sample.table("activities")).sort("at", "activity_id").iter_rows(named=True):
        if row["direction"] and not row["is_automatic"]:
            touches[row["opportunity_id"]].append(row)
    now = {deal: rows[-1] for deal, rows in versions.items() if rows[-1]["valid_to"] is None}
    won = {deal: row["status_since"] for deal, row in now.items() if row["status"] == "won"}
    return versions, touches, now, won


def test_thresholds_are_what_nine_won_deals_in_ten_did_not_pass(sample, told):
    versions, touches, _, won = told
    stays, pushes, quiet, silent, grew, waits = defaultdict(list), defaultdict(list), [], [], [], []
    for deal, won_at in won.items():
        visits = defaultdict(list)
        for row in versions[deal]:
            if row["status"] == "open":
                visits[row["stage"], row["stage_since"]].append(row)
        for (stage, since), rows in visits.items():
            stays[stage].append((rows[-1]["valid_to"] - since) / DAY)
            pushes[stage].append(rows[-1]["n_pushes"])
        own = [row for row in touches[deal] if row["at"] <= won_at]
        for row, after in pairwise([*own, None]):
            if row["direction"] == "outbound":
                quiet.append(((after["at"] if after else won_at) - row["at"]) / DAY)
        times = [row["at"] for row in own if row["direction"] == "inbound"]
        silent += [(after - at) / DAY for at, after in pairwise([*times, won_at])] if times else []
        amounts = [row["amount"] for row in versions[deal] if row["amount"] is not None]
        if amounts and amounts[0] > 0 and versions[deal][-1]["amount"] is not None:
            grew.append(amounts[-1] / amounts[0] - 1)

        since = None
        for row in own:
            if row["direction"] == "inbound":
                since = since or row["at"]
            elif since:
                waits.append(((row["at"] - since) / HOUR, 1))
                since = None
        waits += [((won_at - since) / HOUR, 0)] if since else []
    waited = SurvfuncRight(*np.array(waits).T)

    found = {(row["signal"], row["stage"]): row for row in thresholds(sample).iter_rows(named=True)}

    for stage in stays:
        assert found["stalled", stage]["threshold"] == pytest.approx(ninth(stays[stage]))
        assert found["stalled", stage]["n_values"] == len(stays[stage])
        assert found["pushed_again", stage]["threshold"] == ninth(pushes[stage])
    assert found["no_reply", None]["threshold"] == pytest.approx(ninth(quiet))
    assert found["silent_contact", None]["threshold"] == pytest.approx(ninth(silent))
    assert found["amount_up", None]["threshold"] == pytest.approx(ninth(grew, 0.95))
    assert found["amount_down", None]["threshold"] == pytest.approx(ninth([-each for each in grew], 0.95))
    assert found["client_waits", None]["threshold"] == pytest.approx(waited.quantile(0.9))
    for row in found.values():
        if row["share"] is not None:
            assert row["threshold_low"] <= row["threshold"] <= row["threshold_high"]
            assert row["learnt_until"] == max(won.values()).date() or row["signal"] == "fewer_people"


def test_open_deals_show_what_a_plain_loop_sees(sample, told):
    versions, touches, now, _ = told
    limits = {(row["signal"], row["stage"]): row["threshold"] for row in thresholds(sample).iter_rows(named=True)}
    expected, fewer = set(), {}
    for deal, row in ((deal, row) for deal, row in now.items() if row["status"] == "open"):
        since = {each["direction"]: (sample.moment - each["at"]) / DAY for each in touches[deal]}
        amounts = [each["amount"] for each in versions[deal] if each["amount"] is not None]
        change = amounts[-1] / amounts[0] - 1 if amounts and row["amount"] is not None else 0
        active = [
            each
            for each in touches[deal]
            if each["contact_id"] and (each["direction"] == "inbound" or each["kind"] in ("meeting", "demo"))
        ]
        recent = [{each["contact_id"] for each in active if first < (sample.moment - each["at"]) / DAY <= last}
                  for first, last in ((-1, 30), (30, 60))]  # fmt: skip
        last_is_ours = since.get("outbound", 1e9) < since.get("inbound", 1e9)
        shows = {
            "stalled": (sample.moment - row["stage_since"]) / DAY > limits["stalled", row["stage"]],
            "pushed_again": row["n_pushes"] > limits["pushed_again", row["stage"]],
            "no_reply": last_is_ours and since["outbound"] > limits["no_reply", None],
            "silent_contact": since.get("inbound", 0) > limits["silent_contact", None],
            "fewer_people": len(recent[1]) - len(recent[0]) > limits["fewer_people", None],
            "amount_up": change > limits["amount_up", None],
            "amount_down": -change > limits["amount_down", None],
            "competitor": row["competitor"] is not None,
            "overdue": row["expected_close_date"] < sample.day,
        }
        fewer[deal] = max(len(recent[1]) - len(recent[0]), 0) if any(recent) else None
        expected |= {(deal, signal) for signal, is_shown in shows.items() if is_shown}

    found = signals(sample)

    people = shown(sample, open_pairs(sample)).filter(signal="fewer_people")
    assert dict(people.select("opportunity_id", "value").iter_rows()) == fewer
    kept = found.filter(pl.col("signal") != "client_waits")
    assert set(kept.select("opportunity_id", "signal").iter_rows()) == expected
    assert found.group_by("signal").len().height == len(SIGNALS)
    late = found.filter(signal="overdue").row(0, named=True)
    assert late["since"] == now[late["opportunity_id"]]["expected_close_date"] + DAY
    still = found.filter(signal="stalled").row(0, named=True)
    began = now[still["opportunity_id"]]["stage_since"] + still["threshold"] * DAY
    assert abs(still["since"] - began.date()) <= DAY
    of_all = MEASURES["signal_stalled"].ask(sample, Question(by=("region",)))
    assert of_all["n_shown"].sum() == found.filter(signal="stalled").height
    assert of_all["n_open"].sum() == open_pairs(sample).height


def test_the_past_knows_nothing_of_what_came_after(sample):
    day = date(2025, 3, 14)
    then = sample.as_of(day)

    assert thresholds(then)["learnt_until"].max() <= day
    assert signals(then)["since"].max() <= day
    told, within = past(sample)
    assert told["at"].max() <= sample.moment - within * DAY
    # By hand: the threshold of a deal's quarter is what the book of then had learnt.
    one = told.filter(pl.col("signal") == "no_reply", pl.col("threshold").is_not_null()).sort("at").row(-1, named=True)
    known = thresholds(sample.as_of(one["learnt_at"])).filter(signal="no_reply")
    assert one["threshold"] == pytest.approx(known["threshold"][0])


def test_what_signals_told_is_counted_deal_by_deal(sample, told):
    versions, *_ = told
    rows, within = past(sample)
    assert rows.group_by("opportunity_id", "signal").len()["len"].max() == 1
    expected = defaultdict(lambda: [0, 0])
    for row in rows.filter(signal="stalled").drop_nulls("shows").iter_rows(named=True):
        last = versions[row["opportunity_id"]][-1]
        in_time = last["status"] == "won" and last["status_since"] <= row["at"] + within * DAY
        expected[row["shows"], row["of_stage"]][0] += 1
        expected[row["shows"], row["of_stage"]][1] += in_time
        began = min(each["valid_from"] for each in versions[row["opportunity_id"]])
        closings = [each["valid_from"] for each in versions[row["opportunity_id"]] if each["status"] in CLOSED]
        assert began <= row["at"] <= min([*closings, sample.moment])

    found = MEASURES["signals_told"].ask(sample, Question()).row(0, named=True)

    assert found["signal"] == "stalled"
    for shows, side in ((True, "with"), (False, "without")):
        counts = np.sum([counts for (shown, _), counts in expected.items() if shown is shows], axis=0)
        assert [found[f"n_{side}"], found[f"n_won_{side}"]] == counts.tolist()
    weighted = weight = 0.0
    for stage in {stage for _, stage in expected}:
        (n1, a), (n0, b) = expected[True, stage], expected[False, stage]
        if n1 and n0:
            weighted += n1 * n0 / (n1 + n0) * (a / n1 - b / n0)
            weight += n1 * n0 / (n1 + n0)
    assert found["difference"] == pytest.approx(weighted / weight)
    assert found["difference_high"] < 0
    assert found["is_telling"]


def book_of(make_book, n_won: int, n_lost: int, n_open: int, **tables):
    """Deals begun a day after each other, in one stage for ten days, won and lost ones first; the open ones for 100."""
    rows = [("won", n_won), ("lost", n_lost), ("open", n_open)]
    deals = []
    for number, status in enumerate(status for status, n in rows for _ in range(n)):
        begins = date(2026, 3, 1) + number % 20 * DAY if status != "open" else date(2026, 3, 22)
        deals.append({"opportunity_id": f"d{number:03}", "created": begins, "status": status})
        deals[-1] |= {"expected_close_date": "2026-12-31"} | ({"closed": begins + 10 * DAY} if status != "open" else {})
    return make_book(deals, **tables)


def test_too_few_won_deals_make_no_threshold(make_book):
    few, enough = book_of(make_book, 29, 5, 2), book_of(make_book, 30, 5, 2)

    stalled = [thresholds(book).filter(signal="stalled", stage="Prospect").row(0, named=True) for book in (few, enough)]
    assert [(row["n_won"], row["threshold"]) for row in stalled] == [(29, None), (30, 10)]
    assert stalled[0]["reason"] == "Too few won deals tell of it: a threshold takes 30."
    assert signals(few).height == 0
    shown = signals(enough).rows(named=True)
    assert [(row["signal"], row["threshold"], row["n_won"]) for row in shown] == [("stalled", 10, 30)] * 2
    assert {row["since"] for row in shown} == {date(2026, 4, 1)}
    with pytest.raises(Problem, match="takes 30 won deals; the book knows 29"):
        MEASURES["signals_told"].ask(few, Question())
    told = MEASURES["signals_told"].ask(enough, Question()).row(0, named=True)
    # Of the two that have been open since, each at its moment; too few for a difference.
    assert (told["n_with"], told["n_won_with"], told["difference"], told["within_days"]) == (2, 0, None, 10)


@pytest.mark.parametrize(("n_won", "n_lost", "n_open"), [(0, 20, 10), (6, 4, 2), (40, 0, 0), (0, 0, 0), (40, 5, 5)])
def test_books_that_lack_nearly_everything(make_book, n_won, n_lost, n_open):
    # No touches, no contacts, no amounts, no competitors.
    book = book_of(make_book, n_won, n_lost, n_open)

    found, limits = signals(book), thresholds(book)

    assert set(found["signal"]) <= {"stalled"}
    assert all(row["reason"] for row in limits.iter_rows(named=True) if row["threshold"] is None)
    assert limits.filter(signal="no_reply")["reason"].to_list() == ["No won deal of the book tells of it."]
    for name in ("client_waits", "fewer_people", "amount_up", "competitor"):
        with pytest.raises(Problem, match="cannot be had on this book"):
            MEASURES[f"signal_{name}"].ask(book, Question())
    overdue = MEASURES["signal_overdue"].ask(book, Question()) if n_won + n_lost + n_open else None
    assert overdue is None or overdue["n_shown"].to_list() == [0]


def test_a_book_a_year_old_is_of_its_own_day(make_book):
    old = book_of(make_book, 30, 5, 2, taken="2026-06-30")
    assert old.as_of(date(2026, 4, 1)).day == date(2026, 4, 1)
    assert signals(old.as_of(date(2026, 3, 28))).height == 0


def test_every_reason_and_fact_is_told_in_french(make_book):
    french = words_for("fr").catalogue
    reasons = {row["reason"] for row in thresholds(book_of(make_book, 5, 1, 1)).iter_rows(named=True)} - {None}

    assert [text for text in reasons if text not in french] == []
    assert len(reasons) == 2


def test_the_moment_drawn_for_a_deal_hangs_on_it_alone(sample):
    spans = lives(sample).drop_nulls("ended_at").sort("began_at")
    length = pl.col("ended_at") - pl.col("began_at")

    moments = drawn(spans)

    some = spans.sample(200, seed=1).with_columns(opportunity_key=pl.col("opportunity_key") + 7)
    again = drawn(some).with_columns(pl.col("opportunity_key") - 7)
    assert again.join(moments, on=["opportunity_key", "at"], how="semi").height == 200
    place = moments.join(spans, on="opportunity_key").select((pl.col("at") - pl.col("began_at")) / length).to_series()
    # Uniform over the life: Kolmogorov's statistic of 5,000 has 1.63 / sqrt(n) as its 99 % limit.
    assert kstest(place.to_numpy(), "uniform").statistic < 1.63 / len(place) ** 0.5


def test_difference_in_one_stratum_is_the_plain_one():
    difference, error = at_equal(*(np.array([float(n)]) for n in (80, 120, 20, 60)))

    low, high = confint_proportions_2indep(20, 80, 60, 120, method="wald")
    assert difference == pytest.approx(-0.25)
    assert (difference - 1.959964 * error, difference + 1.959964 * error) == pytest.approx((low, high), abs=1e-6)
    # A stratum with one side only says nothing.
    more = at_equal(*(np.array(n, float) for n in ([80, 5], [120, 0], [20, 5], [60, 0])))
    assert more == pytest.approx((difference, error))
    assert at_equal(*(np.array([float(n)]) for n in (5, 0, 5, 0))) == (None, None)
