"""The live pages of a site: whose each is, which widgets are its own, when its reader last did something."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marimo._plugins.ui._impl.anywidget.init import WIDGET_COMM_MANAGER
from marimo._server.session_manager import SessionManager
from marimo._session.types import KernelState, Session
from marimo._types.ids import SessionId, WidgetModelId
from starlette.routing import Mount

from cadran.book.reader import Reader
from cadran.publish.limits import Buckets

#: Live pages that one reader has at once.
MOST_OPEN = 20
#: Live pages that one reader begins at once, and then per second.
BEGUN = (40, 0.5)
#: Why a live page is closed, as the websocket tells its browser.
MADE_ROOM, IS_FULL, TOO_MANY = (4001, "room"), (4002, "full"), (4003, "many")

#: The key of a signed-in session, and its reader as they were: of another scope, somebody is another.
Owner = tuple[str, Reader] | None


@dataclass
class LivePage:
    """One live page: a session of marimo."""

    id: str
    app: str
    #: What stands for the signed-in session that began it, and what it could see; null where nobody signs in.
    owner: Owner
    #: The reader's name, for counting; empty where nobody signs in.
    reader: str
    #: The version of the book when it began.
    version: str
    #: When its reader last did something, in seconds of the monotonic clock.
    acted_at: float
    #: Its widgets, as marimo names them.
    models: set[str] = field(default_factory=set)
    #: Websockets that are open: none while its reader is away.
    n_open: int = 0
    #: Whether its reader left, as a browser says when a page is closed; else the connection was lost, and they may be back.
    is_left: bool = False
    #: What its reader asked for last.
    asked: str = ""
    #: Set when it is closed from here.
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    session: Session | None = None


class LivePages:
    """All live pages of a site. For one event loop.

    Args:
        marimo_app: What answers them.
        clock: Seconds, of a clock that nobody sets.
    """

    def __init__(self, marimo_app: Any, clock: Callable[[], float] = time.monotonic):
        self._managers = managers_of(marimo_app)
        self.clock = clock
        self._pages: dict[str, LivePage] = {}
        self._begun = Buckets(*BEGUN)

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, name: str, app: str, owner: Owner) -> LivePage | None:
        """The page of a name, where it is of that app and of whoever asks."""
        page = self._pages.get(name)
        return page if page and (page.app, page.owner) == (app, owner) else None

    def is_of(self, name: str, owner: Owner) -> bool:
        """Whether a page of that name is there, and of whoever asks."""
        return name in self._pages and self._pages[name].owner == owner

    def is_known(self, name: str) -> bool:
        """Whether a page of that name is there, whoever's it is."""
        return name in self._pages

    def begin(self, name: str, app: str, owner: Owner, reader: str, version: str) -> LivePage | None:
        """A new page; None where its reader has too many, or begins them too fast. A page left by its reader makes way."""
        theirs = [page for page in self._pages.values() if reader == page.reader != "" and not page.closed.is_set()]
        if len(theirs) >= MOST_OPEN:
            left = [page for page in theirs if not page.n_open]
            if not left:
                return None
            self.close(min(left, key=_acted))
        if reader and self._begun.wait(reader, self.clock()):
            return None
        page = self._pages[name] = LivePage(name, app, owner, reader, version, self.clock())
        return page

    def longest_unused(self, n: int) -> list[LivePage]:
        """The pages to give up first: those whose readers left, then those whose readers did nothing for longest."""
        there = [page for page in self._pages.values() if not page.closed.is_set()]
        return sorted(there, key=lambda page: (page.n_open > 0, page.acted_at))[:n]

    def close(self, page: LivePage) -> None:
        """Close a page: its browser is told, then its session ends."""
        page.closed.set()
        if not page.n_open:
            self.end(page)

    def leave(self, page: LivePage) -> None:
        """Close a page that its reader left, and did not come back to."""
        if page.is_left and not page.n_open and self._pages.get(page.id) is page:
            self.close(page)

    def end(self, page: LivePage) -> None:
        """End a page's session; what it held is let go once what it computes has ended."""
        manager = self._managers[page.app]
        page.session = page.session or manager.get_session(SessionId(page.id))
        manager.close_session(SessionId(page.id))

    def are_closing(self) -> bool:
        """Whether some page was closed and still computes."""
        return any(page.closed.is_set() for page in self._pages.values())

    def tidy(self) -> int:
        """Let go of what pages held that are over: how many were. marimo keeps the widgets of every session for good."""
        n_before = len(self._pages)
        for page in list(self._pages.values()):
            found = self._managers[page.app].get_session(SessionId(page.id))
            page.session = found or page.session
            is_over = page.session is None or page.session.kernel_state() is KernelState.STOPPED
            if found is None and not page.n_open and is_over:
                del self._pages[page.id]
                let_go(page.models)
        return n_before - len(self._pages)


def managers_of(marimo_app: Any) -> Mapping[str, SessionManager]:
    """What keeps marimo's sessions, by app."""
    return {
        route.path.removeprefix("/live/"): route.app.state.session_manager  # type: ignore[attr-defined]
        for route in marimo_app.routes
        if isinstance(route, Mount) and hasattr(route.app, "state")
    }


def let_go(models: Iterable[str]) -> None:
    """Close widgets by their names."""
    for name in models:
        comm = WIDGET_COMM_MANAGER.comms.get(WidgetModelId(name))
        widget = getattr(comm and comm._msg_callback, "__self__", None)
        if widget is not None:
            widget.close()


def _acted(page: LivePage) -> float:
    return page.acted_at
