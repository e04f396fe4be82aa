"""The pages on which one signs in at a provider, and comes back as a reader of this book."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from html import escape
from math import ceil
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cadran.access.accounts import Accounts, is_name
from cadran.access.groups import Grant, granted
from cadran.access.guests import Guests, NotLetIn
from cadran.book.reader import Reader
from cadran.publish.asking import drop_token, keep_token, token_of
from cadran.publish.entry import answer_page, page_of
from cadran.publish.forms import NoForm, TooLong, fields_of
from cadran.publish.gate import BACK, ENDED, LEAVE, SIGN_IN
from cadran.publish.limits import Buckets, origin_of
from cadran.publish.openid import Errand, Identity, OpenID
from cadran.publish.openid_terms import Unbelieved, Unreachable
from cadran.publish.refusals import words_of
from cadran.publish.shell import plain_page
from cadran.tables.problems import Problem
from cadran.text import Words, pick_language, words_for

#: Seconds that somebody may take at the provider.
AWAY = 600
#: Of those who are there, so many are remembered.
_MOST = 10_000
#: Ways to the provider, at once and then per second, of one address; and what it tells by itself, of which it may have much
#: to tell at once.
PER_ADDRESS, TELLINGS = (60, 0.5), (600, 20.0)
#: The cookie that knows the browser again.
_COOKIE = "cadran-way"
#: Bytes of what the provider tells when somebody has signed out there.
_MOST_BYTES = 16_384


@dataclass(frozen=True)
class Telling:
    """What a provider tells of people, and what it means here.

    Args:
        name: What readers call the provider.
        grants: What its groups may see here.
        groups: The claim that tells somebody's groups.
        called: The claim that tells the name they have here; null: their e-mail address if the provider has verified it,
            else its own name for them.
    """

    name: str
    grants: Mapping[str, Grant]
    groups: str = "groups"
    called: str | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """The claims that are looked at."""
        return self.groups, *((self.called,) if self.called else ("email", "email_verified"))

    def reader(self, identity: Identity, language: str) -> Reader | None:
        """Who somebody is here, and what they see; None if none of their groups grants anything.

        Raises:
            NotLetIn: If the provider does not tell a name that they can have here, or their groups grant several roles.
        """
        told = identity.claims
        grant = granted(self.groups_of(told), self.grants)
        if grant is None:
            return None
        spoken = told.get("locale")
        spoken = pick_language(None, spoken if isinstance(spoken, str) else language)
        return Reader(self._name_of(identity), grant.role, grant.regions, grant.teams, spoken)

    def groups_of(self, told: Mapping[str, Any]) -> list[str]:
        """The groups that claims tell: a list of names, or one."""
        found = told.get(self.groups)
        return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]

    def _name_of(self, identity: Identity) -> str:
        told = identity.claims
        claim = self.called or ("email" if told.get("email_verified") is True and "email" in told else "sub")
        name = told.get(claim)
        if not isinstance(name, str) or not is_name(name):
            raise NotLetIn(
                "What the provider tells as your {claim} is no name for an account here.",
                "Whoever runs Cadran here can take your name from something else that it tells.", claim=claim,
            )  # fmt: skip
        return name


@dataclass(frozen=True)
class _Away:
    """Somebody who is at the provider."""

    errand: Errand
    #: What stands for their browser.
    browser: bytes
    to: str
    language: str
    since: float


class Provider:
    """Signing in at a provider.

    Args:
        openid: The provider.
        telling: What it tells of people.
        accounts: The book's.
        terms: As `Guests`.
        clock: Tells the time, with its zone.
        complain: Told of what whoever runs the site has to see to.
        address: How readers write the site; null: as each of them does.
    """

    def __init__(
        self,
        openid: OpenID,
        telling: Telling,
        accounts: Accounts,
        terms: str,
        clock: Callable[[], datetime],
        complain: Callable[[Problem], object],
        address: str | None = None,
    ):
        self.openid, self.telling, self.accounts, self.clock = openid, telling, accounts, clock
        self.guests = Guests(accounts, openid.client.issuer, terms)
        self.complain, self.address = complain, address
        self._away: OrderedDict[str, _Away] = OrderedDict()
        self._addresses, self._tellings = Buckets(*PER_ADDRESS), Buckets(*TELLINGS)

    @property
    def name(self) -> str:
        """What readers call it."""
        return self.telling.name

    def routes(self) -> list[Route]:
        """The pages, under their addresses."""
        return [
            Route(LEAVE, self.leave, methods=["GET"]),
            Route(BACK, self.back, methods=["GET"]),
            Route(ENDED, self.ended, methods=["POST"]),
        ]

    async def leave(self, request: Request) -> Response:
        """Send a browser to the provider, marked so that it is known when it comes back."""
        words, to = words_of(request), page_of(request.query_params.get("next"))
        if wait := self._wait(request, self._addresses):
            return self._stay(words, to, words("Too many tries. Wait {n} s, then try again.", n=wait), 429, wait)
        try:
            errand = await self.openid.begin(f"{self._site(request)}{BACK}", words.language)
        except Problem as problem:
            return self._failed(words, to, problem)
        browser, now = secrets.token_urlsafe(32), self.clock().timestamp()
        self._away[errand.state] = _Away(errand, _mark(browser), to, words.language, now)
        while len(self._away) > _MOST:
            self._away.popitem(last=False)
        answer = RedirectResponse(errand.address, 303, {"Cache-Control": "no-store"})
        keep_token(answer, browser, request.url.scheme == "https", AWAY, _COOKIE)
        return answer

    async def back(self, request: Request) -> Response:
        """Whoever comes back from the provider, if it is the browser that left, and the provider says who they are."""
        is_secure, told = request.url.scheme == "https", request.query_params
        away = self._away.pop(told.get("state", ""), None)
        words = words_for(away.language) if away else words_of(request)
        shown = _mark(token_of(request.headers, is_secure, _COOKIE))
        is_late = away is not None and not 0 <= self.clock().timestamp() - away.since < AWAY
        if away is None or is_late or not compare_digest(away.browser, shown):
            said = words("This sign-in was begun in another browser or window, or too long ago. Begin again.")
            return self._stay(words, away.to if away else "/", said, 400)
        if told.get("error") or not told.get("code"):
            return self._stay(words, away.to, *self._refusal(words, told.get("error", "")))
        try:
            identity = await self.openid.finish(away.errand, told["code"], told.get("iss"), self.telling.needed)
        except Problem as problem:
            return self._failed(words, away.to, problem)
        try:
            reader = self.telling.reader(identity, words.language)
            if reader is None:
                await run_in_threadpool(self.guests.end, identity.subject)
                return self._stay(words, away.to, self._no_group(words), 403)
            token = await run_in_threadpool(
                self.guests.enter, identity.subject, reader, self.clock(), identity.sid, identity.hint
            )
        except NotLetIn as problem:
            return self._stay(words, away.to, problem.told(words), 403)
        answer = RedirectResponse(away.to, 303, {"Cache-Control": "no-store"})
        drop_token(answer, is_secure, _COOKIE)
        keep_token(answer, token, is_secure, self.accounts.lasts.total_seconds())
        return answer

    async def ended(self, request: Request) -> Response:
        """The provider says that somebody has signed out there, or may no longer sign in: so it is here."""
        headers = {"Cache-Control": "no-store"}
        if wait := self._wait(request, self._tellings):
            return JSONResponse({"error": "slow_down"}, 429, headers | {"Retry-After": str(wait)})
        try:
            token = (await fields_of(request, _MOST_BYTES)).get("logout_token", "")
            subject, sid = await self.openid.ended(token)
            await run_in_threadpool(self.guests.end, subject, sid)
        except (NoForm, TooLong, Unbelieved):
            return JSONResponse({"error": "invalid_request"}, 400, headers)
        except Problem as problem:
            self.complain(problem)
            return JSONResponse({"error": "temporarily_unavailable"}, 503, headers)
        return Response(status_code=200, headers=headers)

    async def farewell(self, request: Request, token: str) -> str | None:
        """The address at which whoever shows a token signs out at the provider too; None if it has none, or they did not
        sign in there."""
        hint = await run_in_threadpool(self.guests.hint, token)
        return self.openid.farewell(hint, f"{self._site(request)}{SIGN_IN}") if hint else None

    def _site(self, request: Request) -> str:
        return (self.address or f"{request.url.scheme}://{request.headers['host']}").rstrip("/")

    def _failed(self, words: Words, to: str, problem: Problem) -> Response:
        """What could not be done, told to whoever asked, and to whoever runs the site."""
        self.complain(problem)
        if isinstance(problem, Unreachable):
            said = words("{provider} does not answer: nobody can sign in there now. Try again in a moment; whoever is signed "
                         "in stays so.", provider=self.name)  # fmt: skip
            return self._stay(words, to, said, 503, 10)
        if isinstance(problem, Unbelieved):
            said = words("You are not signed in: what {provider} answered is not to be believed.", provider=self.name)
            return self._stay(words, to, f"{said}\n{problem.told(words)}", 403)
        said = words("{provider} and Cadran are not set up for each other. Whoever runs Cadran here has been told why.",
                     provider=self.name)  # fmt: skip
        return self._stay(words, to, said, 503)

    def _no_group(self, words: Words) -> str:
        return words(
            "None of your groups opens anything here. Cadran looks at what {provider} tells as “{claim}”: ask whoever runs "
            "Cadran here to have one of your groups let in.", provider=self.name, claim=self.telling.groups,
        )  # fmt: skip

    def _refusal(self, words: Words, error: str) -> tuple[str, int]:
        if error in ("temporarily_unavailable", "server_error"):
            return words("{provider} cannot sign anybody in now. Try again in a moment.", provider=self.name), 503
        if error == "access_denied":
            return words("{provider} did not let you in, or you turned back.", provider=self.name), 403
        return words("{provider} did not sign you in.", provider=self.name), 403

    def _stay(self, words: Words, to: str, said: str, status: int, wait: int = 0) -> Response:
        """A page that says why nobody is signed in, and where to begin again."""
        again = f"{SIGN_IN}?next={quote(to, safe='')}&lang={words.language}"
        page = plain_page(words, words("You are not signed in"), said.split("\n"), {again: words("Sign in")})
        return answer_page(page, status, {"Retry-After": str(wait)} if wait else None)

    def _wait(self, request: Request, buckets: Buckets) -> int:
        host = request.client.host if request.client else ""
        return ceil(buckets.wait(origin_of(host), self.clock().timestamp()))


def button(words: Words, name: str, to: str) -> str:
    """The way to a provider: a link, for where a form leads to is held to this site."""
    address = f"{LEAVE}?next={quote(to, safe='')}&lang={words.language}"
    return (
        f'<p><a class="go" href="{escape(address)}">{escape(words("Sign in with {provider}", provider=name))}</a></p>'
    )


def _mark(browser: str) -> bytes:
    return sha256(browser.encode()).digest()
