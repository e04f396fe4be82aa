"""What is told of a running server: a line for each request, and numbers that Prometheus asks for. Neither holds a person:
no name, no address, no cookie, nothing of what an address asks for behind its path."""

import json
import logging
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadran.tables.problems import Problem

#: Upper ends of times of answers, in seconds.
_ENDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
_LIVE = re.compile(r"/live/(\w+)/(ws|assets|api)?")
_OWN = ("sign-in", "sign-out", "account", "healthz", "readyz", "static", "s", "room", "r")


class Numbers:
    """The numbers, by page."""

    def __init__(self, registry: CollectorRegistry):
        self.answers = Counter("cadran_answers", "Requests answered.", ["page", "method", "status"], registry=registry)
        self.seconds = Histogram(
            "cadran_answer_seconds", "Time until an answer was sent.", ["page"], buckets=_ENDS, registry=registry
        )
        self.closed_pages = Counter(
            "cadran_closed_pages", "Live pages closed to keep memory under its limit.", registry=registry
        )
        self.open_pages = Gauge("cadran_open_pages", "Live pages that are open.", ["page"], registry=registry)


class Watch:
    """Notes of each request what was asked for, what came of it, and how long it took.

    Args:
        app: What answers.
        pages: Names of the apps; other addresses go by one name, whatever is asked for.
        numbers: Where it is counted; null: nowhere.
        log: Told a line of JSON for each request; null: nobody.
    """

    def __init__(
        self, app: ASGIApp, pages: Collection[str], numbers: Numbers | None, log: Callable[[str], object] | None
    ):
        self.app, self.pages, self.numbers, self.log = app, frozenset(pages), numbers, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        page, began, status = self._page(scope["path"]), time.perf_counter(), 0
        is_open = False

        async def sending(message: Message) -> None:
            nonlocal status, is_open
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status, is_open = 101, True
                if self.numbers:
                    self.numbers.open_pages.labels(page).inc()
            elif message["type"] == "websocket.close" and not is_open:
                status = 403
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            self._note(page, scope.get("method", "WEBSOCKET"), status or 500, time.perf_counter() - began, is_open)

    def _page(self, path: str) -> str:
        """What an address is of: a name out of few, so that no stranger makes up numbers."""
        if (live := _LIVE.match(path)) and live[1] in self.pages:
            return f"live/{live[1]}" + (f"/{live[2]}" if live[2] else "")
        name = path.strip("/").partition("/")[0]
        return name or "home" if name in {*self.pages, *_OWN, ""} else "other"

    def _note(self, page: str, method: str, status: int, seconds: float, is_open: bool) -> None:
        method = method if method in ("GET", "HEAD", "POST", "WEBSOCKET") else "OTHER"
        if self.numbers:
            self.numbers.answers.labels(page, method, str(status)).inc()
            if is_open:
                self.numbers.open_pages.labels(page).dec()
            else:
                self.numbers.seconds.labels(page).observe(seconds)
        if self.log:
            at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
            told = {"at": at, "page": page, "method": method, "status": status, "ms": round(seconds * 1000, 1)}
            self.log(json.dumps(told))


@contextmanager
def log_to(path: Path) -> Iterator[Callable[[str], object]]:
    """Writes lines to the end of a file, and begins it anew where it was moved away (logrotate).

    Raises:
        Problem: If it cannot be written.
    """
    try:
        handler = WatchedFileHandler(path, encoding="utf-8")
    except OSError as error:
        raise Problem("{file} cannot be written: {reason}", "Choose a folder you may write in.", file=path,
                      reason=error.strerror or error) from error  # fmt: skip
    handler.setFormatter(logging.Formatter("%(message)s"))
    with closing(handler):
        yield lambda line: handler.handle(logging.makeLogRecord({"msg": line}))


def tell_numbers(port: int) -> Numbers:
    """Answer Prometheus at a port of this machine's own, and nowhere else.

    Raises:
        Problem: If the port is taken.
    """
    try:
        start_http_server(port, "127.0.0.1")
    except OSError as error:
        raise Problem("Port {port} of {host} cannot be used: {said}.", "Stop what uses it, or choose another with --metrics.",
                      host="127.0.0.1", port=str(port), said=error.strerror or error) from None  # fmt: skip
    return Numbers(REGISTRY)
