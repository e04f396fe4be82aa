"""A connection to PostgreSQL. The address may hold a password: no message repeats any secret part of it."""

import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl

from cadran.sources.connections import PATIENCE, Batches, Column, Fault, driver, frame_of, held, schema_of, told

#: Bytes that are fetched at once.
_BATCH_BYTES = 2**23
_FAULTS = {
    r"\b28P01\b|password authentication|no password supplied|authentif": "password",
    r"42P01|3F000": "table", r"42703": "column", r"42501": "denied", r"25006": "writes",
    r"terminating connection|server closed the connection|57P0|could not receive|SSL SYSCALL|\b08\d{3}\b": "lost",
    r"connection to server .* failed|could not translate host|timeout expired": "silent",
    r"Failed to connect": "address",
}  # fmt: skip
_HOLDS = {
    "integer": "int2|int4|int8|oid", "real": "float4|float8", "decimal": "numeric", "boolean": "bool",
    "text": "text|varchar|bpchar|name|char|uuid", "date": "date", "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}  # fmt: skip
#: The first statements of the one transaction. Once a row was read, nothing can make it write again.
_SETUP = (
    "set transaction isolation level repeatable read, read only",
    "set local timezone = 'UTC'",
    "set local idle_in_transaction_session_timeout = 0",
)


class PostgreSQL:
    """A PostgreSQL server: one read-only transaction of isolation level repeatable read."""

    as_text, text_order = "cast({} as text)", ' collate "C"'

    def __init__(self, address: str):
        adbc, arrow, errors = driver("adbc_driver_postgresql.dbapi", "pyarrow", "adbc_driver_manager")
        self._caught = (errors.Error, OSError, arrow.ArrowException)
        self._hidden = _secrets(address)
        with self._told():
            self._open = adbc.connect(_patient(address), autocommit=True)
        try:
            self._run("set default_transaction_read_only = on")
            with self._told():
                self._open.adbc_connection.set_autocommit(False)
            for sql in _SETUP:
                self._run(sql)
            # The first statement takes the snapshot: the clock is read after it, so that no row seen is later.
            self._clock = self.row("select to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+00:00'")[0]
        except Fault:
            self.close()
            raise

    def _told(self) -> Any:
        return told(_FAULTS, *self._caught, hidden=self._hidden)

    def _run(self, sql: str) -> None:
        with self._told(), self._open.cursor() as cursor:
            cursor.execute(sql)

    def row(self, sql: str) -> tuple[Any, ...]:
        with self._told(), self._open.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone() or ()

    def columns(self, relation: str, wanted: Collection[str]) -> dict[str, Column]:
        with self._told(), self._open.cursor() as cursor:
            found = cursor.adbc_execute_schema(f"select * from {relation}")
        types = {field.name: (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode() for field in found}
        return {name: self._column(kind) for name, kind in types.items()}

    def _column(self, kind: str) -> Column:
        """Enumerations, and types made of text, are texts. A type that the driver cannot name is `unnamed<oid:…>`."""
        if holds := held(_HOLDS, kind):
            return Column(kind, holds)
        oid = re.fullmatch(r"unnamed<oid:(\d+)>", kind)
        which = f"oid = {oid[1]}" if oid else f"typname = '{kind.replace(chr(39), chr(39) * 2)}'"
        asked = "coalesce(max(typname::text), ''), coalesce(bool_and(typcategory in ('E', 'S')), false)"
        name, is_text = self.row(f"select {asked} from pg_type where {which}")
        return Column(name or kind, "text" if is_text else None)

    def batches(self, sql: str, columns: dict[str, Column]) -> tuple[pl.Schema, Batches]:
        with self._told():
            cursor = self._open.cursor()
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
            cursor.execute(sql)
            reader = cursor.fetch_record_batch()
            return schema_of(reader), self._fetched(cursor, reader)

    def _fetched(self, cursor: Any, reader: Any) -> Batches:
        with self._told(), cursor:
            for batch in reader:
                yield frame_of(batch)

    def tables(self) -> list[str]:
        with self._told():
            self._open.adbc_connection.rollback()
        found = self.row(
            "select coalesce(string_agg(case table_schema when 'public' then '' else table_schema || '.' end"
            " || table_name, chr(10)), '') from information_schema.tables"
            " where table_schema not in ('pg_catalog', 'information_schema')"
        )
        return sorted(found[0].splitlines())

    def clock(self) -> str:
        return str(self._clock)

    def close(self) -> None:
        with suppress(*self._caught):  # a connection that the server has ended cannot be ended again
            self._open.close()


def _patient(address: str) -> str:
    """The address, with the seconds to wait for an answer where it does not say them."""
    if "connect_timeout" in address:
        return address
    if "://" not in address:
        return f"{address} connect_timeout={PATIENCE}"
    return f"{address}{'&' if '?' in address else '?'}connect_timeout={PATIENCE}"


def _secrets(address: str) -> tuple[str, ...]:
    """Parts of an address that no message may hold: itself, its password, its user."""
    said = [address, *re.findall(r"(?:password|user)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", address)]
    with suppress(ValueError):
        parts = urlsplit(address)
        said += [parts.password or "", parts.username or "", parts.netloc.rpartition("@")[0]]
    bare = [form for text in said for form in (text, unquote(text), text.strip("'"))]
    return tuple(dict.fromkeys(text for text in bare if len(text) > 1))
