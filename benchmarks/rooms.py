"""`python -m benchmarks.rooms`: from a presenter's slider to followers' phones; and readers back after `kill -9`.

The server is a process of its own; presenter and phones are others, without browsers, on the same cores: they do what
`reader.js` and `follow.js` do, unpacking included, and draw nothing.
"""

import argparse
import asyncio
import base64
import contextlib
import gzip
import json
import os
import platform
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websockets

from benchmarks.report import put
from benchmarks.servers import ROOT
from cadran.book import SAMPLE

Reader = asyncio.StreamReader
#: Milliseconds between two tries of a page that lost its line, as in `reader.js`.
AGAIN = (250, 500, 1000, 1500)


class Live:
    """A live page of an app."""

    def __init__(self, host: str, app: str, query: str):
        self.host, self.app, self.query, self.session = host, app, query, secrets.token_hex(16)
        self.seq, self.model = 0, ""
        self.controls: dict[str, str] = {}
        self.slots: dict[str, str] = {}

    async def open(self) -> None:
        """Open it, and wait until every cell has run."""
        address = f"ws://{self.host}/live/{self.app}/ws?session_id={self.session}&{self.query}"
        origin: Any = f"http://{self.host}"
        self.stack = contextlib.AsyncExitStack()
        self.socket = await self.stack.enter_async_context(websockets.connect(address, origin=origin, max_size=None))
        await self._until(lambda told: told["op"] == "completed-run")

    async def set(self, **controls: str) -> None:
        """Send a change, and wait until it is answered."""
        self.seq += 1
        self.controls |= controls
        view = {"controls": self.controls, "seq": self.seq, "moving": next(iter(controls), "")}
        message = {"method": "update", "state": {"view": view}, "bufferPaths": []}
        body = {"modelId": self.model, "message": message, "buffers": []}
        asked = asyncio.ensure_future(self.post(f"/live/{self.app}/api/kernel/set_model_value", body))
        await self._until(lambda told: _state(told).get("content", {}).get("seq") == self.seq)
        await asked

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What comes of a request of this page."""
        told = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nOrigin: http://{self.host}\r\nContent-Type: application/json\r\n"
            f"Marimo-Session-Id: {self.session}\r\nContent-Length: {len(told)}\r\nConnection: close\r\n\r\n"
        )
        async with _line(self.host) as (reader, writer):
            writer.write(head.encode() + told)
            answer = (await reader.read()).decode()
        text = answer.partition("\r\n\r\n")[2]
        return json.loads(text[text.index("{") : text.rindex("}") + 1])  # type: ignore[no-any-return]

    async def stay(self) -> float:
        """Stay on the page, the server gone and back: the moment at which it answered again, with the same view."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.socket.recv()
        held = dict(self.controls)
        for attempt in range(1000):
            await asyncio.sleep(AGAIN[min(attempt, len(AGAIN) - 1)] * random.uniform(0.67, 1.33) / 1000)
            with contextlib.suppress(OSError, websockets.WebSocketException):
                await self.open()
                break
        if any(self.controls[name] != value for name, value in held.items()):
            raise AssertionError(f"came back to {self.controls} instead of {held}")
        return time.perf_counter()

    async def _until(self, is_there: Any) -> None:
        told: dict[str, Any] = {"op": ""}
        while not is_there(told):
            told = json.loads(await asyncio.wait_for(self.socket.recv(), 600))
            if "content" in (state := _state(told)):
                self.model = told["data"]["model_id"]
                self.controls = state["content"].get("view", {}).get("controls", self.controls)
                self.slots = state["content"].get("slots", {})


def _state(told: dict[str, Any]) -> dict[str, Any]:
    return told["data"].get("message", {}).get("state", {}) if told["op"] == "model-lifecycle" else {}


class Phone:
    """Somebody who follows."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        self.news = asyncio.Condition()
        self.at, self.n_bytes = 0.0, 0

    async def follow(self, host: str, code: str) -> None:
        """Take what is shown, until cancelled."""
        async with _line(host) as (reader, writer):
            writer.write(f"GET /r/{code}/stream HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    self.n_bytes += len(line)
                    told = json.loads(gzip.decompress(base64.b64decode(line[6:])))
                    held = self.parts | told["parts"]
                    async with self.news:
                        self.parts, self.at = {name: held[name] for name in told["names"]}, time.perf_counter()
                        self.news.notify_all()

    async def shows(self, size: str) -> float:
        """The moment at which it has the numbers of a lever's value."""
        async with self.news:
            await asyncio.wait_for(
                self.news.wait_for(
                    lambda: self.parts.get("controls", {}).get("size") == size and self._has_moved(size)
                ),
                60,
            )
            return self.at

    told = ""

    def _has_moved(self, size: str) -> bool:
        return str(self.parts.get("place.if_told")) != self.told


