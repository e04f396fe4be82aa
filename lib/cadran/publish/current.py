"""What a site knows of its book at a moment: its version, which an import changes while readers are on it."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cadran.access.scopes import Known
from cadran.book import open_book
from cadran.book.draft import seal_of
from cadran.book.reader import Reader
from cadran.book.store import current_version
from cadran.tables.problems import Problem


class Current:
    """A book as it is now.

    Args:
        book: Its folder.
    """

    def __init__(self, book: Path):
        self.book = book
        self._taken = "", open_book(book).settings.taken
        self._known: tuple[Path, Known] | None = None

    def version(self) -> str:
        """The version of the book at this moment: a new import changes it.

        Raises:
            Problem: If there is no book.
        """
        return current_version(self.book).name

    def seal(self) -> str:
        """The same, and another where somebody was forgotten in it.

        Raises:
            Problem: If there is no book.
        """
        return seal_of(version := current_version(self.book)) or version.name

    def version_if_any(self) -> str | None:
        """The version; None where it cannot be read for a while."""
        try:
            return self.version()
        except (Problem, OSError):
            return None

    def seal_if_any(self) -> str:
        """The seal; empty where it cannot be read for a while: pages go on with what they hold."""
        try:
            return self.seal()
        except (Problem, OSError):
            return ""

    def taken(self, seal: str) -> datetime:
        """When the data was taken, in the book's time zone: read once a version."""
        if self._taken[0] != seal:
            told = open_book(self.book).settings
            self._taken = seal, told.taken.astimezone(ZoneInfo(told.time_zone))
        return self._taken[1]

    def gone(self, reader: Reader) -> list[str]:
        """What of a reader's scope nobody of the book is in any more."""
        if not reader.is_limited:
            return []
        version = current_version(self.book)
        if self._known is None or self._known[0] != version:
            self._known = version, Known(open_book(self.book))
        return self._known[1].gone(reader)
