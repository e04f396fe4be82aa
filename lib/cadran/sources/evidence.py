"""What a column tells over all its blocks: how it writes dates and numbers, and whether it holds what must not enter.

A text that can be read one way only is parsed at once; the others wait, as text, until the whole column was seen.
"""

from dataclasses import dataclass, field

import dataframely as dy
import polars as pl

from cadran.sources import dates, parse
from cadran.sources.free_text import looks_free_text
from cadran.tables.problems import Problem

#: Different values, evenly drawn, by which a column is judged.
_SAMPLE = 20_000
_ALL = 2**64 - 1
#: Endings of the columns in which a field waits: days, midnights (days if the column has no hour), and texts.
DAYS, MIDNIGHTS, TEXTS = "@days", "@midnights", "@texts"


def is_dated(kind: dy.Column) -> bool:
    """Whether a field holds days or moments."""
    return isinstance(kind, dy.Date | dy.Datetime)


def is_number(kind: dy.Column) -> bool:
    """Whether a field holds numbers."""
    return isinstance(kind, dy.Float64 | dy.Int64)


@dataclass
class Sample:
    """An even sample of the different values of a column: those of the smallest hash. Whole while they are few."""

    most: int = _ALL
    n_rows: int = 0
    _texts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"text": pl.String, "hash": pl.UInt64}))
    #: Values of so small a hash, not yet among the others.
    _waiting: list[pl.DataFrame] = field(default_factory=list)

    @property
    def texts(self) -> pl.DataFrame:
        """The sample, each `text` once, with its `hash`."""
        self._settle()
        return self._texts

    def add(self, texts: pl.Series) -> None:
        """Take a block's values in."""
        hashes = texts.hash(0)
        if not self.n_rows and len(texts) > 3 * _SAMPLE and hashes.head(_SAMPLE).n_unique() > _SAMPLE * 3 // 4:
            self.most = _ALL // len(texts) * 3 * _SAMPLE  # nearly all differ: enough of them have so small a hash
        self.n_rows += len(texts) - texts.null_count()
        met = pl.DataFrame({"text": texts, "hash": hashes})
        self._waiting.append(met.filter(pl.col("hash") <= self.most) if self.most < _ALL else met)
        if sum(frame.height for frame in self._waiting) > 3 * _SAMPLE:
            self._settle()

    def _settle(self) -> None:
        """Put what waits among the others."""
        met = pl.concat([self._texts.clear(), *self._waiting])
        self._waiting.clear()
        new = met["hash"].unique()
        new = new.filter(~new.is_in(self._texts["hash"].implode()))
        if new.is_empty():
            return
        met = met.filter(pl.col("hash").is_in(new.implode()) if len(new) < met.height // 2 else pl.lit(True))
        both = pl.concat([self._texts, met.drop_nulls("text").unique("hash")]).unique("hash")
        if both.height > _SAMPLE:
            both = both.bottom_k(_SAMPLE, by="hash")
            self.most = int(both["hash"].max())  # type: ignore[arg-type]
        self._texts = both

    def n_different(self) -> float:
        """About how many different values there are: exact while all are in the sample."""
        n = self.texts.height
        return n if self.most == _ALL else n * 2.0**64 / self.most


@dataclass
class Column:
    """One field of a feed, block by block."""

    name: str
    kind: dy.Column
    #: What the mapping states of how it is written.
    forms: tuple[str, ...] = ()
    decimal: str | None = None
    is_personal_allowed: bool = True
    #: Told to leave every text as it is, once what was believed of the column proved wrong.
    waits: bool = False
    orders: dict[str, str | None] = field(default_factory=dict)
    marks: dict[str, str | None] = field(default_factory=dict)
    signs: set[str] = field(default_factory=set)
    #: Whether numbers with a point were taken as they stand.
    has_points: bool = False
    has_hours: bool = False
    has_mail: bool = False
    sample: Sample = field(default_factory=Sample)

    def take(self, texts: pl.Series, zone: str, may_hold_mail: bool = True) -> list[pl.Series]:
        """What is kept of a block's values: parsed (under the field's name), or waiting. Nothing if all are null."""
        texts = texts.alias(self.name)
        if is_dated(self.kind):
            return self._dates(texts, zone)
        self.look(texts, may_hold_mail)
        return self._numbers(texts) if is_number(self.kind) else [texts.cast(pl.String)]

    def refused(self) -> str | None:
        """What the column seems to hold that never enters a book: e-mail addresses, phone numbers, free text."""
        if self.has_mail:
            return "e-mail addresses"
        said, n = self.sample.texts["text"], self.sample.n_different()
        return parse.looks_personal(said) or (
            "free text" if n and looks_free_text(said, max(1.0, self.sample.n_rows / n)) else None
        )

    def look(self, texts: pl.Series, may_hold_mail: bool = True) -> None:
        """See whether a block's values are personal data."""
        if self.is_personal_allowed or texts.dtype != pl.String:
            return
        self.sample.add(texts)
        if may_hold_mail and not self.has_mail and (has_at := texts.str.contains("@", literal=True)).any():
            self.has_mail = parse.looks_personal(texts.filter(has_at)) == "e-mail addresses"

    def _dates(self, texts: pl.Series, zone: str) -> list[pl.Series]:
        if isinstance(texts.dtype, pl.Date | pl.Datetime):
            return self._kept(texts, zone, is_typed=True)
        texts = texts.cast(pl.String)
        found = None if self.forms or self.waits else dates.iso(texts)
        kept = [] if found is None else self._kept(found, zone)
        left = _left(texts, found if kept else None)
        if left.is_empty():
            return kept
        self.look(texts)
        if not self.forms:
            self._merge("orders", dates.orders(left))
        return [*kept, left.alias(self.name + TEXTS)]

    def _kept(self, found: pl.Series, zone: str, is_typed: bool = False) -> list[pl.Series]:
        """Days and moments as they are kept; none if it cannot be told yet whether midnights are days."""
        if isinstance(self.kind, dy.Date):
            return [dates.local_day(found, zone)]
        if not isinstance(found.dtype, pl.Datetime):
            return [found.alias(self.name + DAYS)]
        is_local = found.dtype.time_zone is None
        has_hours = dates.has_hours(found) or (is_typed and not is_local)
        self.has_hours = self.has_hours or has_hours
        if has_hours:
            return [dates.utc(found.cast(pl.Datetime("us", found.dtype.time_zone)), zone)]
        return [found.dt.date().alias(self.name + MIDNIGHTS)] if is_local else []

    def _numbers(self, texts: pl.Series) -> list[pl.Series]:
        if texts.dtype != pl.String:
            return [texts.cast(pl.Float64, strict=False)]
        found = None if self.waits else self._pointed(parse.plain(texts), texts)
        left = _left(texts, found)
        if not left.is_empty():
            self.signs |= parse.signs(left)
            self._merge("marks", {} if self.decimal else parse.marks(left))
        return [*([] if found is None else [found]), *([] if left.is_empty() else [left.alias(self.name + TEXTS)])]

    def _pointed(self, found: pl.Series, texts: pl.Series) -> pl.Series:
        """Numbers with a point wait if the mark is stated to be a comma; else they tell what the mark is."""
        pointed = texts.str.contains(".", literal=True).fill_null(False)
        if self.decimal == "." or not pointed.any():
            return found
        if self.decimal == ",":
            return found.set(pointed, None)
        self.has_points = True
        if not self.marks.get("plain ."):
            some = texts.filter(pointed & found.is_not_null())
            self._merge("marks", parse.marks(some.head(1000)))
            if not self.marks.get("plain ."):
                self._merge("marks", parse.marks(some))
        return found

    def _merge(self, name: str, found: dict[str, str | None]) -> None:
        known: dict[str, str | None] = getattr(self, name)
        setattr(self, name, {key: known.get(key) or found.get(key) for key in [*known, *(found.keys() - known.keys())]})


def _left(texts: pl.Series, found: pl.Series | None) -> pl.Series:
    """The texts that were not parsed, trimmed, null elsewhere; an empty column if all were."""
    if found is not None and found.null_count() == texts.null_count():
        return texts.clear()
    texts = texts if found is None else texts.set(found.is_not_null(), None)
    texts = texts.str.strip_chars()
    texts = texts.set((texts == "").fill_null(False), None)
    return texts if texts.null_count() < len(texts) else texts.clear()


def writing(columns: list[Column], file: str) -> tuple[bool | None, str | None]:
    """Whether dates begin with the day, and the decimal mark, as all the columns of one file together tell.

    Raises:
        Problem: If a column contradicts itself.
    """
    firsts, told = set(), set()
    try:
        for column in columns:
            firsts |= {dates.order_told(column.orders, column.name)} if column.orders else set()
            # Whole numbers tell nothing of the amounts of their file.
            if column.marks and isinstance(column.kind, dy.Float64):
                told |= {parse.mark_told(column.marks, column.name)}
    except Problem as problem:
        raise parse.in_file(problem, file) from None
    firsts, told = firsts - {None}, told - {None}
    return firsts.pop() if len(firsts) == 1 else None, told.pop() if len(told) == 1 else None
