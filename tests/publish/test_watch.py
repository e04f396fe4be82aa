"""What is told of a running server names pages, and nobody."""

import asyncio
import json
from contextlib import suppress

import pytest
from awaited import awaited
from prometheus_client import CollectorRegistry

from cadran.publish.watch import Numbers, Watch, log_to, tell_numbers
from cadran.tables.problems import Problem


async def answer(scope, receive, send):
    """A small site."""
    path = scope["path"]
    if path == "/broken":
        raise RuntimeError
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404 if path == "/secret-name" else 200, "headers": []})
        await send({"type": "http.response.body", "body": b"so"})
    elif b"no" in scope["query_string"]:
        await send({"type": "websocket.close", "code": 1008})
    else:
        await send({"type": "websocket.accept"})
        await receive()


class Watched:
    """The site, watched: the lines told, and the numbers."""

    def __init__(self):
        registry, self.lines = CollectorRegistry(), []
        self.number = registry.get_sample_value
        self.watch = Watch(answer, ["page", "broken"], Numbers(registry), self.lines.append)

    def ask(self, path, method="GET", query=b"", headers=(), kind="http", receive=None):
        """One request."""

        async def send(message):
            pass

        told = {"type": kind, "path": path, "query_string": query, "headers": headers, "client": ("1.2.3.4", 5)}
        if kind == "http":
            told["method"] = method
        with suppress(RuntimeError):
            awaited(self.watch(told, receive, send))


@pytest.fixture
def watched():
    """A small site that is watched."""
    return Watched()


def test_a_line_says_what_was_asked_for_and_not_by_whom(watched):
    headers = [(b"cookie", b"cadran=token"), (b"user-agent", b"her phone")]
    watched.ask("/page", query=b"who=ana@x.fr", headers=headers)

    told = json.loads(watched.lines[0])
    assert {**told, "at": "", "ms": 0} == {"at": "", "page": "page", "method": "GET", "status": 200, "ms": 0}
    assert told["ms"] >= 0
    assert not any(each in watched.lines[0] for each in ("ana", "token", "phone", "1.2.3.4"))


def test_addresses_are_counted_by_page_and_a_stranger_makes_up_no_number(watched):
    for path in (
        "/page",
        "/page",
        "/secret-name",
        "/s/secret",
        "/static/a.js",
        "/live/page/assets/x.js",
        "/live/x/ws",
        "/",
    ):
        watched.ask(path)
    watched.ask("/page", "BREW")
    watched.ask("/broken")

    assert {json.loads(line)["page"] for line in watched.lines} == {
        "page", "other", "s", "static", "live/page/assets", "home", "broken",
    }  # fmt: skip
    assert "secret" not in "".join(watched.lines)
    assert watched.number("cadran_answers_total", {"page": "page", "method": "GET", "status": "200"}) == 2
    assert watched.number("cadran_answers_total", {"page": "page", "method": "OTHER", "status": "200"}) == 1
    assert watched.number("cadran_answers_total", {"page": "broken", "method": "GET", "status": "500"}) == 1
    assert watched.number("cadran_answer_seconds_count", {"page": "page"}) == 3


def test_open_pages_are_counted_while_they_are_open(watched):
    seen = []

    async def receive():
        seen.append(watched.number("cadran_open_pages", {"page": "live/page/ws"}))

    watched.ask("/live/page/ws", kind="websocket", receive=receive)
    watched.ask("/live/page/ws", kind="websocket", query=b"no")

    assert [*seen, watched.number("cadran_open_pages", {"page": "live/page/ws"})] == [1, 0]
    assert [json.loads(line)["status"] for line in watched.lines] == [101, 403]


def test_a_log_that_is_moved_away_is_begun_anew(tmp_path):
    path = tmp_path / "log.jsonl"
    with log_to(path) as tell:
        tell("one {} %s")
        path.rename(tmp_path / "old.jsonl")
        tell("two")

    assert ((tmp_path / "old.jsonl").read_text(), path.read_text()) == ("one {} %s\n", "two\n")
    with pytest.raises(Problem, match="cannot be written"), log_to(tmp_path / "gone" / "log.jsonl"):
        pass


def test_a_port_that_is_taken_is_told():
    async def taken():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with server:
            tell_numbers(server.sockets[0].getsockname()[1])

    with pytest.raises(Problem, match="choose another with --metrics"):
        awaited(taken())
