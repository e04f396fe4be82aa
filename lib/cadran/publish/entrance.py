"""The pages on which one signs in and out, and sees to one's account."""

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
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cadran.access.accounts import Accounts, Session
from cadran.access.passwords import LONGEST, SHORTEST, check_password
from cadran.book.reader import Reader
from cadran.publish.asking import drop_token, keep_token, token_of
from cadran.publish.entry import answer_page, page_of, switch
from cadran.publish.forms import NoForm, TooLong, fields_of
from cadran.publish.gate import ACCOUNT, SIGN_IN, SIGN_OUT
from cadran.publish.limits import Buckets, origin_of
from cadran.publish.provider import Provider, button
from cadran.publish.refusals import words_of
from cadran.publish.shell import form_page, plain_page
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


class Entrance:
    """Signing in, with an account of the book or at a provider.

    Args:
        accounts: The book's.
        clock: Tells the time, with its zone.
        known: A list of stolen passwords, if there is one.
        provider: Where those sign in who have no password here, if anywhere.
        with_passwords: Whether accounts of the book may sign in; without a provider, they may.
    """

    def __init__(
        self,
        accounts: Accounts,
        clock: Callable[[], datetime],
        known: Path | None = None,
        provider: Provider | None = None,
        with_passwords: bool = True,
    ):
        self.accounts, self.clock, self.known = accounts, clock, known
        self.provider, self.with_passwords = provider, with_passwords or provider is None
        #: Told by the site: what of a reader's scope nobody of the book is in any more.
        self.gone: Callable[[Reader], list[str]] = lambda reader: []
        self._tries, self._addresses, self._names = (Buckets(*each) for each in (PER_NAME, PER_ADDRESS, EVERYWHERE))
        self._limiter: CapacityLimiter | None = None

    def routes(self) -> list[Route]:
        """The pages, under their addresses."""
        return [
            Route(SIGN_IN, self.sign_in, methods=["GET", "POST"]),
            Route(SIGN_OUT, self.sign_out, methods=["POST"]),
            Route(ACCOUNT, self.account, methods=["GET", "POST"]),
            *(self.provider.routes() if self.provider else []),
        ]

    async def sign_in(self, request: Request) -> Response:
        """The form, or what became of it."""
        words, to = words_of(request), page_of(request.query_params.get("next"))
        if request.method != "POST":
            return answer_page(self._sign_in(words, to))
        if not self.with_passwords:
            return answer_page(self._sign_in(words, to), 403)
        try:
            fields = await fields_of(request, _MOST)
        except (NoForm, TooLong):
            return answer_page(self._sign_in(words, to, words("That was not the form of this page.")), 400)
        name, password = fields.get("name", "").strip(), fields.get("password", "")
        if wait := self._wait(request, name):
            said = words("Too many tries. Wait {n} s, then try again.", n=words.number(wait))
            return answer_page(self._sign_in(words, to, said, name), 429, {"Retry-After": str(wait)})
        token = await self._slowly(self.accounts.sign_in, name, password, self.clock())
        if token is None:
            return answer_page(self._sign_in(words, to, words("The name or the password is not right."), name), 401)
        answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
        keep_token(answer, token, request.url.scheme == "https", self.accounts.lasts.total_seconds())
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session, or all of the account, and have whoever signed in at a provider sign out there too."""
        is_secure = request.url.scheme == "https"
        everywhere = request.query_params.get("everywhere") == "1"
        token = token_of(request.headers, is_secure)
        onward = await self.provider.farewell(request, token) if self.provider else None
        await run_in_threadpool(self.accounts.sign_out, token, everywhere)
        answer: Response = RedirectResponse(SIGN_IN, 303, {"Cache-Control": "no-store"})
        if self.provider and onward:
            answer = answer_page(_farewell(words_of(request), self.provider.name, onward))
        drop_token(answer, is_secure)
        return answer

    async def account(self, request: Request) -> Response:
        """Who one is here, what one sees, and a new password."""
        session: Session = request.scope["session"]
        words = words_for(pick_language(request.query_params.get("lang"), session.reader.language))
        gone = await run_in_threadpool(self.gone, session.reader)
        if session.is_guest:
            return answer_page(_guest(words, session, gone, self.provider.name if self.provider else ""))

        def page(said: str = "") -> str:
            return _account(words, session, gone, said)

        if request.method != "POST":
            return answer_page(page())
        try:
            fields = await fields_of(request, _MOST)
        except (NoForm, TooLong):
            return answer_page(page(words("That was not the form of this page.")), 400)
        name = session.reader.id
        if wait := self._wait(request, name):
            said = words("Too many tries. Wait {n} s, then try again.", n=words.number(wait))
            return answer_page(page(said), 429, {"Retry-After": str(wait)})
        old, new = fields.get("password", ""), fields.get("new", "")
        trial = await self._slowly(self.accounts.sign_in, name, old, self.clock())
        if trial is None:
            return answer_page(page(words("The present password is not right.")), 422)
        try:
            if new == old:
                raise Problem("The new password is the present one.", "Take another.")
            await run_in_threadpool(check_password, new, [name], self.known)
        except Problem as problem:
            await run_in_threadpool(self.accounts.sign_out, trial)
            return answer_page(page(problem.told(words)), 422)
        await self._slowly(self.accounts.set_password, name, new)
        said = words("The password is changed. Sign in with it.")
        return answer_page(self._sign_in(words, "/", said, name, is_good=True))

    def _sign_in(self, words: Words, to: str, said: str = "", name: str = "", is_good: bool = False) -> str:
        """The page to sign in: the way to the provider, the form for a password, or both."""
        form = button(words, self.provider.name, to) if self.provider else ""
        if self.provider and self.with_passwords:
            form += f'<p class="or">{escape(words("or with an account of this book:"))}</p>'
        if self.with_passwords:
            form += _password_form(words, to, name, is_first=self.provider is None)
        forgot = (
            [words("Password forgotten? Whoever runs Cadran here can make a new one.")] if self.with_passwords else []
        )
        return form_page(words, words("Sign in"), [], form, said, forgot, is_good, switch(words, SIGN_IN, to))

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


def _password_form(words: Words, to: str, name: str, is_first: bool) -> str:
    """The form for a password; where it is not the first way in, it does not look like it."""
    focus, look = " autofocus" if is_first or name else "", "" if is_first else ' class="quiet"'
    fields = (
        f'<label for="name">{escape(words("Name or e-mail address"))}</label>'
        f'<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" required maxlength="100"{"" if name else focus}>'
        f'<label for="password">{escape(words("Password"))}</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" required '
        f'maxlength="{LONGEST}"{focus if name else ""}>'
        f"<button{look}>{escape(words('Sign in'))}</button>"
    )
    return _form(f"{SIGN_IN}?next={quote(to, safe='')}&lang={words.language}", fields)


def told_scope(words: Words, reader: Reader) -> str:
    """What somebody sees, in a sentence."""
    scope = words.list(sorted(reader.regions | reader.teams)) if reader.is_limited else words("the whole company")
    match reader.role:
        case "seller":
            return words("You see your own deals, what you have to do and, where that is open, what you are paid.")
        case "pay":
            return words("You see pay plans and, where that is open, what each is paid, of {scope}.", scope=scope)
        case "people":
            return words("You see {scope}, and surveys as they were released.", scope=scope)
        case "presenter":
            return words("You see groups of {scope}, without clients and people.", scope=scope)
    return words("You see {scope}.", scope=scope)


def told_gone(words: Words, gone: list[str]) -> str:
    """That nobody is in a part of somebody's scope."""
    return words(
        "No seller of this book is in {names} any more: you see nothing of it. Whoever runs Cadran here can change your account.",
        names=words.list(gone),
    )


