"""Attacks over the network. Each first obtains something from the site with one guard taken out, then nothing from the site.

An attack is a function of a `Target` that gives what it obtained.
"""

import contextlib
import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from intruder import AT_ONCE, PASSWORD, READERS, Target, all_heard, heard, model_of, sites
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cadran.access.accounts import Accounts
from cadran.book import open_book
from cadran.measures import MEASURES, Question
from cadran.publish.apps import App, shipped_apps
from cadran.publish.bounds import MOST_BYTES
from cadran.publish.live_pages import MOST_OPEN
from cadran.text import words_for

WHOSE = App("whose", "Whose", Path(__file__).parent.parent / "publish" / "notebooks" / "page.py", is_page=True)
DEALS = next(app for app in shipped_apps() if app.name == "opportunities")
PATHS = ("/whose", "/", "/opportunities?lang=en", "/live/whose/", "/account", "/sign-in/../whose", "//whose", "/Whose")


@dataclass(frozen=True)
class Known:
    """What the tests know of the book, and readers must not."""

    #: What each reader's page says, and the whole company's (None).
    amounts: dict[str | None, str]
    #: Deals that only the other of the two managers sees.
    others: dict[str, frozenset[str]]
    clients: dict[str, str]


@pytest.fixture(scope="module")
def known(small_company):
    book, words = open_book(small_company), words_for("en")
    seen = {None: book, **{name: book.scope(reader) for name, reader in READERS.items()}}
    rows = {name: each.collect(each.deals(["opportunity_id", "client"])) for name, each in seen.items()}
    amounts = {
        name: words.number(MEASURES["volumes"].ask(each, Question()).row(0, named=True)["amount_won"], 0)
        for name, each in seen.items()
    }
    assert len(set(amounts.values())) == 3
    every = {name: frozenset(of["opportunity_id"]) for name, of in rows.items()}
    others = {"ana": every["bob"] - every["ana"], "bob": every["ana"] - every["bob"]}
    assert all(len(each) > 20 for each in others.values())
    return Known(amounts, others, dict(rows[None].select("opportunity_id", "client").iter_rows()))


@pytest.fixture(scope="module")
def site(small_company, tmp_path_factory):
    """`site()`, or `site("Gate")`: with one guard taken out."""
    accounts = Accounts(tmp_path_factory.mktemp("accounts"))
    for reader in READERS.values():
        accounts.add(reader, PASSWORD, datetime.now(UTC))
    with sites(small_company, [WHOSE, DEALS], accounts) as serve:
        yield serve


def refused(act, *how: Any, **more: Any) -> bool:
    """Whether a websocket is not opened, or closed at once."""
    try:
        with act(*how, **more) as live:
            heard(live, seconds=20)
    except (InvalidStatus, ConnectionClosed):
        return True
    return False


def a_stranger_reads_pages(there, known):
    return [path for path in PATHS if known.amounts[None] in there.ask(path)[1]]


def a_stranger_listens(there, known):
    with contextlib.suppress(InvalidStatus), there.open() as live:
        return known.amounts[None] in heard(live)


def a_stranger_opens_what_is_there(there, known):
    """Whatever an address may lead to."""
    paths = ["/metrics", "/api/version", "/live/whose/ws", "/live/whose/@file/0-a.js", "/nothing", "/opportunities/x"]
    return [path for path in paths if there.ask(path)[0].status not in (303, 401)]


def a_cookie_is_made_up(there, known):
    made = ["cadran=", "cadran=x", "cadran=' or 1=1 --", "cadran=" + "A" * 43, "=;;", "__Host-cadran=x", "cadran=\xe9"]
    return [each for each in made if there.ask("/whose", Cookie=each)[0].status == 200]


