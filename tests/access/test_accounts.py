"""Accounts, and sessions that end when they should."""

from datetime import UTC, datetime, timedelta

import pytest

from cadran.access.accounts import FILE, IDLE, LASTS, Accounts
from cadran.book.reader import Reader
from cadran.tables.problems import Problem

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
ANA = Reader("Ana@x.fr", "manager", frozenset({"North"}), frozenset({"T1"}), "fr")
PASSWORD = "violet marble tractor seven"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Ana's account, made once: hashes take their time."""
    folder = tmp_path_factory.mktemp("kept")
    Accounts(folder).add(ANA, PASSWORD, NOW, is_temporary=True)
    return (folder / FILE).read_bytes()


@pytest.fixture
def accounts(tmp_path, kept):
    """Ana's account."""
    (tmp_path / FILE).write_bytes(kept)
    return Accounts(tmp_path)


def test_an_account_is_kept_for_its_owner_alone_and_holds_no_secret(tmp_path):
    accounts = Accounts(tmp_path)
    assert (accounts.exist(), accounts.all()) == (False, [])
    accounts.add(ANA, PASSWORD, NOW)
    token = accounts.sign_in("ana@X.FR", PASSWORD, NOW)

    assert [each.reader for each in accounts.all()] == [ANA]
    assert accounts.path.stat().st_mode & 0o777 == 0o600
    assert not any(secret.encode() in accounts.path.read_bytes() for secret in (PASSWORD, token))


def test_who_signs_in_is_known_by_the_token_alone(accounts):
    token = accounts.sign_in("ANA@x.fr", PASSWORD, NOW)

    session = accounts.session(token, NOW)
    assert (session.reader, session.is_temporary) == (ANA, True)
    assert token not in session.key
    assert accounts.session(session.key, NOW) is None
    assert accounts.session(token[:-1], NOW) is None
    assert accounts.sign_in("ana@x.fr", PASSWORD + ".", NOW) is None
    assert accounts.sign_in("eve@x.fr", PASSWORD, NOW) is None


def test_a_session_is_over_after_its_time_and_earlier_if_nobody_uses_it(accounts):
    token = accounts.sign_in("ana@x.fr", PASSWORD, NOW)
    step = IDLE - timedelta(minutes=1)

    assert accounts.session(token, NOW + step, is_used=False)
    assert accounts.session(token, NOW + step)
    assert accounts.session(token, NOW + 2 * step)
    assert accounts.session(token, NOW + 2 * step + IDLE) is None
    other = accounts.sign_in("ana@x.fr", PASSWORD, NOW)
    for moment in range(1, 20):
        accounts.session(other, NOW + moment * timedelta(hours=1))
    assert accounts.session(other, NOW + LASTS) is None


def test_looking_whether_a_session_lasts_does_not_make_it_last(accounts):
    token = accounts.sign_in("ana@x.fr", PASSWORD, NOW)
    for minutes in range(0, 120, 10):
        accounts.session(token, NOW + timedelta(minutes=minutes), is_used=False)

    assert accounts.session(token, NOW + IDLE) is None


def test_signing_out_ends_one_session_or_all(accounts):
    one, two, three = (accounts.sign_in("ana@x.fr", PASSWORD, NOW) for _ in range(3))

    accounts.sign_out(one)
    assert [bool(accounts.session(each, NOW)) for each in (one, two, three)] == [False, True, True]
    accounts.sign_out(two, everywhere=True)
    assert accounts.session(three, NOW) is None


def test_a_new_password_and_the_end_of_an_account_end_its_sessions(accounts):
    token = accounts.sign_in("ana@x.fr", PASSWORD, NOW)
    accounts.set_password("ana@x.fr", "copper window ladder ninety")

    assert accounts.session(token, NOW) is None
    assert accounts.sign_in("ana@x.fr", PASSWORD, NOW) is None
    token = accounts.sign_in("ana@x.fr", "copper window ladder ninety", NOW)
    assert not accounts.session(token, NOW).is_temporary
    accounts.remove("ANA@x.fr")
    assert accounts.session(token, NOW) is None


@pytest.mark.parametrize("name", ["", "two words", "a\nb", "<b>", "x" * 101, 'a"b'])
def test_what_is_no_name_is_refused(accounts, name):
    with pytest.raises(Problem, match="is no name for an account"):
        accounts.add(Reader(name), PASSWORD, NOW)


def test_what_is_taken_unknown_or_damaged_is_told(accounts):
    with pytest.raises(Problem, match="has an account already"):
        accounts.add(Reader("ana@X.fr"), PASSWORD, NOW)
    for change in (accounts.remove, lambda name: accounts.set_password(name, PASSWORD)):
        with pytest.raises(Problem, match=r"has no account\.\nDid you mean ana@x.fr"):
            change("an@x.fr")
    accounts.path.write_bytes(b"no database" * 100)
    with pytest.raises(Problem, match=r"accounts\.sqlite cannot be used"):
        accounts.all()


def test_a_clock_that_is_put_back_makes_no_session_last_longer(accounts):
    token = accounts.sign_in("ana@x.fr", PASSWORD, NOW + timedelta(days=1))

    assert accounts.session(token, NOW + timedelta(days=1) - timedelta(minutes=4)) is not None
    assert accounts.session(token, NOW) is None
