"""`python -m benchmarks.respondents`: two hundred people open the page of a survey at the same moment, then send it, each over
a connection of their own, to the server as it ships."""

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from urllib.parse import urlencode, urlsplit

import numpy as np
import psutil

from benchmarks.ballots import GIVEN, INVITED, half_answered, machine, times_of, told
from benchmarks.report import put
from cadran.book import write_book
from cadran.book.ballots import ballots_of
from cadran.tables.delivery import Delivery, Settings

AT_ONCE = 200
#: What each sends: every score 3, and the comment.
FORM = {f"a.{name}": str(answer) for name, answer in GIVEN.items()}


@contextmanager
def served(n_invited: int, folder: Path) -> Iterator[tuple[str, list[str], psutil.Process]]:
    """A survey that half of those invited have answered, served by `cadran serve`: its address, the links not used yet and
    its process."""
    now = datetime.now(UTC)
    settings = Settings(
        name="Example", taken=now, time_zone="Europe/Paris", currency="EUR", fiscal_year_starts=1, holidays=None
    )
    write_book(folder, Delivery.whole(settings, {}), now)
    with ballots_of(folder) as store:
        tokens = half_answered(store, n_invited, now)
    command = [Path(sys.executable).with_name("cadran"), "serve", "--surveys-only", "--port", "0", "--book", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip(), tokens, psutil.Process(server.pid)
        finally:
            server.send_signal(signal.SIGINT)


def at_once(address: str, tokens: Sequence[str], form: Mapping[str, str] | None) -> list[float]:
    """Let everybody open the page at once; or send it.

    Args:
        address: Where `cadran serve` answers: "http://127.0.0.1:2718".
        tokens: One link each.
        form: What each of them sends: `{"a.enps": "9", "a.more": "…"}`, the option of a choice by its position; None to open.

    Returns:
        Seconds until each had the page, or was told that the answers are kept.

    Raises:
        RuntimeError: If anybody is told anything else.
    """
    return asyncio.run(_at_once(address, tokens, urlencode(form) if form else None))


async def _at_once(address: str, tokens: Sequence[str], body: str | None) -> list[float]:
    return await asyncio.gather(*(_ask(address, token, body) for token in tokens))


async def _ask(address: str, token: str, body: str | None) -> float:
    place = urlsplit(address)
    lines = [
        f"{'GET' if body is None else 'POST'} /s/{token}?lang=en HTTP/1.1",
        f"Host: {place.netloc}",
        "Connection: close",
    ]
    lines += ["Accept-Encoding: gzip"]
    if body is not None:
        lines += [
            f"Origin: {address}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    began = perf_counter()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write("\r\n".join([*lines, "", body or ""]).encode())
    answer = await reader.read()
    took = perf_counter() - began
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.partition(b"\r\n")[0].decode())
    return took


def main() -> None:
    """Measure, and write the part of the page."""
    times, lines = times_of(__doc__), []
    for n_invited in INVITED:
        found: dict[str, list[tuple[np.ndarray, float]]] = {"open": [], "send": []}
        for _ in range(times):
            with (
                tempfile.TemporaryDirectory() as folder,
                served(n_invited, Path(folder) / "book") as (address, links, server),
            ):
                for what, form in (("open", None), ("send", FORM)):
                    cpu = sum(server.cpu_times()[:2])
                    waited = at_once(address, links[-AT_ONCE:], form)
                    found[what].append((np.array(waited), sum(server.cpu_times()[:2]) - cpu))
        for what, each in found.items():
            lines.append(f"| {n_invited:,} | {what} | {told(each)} |")
            print(lines[-1], flush=True)
    put(
        "respondents",
        f"""## Respondents: 200 people open a survey at once, then send it

The same survey over HTTP: `cadran serve --surveys-only`, just started; 200 people open the page at the same moment, each over
a connection of their own, then all send it at the same moment. They are asked from the same machine, whose cores the
server shares with them. Milliseconds until each has the page, or is told that the answers are kept, which they then are
(wanted: p95 under 300); of CPU, those of the server. Medians of {times} runs. `python -m benchmarks.respondents`

| Invited | | median | p95 | p95, worst run | last | CPU of each |
|---:|---|---:|---:|---:|---:|---:|
"""
        + "\n".join(lines)
        + f"\n\n{machine()}",
    )


if __name__ == "__main__":
    main()
