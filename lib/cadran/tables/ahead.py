"""The next one is made while this one is used."""

from collections.abc import Generator, Iterator
from contextlib import closing
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items in the same order, each made in a thread of its own while the one before is used."""
    ready: Queue[tuple[Any, BaseException | None]] = Queue(1)
    stopped = Event()

    def put(item: Any, error: BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                ready.put((item, error), timeout=0.1)
            except Full:
                continue
            return True
        return False

    def make() -> None:
        with closing(items):  # type: ignore[type-var]
            try:
                if all(put(item, None) for item in items):
                    put(_END, None)
            except BaseException as error:  # told where the items are used
                put(_END, error)

    thread = Thread(target=make, daemon=True)
    thread.start()
    try:
        while (found := ready.get())[0] is not _END:
            yield found[0]
        if found[1] is not None:
            raise found[1]
    finally:
        stopped.set()
        thread.join()
