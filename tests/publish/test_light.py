"""What marimo does that no page needs is left out, and what readers leave behind goes with them."""

import gc
import importlib.metadata
import threading
from types import SimpleNamespace

import pytest
from ipywidgets.widgets import widget
from marimo._entrypoints import registry
from marimo._messaging.notification_utils import CellNotificationUtils
from marimo._messaging.streams import ThreadSafeStream
from marimo._plugins.ui._impl.anywidget.init import WIDGET_COMM_MANAGER

from cadran.figures.page import Page
from cadran.publish import leavers
from cadran.publish.light import lighten
from cadran.text import words_for


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


def test_a_page_goes_with_the_thread_of_its_session():
    leavers.let_go()
    made = []

    def session():
        page = Page("A", words_for("en"))  # which ipywidgets keeps; and as a kernel would have marimo keep it:
        WIDGET_COMM_MANAGER.register_comm(SimpleNamespace(comm_id=page.comm.comm_id))
        made.append(page.comm.comm_id)

    thread = threading.Thread(target=session)
    thread.start()
    thread.join()
    assert made[0] in WIDGET_COMM_MANAGER.comms
    assert made[0] in widget._instances
    del thread
    gc.collect()

    assert made[0] not in WIDGET_COMM_MANAGER.comms
    assert made[0] not in widget._instances


def test_what_was_left_is_given_back_once_somebody_has_gone(monkeypatch):
    there, done = [5, 9, 9, 4, 4, 3, 3], []
    monkeypatch.setattr(threading, "active_count", lambda: there.pop(0))
    monkeypatch.setattr(gc, "collect", lambda: done.append("looked"))
    tidy = leavers.Tidy()

    given_back = [tidy.look(now) for now in (100, 101, 102, 103, 104, 105, 103 + leavers.EVERY)]

    assert given_back == [False, False, False, True, False, False, True]
    assert len(done) == 4
