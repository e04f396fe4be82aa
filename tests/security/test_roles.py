"""Readers of every role against each other, on every page: pictures and live pages hold nothing that is others'. Each is first
shown to hold it for who sees all."""

import re
import shutil
import time
from datetime import UTC, datetime

import pytest
from served import serving_readers
from visitor import ask, heard, live, sign_in
from websockets.exceptions import InvalidStatus

from cadran.access.accounts import Accounts
from cadran.book import open_book
from cadran.book.reader import Reader
from cadran.book.views import Views
from cadran.publish.apps import shipped_apps

PASSWORD = "violet marble tractor seven"
PAGES = ("opportunities", "process", "resources", "pulse", "definitions")


@pytest.fixture(scope="module")
def book(small_company, tmp_path_factory):
    """A book whose log of views is its own."""
    folder = tmp_path_factory.mktemp("roles") / "book"
    shutil.copytree(small_company, folder)
    return folder


@pytest.fixture(scope="module")
def sellers(book):
    """Two sellers of one region with the most open deals, and that region."""
    whole = open_book(book)
    deals = whole.collect(whole.deals(["opportunity_id", "status", "rep_id", "region"])).filter(status="open")
    region = deals["region"].drop_nulls().mode().sort()[0]
    counted = deals.filter(region=region).group_by("rep_id").len().sort("len", "rep_id", descending=True)
    return counted["rep_id"][0], counted["rep_id"][1], region


@pytest.fixture(scope="module")
def readers(sellers):
    one, other, region = sellers
    elsewhere = "Sud-Est" if region != "Sud-Est" else "Nord"
    return {
        "all": Reader("all", "analyst", language="en"),
        "one": Reader("one", "seller", language="en", persons=frozenset({one})),
        "other": Reader("other", "seller", language="en", persons=frozenset({other})),
        "manager": Reader("manager", "manager", frozenset({elsewhere}), language="en"),
        "pay": Reader("pay", "pay", language="en"),
    }


@pytest.fixture(scope="module")
def address(book, readers):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CADRAN_BOOK", "")
        accounts = Accounts(book)
        for reader in readers.values():
            accounts.add(reader, PASSWORD, datetime.now(UTC))
        with serving_readers(book, shipped_apps(), accounts) as there:
            yield there


@pytest.fixture(scope="module")
def cookies(address, readers):
    return {name: sign_in(address, name, PASSWORD) for name in readers}


def picture(address, page, cookie):
    """The prepared picture of a page, once it is ready, or why there is none."""
    for _ in range(600):
        status, _, said = ask(address, f"/{page}?lang=en", cookie)
        if status != 200 or "skeleton aria" not in said:
            break
        time.sleep(0.2)
    return status, said


def seen(address, page, cookie, session):
    """All that somebody is shown of a page: its picture and its live side."""
    status, said = picture(address, page, cookie)
    if status != 200:
        return status, said
    with live(address, page, session, cookie) as socket:
        return 200, said + heard(socket)


def secrets(book, reader):
    """Deals that are not a reader's, and sellers who are not: identifiers and names."""
    whole, own = open_book(book), open_book(book, reader)
    deals, theirs = (set(b.collect(b.deals(["opportunity_id"]))["opportunity_id"]) for b in (whole, own))
    everybody = whole.collect(whole.table("reps").select("rep_id", "name"))
    known = own.collect(own.table("reps").select("rep_id", "name"))
    names = set(everybody["name"].drop_nulls()) - set(known["name"])
    return deals - theirs, names | (set(everybody["rep_id"]) - set(known["rep_id"]))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_what_is_others(address, cookies, readers, book, page):
    told = {name: seen(address, page, cookies[name], f"{page}-{name}") for name in readers}

    status, everything = told.pop("all")
    assert status == 200
    found = 0
    for name, (status, said) in told.items():
        deals, persons = secrets(book, readers[name])
        is_closed = name == "pay" and page in ("opportunities", "process")
        assert status == (403 if is_closed else 200)
        found += any(each in everything for each in deals | persons)
        assert {each for each in deals | persons if each in said} == set()
    if page in ("opportunities", "process"):
        assert found == len(told)  # who sees all is shown them


