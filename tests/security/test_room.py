"""Phones that follow a presentation, and try for more. Each attack is shown to work where what stops it is missing."""

import json
import shutil
import socket
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from rooms import Phone, Presenter, ask
from served import serving_here
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cadran.access.accounts import Accounts
from cadran.book import open_book
from cadran.book.presented import ROOMS
from cadran.book.reader import Reader
from cadran.figures.page import Page
from cadran.publish import followed, reading, room, rooms
from cadran.publish.apps import App
from cadran.publish.entrance import Entrance
from cadran.publish.rooms import ALPHABET, LETTERS, Rooms
from cadran.publish.rooms_kept import KeptRooms
from cadran.publish.site import Site

SHOWN = App(
    "shown",
    "Shown",
    Path(__file__).parent.parent / "publish" / "notebooks" / "presented.py",
    is_page=True,
    presents=True,
)
WHOLE = App("whole", "Whole", SHOWN.notebook, is_page=True)
PASSWORD = "violet marble tractor seven"
WRONG = "BCDFGHJK"


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def names(small_company):
    """Every client and every person of the book, by name."""
    book = open_book(small_company)
    told = [book.collect(book.table(table).select("name").unique())["name"] for table in ("reps", "accounts")]
    return {name for each in told for name in each.drop_nulls()}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    accounts = Accounts(folder)
    for name, role in (("ana", "manager"), ("bob", "manager"), ("eve", "presenter")):
        accounts.add(Reader(name, role, frozenset({"Nord"}), language="en"), PASSWORD, now())
    return accounts.path


@pytest.fixture
def book(small_company, tmp_path):
    """A book of one's own: rooms are kept beside it, and what readers of other tests left is not."""
    folder = tmp_path / "book"
    shutil.copytree(small_company, folder, ignore=shutil.ignore_patterns("*.sqlite", "unmasked.jsonl"))
    return folder


@contextmanager
def serving(made, port=0):
    made.sights.make(SHOWN, "en", made._whole)
    try:
        with serving_here(made, port) as address:
            yield address
    finally:
        reading.publish(to_known=False)