@contextlib.asynccontextmanager
async def _line(host: str) -> AsyncIterator[tuple[Reader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*host.split(":"), limit=2**24)
    try:
        yield reader, writer
    finally:
        writer.close()


async def slider(host: str, n_phones: int, moves: int) -> tuple[list[float], list[float], float]:
    """Milliseconds from a lever's move to its answer on the presenter's page, and to each phone; KB of each move."""
    live = Live(host, "resources", "lang=en&use=present")
    await live.open()
    while "figures" not in live.slots.get("if_bookings", ""):  # it is being worked out, once
        await asyncio.sleep(2)
        await live.set()
    code = (await live.post("/room", {}))["code"]
    phones = [Phone() for _ in range(n_phones)]
    tasks = [asyncio.ensure_future(phone.follow(host, code)) for phone in phones]
    await asyncio.gather(*(phone.shows("1") for phone in phones))
    own, theirs = [], []
    n_before = sum(phone.n_bytes for phone in phones)
    for move in range(moves):
        size = ("1.05", "1.1", "1.2", "1.3", "0.9", "0.8")[move % 6]
        for phone in phones:
            phone.told = str(phone.parts.get("place.if_told"))
        began = time.perf_counter()
        waiting = [asyncio.ensure_future(phone.shows(size)) for phone in phones]
        await live.set(size=size)
        own.append((time.perf_counter() - began) * 1000)
        theirs += [(at - began) * 1000 for at in await asyncio.gather(*waiting)]
        await asyncio.sleep(0.3)
    kilobytes = (sum(phone.n_bytes for phone in phones) - n_before) / n_phones / moves / 1000
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await live.stack.aclose()
    return own, theirs, kilobytes


async def back(book: Path, port: int, app: str, n_readers: int) -> tuple[list[float], list[float]]:
    """Seconds since the server is started anew, after `kill -9`: until it listens, until half of the readers are back on
    their view, until all are; and the seconds of CPU it had by the first and the last of these."""
    host = f"127.0.0.1:{port}"
    with server(book, port) as first:
        pages = [Live(host, app, f"lang=en&period=months{12 if reader % 2 else 24}") for reader in range(n_readers)]
        await asyncio.gather(*(page.open() for page in pages))
        staying = [asyncio.ensure_future(page.stay()) for page in pages]
        await asyncio.sleep(1)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        began = time.perf_counter()
        again = server(book, port)
        run = await asyncio.to_thread(again.__enter__)
        try:
            listens, cpu = time.perf_counter() - began, cpu_of(run.pid)
            times = [at - began for at in await asyncio.gather(*staying)]
            cpus = [cpu, cpu_of(run.pid)]
            for page in pages:
                await page.stack.aclose()
        finally:
            again.__exit__(None, None, None)
    return [listens, median(times), max(times)], cpus


def cpu_of(process: int) -> float:
    """Seconds of CPU that a process has had (Linux)."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(book: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`cadran serve`, listening."""
    command = [str(Path(sys.executable).parent / "cadran"), "serve", "--book", str(book), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        run.stdout.readline()
        try:
            yield run
        finally:
            run.terminate()


def p95(times: list[float]) -> float:
    """Exceeded by one in twenty."""
    return sorted(times)[max(0, int(len(times) * 0.95 + 0.5) - 1)]


def median(times: list[float]) -> float:
    """The middle one."""
    return sorted(times)[len(times) // 2]


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, default=SAMPLE)
    parser.add_argument("--port", type=int, default=28_765)
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--only", choices=["rooms", "killed"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book"
        shutil.copytree(asked.book, book)
        if asked.only != "killed":
            put("rooms", ROOMS.format(rows="\n".join(rooms(book, asked.port, asked.moves)), machine=machine()))
        if asked.only != "rooms":
            rows = "\n".join(killed(book, asked.port, asked.readers))
            put("killed", KILLED.format(rows=rows, readers=asked.readers, machine=machine()))


def rooms(book: Path, port: int, moves: int) -> Iterator[str]:
    """A row for each number of phones."""
    with server(book, port):
        for n in (1, 50, 200):
            own, theirs, size = asyncio.run(slider(f"127.0.0.1:{port}", n, moves))
            cells = (f"{median(each):.0f} / {p95(each):.0f}" for each in (own, theirs))
            yield f"| {n} | {' | '.join(cells)} | {size:.0f} |"


def killed(book: Path, port: int, readers: int) -> Iterator[str]:
    """A row for each page."""
    for app in ("opportunities", "resources"):
        times, cpus = asyncio.run(back(book, port, app, readers))
        listens, half, last = (f"{each:.1f}" for each in times)
        yield f"| {app} | {listens} | {half} / {last} | {cpus[0]:.1f} / {cpus[1]:.1f} |"


def machine() -> str:
    """What it was measured on."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{platform.machine()}, {os.cpu_count()} cores, load {load} at the end; Python {platform.python_version()}"


ROOMS = """## Rooms

From a lever's move on the Resources page of the sample to its numbers on the presenter's own page, and on every phone that
follows (wanted: p95 under 300 ms with 50 phones), in milliseconds: median / p95. Presenter and phones run without browsers on
the cores of the server, and unpack what they get; drawing comes on top. `python -m benchmarks.rooms`

| Phones | presenter | phones | KB of each move |
|---:|---:|---:|---:|
{rows}

{machine}.
"""

KILLED = """## A server killed

`kill -9` with {readers} open readers of one page, and a start anew on the same port: seconds from the start until it listens,
until half and all of the readers are back on their view (wanted: within 10 s), and the seconds of CPU that the server had by
then, which on a machine with nothing else to do it gets in about that time. `python -m benchmarks.rooms --only killed`

| Page | listens | back: half / all | CPU: listens / all back |
|---|---:|---:|---:|
{rows}

{machine}.
"""


if __name__ == "__main__":
    main()
