"""Who signs in, how, and what each sees from then on. What others try is in `test_attacks.py`."""

import http.client
import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from awaited import awaited
from served import now, serving_readers
from starlette.requests import Request
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from cadran.access import accounts as accounts_module
from cadran.access.accounts import FILE, Accounts
from cadran.book import open_book
from cadran.book.reader import Reader
from cadran.measures import MEASURES, Question
from cadran.publish import entrance, gate
from cadran.publish.apps import App
from cadran.text import words_for

WHOSE = App("whose", "Whose", Path(__file__).parent.parent / "publish" / "notebooks" / "page.py", is_page=True)
PASSWORD = "violet marble tractor seven"
READERS = {
    "ana": Reader("ana", "manager", frozenset({"Nord"}), language="en"),
    "bob": Reader("bob", "manager", frozenset({"Sud-Est"}), language="en"),
}


@pytest.fixture(scope="module")
def amounts(small_company):
    """What each reader's page says, and the whole company's (None)."""
    book, words = open_book(small_company), words_for("en")
    told = {}
    for name, reader in {None: None, **READERS}.items():
        row = MEASURES["volumes"].ask(book.scope(reader) if reader else book, Question()).row(0, named=True)
        told[name] = words.number(row["amount_won"], 0)
    assert len(set(told.values())) == 3
    return told


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Both readers' accounts, made once."""
    folder = tmp_path_factory.mktemp("accounts")
    for reader in READERS.values():
        Accounts(folder).add(reader, PASSWORD, now())
    return folder


@pytest.fixture
def accounts(kept, tmp_path):
    """Both readers' accounts."""
    shutil.copy(kept / FILE, tmp_path / FILE)
    return Accounts(tmp_path)


