"""A client that follows no rule of a browser's, and sites with one guard taken out for it to try first."""

import http.client
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

from served import now, serving_here
from websockets.sync.client import ClientConnection, connect

from cadran.access.accounts import Accounts, Session
from cadran.book.reader import Reader
from cadran.publish import reading
from cadran.publish.apps import App
from cadran.publish.entrance import Entrance
from cadran.publish.reading import told_reader
from cadran.publish.site import Site

PASSWORD = "violet marble tractor seven"
NORD, SUD_EST = frozenset({"Nord"}), frozenset({"Sud-Est"})
READERS = {
    "ana": Reader("ana", "manager", NORD, language="en"),
    "bob": Reader("bob", "manager", SUD_EST, language="en"),
}


#: Answers that one sign-in may ask for in these tests.
AT_ONCE = 600
#: A control is set, as a page's browser tells it.
MOVED = {"method": "update", "state": {"view": {"controls": {"outcome": "lost"}, "seq": 1}}, "bufferPaths": []}


class Passing:
    """In a guard's place: lets everything through."""

    def __init__(self, app: Any, *_: object, **__: object):
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(dict(scope, root_path="") if scope["type"] != "lifespan" else scope, receive, send)


class OpenDoor(Passing):
    """In the place of who asks for a password: everybody reads everything."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        anybody = Reader("anybody")
        known = dict(scope, user=told_reader(anybody), session=Session(anybody, False, "all"))
        await super().__call__(known if scope["type"] != "lifespan" else scope, receive, send)


@dataclass
class Target:
    """A site as somebody reaches it who means no good."""

    address: str
    accounts: Accounts
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def netloc(self) -> str:
        return urlsplit(self.address).netloc

    def ask(
        self, path: str, method: str = "GET", body: Any = None, as_: str = "", **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        """One request; `as_` with the cookie of somebody signed in."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if as_:
            told["Cookie"] = self.cookie(as_)
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        try:
            with suppress(BrokenPipeError):  # answered, and closed, before all of it was sent
                connection.request(method, path, body, told)
            answer = connection.getresponse()
            is_endless = str(answer.headers["content-type"]).startswith("text/event-stream")
            return answer, "" if is_endless else answer.read().decode(errors="replace")
        finally:
            connection.close()

    def post(self, path: str, fields: dict[str, str], **headers: str) -> tuple[http.client.HTTPResponse, str]:
        """A form, as a page of the site sends it."""
        told = {"Origin": self.address, "Content_Type": "application/x-www-form-urlencoded"} | headers
        return self.ask(path, "POST", urlencode(fields), **told)

    def raw(self, data: bytes, seconds: float = 2) -> bytes:
        """Bytes as they are, and all that is answered to them."""
        host, port = self.netloc.split(":")
        told = b""
        with socket.create_connection((host, int(port)), timeout=seconds) as connection:
            connection.sendall(data)
            try:
                while piece := connection.recv(65536):
                    told += piece
            except (TimeoutError, ConnectionResetError):
                pass
        return told

    def cookie(self, name: str) -> str:
        """The cookie of a reader, signed in once."""
        if name not in self.cookies:
            answer, _ = self.post("/sign-in?next=/whose", {"name": name, "password": PASSWORD})
            self.cookies[name] = (answer.headers["set-cookie"] or "cadran=none").partition(";")[0]
        return self.cookies[name]

    def open(
        self, session: str = "", as_: str = "", app: str = "whose", query: str = "", **how: Any
    ) -> ClientConnection:
        """A live page's websocket."""
        told = {"Cookie": self.cookie(as_)} if as_ else {}
        named = f"session_id={session or secrets.token_hex(16)}" if session is not None else ""
        place = f"ws://{self.netloc}/live/{app}/ws?{named}{'' if 'lang=' in query else '&lang=en'}{query}"
        how = {
            "origin": self.address,
            "max_size": None,
            "max_queue": None,
            "ping_interval": None,
            "close_timeout": 2,
        } | how
        return connect(place, additional_headers=told | how.pop("headers", {}), **how)

    def tell(
        self, session: str, model: str, message: Any = MOVED, as_: str = "", app: str = "whose", **headers: str
    ) -> int:
        """A change to a widget; the status of the answer."""
        body = json.dumps({"modelId": model, "message": message, "buffers": []})
        told = {"Origin": self.address, "Content_Type": "application/json", "Marimo_Session_Id": session} | headers
        return self.ask(f"/live/{app}/api/kernel/set_model_value", "POST", body, as_, **told)[0].status


def heard(live: ClientConnection, until: str = "completed-run", seconds: float = 60) -> str:
    """All that a live page is told until its cells have run."""
    told: list[str] = []
    while not told or json.loads(told[-1])["op"] != until:
        told.append(str(live.recv(seconds)))
    return "\n".join(told)


def all_heard(live: ClientConnection, seconds: float = 1.0) -> str:
    """All that a live page is told until it is told nothing for a while."""
    told: list[str] = []
    while True:
        try:
            told.append(str(live.recv(seconds)))
        except TimeoutError:
            return "\n".join(told)


def model_of(told: str) -> str:
    """The widget that a live page shows."""
    shows = (json.loads(line) for line in told.splitlines() if '"model-lifecycle"' in line)
    return str(next(each["data"]["model_id"] for each in shows if "frame" in each["data"]["message"].get("state", {})))


#: What is put in the place of a guard of `cadran.publish.site`. The server itself, as it comes, has no Live before marimo.
OUT: dict[str, dict[str, Any]] = {
    "Gate": {"Gate": OpenDoor}, "Guard": {"Guard": Passing}, "Live": {"Live": Passing}, "Bounds": {"Bounds": Passing},
    "server": {"Live": Passing}, "scopes": {},
}  # fmt: skip


def one_for_all(site: Site) -> None:
    """Have the first picture that is made be everybody's."""
    of_scope = site.sights._future
    site.sights._future = lambda app, language, _: of_scope(app, language, Reader(""))  # type: ignore[method-assign]


@contextmanager
def sites(book: Path, apps: list[App], accounts: Accounts) -> Iterator[Callable[..., Target]]:
    """`site()` is the site; `site("Gate")` the same with one guard taken out. Each is served once."""
    made: dict[str, Target] = {}
    with ExitStack() as stack:
        # Refilled so slowly that it does not matter how fast this machine is.
        stack.enter_context(patch("cadran.publish.bounds.REQUESTS", (AT_ONCE, 0.01)))
        # A hash takes a third of a second, of each try.
        stack.enter_context(
            patch("cadran.access.accounts.is_right", lambda kept, tried: bool(kept) and tried == PASSWORD)
        )
        stack.enter_context(patch.dict(os.environ, {"CADRAN_BOOK": ""}))
        stack.callback(reading.publish, to_known=False)

        def site(without: str = "") -> Target:
            if without not in made:
                built = Site(book, apps, entrance=Entrance(accounts, now), clock=now)
                if without == "scopes":
                    one_for_all(built)
                built.warm_up()
                with patch.multiple("cadran.publish.site", **OUT[without]) if OUT.get(without) else ExitStack():
                    address = stack.enter_context(serving_here(built, is_plain=without == "server"))
                made[without] = Target(address, accounts)
            return made[without]

        yield site
