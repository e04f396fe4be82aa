"""What the server answers, to whom, and for how long it may be kept."""

import ast
import gc
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import websockets.exceptions
from marimo._ast.compiler import module_compile
from served import now, serving
from websockets.sync.client import connect

from cadran.publish.apps import App
from cadran.publish.server import listen, serve
from cadran.publish.site import Site
from cadran.tables.problems import Problem


def ask(address, path, method="GET", **headers):
    """One request as it is, without following anything."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def text(address, path, **headers):
    return ask(address, path, **headers)[1].decode()


def test_says_that_it_is_well_and_with_which_book(address):
    assert json.loads(text(address, "/healthz")) == {"status": "ok", "book": "000001"}


def test_says_whether_readers_may_come(site, address, monkeypatch):
    assert json.loads(text(address, "/readyz")) == {"status": "ready", "book": "000001"}
    monkeypatch.setattr(site.current, "book", site.book / "gone")

    answer, body = ask(address, "/readyz")
    assert (answer.status, json.loads(body)["status"]) == (503, "not ready")


def test_the_shell_holds_the_first_sight(address):
    page = text(address, "/page?lang=en")

    assert '<html lang="en">' in page
    assert "€1,234" in page


@pytest.mark.parametrize(
    ("path", "accepts", "language"),
    [
        ("/page", "fr-FR,en;q=0.8", "fr"),
        ("/page", "de", "en"),
        ("/page?lang=en", "fr", "en"),
        ("/page?lang=xx", "fr", "fr"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_browsers(address, path, accepts, language):
    assert f'<html lang="{language}"' in text(address, path, Accept_Language=accepts)


def test_another_view_never_shows_the_numbers_of_the_first_one(address):
    page = text(address, "/page?lang=en&outcome=lost")

    assert "€1,234" not in page
    assert "skeleton" in page


def test_a_view_in_the_address_cannot_write_into_the_page(address):
    assert "<script>alert" not in text(
        address, "/page?lang=<script>alert(1)</script>&theme=%22><script>alert(1)</script>"
    )


def test_pages_are_compressed_and_asked_for_anew(address):
    answer, body = ask(address, "/page", Accept_Encoding="gzip")

    assert answer.headers["content-encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(body)
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "pattern", [r'src="(/static/[0-9a-f]{16}\.js)"', r'crossorigin href="(/static/[0-9a-f]{16}\.js)"']
)
def test_hashed_files_are_compressed_and_kept_for_long(address, pattern):
    script = re.search(pattern, text(address, "/page"))[1]

    answer, body = ask(address, script, Accept_Encoding="gzip")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert gzip.decompress(body).decode() == text(address, script)


def test_the_front_end_of_marimo_is_compressed_and_kept_for_long(address):
    page = text(address, "/live/plain/")
    asset = re.search(r'src="\./(assets/[^"]+\.js)"', page)[1]

    answer, body = ask(address, f"/live/plain/{asset}", Accept_Encoding="gzip")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(body) < len(gzip.decompress(body)) / 2


@pytest.mark.parametrize(
    "path", ["/static/nothing.js", "/live/plain/assets/../../guard.py", "/live/other/", "/notebooks"]
)
def test_nothing_else_is_shown(address, path):
    assert ask(address, path)[0].status == 404


@pytest.mark.parametrize(
    "path", ["", "assets/index.js", "api/status", "api/kernel/run", "api/export/html", "auth/login"]
)
def test_of_a_pages_live_side_only_what_its_reader_asks_for_is_reached(address, path):
    assert ask(address, f"/live/page/{path}")[0].status == 404
    assert ask(address, f"/live/page/{path}", "POST", Origin=address)[0].status in (404, 405)


@pytest.mark.parametrize(("language", "says"), [("en", "There is no such page"), ("fr", "Cette page n’existe pas")])
def test_an_unknown_address_is_told_where_to_go(address, language, says):
    answer, body = ask(address, f"/nowhere?lang={language}")

    assert answer.status == 404
    assert says in body.decode()
    assert 'href="/page"' in body.decode()


def test_a_notebook_that_fails_is_told_at_the_start_and_its_page_says_so(complaints, address):
    assert [str(problem).splitlines()[0] for problem in complaints] == [
        "The notebook broken fails: KeyError: 'no such column'"
    ]
    answer, body = ask(address, "/broken?lang=en")
    assert answer.status == 500
    assert "This page cannot be made from this book" in body.decode()
    assert "Traceback" not in body.decode()


def test_a_notebook_that_fails_once_a_reader_asks_for_it_is_told_too(book, request, serve_site, monkeypatch):
    monkeypatch.setenv("CADRAN_BOOK", "")
    page, broken = (request.path.parent / "notebooks" / f"{name}.py" for name in ("page", "broken"))
    complaints = []
    site = Site(
        book, [App("page", "Page", page), App("broken", "Broken", broken, learns=True)], complaints.append, clock=now
    )
    site.warm_up()

    assert complaints == []
    with serve_site(site) as there:
        assert [ask(there, f"/broken?lang={language}")[0].status for language in ("en", "fr")] == [500, 500]
    assert [str(problem).splitlines()[0] for problem in complaints] == [
        "The notebook broken fails: KeyError: 'no such column'"
    ]


def test_a_new_version_of_the_book_gets_a_new_first_sight(site, address, monkeypatch):
    monkeypatch.setattr(site.sights, "_version", lambda: "000002")

    assert "€1,234" not in text(address, "/page?lang=en")
    while site.sights.made(site.apps["page"], "en") is None:
        time.sleep(0.02)
    assert "€1,234" in text(address, "/page?lang=en")


def test_pages_name_no_folder_and_no_other_site(site, address):
    page = text(address, "/page")

    assert str(site.book.resolve()) not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "192.168.1.2"])
def test_a_foreign_name_pointed_at_this_machine_is_refused(address, host):
    assert ask(address, "/page", Host=host)[0].status == 421


def test_every_answer_carries_the_headers_of_the_house(address):
    for path in ("/page", "/live/plain/", "/nowhere"):
        headers = ask(address, path, Origin="http://evil.example")[0].headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["access-control-allow-origin"] is None


def test_a_change_must_come_from_a_page_of_ours(address):
    path = "/live/page/api/kernel/set_model_value"

    assert ask(address, path, "POST", Origin="http://evil.example")[0].status == 403
    assert ask(address, path, "POST")[0].status == 403
    assert ask(address, path, "POST", Origin=address)[0].status == 410  # of no page that is open


def socket_of(address, origin):
    return connect(f"ws://{urlsplit(address).netloc}/live/page/ws?session_id=test-origin", origin=origin)


def test_a_websocket_must_come_from_a_page_of_ours(address):
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        socket_of(address, "http://evil.example")
    with socket_of(address, address) as socket:
        assert json.loads(socket.recv(10))["op"] == "kernel-ready"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.com", "::"])
def test_serves_on_this_machine_only(book, host):
    with pytest.raises(Problem, match="without sign-in"):
        serve(book, host=host, clock=now)


def test_what_is_written_is_sent_at_once():
    with listen("127.0.0.1", 0) as listening:
        # asyncio turns Nagle's waiting off only where a socket says that it is TCP's.
        assert listening.proto == socket.IPPROTO_TCP


def test_a_port_in_use_is_told(book, address):
    with pytest.raises(Problem, match="cannot be used"):
        serve(book, port=urlsplit(address).port, clock=now)


def test_without_a_book_nothing_is_served(tmp_path):
    with pytest.raises(Problem, match="book"):
        Site(tmp_path, [], clock=now)


def test_when_no_notebook_works_nothing_is_served(book, request):
    broken = App("broken", "Broken", request.path.parent / "notebooks" / "broken.py")

    with pytest.raises(Problem, match="No page"):
        serve(book, port=0, apps=[broken], complain=lambda _problem: None, clock=now)


START = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from cadran.publish.apps import App
from cadran.publish.server import serve
book, *names = sys.argv[1:]
serve(Path(book), port=0, apps=[App(n, n, Path({folder!r}) / (n + ".py")) for n in names],
      announce=lambda address: print(address, flush=True), clock=lambda: datetime.now(UTC))
"""


