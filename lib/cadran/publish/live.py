"""The live side of an app: what of marimo its browser reaches, and whose each session of marimo is."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadran.publish.apps import App
from cadran.publish.live_pages import IS_FULL, MADE_ROOM, TOO_MANY, LivePage, LivePages, Owner
from cadran.publish.refusals import browser_words, refuse
from cadran.publish.rooms import Rooms
from cadran.publish.wire import NoMessage, as_body, held, read_message

#: What marimo takes for the name of a session: the only one that a request may have.
_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
#: Where a browser opens a session, and where it tells a widget something.
_SOCKET, _MODEL = "/ws", "/api/kernel/set_model_value"
#: What marimo would take from an address for itself: another notebook, a second reader of the same session.
_MARIMOS = ("file", "kiosk", "access_token", "refresh_token", "session_id")
#: What a browser says as it closes a page (RFC 6455, 7.4.1), and seconds for which it may come back to it all the same.
_LEAVES, LEFT_SECONDS = (1000, 1001), 5
#: A header by which marimo finds a session besides its name.
_STABLE = b"marimo-stable-session-id"
#: The name of a widget, as marimo tells a browser of it.
_TOLD = re.compile(r'\{"op": "model-lifecycle", "data": \{.{0,100}?"model_id": ?"([\w-]+)"')


class Live:
    """The live side of one app: of a page, only what `reader.js` asks for; of any other notebook, all that marimo lets a
    reader do.

    marimo takes whoever knows the name of a session for its owner, and a widget's name opens it from any session: here
    each answers whoever began the session alone.

    Args:
        marimo_app: All live sides. It has its own mounts under the same names, so it gets the whole path.
        pages: The live pages of the site.
        app: The app.
        is_page: Whether its notebook shows a page of ours.
        version: The version of the book at this moment; empty where it cannot be read.
        is_full: Whether there is no memory for another page.
        hidden: What a browser is told, without the folders of this machine.
        rooms: Told who is there: a room is open while its presenter is.
    """

    def __init__(
        self,
        marimo_app: ASGIApp,
        pages: LivePages,
        app: App,
        is_page: Callable[[], bool | None],
        version: Callable[[], str],
        is_full: Callable[[], bool],
        hidden: Callable[[str], str],
        rooms: Rooms,
    ):
        self.marimo_app, self.pages, self.app, self.name, self.rooms = marimo_app, pages, app, app.name, rooms
        self.is_page, self.version, self.is_full, self.hidden = is_page, version, is_full, hidden

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        inner = dict(scope, root_path="")
        inner["headers"] = [(name, value) for name, value in scope["headers"] if name != _STABLE]
        path = scope["path"].removeprefix(f"/live/{self.name}")
        is_socket, tells = scope["type"] == "websocket", path == _MODEL and scope.get("method") == "POST"
        session = scope.get("session")
        if session and not self.app.is_for(session.reader):
            await refuse(403, browser_words(scope)("This page is not for you"), scope, receive, send)
        elif self.is_page() and not (tells or (is_socket and path == _SOCKET)):
            await refuse(404, browser_words(scope)("There is no such page"), scope, receive, send)
        elif is_socket:
            await self._open(inner, receive, send)
        elif tells:
            await self._tell(inner, receive, send)
        elif not (names := _names(scope)) or self._theirs(names, scope):
            await self.marimo_app(inner, receive, send)
        else:
            await _refused(scope, receive, send)

    def _theirs(self, names: list[str], scope: Scope) -> LivePage | None:
        """The one page that a request names, if it is of whoever asks."""
        return self.pages.get(names[0], self.name, owner_of(scope)) if len(names) == 1 else None

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket: of a page that is there, or of a new one."""
        query = QueryParams(scope["query_string"])
        names = query.getlist("session_id")
        if len(names) != 1 or not _NAME.fullmatch(names[0]):
            await _refused(scope, receive, send)
            return
        name, owner = names[0], owner_of(scope)
        page = self.pages.get(name, self.name, owner)
        if page is None and self.pages.is_known(name):
            await _refused(scope, receive, send)
            return
        if page is None:
            if self.is_full():
                await _closed(receive, send, IS_FULL)
                return
            page = self.pages.begin(name, self.name, owner, _reader(scope), self.version())
        if page is None:
            await _closed(receive, send, TOO_MANY)
            return
        asked = [(key, value) for key, value in query.multi_items() if key not in _MARIMOS]
        scope["query_string"] = urlencode([*asked, ("session_id", name)]).encode()
        await self._while_open(page, scope, receive, send)

    async def _while_open(self, page: LivePage, scope: Scope, receive: Receive, send: Send) -> None:
        """Until its reader leaves, or it is closed to make room."""

        is_told = False

        async def close(code: int, reason: str = "") -> None:
            nonlocal is_told
            if not is_told:
                is_told = True
                await send({"type": "websocket.close", "code": code, "reason": reason})

        async def hearing() -> Message:
            message = await receive()
            # A page's browser says nothing by this way: marimo only listens whether it is still there.
            if message["type"] == "websocket.receive" and self.is_page():
                await close(1008)
                return {"type": "websocket.disconnect", "code": 1008}
            page.is_left = message["type"] == "websocket.disconnect" and message.get("code") in _LEAVES
            return message

        async def telling(message: Message) -> None:
            if message["type"] == "websocket.close":
                await close(message.get("code", 1000), message.get("reason") or "")
                return
            if text := message.get("text"):
                if told := _TOLD.match(text):
                    page.models.add(told[1])
                message = {**message, "text": self.hidden(text)}
            if not is_told:
                await send(message)

        page.n_open += 1
        page.is_left = False
        self.rooms.arrive(page.id)
        page.acted_at = self.pages.clock()
        inner = asyncio.ensure_future(self.marimo_app(scope, hearing, telling))
        closed = asyncio.ensure_future(page.closed.wait())
        try:
            await asyncio.wait({inner, closed}, return_when=asyncio.FIRST_COMPLETED)
            if inner.done():
                await inner
            else:
                await close(*MADE_ROOM)
        finally:
            inner.cancel()
            closed.cancel()
            page.n_open -= 1
            self.rooms.depart(page.id)
            if page.closed.is_set() and not page.n_open:
                self.pages.end(page)
            elif page.is_left:
                asyncio.get_running_loop().call_later(LEFT_SECONDS, self.pages.leave, page)

    async def _tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A message to a widget."""
        names = _names(scope)
        page = self._theirs(names, scope)
        if page is None and any(map(self.pages.is_known, names)):
            await _refused(scope, receive, send)
            return
        if page is None:
            said = browser_words(scope)("This page is over: load it again.")
            await refuse(410, said, scope, receive, send)
            return
        try:
            model, message = read_message(await _body(receive))
            if self.is_page():
                message = held(message)
            body = as_body(message)
        except NoMessage:
            said = browser_words(scope)("Refused: this is nothing that a page of Cadran asks.")
            await refuse(400, said, scope, receive, send)
            return
        if model not in page.models:
            await _refused(scope, receive, send)
        elif self.is_page() and self._is_over(page, message["message"]):
            # Its browser opens it anew, with the view that it has: no page shows two versions of a book.
            await Response(status_code=409)(scope, receive, send)
        else:
            page.acted_at = self.pages.clock()
            await self.marimo_app(_sized(scope, body), _once(body), send)

    def _is_over(self, page: LivePage, message: dict[str, Any]) -> bool:
        """Whether a reader asks for something else of a book that was replaced meanwhile. What is asked again, and a slider
        that is still held, are answered from the one before."""
        view = message.get("state", {}).get("view")
        if view is None or view.get("moving"):
            return False
        asked = json.dumps({**view, "seq": 0}, sort_keys=True)
        is_same, page.asked = asked == page.asked, asked
        return not is_same and self.version() not in ("", page.version)


def _names(scope: Scope) -> list[str]:
    """Every name of a session that a request has."""
    query = QueryParams(scope["query_string"])
    return [*Headers(scope=scope).getlist("marimo-session-id"), *query.getlist("session_id")]


def owner_of(scope: Scope) -> Owner:
    """Who asks, as they are now."""
    session = scope.get("session")
    return (session.key, session.reader) if session else None


def _reader(scope: Scope) -> str:
    session = scope.get("session")
    return session.reader.id.casefold() if session else ""


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    said = browser_words(scope)("Refused: this is somebody else's session.")
    await refuse(403, said, scope, receive, send, {"Cache-Control": "no-store"})


async def _closed(receive: Receive, send: Send, why: tuple[int, str]) -> None:
    """Open a websocket to say why it is closed: one that is not opened says nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": why[0], "reason": why[1]})


async def _body(receive: Receive) -> bytes:
    pieces, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise NoMessage
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def _sized(scope: Scope, body: bytes) -> Scope:
    """A request with another body."""
    sized = dict(scope)
    MutableHeaders(scope=sized)["content-length"] = str(len(body))
    return sized


def _once(body: bytes) -> Receive:
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return left.pop() if left else {"type": "http.disconnect"}

    return receive
