"""Answers that come at once are told to the disk at once: one transaction, not two hundred."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any

#: Seconds that are waited for more, where several come at once already.
_GATHER = 0.01


class Together:
    """Runs what threads ask for while one is at work in one go, as soon as that one is done.

    Args:
        run: Takes all that is asked for; gives for each why it was refused, or None. What it raises is raised for each.
    """

    def __init__(self, run: Callable[[list[Any]], list[Any]]):
        self._run = run
        self._waiting: list[tuple[Any, Future[None]]] = []
        self._adding, self._turn = Lock(), Lock()

    def __call__(self, *entry: Any) -> None:
        """Have one entry run; return when it was."""
        done: Future[None] = Future()
        with self._adding:
            self._waiting.append((entry, done))
        with self._turn:
            if not done.done():
                self._run_waiting()
        done.result()

    def _run_waiting(self) -> None:
        if len(self._waiting) > 1:
            time.sleep(_GATHER)
        with self._adding:
            batch, self._waiting = self._waiting, []
        try:
            outcomes = self._run([entry for entry, _ in batch])
        except BaseException as error:
            for _, done in batch:
                done.set_exception(error)
            return
        for (_, done), refused in zip(batch, outcomes, strict=True):
            if refused is None:
                done.set_result(None)
            else:
                done.set_exception(refused)
