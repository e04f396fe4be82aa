"""What is asked of an OpenID Connect provider, and which of its answers are believed.

Source:
    OpenID Connect Core 1.0 (2014), section 3.1.3.7; Discovery 1.0, section 4.3; Back-Channel Logout 1.0 (2022), section 2.6.
    RFC 7636 (PKCE), RFC 9207 (who answers), RFC 8725 (JWT).
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import anyio
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from httpx2 import HTTPError, HTTPStatusError, InvalidURL, Response
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from cadran.publish.limits import Buckets
from cadran.publish.openid_terms import (
    ALGORITHMS,
    Client,
    Unbelieved,
    Unreachable,
    check_metadata,
    secret_shown,
)
from cadran.tables.problems import Problem

T = TypeVar("T")
#: Seconds that a provider has for all that is asked of it at one step.
PATIENCE = 8.0
#: Seconds for which what a provider tells of itself, and of its keys, is believed without asking again.
FRESH, KEYS_FRESH = 10.0, 300.0
#: Seconds by which the provider's clock and ours may differ.
LEEWAY = 60
#: Looks at its keys at once, then per second, that tokens with a key nobody knows may cause.
LOOKS = (5, 1 / 30)
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Errand:
    """Somebody sent to the provider, until they are back: what it has to show that they are who was sent."""

    address: str
    state: str
    nonce: str
    verifier: str
    back: str


@dataclass(frozen=True)
class Identity:
    """Who came back."""

    subject: str
    claims: dict[str, Any]
    #: The ID token itself, which the provider asks for when they sign out.
    hint: str
    #: The provider's name for their session there, if it tells one.
    sid: str | None


class OpenID:
    """One provider.

    Args:
        client: What we are there.
        clock: Tells the time, with its zone.
    """

    def __init__(self, client: Client, clock: Callable[[], datetime]):
        self.client, self.clock = client, clock
        self._trusted = ssl.create_default_context()  # also what SSL_CERT_FILE names
        self._told: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._told_at = self._keys_at = 0.0
        self._looks = Buckets(*LOOKS)
        self._asking = anyio.Lock()

    async def check(self) -> None:
        """Ask it what it is.

        Raises:
            Unreachable: If it does not answer.
            Problem: If it answers as something else, or lacks what is needed.
        """
        await _in_time(self._metadata(0.0))

    async def begin(self, back: str, language: str) -> Errand:
        """Send somebody to it.

        Args:
            back: Where they come back to.
            language: In which it may speak to them.

        Raises:
            Unreachable: If it does not answer.
            Problem: If it answers as something else.
        """
        told = await _in_time(self._metadata(FRESH))
        nonce, verifier = generate_token(43), generate_token(64)
        async with self._http(redirect_uri=back) as http:
            address, state = http.create_authorization_url(
                told["authorization_endpoint"], state=generate_token(43), nonce=nonce, code_verifier=verifier,
                ui_locales=language,
            )  # fmt: skip
        return Errand(address, state, nonce, verifier, back)

    async def finish(self, errand: Errand, code: str, answered_by: str | None, needed: Iterable[str]) -> Identity:
        """Have it say who came back.

        Args:
            errand: With which they were sent.
            code: What they brought.
            answered_by: The provider that says it sent them back, if one says so.
            needed: Claims that are asked for once more where the ID token lacks them.

        Raises:
            Unreachable: If it does not answer.
            Unbelieved: If it did not say so, or not now, not to us, or not of them.
            Problem: If it does not know us.
        """
        return await _in_time(self._finish(errand, code, answered_by, needed))

    async def ended(self, token: str) -> tuple[str | None, str | None]:
        """Whose session has ended there, as it tells us itself: the person, the session, or both.

        Raises:
            Unreachable: If its keys are not known, and it does not answer.
            Unbelieved: If it did not say so, or not now, or not to us.
        """
        signed = await _in_time(self._opened(token, await _in_time(self._metadata())))
        self._check(signed, ("iss", "aud", "iat", "exp", "jti", "events"))
        told = signed.claims
        person, session = (told.get(each) for each in ("sub", "sid"))
        is_event = isinstance(told["events"], dict) and isinstance(told["events"].get(_LOGOUT), dict)
        if not is_event or "nonce" in told or not (person or session) or not isinstance(session, str | None):
            raise Unbelieved("This is not the end of a session.", "")
        return person, session

    def farewell(self, hint: str, back: str) -> str | None:
        """The address at which somebody signs out there too; None if it has none."""
        address = (self._told or {}).get("end_session_endpoint")
        if not address:
            return None
        told = {"id_token_hint": hint, "client_id": self.client.id, "post_logout_redirect_uri": back}
        return str(add_params_to_uri(address, told))

    async def _finish(self, errand: Errand, code: str, answered_by: str | None, needed: Iterable[str]) -> Identity:
        told = await self._metadata()
        names_itself = told.get("authorization_response_iss_parameter_supported") is True
        if answered_by != self.client.issuer and (names_itself or answered_by is not None):
            raise Unbelieved("The answer is of another provider.", "")
        given = await self._exchanged(told, errand, code)
        if not isinstance(given.get("id_token"), str):
            raise Unbelieved("The provider does not say who signed in.", "")
        signed = await self._opened(given["id_token"], told)
        access = given.get("access_token")
        self._check(signed, ("iss", "sub", "aud", "exp", "iat"), nonce=errand.nonce, access_token=access)
        claims = dict(signed.claims)
        if set(needed) - claims.keys() and told.get("userinfo_endpoint") and isinstance(access, str):
            claims = await self._said_of(told["userinfo_endpoint"], access, claims["sub"]) | claims
        sid = claims.get("sid")
        return Identity(claims["sub"], claims, given["id_token"], sid if isinstance(sid, str) else None)

    async def _exchanged(self, told: dict[str, Any], errand: Errand, code: str) -> dict[str, Any]:
        """What the provider gives for a code."""
        async with self._http(secret_shown(told), redirect_uri=errand.back) as http:
            try:
                return dict(
                    await http.fetch_token(
                        told["token_endpoint"],
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=errand.verifier,
                    )
                )
            except OAuthError as error:
                if error.error in ("invalid_client", "unauthorized_client"):
                    raise Problem(
                        "The provider does not know Cadran under this name and secret.",
                        "Look at --client-id, and at the secret: it may have been renewed there.",
                    ) from None
                raise Unbelieved("The provider gives nothing for what was brought from it: {reason}.", "",
                                 reason=error.error) from None  # fmt: skip
            except (HTTPError, ValueError) as error:
                raise _no_answer(self.client.issuer, error) from error

    async def _said_of(self, address: str, access: str, subject: str) -> dict[str, Any]:
        """What else the provider tells of somebody."""
        said = await self._json(address, {"Authorization": f"Bearer {access}"})
        if said.get("sub") != subject:
            raise Unbelieved("The provider tells of somebody else.", "")
        return said

    async def _opened(self, token: str, told: dict[str, Any]) -> jwt.Token:
        """What a token says, if the provider signed it. A key that is not known may be a new one: then it is asked."""
        offered = told.get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[each for each in ALGORITHMS if each in offered], strict_check_header=False)
        try:
            try:
                return jwt.decode(token, await self._signed_with(told), registry=registry)
            except InvalidKeyIdError:
                if self._looks.wait("", self.clock().timestamp()):
                    raise
                return jwt.decode(token, await self._signed_with(told, is_new=True), registry=registry)
        except (JoseError, ValueError) as error:
            raise Unbelieved("What the provider says is not signed as it signs: {reason}.", "", reason=error) from error

    def _check(self, signed: jwt.Token, essential: Iterable[str], **more: Any) -> None:
        """That a token is of the provider, for us, and of now; and of the nonce and access token, where there are any."""
        now = int(self.clock().timestamp())
        options: dict[str, Any] = {each: {"essential": True} for each in essential}
        options["iss"] |= {"value": self.client.issuer}
        options["aud"] |= {"value": self.client.id}
        claims = CodeIDToken(signed.claims, signed.header, options, {"client_id": self.client.id, **more})
        claims.ESSENTIAL_CLAIMS = []  # the options name them
        try:
            claims.validate(now=now, leeway=LEEWAY)
        except ClaimError as error:
            issued = signed.claims.get("iat")
            is_of_time = isinstance(error, ExpiredTokenError) or error.claim in ("iat", "nbf")
            if is_of_time and isinstance(issued, int | float) and abs(issued - now) > LEEWAY:
                raise Unbelieved(
                    "By this server's clock, what the provider said a moment ago is {n} s away.",
                    "Have both clocks set right: they may differ by {most} s.", n=abs(round(issued - now)), most=LEEWAY,
                ) from error  # fmt: skip
            raise Unbelieved("The provider says it of another time, of somebody else or to another: {claim}.", "",
                             claim=error.claim) from error  # fmt: skip
        except (JoseError, ValueError, TypeError) as error:
            raise Unbelieved("What the provider says cannot be read.", "") from error

    async def _metadata(self, fresh: float | None = None) -> dict[str, Any]:
        """What the provider tells of itself: as it was told before, if that is no older than so many seconds (null: however
        old)."""
        if self._told is not None and fresh is None:
            return self._told
        async with self._asking:
            now = self.clock().timestamp()
            if self._told is None or (fresh is not None and not 0 <= now - self._told_at < fresh):
                found = await self._json(f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
                check_metadata(found, self.client.issuer)
                self._told, self._told_at = found, now
            return self._told

    async def _signed_with(self, told: dict[str, Any], is_new: bool = False) -> KeySet:
        """The keys it signs with."""
        now = self.clock().timestamp()
        if self._keys is not None and 0 <= now - self._keys_at < KEYS_FRESH and not is_new:
            return self._keys  # whoever has a key that is known waits for nobody who has not
        async with self._asking:
            found = await self._json(told["jwks_uri"])
            try:
                self._keys, self._keys_at = KeySet.import_key_set(found), now  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
                raise _no_answer(told["jwks_uri"], ValueError("no keys")) from error
            return self._keys

    async def _json(self, address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        async with self._http() as http:
            try:
                answer: Response = await http.request("GET", address, headers=headers, withhold_token=True)
                answer.raise_for_status()
                found = answer.json()
            except (HTTPError, InvalidURL, ValueError) as error:
                raise _no_answer(address, error) from error
        if not isinstance(found, dict):
            raise _no_answer(address, ValueError("no JSON object"))
        return found

    def _http(self, method: str = "client_secret_basic", **more: str) -> AsyncOAuth2Client:
        scope = " ".join(dict.fromkeys(("openid", *self.client.scopes)))
        return AsyncOAuth2Client(
            self.client.id, self.client.secret, token_endpoint_auth_method=method, scope=scope,
            code_challenge_method="S256", verify=self._trusted, timeout=PATIENCE, follow_redirects=False, **more,
        )  # fmt: skip


def _no_answer(address: str, error: Exception) -> Problem:
    """What is told of an answer that did not come, or is none: that it may come later, unless it was refused."""
    status = error.response.status_code if isinstance(error, HTTPStatusError) else None
    if status is not None and status < 500 and status not in (408, 425, 429):
        return Problem("The provider {address} answers {status}.", "Check --provider.", address=address, status=status)
    if isinstance(error, ValueError | InvalidURL):
        return Problem("What the provider {address} answers is no JSON.", "Check --provider.", address=address)
    return Unreachable(
        "The provider {address} does not answer: {reason}.", "Try again in a moment.", address=address,
        reason=str(status or error or type(error).__name__),
    )  # fmt: skip


async def _in_time(asked: Awaitable[T]) -> T:
    """What comes of it, if it comes in time: a provider that drips keeps nobody waiting either."""
    try:
        with anyio.fail_after(PATIENCE):
            return await asked
    except TimeoutError:
        raise Unreachable(
            "The provider does not answer within {n} s.", "Try again in a moment.", n=round(PATIENCE)
        ) from None
