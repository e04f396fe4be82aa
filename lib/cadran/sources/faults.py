"""What is said when a database complains: which one, of what, and what to do. No part of an address is ever told."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from cadran.sources.connections import Connection, Fault
from cadran.sources.feeds import Database, File
from cadran.tables.problems import Problem

#: For each kind of `Fault`, the sentence and the repair.
SAID = {
    "driver": (
        "The driver for {kind} databases, which {name} is, is not installed.",
        "Install it: pip install 'cadran[{extra}]'",
    ),
    "other": ("{name} is no {kind} database, or is damaged ({reason}).", "Correct its kind or its path in the mapping."),
    "locked": ("{name} is locked by another program.", "Import again when that program has finished or is closed."),
    "password": (
        "{name} refuses the user or the password that {variable} holds.",
        "Correct the address in that variable, or ask for access.",
    ),
    "address": (
        "The address of {name}, in the environment variable {variable}, cannot be understood.",
        "Write it like postgresql://USER:PASSWORD@HOST/DATABASE, with %20 for a space and %40 for @.",
    ),
    "silent": ("{name} cannot be reached ({reason}).", "Check that its server runs, and the address that {variable} holds."),
    "lost": (
        "The connection to {name} was lost while {file} was read ({reason}).",
        "Import again: the book is as it was.",
    ),
    "table": ("{name} refuses to read {file} ({reason}).", "Correct its table or its query in the mapping."),
    "column": ("{name} refuses to read {file} ({reason}).", "Correct its table or its query in the mapping."),
    "query": ("{name} refuses to read {file} ({reason}).", "Correct its table or its query in the mapping."),
    "denied": ("{name} does not allow to read {file} ({reason}).", "Ask for the right to read it: see docs/databases.md."),
    "writes": (
        "The query of {file} would do more than read in {name}, which is opened read-only ({reason}).",
        "Write a query that only reads.",
    ),
}  # fmt: skip
_KINDS = {"sqlite": "SQLite", "duckdb": "DuckDB", "postgresql": "PostgreSQL"}
_EXTRAS = {"duckdb": "duckdb", "postgresql": "postgres"}


@contextmanager
def told(database: Database, file: File | None = None, connection: Connection | None = None) -> Iterator[None]:
    """Turn a `Fault` of a database into a `Problem`, with the name of the file that was read."""
    try:
        yield
    except Fault as fault:
        if fault.kind == "table" and file and file.table and connection:
            raise _no_table(database, file.table, connection.tables()) from None
        what, repair = SAID[fault.kind]
        raise Problem(
            what, repair, name=database.name, file=file.path[0] if file else "", kind=_KINDS[database.kind],
            reason=fault.reason, variable=database.address_from, extra=_EXTRAS.get(database.kind),
        ) from None  # fmt: skip


def _no_table(database: Database, table: str, there: list[str]) -> Problem:
    close = get_close_matches(table, there, 1)
    repair = "Is it {close}? Then write that in the mapping." if close else "Its tables are: {there}."
    told = {"close": "".join(close), "there": ", ".join(there)}
    return Problem("{name} has no table {table}.", repair, name=database.name, table=table, **told)
