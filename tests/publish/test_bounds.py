"""What one reader may ask for is bounded, said in the header or not."""

import pytest
from awaited import awaited

from cadran.access.accounts import Session
from cadran.book.reader import Reader
from cadran.publish.bounds import MOST_BYTES, REQUESTS, Bounds


async def reads(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status(app, pieces, headers=(), who=None):
    """What comes of a request whose body arrives in pieces."""
    told, left = [], [{"type": "http.request", "body": each, "more_body": True} for each in pieces]

    async def receive():
        return left.pop(0) if left else {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message.get("status"))

    session = Session(Reader(who), False, who) if who else None
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "query_string": b"",
        "headers": headers,
        "session": session,
    }
    awaited(app(scope, receive, send))
    return told[0]


@pytest.mark.parametrize(
    ("pieces", "headers", "expected"),
    [
        ([b"x" * (MOST_BYTES // 2)] * 2, [], 200),
        ([b"x" * (MOST_BYTES // 2)] * 3, [], 413),
        ([b"x"], [(b"content-length", str(MOST_BYTES + 1).encode())], 413),
        ([b"x"], [(b"content-length", b"-1")], 413),
    ],
)
def test_no_request_is_longer_than_it_may_be(pieces, headers, expected):
    assert status(Bounds(reads), pieces, headers) == expected


def test_who_asks_too_often_waits_and_nobody_else():
    app = Bounds(reads)
    found = [status(app, [], who="ana") for _ in range(REQUESTS[0] + 200)]

    assert found[: REQUESTS[0]] == [200] * REQUESTS[0]
    assert 429 in found
    assert [status(app, [], who=each) for each in ("bob", None)] == [200, 200]
