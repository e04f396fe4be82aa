"""A mapping: the TOML file that says which column of which file becomes which field. See docs/mapping.md."""

import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from importlib.resources import files as shipped
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, available_timezones

from cadran.tables import FOREIGN_KEYS, TABLES, VERSIONED
from cadran.tables.deals import CLOSED, STATUSES
from cadran.tables.problems import Problem

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

_TEXT, _TEXTS, _YES_NO, _NUMBER, _DICT = "text", "text or list of texts", "true or false", "number", "table"
_TYPES: dict[str, tuple[type, ...]] = {
    _TEXT: (str,),
    _TEXTS: (str, list, int, float),
    _YES_NO: (bool,),
    _NUMBER: (int, float),
    _DICT: (dict,),
    "list or table": (list, dict),
    "date": (date,),
    "date, moment or text": (date, str),
    "text, number or true/false": (str, int, float, bool, date),
}

#: Every key a mapping may hold, by section. `docs/mapping.md` documents each (a test sees to it).
KEYS: dict[str, dict[str, str]] = {
    "the mapping": {
        "name": _TEXT,
        "extends": _TEXT,
        "folder": _TEXT,
        "taken": "date, moment or text",
        "time_zone": _TEXT,
        "currency": _TEXT,
        "amount_basis": _TEXT,
        "fiscal_year_starts": _NUMBER,
        "holidays": _TEXT,
        "rates": _DICT,
        "stages": "list or table",
        "files": _DICT,
    },
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
        "constant": "text, number or true/false",
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
_TYPES["text or table"] = (str, dict)
FORMATS = ["csv", "tsv", "parquet", "excel"]


@dataclass(frozen=True)
class File:
    """A file of the source, or several of one form, and how it is written where that cannot be told from it."""

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
    probability: float | None
    at_creation: bool


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


def names() -> list[str]:
    """Names of the mappings that ship with Cadran."""
    return sorted(
        Path(str(f)).stem for f in (shipped("cadran.sources") / "mappings").iterdir() if f.name[-5:] == ".toml"
    )


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read and check a mapping.

    Args:
        name_or_path: A TOML file, or the name of a mapping that ships with Cadran (`names()`).

    Raises:
        Problem: With the file, the key, and what to write instead.
    """
    path, is_shipped = _find(str(name_or_path))
    check = _Check(path.name)
    return check.mapping(_read(path, check, seen=()), path, is_shipped)


def mappable(table: str) -> list[str]:
    """Fields of `table` (or of `deals`) that a mapping may fill."""
    if table == "deals":
        return [*mappable("opportunities"), "closed_at", "stage", "status", *VERSION_FIELDS]
    return [c for c in TABLES[table].column_names() if (table, c) != ("versions", "original_amount")]


def required(table: str) -> list[str]:
    """Fields of `table` that a mapping must fill."""
    if table == "deals":
        return ["opportunity_id", "stage"]
    derived = {"versions": {"status"}, "stages": {"is_qualified"}}.get(table, set())
    if table in VERSIONED and table != "versions":
        derived = derived | {"valid_from"}
    return [name for name, column in TABLES[table].columns().items() if not column.nullable and name not in derived]


def _find(name: str) -> tuple[Path, bool]:
    path = Path(name)
    if path.is_file():
        return path, False
    if path.suffix == ".toml" or "/" in name:
        raise Problem("There is no mapping {file}.", "Check the path.", file=name)
    if name not in names():
        close = get_close_matches(name, names(), 1)
        repair = "Did you mean {close}?" if close else "Name a TOML file, or a mapping that ships: {names}."
        raise Problem(
            "There is no mapping called {name}.", repair, name=name, close=close and close[0], names=", ".join(names())
        )
    return Path(str(shipped("cadran.sources") / "mappings" / f"{name}.toml")), True


def _read(path: Path, check: "_Check", seen: tuple[Path, ...]) -> dict[str, Any]:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise Problem(
            "{file} is not valid TOML: {reason}.", "Correct it there.", file=path.name, reason=error
        ) from None
    except UnicodeDecodeError:
        raise Problem("{file} is not written in UTF-8.", "Save it as UTF-8.", file=path.name) from None
    if "extends" not in read:
        return read
    if path in seen:
        check.fail("{file}: extends goes in a circle.", "Remove one of the `extends`.")
    other = str(read["extends"])
    beside = path.parent / other
    found = beside if beside.is_file() else _find(other)[0]
    return _merged(_read(found, check, (*seen, path)), read)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = under.keys() & over.keys()
    deep = {k: _merged(under[k], over[k]) for k in both if isinstance(under[k], dict) and isinstance(over[k], dict)}
    return {**under, **over, **deep}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in (value if isinstance(value, list) else [value]))


@dataclass(frozen=True)
class _Check:
    """Turns TOML into a Mapping, or says which key of which file is wrong."""

    file: str

    def fail(self, what: str, repair: str, **values: object) -> NoReturn:
        raise Problem(what, repair, file=self.file, **values)

    def member(self, value: Any, allowed: Iterable[str], key: str) -> None:
        """Fail unless `value` is one of `allowed`."""
        allowed = list(allowed)
        if value in allowed:
            return
        close = get_close_matches(str(value), allowed, 1)
        repair = "Did you mean {close!r}?" if close else "Write one of: {allowed}."
        self.fail(
            "{file}: {key} cannot be {value!r}.",
            repair,
            key=key,
            value=value,
            close=close and close[0],
            allowed=", ".join(allowed),
        )

    def keys(self, section: dict[str, Any], kind: str, where: str, more: Iterable[str] = ()) -> None:
        """Fail on a key that `kind` of section does not know, or a value of another type."""
        allowed = [*KEYS[kind], *more]
        for key, value in section.items():
            if key not in allowed:
                close = get_close_matches(key, allowed, 1)
                repair = "Did you mean {close}?" if close else "The keys are: {allowed}."
                values = {"key": key, "where": where, "close": close and close[0], "allowed": ", ".join(allowed)}
                self.fail("{file}: {where} has no key called {key}.", repair, **values)
            expected = KEYS[kind].get(key)
            if expected and (
                not isinstance(value, _TYPES[expected])
                or ((value is True or value is False) and bool not in _TYPES[expected])
            ):
                self.fail(
                    "{file}: {where}: {key} is {value!r}.",
                    "Write a {expected}.",
                    where=where,
                    key=key,
                    value=value,
                    expected=expected,
                )

    def mapping(self, raw: dict[str, Any], path: Path, is_shipped: bool) -> Mapping:
        tables = ["deals", *(t for t in TABLES if t != "calendar")]
        self.keys(raw, "the mapping", "the mapping", tables)
        self.settings(raw)
        files = {name: self.one_file(name, section) for name, section in raw.get("files", {}).items()}
        listed = isinstance(raw.get("stages"), list)
        fed = {table: raw[table] for table in tables if table in raw and not (listed and table == "stages")}
        feeds = [
            self.feed(table, section, files)
            for table, sections in fed.items()
            for section in (sections if isinstance(sections, list) else [sections])
        ]
        stages = self.stages(raw["stages"]) if listed else ()
        self.whole(feeds, stages)
        return Mapping(
            path=path,
            is_shipped=is_shipped,
            name=raw.get("name", path.stem),
            taken=raw["taken"],
            time_zone=raw.get("time_zone", "UTC"),
            currency=raw.get("currency", "EUR"),
            amount_basis=raw.get("amount_basis", "total"),
            fiscal_year_starts=raw.get("fiscal_year_starts", 1),
            holidays=raw.get("holidays"),
            folder=raw.get("folder"),
            rates={currency: self.rate(currency, said) for currency, said in raw.get("rates", {}).items()},
            stages=stages,
            files=files,
            feeds=tuple(feeds),
        )

    def settings(self, raw: dict[str, Any]) -> None:
        if "taken" not in raw:
            self.fail(
                "{file} does not say when the data was taken.", 'Write taken = 2024-12-31, or taken = "latest date".'
            )
        if isinstance(raw["taken"], str):
            self.member(raw["taken"], [LATEST], "taken")
        if raw.get("time_zone", "UTC") not in available_timezones():
            self.member(raw["time_zone"], sorted(available_timezones()), "time_zone")
        self.member(raw.get("amount_basis", "total"), ["total", "annual"], "amount_basis")
        if raw.get("fiscal_year_starts", 1) not in range(1, 13):
            self.fail(
                "{file}: fiscal_year_starts is {value!r}.", "Write a month, 1 to 12.", value=raw["fiscal_year_starts"]
            )
        for currency in [raw.get("currency", "EUR"), *raw.get("rates", {})]:
            if not (len(currency) == 3 and currency.isupper() and currency.isascii()):
                self.fail("{file}: {value!r} is not a currency.", "Write three capitals, like EUR.", value=currency)

    def one_file(self, name: str, section: Any) -> File:
        section = {"path": section} if isinstance(section, str | list) else section
        where = f"files.{name}"
        self.keys(section, "a file", where)
        if "path" not in section:
            self.fail("{file}: {where} has no path.", 'Write path = "FILE.csv".', where=where)
        if "format" in section:
            self.member(section["format"], FORMATS, f"{where}.format")
        if "decimal" in section:
            self.member(section["decimal"], [",", "."], f"{where}.decimal")
        listed = {key: _texts(section[key]) for key in ("path", "dates", "missing") if key in section}
        return File(name=name, **{**section, **listed})

    def feed(self, table: str, section: Any, files: dict[str, File]) -> Feed:
        if not isinstance(section, dict):
            self.fail("{file}: {where} is not a table.", "Write [{where}] and its fields below.", where=table)
        self.keys(section, "a table", f"[{table}]", mappable(table))
        if "file" not in section:
            self.fail("{file}: [{where}] does not say which file feeds it.", 'Write file = "NAME".', where=table)
        self.member(section["file"], files, f"[{table}] file")
        fields = {
            name: self.one_field(table, name, spec, files)
            for name, spec in section.items()
            if name not in KEYS["a table"]
        }
        feed = Feed(
            table,
            section["file"],
            fields,
            section.get("from_values", False),
            {k: _texts(v) for k, v in section.get("only", {}).items()},
        )
        missing = [name for name in required(table) if name not in fields]
        if missing:
            self.fail("{file}: [{where}] lacks {key}.", 'Write {key} = "COLUMN".', where=table, key=missing[0])
        return feed

    def one_field(self, table: str, name: str, spec: Any, files: dict[str, File]) -> Field:
        where = f"[{table}] {name}"
        spec = {"column": spec} if isinstance(spec, str | list) else spec
        if not isinstance(spec, dict):
            spec = {"constant": spec}
        self.keys(spec, "a field", where)
        if ("column" in spec) == ("constant" in spec):
            self.fail("{file}: {where} needs either a column or a constant.", 'Write {where} = "COLUMN".', where=where)
        spec = {"known": VERSION_FIELDS.get(name, "at_creation") if table == "deals" else "at_creation", **spec}
        self.member(spec["known"], KNOWN, f"{where} known")
        if spec["known"] != "at_creation" and (table != "deals" or name not in mappable("deals")):
            self.fail(
                "{file}: {where}: known is for the deals feed.",
                "Remove it: give this table a valid_from instead.",
                where=where,
            )
        if spec["known"] == "at_export" and name not in VERSION_FIELDS:
            self.fail(
                "{file}: {where} never changes: it cannot be known at_export.",
                "Write at_creation or at_close.",
                where=where,
            )
        self.member(spec.get("unknown", "set aside"), UNKNOWN, f"{where} unknown")
        self.member(spec.get("personal", "allowed"), ["allowed"], f"{where} personal")
        self.member(spec.get("decimal", "."), [",", "."], f"{where} decimal")
        if ("from" in spec) != ("on" in spec):
            self.fail(
                "{file}: {where}: a join needs both `from` and `on`.",
                'Write {{ column = "…", from = "FILE", on = "KEY" }}.',
                where=where,
            )
        if "from" in spec:
            self.member(spec["from"], files, f"{where} from")
        on = spec.pop("on", {})
        listed = {key: _texts(spec[key]) for key in ("column", "dates", "missing") if key in spec}
        values = {str(k): str(v) for k, v in spec.get("values", {}).items()}
        source = spec.pop("from", None)
        return Field(
            name=name,
            **{**spec, **listed, "values": values, "source": source, "on": {on: on} if isinstance(on, str) else on},
        )

    def stages(self, raw: list[Any]) -> tuple[StageRow, ...]:
        for position, stage in enumerate(raw, 1):
            where = f"stages, entry {position}"
            if not isinstance(stage, dict) or not {"stage", "kind"} <= stage.keys():
                self.fail(
                    "{file}: {where} needs a stage and a kind.",
                    'Write {{ stage = "NAME", kind = "open" }}.',
                    where=where,
                )
            self.keys(stage, "a stage", where)
            self.member(stage["kind"], STATUSES, f"{where}: kind")
        rows = tuple(
            StageRow(
                stage=s["stage"],
                kind=s["kind"],
                is_qualified=s.get("is_qualified", s["kind"] != "disqualified"),
                probability=s.get("probability"),
                at_creation=s.get("at_creation", False),
            )
            for s in raw
        )
        named = [row.stage for row in rows]
        for stage in named:
            if named.count(stage) > 1:
                self.fail("{file}: the stage {stage!r} stands twice in stages.", "Remove one.", stage=stage)
        for kind in ("open", "won"):
            if kind not in {row.kind for row in rows}:
                self.fail("{file}: no stage is of kind {kind}.", "Complete the list of stages.", kind=kind)
        return rows

    def rate(self, currency: str, said: Any) -> tuple[tuple[date, float], ...]:
        where = f"rates.{currency}"
        steps = said if isinstance(said, list) else [{"from": date.min, "rate": said}]
        for step in steps:
            if not isinstance(step, dict) or {"from", "rate"} - step.keys():
                self.fail(
                    "{file}: {where} needs a rate, or a list of from and rate.",
                    "Write {{ from = 2024-01-01, rate = 0.92 }}.",
                    where=where,
                )
            self.keys(step, "a rate", where)
            if not isinstance(step["rate"], int | float) or step["rate"] <= 0:
                self.fail(
                    "{file}: {where}: a rate is above 0, not {value!r}.", "Correct it.", where=where, value=step["rate"]
                )
        return tuple(sorted((step["from"], float(step["rate"])) for step in steps))

    def whole(self, feeds: list[Feed], stages: tuple[StageRow, ...]) -> None:
        """What several sections must say together."""
        fed = {feed.table for feed in feeds}
        if not fed & {"deals", "opportunities"}:
            self.fail("{file} feeds no deals.", "Add a [deals] table, or [opportunities] and [versions].")
        if ("opportunities" in fed) != ("versions" in fed):
            self.fail("{file}: [opportunities] and [versions] go together.", "Add the other, or use [deals].")
        if not stages and "stages" not in fed:
            self.fail(
                "{file} does not give the stages.",
                'Write stages = [ {{ stage = "…", kind = "open" }}, … ], in their order.',
            )
        fed = fed | {"stages", "opportunities" if "deals" in fed else "deals"}
        for feed in feeds:
            parts = ("opportunities", "versions") if feed.table == "deals" else (feed.table,)
            for (table, key), (parent, _) in FOREIGN_KEYS.items():
                if table in parts and key in feed.fields and parent not in fed:
                    self.fail(
                        "{file}: [{where}] {key} refers to {parent}, which nothing feeds.",
                        'Add [{parent}] with its file; or, to make them from the values met:\n[{parent}]\nfile = "{source}"\nfrom_values = true\n{key} = "{column}"',
                        where=feed.table,
                        key=key,
                        parent=parent,
                        source=feed.file,
                        column="".join(feed.fields[key].column[:1]),
                    )
            closes = any(row.kind in CLOSED for row in stages)
            if feed.table == "deals" and closes and "closed_at" not in feed.fields:
                self.fail("{file}: [deals] lacks closed_at.", "Say which column tells when a deal was won or lost.")


def zone(mapping: Mapping) -> ZoneInfo:
    """The time zone in which the source writes its hours."""
    return ZoneInfo(mapping.time_zone)
