"""What a mapping says: which file feeds which table, which column which field. `KEYS` is its whole vocabulary."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cadran.tables import TABLES, VERSIONED

#: What a deal row of the deals feed says beyond an opportunity, with when each becomes known unless stated.
VERSION_FIELDS = {
    "rep_id": "at_creation",
    "currency": "at_creation",
    "rate": "at_creation",
    "amount": "at_export",
    "expected_close_date": "at_export",
    "forecast_category": "at_export",
    "competitor": "at_export",
    "loss_reason": "at_close",
}
KNOWN = ["at_creation", "at_export", "at_close"]
UNKNOWN = ["set aside", "keep as null"]
LATEST = "latest date"
#: `taken` of a mapping with databases: their own clock when they are read.
NOW = "now"
#: Tables that can be made of the values met in another file.
FROM_VALUES = ["accounts", "reps", "contacts"]

_TEXT, _TEXTS, _YES_NO, _NUMBER, _DICT = "text", "texts", "yes or no", "number", "table"
#: Types of values, each with an example.
TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    _TEXT: ((str,), '"text"'),
    _TEXTS: ((str, list, int, float), '"text"'),
    _YES_NO: ((bool,), "true"),
    _NUMBER: ((int, float), "1.5"),
    _DICT: ((dict,), '{ this = "that" }'),
    "list or table": ((list, dict), '[ { stage = "NAME", kind = "open" } ]'),
    "date": ((date,), "2024-12-31"),
    "date or text": ((date, str), "2024-12-31"),
    "text or table": ((str, dict), '"KEY"'),
    "constant": ((str, int, float, bool, date), '"text"'),
}

#: Every key a mapping may hold, by section. `docs/mapping.md` documents each (a test sees to it).
KEYS: dict[str, dict[str, str]] = {
    "the mapping": {
        "name": _TEXT,
        "extends": _TEXT,
        "folder": _TEXT,
        "taken": "date or text",
        "time_zone": _TEXT,
        "currency": _TEXT,
        "amount_basis": _TEXT,
        "fiscal_year_starts": _NUMBER,
        "holidays": _TEXT,
        "rates": _DICT,
        "stages": "list or table",
        "files": _DICT,
        "databases": _DICT,
    },
    "a database": {"kind": _TEXT, "path": _TEXT, "address_from": _TEXT},
    "a file": {
        "path": _TEXTS,
        "optional": _YES_NO,
        "format": _TEXT,
        "encoding": _TEXT,
        "separator": _TEXT,
        "decimal": _TEXT,
        "dates": _TEXTS,
        "missing": _TEXTS,
        "values": _DICT,
        "sheet": _TEXT,
        "header_line": _NUMBER,
        "database": _TEXT,
        "table": _TEXT,
        "query": _TEXT,
        "watermark": _TEXT,
    },
    "a stage": {
        "stage": _TEXT,
        "kind": _TEXT,
        "is_qualified": _YES_NO,
        "probability": _NUMBER,
        "at_creation": _YES_NO,
    },
    "a rate": {"from": "date", "rate": _NUMBER},
    "a table": {"file": _TEXT, "from_values": _YES_NO, "only": _DICT},
    "a field": {
        "column": _TEXTS,
        "constant": "constant",
        "from": _TEXT,
        "on": "text or table",
        "values": _DICT,
        "missing": _TEXTS,
        "scale": _NUMBER,
        "dates": _TEXTS,
        "decimal": _TEXT,
        "known": _TEXT,
        "unknown": _TEXT,
        "personal": _TEXT,
    },
}
FORMATS = ["csv", "tsv", "parquet", "excel"]


@dataclass(frozen=True)
class File:
    """A file of the source, several of one form, or rows of a database, and how it is written where that cannot be told from it."""

    name: str
    path: tuple[str, ...]
    optional: bool = False
    format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    dates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    values: Dict[str, Dict[str, str]] = field(default_factory=dict)
    sheet: str | None = None
    header_line: int | None = None
    #: Of rows that stand in a database: which one, the table or the query, and the column that grows with each change.
    database: str | None = None
    table: str | None = None
    query: str | None = None
    watermark: str | None = None


@dataclass(frozen=True)
class Database:
    """A database: a file of the folder, or an address that an environment variable holds (never the mapping)."""

    name: str
    kind: str
    path: str | None = None
    address_from: str | None = None


@dataclass(frozen=True)
class Field:
    """Where one field of a table comes from."""

    name: str
    column: tuple[str, ...] = ()
    constant: Any = None
    source: str | None = None
    on: Dict[str, str] = field(default_factory=dict)
    values: Dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    scale: float | None = None
    dates: tuple[str, ...] = ()
    decimal: str | None = None
    known: str = "at_creation"
    unknown: str = "set aside"
    personal: str | None = None


@dataclass(frozen=True)
class Feed:
    """One file feeding one table (or `deals`: opportunities and their versions)."""

    table: str
    file: str
    fields: Dict[str, Field]
    from_values: bool = False
    only: Dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class StageRow:
    """One stage of the order the mapping states."""

    stage: str
    kind: str
    is_qualified: bool
    probability: float | None = None
    at_creation: bool = False


@dataclass(frozen=True)
class Mapping:
    """A mapping, checked. `path` is the TOML file; `is_shipped` tells one that comes with Cadran."""

    path: Path
    is_shipped: bool
    name: str
    taken: date | datetime | str
    time_zone: str
    currency: str
    amount_basis: str
    fiscal_year_starts: int
    holidays: str | None
    folder: str | None
    rates: Dict[str, tuple[tuple[date, float], ...]]
    stages: tuple[StageRow, ...]
    files: Dict[str, File]
    feeds: tuple[Feed, ...]
    databases: Dict[str, Database] = field(default_factory=dict)


def mappable(table: str) -> list[str]:
    """Fields of `table` (or of `deals`) that a mapping may fill."""
    if table == "deals":
        return [*mappable("opportunities"), "closed_at", "stage", "status", *VERSION_FIELDS]
    own = {"end_reason", "merged_into"} | ({"original_amount"} if table == "versions" else set())
    return [c for c in TABLES[table].column_names() if c not in own]


def required(table: str) -> list[str]:
    """Fields of `table` that a mapping must fill."""
    if table == "deals":
        return ["opportunity_id", "stage"]
    derived = {"versions": {"status"}, "stages": {"is_qualified"}}.get(table, set())
    if table in VERSIONED and table != "versions":
        derived = derived | {"valid_from"}
    return [name for name, column in TABLES[table].columns().items() if not column.nullable and name not in derived]


def named(mapping: Mapping, file: str) -> dict[str, list[tuple[str, str]]]:
    """Columns of a file that the mapping names, each with the (table, field) it is named in."""
    found: dict[str, list[tuple[str, str]]] = {}
    for feed in mapping.feeds:
        spoken = [(column, "only") for column in feed.only if feed.file == file]
        for name, said in feed.fields.items():
            here = said.on if said.source else said.column
            there = (*said.on.values(), *said.column) if said.source == file else ()
            spoken += [(column, name) for column in (*(here if feed.file == file else ()), *there)]
        for column, name in spoken:
            found.setdefault(column, []).append((feed.table, name))
    return found


def zone(mapping: Mapping) -> ZoneInfo:
    """The time zone in which the source writes its hours."""
    return ZoneInfo(mapping.time_zone)
