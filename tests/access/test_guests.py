"""Those who sign in at a provider, beside those with a password."""

from datetime import UTC, datetime, timedelta

import pytest

from cadran.access.accounts import IDLE, Accounts
from cadran.access.guests import Guests, NotLetIn, keep_sessions
from cadran.book.reader import Reader
from cadran.tables.problems import Problem

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
ANA = Reader("Ana@x.fr", "manager", frozenset({"North"}), language="fr")
PASSWORD = "violet marble tractor seven"


@pytest.fixture
def accounts(tmp_path):
    return Accounts(tmp_path, lasts=timedelta(hours=1))


@pytest.fixture
def guests(accounts):
    return Guests(accounts, "https://a.example", "terms")


def test_a_session_lasts_as_others_do_and_sees_what_was_granted_last(accounts, guests):
    first = guests.enter("u1", ANA, NOW, "s1", "hint")
    assert accounts.session(first, NOW).reader == ANA
    assert accounts.session(first, NOW).is_guest
    assert guests.hint(first) == "hint"
    south = Reader("Ana@x.fr", "manager", frozenset({"South"}), language="fr")
    guests.enter("u1", south, NOW, None, "")
    assert accounts.session(first, NOW).reader == south
    assert accounts.session(first, NOW + timedelta(hours=1)) is None  # shorter than those of others, as it was said
    assert timedelta(hours=1) < IDLE


def test_the_same_name_at_another_provider_is_somebody_else(accounts, guests):
    guests.enter("u1", ANA, NOW, None, "")
    with pytest.raises(NotLetIn, match="the name of another account"):
        Guests(accounts, "https://b.example", "terms").enter("u1", ANA, NOW, None, "")


def test_who_is_called_otherwise_now_is_still_the_same(accounts, guests):
    token = guests.enter("u1", ANA, NOW, None, "")
    married = Reader("ana.b@x.fr", "manager", frozenset({"North"}))
    guests.enter("u1", married, NOW, None, "")

    assert accounts.session(token, NOW).reader == married
    assert [each.reader.id for each in accounts.all()] == ["ana.b@x.fr"]
    guests.enter("u2", ANA, NOW, None, "")  # the name is free again
    with pytest.raises(NotLetIn):
        guests.enter("u2", married, NOW, None, "")


def test_the_provider_ends_one_session_or_all_of_somebody_and_nobody_elses(accounts, guests):
    other = Guests(accounts, "https://b.example", "terms")
    one, two, unnamed = (guests.enter("u1", ANA, NOW, sid, "") for sid in ("s1", "s2", None))
    eve = guests.enter("u2", Reader("eve"), NOW, "s3", "")
    far = other.enter("u1", Reader("far"), NOW, "s1", "")

    def alive():
        return [accounts.session(each, NOW) is not None for each in (one, two, unnamed, eve, far)]

    guests.end(None, "s3x")
    guests.end("u2", "s1")
    assert alive() == [True] * 5
    guests.end(None, "s1")
    assert alive() == [False, True, True, True, True]
    guests.end("u1", "s9")  # a session of theirs: it may be the one that was given no name
    assert alive() == [False, True, False, True, True]
    guests.end("u1")
    assert alive() == [False, False, False, True, True]


def test_who_was_removed_stays_out_until_admitted(accounts, guests):
    token = guests.enter("u1", ANA, NOW, None, "")
    assert accounts.remove("ANA@x.fr") is True
    assert accounts.session(token, NOW) is None
    assert [each.is_blocked for each in accounts.all()] == [True]
    for name in ("Ana@x.fr", "other@x.fr"):
        with pytest.raises(NotLetIn, match="has ended your access"):
            guests.enter("u1", Reader(name), NOW, None, "")
    accounts.admit("ana@x.fr")
    guests.enter("u1", ANA, NOW, None, "")
    for name in ("ana@x.fr", "eve"):
        with pytest.raises(Problem, match="is not kept from"):
            accounts.admit(name)


def test_a_guest_has_no_password_and_gets_none(accounts, guests):
    guests.enter("u1", ANA, NOW, None, "")

    for guess in ("", " ", PASSWORD):
        assert accounts.sign_in("ana@x.fr", guess, NOW) is None
    with pytest.raises(Problem, match="has no password here"):
        accounts.set_password("ana@x.fr", PASSWORD)
    with pytest.raises(Problem, match="has an account already"):
        accounts.add(ANA, PASSWORD, NOW)
    assert accounts.named("ana@x.fr") is None


def test_where_the_terms_change_nobody_stays_signed_in_by_them(accounts, guests):
    accounts.add(Reader("bob"), PASSWORD, NOW)
    bob, ana = accounts.sign_in("bob", PASSWORD, NOW), guests.enter("u1", ANA, NOW, None, "")

    def alive():
        return [accounts.session(each, NOW) is not None for each in (bob, ana)]

    keep_sessions(accounts, "terms", with_passwords=True)
    assert alive() == [True, True]
    keep_sessions(accounts, "other terms", with_passwords=True)
    assert alive() == [True, False]
    ana = guests.enter("u1", ANA, NOW, None, "")
    keep_sessions(accounts, None, with_passwords=True)
    assert alive() == [True, False]
    ana = guests.enter("u1", ANA, NOW, None, "")
    keep_sessions(accounts, "terms", with_passwords=False)
    assert alive() == [False, True]


def test_a_file_of_before_there_were_guests_is_read_on(tmp_path, accounts, guests):
    accounts.add(Reader("bob"), PASSWORD, NOW)
    token = accounts.sign_in("bob", PASSWORD, NOW)
    with accounts.opened(writes=True) as run:
        run.execute("drop table guest_sessions")
        run.execute("drop table guests")

    assert accounts.session(token, NOW).is_guest is False
    assert [each.issuer for each in accounts.all()] == [None]
