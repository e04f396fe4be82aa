"""`cadran user`: who may sign in, and what they see."""

import json
import shutil

import pytest

from cadran.access.accounts import Accounts
from cadran.book import SAMPLE


@pytest.fixture
def book(tmp_path):
    """The sample, without surveys."""
    there = tmp_path / "book"
    shutil.copytree(SAMPLE, there, ignore=shutil.ignore_patterns("pulse"))
    return there


def test_an_account_is_added_listed_reset_and_removed(book, run):
    def user(*arguments):
        return run("user", *arguments, "--book", book)

    status, told, _ = user("add", "ana@x.fr", "--role", "manager", "--region", "Nord", "--team", "Lille")
    first = told.splitlines()[-1]
    listed = json.loads(user("list", "--format", "json")[1])
    assert status == 0
    assert [(row["name"], row["regions"], row["teams"], row["password_to_replace"]) for row in listed] == [
        ("ana@x.fr", ["Nord"], ["Lille"], True)
    ]
    assert "Nord" in user("list")[1]
    second = user("reset", "ana@x.fr")[1].splitlines()[-1]
    assert first != second
    assert len(second) == 23
    assert user("remove", "ana@x.fr")[0] == 0
    assert Accounts(book).all() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--role", "manager"), "The role manager needs a scope."),
        (("--role", "manager", "--region", "Nrod"), "No region is called Nrod.\nDid you mean Nord?"),
        (("--role", "manager", "--team", "Moon"), "No team is called Moon.\nThe book has: "),
        (("--role", "analyst", "--company", "--region", "Nord"), "The scope is said twice."),
        (("--role", "king"), "'king' is not one of"),
    ],
)
def test_what_cannot_be_an_account_is_told(book, run, arguments, said):
    status, _, complaint = run("user", "add", "ana@x.fr", *arguments, "--book", book)

    assert status
    assert " ".join(said.split()) in " ".join(complaint.split())
    assert Accounts(book).all() == []


def test_a_book_without_accounts_is_not_served_to_the_signed_in(book, run):
    status, _, complaint = run("serve", "--sign-in", "--book", book)

    assert status == 1
    assert "Nobody has an account on this book." in complaint
