"""A book kept in memory for a page that asks again and again: the same answers, without reading files."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book.book import Book, Organisation, as_text
from cadran.book.engines import POLARS, collect

#: Bytes of frames kept in the process, for all readers together.
MOST_BYTES = 512 * 2**20


Frame = TypeVar("Frame", pl.DataFrame, np.ndarray)


class Kept:
    """Frames or arrays by key, the longest unused given up first when they outgrow a number of bytes."""

    def __init__(self, most_bytes: int):
        self.most_bytes, self._bytes = most_bytes, 0
        self._frames: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Frame]) -> Frame:
        """The frame of a key, made if it is not there. Keys must name the reader's scope where it matters."""
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
                found: Frame = self._frames[key][0]
                return found
        frame = make()
        size = int(frame.estimated_size()) if isinstance(frame, pl.DataFrame) else frame.nbytes
        with self._lock:
            if key not in self._frames:
                self._frames[key] = (frame, size)
                self._bytes += size
            while self._bytes > self.most_bytes and len(self._frames) > 1:
                self._bytes -= self._frames.popitem(last=False)[1][1]
        return frame


_KEPT = Kept(MOST_BYTES)


@dataclass(frozen=True)
class HeldBook(Book):
    """A `Book` whose tables stand in memory, and whose deals of its own moment are worked out once.

    `held` are the columns of `Book.deals` kept so; others, and other moments, are worked out when asked for.
    """

    held: tuple[str, ...] = ()

    def as_of(self, moment: date | datetime, corrected: bool | None = None) -> "HeldBook":
        """The book as it was known at a moment, its tables in memory too, but no deals."""
        seen = super().as_of(moment, corrected)
        assert isinstance(seen, HeldBook)
        return replace(seen, held=())

    def deals(
        self,
        columns: Iterable[str] | None = None,
        organisation: Organisation = "as_was",
        other: Book | None = None,
    ) -> nw.LazyFrame:
        """As `Book.deals`."""
        wanted = None if columns is None else list(dict.fromkeys(columns))
        if wanted is None or other is not None or not set(wanted) <= {*self.held, "in_scope"}:
            return super().deals(wanted, organisation, other)
        whole = _KEPT.get((self._key, "deals", organisation, self.held), lambda: self._whole(organisation))
        deals = nw.from_native(whole.lazy())
        return (deals if "in_scope" in wanted else deals.filter("in_scope")).select(wanted)

    def collect(self, frame: nw.LazyFrame) -> pl.DataFrame:
        """Run a plan over what is in memory."""
        return frame.to_native().collect()

    @property
    def _key(self) -> Hashable:
        reader = self.reader
        return self.version, self.seal, self.moment, self.corrected, reader and (reader.regions, reader.teams)

    def _whole(self, organisation: Organisation) -> pl.DataFrame:
        return self.collect(super().deals([*dict.fromkeys([*self.held, "in_scope"])], organisation))

    def _stored(self, name: str) -> nw.LazyFrame:
        path = self.version / name
        if sum(file.stat().st_size for file in path.iterdir()) > MOST_BYTES // 16:
            return super()._stored(name)
        table = _KEPT.get((path, self.seal), lambda: collect(as_text(super(HeldBook, self)._stored(name))))
        return nw.from_native(table.lazy())


def hold(book: Book, columns: Iterable[str] = ()) -> Book:
    """A book in memory, with these columns of its deals ready. One that another engine than polars reads stays there."""
    if book.engine is not POLARS:
        return book
    plain = {each.name: getattr(book, each.name) for each in fields(Book)}
    return HeldBook(**plain, held=tuple(dict.fromkeys(columns)))
