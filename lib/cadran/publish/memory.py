"""How much memory the process may hold, and what is given up when it holds more: the live pages used longest ago."""

import asyncio
import ctypes
import gc
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil
from starlette.concurrency import run_in_threadpool

from cadran.publish.live_pages import LivePage, LivePages
from cadran.tables.problems import Problem

#: Bytes of a megabyte, as `--memory` counts.
MEGABYTE = 2**20
#: The share of the machine's memory, or of the control group's, that the process may hold unless told otherwise.
SHARE = 0.75
#: Seconds between two looks, and the longest wait for a page that is closed to end what it computes.
EVERY, PATIENCE = 2.0, 5.0
#: Of the pages that are there, the part closed before the next look.
PART = 10
#: Pages that are over after which memory is given back; and looks without another, after which what the last ones held is:
#: some of it is let go by threads that end later than they.
MANY, QUIET = 50, 5
_LOG = logging.getLogger(__name__)
_GROUPS = Path("/sys/fs/cgroup")


def resident() -> int:
    """Bytes that this process holds."""
    return int(psutil.Process().memory_info().rss)


class Counted(Protocol):
    """What counts pages that are closed."""

    def inc(self, amount: float = 1) -> None:
        """Count some more."""


class Memory:
    """Keeps the process's resident memory under a limit by closing live pages.

    Args:
        limit: Bytes.
        pages: The live pages.
        resident: Tells how many bytes the process holds.
        closed: Counts the pages that are closed.
    """

    def __init__(
        self,
        limit: int,
        pages: LivePages,
        resident: Callable[[], int] = resident,
        closed: Counted | None = None,
    ):
        self.limit, self.pages, self.resident, self.closed = limit, pages, resident, closed
        self._n_over, self._n_quiet = 0, QUIET
        #: Whether it holds too much and nothing is left to close: no page is begun.
        self.is_full = False

    async def keep(self) -> None:
        """Look again and again, for as long as the server runs."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except Exception:
                _LOG.exception("Memory could not be looked after; it is tried again.")

    async def look(self) -> None:
        """Let go of what is over; where too much is held, close pages until it is not."""
        n_over = self.pages.tidy()
        self._n_over += n_over
        self._n_quiet = 0 if n_over else self._n_quiet + 1
        if self._n_over >= MANY or self._n_quiet == QUIET:
            self._n_over = 0
            await run_in_threadpool(give_back)
        given: list[LivePage] | None = None
        while self.resident() > self.limit and given != []:
            given = self.pages.longest_unused(1 + len(self.pages) // PART)
            for page in given:
                self.pages.close(page)
            if self.closed:
                self.closed.inc(len(given))
            await self._ended()
            await run_in_threadpool(give_back)
            if self.pages.are_closing():  # what these compute has to end first
                break
        self.is_full = given == [] and self.resident() > self.limit

    async def _ended(self) -> None:
        """Wait until the pages that were closed have ended, as long as that is worth while."""
        for _ in range(int(PATIENCE / 0.1)):
            self.pages.tidy()
            if not self.pages.are_closing():
                return
            await asyncio.sleep(0.1)


def check_room(limit: int, resident: Callable[[], int] = resident) -> None:
    """See that there is room for pages at all.

    Raises:
        Problem: If what is held before the first reader comes fills nine tenths of it.
    """
    if (there := resident()) > 0.9 * limit:
        raise Problem(
            "Cadran holds {n} MB before its first reader comes: {limit} MB leave no room for live pages.",
            "Give it more with --memory, or a machine that has more.",
            n=there // MEGABYTE, limit=limit // MEGABYTE,
        )  # fmt: skip


def give_back() -> None:
    """Give memory that is free back to the system: Python's garbage, and what the C library keeps for later."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than GNU's gives back by itself
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def few_heaps() -> None:
    """Have the C library keep two heaps, not eight for each processor: every live page has threads of its own, and what
    they leave in a heap stays there."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(-8, 2)  # M_ARENA_MAX


def default_limit(groups: Path = _GROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes that the process may hold: a share of the machine's memory, or of what its control group may have."""
    return int(SHARE * min([psutil.virtual_memory().total, *_allowed(groups, own)]))


def _allowed(groups: Path, own: Path) -> list[int]:
    """What the process's control group may have, and each group above it."""
    found = []
    with suppress(OSError):
        named = [line.rpartition(":")[2].strip("/") for line in own.read_text("utf-8").splitlines()]
        # Control groups of the first kind have a folder of their own for memory.
        places = [top / name for name in named for top in (groups, groups / "memory")]
        for folder in {each for place in places for each in (place, *place.parents) if each.is_relative_to(groups)}:
            for file in ("memory.max", "memory.limit_in_bytes"):
                with suppress(OSError, ValueError):
                    found.append(int((folder / file).read_text("utf-8")))
    return found
