"""Which measures are asked for while something is made, so that it can say how its numbers are defined."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ASKED: ContextVar[set[str] | None] = ContextVar("asked", default=None)


@contextmanager
def recording() -> Iterator[set[str]]:
    """The names of the measures that are asked for meanwhile, whether or not their answer was kept from earlier."""
    names: set[str] = set()
    token = _ASKED.set(names)
    try:
        yield names
    finally:
        _ASKED.reset(token)


def record(name: str) -> None:
    """Note that a measure is asked for, where somebody records."""
    names = _ASKED.get()
    if names is not None:
        names.add(name)
