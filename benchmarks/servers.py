"""Each stack's server in a process of its own, as its own documentation starts it for readers."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cadran.access.accounts import Accounts
from cadran.book.reader import Reader

ROOT = Path(__file__).parent.parent
STACKS = ("cadran", "dash", "streamlit")


#: Who is signed in, where somebody is, and their password.
NAME, PASSWORD = "ana", "violet marble tractor seven"


@contextmanager
def running(stack: str, book: Path, accounts: Path | None = None) -> Iterator[str]:
    """Start a stack's server on a free port, give its address, end it. Where there are accounts, one signs in to Cadran."""
    port = _free_port()
    signed_in = [str(accounts)] if accounts else []
    command = {
        "cadran": [sys.executable, "-m", "benchmarks.servers", str(book), str(port), *signed_in],
        "dash": [sys.executable, "-m", "benchmarks.dash_page", str(port)],
        "streamlit": [
            sys.executable, "-m", "streamlit", "run", "benchmarks/streamlit_page.py", "--server.port", str(port),
            "--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.address", "127.0.0.1",
        ],
    }[stack]  # fmt: skip
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"CADRAN_BOOK": str(book)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError(f"The server of {address} ended with status {server.returncode}.")
        try:
            urllib.request.urlopen(address, timeout=60).read()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"No answer from {address}.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cookie(accounts: Path, region: str) -> dict[str, str]:
    """The cookie, as playwright takes it, of somebody who sees a region and is signed in."""
    kept, now = Accounts(accounts), datetime.now(UTC)
    kept.add(Reader(NAME, "manager", frozenset({region}), language="en"), PASSWORD, now)
    return {"name": "cadran", "value": kept.sign_in(NAME, PASSWORD, now) or ""}


if __name__ == "__main__":
    from cadran.publish.apps import App
    from cadran.publish.entrance import Entrance
    from cadran.publish.server import serve

    page = App("slider", "Signed revenue", Path(__file__).with_name("cadran_page.py"), is_page=True)
    entrance = Entrance(Accounts(Path(sys.argv[3])), lambda: datetime.now(UTC)) if sys.argv[3:] else None
    serve(Path(sys.argv[1]), port=int(sys.argv[2]), apps=[page], entrance=entrance, clock=lambda: datetime.now(UTC))
