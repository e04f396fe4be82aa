"""Tables of databases, seen as files are, for a mapping to be proposed. An address is used and never kept."""

import re
from contextlib import closing
from pathlib import Path

import polars as pl

from cadran.sources.connections import Connection, DuckDB, SQLite, quoted
from cadran.sources.databases import as_read
from cadran.sources.faults import told
from cadran.sources.feeds import Database, File
from cadran.sources.guess import Seen
from cadran.sources.headers import plain
from cadran.sources.postgresql import PostgreSQL
from cadran.tables.problems import Problem

#: The environment variable that a proposed mapping names.
VARIABLE = "CADRAN_CRM_ADDRESS"
#: Rows of a table that are looked at.
MOST_ROWS = 100_000
_POSTGRESQL = re.compile(r"postgres(ql)?://|(host|dbname|service|user|password)\s*=", re.IGNORECASE)


def is_address(given: str | Path) -> bool:
    """Whether something is the address of a PostgreSQL server.

    Raises:
        Problem: If it is one of something else. The address is not repeated.
    """
    if _POSTGRESQL.match(str(given)):
        return True
    if isinstance(given, str) and "://" in given:
        raise Problem(
            "Of databases that have an address, PostgreSQL is read.",
            "Write postgresql://USER:PASSWORD@HOST/DATABASE; or export the tables to files.",
        )
    return False


def database_at(given: str | Path) -> Database | None:
    """The database that an address or the first bytes of a file tell; null for anything else."""
    if is_address(given):
        return Database("crm", "postgresql", address_from=VARIABLE)
    path = Path(given)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            begins = file.read(16)
    except OSError as error:
        told = {"file": path.name, "reason": error.strerror}
        raise Problem("{file} cannot be read ({reason}).", "Check who may read it.", **told) from None
    kind = "sqlite" if begins == b"SQLite format 3\0" else "duckdb" if begins[8:12] == b"DUCK" else ""
    return Database(plain(path.stem) or "crm", kind, path=path.name) if kind else None


def tables_of(database: Database, given: str | Path) -> tuple[list[Seen], list[Problem]]:
    """The tables of a database, each with its first rows; and why some cannot be read.

    Raises:
        Problem: If the database does not answer, or lets nobody in.
    """

    def opened() -> Connection:
        if database.kind == "postgresql":
            return PostgreSQL(str(given))
        return SQLite(Path(given)) if database.kind == "sqlite" else DuckDB(Path(given))

    with told(database), closing(opened()) as connection:
        names = [name for name in connection.tables() if not name.startswith("sqlite_")]
    seen, unread = [], []
    for name in names:
        try:
            # One connection each: a table that must not be read breaks the transaction.
            with told(database, File(name, (name,))), closing(opened()) as connection:
                place = Path("crm") if is_address(given) else Path(given)
                seen.append(Seen(place, _first_rows(connection, name), name, database=database))
        except Problem as problem:
            unread.append(problem)
    return seen, unread


def _first_rows(connection: Connection, table: str) -> pl.DataFrame:
    """Days and moments as they are, the rest as text."""
    relation = f'(select * from {".".join(map(quoted, table.split(".")))} limit {MOST_ROWS}) as "first rows"'
    found = connection.columns(relation, connection.columns(relation, ()))
    held = {name: column for name, column in found.items() if column.holds}
    if not held:
        return pl.DataFrame()
    exprs = ", ".join(f"{as_read(name, column, True)} as {quoted(name)}" for name, column in held.items())
    schema, batches = connection.batches(f"select {exprs} from {relation}", held)
    return pl.concat([schema.to_frame(), *batches]).with_columns((~pl.selectors.temporal()).cast(pl.String))