@pytest.fixture
def open_site(book, monkeypatch):
    """`with open_site() as address`: a site where nobody signs in."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    return lambda port=0: serving(Site(book, [SHOWN, WHOLE], clock=now), port)


@pytest.fixture
def site(book, kept, monkeypatch):
    monkeypatch.setenv("CADRAN_BOOK", "")
    shutil.copy(kept, book)
    return Site(book, [SHOWN, WHOLE], entrance=Entrance(Accounts(book), now), clock=now)


@pytest.fixture
def address(site):
    with serving(site) as there:
        yield there


def signed_in(address, name):
    fields = urlencode({"name": name, "password": PASSWORD})
    answer, _ = ask(
        address, "/sign-in", "POST", fields, Origin=address, Content_Type="application/x-www-form-urlencoded"
    )
    assert answer.status == 303
    found = SimpleCookie(answer.headers["set-cookie"])
    return "; ".join(f"{name}={each.value}" for name, each in found.items())


@pytest.fixture
def follow():
    """`follow(address, code)`: a phone, which hangs up at the end."""
    with ExitStack() as phones:
        yield lambda address, code: phones.enter_context(closing(Phone(address, code)))


@pytest.fixture
def presenter(address):
    """Ana, who presents."""
    with closing(
        Presenter(address, "shown", "ana-presents", signed_in(address, "ana"), "lang=en&use=present")
    ) as there:
        yield there


def test_a_phone_shows_what_is_presented_as_it_moves_and_no_name(address, presenter, names, follow):
    phone = follow(address, presenter.open()["code"])
    assert phone.sees("size 0: ")
    presenter.set(size="7")
    assert phone.sees("size 7: ")
    whole = presenter.set(use="whole")  # what the presenter alone may see
    assert phone.hear(lambda: not phone.parts)
    presenter.set(use="present", size="9")
    assert phone.sees("size 9: ")

    assert any(name in whole for name in names)  # the attack has something to find
    assert [name for name in names if name in phone.text] == []
    assert phone.parts.keys() == {"frame", "controls", "place.told"}
    assert phone.parts["controls"] == {"use": "present"}  # none stands in what is shown


def test_without_the_page_s_own_word_a_phone_would_see_names(address, presenter, names, monkeypatch, follow):
    def everything(page, _asked, blocks):
        page.presented = {**(page.presented or {}), **blocks}

    monkeypatch.setattr(Page, "_present", everything)
    phone = follow(address, presenter.open()["code"])
    presenter.set(use="whole")

    assert phone.hear(lambda: any(name in phone.text for name in names))


def test_a_phone_sends_nothing_and_reaches_no_other_page(open_site, request):
    def tries(address, code, page):
        """What of all that a phone can ask, with all that it was given, is answered."""
        paths = [f"/live/shown/{path}" for path in ("", "api/kernel/set_model_value", "@file/x", "assets/x")]
        paths += [
            "/",
            "/shown",
            "/account",
            "/room",
            "/room/end",
            f"/r/{code}",
            f"/r/{code}/stream",
            f"/r/{code}/x",
            "/home/shown",
        ]
        found, view = {}, {"view": {"controls": page.content["view"]["controls"], "seq": 1}}
        for path in paths:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                if (method, path) == ("GET", f"/r/{code}/stream"):
                    continue
                body = json.dumps(
                    {
                        "modelId": page.model,
                        "message": {"method": "update", "state": view, "bufferPaths": []},
                        "buffers": [],
                    }
                )
                told = {"Origin": address, "Content_Type": "application/json", "Marimo_Session_Id": page.session}
                found[method, path] = ask(address, path, method, None if method == "GET" else body, **told)[0].status
        return {asked: status for asked, status in found.items() if status < 300}

    with open_site() as address, closing(Presenter(address, "shown", "free", query="lang=en&use=present")) as free:
        code = free.open()["code"]
        got = tries(address, code, free)
        assert ("POST", "/live/shown/api/kernel/set_model_value") in got  # the presenter's page is moved by anybody
        with connect(f"ws://{urlsplit(address).netloc}/live/shown/ws?session_id=other", origin=address):
            pass

    address, presenter = request.getfixturevalue("address"), request.getfixturevalue("presenter")
    code = presenter.open()["code"]
    assert set(tries(address, code, presenter)) == {("GET", f"/r/{code}")}
    for path in (f"/r/{code}/stream", f"/r/{code}", "/live/shown/ws?session_id=ana-presents"):
        with pytest.raises(InvalidStatus, match=r"40\d"):
            connect(f"ws://{urlsplit(address).netloc}{path}", origin=address)


def test_codes_are_not_guessed(address, presenter, monkeypatch, follow):
    assert len(ALPHABET) ** LETTERS > 3.7e11
    assert not set(ALPHABET) & set("AEIOU01L")
    code = presenter.open()["code"]
    answers = [ask(address, f"/r/{WRONG}/stream") for _ in range(25)]

    assert [answer.status for answer, _ in answers] == [404] * 20 + [429] * 5
    assert ask(address, f"/r/{code}/stream")[0].status == 429  # being right tells nothing while one waits
    monkeypatch.setattr(rooms.Buckets, "delay", lambda *_: 0.0)
    assert follow(address, code).status == 200


def test_over_four_hours_from_ever_new_addresses_a_guess_stays_unlikely():
    wrong, at = rooms.Buckets(*rooms.IN_ALL), 1000.0
    tried = sum(not wrong.wait("", at + n / 100) for n in range(100 * rooms.LASTS))

    assert tried <= rooms.IN_ALL[0] + rooms.LASTS * rooms.IN_ALL[1] + 1
    assert tried * rooms.MOST_ROOMS / len(ALPHABET) ** LETTERS < 1e-5


def test_what_never_was_and_what_is_over_are_told_alike(address, presenter):
    code, was = presenter.open()["code"], presenter.open()["code"]
    presenter.set(size="1")
    told = presenter.open()
    presenter.post("/room/end", {"key": told["key"]})

    answers = [
        ask(address, f"/r/{each}/stream?lang=en") for each in (WRONG, code, was, told["code"], "x", "%00", "A" * 500)
    ]
    assert {(answer.status, text) for answer, text in answers} == {(404, "No room is open under this code.")}
    assert len({tuple(sorted(name for name, _ in answer.getheaders())) for answer, _ in answers}) == 1
    pages = {
        ask(address, f"/r/{each}?lang=en")[1].replace(rooms.spelt(each), "")
        for each in (WRONG, presenter.open()["code"])
    }
    assert len(pages) == 1


def test_a_room_that_is_closed_is_over_for_good(address, presenter, book, follow):
    told = presenter.open()
    phone = follow(address, told["code"])
    assert phone.sees("size 0")
    presenter.post("/room/end", {"key": told["key"]})

    assert not phone.sees("nothing more")
    assert follow(address, told["code"]).status == 404
    assert presenter.post("/room", {"key": told["key"], "code": told["code"], "here": True})[0] == 404
    assert sqlite3.connect(book / ROOMS).execute("select count(*) from rooms").fetchone() == (0,)


def test_one_room_at_a_time_for_each_presenter(address, presenter, follow):
    first = presenter.open()
    phone = follow(address, first["code"])
    second = presenter.open()

    assert not phone.sees("never")
    assert follow(address, first["code"]).status == 404
    assert follow(address, second["code"]).status == 200


def test_another_reader_neither_takes_a_room_over_nor_shows_a_page_of_somebody_else(open_site, request, follow):
    with open_site() as address, closing(Presenter(address, "shown", "one", query="lang=en&use=present")):
        thief = Presenter(address, "shown", "two")
        thief.session = "one"
        phone = follow(address, thief.open()["code"])
        assert phone.sees("size 0")  # of somebody else's page

    address, presenter = request.getfixturevalue("address"), request.getfixturevalue("presenter")
    told = presenter.open()
    with closing(Presenter(address, "shown", "bob-looks", signed_in(address, "bob"), "lang=en&use=present")) as bob:
        assert bob.post("/room", {"key": told["key"], "code": told["code"], "here": True})[0] == 404
        assert bob.post("/room/end", {"key": told["key"]})[0] == 200
        bob.session = "ana-presents"
        assert bob.post("/room", {})[0] == 403
    phone = follow(address, told["code"])
    assert phone.sees("size 0")  # it stands, and is still Ana's


def test_another_site_opens_no_room_and_reads_none(address, presenter):
    told, cookie = presenter.open(), presenter.headers["Cookie"]
    for path in ("/room", "/room/end"):
        answer, _ = ask(address, path, "POST", json.dumps({"key": told["key"]}), Origin="http://evil.example", Cookie=cookie,
                        Content_Type="application/json", Marimo_Session_Id="ana-presents")  # fmt: skip
        assert answer.status == 403
    assert ask(address, f"/r/{told['code']}/stream", Sec_Fetch_Site="cross-site")[0].status == 403
    answer, _ = ask(address, f"/r/{told['code']}", Origin="http://evil.example")
    assert answer.headers["access-control-allow-origin"] is None
    assert (answer.headers["x-frame-options"], answer.headers["cache-control"]) == ("DENY", "no-store")
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_phone_that_takes_nothing_is_let_go_and_holds_nobody_up(address, presenter, site, monkeypatch, follow):
    monkeypatch.setattr(room, "PATIENCE", 0.5)
    code = presenter.open()["code"]
    (held,) = site.rooms._rooms.values()
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        there = urlsplit(address)
        slow.connect((there.hostname, there.port))
        slow.sendall(f"GET /r/{code}/stream HTTP/1.1\r\nHost: {there.netloc}\r\n\r\n".encode())
        phone = follow(address, code)
        assert phone.sees("size 0")
        assert wait_for(lambda: held.n_followers == 2)
        monkeypatch.setattr(followed.gzip, "compress", lambda text, _: GZIP(text, 0))  # so that messages are long
        for size in range(1, 200):
            presenter.set(size=str(size))
            assert phone.sees(f"size {size}: ")
            assert len(held._messages) <= followed.BEHIND + 2
            if held.n_followers == 1:
                break
        assert wait_for(lambda: held.n_followers == 1)


GZIP = followed.gzip.compress


def wait_for(what):
    for _ in range(100):
        if what():
            return True
        time.sleep(0.1)
    return False


def test_five_hundred_phones_fill_a_room_and_no_more(address, presenter, site, follow):
    code, there = presenter.open()["code"], urlsplit(address)
    (held,) = site.rooms._rooms.values()
    asked = f"GET /r/{code}/stream HTTP/1.1\r\nHost: {there.netloc}\r\n\r\n".encode()
    phones = [socket.create_connection((there.hostname, there.port), 20) for _ in range(500)]
    for phone in phones:
        phone.sendall(asked)
    begun = [phone.recv(12).decode() for phone in phones]

    assert (begun.count("HTTP/1.1 200"), begun.count("HTTP/1.1 503")) == (
        rooms.MOST_FOLLOWERS,
        500 - rooms.MOST_FOLLOWERS,
    )
    assert presenter.post("/room", {"key": "x", "code": code})[0] == 404  # the presenter is answered meanwhile
    assert held.n_followers == rooms.MOST_FOLLOWERS
    for phone in phones:
        phone.close()
    assert wait_for(lambda: held.n_followers == 0)
    assert follow(address, code).status == 200


def test_a_room_stands_when_the_server_was_gone(open_site, book, follow):
    with open_site() as address:
        first = Presenter(address, "shown", "same", query="lang=en&use=present&size=5")
        told = first.open()
        assert follow(address, told["code"]).sees("size 5")
    assert told["code"].encode() not in (book / ROOMS).read_bytes()
    assert told["key"].encode() not in (book / ROOMS).read_bytes()
    with open_site(urlsplit(address).port) as address:
        phone = follow(address, told["code"])
        assert phone.hear(lambda: phone.is_away is True)
        again = Presenter(address, "shown", "same", query="lang=en&use=present&size=5")
        assert again.post("/room", {"key": told["code"], "code": told["code"], "here": True})[0] == 404
        assert again.post("/room", {"key": told["key"], "code": told["code"], "here": True})[0] == 200
        assert phone.sees("size 5")
        assert phone.is_away is False
        again.close()
        assert phone.hear(lambda: phone.is_away)


@pytest.mark.parametrize(("steps", "is_open"), [([599], True), ([601], False), ([500] * 20, True), ([500] * 30, False)])
def test_a_room_waits_ten_minutes_for_its_presenter_and_lasts_four_hours(tmp_path, steps, is_open):
    at = [datetime(2026, 6, 30, tzinfo=UTC).timestamp()]
    held = Rooms(KeptRooms(tmp_path), lambda: datetime.fromtimestamp(at[0], UTC), lambda *_: None)
    opened, code, key = held.open("ana")
    held.keep(opened.kept)
    for step in steps:
        at[0] += step
        if found := held.of("ana", key):
            held.attend(found)

    assert (held.followed(code, "x", 0.0) is not None) == is_open


def test_a_presenter_sees_no_page_of_deals_and_no_name(address, names):
    cookie = signed_in(address, "eve")
    assert ask(address, "/whole", Cookie=cookie)[0].status == 403
    assert ask(address, "/home/whole", Cookie=cookie)[0].status == 404
    assert ask(address, "/shown", Cookie=cookie)[0].status == 200
    assert ask(address, "/whole", Cookie=signed_in(address, "ana"))[0].status == 200
    with pytest.raises(InvalidStatus, match=r"40\d"):
        Presenter(address, "whole", "eve-looks", cookie)

    def told_to(name):
        with closing(Presenter(address, "shown", f"{name}-reads", signed_in(address, name))) as page:
            return page.set(size="1")

    whole, masked = told_to("ana"), told_to("eve")
    assert any(name in whole for name in names)
    assert [name for name in names if name in masked] == []


def test_names_come_back_only_once_that_is_noted(address, presenter, book, names):
    record = book / "unmasked.jsonl"
    record.mkdir()  # cannot be written
    told = presenter.set(use="whole")
    assert [name for name in names if name in told] == []
    record.rmdir()
    told = presenter.set(use="whole", size="2")

    assert any(name in told for name in names)
    (line,) = record.read_text("utf-8").splitlines()
    (noted,) = json.loads(line)
    assert (noted["who"], noted["page"]) == ("ana", "Shown")
    assert datetime.fromisoformat(noted["at"]).tzinfo == UTC
