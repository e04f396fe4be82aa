from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cadran.book.promised import done, forgotten, promise, promises, told
from cadran.book.pulse import pulse_of
from cadran.book.reader import Reader
from cadran.measures.enps_interval import enps_interval, share_interval
from cadran.measures.promised import NONE_BEFORE, NONE_SINCE, check_about, followed, promises_seen
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

#: Favourable of 100 in the company and of 40 in the North, promoters and detractors of 100, by wave.
WAVES = {"2026-03": (40, 18, 30, 30), "2026-04": (42, 20, 30, 35), "2026-05": (70, None, 50, 20)}


@pytest.fixture
def book(make_book):
    made = make_book([{"created": "2025-01-05"}])
    pulse = pulse_of(made)
    scale = {"is_reversed": False, "text_en": "?", "text_fr": "?"}
    asked = pl.DataFrame(
        [{"question_id": "hours", "kind": "agreement", "dimension": "workload", "low": 1, "high": 5, "favourable_from": 4,
          "unfavourable_to": 2, **scale},
         {"question_id": "recommend", "kind": "enps_0_10", "low": 0, "high": 10, "favourable_from": 9, "unfavourable_to": 6,
          **scale}],
        schema=dict(Question.create_empty().schema),
    )  # fmt: skip
    terms = Terms("pulse", {"en": "Pulse"}, "anonymous")
    for name, (company, north, promoters, detractors) in WAVES.items():
        closed = datetime(2026, int(name[-2:]), 20, tzinfo=UTC)
        pulse.keep_wave(Wave(terms, name, closed - timedelta(days=7), closed, asked, Invited.create_empty(),
                             Answer.create_empty(), Comment.create_empty()))  # fmt: skip
        groups = [{"cut": "company", "members": []}]
        groups += [{"cut": "region", "group": each, "members": [each]} for each in ("North", "South")]
        cells = [
            {"cut": "company", "question_id": "hours", "told": "exact", "n": 100, "n_high": company, "n_middle": 0,
             "n_low": 100 - company},
            {"cut": "company", "question_id": "recommend", "told": "exact", "n": 100, "n_high": promoters,
             "n_middle": 100 - promoters - detractors, "n_low": detractors},
            {"cut": "region", "group": "North", "question_id": "hours", "told": "withheld" if north is None else "exact",
             "n": None if north is None else 40, "n_high": north, "n_middle": north and 0, "n_low": north and 40 - north},
            {"cut": "region", "group": "North", "question_id": "recommend", "told": "withheld"},
        ]  # fmt: skip
        frames = [
            pl.DataFrame(rows, schema=dict(kind.create_empty().schema))
            for rows, kind in ((groups, Group), (cells, Cell))
        ]
        pulse.keep_release(Release(terms, name, closed, asked, *frames, Comment.create_empty()))
    return made


def at(month, day):
    return datetime(2026, month, day, 12, tzinfo=UTC)


def test_a_promise_is_noted_told_and_done(book):
    name = promise(book, "pulse", "workload", " Hire two ", "Ada", date(2026, 7, 1), at(4, 25))
    other = promise(
        book, "pulse", "hours", "No mails after six", "Bea", date(2026, 5, 1), at(4, 26), ("region", None, "North")
    )
    told(book, name, date(2026, 4, 26), at(4, 27))
    done(book, other, date(2026, 5, 2), at(5, 2))

    found = promises(book)

    assert (name, other) == ("p1", "p2")
    assert found.select("promise_id", "action", "owner", "promised_on", "due", "told_on", "done_on").rows() == [
        ("p1", "Hire two", "Ada", date(2026, 4, 25), date(2026, 7, 1), date(2026, 4, 26), None),
        ("p2", "No mails after six", "Bea", date(2026, 4, 26), date(2026, 5, 1), None, date(2026, 5, 2)),
    ]  # fmt: skip
    april = promises(book.as_of(date(2026, 4, 26)))
    assert april.select("promise_id", "told_on", "done_on").rows() == [("p1", None, None), ("p2", None, None)]
    assert forgotten(book.version.parent, "Ada", "forgotten-1") == 1
    assert promises(book)["owner"].to_list() == ["forgotten-1", "Bea"]


