"""The server's side alone: how long a change of the slider takes to come back, for one reader and for twenty."""

import asyncio
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import websockets

from benchmarks import content


class Reader:
    """A reader without a browser: what `reader.js` does, on one kept connection each way."""

    def __init__(self, address: str):
        self.host = urlsplit(address).netloc
        self.session = secrets.token_hex(16)
        self.seq = 0

    async def open(self) -> None:
        """Start a session and wait for its page."""
        address = f"ws://{self.host}/live/slider/ws?session_id={self.session}&lang=en"
        self.socket = await websockets.connect(address, origin=f"http://{self.host}", max_size=None)  # type: ignore[arg-type]
        self.input, self.output = await asyncio.open_connection(*self.host.split(":"))
        self.model = (await self._state("content"))[0]

    async def move(self, step: int) -> float:
        """Set the slider; give the milliseconds until the rows are here."""
        self.seq += 1
        view = {"controls": {"day": content.steps()[step].isoformat()}, "seq": self.seq}
        message = {"method": "update", "state": {"view": view}, "bufferPaths": []}
        body = json.dumps({"modelId": self.model, "message": message, "buffers": []}).encode()
        head = (
            f"POST /live/slider/api/kernel/set_model_value HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Origin: http://{self.host}\r\nContent-Type: application/json\r\nMarimo-Session-Id: {self.session}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        self.output.write(head.encode() + body)
        while (await self._state("content"))[1]["seq"] != self.seq:
            continue
        took = (time.perf_counter() - began) * 1000
        await self._skip_answer()
        return took

    async def close(self) -> None:
        """Leave."""
        await self.socket.close()
        self.output.close()

    async def _state(self, name: str) -> tuple[str, Any]:
        while True:
            told = json.loads(await asyncio.wait_for(self.socket.recv(), 30))
            state = told["data"].get("message", {}).get("state", {}) if told["op"] == "model-lifecycle" else {}
            if state.get(name):
                return told["data"]["model_id"], state[name]

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
