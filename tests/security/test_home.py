"""The home page shows each reader what became of their own deals, and nobody those of others."""

import http.client
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from served import now, serving_here, serving_readers

from cadran.access.accounts import Accounts
from cadran.book import open_book
from cadran.book.reader import Reader
from cadran.measures import MEASURES, Question
from cadran.publish.apps import App
from cadran.publish.site import Site
from cadran.text import words_for

PAGE = App("page", "Page", Path(__file__).parent.parent / "publish" / "notebooks" / "page.py", is_page=True)
PASSWORD = "violet marble tractor seven"
READERS = {name: Reader(name, "manager", frozenset({region}), language="en")
           for name, region in {"ana": "Nord", "bob": "Sud-Est"}.items()}  # fmt: skip


@pytest.fixture(scope="module")
def amounts(small_company):
    """The open pipeline of each reader, and of the whole company (None), as the page has it."""
    book, words = open_book(small_company), words_for("en")
    told = {}
    for name, reader in {None: None, **READERS}.items():
        row = MEASURES["volumes"].ask(book.scope(reader) if reader else book, Question()).row(0, named=True)
        told[name] = words.money(row["amount_open"], book.settings.currency, compact=False)
    assert len(set(told.values())) == 3
    return told


@pytest.fixture(scope="module")
def largest(small_company):
    """Each reader's deals created or closed within the last week of the data."""
    book = open_book(small_company)
    week = (book.day - timedelta(days=6), book.day)
    told = {}
    for name, reader in READERS.items():
        seen = book.scope(reader)
        deals = seen.collect(seen.deals(["opportunity_id", "created_date", "closed_date"]))
        mine = deals.filter(deals["created_date"].is_between(*week) | deals["closed_date"].is_between(*week))
        told[name] = set(mine["opportunity_id"])
    assert all(told.values())
    assert not told["ana"] & told["bob"]
    return told


def ask(address, path, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return answer, page


def test_each_sees_what_became_of_their_own_deals(small_company, tmp_path, monkeypatch, amounts, largest):
    monkeypatch.setenv("CADRAN_BOOK", "")
    accounts = Accounts(tmp_path)
    for reader in READERS.values():
        accounts.add(reader, PASSWORD, now())
    with serving_here(Site(small_company, [PAGE], clock=now)) as address:
        everybody = ask(address, "/?lang=en")[1]
    assert amounts[None] in everybody
    assert any(f"open={deal}" in everybody for deal in largest["ana"] | largest["bob"])

    with serving_readers(small_company, [PAGE], accounts) as address:
        assert ask(address, "/")[0].status == 303
        assert ask(address, "/home/page")[0].status == 303
        for name, other in (("ana", "bob"), ("bob", "ana")):
            form = urlencode({"name": name, "password": PASSWORD})
            kind = "application/x-www-form-urlencoded"
            answer, _ = ask(address, "/sign-in", "POST", form, Origin=address, Content_Type=kind)
            page = ask(address, "/?lang=en", Cookie=answer.headers["set-cookie"].partition(";")[0])[1]
            assert amounts[name] in page
            assert not any(amounts[each] in page for each in (other, None))
            assert any(f"open={deal}" in page for deal in largest[name])
            assert not any(f"open={deal}" in page for deal in largest[other])


def test_a_presenter_sees_no_name_and_who_is_told_of_no_deals_none_of_them(
    small_company, tmp_path, monkeypatch, largest
):
    monkeypatch.setenv("CADRAN_BOOK", "")
    accounts, book = Accounts(tmp_path), open_book(small_company)
    for role in ("presenter", "pay"):
        accounts.add(Reader(role, role, frozenset({"Nord"}), language="en"), PASSWORD, now())
    columns = {"reps": ("rep_id", "name"), "accounts": ("account_id", "name")}
    rows = [book.collect(book.table(table).select(*those)) for table, those in columns.items()]
    named = {text for frame in rows for each in frame for text in each.drop_nulls()} | largest["ana"] | largest["bob"]
    with serving_readers(small_company, [PAGE], accounts) as address:
        for role in ("presenter", "pay"):
            form = urlencode({"name": role, "password": PASSWORD})
            kind = "application/x-www-form-urlencoded"
            answer, _ = ask(address, "/sign-in", "POST", form, Origin=address, Content_Type=kind)
            cookie = answer.headers["set-cookie"].partition(";")[0]
            answer, page = ask(address, "/?lang=en", Cookie=cookie)
            assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-store")
            assert "default-src" in answer.headers["content-security-policy"]
            assert not [name for name in named if name in page]
            assert ("The last days of the data" in page) == (role == "presenter")
            # Of the part of a page that is not for them there is nothing, not even that it is coming.
            assert (ask(address, "/home/page?lang=en", Cookie=cookie)[0].status == 404) == (role == "presenter")
