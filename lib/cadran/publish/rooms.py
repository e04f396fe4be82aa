"""Rooms: those who follow a presentation on their own phones, and what they are shown of it."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import marimo as mo

from cadran.figures.page import Page
from cadran.publish.followed import Room, hashed
from cadran.publish.limits import Buckets
from cadran.publish.rooms_kept import Kept, KeptRooms

#: Signs of a code: no vowels, so that it is no word, and none that looks like another. 28 to the 8th: 38.5 bits.
ALPHABET, LETTERS = "BCDFGHJKMNPQRSTVWXYZ23456789", 8
#: Followers of a room, and rooms at once.
MOST_FOLLOWERS, MOST_ROOMS = 200, 50
#: Seconds that a room lasts, and that it waits for a presenter who is gone.
LASTS, WAITS = 4 * 3600, 600
#: A presenter's presence is noted on the disk when the last note is older, in seconds.
_NOTED = 60
#: Wrong codes at once and then per second, from one address (an office may stand behind it), and from all together.
PER_ADDRESS, IN_ALL = (20, 1 / 6), (500, 5.0)


class Wait(Exception):
    """Too many wrong codes: how many seconds to wait."""

    def __init__(self, seconds: int):
        super().__init__(seconds)
        self.seconds = seconds


class Full(Exception):
    """As many follow as may, or as many rooms are open."""


class Rooms:
    """The rooms of a site, one for each presenter.

    Args:
        kept: Where they outlive a restart.
        clock: Tells the time, with its zone.
        lost: Told of each page that is about to show more than its followers may see, before it does: by whom it is read
            (None: where nobody signs in), and its title.

    `meet`, `see`, `lose`, and what touches the disk (`keep`, `tidy`) may be called from any thread, all else from the
    server's loop.
    """

    def __init__(self, kept: KeptRooms, clock: Callable[[], datetime], lost: Callable[[str | None, str], object]):
        self._kept, self._clock, self._lost = kept, clock, lost
        self._wrong, self._wrong_in_all = Buckets(*PER_ADDRESS), Buckets(*IN_ALL)
        self._met: WeakKeyDictionary[Page, tuple[str, str | None]] = WeakKeyDictionary()
        self._pages: WeakValueDictionary[str, Page] = WeakValueDictionary()
        self._live: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rooms = {each.code: Room(each) for each in kept.all()}
        self._over: list[bytes] = []

    def meet(self, page: Page) -> None:
        """Remember by whom, and in which session, a page is read: marimo tells that while it is opened alone."""
        request = mo.app_meta().request
        if request is None:
            return
        user: Any = request.user
        name = str(user["username"]) if isinstance(user, dict) and "role" in user else None
        if session := request.query_params.get("session_id", [""])[-1]:
            self._met[page] = (session, name)
            self._pages[session] = page

    def see(self, page: Page) -> None:
        """Show followers what a page presents now."""
        session, _ = self._met.get(page, (None, None))
        for room in tuple(self._rooms.values()):
            if session and room.session == session:
                self._draw(room, page)

    def lose(self, page: Page) -> None:
        """Note that a page is about to show more than its followers may see.

        Raises:
            Problem: If it cannot be noted.
        """
        _, name = self._met.get(page, (None, None))
        self._lost(name, page.title)

    def open(self, owner: str) -> tuple[Room, str, str]:
        """A new room of somebody, in place of the one they had: the room, its code, and the key that stands for its
        presenter. To be kept with `keep`.

        Raises:
            Full: If there are too many.
        """
        self.sweep()
        code = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
        key, now = secrets.token_urlsafe(24), self._clock().timestamp()
        if len(self._rooms) >= MOST_ROOMS and all(room.kept.owner != owner for room in self._rooms.values()):
            raise Full
        for room in [each for each in self._rooms.values() if each.kept.owner == owner]:
            self.end(room)
        room = self._rooms[hashed(code)] = Room(Kept(hashed(code), hashed(key), owner, now, now))
        return room, code, key

    def of(self, owner: str, key: str) -> Room | None:
        """The open room that somebody has the key of."""
        self.sweep()
        is_key = hashed(key)
        found = (each for each in self._rooms.values() if each.kept.owner == owner and each.kept.key == is_key)
        return next(found, None)

    def attach(self, room: Room, session: str) -> None:
        """Have a room follow the page of a session of marimo."""
        self._loop = asyncio.get_running_loop()
        room.session = session
        room.leave(session not in self._live)
        if (page := self._pages.get(session)) is not None:
            self._draw(room, page)

    def attend(self, room: Room) -> Kept | None:
        """Note that the presenter is there; what to keep of it, once in a while."""
        now = self._clock().timestamp()
        is_noted = now - room.kept.seen_at < _NOTED
        if is_noted:
            return None
        room.kept = replace(room.kept, seen_at=now)
        return room.kept

    def keep(self, kept: Kept) -> None:
        """Write a room to the disk.

        Raises:
            Problem: If it cannot be written.
        """
        self._kept.put(kept)

    def end(self, room: Room) -> None:
        """Close a room: its code is none from now on."""
        self._rooms.pop(room.kept.code, None)
        self._over.append(room.kept.code)
        room.close()

    def tidy(self) -> None:
        """Remove the rooms that are over from the disk.

        Raises:
            Problem: If it cannot be written.
        """
        while self._over:
            self._kept.remove(self._over[-1])
            self._over.pop()

    def sweep(self) -> None:
        """Close the rooms that are over."""
        now = self._clock().timestamp()
        over = [
            room for room in self._rooms.values()
            if now - room.kept.opened_at > LASTS or now - room.kept.seen_at > WAITS
        ]  # fmt: skip
        for room in over:
            self.end(room)

    def followed(self, code: str, address: str, at: float) -> Room | None:
        """The room of a code; None if there is none, or none any more.

        Args:
            code: As it was written.
            address: Whose try it is.
            at: The time, in seconds, of a clock that is never put back.

        Raises:
            Wait: If too many codes from there were wrong, this one right or not.
        """
        wait = self._wrong.delay(address, at) or self._wrong_in_all.delay("", at)
        if wait:
            raise Wait(ceil(wait))
        self.sweep()
        room = self._rooms.get(hashed(plain(code)))
        if room is None:
            self._wrong.wait(address, at)
            self._wrong_in_all.wait("", at)
        return room

    def arrive(self, session: str) -> None:
        """A live page of a session is connected."""
        self._live[session] = self._live.get(session, 0) + 1
        self._note(session, is_away=False)

    def depart(self, session: str) -> None:
        """A live page of a session is no longer connected."""
        self._live[session] -= 1
        if not self._live[session]:
            del self._live[session]
            self._note(session, is_away=True)

    def stop(self) -> None:
        """The server stops: followers are let go, and come back once it is there again."""
        for room in self._rooms.values():
            room.is_served = False
            room.wake()

    def _note(self, session: str, is_away: bool) -> None:
        for room in self._rooms.values():
            if room.session == session:
                room.leave(is_away)

    def _draw(self, room: Room, page: Page) -> None:
        loop = self._loop
        if loop is not None:
            room.draw(page, lambda parts: loop.call_soon_threadsafe(room.show, parts))


def plain(code: str) -> str:
    """A code as it is meant, however it was typed."""
    return "".join(sign for sign in code.upper() if sign in ALPHABET)[: LETTERS + 1]


def spelt(code: str) -> str:
    """A code as it is read aloud: "BCDF-GHJK"."""
    return f"{code[:4]}-{code[4:]}"
