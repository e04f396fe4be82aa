"""What stands before every request: who may ask, and what an answer must carry."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadran.publish.refusals import browser_words, refuse

#: Names under which a browser on this machine reaches it.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

#: What a page of ours may load: its own files. Vega compiles its expressions to functions, hence the eval.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
#: What marimo's own front end may, which writes scripts into its page and starts workers of its own making.
_MARIMOS = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
#: What an answer that says nothing of it may: pages that only say something.
_PLAIN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
#: Of what a browser can do beyond showing a page, Cadran needs nothing.
_NOTHING = ", ".join(f"{each}=()" for each in (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid",
    "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "serial", "usb", "xr-spatial-tracking",
))  # fmt: skip
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": _NOTHING,
}
#: What this machine asks of its own server, without https: whether it is there, and whether readers may come.
_HEALTH = ("/healthz", "/readyz")
#: What is added where the site is reached over https alone.
_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
#: Values of these headers that are stricter still, and stay.
_STRICTER = {("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer")}


class Guard:
    """Refuses requests that another site makes a reader's browser send.

    A name that is not ours in `Host` means that a foreign name was pointed at this machine (DNS rebinding).
    A websocket, and whatever changes something, must come from a page of ours: marimo itself accepts any origin.
    Where the site is reached over https alone, nothing else is answered.
    A form of a page that tells nobody where it came from tells no origin either; its browser still says whether it was ours.
    What is asked for under `machines` comes from no page: there the answer itself has to find out who asks, and not by a cookie.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str] = LOOPBACK,
        only_https: bool = False,
        machines: frozenset[str] = frozenset(),
    ):
        self.app, self.hosts, self.only_https, self.machines = app, hosts, only_https, machines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse with 421 (not our name) or 403 (not our page)."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif status := self._refusal(scope):
            said = browser_words(scope)("Refused: this request did not come from a page of Cadran.")
            await refuse(status, said, scope, receive, send)
        else:
            policy = _MARIMOS if scope["path"].startswith("/live/") else _PLAIN
            await self.app(scope, receive, _with_headers(send, policy, _HTTPS if self.only_https else {}))

    def _refusal(self, scope: Scope) -> int:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _hostname(host) not in self.hosts:
            return 421
        is_secure = scope["scheme"] in ("https", "wss")
        asks_health = scope["path"] in _HEALTH and _hostname(host) in LOOPBACK
        if self.only_https and not is_secure and not asks_health:
            return 403
        is_socket = scope["type"] == "websocket"
        scheme, origin = "https" if is_secure else "http", headers.get("origin")
        is_silent = not is_socket and origin == "null" and headers.get("sec-fetch-site") == "same-origin"
        changes = is_socket or (scope["method"] not in ("GET", "HEAD") and scope["path"] not in self.machines)
        return 403 if changes and origin != f"{scheme}://{host}" and not is_silent else 0


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _with_headers(send: Send, policy: str, more: dict[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (_HEADERS | more).items():
                if (name, headers.get(name)) not in _STRICTER:
                    headers[name] = value
            headers.setdefault("Content-Security-Policy", policy)
            for name in ("access-control-allow-origin", "access-control-expose-headers"):
                del headers[name]
        await send(message)

    return sending
