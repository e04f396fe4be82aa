"""All files gone through once: each feed's rows set down by bucket, and what every column tells gathered on the way."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cadran.sources import evidence
from cadran.sources.feeds import Feed, Mapping, bucket_field, files_of, parts
from cadran.sources.fields import Reading
from cadran.sources.lookups import has, lookup, nothing
from cadran.sources.place import ID, ROW
from cadran.sources.read import Source, must_have_rows, opened
from cadran.sources.spill import Pile, Room, cut
from cadran.tables.ahead import ahead
from cadran.tables.delivery import Since
from cadran.tables.groups import GROUPS, Group, bucket_of, group_of, n_buckets

#: An `ID` is the number of the feed and that of the row in its file, so many bits apart.
_BITS = 40
NAME = "activity_id"
#: The key of rows that go to every bucket of their group.
_EVERY = -1


@dataclass
class Told:
    """One feed after its file was gone through."""

    number: int
    feed: Feed
    reading: Reading
    pile: Pile
    #: `BROKEN` rows, by bucket; and, once they were made into parts, by block of the file.
    broken: Pile
    bad: Pile
    #: Keys of activities with the bucket of each, by a cut of these keys.
    names: Pile
    #: Rows that the mapping leaves out, by file and rule (`rules.LEFT_OUT`).
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def first_id(self) -> int:
        """`ID` of the first row of its file."""
        return self.number << _BITS


@dataclass
class Read:
    """One file after it was gone through: its blocks, with the number of the first row of each."""

    source: Source
    starts: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    n_rows: dict[str, int] = field(default_factory=dict)

    def rows(self, wanted: set[int], columns: list[str]) -> Iterator[tuple[int, pl.DataFrame]]:
        """The blocks wanted, read again: `ID` (from 0 in the file), these columns, and the place of each row."""
        before = dict.fromkeys(self.n_rows, 0)
        for number, block in enumerate(self.source.blocks()):
            if number in wanted:
                rows = block.load(None)
                ids = pl.int_range(self.starts[number], self.starts[number] + rows.height, eager=True).alias(ID)
                kept = [c for c in rows.columns if c in columns or c.startswith("@")]
                yield number, rows.select(ids, *kept).with_columns(pl.col(ROW) + before[block.file])
            end = self.starts[number + 1] if number + 1 < len(self.starts) else sum(self.n_rows.values())
            before[block.file] += end - self.starts[number]


@dataclass
class Survey:
    """Everything there is to know before the first part."""

    feeds: list[Told]
    files: dict[str, Read]
    n_buckets: dict[str, int]
    #: Keys of activities that stand in several buckets (which are cut by deal).
    scattered: pl.Series


def group(feed: Feed) -> Group:
    """The group that a feed's rows belong to."""
    if given := parts(feed):
        return group_of(given[0])
    return group_of({"deals": "opportunities"}.get(feed.of, feed.of))


def survey(
    mapping: Mapping, folder: Path, workspace: Path, since: Since | None, said: Callable[[str, float], None]
) -> Survey:
    """Go through every file once (again, if what was believed of a column proves wrong).

    Raises:
        Problem: If a file cannot be read, or what it says cannot be told.
    """
    sources: dict[str, Source] = {}
    for name in sorted(files_of(mapping)):
        said(name, 0.0)
        sources[name] = opened(mapping.files[name], folder, workspace)
    waiting: dict[int, frozenset[str]] = {}
    while True:
        found = _once(mapping, sources, workspace, since, waiting, said)
        again = _settled(found)
        if not again:
            return found
        waiting = {**waiting, **{n: waiting.get(n, frozenset()) | names for n, names in again.items()}}


def _once(
    mapping: Mapping, sources: dict[str, Source], workspace: Path, since: Since | None,
    waiting: dict[int, frozenset[str]], said: Callable[[str, float], None],
) -> Survey:  # fmt: skip
    cuts = _cuts(mapping, sources, since)
    feeds, room = [], Room()
    for n, feed in enumerate(mapping.feeds):
        if sources[feed.file].digests:
            found = lookups(feed, mapping, sources)
            reading = Reading(feed, mapping, found, waiting.get(n, frozenset()))
            reading.check(sources[feed.file].columns)
            pile, wrong, bad, names = (Pile(workspace / f"{n}-{len(waiting)}-{kind}", room) for kind in range(4))
            feeds.append(Told(n, feed, reading, pile, wrong, bad, names))
    files = {name: Read(source, n_rows=dict.fromkeys(source.digests, 0)) for name, source in sources.items()}
    total = sum(sources[feed.feed.file].n_rows for feed in feeds) or 1
    done = 0
    for name in dict.fromkeys(told.feed.file for told in feeds):
        fed = [told for told in feeds if told.feed.file == name]
        for rows in _gone_through(files[name], fed, cuts):
            done += rows * len(fed)
            said(name, min(0.6, 0.6 * done / total))
        must_have_rows(mapping.files[name], files[name].n_rows)
    return Survey(feeds, files, cuts | _met(feeds, cuts), _scattered(feeds))


def _cuts(mapping: Mapping, sources: dict[str, Source], since: Since | None) -> dict[str, int]:
    rows = dict.fromkeys((g.name for g in GROUPS), 0)
    for feed in mapping.feeds:
        rows[group(feed).name] += 0 if feed.from_values else sources[feed.file].n_rows
    at_least = since.n_buckets if since else {}
    return {g.name: n_buckets(rows[g.name], at_least.get(g.name, 1)) if g.key else 1 for g in GROUPS}


