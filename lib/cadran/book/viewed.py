"""Has a book note who is shown what of named persons: the one door where that is noted, whatever page or command asks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from cadran.book.individual import activation_of
from cadran.book.reader import Reader
from cadran.book.views import Viewer, Views, hour_of

#: Takes what of persons is shown (a word of `cadran.book.views.KINDS`), and their identifiers.
Note = Callable[[str, Sequence[str]], None]


def noting(folder: Path, who: str, reader: Reader | None, clock: Callable[[], datetime]) -> Note:
    """What notes all that somebody is shown of a book's persons.

    Args:
        folder: The book's.
        who: The name of their account; at the command line, of their user on this machine.
        reader: With their role and scope; none at the command line.
        clock: Tells the time, with its zone.
    """
    noted: dict[tuple[str, tuple[str, ...]], datetime] = {}

    def note(kind: str, whom: Sequence[str]) -> None:
        at, key = clock(), (kind, tuple(whom))
        if noted.get(key) == hour_of(at):
            return
        Views(folder).note(
            Viewer(who, reader.role if reader else "analyst", _grounds(folder, reader, at)), kind, whom, at
        )
        noted[key] = hour_of(at)

    return note


def _grounds(folder: Path, reader: Reader | None, at: datetime) -> dict[str, str]:
    """On which grounds each kind is shown."""
    scope = ", ".join(sorted(reader.regions | reader.teams)) if reader else ""
    led = f"leads {scope}" if scope else "whole company"
    holds = activation_of(folder, at.date())
    open_for = f"{holds.purpose} ({holds.legal_basis})" if holds else ""
    return {"load": led, "one_to_ones": led, "rating": open_for, "pay": open_for, "access": "request for access"}
