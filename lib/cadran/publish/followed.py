"""One room: what those who follow a presentation are shown of it."""

import asyncio
import base64
import gzip
import json
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256

from cadran.figures import onlookers
from cadran.figures.page import Page
from cadran.publish.rooms_kept import Kept

#: A follower who is further behind gets everything anew.
BEHIND = 8


class Room:
    """One presentation that others follow. Lives in the server's loop, but for `draw`.

    What followers are shown is a set of parts by name, each with the number of the change that brought it: whoever saw
    change n needs those after it, so nobody is owed a queue.
    """

    def __init__(self, kept: Kept):
        self.kept = kept
        #: The session of marimo whose page is followed.
        self.session: str | None = None
        #: Whether its code is one; and whether the server still answers those who follow.
        self.is_open = self.is_served = True
        self.n_followers = 0
        self.version = 0
        self._parts: dict[str, tuple[int, str]] = {}
        self._is_away = True
        self._messages: dict[int, bytes] = {}
        self._changed = asyncio.Event()
        self._lock = threading.Lock()
        self._drawn: dict[str, tuple[object, bool, str]] = {}

    def draw(self, page: Page, tell: Callable[[Mapping[str, str] | None], object]) -> None:
        """Tell what a page presents, part by part; None where it presents nothing. From any thread, one at a time."""
        with self._lock:
            tell(self._drawing(page))

    def _drawing(self, page: Page) -> Mapping[str, str] | None:
        presented = page.presented
        if presented is None:
            self._drawn = {}
            return None
        drawn: dict[str, tuple[object, bool, str]] = {}
        specs: dict[str, str] = {}
        for slot, block in presented.items():
            has_table = slot in page.asked.behind
            held, had_table, text = self._drawn.get(slot, (None, False, ""))
            is_same = held is block and had_table == has_table
            drawn[slot] = (block, has_table, text if is_same else onlookers.place(page, slot, block))
            if drawing := getattr(block, "drawing", None):
                specs[f"{onlookers.SPEC}{drawing.key}"] = json.dumps(drawing.vega)
        self._drawn = drawn
        places = {f"{onlookers.PLACE}{slot}": text for slot, (_, _, text) in drawn.items()}
        around = {onlookers.FRAME: onlookers.frame(page), onlookers.CONTROLS: onlookers.controls(page, places)}
        return {**around, **specs, **places}

    def show(self, parts: Mapping[str, str] | None) -> None:
        """Show followers these parts; None: that the presenter shows them nothing for now."""
        now = dict(parts or {})
        was = {name: text for name, (_, text) in self._parts.items()}
        if now == was:
            return
        version = self.version + 1
        self._parts = {
            name: self._parts[name] if was.get(name) == text else (version, text) for name, text in now.items()
        }
        self._turn()

    @property
    def is_shown(self) -> bool:
        """Whether followers are shown anything."""
        return bool(self._parts)

    def is_of(self, code: str) -> bool:
        """Whether a code is this room's."""
        return hashed(code) == self.kept.code

    def leave(self, is_away: bool) -> None:
        """Note whether the presenter's page is connected."""
        if self._is_away != is_away:
            self._is_away = is_away
            self._turn()

    def close(self) -> None:
        """Nobody follows any more."""
        self.is_open, self._parts = False, {}
        self._turn()

    def wake(self) -> None:
        """Have all who wait for a change look again."""
        self._turn()

    def message(self, seen: int) -> bytes:
        """What a follower who saw change `seen` (-1: none) has to be told, as JSON in gzip in base64: made once for all."""
        seen = seen if self.version - seen <= BEHIND else -1
        if seen not in self._messages:
            news = ",".join(f"{json.dumps(n)}:{text}" for n, (since, text) in self._parts.items() if since > seen)
            head = {"names": list(self._parts), "is_away": self._is_away}
            text = f'{json.dumps(head, ensure_ascii=False)[:-1]},"parts":{{{news}}}}}'
            self._messages[seen] = base64.b64encode(gzip.compress(text.encode(), 5))
        return self._messages[seen]

    async def change(self, seen: int, seconds: float) -> bool:
        """Wait for a change after `seen`, so many seconds at most: whether there is one."""
        if self.version > seen:
            return True
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _turn(self) -> None:
        self.version += 1
        self._messages.clear()
        self._changed.set()
        self._changed = asyncio.Event()


def hashed(secret: str) -> bytes:
    """What is kept of a code or a key."""
    return sha256(secret.encode()).digest()