def test_prints_its_address_and_ends_in_peace_by_the_keyboard(book, request):
    code = START.format(folder=str(request.path.parent / "notebooks"))
    command = [sys.executable, "-c", code, str(book), "broken", "plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as server:
        address = server.stdout.readline().strip()
        assert ask(address, "/healthz")[0].status == 200
        server.send_signal(signal.SIGINT)
        said = server.stderr.read()
        assert server.wait(15) == 0
    assert "The notebook broken fails" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("read", [ast.parse, module_compile])
def test_notebooks_may_be_read_at_once(book, monkeypatch, read):
    monkeypatch.setenv("CADRAN_BOOK", "")
    Site(book, [], clock=now)
    source = "\n".join(f"def f{n}(a, b):\n    return [x * (a + b) - {n} for x in (a, b, {n})]" for n in range(50))

    def look_away(*_):  # while garbage is looked for, which begins in the midst of reading
        time.sleep(0.0001)

    gc.callbacks.append(look_away)
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        with ThreadPoolExecutor(4) as readers:
            trees = list(readers.map(read, [source] * 20))
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(look_away)

    assert [len(tree.body) for tree in trees] == [50] * 20


def test_the_command_serves_a_book_until_it_is_told_to_end(book):
    with serving(book) as address:
        assert json.loads(text(address, "/healthz")) == {"status": "ok", "book": "000001"}
        assert "Cadran" in text(address, "/opportunities?lang=en")
