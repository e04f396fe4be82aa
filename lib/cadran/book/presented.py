"""What presentations leave beside a book: the rooms that are open, and the record of who had names shown again."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cadran.book.lines import Row, added, lines, rewritten
from cadran.book.sqlite_file import has_table, looked_into
from cadran.book.views import KEPT

#: In the book's folder: the rooms (`cadran.publish.rooms_kept`), and the record, each line of which is kept as long as one of
#: the log of views.
ROOMS, RECORD = "rooms.sqlite", "unmasked.jsonl"


def note_unmasked(folder: Path, clock: Callable[[], datetime], who: str | None, page: str) -> None:
    """Note that a presentation is about to be left, which its reader confirmed.

    Args:
        folder: The book's folder.
        clock: Tells the time, with its zone.
        who: Whose account it is; None where nobody signs in.
        page: The page's title.

    Raises:
        Problem: If it cannot be noted: then nothing is shown.
    """
    at = clock().astimezone(UTC).isoformat(timespec="seconds")
    added(folder / RECORD, lambda _: [{"at": at, "who": who, "page": page}])


def unmasked_by(folder: Path, names: Iterable[str]) -> list[Row]:
    """When somebody had names shown again, and on which page.

    Args:
        folder: The book's folder.
        names: Of their accounts.
    """
    known = _known(names)
    return [{"at": row["at"], "page": row["page"]} for row in lines(folder / RECORD) if _is_of(row["who"], known)]


def rooms_of(folder: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """The rooms of somebody that are kept: since when, and when they were there last."""
    known = _known(names)
    with _rooms(folder) as run:
        rows = run.execute("select owner, opened_at, seen_at from rooms order by opened_at").fetchall() if run else []
    told = [(opened, seen) for owner, opened, seen in rows if _is_of(owner, known)]
    return [{"opened_at": _moment(opened), "seen_at": _moment(seen)} for opened, seen in told]


def forgotten(folder: Path, names: Mapping[str, str]) -> None:
    """End the rooms of somebody; in the record a pseudonym stands for them.

    Args:
        folder: The book's folder.
        names: Of their accounts, with what stands for each.
    """
    known = {name.casefold(): stands for name, stands in names.items()}
    rewritten(folder / RECORD, lambda row: row | {"who": known.get((row["who"] or "").casefold(), row["who"])})
    with _rooms(folder) as run:
        if run is not None:
            owners = [owner for (owner,) in run.execute("select distinct owner from rooms").fetchall()]
            run.executemany("delete from rooms where owner = ?", [(o,) for o in owners if _is_of(o, {*known})])
            run.execute("vacuum")


def over(folder: Path, at: datetime) -> int:
    """How many lines of the record have been kept long enough."""
    return sum(_is_old(row, at) for row in lines(folder / RECORD))


def purged(folder: Path, at: datetime) -> int:
    """Let go of the lines of the record that have been kept long enough; gives how many."""
    return rewritten(folder / RECORD, lambda row: None if _is_old(row, at) else row)


def _is_old(row: Row, at: datetime) -> bool:
    return datetime.fromisoformat(row["at"]) < at - KEPT


def _known(names: Iterable[str]) -> set[str]:
    return {each.casefold() for each in names}


def _is_of(name: str | None, known: set[str]) -> bool:
    return bool(name) and str(name).casefold() in known


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


@contextmanager
def _rooms(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """The file of rooms, each statement a transaction of its own; None where nobody ever opened one."""
    with looked_into(folder / ROOMS) as run:
        yield run if run and has_table(run, "rooms") else None