def lookups(feed: Feed, mapping: Mapping, sources: dict[str, Source]) -> dict[str, pl.DataFrame]:
    """What other files hold of the fields of a feed, by field, for the joins; their columns are looked for first."""

    def rows(name: str, columns: list[str]) -> Iterator[pl.DataFrame]:
        return (block.load(columns, block.data) for block in sources[name].blocks())

    found = {}
    for said in (said for said in feed.fields.values() if said.source):
        if not all(sources[name].digests for name, _, _ in said.hops):  # an optional file that is not there
            found[said.name] = nothing(said)
            continue
        asked = [(feed.file, (*said.on,)), (str(said.source), (*said.only,))]
        asked += [(name, (*on.values(), *columns)) for name, on, columns in said.hops]
        for name, column in ((name, column) for name, columns in asked for column in columns):
            has(sources[name].columns, column, mapping.files[name].path[0], f"[{feed.table}] {said.name}")
        found[said.name] = lookup(said, rows, mapping)
    return found


def _gone_through(file: Read, feeds: list[Told], cuts: dict[str, int]) -> Iterator[int]:
    """Every block of a file, given to each of its feeds; the number of rows of each."""
    start = 0
    for file_name, n_rows, may_hold_mail, taken in ahead(_texts(file.source, feeds)):
        file.starts.append(start)
        file.files.append(file_name)
        file.n_rows[file_name] += n_rows
        for told, rows, texts in taken:
            if rows.height < n_rows and not told.feed.from_values:
                told.left_out[file_name, "only"] += n_rows - rows.height
            if rows.height:
                _pile_up(told, *told.reading.take(rows, texts, may_hold_mail), cuts[group(told.feed).name])
        start += n_rows
        yield n_rows


def _texts(
    source: Source, feeds: list[Told]
) -> Iterator[tuple[str, int, bool, list[tuple[Told, pl.DataFrame, pl.DataFrame]]]]:
    """Of every block: its file, its number of rows, whether an e-mail address may be in it; and for each feed the rows
    that are kept and their texts."""
    needed = list(dict.fromkeys(c for told in feeds for c in told.reading.needs()))
    start = 0
    for block in source.blocks():
        rows = block.load(needed, block.data)
        is_plain = isinstance(block.data, bytes) and _is_plain(block.data)
        found = []
        for told in feeds:
            first = told.first_id + start
            own = rows.with_columns(pl.int_range(first, first + rows.height, eager=True).alias(ID))
            own = own.filter(~told.reading.left_out(own)) if told.feed.only else own
            found.append((told, own, told.reading.texts(own, is_plain)))
        may_hold_mail = not isinstance(block.data, bytes) or b"@" in block.data
        yield block.file, rows.height, may_hold_mail, found
        start += rows.height


def _is_plain(data: bytes) -> bool:
    """Whether delimited text holds no quotation marks, and no space but " "."""
    return data.isascii() and not any(sign in data for sign in (b'"', b"\t", b"\r", b"\v", b"\f"))


def _pile_up(told: Told, kept: pl.DataFrame, wrong: pl.DataFrame, n: int) -> None:
    """Set rows down in the bucket of each, and what is wrong with them in the same."""
    if not kept.height:
        return
    key = bucket_field(told.feed)
    if n == 1 or key is None or key not in kept.columns:
        told.pile.add([(_EVERY if n > 1 and key is None else 0, kept)])
        told.broken.add([(0, wrong)] if wrong.height else [])
        return
    bucket = kept.select(bucket_of(key, n)).to_series()
    told.pile.add(cut(kept, bucket, n))
    if wrong.height:
        place = wrong.join(kept.select(ID, bucket.alias("@bucket")), on=ID, how="left", maintain_order="left")
        told.broken.add(cut(wrong, place["@bucket"], n))
    if told.feed.table == "activities":
        names = pl.DataFrame({NAME: kept[NAME], "bucket": bucket}).drop_nulls(NAME)
        told.names.add(cut(names, names.select(bucket_of(NAME, n)).to_series(), n))


def _met(feeds: list[Told], cuts: dict[str, int]) -> dict[str, int]:
    """Set down the values met; a group that is made of them alone is cut by their number."""
    found: dict[str, int] = {}
    for told in feeds:
        if told.feed.from_values and told.reading.met:
            own = group(told.feed)
            kept, wrong = told.reading.values_met()
            alone = all(other.feed.from_values for other in feeds if group(other.feed) is own)
            if alone and own.key and own.name not in found:
                found[own.name] = n_buckets(kept.height, cuts[own.name])
            _pile_up(told, kept, wrong, found.get(own.name, cuts[own.name]))
    return found


def _scattered(feeds: list[Told]) -> pl.Series:
    """Keys of activities that stand in several buckets."""
    found = [pl.Series(NAME, [], pl.String)]
    for key in sorted({key for told in feeds for key in told.names.held()}):
        names = pl.concat([told.names.take(key) for told in feeds if key in told.names.held()])
        found.append(names.group_by(NAME).agg(pl.col("bucket").n_unique()).filter(pl.col("bucket") > 1)[NAME])
    return pl.concat(found)


def _settled(found: Survey) -> dict[int, frozenset[str]]:
    """Let every reading decide; the fields to read again, by number of their feed."""
    again = {}
    for told in found.feeds:
        own = [column for column in told.reading.columns.values() if told.feed.fields[column.name].column]
        together = evidence.writing(own, told.reading.file)
        if names := told.reading.settle(together):
            again[told.number] = frozenset(names)
    return again


def rows_of(told: Told, bucket: int) -> pl.DataFrame:
    """The rows of a bucket of a feed, as `Reading.fields` takes them; the pile forgets them."""
    own, shared = told.pile.take(bucket), told.pile.look(_EVERY)
    return pl.concat([own, shared], how="diagonal") if own.width and shared.width else own if own.width else shared


__all__ = ["Read", "Survey", "Told", "group", "rows_of", "survey"]
