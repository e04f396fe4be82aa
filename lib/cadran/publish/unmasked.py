"""The record of who had names shown again on a page that was presented: when, and on which."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cadran.book.lines import added

#: In the book's folder, only ever added to.
RECORD = "unmasked.jsonl"


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
