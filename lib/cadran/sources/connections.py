"""Connections to databases: read-only, one snapshot each, rows batch by batch with their types. SQLite and DuckDB."""

import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import polars as pl

#: Rows that are fetched at once.
BATCH_ROWS = 100_000
#: Seconds after which a server that does not answer, or a file that another program locks, is given up.
PATIENCE = 10

Batches = Iterator[pl.DataFrame]

_SQLITE_FAULTS = {
    r"locked|busy": "locked", r"not a database|malformed|disk image": "other", r"no such table": "table",
    r"no such column": "column", r"readonly|not authorized": "writes", r"unable to open": "denied",
    r"disk I/O": "lost",
}  # fmt: skip
_DUCKDB_FAULTS = {
    r"Could not set lock": "locked", r"not a valid DuckDB|version number|external extensions": "other",
    r"Table with name .* does not exist": "table", r"Referenced column": "column",
    r"read-only mode|PermissionException": "writes", r"IOException.*Permission denied": "denied",
}  # fmt: skip
_DUCKDB_HOLDS = {
    "integer": r"U?(TINY|SMALL|BIG)?INT|INTEGER|UINTEGER", "real": "FLOAT|DOUBLE", "boolean": "BOOLEAN",
    "decimal": r"DECIMAL\(.*\)|U?HUGEINT", "text": r"VARCHAR|UUID|ENUM\(.*\)|\"NULL\"", "date": "DATE",
    "timestamptz": "TIMESTAMP WITH TIME ZONE", "timestamp": "TIMESTAMP(_S|_MS|_NS)?",
}  # fmt: skip


class Fault(Exception):
    """What went wrong: absent, locked, other (no database of its kind), password, address, silent (no answer),
    lost, table, column, denied, writes, query, driver. `reason` is the driver's own words, without any secret.
    """

    def __init__(self, kind: str, reason: str = ""):
        self.kind, self.reason = kind, reason
        super().__init__(kind, reason)


@dataclass(frozen=True)
class Column:
    """A column as its database describes it."""

    type: str
    #: integer, real, decimal, text, boolean, date, timestamp, timestamptz; null if no field of a book can hold it.
    holds: str | None


class Connection(Protocol):
    """What the three have in common. Every method raises `Fault` and nothing else."""

    #: How SQL makes a text of a value that Python is to see, and how it compares texts sign by sign.
    as_text: str
    text_order: str

    def columns(self, relation: str, wanted: Collection[str]) -> dict[str, Column]:
        """Columns of a table, or of a query in parentheses, with what each of those wanted holds."""

    def row(self, sql: str) -> tuple[Any, ...]:
        """The first row that a query gives."""

    def batches(self, sql: str, columns: dict[str, Column]) -> tuple[pl.Schema, Batches]:
        """Rows that a query gives, batch by batch, and what they hold, known before the first."""

    def tables(self) -> list[str]:
        """Names of the tables there are."""

    def clock(self) -> str:
        """The moment of the snapshot by the database's own clock: ISO 8601, UTC."""

    def close(self) -> None:
        """Let go of the database."""


