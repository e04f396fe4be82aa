"""What is made of answers for a page: once for all readers of one scope, version and language who look at the same."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

from cadran.book import Book

#: Parts of views kept, those asked for last.
MOST = 400

Made = TypeVar("Made")


@dataclass(frozen=True)
class Shared:
    """What is made for a view of a book.

    Nothing that is one reader's own may be made with it, and whom an answer shows is noted where it is asked for, not here.
    """

    book: Book
    #: All that the reader has set, alike for two who look at the same.
    view: str
    language: str
    #: The state of what stands beside the book's versions, where something of it is told: plans, one-to-ones.
    beside: Hashable = ()

    def __call__(self, part: str, make: Callable[[], Made]) -> Made:
        """A part of the page: made by the first of those who ask, and by one of those who ask at once."""
        with _LOCK:
            place = _place(part, replace(self.book, viewed=None), self.view, self.language, self.beside)
        with place.lock:
            if place.made is None:
                place.made = make()
            made: Made = place.made
            return made


@dataclass
class _Place:
    made: Any = None
    lock: Any = field(default_factory=threading.Lock)


_LOCK = threading.Lock()


@lru_cache(maxsize=MOST)
def _place(_part: str, _book: Book, _view: str, _language: str, _beside: Hashable) -> _Place:
    return _Place()
