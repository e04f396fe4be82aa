"""Rows of databases, copied to Parquet before anything is parsed: all of them, or those since the last import."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from os import environ
from pathlib import Path

import dataframely as dy
import polars as pl
from polars.io.plugins import register_io_source

from cadran.sources.connections import Column, Connection, DuckDB, SQLite, quoted
from cadran.sources.declared import keys_in_step
from cadran.sources.faults import told
from cadran.sources.feeds import NOW, Database, File, Mapping, column_of, files_of, named, parts
from cadran.sources.postgresql import PostgreSQL
from cadran.tables.delivery import Since
from cadran.tables.groups import group_of
from cadran.tables.problems import Problem

#: What is noted of a file that has a watermark.
BACKWARDS = "the watermark went backwards: everything was read"
OTHER_WATERMARK = "the watermark is of another type than at the last import: everything was read"
OTHER_COLUMNS = "the mapping reads other columns than at the last import: everything was read"
OTHER_TYPES = "columns are of another type than at the last import: everything was read"
MIXED_WATERMARK = "the watermark holds both numbers and texts: everything was read"
WITHOUT = "the watermark is empty: such rows are read at every import"
NOTES = (BACKWARDS, OTHER_WATERMARK, OTHER_COLUMNS, OTHER_TYPES, MIXED_WATERMARK, WITHOUT)

_NUMBERS = ("integer", "real", "decimal")
_MOMENTS = ("timestamp", "timestamptz")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Copied:
    """What was copied. In `mapping` every file is on disk; the rest is for the delivery."""

    mapping: Mapping
    #: Groups, or tables, of which only what is new was read.
    partial: frozenset[str] = frozenset()
    watermarks: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Rows of `NOTED`.
    noted: list[tuple[str, str, str, int, str]] = field(default_factory=list)


@dataclass
class _Source:
    """A file of the mapping that stands in a database: what is read of it there, and from where on."""

    file: File
    database: Database
    open: Connection
    #: Columns that the mapping names, with how SQL reads each, and the watermark's.
    chosen: dict[str, str] = field(default_factory=dict)
    described: dict[str, Column] = field(default_factory=dict)
    #: Where the last import stopped; null to read everything.
    since: str | None = None
    #: Where this import stops.
    mark: str | None = None
    condition: str = ""
    noted: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """The name that messages show."""
        return self.file.path[0]

    @cached_property
    def relation(self) -> str:
        """The table, or the query, as SQL selects from it."""
        if self.file.table:
            return ".".join(map(quoted, self.file.table.split(".")))
        return f'({str(self.file.query).strip().rstrip(";")}\n) as "query"'

    @property
    def types(self) -> dict[str, str]:
        """The columns read, with their types in the database."""
        return {name: self.described[name].type for name in [*self.chosen, *filter(None, [self.file.watermark])]}


def copied(mapping: Mapping, folder: Path, since: Since, place: Path, said: Progress) -> Copied:
    """Copy the rows of every database of a mapping to Parquet files, in one snapshot of each database.

    Args:
        mapping: From `load_mapping`.
        folder: Where the files of databases are (SQLite, DuckDB).
        since: Where the last import stopped: of a file with a watermark only rows from there on are read.
            Moments are read from an hour before it on, for changes that were still being written then.
        place: An empty folder for the copies.
        said: Told what is being read.

    Raises:
        Problem: If a database does not answer, refuses, or breaks off. No part of an address is ever told.
    """
    needed = files_of(mapping)
    files = [file for name, file in mapping.files.items() if file.database and name in needed]
    with ExitStack() as held:
        opened: dict[str, Connection] = {}
        for file in files:
            if (name := str(file.database)) not in opened:
                opened[name] = _opened(mapping.databases[name], folder)
                held.callback(opened[name].close)
        sources = {f.name: _Source(f, mapping.databases[str(f.database)], opened[str(f.database)]) for f in files}
        clocks = []
        for source in sources.values():
            with told(source.database, source.file, source.open):
                clocks.append(source.open.clock())
                _describe(source, mapping)
                _place_mark(source, since)
        _in_step(sources, mapping)
        on_disk = {}
        for n, (name, source) in enumerate(sources.items()):
            said(source.shown, 0.2 * n / len(sources))
            on_disk[name] = _copy(source, place / str(n))
    return Copied(
        mapping=replace(
            mapping,
            files={**mapping.files, **on_disk},
            taken=datetime.fromisoformat(max(clocks)) if mapping.taken == NOW else mapping.taken,
        ),
        partial=_partial(mapping, {name for name, source in sources.items() if source.since}),
        watermarks={name: source.mark for name, source in sources.items() if source.mark},
        columns={name: source.types for name, source in sources.items()},
        noted=[("", s.shown, note, n, found) for s in sources.values() for note, n, found in s.noted],
    )


def _partial(mapping: Mapping, since: set[str]) -> frozenset[str]:
    """The groups fed by nothing but files of which only what is new was read; of others, the tables so fed."""
    feeds = [(feed.file in since, table) for feed in mapping.feeds for table in parts(feed)]
    whole = {group_of(table) for is_new, table in feeds if not is_new}
    tables = {table for is_new, table in feeds if is_new}
    return frozenset(table if group_of(table) in whole else group_of(table).name for table in tables)


def _opened(database: Database, folder: Path) -> Connection:
    with told(database):
        if database.kind == "postgresql":
            return PostgreSQL(_address(database))
        path = folder / str(database.path)
        if path.is_file():
            return SQLite(path) if database.kind == "sqlite" else DuckDB(path)
    raise Problem(
        "{name}: there is no file {path}.", "Check its `path` in the mapping, or name its folder with --from.",
        name=database.name, path=path.resolve(),
    )  # fmt: skip


def _address(database: Database) -> str:
    variable = str(database.address_from)
    if not environ.get(variable):
        raise Problem(
            "The environment variable {variable}, which holds the address of {name}, is not set.",
            "Set it where the import runs, like postgresql://USER:PASSWORD@HOST/DATABASE: see docs/databases.md.",
            variable=variable, name=database.name,
        )  # fmt: skip
    return environ[variable]


def _describe(source: _Source, mapping: Mapping) -> None:
    """Which columns are read, and how. A column that no field can hold is refused where the mapping names it."""
    wanted = named(mapping, source.file.name)
    needed = [*wanted, *filter(None, [source.file.watermark])]
    found = source.described = source.open.columns(source.relation, needed)
    for column in needed:
        where = "[{}] {}".format(*wanted[column][0]) if column in wanted else f"files.{source.file.name}: watermark"
        if column not in found:
            close = get_close_matches(column, found, 1) or get_close_matches(column.lower(), found, 1)
            repair = (
                "Was it renamed to {close!r}? Then write that in the mapping." if close else "Its columns are: {there}."
            )
            raise Problem(
                "{file} has no column {column!r}, which the mapping names in {where}.", repair,
                file=source.shown, column=column, where=where, close="".join(close), there=", ".join(found),
            )  # fmt: skip
        if found[column].holds is None:
            raise Problem(
                "{file}: {column} is of type {type}, which no field of a book can hold ({where}).",
                "Write a query that makes a text, a number or a date of it; or map another column.",
                file=source.shown, column=column, type=found[column].type, where=where,
            )  # fmt: skip
    numbers = _numbers(mapping, source.file.name)
    source.chosen = {name: as_read(name, found[name], name in numbers) for name in found if name in wanted}


def _numbers(mapping: Mapping, file: str) -> set[str]:
    """Columns of a file that nothing but fields of numbers are made of."""
    uses: dict[str, set[bool]] = {}
    for feed in mapping.feeds:
        for name, said in feed.fields.items():
            is_number = isinstance(column_of(feed.table, name), dy.Float64 | dy.Int64)
            for column in said.column if (said.origin or feed.file) == file else ():
                uses.setdefault(column, set()).add(is_number)
    return {column for column, kinds in uses.items() if kinds == {True}}


def as_read(name: str, column: Column, is_number: bool) -> str:
    """How SQL reads a column. What never ends (`infinity`) is no date: null."""
    sql = quoted(name)
    if column.holds == "text" or (column.holds == "decimal" and not is_number):
        return f"cast({sql} as text)"
    if column.holds == "decimal":
        return f"cast({sql} as float8)"
    return f"case when isfinite({sql}) then {sql} end" if column.holds in ("date", *_MOMENTS) else sql


def _place_mark(source: _Source, since: Since) -> None:
    """Where to read from (`since`), where this import stops (`mark`), and what there is to say of it."""
    if not source.file.watermark:
        return
    kind = source.described[source.file.watermark]
    name, before = source.file.name, since.watermarks.get(source.file.name, "")
    if kind.holds == "boolean":
        raise Problem(
            "{file}: {column} holds yes or no: it cannot tell what is new.", "Name a column that grows with each change.",
            file=source.shown, column=source.file.watermark,
        )  # fmt: skip
    then, last = since.columns.get(name, {}), before.removeprefix(f"{kind.holds} ")
    column = quoted(source.file.watermark)
    value = as_read(source.file.watermark, kind, True) if kind.holds != "text" else column + source.open.text_order
    is_like = before.startswith(f"{kind.holds} ")
    backwards = f"max({value}) < {_literal(str(kind.holds), last)}" if is_like else "1 = 0"
    asked = f"select {source.open.as_text.format(f'max({value})')}, count(*), count({value}), {backwards}"
    stops, n, n_marked, is_backwards = source.open.row(f"{asked} from {source.relation}")
    source.mark = before or None if stops is None else f"{kind.holds} {stops}"
    if n > n_marked:
        source.noted.append((WITHOUT, n - n_marked, source.file.watermark))
    types = [(c, then.get(c, t), t) for c, t in source.types.items()]
    changed = [f"{c}: {was} → {now}" for c, was, now in types if was != now and "NULL" not in (was, now)]
    reasons = {
        MIXED_WATERMARK: [source.file.watermark] if kind.type == "MIXED" else [],
        OTHER_WATERMARK: [] if is_like or not before else [f"{before} → {source.mark}"],
        BACKWARDS: [f"{last} → {stops}"] if is_backwards else [],
        OTHER_COLUMNS: sorted(then.keys() ^ source.types.keys()) if then else [],
        OTHER_TYPES: changed,
    }
    source.noted += [(note, n, ", ".join(found)) for note, found in reasons.items() if found and before]
    if before and not any(reasons.values()):
        overlap = " - interval '1 hour'" if kind.holds in _MOMENTS else ""
        order = source.open.text_order if kind.holds == "text" else ""
        source.since = f"({column}{order} >= {_literal(str(kind.holds), last)}{overlap} or {column} is null)"
        source.condition = f" where {source.since}"


def _literal(kind: str, value: str) -> str:
    if kind in _NUMBERS:
        return value if _NUMBER.fullmatch(value) else "null"
    text = "'" + value.replace("'", "''") + "'"
    return text if kind == "text" else f"{kind} {text}"


def _in_step(sources: dict[str, _Source], mapping: Mapping) -> None:
    """Files that tell one history: of each thing that changed in one of them, all rows of all are read."""
    for keys in keys_in_step(mapping.feeds).values():
        files = [(sources[name], key) for name, key in keys.items() if name in sources]
        if not all(source.since for source, _ in files):
            for source, _ in files:
                source.since, source.condition = None, ""
            continue
        form = "{}" if len({source.described[key].type for source, key in files}) == 1 else "cast({} as text)"
        keyed = [(source, form.format(quoted(key))) for source, key in files]
        changed = " union ".join(f"select {key} from {s.relation} where {s.since}" for s, key in keyed)
        for source, key in keyed:
            source.condition = f" where {key} in ({changed})"


def _copy(source: _Source, place: Path) -> File:
    """The file of the mapping, now on disk. Where only what is new was read, there may be none."""
    place.mkdir(parents=True)
    path = place / re.sub(r"[/\\*?\[\]\0]", "_", source.shown)
    exprs = ", ".join(f"{read} as {quoted(name)}" for name, read in source.chosen.items())
    sql = f"select {exprs} from {source.relation}{source.condition}"
    with told(source.database, source.file, source.open):
        schema, batches = source.open.batches(sql, {name: source.described[name] for name in source.chosen})
        try:
            register_io_source(lambda *asked: batches, schema=schema).sink_parquet(path, compression="lz4")
        except (OSError, pl.exceptions.PolarsError) as error:
            raise Problem(
                "{file} cannot be copied to {folder} ({reason}).", "Make room there, or set TMPDIR to another folder.",
                file=source.shown, folder=place.parent, reason=error,
            ) from None  # fmt: skip
    own = replace(source.file, path=(str(path),), format="parquet", database=None, table=None, query=None)
    return replace(own, optional=own.optional or source.since is not None)
