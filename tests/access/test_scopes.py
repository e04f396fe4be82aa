"""What an account may see is held to what the book knows, by role."""

import pytest

from cadran.access.accounts import Accounts
from cadran.access.scopes import Known, reader_for
from cadran.book import SAMPLE, Reader, open_book
from cadran.tables.problems import Faults


@pytest.fixture(scope="module")
def book():
    return open_book(SAMPLE)


def made(book, role, regions=(), teams=(), whole=False, reps=()):
    return reader_for(book, "x", role, list(regions), list(teams), whole, "en", list(reps))


def test_a_seller_is_who_the_book_says_by_identifier_or_name(book):
    assert made(book, "seller", reps=["R001"]).persons == {"R001"}
    assert made(book, "seller", reps=["Jeanne Delmarais"]).persons == {"R001"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"role": "seller"}, "Who the seller is has to be said."),
        ({"role": "seller", "reps": ["Jeane Delmarais"]}, "Jeanne Delmarais (R001)"),
        ({"role": "seller", "reps": ["R001"], "regions": ["Nord"]}, "their own deals alone"),
        ({"role": "seller", "reps": ["R001"], "whole": True}, "their own deals alone"),
        ({"role": "manager", "reps": ["R001"]}, "--rep is for a seller"),
        ({"role": "pay"}, "The role pay needs a scope"),
    ],
)
def test_what_cannot_be_is_told(book, asked, said):
    with pytest.raises(Faults) as refused:
        made(book, **asked)

    assert said in str(refused.value)


def test_two_of_one_name_have_to_be_told_apart(book):
    known = Known(book)
    known.reps = known.reps.with_columns(name=known.reps["name"].replace("Rémi Montrevel", "Jeanne Delmarais"))

    persons, faults = known.persons(["Jeanne Delmarais"])

    assert persons == frozenset()
    assert "R001, R002" in str(faults[0])


def test_what_of_a_scope_is_no_more_is_found(book):
    known = Known(book)

    assert known.gone(Reader("a", "manager", frozenset({"Nord", "Atlantis"}), frozenset({"Lyon"}))) == ["Atlantis"]
    assert known.gone(Reader("s", "seller", persons=frozenset({"R001", "forgotten-1"}))) == ["forgotten-1"]
    assert known.said_gone(Reader("a", "analyst")) == []


def test_accounts_of_books_before_there_were_sellers_go_on_working(tmp_path):
    accounts = Accounts(tmp_path)
    accounts.add(Reader("ana", "manager", frozenset({"Nord"})), "violet marble tractor seven", _now())
    with accounts.opened(writes=True) as run:
        run.execute("""update accounts set reader = '{"id": "ana", "role": "manager", "regions": ["Nord"], "teams": [],
                    "language": "en"}'""")

    assert [each.reader for each in accounts.all()] == [Reader("ana", "manager", frozenset({"Nord"}))]


def _now():
    from datetime import UTC, datetime

    return datetime(2026, 6, 1, tzinfo=UTC)
