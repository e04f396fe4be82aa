"""The two ends of a room: where a presenter opens it, and where others follow without an account."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from cadran.access.accounts import Session
from cadran.publish.followed import Room
from cadran.publish.guard import LOOPBACK
from cadran.publish.limits import origin_of
from cadran.publish.refusals import refuse, words_of
from cadran.publish.room_page import entry_page, follow_page
from cadran.publish.rooms import MOST_FOLLOWERS, Full, Rooms, Wait, plain, spelt
from cadran.tables.problems import Problem
from cadran.text import Words

#: Where a presenter sees to a room, and where others follow one.
ROOM, FOLLOW = "/room", "/r"
#: Seconds after which a follower is told that the line still stands, and after which one who takes nothing is let go.
STILL, PATIENCE = 15, 20
#: Bytes of what a presenter's page sends.
_MOST = 1000
_HEADERS = {
    "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
}  # fmt: skip


class RoomPages:
    """What a site answers under `/room` and `/r`.

    Args:
        rooms: The rooms.
        script: Address of the script of a follower's page.
        code: Address of the module that draws pages.
        policy: What a page may load.
        owns: Whether a live page is of who asks, by its name.
        site: The address readers write, where it is another than the one that is asked.
    """

    def __init__(
        self, rooms: Rooms, script: str, code: str, policy: str, owns: Callable[[Scope, str], bool],
        site: str | None = None,
    ):  # fmt: skip
        self.rooms, self.script, self.code, self.policy, self.site = rooms, script, code, policy, site
        self.owns = owns

    def routes(self) -> list[BaseRoute]:
        """The addresses."""
        return [
            Route(ROOM, self.presented, methods=["POST"]),
            Route(f"{ROOM}/end", self.ended, methods=["POST"]),
            Route(FOLLOW, self.entry),
            Route(f"{FOLLOW}/{{code}}", self.page),
            Route(f"{FOLLOW}/{{code}}/stream", Stream(self.rooms), methods=["GET"]),
        ]

    async def presented(self, request: Request) -> Response:
        """Open a room, or have the one whose key is shown follow this page; both tell how many follow."""
        words, owner = words_of(request), _owner(request)
        asked = await _told(request)
        session = request.headers.get("marimo-session-id", "")
        if asked is None or not session:
            return _no(words("That was not asked by a page of Cadran."), 400)
        if (asked.get("here") or not asked.get("key")) and not self.owns(request.scope, session):
            return _no(words("Refused: this is somebody else's session."), 403)
        if key := str(asked.get("key") or ""):
            room = self.rooms.of(owner, key)
            code = plain(str(asked.get("code") or ""))
            if room is None or not room.is_of(code):
                return _no(words("This room is closed."), 404)
            if asked.get("here"):
                self.rooms.attach(room, session)
            return await self._kept(request, words, room, session, code, key)
        try:
            room, code, key = self.rooms.open(owner)
        except Full:
            return _no(words("Too many rooms are open. Try again in a while."), 503)
        self.rooms.attach(room, session)
        return await self._kept(request, words, room, session, code, key, is_new=True)

    async def ended(self, request: Request) -> Response:
        """Close a room."""
        asked = await _told(request) or {}
        room = self.rooms.of(_owner(request), str(asked.get("key") or ""))
        if room is not None:
            self.rooms.end(room)
        try:
            await run_in_threadpool(self.rooms.tidy)
        except Problem as problem:
            return _no(problem.told(words_of(request)), 500)
        return JSONResponse({}, headers=_HEADERS)

    async def _kept(
        self, request: Request, words: Words, room: Room, session: str, code: str, key: str, is_new: bool = False
    ) -> Response:
        kept = room.kept if is_new else self.rooms.attend(room)
        try:
            if kept:
                await run_in_threadpool(self.rooms.keep, kept)
            await run_in_threadpool(self.rooms.tidy)
        except Problem as problem:
            if is_new:
                self.rooms.end(room)
            return _no(problem.told(words), 500)
        n, told = room.n_followers, {}
        if is_new or asked_for_picture(request):
            told = self._way(request, words, code)
        followers = words.n("{n} person follows", "{n} people follow", n)
        return JSONResponse(
            {"code": code, "key": key, "n": n, "followers": followers, "is_here": room.session == session,
             "is_held": room.session is not None, "is_shown": room.is_shown, **told},
            201 if is_new else 200, headers=_HEADERS,
        )  # fmt: skip

    def _way(self, request: Request, words: Words, code: str) -> dict[str, str]:
        """How one comes to a room: the code as it is read, the address, and its picture for a phone's camera."""
        site = self.site or f"{request.url.scheme}://{request.url.netloc}"
        address = f"{site}{FOLLOW}/{code}"
        picture = segno.make_qr(address, error="m").svg_inline(omitsize=True, border=3, light="#fff", dark="#000")
        is_alone = (urlsplit(site).hostname or "") in LOOPBACK
        alone = words("This address answers on this machine alone: phones need `cadran serve --sign-in --address`.")
        return {
            "spelt": spelt(code), "entry": f"{urlsplit(site).netloc}{FOLLOW}", "address": address, "picture": picture,
            "alone": alone.replace("`", "") if is_alone else "",
        }  # fmt: skip

    async def entry(self, request: Request) -> Response:
        """Where a code is typed."""
        words = words_of(request)
        if code := plain(request.query_params.get("code", "")):
            return RedirectResponse(f"{FOLLOW}/{code}?lang={words.language}", 303, _HEADERS)
        return self._page(entry_page(words))

    async def page(self, request: Request) -> Response:
        """The page of one who follows: the same for any code, which is looked at only when it asks what is shown."""
        return self._page(
            follow_page(words_of(request), self.script, self.code, spelt(plain(request.path_params["code"])))
        )

    def _page(self, html: str) -> Response:
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": self.policy})


