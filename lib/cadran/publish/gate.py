"""What stands between a request and the pages of a book: who asks, and whether that is still so."""

import asyncio
import re
from urllib.parse import quote

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


class Gate:
    """Lets nobody pass who is not signed in. Who is signed out, removed, over or of another scope loses open pages within
    `WATCH` seconds.

    Args:
        app: The pages.
        asking: How it is known who asks.
    """

    def __init__(self, app: ASGIApp, asking: Asking):
        self.app, self.asking = app, asking

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
            await _refused(scope, receive, send)
        elif session.is_temporary and scope["path"] not in (ACCOUNT, SIGN_OUT):
            await _turned_away(scope, receive, send, ACCOUNT)
        else:
            inner = dict(scope, user=told_reader(session.reader), session=session)
            if scope["path"].startswith("/live/"):
                inner["headers"] = [(name, value) for name, value in scope["headers"] if name not in self.asking.hidden]
            if scope["type"] == "websocket":
                await self._while_signed_in(shown, session, inner, receive, send)
            else:
                await self.app(inner, receive, _kept_by_nobody(send))

    async def _while_signed_in(self, shown: str, session: Session, scope: Scope, receive: Receive, send: Send) -> None:
        """Until it is over, or its reader may see something else."""
        inner = asyncio.ensure_future(self.app(scope, receive, send))
        try:
            while not (await asyncio.wait({inner}, timeout=WATCH))[0]:
                if await self.asking.session(shown, is_used=False) != session:
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
        await _refused(scope, receive, send)


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    said = browser_words(scope)("Sign in first.")
    await refuse(401, said, scope, receive, send, {"Cache-Control": "no-store"})
