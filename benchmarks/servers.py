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
from pathlib import Path

ROOT = Path(__file__).parent.parent
STACKS = ("cadran", "dash", "streamlit")


@contextmanager
def running(stack: str, book: Path) -> Iterator[str]:
    """Start a stack's server on a free port, give its address, end it."""
    port = _free_port()
    command = {
        "cadran": [sys.executable, "-m", "benchmarks.servers", str(book), str(port)],
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


if __name__ == "__main__":
    from datetime import UTC, datetime

    from cadran.publish.apps import App
    from cadran.publish.server import serve

    page = App("slider", "Signed revenue", Path(__file__).with_name("cadran_page.py"))
    serve(Path(sys.argv[1]), port=int(sys.argv[2]), apps=[page], clock=lambda: datetime.now(UTC))
