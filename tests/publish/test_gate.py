"""An open page is closed once its reader may see something else, also where a proxy signs readers in."""

import asyncio

from awaited import awaited

from cadran.access.accounts import Session
from cadran.book.reader import Reader
from cadran.publish import gate
from cadran.publish.asking import ByHeader
from cadran.publish.gate import Gate


class Accounts:
    """Somebody whose region changes while they look on."""

    def __init__(self, *regions):
        self.regions = [*regions]

    def named(self, name):
        region = self.regions.pop(0) if len(self.regions) > 1 else self.regions[0]
        return Session(Reader(name, "manager", frozenset({region})), False, "key")


def told(accounts, monkeypatch, seconds=0.3):
    """What a websocket is told meanwhile."""
    monkeypatch.setattr(gate, "WATCH", 0.02)
    messages = []

    async def page(scope, receive, send):
        await send({"type": "websocket.accept"})
        await asyncio.sleep(seconds)

    async def send(message):
        messages.append((message["type"], message.get("code")))

    scope = {
        "type": "websocket",
        "path": "/live/page/ws",
        "scheme": "wss",
        "query_string": b"",
        "headers": [(b"x-user", b"ana")],
    }
    door = Gate(page, ByHeader(accounts, "X-User"))
    awaited(door(scope, None, send))
    return messages


def test_who_gets_another_scope_loses_open_pages(monkeypatch):
    assert told(Accounts("Nord"), monkeypatch) == [("websocket.accept", None)]
    assert told(Accounts("Nord", "Nord", "Sud-Est"), monkeypatch) == [
        ("websocket.accept", None),
        ("websocket.close", 1008),
    ]
