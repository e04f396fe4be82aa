"""`cadran serve`: one process that shows the allow-listed notebooks, read-only, to a browser on this machine."""

import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from websockets import http11

from cadran.publish.apps import App, shipped_apps
from cadran.publish.bounds import MOST_BYTES
from cadran.publish.entrance import Entrance
from cadran.publish.guard import LOOPBACK
from cadran.publish.memory import check_room, few_heaps
from cadran.publish.outside import Outside
from cadran.publish.site import Site, complain_here
from cadran.publish.survey import Respondents
from cadran.publish.system import Alive, tell_system
from cadran.publish.watch import Numbers
from cadran.tables.problems import Problem

#: Bytes of an address: as many as uvicorn reads of a request that is none.
LONGEST_ADDRESS = 65_536


def _announce(address: str) -> None:
    print(address, flush=True)


def serve(
    book: Path,
    host: str = "127.0.0.1",
    port: int = 2718,
    apps: Sequence[App] | None = None,
    announce: Callable[[str], object] = _announce,
    complain: Callable[[Problem], object] = complain_here,
    surveys: Respondents | None = None,
    entrance: Entrance | None = None,
    outside: Outside | None = None,
    log: Callable[[str], object] | None = None,
    numbers: Numbers | None = None,
    memory: int | None = None,
    *,
    clock: Callable[[], datetime],
) -> None:
    """Serve the apps on a book, and the respondents' page of its surveys, until interrupted.

    Args:
        book: The book's folder.
        host: A name of this machine.
        port: Where to listen; 0 takes any free port.
        apps: What is shown to managers; by default what ships with Cadran.
        announce: Told the address once it answers.
        complain: Told of each notebook that fails; the others are served.
        surveys: The page on which the invited answer, if there is one.
        entrance: Where readers sign in; without it, whoever reaches this machine's own address reads all of the book.
        outside: How readers on other machines reach it.
        log: Told a line for each request.
        numbers: Where requests are counted.
        memory: Bytes that the process may hold; by default a share of what there is.
        clock: Tells the time, with its zone.

    Raises:
        Problem: If the host is not this machine and nobody signs in, or https is not seen to; if the port is taken, there
            is no book, every notebook fails, or what may be held leaves no room.
    """
    if host not in LOOPBACK and entrance is None and (apps is None or apps):
        raise Problem(
            "Cadran does not serve on {host}: without sign-in, anybody on the network could read this book.",
            "Serve on this machine only, with --host 127.0.0.1, or have readers sign in, with --sign-in.", host=host,
        )  # fmt: skip
    if host not in LOOPBACK and outside is None:
        raise Problem(
            "Cadran does not serve on {host} without https: whoever listens could read passwords and pages.",
            "Say how it is reached: --address, and --certificate with --key or --proxy.", host=host,
        )  # fmt: skip
    few_heaps()
    site = Site(
        book,
        shipped_apps() if apps is None else apps,
        complain,
        surveys,
        entrance,
        outside,
        log,
        numbers,
        memory,
        clock=clock,
    )
    with listen(host, port) as listening:
        site.warm_up()
        check_room(site.limit)
        shown = f"[{host}]" if ":" in host else host
        there = outside.address if outside else f"http://{shown}:{listening.getsockname()[1]}"
        server = _Server(site.asgi(), lambda: announce(there), outside, site.rooms.stop)
        gc.freeze()  # what is there by now stays: each look through it for garbage kept readers waiting for 0.15 s
        _run(server, listening)


class _Server(uvicorn.Server):
    """uvicorn, which tells when it listens."""

    def __init__(self, app: Any, ready: Callable[[], object], outside: Outside | None, stopping: Callable[[], object]):
        # A page's address holds its view: with a selection of some hundred names it is longer than a websocket's may be,
        # and one that is too long waits for an answer for ever.
        http11.MAX_LINE_LENGTH = LONGEST_ADDRESS
        # Within one machine, compressing what the websocket carries costs more than it saves.
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, server_header=False,
            ws_per_message_deflate=outside is not None, ws_max_size=MOST_BYTES, proxy_headers=bool(outside and outside.proxies),
            forwarded_allow_ips=list(outside.proxies) if outside else [],
            ssl_certfile=outside.certificate if outside else None, ssl_keyfile=outside.key if outside else None,
        )  # fmt: skip
        super().__init__(config)
        self.ready, self.stopping, self._alive = ready, stopping, Alive()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self.ready()
        tell_system("READY=1")

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: say that the server lives."""
        self._alive.tell()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it ends, let those go who would be answered for ever, and end."""
        tell_system("STOPPING=1")
        self.stopping()
        await super().shutdown(sockets)


def _run(server: _Server, listening: socket.socket) -> None:
    """Serve until interrupted; an interruption is how it is meant to end."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        Problem: If the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, so that what is written is sent at once: else asyncio leaves Nagle on, and answers wait 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Problem(
            "Port {port} of {host} cannot be used: {said}.",
            "Stop what uses it, or choose another with --port.",
            host=host, port=str(port), said=error.strerror or error,
        ) from None  # fmt: skip
    listening.listen(128)
    return listening