@contextmanager
def told(kinds: dict[str, str], *caught: type[Exception], hidden: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn what a driver raises into a `Fault`: the first of `kinds` whose pattern its words or SQLSTATE hold."""
    try:
        yield
    except caught as error:
        said = f"{getattr(error, 'sqlstate', '')} {type(error).__name__} {error}"
        kind = next((kind for pattern, kind in kinds.items() if re.search(pattern, said, re.IGNORECASE)), "query")
        reason = re.split(r"(?:ERROR|FATAL):\s+", str(error))[-1].strip().split("\n")[0]
        for secret in sorted(hidden, key=len, reverse=True):
            reason = reason.replace(secret, "…")
        raise Fault(kind, reason) from None


class SQLite:
    """An SQLite file. Its values have types, its columns have not: what a column holds is told by all its values."""

    as_text, text_order = "{}", " collate binary"

    def __init__(self, path: Path):
        with self._told():
            self._open = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
        try:
            for sql in ("pragma query_only = on", "begin", "select count(*) from sqlite_master"):
                self.row(sql)
        except Fault:
            self.close()
            raise

    def _told(self) -> Any:
        return told(_SQLITE_FAULTS, sqlite3.Error, sqlite3.Warning)

    def row(self, sql: str) -> tuple[Any, ...]:
        with self._told():
            return self._open.execute(sql).fetchone() or ()

    def columns(self, relation: str, wanted: Collection[str]) -> dict[str, Column]:
        with self._told():
            found = self._open.execute(f"select * from {relation} limit 0").description
        names = [name for name, *_ in found]
        asked = [quoted(name) for name in names if name in wanted]
        kinds = iter(
            self.row(f"select 1{''.join(f', min(typeof({n})), max(typeof({n}))' for n in asked)} from {relation}")[1:]
        )
        held = {name: self._told_by(next(kinds), next(kinds)) for name in names if name in wanted}
        return {name: held.get(name, Column("", None)) for name in names}

    @staticmethod
    def _told_by(first: str, last: str) -> Column:
        """What a column holds by the first and the last of: blob, integer, null, real, text."""
        if first == "blob":
            return Column("BLOB", None)
        if last == "text":
            return Column("TEXT" if first in ("text", "null") else "MIXED", "text")
        holds = {"real": "real", "integer": "integer"}.get(last if last == "real" else first)
        return Column((holds or "null").upper(), holds or "text")

    def batches(self, sql: str, columns: dict[str, Column]) -> tuple[pl.Schema, Batches]:
        types = {"integer": pl.Int64(), "real": pl.Float64()}
        schema = pl.Schema({name: types.get(str(column.holds), pl.String()) for name, column in columns.items()})
        return schema, self._fetched(sql, schema)

    def _fetched(self, sql: str, schema: pl.Schema) -> Batches:
        with self._told():
            cursor = self._open.execute(sql)
            while rows := cursor.fetchmany(BATCH_ROWS):
                values = zip(schema.items(), zip(*rows, strict=True), strict=True)
                yield pl.DataFrame([pl.Series(name, v, dtype, strict=False) for (name, dtype), v in values])

    def tables(self) -> list[str]:
        with self._told():
            found = self._open.execute("select name from sqlite_master where type in ('table', 'view')")
            return [name for (name,) in found]

    def clock(self) -> str:
        # Its clock tells thousandths: the next one is after anything written before.
        return str(self.row("select strftime('%Y-%m-%dT%H:%M:%f', 'now', '+0.001 seconds') || '+00:00'")[0])

    def close(self) -> None:
        self._open.close()


class DuckDB:
    """A DuckDB file. Queries read nothing beside it: no other file, no Python variable, no network."""

    as_text, text_order = "cast({} as text)", ""

    def __init__(self, path: Path):
        duckdb = driver("duckdb")
        self._caught = (duckdb.Error, OSError)
        with self._told():
            self._open = duckdb.connect(
                str(path), read_only=True,
                config={"enable_external_access": "false", "python_enable_replacements": "false"},
            )  # fmt: skip
            for sql in ("set timezone = 'UTC'", "set lock_configuration = true", "begin"):
                self._open.execute(sql)

    def _told(self) -> Any:
        return told(_DUCKDB_FAULTS, *self._caught)

    def row(self, sql: str) -> tuple[Any, ...]:
        with self._told():
            return next(iter(self._open.execute(sql).fetchall()), ())

    def columns(self, relation: str, wanted: Collection[str]) -> dict[str, Column]:
        with self._told():
            found = self._open.execute(f"describe select * from {relation}").fetchall()
        return {name: Column(kind, held(_DUCKDB_HOLDS, kind)) for name, kind, *_ in found}

    def batches(self, sql: str, columns: dict[str, Column]) -> tuple[pl.Schema, Batches]:
        with self._told():
            reader = self._open.sql(sql).to_arrow_reader(BATCH_ROWS)
        return schema_of(reader), self._fetched(reader)

    def _fetched(self, reader: Any) -> Batches:
        with self._told():
            for batch in reader:
                yield frame_of(batch)

    def tables(self) -> list[str]:
        with self._told():
            self._open.rollback()
            found = self._open.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return [table if schema == "main" else f"{schema}.{table}" for schema, table in found]

    def clock(self) -> str:
        return str(self.row("select strftime(now(), '%Y-%m-%dT%H:%M:%S.%f+00:00')")[0])

    def close(self) -> None:
        self._open.close()


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever signs it holds."""
    return '"' + name.replace('"', '""') + '"'


def driver(*names: str) -> Any:
    """The modules of a driver, one or a list."""
    try:
        found = [import_module(name) for name in names]
    except ImportError:
        raise Fault("driver") from None
    return found[0] if len(found) == 1 else found


def held(holds: dict[str, str], kind: str) -> str | None:
    """What a type of a database holds: the first whose pattern is the type's; null if none."""
    return next((name for name, pattern in holds.items() if re.fullmatch(pattern, kind)), None)


def schema_of(reader: Any) -> pl.Schema:
    """What the batches of an Arrow reader hold."""
    return frame_of(reader.schema.empty_table()).schema


def frame_of(batch: Any) -> pl.DataFrame:
    """A batch of Arrow as a frame."""
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    return frame
