"""A book served as a reader meets it."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from cadran.access.accounts import Accounts
from cadran.publish import reading
from cadran.publish.apps import App
from cadran.publish.entrance import Entrance
from cadran.publish.provider import Provider
from cadran.publish.server import _Server
from cadran.publish.site import Site


def now() -> datetime:
    """The time that sites of tests go by."""
    return datetime.now(UTC)


@contextmanager
def serving(book: Path, *more: str) -> Iterator[str]:
    """The address at which `cadran serve` shows a book, until the end of the block, where it is told to end, and does."""
    command = [str(Path(sys.executable).parent / "cadran"), "serve", "--port", "0", "--book", str(book), *more]
    unset = ("CADRAN_BOOK", "PYTHONUNBUFFERED")
    settings = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    with ended(command, settings) as address:
        yield address


@contextmanager
def ended(command: Sequence[str | Path], settings: Mapping[str, str], where: Path | None = None) -> Iterator[str]:
    """The address that a server tells first, until the end of the block, where it is told to end, and does."""
    with subprocess.Popen(
        [str(each) for each in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=settings,
        cwd=where,
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        address = server.stdout.readline().strip()
        assert address, server.stderr.read()
        try:
            yield address
        finally:
            server.terminate()
            _, said = server.communicate(timeout=20)
    assert (server.returncode, "Traceback" in said) == (0, False), said


@contextmanager
def serving_here(site: Site, port: int = 0, is_plain: bool = False) -> Iterator[str]:
    """The address of a site served by a thread of this process: what a test stands in for is stood in for there too.

    With `is_plain` the server is uvicorn as it comes, not as `cadran serve` sets it.
    """
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        app = site.asgi()
        plain = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(plain) if is_plain else _Server(app, lambda: None, site.outside, site.rooms.stop)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def serving_readers(
    book: Path, apps: Sequence[App], accounts: Accounts, provider: Provider | None = None, with_passwords: bool = True
) -> Iterator[str]:
    """The address of a site of this process to which readers sign in, warm."""
    site = Site(book, apps, entrance=Entrance(accounts, now, None, provider, with_passwords), clock=now)
    try:
        site.warm_up()
        with serving_here(site) as address:
            yield address
    finally:
        reading.publish(to_known=False)
