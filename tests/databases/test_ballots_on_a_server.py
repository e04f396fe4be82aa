"""Ballots in PostgreSQL: what they are in a file, they are on a server."""

import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count

import adbc_driver_postgresql.dbapi as postgresql
import ballots
import pytest

from cadran.book import forget, write_book
from cadran.book.ballots import Ballots, Refused, ballots_of
from cadran.book.ballots_open import pseudonyms_of
from cadran.book.pseudonyms import key_of
from cadran.book.pulse import Pulse
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem

_NUMBERS = count()
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.fixture
def address(server):
    """A schema of its own on the server."""
    schema = f"ballots_{next(_NUMBERS)}"
    server.psql(f"create schema {schema};")
    return f"{server.get_uri()}&options=-csearch_path%3D{schema}"


@pytest.fixture
def reached(address, tmp_path):
    """Reaches the store, as often as asked."""
    with ExitStack() as reached:
        yield lambda: reached.enter_context(Ballots(address, tmp_path))


def rows(address, sql):
    with postgresql.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_a_wave_from_opening_to_the_book(reached, tmp_path):
    with_file = ballots.collected(Ballots(tmp_path / "file" / "ballots.sqlite"))
    on_server = ballots.collected(reached())

    assert on_server.answers.drop("ballot").equals(with_file.answers.drop("ballot"))
    assert on_server.comments.equals(with_file.comments)
    assert on_server.invited["answered"].sum() == with_file.invited["answered"].sum() == 40


def test_answers_leave_the_server_when_they_are_in_the_book(address, reached, tmp_path):
    store = reached()
    ballots.collected(store, Pulse(tmp_path).keep_wave)

    assert rows(address, "select count(*) from boxes") == [(0,)]
    assert rows(address, "select definition, n_answered from waves") == [("", 40)]
    assert rows(address, "select distinct place from links") == [(-1,)]


def test_no_row_tells_which_transaction_brought_an_answer(address, reached):
    store = reached()
    tokens = ballots.opened(store)["token"]
    for number, token in enumerate(tokens[:20]):
        store.answer(token, ballots.answers(number), NOW)

    assert rows(address, "select count(*) from boxes") == [(1,)]
    assert rows(address, "select count(distinct xmin::text) from links") == [(1,)]


def test_of_two_who_use_a_link_at_once_one_is_let_in(address, reached):
    stores = [reached() for _ in range(2)]
    tokens = ballots.opened(stores[0])["token"][:15]
    outcomes = []

    def use(store):
        for number, token in enumerate(tokens):
            try:
                store.answer(token, ballots.answers(number), NOW)
                outcomes.append("in")
            except Refused as refused:
                outcomes.append(refused.why)

    threads = [threading.Thread(target=use, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] * 15 + ["used"] * 15
    assert stores[0].status(NOW)["n_answered"].to_list() == [15]


def test_a_server_that_lost_the_connection_is_reached_again(address, reached):
    store = reached()
    tokens = ballots.opened(store)["token"]
    store.answer(tokens[0], ballots.answers(0), NOW)
    rows(address, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")

    with pytest.raises(Problem, match="cannot be used"):
        store.answer(tokens[1], ballots.answers(1), NOW)
    store.answer(tokens[1], ballots.answers(1), NOW)
    assert store.status(NOW + timedelta(days=1))["n_answered"].to_list() == [2]


def test_somebody_is_forgotten_on_the_server_and_no_row_knows_them(address, tmp_path):
    book = tmp_path / "book"
    settings = Settings(
        name="Example", taken=NOW, time_zone="Europe/Paris", currency="EUR", fiscal_year_starts=1, holidays="FR"
    )
    write_book(book, Delivery.whole(settings, {}), NOW)
    with ballots_of(book, address) as store:
        tokens = ballots.opened(store, ballots.replaced(mode="confidential"))["token"]
        store.answer(tokens[7], ballots.answers(7), NOW)
        (name,) = pseudonyms_of(key_of(book / "pulse", "pulse"), ["p7@example.com"])

        assert forget(book, "p7@example.com", ballots=address)[0].kind == "employee"

        assert store.invitations({"pulse": {name}}) == []
        assert store.close("pulse", "2026-05", NOW).answers.is_empty()
    assert rows(address, "select count(*) from links") == [(59,)]
    assert rows(address, f"select count(*) from waves where definition like '%{name}%'") == [(0,)]


def test_no_message_repeats_the_address():
    with pytest.raises(Problem) as caught:
        Ballots("postgresql://reader:s3cret@127.0.0.1:1/nowhere?connect_timeout=1")

    assert "s3cret" not in str(caught.value)
    assert "reader" not in str(caught.value)
