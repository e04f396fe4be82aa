"""marimo does much at each change that only its own front end needs, or an editor: where readers come, it is left out."""

from functools import lru_cache
from typing import Any

from marimo._entrypoints import registry
from marimo._messaging.notification_utils import CellNotificationUtils
from marimo._messaging.streams import ThreadSafeStream
from marimo._output.formatters.ipython_formatters import IPythonFormatter

_LOOKED_UP, _TOLD, _WRITE = registry.get_entry_points, CellNotificationUtils.broadcast_status, ThreadSafeStream.write
_REGISTER = IPythonFormatter.register
#: How messages begin that `reader.js` passes over: what ran when, and which variables there are.
_PASSED_OVER = tuple(
    f'{{"op":"{name}"'.encode() for name in ("execution", "remove-ui-elements", "variable-values", "variables")
)


def lighten(only_pages: bool) -> None:
    """From now on this process looks once what is installed, not at each change of each reader; and where it shows pages
    only, does not say of each cell that it waits, runs and rests, and the like: nine tenths of all messages, which a page
    passes over.

    Args:
        only_pages: Whether no notebook is shown in marimo's own front end.
    """
    patched: Any = CellNotificationUtils
    patched.broadcast_status = staticmethod(_unsaid if only_pages else _TOLD)
    stream: Any = ThreadSafeStream
    stream.write = _written if only_pages else _WRITE
    notebooks: Any = IPythonFormatter
    notebooks.register = _unregistered if only_pages else _REGISTER
    registry.get_entry_points = _once


@lru_cache
def _once(group: Any) -> Any:
    return _LOOKED_UP(group)


def _unregistered(_self: object) -> Any:
    """marimo wraps what shows things in IPython once more for each session, for good; no page shows anything by it."""
    return lambda: None


def _unsaid(*_status: object, **_more: object) -> None:
    """What is not said."""


def _written(stream: ThreadSafeStream, data: Any) -> None:
    if not data.startswith(_PASSED_OVER):
        _WRITE(stream, data)
