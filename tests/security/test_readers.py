"""Strangers and signed-in readers who try to see or move what is somebody else's. Each attack is first shown to work on a
site without sign-in."""

import http.client
import json
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from served import now, serving_here, serving_readers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from cadran.access.accounts import FILE, Accounts
from cadran.book import open_book
from cadran.book.reader import Reader
from cadran.measures import MEASURES, Question
from cadran.publish import bounds, entrance, gate
from cadran.publish.apps import App
from cadran.publish.server import Site
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
def unguarded(small_company, monkeypatch):
    """`with unguarded() as address`: the site without sign-in. A process has one or the other."""

    @contextmanager
    def site():
        monkeypatch.setenv("CADRAN_BOOK", "")
        made = Site(small_company, [WHOSE], clock=now)
        made.warm_up()
        with serving_here(made) as address:
            yield address

    return site


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


def moved(address, session, cookie=None):
    """Whether a reader of that cookie can move a control of a live page."""
    headers = {"Cookie": cookie} if cookie else {}
    body = json.dumps({"modelId": "x", "message": {"method": "update", "state": {}, "bufferPaths": []}, "buffers": []})
    answer, _ = ask(address, "/live/whose/api/kernel/set_model_value", "POST", body, Origin=address,
                    Content_Type="application/json", Marimo_Session_Id=session, **headers)  # fmt: skip
    return answer.status


def test_a_stranger_sees_nothing_and_moves_nothing(unguarded, request, amounts):
    with unguarded() as address:
        assert amounts[None] in ask(address, "/whose?lang=en")[1]
        with opened(address, "one") as socket:
            assert amounts[None] in heard(socket)
            assert moved(address, "one") == 200

    address = request.getfixturevalue("address")
    answer, page = ask(address, "/whose?lang=en")
    assert (answer.status, answer.headers["location"], page) == (303, "/sign-in?next=%2Fwhose%3Flang%3Den", "")
    with pytest.raises(InvalidStatus, match="403"):
        opened(address, "one")
    assert moved(address, "one") == 401
    for path in ("/live/whose/", "/live/whose/@file/x", "/", "/account", "/nothing", "/sign-in/../whose", "//whose"):
        answer, page = ask(address, path)
        assert answer.status in (303, 401)
        assert amounts[None] not in page


@pytest.mark.parametrize(
    "cookie", ["cadran=", "cadran=x", "cadran=' or 1=1 --", "cadran=" + "A" * 5000, "=;;", "__Host-cadran=x"]
)
def test_a_forged_cookie_opens_nothing(address, cookie):
    assert ask(address, "/whose", Cookie=cookie)[0].status == 303


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


def test_a_session_of_marimo_answers_its_owner_alone(unguarded, request):
    with unguarded() as address, opened(address, "stolen") as socket:
        heard(socket)
        assert moved(address, "stolen") == 200  # by anybody who knows its name

    address = request.getfixturevalue("address")
    ana, bob = (signed_in(address, name) for name in READERS)
    with opened(address, "stolen", ana) as socket:
        heard(socket)
        assert moved(address, "stolen", ana) == 200
        assert moved(address, "stolen", bob) == 403
        with pytest.raises(InvalidStatus, match="403"):
            opened(address, "stolen", bob)
        assert moved(address, "stolen", ana) == 200


def test_a_websocket_from_another_site_is_refused_whoever_is_signed_in(address):
    cookie = signed_in(address, "ana")

    with pytest.raises(InvalidStatus, match="403"):
        opened(address, "foreign", cookie, origin="http://evil.example")


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
    assert moved(address, "early", cookie) == 401
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


def test_ten_thousand_tries_from_one_address_come_to_nothing(monkeypatch):
    at = entrance.Buckets(*entrance.PER_ADDRESS)
    passed = sum(not at.wait("1.2.3.4", 1000 + n / 100) for n in range(10_000))

    assert passed <= entrance.PER_ADDRESS[0] + 100 * entrance.PER_ADDRESS[1] + 1


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


def test_one_reader_does_not_take_all_of_the_server(address, monkeypatch):
    cookie, other = signed_in(address, "ana"), signed_in(address, "bob")
    monkeypatch.setattr(bounds, "MOST_OPEN", 2)
    with opened(address, "a", cookie) as one, opened(address, "b", cookie) as two, opened(address, "c", other):
        heard(one), heard(two)
        with pytest.raises(InvalidStatus, match="403"):
            opened(address, "d", cookie)
    long = "x" * (bounds.MOST_BYTES + 1)
    for path in ("/live/whose/api/kernel/set_model_value", "/account"):
        assert ask(address, path, "POST", long, Origin=address, Cookie=cookie)[0].status == 413
    monkeypatch.setattr(bounds.Buckets, "wait", lambda *_: 1.0)
    assert ask(address, "/whose", Cookie=cookie)[0].status == 429
