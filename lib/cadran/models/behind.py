"""What takes long is worked out behind the page, one thing after the other."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Told = TypeVar("Told")
_ONE_AT_A_TIME = threading.Lock()
_here = threading.local()


def told(future: Future[Told], wait: bool) -> Told | None:
    """What came of it; None while it is not there, and nobody waits. Work that waits for other work lets that go first.

    Raises:
        Exception: What the work raised.
    """
    if not wait and not future.done():
        return None
    if future.done() or not getattr(_here, "works", False):
        return future.result()
    _ONE_AT_A_TIME.release()
    try:
        return future.result()
    finally:
        _ONE_AT_A_TIME.acquire()


def behind(work: Callable[[], Told], afterwards: Callable[[Told], None] = lambda told: None) -> Future[Told]:
    """Do it in a thread that keeps nobody from leaving, and what can wait once it is told."""
    future: Future[Told] = Future()

    def run() -> None:
        with _ONE_AT_A_TIME:
            _here.works = True
            try:
                future.set_result(work())
            except BaseException as error:  # told to whoever asks for the result: a panic of polars is no Exception
                future.set_exception(error)
                return
            finally:
                _here.works = False
        afterwards(future.result())

    threading.Thread(target=run, daemon=True).start()
    return future
