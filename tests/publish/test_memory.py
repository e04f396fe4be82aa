"""The process keeps under its limit by closing the pages used longest ago, and says so where it cannot."""

import json
import socket
import time
from types import SimpleNamespace

import pytest
from awaited import awaited
from intruder import Target, heard
from ipywidgets.widgets.widget import _instances
from prometheus_client import CollectorRegistry
from websockets.exceptions import ConnectionClosed

from cadran.publish import live, memory
from cadran.publish.live_pages import LivePages
from cadran.publish.memory import MANY, MEGABYTE, QUIET, Memory, check_room, default_limit
from cadran.publish.prepared import first_sight
from cadran.publish.watch import Numbers
from cadran.tables.problems import Problem


class Pages(LivePages):
    """Live pages of 100 bytes each, whose sessions end when they are closed."""

    def __init__(self):
        self.at = 0.0
        super().__init__(SimpleNamespace(routes=[]), lambda: self.at)
        self.sessions = set()
        self._managers = {"page": SimpleNamespace(get_session=self._session, close_session=self.sessions.discard)}

    def _session(self, name):
        return SimpleNamespace(kernel_state=lambda: None) if name in self.sessions else None

    def opened(self, name, at, n_open=1):
        self.at, self.sessions = at, self.sessions | {name}
        self._managers["page"].close_session = self.sessions.discard
        page = self.begin(name, "page", None, "", "000001")
        page.n_open = n_open
        return page

    def close(self, page):
        page.n_open = 0  # its websocket is closed, as its browser is told
        super().close(page)

    def tidy(self):
        for name in [name for name, page in self._pages.items() if name not in self.sessions and not page.n_open]:
            del self._pages[name]
        return 0


def left(pages, limit, held=0):
    """The pages that are left, and whether no other is let in."""
    numbers = Numbers(CollectorRegistry())
    kept = Memory(limit, pages, lambda: held + 100 * len(pages), numbers.closed_pages)
    awaited(kept.look())
    return sorted(pages._pages), kept.is_full, numbers.closed_pages.collect()[0].samples[0].value


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (400, ["acting", "idle", "left", "resting"]),
        (399, ["acting", "idle", "resting"]),  # whose reader left is closed first
        (250, ["acting", "resting"]),
        (199, ["acting"]),
        (99, []),
    ],
)
def test_the_pages_used_longest_ago_are_closed_until_there_is_room(limit, expected):
    pages = Pages()
    for name, at, n_open in (("idle", 1, 1), ("acting", 9, 1), ("left", 8, 0), ("resting", 5, 1)):
        pages.opened(name, at, n_open)

    assert left(pages, limit) == (expected, False, 4 - len(expected))


def test_where_nothing_is_left_to_close_no_page_is_let_in():
    pages = Pages()
    pages.opened("one", 1)

    assert left(pages, limit=50, held=60) == ([], True, 1)


def test_while_a_closed_page_still_computes_the_others_stay_and_new_ones_are_let_in(monkeypatch):
    monkeypatch.setattr(memory, "PATIENCE", 0.0)
    pages = Pages()
    for name in ("one", "two"):
        pages.opened(name, 1)
    pages.sessions = frozenset(pages.sessions)  # none ends
    pages._managers["page"].close_session = lambda name: None

    assert left(pages, limit=50) == (["one", "two"], False, 1)


def test_memory_is_given_back_once_many_pages_are_over_and_a_while_after_the_last(monkeypatch):
    over, given, after = iter([MANY - 1, 1, 3, *[0] * 20]), [], []
    monkeypatch.setattr(memory, "give_back", lambda: given.append("all that is free"))
    pages = Pages()
    pages.tidy = lambda: next(over)
    kept = Memory(MEGABYTE, pages, lambda: 0)
    for _ in range(20):
        awaited(kept.look())
        after.append(len(given))

    assert (after.index(1), after.index(2), after[-1]) == (1, 2 + QUIET, 2)


