"""Who asks: whoever has signed in here and shows it by a cookie, or whom a proxy names in a header."""

from collections.abc import Callable
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response

from cadran.access.accounts import Accounts, Session


class Asking(Protocol):
    """How a site knows who asks."""

    #: Whether whoever is not known may sign in here.
    signs_in: bool
    #: Names of headers, in small letters, that show who asks: they are handed on to no notebook.
    hidden: frozenset[bytes]

    def shown(self, headers: Headers, is_secure: bool) -> str:
        """What a request shows for who asks; nothing if it shows nothing."""

    async def session(self, shown: str, is_used: bool = True) -> Session | None:
        """Whose it is; None if it is nobody's, or is so no longer.

        Args:
            shown: As `shown` gave it.
            is_used: Whether somebody asks now, or it is only looked whether they still may.
        """


class ByCookie:
    """Readers sign in here, with a password or at a provider, and have a session from then on."""

    signs_in, hidden = True, frozenset({b"cookie"})

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime]):
        self.accounts, self.clock = accounts, clock

    def shown(self, headers: Headers, is_secure: bool) -> str:
        """The token of their session."""
        return token_of(headers, is_secure)

    async def session(self, shown: str, is_used: bool = True) -> Session | None:
        """The session of a token."""
        return await run_in_threadpool(self.accounts.session, shown, self.clock(), is_used)


class ByHeader:
    """A proxy signs readers in. Only for a site that nobody but its proxies reaches."""

    signs_in = False

    def __init__(self, accounts: Accounts, header: str):
        self.accounts, self.header = accounts, header
        self.hidden = frozenset({b"cookie", header.lower().encode()})

    def shown(self, headers: Headers, is_secure: bool) -> str:
        """The one name that the proxy gives."""
        names = headers.getlist(self.header)
        return names[0] if len(names) == 1 else ""

    async def session(self, shown: str, is_used: bool = True) -> Session | None:
        """The session of an account's name."""
        return await run_in_threadpool(self.accounts.named, shown)


def cookie_of(is_secure: bool, name: str = "cadran") -> str:
    """The name of a cookie: over https one that no other host of the domain can set."""
    return f"__Host-{name}" if is_secure else name


def token_of(headers: Headers, is_secure: bool, name: str = "cadran") -> str:
    """What a request shows in a cookie of ours; nothing if it shows none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_of(is_secure, name))
    except CookieError:
        return ""
    return found.value if found else ""


def keep_token(answer: Response, token: str, is_secure: bool, seconds: float, name: str = "cadran") -> None:
    """Have a browser show a token from now on: to this site alone, and out of reach of scripts."""
    answer.set_cookie(
        cookie_of(is_secure, name), token, max_age=int(seconds), httponly=True, samesite="lax", secure=is_secure
    )


def drop_token(answer: Response, is_secure: bool, name: str = "cadran") -> None:
    """Have a browser forget it."""
    answer.delete_cookie(cookie_of(is_secure, name), httponly=True, samesite="lax", secure=is_secure)
