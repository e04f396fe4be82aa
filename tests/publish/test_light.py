"""What marimo does that no page needs is left out."""

import importlib.metadata

import pytest
from marimo._entrypoints import registry
from marimo._messaging.notification_utils import CellNotificationUtils
from marimo._messaging.streams import ThreadSafeStream
from marimo._output.formatters.ipython_formatters import IPythonFormatter

from cadran.publish.light import lighten


class Pipe:
    """What a kernel writes to."""

    def __init__(self):
        self.said = []

    def send(self, data):
        self.said.append(data)


@pytest.fixture(autouse=True)
def as_before():
    yield
    lighten(only_pages=False)


@pytest.mark.parametrize("only_pages", [True, False])
def test_what_a_page_passes_over_is_not_said_where_only_pages_are_shown(only_pages):
    lighten(only_pages)
    pipe = Pipe()
    stream = ThreadSafeStream(pipe, None, redirect_console=False)

    for op in ("execution", "remove-ui-elements", "variable-values", "model-lifecycle", "cell-op", "completed-run"):
        stream.write(f'{{"op":"{op}"}}'.encode())
    CellNotificationUtils.broadcast_status("a", "queued", stream)

    said = [data.split(b'"')[3].decode() for data in pipe.said]
    kept = ["model-lifecycle", "cell-op", "completed-run"]
    assert said == (kept if only_pages else ["execution", "remove-ui-elements", "variable-values", *kept, "cell-op"])


def test_what_is_installed_is_looked_up_once(monkeypatch):
    asked = []
    real = importlib.metadata.entry_points
    monkeypatch.setattr(registry, "entry_points", lambda *what: asked.append(what) or real(*what))
    lighten(only_pages=True)

    found = [list(registry.EntryPointRegistry("cadran.test.group").names()) for _ in range(3)]

    assert found == [[]] * 3
    assert len(asked) == 1


def test_sessions_leave_nothing_in_what_shows_things_in_ipython():
    display = pytest.importorskip("IPython.display")
    lighten(only_pages=True)
    before = display.display

    IPythonFormatter().register()

    assert display.display is before
