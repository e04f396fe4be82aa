"""The pages on which one signs in and out, and sees to one's account."""

import re
from collections.abc import Callable
from datetime import datetime
from html import escape
from math import ceil
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cadran.access.accounts import LASTS, Accounts, Session
from cadran.access.passwords import LONGEST, SHORTEST, check_password
from cadran.publish.forms import NoForm, TooLong, fields_of
from cadran.publish.gate import ACCOUNT, SIGN_IN, SIGN_OUT, cookie_of, token_of
from cadran.publish.limits import Buckets, origin_of
from cadran.publish.refusals import words_of
from cadran.publish.shell import form_page
from cadran.tables.problems import Problem
from cadran.text import Words, pick_language, words_for

T = TypeVar("T")
#: Tries at once and then per second: of one name, whoever it is, from one address; from one address, behind which an office
#: may stand; of one name from all addresses, so that whoever tries from one keeps nobody out who is elsewhere.
PER_NAME, PER_ADDRESS, EVERYWHERE = (10, 1 / 90), (60, 0.5), (60, 1 / 30)
#: Bytes of a form.
_MOST = 4096
#: Argon2 takes 64 MB each time: so many at once.
_AT_ONCE = 2
#: Where one may be sent after signing in: a page of ours.
_PAGE = re.compile(r"/[\w-]*(\?[^\s\\#]*)?", re.ASCII)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Entrance:
    """Signing in with an account of the book.

    Args:
        accounts: The book's.
        clock: Tells the time, with its zone.
        known: A list of stolen passwords, if there is one.
    """

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime], known: Path | None = None):
        self.accounts, self.clock, self.known = accounts, clock, known
        self._tries, self._addresses, self._names = (Buckets(*each) for each in (PER_NAME, PER_ADDRESS, EVERYWHERE))
        self._limiter: CapacityLimiter | None = None

    def routes(self) -> list[Route]:
        """The pages, under their addresses."""
        return [
            Route(SIGN_IN, self.sign_in, methods=["GET", "POST"]),
            Route(SIGN_OUT, self.sign_out, methods=["POST"]),
            Route(ACCOUNT, self.account, methods=["GET", "POST"]),
        ]

    async def sign_in(self, request: Request) -> Response:
        """The form, or what became of it."""
        words, to = words_of(request), _page(request.query_params.get("next"))
        if request.method != "POST":
            return _html(_sign_in(words, to))
        try:
            fields = await fields_of(request, _MOST)
        except (NoForm, TooLong):
            return _html(_sign_in(words, to, words("That was not the form of this page.")), 400)
        name, password = fields.get("name", "").strip(), fields.get("password", "")
        if wait := self._wait(request, name):
            said = words("Too many tries. Wait {n} s, then try again.", n=words.number(wait))
            return _html(_sign_in(words, to, said, name), 429, {"Retry-After": str(wait)})
        token = await self._slowly(self.accounts.sign_in, name, password, self.clock())
        if token is None:
            return _html(_sign_in(words, to, words("The name or the password is not right."), name), 401)
        is_secure = request.url.scheme == "https"
        answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
        answer.set_cookie(
            cookie_of(is_secure),
            token,
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session, or all of the account."""
        is_secure = request.url.scheme == "https"
        everywhere = request.query_params.get("everywhere") == "1"
        await run_in_threadpool(self.accounts.sign_out, token_of(request.headers, is_secure), everywhere)
        answer = RedirectResponse(SIGN_IN, 303, {"Cache-Control": "no-store"})
        answer.delete_cookie(cookie_of(is_secure), httponly=True, samesite="lax", secure=is_secure)
        return answer

    async def account(self, request: Request) -> Response:
        """Who one is here, what one sees, and a new password."""
        session: Session = request.scope["session"]
        words = words_for(pick_language(request.query_params.get("lang"), session.reader.language))
        if request.method != "POST":
            return _html(_account(words, session))
        try:
            fields = await fields_of(request, _MOST)
        except (NoForm, TooLong):
            return _html(_account(words, session, words("That was not the form of this page.")), 400)
        name = session.reader.id
        if wait := self._wait(request, name):
            said = words("Too many tries. Wait {n} s, then try again.", n=words.number(wait))
            return _html(_account(words, session, said), 429, {"Retry-After": str(wait)})
        old, new = fields.get("password", ""), fields.get("new", "")
        trial = await self._slowly(self.accounts.sign_in, name, old, self.clock())
        if trial is None:
            return _html(_account(words, session, words("The present password is not right.")), 422)
        try:
            if new == old:
                raise Problem("The new password is the present one.", "Take another.")
            await run_in_threadpool(check_password, new, [name], self.known)
        except Problem as problem:
            await run_in_threadpool(self.accounts.sign_out, trial)
            return _html(_account(words, session, problem.told(words)), 422)
        await self._slowly(self.accounts.set_password, name, new)
        said = words("The password is changed. Sign in with it.")
        return _html(_sign_in(words, "/", said, name, is_good=True))

    async def _slowly(self, call: Callable[..., T], *arguments: object) -> T:
        """What hashes a password, few at a time."""
        self._limiter = self._limiter or CapacityLimiter(_AT_ONCE)
        return await to_thread.run_sync(call, *arguments, limiter=self._limiter)

    def _wait(self, request: Request, name: str) -> int:
        """Whole seconds to wait before the next try; a name that nobody has waits as long."""
        at = self.clock().timestamp()
        origin, name = origin_of(request.client.host if request.client else ""), name.casefold()[:200]
        return ceil(
            self._addresses.wait(origin, at) or self._tries.wait(f"{origin} {name}", at) or self._names.wait(name, at)
        )


def _sign_in(words: Words, to: str, said: str = "", name: str = "", is_good: bool = False) -> str:
    fields = (
        f'<label for="name">{escape(words("Name or e-mail address"))}</label>'
        f'<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" required maxlength="100"{"" if name else " autofocus"}>'
        f'<label for="password">{escape(words("Password"))}</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" required '
        f'maxlength="{LONGEST}"{" autofocus" if name else ""}>'
        f"<button>{escape(words('Sign in'))}</button>"
    )
    action = f"{SIGN_IN}?next={quote(to, safe='')}&lang={words.language}"
    forgot = words("Password forgotten? Whoever runs Cadran here can make a new one.")
    return form_page(
        words, words("Sign in"), [], _form(action, fields), said, [forgot], is_good, _switch(words, SIGN_IN, to)
    )


def _account(words: Words, session: Session, said: str = "") -> str:
    reader = session.reader
    scope = words.list(sorted(reader.regions | reader.teams)) if reader.is_limited else words("the whole company")
    told = [words("You are signed in as {name}. You see {scope}.", name=reader.id, scope=scope)]
    if session.is_temporary:
        told.append(words("Your password was made up for you: choose one of your own to go on."))
    fields = (
        f'<input type="hidden" name="name" value="{escape(reader.id)}" autocomplete="username">'
        f'<label for="password">{escape(words("Present password"))}</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="{LONGEST}">'
        f'<label for="new">{escape(words("New password"))}</label>'
        f'<input id="new" name="new" type="password" autocomplete="new-password" required minlength="{SHORTEST}" '
        f'maxlength="{LONGEST}" aria-describedby="rule">'
        f'<p id="rule">{escape(words("At least {n} letters: four words that do not belong together, say.", n=SHORTEST))}</p>'
        f"<button>{escape(words('Change the password'))}</button>"
    )
    out = "".join(
        _form(f"{SIGN_OUT}{query}", f'<button class="quiet">{escape(text)}</button>')
        for query, text in (("", words("Sign out")), ("?everywhere=1", words("Sign out everywhere")))
    )
    action = f"{ACCOUNT}?lang={words.language}"
    return form_page(
        words, words("Your account"), told, _form(action, fields) + out, said, [], False, _switch(words, ACCOUNT)
    )


def _form(action: str, fields: str) -> str:
    return f'<form method="post" action="{escape(action)}">{fields}</form>'


def _switch(words: Words, path: str, to: str = "") -> tuple[str, str, str]:
    """The address of the same page in the other language, that language, and its name."""
    other = "en" if words.language == "fr" else "fr"
    query = f"&next={quote(to, safe='')}" if to else ""
    return f"{path}?lang={other}{query}", other, {"en": "English", "fr": "Français"}[other]


def _page(asked: str | None) -> str:
    return asked if asked and _PAGE.fullmatch(asked) else "/"


def _html(page: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY, "X-Frame-Options": "DENY"}
    return HTMLResponse(page, status, headers={**kept, **(headers or {})})
