"""The server's side alone: how long a change of a control takes to come back, for one reader, for twenty, for a hundred."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
import websockets

from benchmarks import content


class _Content(msgspec.Struct):
    seq: int = -1


class _State(msgspec.Struct):
    content: _Content | None = None


class _Sent(msgspec.Struct):
    state: _State | None = None


class _Data(msgspec.Struct):
    model_id: str = ""
    message: _Sent | None = None


class _Heard(msgspec.Struct):
    """What a message of the server says, as far as it matters here: a hundred readers share the server's cores."""

    op: str
    data: _Data | None = None


_READ = msgspec.json.Decoder(_Heard)


class Reader:
    """A reader without a browser: what `reader.js` does, on one kept connection each way.

    Args:
        address: Of the server.
        app: The page.
        cookie: "name=value" of somebody signed in; none where nobody signs in.
    """

    def __init__(self, address: str, app: str = "slider", cookie: str = ""):
        self.host, self.app = urlsplit(address).netloc, app
        self.headers = {"Cookie": cookie} if cookie else {}
        self.session = secrets.token_hex(16)
        self.seq = 0

    async def open(self) -> float:
        """Start a session and wait for its page: milliseconds until every cell has run."""
        began = time.perf_counter()
        address = f"ws://{self.host}/live/{self.app}/ws?session_id={self.session}&lang=en"
        self.socket = await websockets.connect(
            address,
            origin=f"http://{self.host}",  # type: ignore[arg-type]
            max_size=None,
            additional_headers=self.headers,
        )
        self.input, self.output = await asyncio.open_connection(*self.host.split(":"))
        self.model = await self._content(0)
        await self._run_is_over()
        return (time.perf_counter() - began) * 1000

    async def move(self, step: int) -> float:
        """Set the slider; give the milliseconds until the rows are here."""
        return (await self.ask({"day": content.steps()[step].isoformat()}))[0]

    async def ask(self, controls: Mapping[str, str], search: str = "") -> tuple[float, float]:
        """Set controls, and what the list of deals is searched for; give the milliseconds until the first new figures are
        here, and until all are."""
        self.seq += 1
        view = {"controls": controls, "seq": self.seq} | ({"tables": {"deals": {"search": search}}} if search else {})
        message = {"method": "update", "state": {"view": view}, "bufferPaths": []}
        body = msgspec.json.encode({"modelId": self.model, "message": message, "buffers": []})
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        head = (
            f"POST /live/{self.app}/api/kernel/set_model_value HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Origin: http://{self.host}\r\nContent-Type: application/json\r\nMarimo-Session-Id: {self.session}\r\n"
            f"{more}Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        self.output.write(head.encode() + body)
        await self._content(self.seq)
        first = (time.perf_counter() - began) * 1000
        await self._run_is_over()
        whole = (time.perf_counter() - began) * 1000
        await self._skip_answer()
        return first, whole

    async def close(self) -> None:
        """Leave."""
        await self.socket.close()
        self.output.close()

    async def _hear(self) -> Any:
        return _READ.decode(await asyncio.wait_for(self.socket.recv(), 60))

    async def _content(self, seq: int) -> str:
        """Wait for the page's answer to a change; the page's model."""
        while True:
            data = (await self._hear()).data
            state = data.message.state if data and data.message else None
            if state and state.content and state.content.seq == seq:
                return str(data.model_id)

    async def _run_is_over(self) -> None:
        while (await self._hear()).op != "completed-run":
            continue

    async def _skip_answer(self) -> None:
        head = (await self.input.readuntil(b"\r\n\r\n")).decode()
        if " 200 " not in head.splitlines()[0]:
            raise RuntimeError(head.splitlines()[0])
        length = next(line for line in head.lower().splitlines() if line.startswith("content-length"))
        await self.input.readexactly(int(length.split(":")[1]))


def round_trips(address: str, n: int = 100) -> list[float]:
    """Milliseconds of `n` changes by one reader, one after the other."""

    async def run() -> list[float]:
        reader = Reader(address)
        await reader.open()
        times = [await reader.move(i % len(content.steps())) for i in range(n + 5)]
        await reader.close()
        return times[5:]

    return asyncio.run(run())


def together(address: str, readers: int = 20, seconds: int = 15) -> list[float]:
    """Milliseconds of every change while `readers` move the slider once a second, each at their own moment."""

    async def one(i: int) -> list[float]:
        reader = Reader(address)
        await reader.open()
        await opened.wait()
        await asyncio.sleep(i / readers)
        times = []
        for second in range(seconds):
            took = await reader.move((i + second) % len(content.steps()))
            times.append(took)
            await asyncio.sleep(max(0.0, 1 - took / 1000))
        await reader.close()
        return times

    async def run() -> list[float]:
        tasks = [asyncio.create_task(one(i)) for i in range(readers)]
        await asyncio.sleep(8)
        opened.set()
        return [took for times in await asyncio.gather(*tasks) for took in times]

    opened = asyncio.Event()
    return asyncio.run(run())
