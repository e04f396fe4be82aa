"""What stands between a request and the pages of a book: who asks, and whether that is still so."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadran.access.accounts import Accounts, Session
from cadran.publish.reading import told_reader
from cadran.publish.refusals import browser_words, refuse

#: Where one signs in and out, and sees to one's account.
SIGN_IN, SIGN_OUT, ACCOUNT = "/sign-in", "/sign-out", "/account"
#: What anybody may ask for: the page to sign in, whether the server is there, files that are the same for all, and the
#: page on which the invited answer.
_OPEN = re.compile(r"/sign-in|/healthz|/readyz|/static/[^/]+|/s/[^/]+")
#: Seconds between two looks at whether those with an open page may still see it.
WATCH = 20


def cookie_of(is_secure: bool) -> str:
    """The name of the cookie: over https one that no other host of the domain can set."""
    return "__Host-cadran" if is_secure else "cadran"


def token_of(headers: Headers, is_secure: bool) -> str:
    """What a request shows for its session; nothing if it shows none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_of(is_secure))
    except CookieError:
        return ""
    return found.value if found else ""


class Gate:
    """Lets nobody pass who is not signed in. Who is signed out, removed, over or of another scope loses open pages within
    `WATCH` seconds.

    Args:
        app: The pages.
        accounts: Who may read them.
        clock: Tells the time, with its zone.
        header: Where a proxy that signs readers in says who asks; null: they sign in here. Only for a site that nobody but
            its proxies reaches.
    """

    def __init__(self, app: ASGIApp, accounts: Accounts, clock: Callable[[], datetime], header: str | None = None):
        self.app, self.accounts, self.clock, self.header = app, accounts, clock, header
        # A notebook is handed all headers but these.
        self._hidden = {b"cookie", *([header.lower().encode()] if header else [])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with its reader, send to the page to sign in, or refuse."""
        if scope["type"] not in ("http", "websocket") or _OPEN.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = self._shown(headers, scope["scheme"] in ("https", "wss"))
        session = await self._session(token) if token else None
        if session is None and self.header:
            await _refused(scope, receive, send)
        elif session is None:
            await _turned_away(scope, receive, send)
        elif session.is_temporary and scope["path"] not in (ACCOUNT, SIGN_OUT):
            await _turned_away(scope, receive, send, ACCOUNT)
        else:
            inner = dict(scope, user=told_reader(session.reader), session=session)
            if scope["path"].startswith("/live/"):
                inner["headers"] = [(name, value) for name, value in scope["headers"] if name not in self._hidden]
            if scope["type"] == "websocket":
                await self._while_signed_in(token, session, inner, receive, send)
            else:
                await self.app(inner, receive, _kept_by_nobody(send))

    def _shown(self, headers: Headers, is_secure: bool) -> str:
        """What a request shows for who asks: its session's token, or the one name that the proxy gives."""
        if not self.header:
            return token_of(headers, is_secure)
        names = headers.getlist(self.header)
        return names[0] if len(names) == 1 else ""

    async def _session(self, token: str, is_used: bool = True) -> Session | None:
        if self.header:
            return await run_in_threadpool(self.accounts.named, token)
        return await run_in_threadpool(self.accounts.session, token, self.clock(), is_used)

    async def _while_signed_in(self, token: str, session: Session, scope: Scope, receive: Receive, send: Send) -> None:
        """Until it is over, or its reader may see something else."""
        inner = asyncio.ensure_future(self.app(scope, receive, send))
        try:
            while not (await asyncio.wait({inner}, timeout=WATCH))[0]:
                if await self._session(token, is_used=False) != session:
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