def a_cookie_is_used_after_signing_out(there, known):
    answer, _ = there.post("/sign-in", {"name": "bob", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    there.post("/sign-out", {}, Cookie=cookie)
    return there.ask("/whose", Cookie=cookie)[0].status == 200


def a_reader_moves_anothers_page(there, known):
    """Knowing the name of the session, and that of its widget."""
    session = secrets.token_hex(16)
    with there.open(session, "ana") as live:
        model = model_of(heard(live))
        there.tell(session, model, as_="bob")
        return "model-lifecycle" in all_heard(live)


def a_reader_moves_anothers_widget_through_a_session_of_his_own(there, known):
    """marimo keeps the widgets of all sessions in one place."""
    own = secrets.token_hex(16)
    with there.open(as_="ana") as live, there.open(own, "bob") as his:
        model = model_of(heard(live))
        heard(his)
        there.tell(own, model, as_="bob")
        return "model-lifecycle" in all_heard(live)


def a_reader_takes_over_anothers_session(there, known):
    session = secrets.token_hex(16)
    with there.open(session, "ana") as live:
        heard(live)
        with contextlib.suppress(InvalidStatus, ConnectionClosed), there.open(session, "bob") as his:
            return "reconnected" in all_heard(his)


def two_readers_share_a_session_without_a_name(there, known):
    with contextlib.suppress(InvalidStatus, ConnectionClosed), there.open(None, "ana", query="&session_id=") as live:
        heard(live)
        with there.open(None, "bob", query="&session_id=") as his:
            return "reconnected" in all_heard(his)


def a_session_is_named_twice(there, known):
    session = secrets.token_hex(16)
    with there.open(session, "ana") as live:
        heard(live)
        query = f"&session_id={session}"
        with contextlib.suppress(InvalidStatus, ConnectionClosed), there.open("own", "bob", query=query) as his:
            return "reconnected" in all_heard(his)


def a_reader_sets_what_is_the_pages_own(there, known):
    """Its markup, what it has drawn, a widget of somebody else's."""
    obtained = []
    session = secrets.token_hex(16)
    with there.open(session, "ana") as live:
        model = model_of(heard(live))
        for state in ({"content": {"slots": {"headlines": "<b>"}}}, {"frame": "<script>"}, {"layout": f"IPY_MODEL_{model}"},
                      {"view": {}, "specs": {}}, {"_esm": "x"}, {"view": []}, {"view": {"controls": {"outcome": {}}}},
                      {"view": {"__class__": "x"}}, {"view": {"seq": -1}}, {"view": {"moving": ["x"]}}):  # fmt: skip
            message = {"method": "update", "state": state, "bufferPaths": []}
            obtained += [state] * (there.tell(session, model, message, "ana") == 200)
        for message in ({"method": "custom", "content": {"export": {}}}, {"method": "custom", "content": "x"},
                        {"method": "open", "state": {}}, {"method": "close"}, "x", None, [],
                        {"method": "update", "state": {"view": {}}, "bufferPaths": [["view", "controls"]]}):  # fmt: skip
            obtained += [message] * (there.tell(session, model, message, "ana") == 200)
    return obtained


def a_reader_reaches_more_of_marimo(there, known):
    """Its other functions, each of which answers somebody who may read."""
    session, obtained = secrets.token_hex(16), []
    with there.open(session, "ana") as live:
        heard(live)
        told = {"Origin": there.address, "Content_Type": "application/json", "Marimo_Session_Id": session}
        element = json.dumps({"objectIds": ["x"], "values": [1]})
        call = json.dumps({"functionCallId": "x", "namespace": "x", "functionName": "x", "args": {}})
        run = json.dumps({"cellIds": ["x"], "codes": ["1"]})
        for path, body in (
            ("api/kernel/set_ui_element_value", element), ("api/kernel/function_call", call), ("api/kernel/run", run),
            ("api/kernel/instantiate", element), ("api/kernel/save", "{}"), ("api/files/list_files", '{"path": "/"}'),
            ("api/kernel/read_code", "{}"), ("api/export/html", "{}"), ("api/kernel/shutdown", "{}"),
        ):  # fmt: skip
            obtained += [path] * (there.ask(f"/live/whose/{path}", "POST", body, "ana", **told)[0].status == 200)
        for path in (
            "",
            "health",
            "api/version",
            "api/status",
            "api/usage",
            "ws",
            "sse",
            "openapi.json",
            "@file/0-x.js",
        ):
            query = f"?session_id={session}" if path == "sse" else ""
            obtained += [path] * (there.ask(f"/live/whose/{path}{query}", as_="ana")[0].status == 200)
    return obtained


def a_path_leads_out_of_its_folder(there, known):
    """Or tells where that is."""
    out = ["@file/99-../../../../etc/passwd", "@file/99-%2e%2e%2fetc%2fpasswd", "public/../page.py", "assets/..%2f..%2fasgi.py",
           "assets/%2e%2e/%2e%2e/asgi.py", "..%5cpage.py", "%00", ""]  # fmt: skip
    paths = [*(f"/live/whose/{each}" for each in out), *(f"/static/{each}" for each in out), "/whose/../../etc/passwd",
             "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/s/../../etc/passwd"]  # fmt: skip
    notebook = str(WHOSE.notebook)
    told = [there.ask(path, as_="ana", X_Notebook_Id=notebook)[1] for path in paths]
    marks = ("root:x:", "import marimo", notebook)
    return [path for path, page in zip(paths, told, strict=True) if any(each in page for each in marks)]


def another_site_opens_a_websocket(there, known):
    with contextlib.suppress(InvalidStatus), there.open(as_="ana", origin="http://evil.example") as live:
        return known.amounts["ana"] in heard(live)


def a_websocket_of_no_site_is_opened(there, known):
    with contextlib.suppress(InvalidStatus), there.open(as_="ana", origin=None) as live:
        return known.amounts["ana"] in heard(live)


def another_site_signs_a_reader_out(there, known):
    answer, _ = there.post("/sign-in", {"name": "bob", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    obtained = []
    for origin in (
        "http://evil.example",
        "null",
        there.address.replace("http", "https"),
        there.address + ".evil.example",
    ):
        answer, _ = there.post("/sign-out", {}, Origin=origin, Cookie=cookie)
        obtained += [origin] * (answer.status == 303)
    return obtained


def another_name_is_pointed_here(there, known):
    """DNS rebinding."""
    hosts = ("evil.example", "127.0.0.1.evil.example", "evil.example:80", "[", "192.168.1.2", "localhost@evil.example")
    return [host for host in hosts if there.ask("/whose", as_="ana", Host=host)[0].status == 200]


def a_page_is_framed_by_another_site(there, known):
    told = [there.ask(path, as_="ana")[0].headers for path in ("/whose", "/account", "/nothing", "/sign-in")]
    return [
        True
        for each in told
        if "frame-ancestors" not in str(each["content-security-policy"]) or not each["x-frame-options"]
    ]


def a_reader_asks_without_end(there, known):
    answer, _ = there.post("/sign-in", {"name": "bob", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return 429 not in [there.ask("/account", Cookie=cookie)[0].status for _ in range(AT_ONCE + 10)]


def a_request_is_too_long(there, known):
    body, told = "x" * (MOST_BYTES + 1), {"Origin": there.address}
    return [path for path in ("/live/whose/api/kernel/set_model_value", "/account")
            if there.ask(path, "POST", body, "bob", **told)[0].status != 413]  # fmt: skip


def a_reader_opens_pages_without_end(there, known):
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_OPEN + 1):
            live = stack.enter_context(there.open(as_="bob"))
            try:
                live.recv(30)
            except ConnectionClosed:
                return False
        return True


def a_frame_is_too_long(there, known):
    return _survives(there, lambda live: live.send("x" * 10_000_000))


def frames_are_not_what_they_should_be(there, known):
    """Text, half of JSON, bytes, pieces of a message, letters that are none: a page says nothing by this way."""
    frames = ["{", "[]", '{"op": "run", "code": "1"}', b"\x00\xff", ["a", "b", "c"], [b"\xff", b"\xfe"], ""]
    return [frame for frame in frames if _survives(there, lambda live, frame=frame: live.send(frame))]


def _survives(there, act):
    """Whether a live page goes on after that."""
    session = secrets.token_hex(16)
    with there.open(session, "ana") as live:
        model = model_of(heard(live))
        with contextlib.suppress(ConnectionClosed):
            act(live)
            there.tell(session, model, as_="ana")
            return "model-lifecycle" in all_heard(live)


def a_client_says_where_it_comes_from(there, known):
    """Each password from another address, and for another name: then no limit holds."""
    names = (f"{number}@example.com" for number in range(1000))
    for number in range(100):
        told = {
            "X_Forwarded_For": f"10.0.0.{number}",
            "X_Real_IP": f"10.0.0.{number}",
            "Forwarded": f"for=10.0.0.{number}",
        }
        answer, _ = there.post("/sign-in", {"name": next(names), "password": "x"}, **told)
        if answer.status == 429:
            return False
    return True


def a_client_says_that_it_is_https(there, known):
    """The cookie of https has another name: to whom believes it, the one of http is none."""
    told = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example", "X_Forwarded_Scheme": "https"}
    return there.ask("/whose", as_="ana", **told)[0].status != 200


def a_manager_asks_for_another_region(there, known):
    """By the address, by the controls, by the name of a deal."""
    deal, other, *theirs = sorted(known.others["ana"])
    obtained = set()
    for query in (
        "&in.region=Sud-Est&by=team",
        f"&open={deal}&list.search={other}",
        "&organisation=today&past=corrected",
    ):
        with there.open(as_="ana", app="opportunities", query=query) as live:
            told = heard(live)
        # The name that was asked for is told to who asked; whose deal it is, is not.
        obtained |= {each for each in (*theirs, known.clients[deal]) if each in told}
    return obtained


def a_reader_meets_the_picture_of_another(there, known):
    """Many ask at once for pages of which no picture is there yet; then one of them gets another region."""
    obtained = []

    def look(name):
        page = there.ask("/whose?lang=en", as_=name)[1]
        return [who for who, amount in known.amounts.items() if amount in page and who != sees[name]]

    sees = {"ana": "ana", "bob": "bob"}
    for _ in range(2):
        for name in sees:
            there.cookie(name)
        with ThreadPoolExecutor(6) as hands:
            obtained += [each for found in hands.map(look, ["ana", "bob"] * 60) for each in found]
        sees = {"ana": "bob", "bob": "ana"}
        for name, other in sees.items():
            there.accounts.remove(name)
            there.accounts.add(replace(READERS[other], id=name), PASSWORD, datetime.now(UTC))
            del there.cookies[name]
    for name, reader in READERS.items():
        there.accounts.remove(name)
        there.accounts.add(reader, PASSWORD, datetime.now(UTC))
    there.cookies.clear()
    return obtained


#: Each attack, and the guard without which it obtains something.
ATTACKS = [
    (a_stranger_reads_pages, "Gate"), (a_stranger_listens, "Gate"), (a_stranger_opens_what_is_there, "Gate"),
    (a_cookie_is_made_up, "Gate"), (a_cookie_is_used_after_signing_out, "Gate"), (a_manager_asks_for_another_region, "Gate"),
    (a_reader_moves_anothers_page, "Live"), (a_reader_moves_anothers_widget_through_a_session_of_his_own, "Live"),
    (a_reader_takes_over_anothers_session, "Live"), (two_readers_share_a_session_without_a_name, "Live"),
    (a_session_is_named_twice, "Live"), (a_reader_sets_what_is_the_pages_own, "Live"),
    (a_reader_reaches_more_of_marimo, "Live"), (a_path_leads_out_of_its_folder, "Live"),
    (a_reader_opens_pages_without_end, "Live"), (frames_are_not_what_they_should_be, "Live"),
    (another_site_opens_a_websocket, "Guard"), (a_websocket_of_no_site_is_opened, "Guard"),
    (another_site_signs_a_reader_out, "Guard"), (another_name_is_pointed_here, "Guard"),
    (a_page_is_framed_by_another_site, "Guard"), (a_request_is_too_long, "Bounds"), (a_reader_asks_without_end, "Bounds"),
    (a_reader_meets_the_picture_of_another, "scopes"), (a_frame_is_too_long, "server"), (a_client_says_that_it_is_https, "server"),
    (a_client_says_where_it_comes_from, "server"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "guard"), ATTACKS, ids=[f"{attack.__name__}-{guard}" for attack, guard in ATTACKS])
def test_what_works_where_a_guard_is_out_obtains_nothing(site, known, attack, guard):
    assert attack(site(guard), known), f"Without {guard} this has to obtain something, or it is no attack."

    assert not attack(site(), known)


class Naive(BaseHTTPRequestHandler):
    """A server that believes the first length that it is told, as some have."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = b'{"status": "ok"}'
        self.send_response(200 if self.command == "GET" else 403)
        self.send_header("Content-Length", str(len(told) if self.command == "GET" else 0))
        self.end_headers()
        self.wfile.write(told if self.command == "GET" else b"")

    do_GET = do_POST = answer  # noqa: N815 (as the library asks)

    def log_message(self, *_):
        pass


def a_second_request_hides_in_the_first(there):
    hidden = f"GET /healthz HTTP/1.1\r\nHost: {there.netloc}\r\nConnection: close\r\n\r\n".encode()
    found = []
    for lengths in (
        f"Content-Length: 0\r\nContent-Length: {len(hidden)}", f"Content-Length: 0, {len(hidden)}",
        f"Content-Length: +{len(hidden)}", "Content-Length : 0", f"Transfer-Encoding: xchunked\r\nContent-Length: {len(hidden)}",
    ):  # fmt: skip
        head = f"POST /sign-out HTTP/1.1\r\nHost: {there.netloc}\r\n{lengths}\r\n\r\n".encode()
        with contextlib.suppress(ConnectionError):
            found += [lengths] * (b'"status"' in there.raw(head + hidden, seconds=1))
    return found


def test_no_request_hides_in_another(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), Naive) as naive:
        threading.Thread(target=naive.serve_forever, daemon=True).start()
        assert a_second_request_hides_in_the_first(Target(f"http://127.0.0.1:{naive.server_port}", None))
        naive.shutdown()

    assert not a_second_request_hides_in_the_first(site())


@pytest.mark.parametrize(
    "target", ["http://evil.example/whose", "http://127.0.0.1/whose", "*", "whose", "/whose#x", "\x00"]
)
def test_no_form_of_an_address_leads_around_the_door(site, known, target):
    there = site()
    told = there.raw(f"GET {target} HTTP/1.1\r\nHost: {there.netloc}\r\nConnection: close\r\n\r\n".encode())

    assert told.split()[1] in (b"303", b"400", b"401", b"404", b"421")
    assert known.amounts[None].encode() not in told


def test_no_answer_tells_what_serves_it(site):
    answer, _ = site().ask("/whose", as_="ana")

    assert answer.headers["server"] is None
