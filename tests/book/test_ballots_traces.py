"""What the files of a store tell afterwards: that someone answered, and never what, nor in which order."""

import random
import shutil
import sqlite3
import stat
from contextlib import closing

import ballots
import polars as pl
import pytest

from cadran.book.ballots import Ballots
from cadran.book.pulse import Pulse

#: Of the head of an SQLite file: how often it was written.
COUNTERS = (*range(24, 28), *range(92, 96))
ANONYMOUS, CONFIDENTIAL = ballots.TERMS, ballots.replaced(mode="confidential")


@pytest.fixture
def opened(tmp_path):
    """The folder of a store with an open wave, and its links."""

    def opened(terms=ANONYMOUS, invited=None):
        with Ballots(tmp_path / "opened" / "ballots.sqlite") as store:
            return tmp_path / "opened", ballots.opened(store, terms, invited=invited)["token"].to_list()

    return opened


def answered(folder, tokens, copy, at_once=1):
    """The file of a copy of a store, in which people answered in this order, so many at once: pairs of a link and an
    answer's number."""
    shutil.copytree(folder, copy)
    given = [(token, ballots.answers(number)) for token, number in tokens]
    with Ballots(copy / "ballots.sqlite") as store:
        for at in range(0, len(given), at_once):
            assert store.answer_all(given[at : at + at_once], ballots.NOW) == [None] * len(given[at : at + at_once])
    return copy / "ballots.sqlite"


def without_counters(path):
    data = bytearray(path.read_bytes())
    for at in COUNTERS:
        data[at] = 0
    return bytes(data)


@pytest.mark.parametrize("terms", [ANONYMOUS, CONFIDENTIAL], ids=["anonymous", "confidential"])
@pytest.mark.parametrize("at_once", [1, 7, 40])
def test_the_same_answers_in_another_order_leave_the_same_file(opened, tmp_path, terms, at_once):
    folder, tokens = opened(terms)
    pairs = list(zip(tokens[:40], range(40), strict=True))

    one = answered(folder, pairs, tmp_path / "one")
    other = answered(folder, random.Random(at_once).sample(pairs, len(pairs)), tmp_path / "other", at_once)

    assert without_counters(one) == without_counters(other)
    assert one.read_bytes() != (folder / "ballots.sqlite").read_bytes()


def test_an_anonymous_file_is_the_same_whoever_of_a_group_gave_which_answer(opened, tmp_path):
    people = ballots.people()
    folder, tokens = opened()
    group = people.with_row_index().filter(pl.col("team") == "T1", pl.col("role").is_null())["index"].to_list()

    one = answered(folder, [(tokens[at], at) for at in group], tmp_path / "one")
    other = answered(folder, [(tokens[at], of) for at, of in zip(group, group[::-1], strict=True)], tmp_path / "other")

    assert without_counters(one) == without_counters(other)


def test_a_confidential_file_is_not(opened, tmp_path):
    folder, tokens = opened(CONFIDENTIAL)

    one = answered(folder, [(tokens[0], 0), (tokens[1], 1)], tmp_path / "one")
    other = answered(folder, [(tokens[0], 1), (tokens[1], 0)], tmp_path / "other")

    assert without_counters(one) != without_counters(other)


def test_beside_the_file_nothing_is_left_of_how_it_was(opened, tmp_path):
    folder, tokens = opened()
    with Ballots(folder / "ballots.sqlite") as store:
        for number, token in enumerate(tokens[:40]):
            store.answer(token, ballots.answers(number), ballots.NOW)

            left = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
            assert left.pop("ballots.sqlite")
            assert set(left.values()) <= {0}


def test_no_address_no_name_and_no_link_is_kept(opened, tmp_path):
    people = ballots.people().with_columns(name=pl.format("Ann Quibble{}", pl.int_range(60)))
    folder, tokens = opened(invited=people)
    data = answered(folder, [(tokens[0], 0)], tmp_path / "copy").read_bytes()

    assert not [token for token in tokens if token.encode() in data]
    assert b"example.com" not in data
    assert b"Ann Quibble" not in data
    with closing(sqlite3.connect(tmp_path / "copy" / "ballots.sqlite")) as file:
        names = [
            name
            for (sql,) in file.execute("select sql from sqlite_master where sql like 'create%'")
            for name in sql.split()
        ]
    assert [name for name in names if name.endswith("_at")] == ["opened_at", "closes_at", "closed_at"]


def test_once_closed_the_file_holds_no_answer_any_more(tmp_path):
    with Ballots(tmp_path / "ballots.sqlite") as store:
        wave = ballots.collected(store, Pulse(tmp_path).keep_wave)

    data = (tmp_path / "ballots.sqlite").read_bytes()
    assert wave.comments.height > 10
    assert not [text for text in wave.comments["text"] if text.encode() in data]
    assert not [person for person in wave.invited["person"] if person.encode() in data]
    assert b"recommend" not in data
    with closing(sqlite3.connect(tmp_path / "ballots.sqlite")) as file:
        assert file.execute("pragma freelist_count").fetchone() == (0,)
        assert file.execute("select distinct place from links").fetchall() == [(-1,)]


def test_store_and_key_are_for_their_owner_alone(tmp_path):
    with Ballots(tmp_path / "pulse" / "ballots.sqlite") as store:
        ballots.collected(store)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "pulse").rglob("*") if path.is_file()}
    assert set(modes.values()) == {0o600}
    assert set(modes) >= {"ballots.sqlite", "pulse.key"}
