"""What a mapping says: which file feeds which table, which column which field."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dataframely as dy

from cadran.sources.vocabulary import KEYS, TYPES
from cadran.tables import TABLES, VERSIONED
from cadran.tables.groups import group_of

__all__ = ["KEYS", "TYPES", "Feed", "Field", "File", "Mapping", "StageRow", "Touch"]

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
ABSENT = ["gone", "kept"]
LATEST = "latest date"
#: `taken` of a mapping with databases: their own clock when they are read.
NOW = "now"
#: Tables that can be made of the values met in another file.
FROM_VALUES = ["accounts", "reps", "contacts", "stages"]
FORMATS = ["csv", "tsv", "parquet", "excel"]
#: Feeds that are no table by themselves: what each row says, and of what.
_MOMENT, _TEXT = dy.Datetime(nullable=False, time_zone="UTC"), dy.String(nullable=True)
_NAME = dy.String(nullable=False)
TOLD: dict[str, dict[str, dy.Column]] = {
    "changes": {"key": _NAME, "at": _MOMENT, "field": _NAME, "value": _TEXT, "old_value": _TEXT},
    "merges": {"key": _TEXT, "into": _TEXT, "at": dy.Datetime(nullable=True, time_zone="UTC")},
    "events": {"case": _NAME, "activity": _NAME, "at": _MOMENT, "resource": _TEXT},
}
#: Prefix of the fields of a change that hold what was before it.
OLD = "@old_"
#: What `changes` and `merges` may be about.
OF = {"changes": ["deals", "accounts", "contacts", "reps", "targets"], "merges": ["deals", "accounts", "contacts"]}
#: Feeds of survey results: a row per answer, a row per respondent. All fields are text, but the moment of an answer.
RESULTS = ("answers", "responses")
_IF = dy.Bool(nullable=True)
#: Fields that a mapping may fill beyond those of a table.
_BESIDE: dict[str, dict[str, dy.Column]] = {
    **TOLD,
    "deals": {"closed_at": dy.Datetime(nullable=True, time_zone="UTC")},
    "stages": {"is_closed": _IF, "is_won": _IF},
}
_MAYBE_AT = dy.Datetime(nullable=True, time_zone="UTC")


@dataclass(frozen=True)
class File:
    """A file, several of one form, or rows of a database; how it is written where it cannot tell."""

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
    #: Another file that holds the column, the columns by which it is joined, and further files joined to it in turn.
    source: str | None = None
    on: Dict[str, str] = field(default_factory=dict)
    then: tuple[tuple[str, Dict[str, str]], ...] = ()
    #: Columns of the first file joined, with the values of the rows that count.
    only: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: Dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    #: The value where the source gives none.
    otherwise: str | None = None
    scale: float | None = None
    #: The sign between several keys in one text (merges).
    split: str | None = None
    dates: tuple[str, ...] = ()
    decimal: str | None = None
    known: str = "at_creation"
    unknown: str = "set aside"
    personal: str | None = None

    @property
    def origin(self) -> str | None:
        """The file that holds the column, where it is not the feed's own."""
        return self.then[-1][0] if self.then else self.source

    @property
    def hops(self) -> list[tuple[str, Dict[str, str], tuple[str, ...]]]:
        """The files joined one after the other: each with its `on`, and the columns it brings; none without a join."""
        if not self.source:
            return []
        steps = [(self.source, self.on), *self.then]
        brought = [*(tuple(on) for _, on in self.then), self.column]
        return [(file, on, columns) for (file, on), columns in zip(steps, brought, strict=True)]


@dataclass(frozen=True)
class Touch:
    """What an activity of an event log is, when it is a touch: its kind, and its direction where that is said."""

    kind: str
    direction: str | None = None


@dataclass(frozen=True)
class Feed:
    """One file feeding one table; or `deals` (opportunities and their versions), or one of `TOLD`."""

    table: str
    file: str
    fields: Dict[str, Field]
    from_values: bool = False
    only: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Columns and the values that mark a row as deleted at the source.
    deleted: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Whether a thing that is not delivered is "gone", or "kept" as it was.
    absent: str = ABSENT[0]
    #: What changes or merges are about: "deals", "accounts", …
    of: str = ""
    #: What the activities of events mean: a stage, a touch, or a closed stage.
    stages: Dict[str, str] = field(default_factory=dict)
    touches: Dict[str, Touch] = field(default_factory=dict)
    outcomes: Dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


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


def parts(feed: Feed) -> tuple[str, ...]:
    """The tables that a feed gives rows to, the one it is about first; none for merges."""
    about = feed.of or feed.table
    given = {"deals": ("opportunities", "versions"), "events": ("opportunities", "versions", "activities")}
    return () if feed.table == "merges" else given.get(about, (about,))


