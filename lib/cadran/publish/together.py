"""What many ask for at once is done at once: one look at the store and one word to the disk, not two hundred."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

#: The most that are done at once.
MOST = 500


class Together:
    """Has what comes while a run is under way run together, in a thread, as soon as that one is done.

    For one event loop.

    Args:
        run: Is given all that waits; gives of each what came of it, or an exception. What it raises is raised for each.
    """

    def __init__(self, run: Callable[[list[Any]], Sequence[Any]]):
        self._run = run
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, entry: Any) -> Any:
        """Have one entry run; what came of it."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run_all())
        return await done

    async def _run_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                outcomes = await asyncio.to_thread(self._run, [entry for entry, _ in batch])
            except Exception as error:
                outcomes = [error] * len(batch)
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                if done.cancelled():  # whoever asked is gone
                    continue
                if isinstance(outcome, Exception):
                    done.set_exception(outcome)
                else:
                    done.set_result(outcome)
        self._running = None
