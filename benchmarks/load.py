"""`python -m benchmarks.load`: a hundred readers signed in on one process for ten minutes; then a thousand sessions."""

import argparse
import asyncio
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.readers import Reader
from benchmarks.report import put
from cadran.access.accounts import Accounts
from cadran.book import SAMPLE, open_book
from cadran.book.reader import Reader as Account

#: What a reader sets, page by page: one of these values at a time.
MOVES = {
    "opportunities": {"unit": ["amount", "n"], "by": ["region", "product", "sector", "team"]},
    "process": {"by": ["region", "team", "product"]},
}
PASSWORD = "violet marble tractor seven"
#: Seconds that a session lives on after its reader left (`cadran.publish.site.SESSION_SECONDS`), and some more.
LINGERS = 100


@dataclass
class Seen:
    """What was measured: milliseconds, and megabytes of the server by second."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)

    def between(self, since: float, until: float) -> float:
        """Megabytes held between two seconds, the middle of what was seen."""
        return statistics.median(mb for at, mb in self.memory if since <= at <= until)


@contextmanager
def served(book: Path, readers: int) -> Iterator[tuple[str, list[str], psutil.Process]]:
    """`cadran serve --sign-in` on a copy of a book: its address, a cookie of each reader, each with a scope, its process."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "book"
        shutil.copytree(book, there, ignore=shutil.ignore_patterns("models"))
        accounts, now = Accounts(there), datetime.now(UTC)
        regions = _regions(there)
        cookies = []
        for number in range(readers):
            name = f"reader{number}"
            accounts.add(
                Account(name, "manager", frozenset({regions[number % len(regions)]}), language="en"), PASSWORD, now
            )
            cookies.append(f"cadran={accounts.sign_in(name, PASSWORD, now)}")
        command = [Path(sys.executable).with_name("cadran"), "serve", "--sign-in", "--port", "0", "--book", there]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            try:
                yield server.stdout.readline().strip(), cookies, psutil.Process(server.pid)
            finally:
                server.terminate()


def _regions(book: Path) -> list[str]:
    opened = open_book(book)
    return sorted(set(opened.collect(opened.table("reps"))["region"].drop_nulls()))


def settled(server: psutil.Process, patience: float = 180) -> None:
    """Wait until the server has made what it makes by itself after its start."""
    until = time.monotonic() + patience
    server.cpu_percent()
    while time.monotonic() < until:
        time.sleep(3)
        if server.cpu_percent() < 5:
            return


async def crowd(
    address: str,
    cookies: Sequence[str],
    server: psutil.Process,
    app: str,
    seconds: float,
    every: float,
    apart: bool = False,
) -> Seen:
    """Every reader moves a control again and again, each at their own moments; `apart`, each looks at what no other does."""
    seen, began = Seen(), time.monotonic()

    async def one(number: int, cookie: str) -> None:
        rng, reader = random.Random(number), Reader(address, app, cookie)
        await asyncio.sleep(number * min(0.3, seconds / 3 / len(cookies)))
        try:
            seen.opened.append(await reader.open())
            while time.monotonic() - began < seconds:
                at = time.monotonic()
                control, values = rng.choice(list(MOVES[app].items()))
                first, whole = await reader.ask({control: rng.choice(values)}, f"{at}" if apart else "")
                seen.first.append(first)
                seen.whole.append(whole)
                await asyncio.sleep(max(0.0, every - (time.monotonic() - at)))
            await reader.close()
        except Exception as error:
            seen.errors.append(
                f"reader {number} after {time.monotonic() - began:.0f} s: {type(error).__name__} {error}"
            )

    watching = asyncio.create_task(_watch(seen, server, began))
    await asyncio.gather(*(one(number, cookie) for number, cookie in enumerate(cookies)))
    watching.cancel()
    return seen


async def passing(address: str, cookies: Sequence[str], server: psutil.Process, app: str, n: int) -> Seen:
    """Sessions that are opened, seen, and left, ten at a time; then the server is left alone until they are over."""
    seen, began, waiting = Seen(), time.monotonic(), iter(range(n))

    async def some() -> None:
        for number in waiting:
            try:
                reader = Reader(address, app, cookies[number % len(cookies)])
                seen.opened.append(await reader.open())
                await reader.close()
            except Exception as error:
                seen.errors.append(f"session {number}: {type(error).__name__} {error}")

    watching = asyncio.create_task(_watch(seen, server, began))
    await asyncio.gather(*(some() for _ in range(10)))
    await asyncio.sleep(LINGERS)
    watching.cancel()
    return seen


async def _watch(seen: Seen, server: psutil.Process, began: float) -> None:
    while True:
        seen.memory.append((time.monotonic() - began, server.memory_info().rss / 1e6))
        await asyncio.sleep(1)


