"""What readers who have gone leave behind: pages that two registries keep for ever, and memory that nobody uses.

marimo and ipywidgets each keep every widget of a process by its name until a kernel that is no more would close it.
"""

import ctypes
import gc
import threading
import time
import weakref
from typing import Any

from ipywidgets.widgets import widget
from marimo._plugins.ui._impl.anywidget.init import WIDGET_COMM_MANAGER
from marimo._plugins.ui._impl.comm import MarimoCommManager

#: Seconds from one giving back to the next: it takes some hundredths of a second, for which readers wait.
EVERY = 20.0
_REGISTER = MarimoCommManager.register_comm


def let_go() -> None:
    """From now on a widget goes with the thread that made it, which is that of its session."""
    manager: Any = MarimoCommManager
    manager.register_comm, manager.unregister_comm = _registered, _unregistered


def _registered(manager: MarimoCommManager, comm: Any) -> Any:
    weakref.finalize(threading.current_thread(), _forgotten, comm.comm_id).atexit = False
    return _REGISTER(manager, comm)


def _unregistered(manager: MarimoCommManager, comm: Any) -> Any:
    """As marimo does, but for a widget that was let go of before."""
    return manager.comms.pop(comm.comm_id, comm)


def _forgotten(name: str) -> None:
    WIDGET_COMM_MANAGER.comms.pop(name, None)  # type: ignore[call-overload]
    widget._instances.pop(name, None)


class Tidy:
    """Gives back what ended sessions held, once some have ended."""

    def __init__(self) -> None:
        self._most, self._at = 0, 0.0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def look(self, now: float | None = None) -> bool:
        """To be called often: whether anything was given back."""
        now = time.monotonic() if now is None else now
        there = threading.active_count()
        self._most = max(self._most, there)
        if there >= self._most or now - self._at < EVERY:
            return False
        self._most, self._at = there, now
        # Twice: widgets are let go of when the thread of their session is found to be gone.
        for _ in range(2):
            gc.collect()
        if self._trim:
            self._trim(0)
        return True
