"""An OpenID Connect provider that lies when it is told to: in a thread of this process, letting everybody in at once."""

import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import anyio
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from cadran.publish.server import listen

CLIENT, SECRET = "cadran", "s3cret"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class Pretender:
    """A provider whose answers a test may change: what it `tells` of itself, the `claims` of whoever comes, the `alg` and
    the `key` it signs with, what it answers `instead`, and what it answers not at all while it `hangs` there."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.shown = [self.key]
        self.tells: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signing: Any = None
        self.instead: dict[str, Response | Callable[[], Response]] = {}
        self.hangs: set[str] = set()
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def told(self) -> dict[str, Any]:
        """What it tells of itself."""
        endpoints = {
            "authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys",
            "userinfo_endpoint": "/userinfo", "end_session_endpoint": "/end",
        }  # fmt: skip
        return {
            "issuer": self.issuer, **{key: self.issuer + path for key, path in endpoints.items()},
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True, "code_challenge_methods_supported": ["S256"], **self.tells,
        }  # fmt: skip

    def token(self, **claims: Any) -> str:
        """A token of these claims, and of those that every one has."""
        now = int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300} | claims
        told = {name: value for name, value in told.items() if value is not None}
        header = {"alg": "RS256", "kid": self.key.kid} | self.header
        if self.signing is not None:
            return str(self.signing(header, told))
        return jwt.encode(header, told, self.key, algorithms=[header["alg"]])

    def logout_token(self, **claims: Any) -> str:
        """A token that says that somebody has signed out."""
        return self.token(**({"jti": "x", "events": {LOGOUT: {}}} | claims))

    async def answer(self, request: Request) -> Response:
        """What is asked, answered as it was told to."""
        path = request.url.path
        self.asked.append(path)
        while path in self.hangs:
            await anyio.sleep(0.05)
        if path in self.instead:
            found = self.instead[path]
            return found if isinstance(found, Response) else found()
        body = {key: values[-1] for key, values in parse_qs((await request.body()).decode()).items()}
        match path:
            case "/authorize":
                code = sha256(str(len(self._codes)).encode()).hexdigest()
                self._codes[code] = dict(request.query_params)
                told = {"code": code, "state": request.query_params["state"], "iss": self.issuer}
                return RedirectResponse(f"{request.query_params['redirect_uri']}?{urlencode(told)}", 303)
            case "/token":
                return self._given(request, body)
            case "/keys":
                return JSONResponse(KeySet(self.shown).as_dict(private=False))
            case "/userinfo":
                return JSONResponse(self.userinfo)
        return JSONResponse(self.told())

    def _given(self, request: Request, body: dict[str, str]) -> Response:
        """A token for a code, once, to the client that was sent it."""
        asked = self._codes.pop(body["code"], None)
        if not request.headers.get("authorization", "").startswith("Basic "):
            return JSONResponse({"error": "invalid_client"}, 401)
        proven = urlsafe_b64encode(sha256(body["code_verifier"].encode()).digest()).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != proven or asked["redirect_uri"] != body["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        told = self.token(**({"sub": "u1", "nonce": asked["nonce"], "sid": "s1"} | self.claims))
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": told})


def dripping() -> Response:
    """An answer of which a little comes again and again, and never the end."""

    async def drops() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" "
            await anyio.sleep(0.2)

    return StreamingResponse(drops())


@contextmanager
def pretending(certificate: Path | None = None, key: Path | None = None) -> Iterator[Pretender]:
    """A provider of one's own, until the end of the block; over https with a certificate of localhost and its key."""
    made = Pretender()
    methods = ["GET", "POST"]
    app = Starlette(routes=[Route("/{path:path}", made.answer, methods=methods)])
    with listen("127.0.0.1", 0) as listening:
        made.issuer = f"{'https://localhost' if certificate else 'http://127.0.0.1'}:{listening.getsockname()[1]}"
        how = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, **how))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield made
        finally:
            server.should_exit = True
            thread.join(10)
