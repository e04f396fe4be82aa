"""Looks at open deals, against a slow loop over the book as it was known on each date."""

import shutil
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from looks import UNTIL, lives, looked_at, snapshots
from polars.testing import assert_frame_equal

from cadran.book import Book, open_book, purge, write_book
from cadran.book.held import hold
from cadran.models import landmarks
from cadran.models.landmarks import BEYOND, ENDED, ENDS, N_PERIODS, OPEN, WON, take
from cadran.sources.sample import invent
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery, Settings

WEEK = timedelta(days=7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FATES = {"won": WON, "lost": ENDED, "disqualified": ENDED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looks") / "book"
    delivery = invent(deals=60, seed=4, activities=0.1)
    write_book(folder, delivery, delivery.settings.taken)
    return folder


@pytest.fixture(scope="module")
def book(folder) -> Book:
    return hold(open_book(folder))


@pytest.fixture
def every_look(monkeypatch):
    """All looks are taken, not a few of each deal."""
    monkeypatch.setattr(landmarks, "PER_DEAL", (10_000, 10_000))
    monkeypatch.setattr(landmarks, "MOST_ROWS", 10**9)


def days(instant: datetime) -> float:
    return (instant - EPOCH) / timedelta(days=1)


def slowly(book: Book, n_weeks: int) -> set[tuple[int, datetime]]:
    """The deals that were open on each of the last weekly dates."""
    found = set()
    for turn in range(1, n_weeks + 1):
        seen = book.as_of(book.moment - turn * WEEK)
        deals = seen.collect(seen.deals(["opportunity_key", "status"])).filter(status="open")
        found |= {(key, seen.moment) for key in deals["opportunity_key"]}
    return found


def test_looks_are_at_the_deals_open_on_weekly_dates(book, every_look):
    taken = take(book)

    recent = taken.keep(taken.at > days(book.moment - 41 * WEEK) + 0.5)
    looks = set(recent.facts.select("opportunity_key", "at").iter_rows())
    assert looks == slowly(book, 40)
    assert len(looks) == len(recent)
    assert (taken.weight == 1).all()
    assert taken.at.tolist() == pytest.approx([days(at) for at in taken.facts["at"]], abs=1e-9)
    assert taken.facts["opportunity_id"].null_count() == 0


def test_a_few_looks_stand_for_all(book, monkeypatch):
    few = take(book, seed=1)
    with monkeypatch.context() as patched:
        patched.setattr(landmarks, "PER_DEAL", (10_000, 10_000))
        every = take(book)

    assert len(few) < len(every)
    assert few.weight.sum() == pytest.approx(len(every), abs=1e-6)
    looks = set(every.facts.select("opportunity_key", "at").iter_rows())
    assert set(few.facts.select("opportunity_key", "at").iter_rows()) <= looks
    again = take(book, seed=1)
    assert_frame_equal(again.facts, few.facts)
    assert (take(book, seed=2).at != few.at).any()


def test_what_came_of_each_is_what_the_book_tells(book, every_look):
    taken = take(book)
    versions = book.collect(book.table("versions")).sort("valid_from")

    for place in np.random.default_rng(0).choice(len(taken), 150):
        at = taken.facts["at"][int(place)]
        later = versions.filter(opportunity_key=int(taken.deal[place])).filter(pl.col("valid_from") > at)
        closed = later.filter(pl.col("status") != "open").head(1)
        status, end = (closed["status"][0], closed["valid_from"][0]) if len(closed) else ("open", book.moment)
        assert taken.outcome[place] == FATES.get(status, OPEN)
        assert taken.end[place] == pytest.approx(days(end), abs=1e-9)


def test_what_was_known_on_a_day_is_what_the_book_told_that_day(book, every_look):
    then = book.as_of(book.moment - 30 * WEEK)

    past, told = take(book).known_on(days(then.moment)), take(then)

    order = ["opportunity_key", "at"]
    assert_frame_equal(past.facts.sort(order), told.facts.sort(order))
    sorted_alike = (each.facts.with_row_index("row").sort(order)["row"].to_numpy() for each in (past, told))
    past, told = (each.keep(rows) for each, rows in zip((past, told), sorted_alike, strict=True))
    for name in ("deal", "weight", "at", "end", "outcome", "known"):
        assert getattr(past, name).tolist() == pytest.approx(getattr(told, name).tolist(), abs=1e-9), name
    assert past.until == pytest.approx(told.until, abs=1e-9)


def test_no_more_rows_than_a_fit_may_have(book, monkeypatch):
    every = take(book).weight.sum()
    monkeypatch.setattr(landmarks, "MOST_ROWS", 120)
    taken = take(book)

    assert 0.4 * 120 < len(taken.rows().of) < 1.6 * 120
    assert np.unique(taken.deal).size < 40
    sums = [take(book, seed).weight.sum() for seed in range(8)]
    assert np.mean(sums) == pytest.approx(every, rel=0.3)  # 8 draws of some 20 deals of 60


def test_looks_begin_where_a_purge_ended(folder, tmp_path, every_look):
    copy = tmp_path / "book"
    shutil.copytree(folder, copy)
    before = take(open_book(copy))
    purge(copy, date(2025, 10, 1))
    kept = take(open_book(copy))

    since = days(datetime(2025, 9, 30, 22, tzinfo=UTC))  # midnight in Paris
    assert kept.at.min() >= since
    assert len(kept) == (before.at >= since).sum()


# ---- tiny books ----


def tiny(folder, taken, versions, **settings) -> Book:
    """A book, or its next import, from versions (deal, from, to, status, stage)."""
    times = [
        dict(zip(("opportunity_id", "valid_from", "valid_to", "status", "stage"), row, strict=True)) for row in versions
    ]
    ids = sorted({row["opportunity_id"] for row in times})
    stages = [("Prospect", 0, "open"), ("Propose", 1, "open"), ("Won", 2, "won"), ("Lost", 3, "lost")]
    rows = {
        "opportunities": [{"opportunity_id": each, "created_at": datetime(2025, 1, 1, tzinfo=UTC)} for each in ids],
        "versions": times,
        "stages": [dict(zip(("stage", "position", "kind"), row, strict=True)) for row in stages],
    }
    tables = {}
    for name, given in rows.items():
        schema = dict(TABLES[name].create_empty().schema)
        tables[name] = pl.DataFrame([{c: row.get(c) for c in schema} for row in given], schema=schema, orient="row")
    delivery = Delivery.whole(Settings(name="tiny", taken=taken, **settings), tables, histories=frozenset({"versions"}))
    write_book(folder, delivery, taken, accept_vanished=True)
    return open_book(folder)


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def told(taken) -> list[tuple]:
    """Deal, day of the look, day of the end, and outcome of each look."""
    first = days(day(0))
    ids = taken.facts["opportunity_id"]
    return sorted(
        (deal, round(at - first, 6), round(end - first, 6), int(fate))
        for deal, at, end, fate in zip(ids, taken.at, taken.end, taken.outcome, strict=True)
    )


def test_lives_begin_and_end_on_the_dates_themselves(tmp_path, every_look):
    book = tiny(
        tmp_path / "book", day(28),
        [
            ("a", day(7), day(14), "open", "Prospect"), ("a", day(14), day(21), "open", "Propose"),
            ("a", day(21), None, "won", "Won"),
            ("b", day(8), day(27), "open", "Prospect"), ("b", day(27), day(28), "lost", "Lost"),
            ("b", day(28), None, "open", "Prospect"),  # opened again
            ("c", day(15), None, "open", "Prospect"),
            ("d", day(10), None, "won", "Won"),  # was never seen open
        ],
    )  # fmt: skip

    assert told(take(book)) == [
        ("a", 7, 21, WON), ("a", 14, 21, WON),  # on the 21st it is open no more
        ("b", 14, 27, ENDED), ("b", 21, 27, ENDED),
        ("c", 21, 28, OPEN),
    ]  # fmt: skip


def test_a_deal_opened_again_is_another_life(tmp_path, every_look):
    book = tiny(
        tmp_path / "book", day(40),
        [
            ("a", day(0), day(9), "open", "Prospect"), ("a", day(9), day(18), "lost", "Lost"),
            ("a", day(18), day(30), "open", "Propose"), ("a", day(30), None, "won", "Won"),
        ],
    )  # fmt: skip

    assert told(take(book)) == [("a", 5, 9, ENDED), ("a", 19, 30, WON), ("a", 26, 30, WON)]


def test_a_deal_that_vanished_came_to_nothing_seen(tmp_path, every_look):
    folder = tmp_path / "book"
    still = ("b", day(0), None, "open", "Prospect")
    tiny(folder, day(20), [("a", day(0), None, "open", "Prospect"), still])
    gone = [look for look in told(take(tiny(folder, day(30), [still]))) if look[0] == "a"]

    assert {look[2:] for look in gone} == {(30, OPEN)}


def test_a_deal_that_came_back_won_was_not_won_when_it_vanished():
    frame = pl.DataFrame({
        "opportunity_key": [1, 1], "valid_from": [day(0), day(20)], "valid_to": [day(10), None], "known_from": None,
        "status": ["open", "won"],
    })  # fmt: skip
    book = SimpleNamespace(moment=day(30), table=lambda name: frame, collect=lambda told: told)

    assert landmarks._lives(book).select("end", "outcome", "known").rows() == [(day(10), OPEN, day(10))]


def test_a_closing_entered_late_is_known_from_its_entry_on(tmp_path, every_look):
    folder = tmp_path / "book"
    still = ("b", day(0), None, "open", "Prospect")
    tiny(folder, day(20), [("a", day(0), None, "open", "Prospect"), still])
    book = tiny(
        folder, day(40), [("a", day(0), day(12), "open", "Prospect"), ("a", day(12), None, "won", "Won"), still]
    )

    taken = take(book)
    between, after = (taken.known_on(days(day(number))) for number in (30, 41))

    assert {look[2:] for look in told(taken) if look[0] == "a"} == {(12, WON)}
    assert {look[2:] for look in told(between) if look[0] == "a"} == {(30, OPEN)}
    assert {look[2:] for look in told(after) if look[0] == "a"} == {(12, WON)}


def test_an_empty_book_and_one_of_today_have_no_looks(tmp_path):
    empty = take(tiny(tmp_path / "empty", day(0), []))
    young = take(tiny(tmp_path / "young", day(5), [("a", day(0), None, "open", "Prospect")]))

    for taken in (empty, young):
        assert len(taken) == len(taken.rows().of) == 0
        assert len(taken.known_on(days(day(3)))) == 0


# ---- person-period rows ----


def plain_rows(taken) -> list[tuple]:
    """Of each look, each period that it entered and that is known to its end."""
    rows = []
    for of in range(len(taken)):
        lived, followed = taken.end[of] - taken.at[of], taken.until - taken.at[of]
        period, start = 0, 0.0
        while start < lived:
            stop = ENDS[period] if period < len(ENDS) else start + BEYOND
            has_vanished = taken.outcome[of] == OPEN and taken.end[of] < taken.until and lived < stop
            if followed >= stop and not has_vanished:
                rows.append((of, period, taken.at[of] + start, taken.outcome[of] if lived <= stop else OPEN))
            period, start = min(period + 1, N_PERIODS - 1), float(stop)
    return sorted(rows)


def test_rows_against_a_plain_loop():
    taken = looked_at(lives(120, seed=3))
    # One vanishes, one closes at the very end of a period, one at the end of all.
    taken.outcome[0], taken.end[0] = OPEN, taken.at[0] + 20
    taken.outcome[1], taken.end[1] = WON, taken.at[1] + ENDS[1]
    taken.outcome[2], taken.end[2] = ENDED, UNTIL
    rows = taken.rows()

    found = sorted(zip(rows.of, rows.period, rows.start, rows.outcome, strict=True))

    assert found == plain_rows(taken)
    assert {0, 1, 2} == set(rows.outcome)
    assert max(rows.period) == N_PERIODS - 1


def test_a_period_not_over_yet_counts_for_nobody():
    # Of three seen 10 days ago one has closed since: to count it alone would be to count the quick ones.
    frame = pl.DataFrame({
        "deal": [0, 1, 2], "at": [UNTIL - 10] * 3, "end": [UNTIL - 5, UNTIL, UNTIL], "fate": [WON, OPEN, OPEN]
    })  # fmt: skip

    assert len(snapshots(frame).rows().of) == 0
    followed = snapshots(frame.with_columns(pl.col("at") - 4))
    assert followed.rows().outcome.tolist() == [WON, OPEN, OPEN]