def test_a_limit_that_leaves_no_room_is_told_at_the_start():
    check_room(100 * MEGABYTE, lambda: 80 * MEGABYTE)
    with pytest.raises(Problem, match="holds 95 MB before its first reader"):
        check_room(100 * MEGABYTE, lambda: 95 * MEGABYTE)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 1000),
        ({"memory.max": "800"}, 800),  # in a container, its own group is the root
        ({"system.slice/memory.max": "700", "system.slice/cadran.service/memory.max": "max"}, 700),
        ({"memory/memory.limit_in_bytes": "600"}, 600),  # groups of the first kind
        ({"memory/system.slice/cadran.service/memory.limit_in_bytes": "500"}, 500),
    ],
)
def test_the_limit_is_a_share_of_what_the_machine_or_its_group_may_have(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(total=1000))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    own = tmp_path / "own"
    own.write_text("0::/system.slice/cadran.service\n", "utf-8")

    assert default_limit(tmp_path, own) == int(expected * memory.SHARE)


def test_a_page_that_is_closed_says_why_and_another_waits(site, address, monkeypatch):
    there = Target(address, None)
    with there.open("shed", app="page") as browser:
        heard(browser)
        monkeypatch.setattr(site.memory, "limit", 1)
        monkeypatch.setattr(memory, "EVERY", 0.1)
        with pytest.raises(ConnectionClosed) as closed:
            heard(browser, until="never")
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "room")
    while not site.memory.is_full:
        time.sleep(0.05)
    answer, page = there.ask("/page?lang=en")
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert "no memory for another" in page
    with there.open(app="page") as browser, pytest.raises(ConnectionClosed) as closed:
        browser.recv(20)
    assert closed.value.rcvd.code == 4002

    monkeypatch.undo()
    site.memory.is_full = False
    with there.open("shed", app="page") as browser:
        assert json.loads(browser.recv(20))["op"] == "kernel-ready"


def test_what_a_page_held_is_let_go_once_it_is_over(site, address):
    there = Target(address, None)
    with there.open("over", app="page") as browser:
        heard(browser)
        assert memory_of_widgets() & site.pages._pages["over"].models
    page = site.pages._pages["over"]
    while page.n_open:
        time.sleep(0.05)
    site.pages._managers["page"].close_session("over")  # as it does of itself after a minute
    while "over" in site.pages._pages:
        time.sleep(0.05)

    assert not memory_of_widgets() & page.models


@pytest.mark.parametrize(("how", "stays"), [("left", False), ("lost", True)])
def test_a_page_that_is_left_is_over_soon_and_one_that_lost_its_connection_waits(
    site, address, monkeypatch, how, stays
):
    monkeypatch.setattr(live, "LEFT_SECONDS", 0.2)
    with Target(address, None).open(how, app="page") as browser:
        heard(browser)
        page = site.pages._pages[how]
        if how == "lost":
            browser.socket.shutdown(socket.SHUT_RDWR)
    while page.n_open:
        time.sleep(0.05)
    time.sleep(0.5)

    assert page.closed.is_set() != stays
    site.pages.close(page)


def test_who_comes_back_to_a_page_in_time_finds_it(site, address, monkeypatch):
    monkeypatch.setattr(live, "LEFT_SECONDS", 0.5)
    there = Target(address, None)
    with there.open("back", app="page") as browser:
        heard(browser)
    page = site.pages._pages["back"]
    with there.open("back", app="page"):
        time.sleep(1)
        assert not page.closed.is_set()


def memory_of_widgets():
    from marimo._plugins.ui._impl.anywidget.init import WIDGET_COMM_MANAGER

    return set(WIDGET_COMM_MANAGER.comms)


def test_a_first_sight_leaves_nothing_behind(site):
    before = set(_instances)
    assert "1,234" in first_sight(site.apps["page"], "en").html

    assert set(_instances) == before