def p95(times: Sequence[float]) -> float:
    """Exceeded by one in twenty."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def main() -> None:
    """Run both, hold them to the targets, write the part of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, default=SAMPLE)
    parser.add_argument("--page", choices=list(MOVES), default="opportunities")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=2, help="seconds from one change of a reader to the next")
    parser.add_argument(
        "--apart", type=int, default=20, help="readers who share nothing that is shown, for two minutes"
    )
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--trial", action="store_true", help="print, and leave the page of results as it is")
    asked = parser.parse_args()
    lines = ["| target | found | |", "|---|---|---|"]

    def target(text: str, found: float, most: float, unit: str) -> None:
        lines.append(f"| {text}: at most {most:g}{unit} | {found:.3g}{unit} | {'met' if found <= most else 'missed'} |")
        print(lines[-1], flush=True)

    with served(asked.book.resolve(), max(asked.readers, asked.apart, 50)) as (address, cookies, server):
        settled(server)
        if asked.readers:
            # The very first visits fit and compile what all others share: they are not the crowd's.
            asyncio.run(passing_by(address, cookies, asked.page))
            cpu = sum(server.cpu_times()[:2])
            seconds = asked.minutes * 60
            seen = asyncio.run(crowd(address, cookies[: asked.readers], server, asked.page, seconds, asked.every))
            cpu = sum(server.cpu_times()[:2]) - cpu
            for error in seen.errors[:10]:
                print(error, file=sys.stderr)
            target(f"Errors of {asked.readers} readers in {asked.minutes:g} minutes", len(seen.errors), 0, "")
            target(
                f"A control moved, p95 (n = {len(seen.whole):,}), until the first figures", p95(seen.first), 150, " ms"
            )
            target("The same, until all of the page", p95(seen.whole), 150, " ms")
            lines.append(
                f"| medians of both; the server's CPU for each | {statistics.median(seen.first):.0f} and "
                f"{statistics.median(seen.whole):.0f} ms; {1000 * cpu / len(seen.whole):.0f} ms | |"
            )
            print(lines[-1])
            end, since = seen.memory[-1][0], min(60.0, seconds / 2)
            before, after = seen.between(since, since + 15), seen.between(end - 15, end)
            target(
                f"Memory after the first minute ({before:.0f} MB) to the end ({after:.0f} MB), growth",
                100 * (after / before - 1), 5, " %",
            )  # fmt: skip
        if asked.apart:
            cpu = sum(server.cpu_times()[:2])
            seen = asyncio.run(crowd(address, cookies[: asked.apart], server, asked.page, 120, asked.every, apart=True))
            cpu = sum(server.cpu_times()[:2]) - cpu
            lines.append(
                f"| {asked.apart} readers of whom none looks at what another does: p95 (n = {len(seen.whole):,}) until all of "
                f"the page; the server's CPU for each; errors | {p95(seen.whole):.0f} ms; {1000 * cpu / len(seen.whole):.0f} ms; "
                f"{len(seen.errors)} | |"
            )
            print(lines[-1], flush=True)
        if asked.sessions:
            time.sleep(LINGERS if asked.readers else 0)
            asyncio.run(passing_by(address, cookies, asked.page))
            time.sleep(LINGERS)
            before = server.memory_info().rss / 1e6
            seen = asyncio.run(passing(address, cookies, server, asked.page, asked.sessions))
            for error in seen.errors[:10]:
                print(error, file=sys.stderr)
            after, most = seen.memory[-1][1], max(mb for _, mb in seen.memory)
            target(f"Errors of {asked.sessions} sessions", len(seen.errors), 0, "")
            target(
                f"Memory before them ({before:.0f} MB), at most ({most:.0f} MB) and after ({after:.0f} MB), growth",
                100 * (after / before - 1), 10, " %",
            )  # fmt: skip
    if not asked.trial:
        put("load", README.format(table="\n".join(lines), asked=asked, machine=machine()))
    sys.exit(any(line.endswith("missed |") for line in lines))


async def passing_by(address: str, cookies: Sequence[str], app: str) -> None:
    """Ten readers open the page, move each control to each of its values, and leave."""
    for cookie in cookies[:10]:
        reader = Reader(address, app, cookie)
        await reader.open()
        for control, values in MOVES[app].items():
            for value in values:
                await reader.ask({control: value})
        await reader.close()


def machine() -> str:
    """What it was measured on."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {load} at "
        f"the end; Python {platform.python_version()}"
    )


README = """## A hundred readers

`cadran serve --sign-in` on the sample, one process: {asked.readers} readers are signed in, each with the scope of a region,
each has the {asked.page} page open and sets one of its controls every {asked.every:g} seconds for {asked.minutes:g} minutes.
Readers of a region meet in eight views, which are made once for all of them; in the line that says so, each besides searches
the list for a word of their own, and nothing that is shown is shared.
They speak what `reader.js` speaks, without a browser, from the same machine, whose cores the server shares with them.
Then {asked.sessions} sessions are opened, seen and left, ten at a time.

{table}

{machine}, with
`python -m benchmarks.load --page {asked.page} --readers {asked.readers} --minutes {asked.minutes:g} --sessions {asked.sessions}`.
"""


if __name__ == "__main__":
    main()