def asked_for_picture(request: Request) -> bool:
    """Whether a page does not have the picture of its room's address."""
    return request.query_params.get("picture") == "1"


class Stream:
    """What a room is shown, as it changes: events of a server, one way.

    A follower is sent the newest state when it has taken the last: one who reads slowly misses what lay between, and is owed
    nothing. Unknown, over and never been are told alike.
    """

    def __init__(self, rooms: Rooms, clock: Callable[[], float] = time.monotonic):
        self.rooms, self.clock = rooms, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404 (no such room), 429 (too many wrong codes), 503 (full), or with events until the room is over."""
        request = Request(scope)
        words, host = words_of(request), request.client.host if request.client else ""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            await refuse(
                403, words("Refused: this request did not come from a page of Cadran."), scope, receive, send, _HEADERS
            )
            return
        try:
            room = self.rooms.followed(request.path_params["code"], origin_of(host), self.clock())
        except Wait as wait:
            said = words("Too many wrong codes. Wait {n} s, then try again.", n=words.number(wait.seconds))
            await refuse(429, said, scope, receive, send, {**_HEADERS, "Retry-After": str(wait.seconds)})
            return
        if room is None:
            await refuse(404, words("No room is open under this code."), scope, receive, send, _HEADERS)
        elif room.n_followers >= MOST_FOLLOWERS:
            await refuse(503, words("The room is full."), scope, receive, send, {**_HEADERS, "Retry-After": "30"})
        else:
            await self._follow(room, receive, send)

    async def _follow(self, room: Room, receive: Receive, send: Send) -> None:
        room.n_followers += 1
        told, gone = asyncio.ensure_future(self._tell(room, send)), asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.n_followers -= 1
            for task in (told, gone):
                task.cancel()
            await asyncio.gather(told, gone, return_exceptions=True)

    async def _tell(self, room: Room, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        headers += [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        seen = -1
        while room.is_open and room.is_served:
            if room.version > seen:
                version = room.version
                await _within(send, b"data: " + room.message(seen) + b"\n\n")
                seen = version
            if not await room.change(seen, STILL):
                await _within(send, b":\n\n")
                self.rooms.sweep()
        last = b"" if room.is_open else b"event: over\ndata:\n\n"
        await _within(send, last, more=False)


async def _within(send: Send, body: bytes, more: bool = True) -> None:
    """Send, to one who takes it.

    Raises:
        TimeoutError: If they do not.
    """
    await asyncio.wait_for(send({"type": "http.response.body", "body": body, "more_body": more}), PATIENCE)


async def _gone(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


def _owner(request: Request) -> str:
    """Who presents; nobody in particular where nobody signs in."""
    session: Session | None = request.scope.get("session")
    return session.reader.id.casefold() if session else ""


async def _told(request: Request) -> dict[str, Any] | None:
    """What a page sends, if it is what a page would send."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST:
            return None
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _no(said: str, status: int) -> Response:
    return JSONResponse({"said": said}, status, headers=_HEADERS)
