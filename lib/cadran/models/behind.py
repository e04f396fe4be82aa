"""What takes long is worked out behind the page, one thing after the other."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Told = TypeVar("Told")
_ONE_AT_A_TIME = threading.Lock()


def told(future: Future[Told], wait: bool) -> Told | None:
    """What came of it; None while it is not there, and nobody waits.

    Raises:
        Exception: What the work raised.
    """
    return future.result() if wait or future.done() else None


def behind(work: Callable[[], Told], afterwards: Callable[[Told], None] = lambda told: None) -> Future[Told]:
    """Do it in a thread that keeps nobody from leaving, and what can wait once it is told."""
    future: Future[Told] = Future()

    def run() -> None:
        with _ONE_AT_A_TIME:
            try:
                future.set_result(work())
            except Exception as error:  # told to whoever asks for the result
                future.set_exception(error)
                return
        afterwards(future.result())

    threading.Thread(target=run, daemon=True).start()
    return future
