"""How much one reader may ask for: how often, and how much at once."""

import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadran.publish.limits import Buckets
from cadran.publish.refusals import browser_words, refuse

#: Requests at once, then per second, of one reader: a hand on a slider sends some fifty.
REQUESTS = (400, 100.0)
#: Bytes of one request: a page's largest message is a selection of a few thousand names.
MOST_BYTES = 1_000_000


class _TooLong(Exception):
    """A request that is longer than it may be."""


class Bounds:
    """Keeps one reader who is signed in from taking all of the server. How often others may ask is seen to where they may:
    by the page to sign in, and by the page on which the invited answer.
    """

    def __init__(self, app: ASGIApp):
        self.app = app
        self._requests = Buckets(*REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse with 413 (too long) or 429 (too often)."""
        session = scope.get("session")
        if scope["type"] == "http" and session and self._requests.wait(session.key, time.monotonic()):
            await _refuse(429, scope, receive, send)
        elif scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            await _sized(self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def _sized(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    told = Headers(scope=scope).get("content-length", "0")
    n_read, has_begun = 0, False

    async def reading() -> Message:
        nonlocal n_read
        message = await receive()
        n_read += len(message.get("body", b""))
        if n_read > MOST_BYTES:
            raise _TooLong
        return message

    async def sending(message: Message) -> None:
        nonlocal has_begun
        has_begun = True
        await send(message)

    if not told.isdigit() or int(told) > MOST_BYTES:
        await _refuse(413, scope, receive, send)
        return
    try:
        await app(scope, reading, sending)
    except _TooLong:
        if has_begun:
            raise
        await _refuse(413, scope, receive, send)


async def _refuse(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    words = browser_words(scope)
    said = (
        words("Too much at once: wait a moment, then go on.") if status == 429 else words("This is too long to be sent")
    )
    headers = {"Retry-After": "1"} if status == 429 else {"Connection": "close"}
    await refuse(status, said, scope, receive, send, headers)
