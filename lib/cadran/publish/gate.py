"""What stands between a request and the pages of a book: who asks, and whether that is still so."""

import asyncio
import re
from collections import OrderedDict
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadran.access.accounts import Session
from cadran.publish.asking import Asking
from cadran.publish.reading import told_reader
from cadran.publish.refusals import browser_words, refuse

#: Where one signs in and out, and sees to one's account.
SIGN_IN, SIGN_OUT, ACCOUNT = "/sign-in", "/sign-out", "/account"
#: Where one leaves for a provider, comes back from it, and where it tells that somebody has signed out there.
LEAVE, BACK, ENDED = "/sign-in/provider", "/sign-in/provider/back", "/sign-out/provider"
#: What anybody may ask for: the pages to sign in, whether the server is there, files that are the same for all, and the
#: page on which the invited answer, and those of who follows a presentation by its code.
_OPEN = re.compile(
    r"/sign-in(/provider(/back)?)?|/sign-out/provider|/healthz|/readyz|/static/[^/]+|/s/[^/]+|/r(/[^/]+(/stream)?)?"
)
#: Seconds between two looks at whether those with an open page may still see it.
WATCH = 20
#: Sessions of marimo whose owner is remembered.
_MOST = 10_000


class Gate:
    """Lets nobody pass who is not signed in, and binds each session of marimo to whoever began it.

    marimo takes whoever knows a session's id for its owner: here it answers its owner alone. Who is signed out, removed or
    over loses open pages within `WATCH` seconds.

    Args:
        app: The pages.
        asking: How it is known who asks.
    """

    def __init__(self, app: ASGIApp, asking: Asking):
        self.app, self.asking = app, asking
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with its reader, send to the page to sign in, or refuse."""
        if scope["type"] not in ("http", "websocket") or _OPEN.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        shown = self.asking.shown(headers, scope["scheme"] in ("https", "wss"))
        session = await self.asking.session(shown) if shown else None
        if session is None and self.asking.signs_in:
            await _turned_away(scope, receive, send)
        elif session is None:
            await _refused(scope, receive, send, 401)
        elif session.is_temporary and scope["path"] not in (ACCOUNT, SIGN_OUT):
            await _turned_away(scope, receive, send, ACCOUNT)
        elif not self._owns(session, scope, headers):
            await _refused(scope, receive, send)
        else:
            inner = dict(scope, user=told_reader(session.reader), session=session)
            if scope["path"].startswith("/live/"):
                inner["headers"] = [(name, value) for name, value in scope["headers"] if name not in self.asking.hidden]
            if scope["type"] == "websocket":
                await self._while_signed_in(shown, inner, receive, send)
            else:
                await self.app(inner, receive, _kept_by_nobody(send))

    def _owns(self, session: Session, scope: Scope, headers: Headers) -> bool:
        """Whether the sessions of marimo that a request names are of who asks; one that nobody has is theirs from now on."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        named = {*query.get("session_id", ()), *headers.getlist("marimo-session-id")}
        for each in named:
            if self._owners.setdefault(each, session.key) != session.key:
                return False
            self._owners.move_to_end(each)
        while len(self._owners) > _MOST:
            self._owners.popitem(last=False)
        return len(named) < 2

    async def _while_signed_in(self, shown: str, scope: Scope, receive: Receive, send: Send) -> None:
        inner = asyncio.ensure_future(self.app(scope, receive, send))
        try:
            while not (await asyncio.wait({inner}, timeout=WATCH))[0]:
                if await self.asking.session(shown, is_used=False) is None:
                    await send({"type": "websocket.close", "code": 1008})
                    return
            await inner
        finally:
            inner.cancel()


def _kept_by_nobody(send: Send) -> Send:
    """What one person sees is kept by no proxy and no browser, which would show it to whoever goes back to it; what is the
    same for all may be."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not headers.get("Cache-Control", "").startswith("public"):
                headers["Cache-Control"] = "private, no-store"
        await send(message)

    return sending


async def _turned_away(scope: Scope, receive: Receive, send: Send, to: str = SIGN_IN) -> None:
    """A page is sent where it may go on; whatever else is refused."""
    if scope["type"] == "http" and scope["method"] == "GET" and not scope["path"].startswith("/live/"):
        query = scope["query_string"].decode("latin-1")
        asked = quote(scope["path"] + (f"?{query}" if query else ""), safe="")
        await RedirectResponse(f"{to}?next={asked}", 303, {"Cache-Control": "no-store"})(scope, receive, send)
    else:
        await _refused(scope, receive, send, 401)


async def _refused(scope: Scope, receive: Receive, send: Send, status: int = 403) -> None:
    words = browser_words(scope)
    said = words("Sign in first.") if status == 401 else words("Refused: this is somebody else's session.")
    await refuse(status, said, scope, receive, send, {"Cache-Control": "no-store"})