def _account(words: Words, session: Session, gone: list[str], said: str = "") -> str:
    reader = session.reader
    told = [_told_of(words, session)]
    if gone:
        told.append(told_gone(words, gone))
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
    action = f"{ACCOUNT}?lang={words.language}"
    return form_page(
        words,
        words("Your account"),
        told,
        _form(action, fields) + _ways_out(words),
        said,
        [],
        False,
        switch(words, ACCOUNT),
    )


def _guest(words: Words, session: Session, gone: list[str], provider: str) -> str:
    """The account of somebody who has no password here."""
    told = [
        _told_of(words, session),
        *([told_gone(words, gone)] if gone else []),
        words(
            "You sign in with {provider}: your password, and what you may see, are changed there.", provider=provider
        ),
    ]
    return form_page(words, words("Your account"), told, _ways_out(words), "", [], False, switch(words, ACCOUNT))


def _farewell(words: Words, provider: str, onward: str) -> str:
    """The way out of the provider. No redirect: what a form leads to is held to this site."""
    said = words("You are signed out of Cadran, and now of {provider} too.", provider=provider)
    return plain_page(words, words("Sign out"), [said], {onward: words("Go on")}, onward)


def _told_of(words: Words, session: Session) -> str:
    return f"{words('You are signed in as {name}.', name=session.reader.id)} {told_scope(words, session.reader)}"


def _ways_out(words: Words) -> str:
    return "".join(
        _form(f"{SIGN_OUT}{query}", f'<button class="quiet">{escape(text)}</button>')
        for query, text in (("", words("Sign out")), ("?everywhere=1", words("Sign out everywhere")))
    )


def _form(action: str, fields: str) -> str:
    return f'<form method="post" action="{escape(action)}">{fields}</form>'