def test_two_sellers_never_share_a_picture(address, cookies, readers, book):
    """Each picture holds deals of its own seller and none of the other's, whoever asks after whom."""
    own = {}
    for name in ("one", "other"):
        theirs = open_book(book, readers[name])
        own[name] = set(
            theirs.collect(theirs.deals(["opportunity_id", "status"])).filter(status="open")["opportunity_id"]
        )
    assert own["one"].isdisjoint(own["other"])

    for name, other in (("one", "other"), ("other", "one"), ("one", "other")):
        said = picture(address, "opportunities", cookies[name])[1]
        assert [each for each in own[name] if each in said]
        assert not [each for each in own[other] if each in said]


@pytest.mark.parametrize("page", ["opportunities", "process"])
def test_a_page_that_is_not_for_a_role_has_no_live_side_either(address, cookies, page):
    with pytest.raises(InvalidStatus, match="403"):
        live(address, page, f"closed-{page}", cookies["pay"])
    status, _, home = ask(address, "/", cookies["pay"])
    assert (status, f'href="/{page}' in home, 'href="/resources' in home) == (200, False, True)
    assert "#waterfall" not in home  # of deals nothing is told


def test_who_is_shown_how_much_each_seller_has_is_noted_once_an_hour_and_oneself_never(address, cookies, book, sellers):
    for name in ("all", "one", "all"):
        with live(address, "resources", f"noted-{name}{datetime.now(UTC):%f}", cookies[name], by="seller") as socket:
            heard(socket)

    log = Views(book).all()

    assert set(log["kind"]) == {"load"}
    assert set(log["who"]) == {"all"}
    assert {*sellers[:2]} <= set(log["whom"])
    assert Views(book).path.stat().st_mode & 0o777 == 0o600


def test_a_region_that_vanished_is_told_on_pages_and_on_the_account(address, book):
    gone = Reader("gone", "manager", frozenset({"Atlantis"}), language="en")
    Accounts(book).add(gone, PASSWORD, datetime.now(UTC))
    cookie = sign_in(address, "gone", PASSWORD)

    status, said = seen(address, "opportunities", cookie, "vanished")

    assert status == 200
    assert "No seller of this book is in Atlantis any more" in said
    assert "No seller of this book is in Atlantis any more" in ask(address, "/account?lang=en", cookie)[2]
    deals, persons = secrets(book, gone)
    assert not [each for each in deals | persons if each in said]
    assert "any more" not in ask(address, "/account?lang=en", sign_in(address, "manager", PASSWORD))[1]


def test_a_vanished_region_is_told_on_the_home_page_and_menus_lead_where_one_may_go(address, book, cookies):
    gone = Reader("left", "manager", frozenset({"Atlantis"}), language="en")
    Accounts(book).add(gone, PASSWORD, datetime.now(UTC))
    assert (
        "No seller of this book is in Atlantis any more"
        in ask(address, "/?lang=en", sign_in(address, "left", PASSWORD))[2]
    )
    assert "any more" not in ask(address, "/?lang=en", cookies["all"])[2]

    for name in ("pay", "all"):
        _, said = seen(address, "definitions", cookies[name], f"menu-{name}")
        named = set(re.findall(r'href=\\?"/(\w+)\?', said)) - {"account"}
        assert {ask(address, f"/{each}", cookies[name])[0] for each in named} == {200}
        assert ("process" in named) == (name == "all")


def test_an_account_says_what_it_sees(address, cookies):
    said = {name: ask(address, "/account?lang=en", cookie)[2] for name, cookie in cookies.items()}

    assert "your own deals" in said["one"]
    assert "pay plans" in said["pay"]
    assert "the whole company" in said["all"]