@pytest.mark.parametrize(
    ("action", "owner", "due", "sentence"),
    [
        (" ", "Ada", date(2026, 7, 1), "said in 0 letters"),
        ("x" * 501, "Ada", date(2026, 7, 1), "said in 501 letters"),
        ("Hire", " ", date(2026, 7, 1), "Nobody sees to it"),
        ("Hire", "Ada", date(2026, 4, 24), "a day gone by"),
    ],
)
def test_what_is_no_promise_is_refused(book, action, owner, due, sentence):
    with pytest.raises(Problem, match=sentence):
        promise(book, "pulse", "workload", action, owner, due, at(4, 25))
    assert promises(book).is_empty()


def test_days_that_cannot_be_are_refused(book):
    name = promise(book, "pulse", "workload", "Hire", "Ada", date(2026, 7, 1), at(4, 25))

    with pytest.raises(Problem, match="promised as p9"):
        told(book, "p9", date(2026, 4, 26), at(4, 27))
    for day in (date(2026, 4, 24), date(2026, 4, 28)):
        with pytest.raises(Problem, match="does not lie between"):
            done(book, name, day, at(4, 27))


def test_a_promise_is_followed_from_the_last_wave_before_it_to_the_last_since(book):
    promise(book, "pulse", "workload", "Hire", "Ada", date(2026, 7, 1), at(4, 25))
    promise(book, "pulse", "recommend", "Listen", "Ada", date(2026, 7, 1), at(3, 25))

    found = followed(book)

    first, second = found.rows(named=True)
    assert (first["first_wave"], first["last_wave"], first["first"], first["last"]) == ("2026-04", "2026-05", 42, 70)
    assert (first["moved"], first["is_change"], first["n_compared"]) == (28, True, 2)
    low, high = (100 * float(each) for each in share_interval(42, 100))
    assert (first["first_low"], first["first_high"]) == pytest.approx((low, high))
    assert (second["first_wave"], second["first"], second["last"]) == ("2026-03", 0, 30)
    low, high = (float(each) for each in enps_interval(30, 40, 30))
    assert (second["first_low"], second["first_high"]) == pytest.approx((low, high))
    last_low, last_high = (float(each) for each in enps_interval(50, 30, 20))
    by_hand = 30 - ((30 - last_low) ** 2 + (high - 0) ** 2) ** 0.5, 30 + ((last_high - 30) ** 2 + (0 - low) ** 2) ** 0.5
    assert (second["moved_low"], second["moved_high"]) == pytest.approx(by_hand)


def test_what_cannot_be_followed_says_why(book):
    promise(book, "pulse", "workload", "Hire", "Ada", date(2026, 7, 1), at(3, 1))
    promise(book, "pulse", "workload", "Hire", "Ada", date(2026, 7, 1), at(4, 25), ("region", None, "North"))

    found = followed(book)

    assert found["reason"].to_list() == [NONE_BEFORE, NONE_SINCE]
    assert found["first"].to_list() == [None, 50]
    assert found["moved"].null_count() == 2


def test_a_reader_is_told_of_the_groups_they_may_see(book):
    promise(book, "pulse", "workload", "Hire", "Ada", date(2026, 7, 1), at(4, 25))
    promise(book, "pulse", "workload", "Hire", "Ada", date(2026, 7, 1), at(3, 25), ("region", None, "North"))

    theirs = replace(book, reader=Reader("s", "manager", regions=frozenset({"South"})))

    assert promises_seen(theirs)["cut"].to_list() == ["company"]
    assert followed(theirs)["last"].to_list() == [70]
    assert promises_seen(replace(theirs, reader=Reader("h", "hr", regions=frozenset({"South"})))).height == 2
    with pytest.raises(Problem, match="was not released for North"):
        check_about(theirs, "workload", "North", "region")


def test_a_promise_is_about_what_was_asked_and_released(book):
    assert check_about(book, "workload") == ("company", None, None, "pulse")
    assert check_about(book, "hours", "North", "region") == ("region", None, "North", "pulse")
    with pytest.raises(Problem, match="asks about tools"):
        check_about(book, "tools")
    with pytest.raises(Problem, match="Groups released: North, South"):
        check_about(book, "hours", "West", "region")


def test_nothing_promised_is_nothing_followed(book):
    assert followed(book).is_empty()