def bucket_field(feed: Feed) -> str | None:
    """The field that holds the key of the feed's group (see `tables.groups`); null if it has none."""
    if feed.table in TOLD:
        return {"changes": "key", "events": "case"}.get(feed.table) if feed.of not in ("reps", "targets") else None
    return group_of(parts(feed)[0]).key


def histories(mapping: Mapping) -> frozenset[str]:
    """The versioned tables of which the source tells the whole past."""
    dated = (f for f in mapping.feeds if f.table in ("changes", "events", "versions") or "valid_from" in f.fields)
    return frozenset(table for feed in dated for table in parts(feed) if table in VERSIONED)


def observed(mapping: Mapping) -> frozenset[str]:
    """Those tables of `histories` whose present state is told too, by another feed."""
    present = (
        f for f in mapping.feeds if f.table == "deals" or (f.table in VERSIONED and "valid_from" not in f.fields)
    )
    return histories(mapping) & frozenset(
        table for feed in present for table in parts(feed) if feed.table != "versions"
    )


def partial(mapping: Mapping) -> frozenset[str]:
    """The groups of which a thing that is not delivered is kept as it was."""
    return frozenset(group_of(parts(feed)[0]).name for feed in mapping.feeds if feed.absent == "kept")


def mappable(table: str) -> list[str]:
    """Fields of `table` (or of `deals`, or of one of `TOLD`) that a mapping may fill."""
    opportunity = [c for c in TABLES["opportunities"].column_names() if c != "merged_into"]
    if table == "events":
        own = [c for c in opportunity if c not in ("opportunity_id", "created_at")]
        return [*TOLD[table], *own, *(f for f in VERSION_FIELDS if f not in ("rep_id", "loss_reason"))]
    if table in TOLD:
        return [*TOLD[table]]
    ends = ["deleted_at"] if table in VERSIONED or table in ("deals", "opportunities") else []
    if table == "deals":
        return [*opportunity, "merged_into", "closed_at", "stage", "status", *VERSION_FIELDS, *ends]
    left = {"end_reason"} | ({"original_amount"} if table == "versions" else set())
    return [*(c for c in TABLES[table].column_names() if c not in left), *_BESIDE.get(table, {}), *ends]


def required(table: str) -> list[str]:
    """Fields of `table` that a mapping must fill."""
    if table in TOLD:
        return [name for name, column in TOLD[table].items() if not column.nullable or name in ("key", "into", "value")]
    if table == "deals":
        return ["opportunity_id", "stage"]
    derived = {"versions": {"status"}, "stages": {"is_qualified", "kind", "position"}}.get(table, set())
    if table in VERSIONED and table != "versions":
        derived = derived | {"valid_from"}
    return [name for name, column in TABLES[table].columns().items() if not column.nullable and name not in derived]


def column_of(table: str, name: str) -> dy.Column:
    """The schema column that a mapped field must fit."""
    if name == "deleted_at":
        return _MAYBE_AT
    if table in RESULTS:
        return _MAYBE_AT if name == "answered_at" else _TEXT
    beside = _BESIDE.get(table, {})
    if name in beside:
        return beside[name]
    if table == "changes":
        field = name.removeprefix(OLD)
        of = next(of for of in OF[table] if field in changeable(of))
        return column_of(of, field)
    if table in ("deals", "events"):
        return {**TABLES["versions"].columns(), **TABLES["opportunities"].columns()}[name]
    return TABLES[table].columns()[name]


def changeable(of: str) -> list[str]:
    """Fields that a change of a deal, an account, … may be about."""
    if of == "deals":
        return ["stage", "status", *VERSION_FIELDS]
    own = {VERSIONED[of], "valid_from", "valid_to", "end_reason", "merged_into"}
    return [c for c in TABLES[of].column_names() if c not in own]


def named(mapping: Mapping, file: str) -> dict[str, list[tuple[str, str]]]:
    """Columns of a file that the mapping names, each with the (table, field) it is named in."""
    found: dict[str, list[tuple[str, str]]] = {}
    for feed in mapping.feeds:
        spoken = [(column, "only") for column in feed.only if feed.file == file]
        spoken += [(column, "deleted") for column in feed.deleted if feed.file == file]
        for name, said in feed.fields.items():
            here = said.on if said.source else said.column
            there = [c for hop, on, columns in said.hops if hop == file for c in (*on.values(), *columns)]
            there += said.only if said.source == file else ()
            spoken += [(column, name) for column in (*(here if feed.file == file else ()), *there)]
        for column, name in spoken:
            found.setdefault(column, []).append((feed.table, name))
    return found


def files_of(mapping: Mapping) -> set[str]:
    """The files that its feeds need."""
    joined = {name for feed in mapping.feeds for said in feed.fields.values() for name, _, _ in said.hops}
    return {feed.file for feed in mapping.feeds} | joined


def zone(mapping: Mapping) -> ZoneInfo:
    """The time zone in which the source writes its hours."""
    return ZoneInfo(mapping.time_zone)