@pytest.fixture
def address(small_company, accounts, monkeypatch):
    """The site to which readers sign in."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    monkeypatch.setattr(gate, "WATCH", 0.2)
    with serving_readers(small_company, [WHOSE], accounts) as there:
        yield there


def ask(address, path, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, told)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def post(address, path, fields, **headers):
    return ask(address, path, "POST", urlencode(fields), Origin=address,
               Content_Type="application/x-www-form-urlencoded", **headers)  # fmt: skip


def signed_in(address, name, password=PASSWORD):
    """The cookie of somebody who signs in."""
    answer, _ = post(address, "/sign-in?next=/whose", {"name": name, "password": password})
    assert (answer.status, answer.headers["location"]) == (303, "/whose")
    return answer.headers["set-cookie"].partition(";")[0]


def opened(address, session, cookie=None, origin=None):
    """A live page."""
    told = {"Cookie": cookie} if cookie else {}
    place = f"ws://{urlsplit(address).netloc}/live/whose/ws?session_id={session}&lang=en"
    return connect(place, origin=origin or address, additional_headers=told)


def heard(socket, until="completed-run"):
    """All that a live page is told until its cells have run."""
    told = []
    while not told or json.loads(told[-1])["op"] != until:
        told.append(socket.recv(20))
    return "".join(told)


def test_each_sees_what_is_theirs_first_and_live(address, amounts):
    for name in (*READERS, *READERS):
        cookie = signed_in(address, name)
        for _ in range(100):
            page = ask(address, "/whose?lang=en", Cookie=cookie)[1]
            if "skeleton aria" not in page:
                break
            time.sleep(0.1)
        with opened(address, f"live-{name}-{cookie[-8:]}", cookie) as socket:
            live = heard(socket)
        for told in (page, live):
            assert [other for other, amount in amounts.items() if amount in told] == [name]


def test_a_page_of_one_reader_is_kept_by_no_proxy_and_no_browser(address):
    answer, _ = ask(address, "/whose", Cookie=signed_in(address, "ana"))

    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("end", ["remove", "reset", "sign out", "sign out everywhere"])
def test_who_may_no_longer_see_loses_open_pages(address, accounts, end):
    cookie, other = signed_in(address, "ana"), signed_in(address, "ana")
    with opened(address, "open", cookie) as socket:
        heard(socket)
        if end == "remove":
            accounts.remove("ana")
        elif end == "reset":
            accounts.set_password("ana", "copper window ladder ninety")
        elif end == "sign out":
            assert post(address, "/sign-out", {}, Cookie=cookie)[0].status == 303
        else:
            assert post(address, "/sign-out?everywhere=1", {}, Cookie=other)[0].status == 303
        with pytest.raises(ConnectionClosed):
            heard(socket, until="never")
    assert ask(address, "/whose", Cookie=cookie)[0].status == 303


def test_a_password_that_was_made_up_opens_the_account_alone(address, accounts):
    accounts.set_password("ana", PASSWORD, is_temporary=True)
    cookie = signed_in(address, "ana")

    answer, _ = ask(address, "/whose", Cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/account?next=%2Fwhose")
    with pytest.raises(InvalidStatus, match="403"):
        opened(address, "early", cookie)
    wrong = {"password": "not mine at all", "new": "copper window ladder ninety"}
    assert post(address, "/account", wrong, Cookie=cookie)[0].status == 422
    weak = {"password": PASSWORD, "new": "ana ana ana ana"}
    assert post(address, "/account", weak, Cookie=cookie)[0].status == 422
    assert post(address, "/account", {"password": PASSWORD, "new": PASSWORD}, Cookie=cookie)[0].status == 422
    right = {"password": PASSWORD, "new": "copper window ladder ninety"}
    assert post(address, "/account", right, Cookie=cookie)[0].status == 200
    assert ask(address, "/account", Cookie=cookie)[0].status == 303  # every session has ended
    assert ask(address, "/whose", Cookie=signed_in(address, "ana", right["new"]))[0].status == 200


def test_a_password_is_not_guessed_and_nobody_is_told_who_has_an_account(address, monkeypatch):
    monkeypatch.setattr(Accounts, "sign_in", lambda *_: None)  # a hash each would take minutes

    def tries(name, n):
        found = [post(address, "/sign-in", {"name": name, "password": str(each)}) for each in range(n)]
        return [answer.status for answer, _ in found], found[0][1].replace(f'value="{name}"', "")

    known, unknown = tries("ana", 12), tries("eve", 12)
    assert known == unknown
    assert known[0] == [401] * 10 + [429] * 2
    answer, _ = post(address, "/sign-in", {"name": "ANA", "password": "x"})
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 60


class Tries:
    """Tries to sign in, at a clock of their own: each costs a hash, or nothing."""

    def __init__(self, accounts, monkeypatch):
        self.at, self.n_hashed = datetime(2026, 6, 30, tzinfo=UTC), 0
        self.entrance = entrance.Entrance(accounts, lambda: self.at)
        monkeypatch.setattr(accounts_module, "is_right", self.is_right)

    def is_right(self, kept, password):
        self.n_hashed += 1
        return bool(kept) and password == PASSWORD

    def __call__(self, name, password, host):
        body = urlencode({"name": name, "password": password}).encode()
        scope = {
            "type": "http", "method": "POST", "path": "/sign-in", "query_string": b"", "client": (host, 1), "scheme": "http",
            "server": ("x", 1), "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        }  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": body}

        return awaited(self.entrance.sign_in(Request(scope, receive))).status_code


def test_ten_thousand_wrong_passwords_cost_little_and_keep_nobody_out_who_is_elsewhere(accounts, monkeypatch):
    with monkeypatch.context() as unguarded:
        tries = Tries(accounts, unguarded)
        unguarded.setattr(entrance.Buckets, "wait", lambda *_: 0.0)
        assert [tries("ana", str(number), "10.0.0.1") for number in range(100)] == [401] * 100
        assert tries.n_hashed == 100  # each a third of a second of a processor

    tries = Tries(accounts, monkeypatch)
    for number in range(10_000):
        assert tries("ana", str(number), "10.0.0.1") in (401, 429)
        tries.at += timedelta(seconds=0.01)

    assert tries.n_hashed <= entrance.PER_NAME[0] + 100 * entrance.PER_NAME[1] + 1
    assert tries("ana", PASSWORD, "10.0.0.1") == 429
    assert tries("ana", PASSWORD, "10.0.0.2") == 303


def test_tries_from_everywhere_are_bounded_too(accounts, monkeypatch):
    tries = Tries(accounts, monkeypatch)
    for number in range(10_000):
        tries("ana", str(number), f"10.0.{number % 250}.{number // 250}")
        tries.at += timedelta(seconds=0.01)

    assert tries.n_hashed <= entrance.EVERYWHERE[0] + 100 * entrance.EVERYWHERE[1] + 1


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/a/b",
        "",
    ],
)
def test_after_signing_in_one_is_sent_to_a_page_of_ours(address, to):
    answer, _ = post(address, "/sign-in?" + urlencode({"next": to}), {"name": "ana", "password": PASSWORD})

    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_what_is_typed_cannot_write_into_the_page(address):
    _, page = post(address, "/sign-in", {"name": '"><script>alert(1)</script>', "password": "x"})

    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("body", "kind"),
    [("name=ana&password=" + "x" * 10_000, "application/x-www-form-urlencoded"), ("{}", "application/json"),
     ("name=%FF&password=x", "application/x-www-form-urlencoded"), ("é", "application/x-www-form-urlencoded")],
)  # fmt: skip
def test_what_is_no_form_is_refused(address, body, kind):
    answer, _ = ask(address, "/sign-in", "POST", body.encode(), Origin=address, Content_Type=kind)

    assert answer.status == 400


def test_a_form_of_another_site_signs_nobody_in_or_out(address):
    cookie = signed_in(address, "ana")
    fields = urlencode({"name": "ana", "password": PASSWORD})
    for path in ("/sign-in", "/sign-out", "/account"):
        answer, _ = ask(address, path, "POST", fields, Origin="http://evil.example", Cookie=cookie,
                        Content_Type="application/x-www-form-urlencoded")  # fmt: skip
        assert answer.status == 403
    assert ask(address, "/whose", Cookie=cookie)[0].status == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(address):
    answer, _ = post(address, "/sign-in", {"name": "ana", "password": PASSWORD})

    said = answer.headers["set-cookie"].lower()
    assert all(each in said for each in ("httponly", "samesite=lax", "path=/", "max-age="))
