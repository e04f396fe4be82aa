"""Loading a mapping, a TOML file, and saying what is wrong with it. The format is told in docs/mapping.md."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files as shipped
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import available_timezones

import dataframely as dy

from cadran.sources import declared, together, told
from cadran.sources.feeds import (
    ABSENT,
    FORMATS,
    FROM_VALUES,
    KEYS,
    KNOWN,
    LATEST,
    NOW,
    TOLD,
    TYPES,
    UNKNOWN,
    VERSION_FIELDS,
    Database,
    Feed,
    Field,
    File,
    Mapping,
    StageRow,
    column_of,
    mappable,
    parts,
    required,
)
from cadran.sources.told import texts
from cadran.tables import FOREIGN_KEYS, TABLES
from cadran.tables.deals import STATUSES
from cadran.tables.problems import Problem

__all__ = ["Check", "Mapping", "find_mapping", "load_mapping", "names", "toml_of"]


def names() -> list[str]:
    """Names of the mappings that ship with Cadran."""
    folder = Path(str(shipped("cadran.sources") / "mappings"))
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read and check a mapping.

    Args:
        name_or_path: A TOML file, or the name of a mapping that ships with Cadran (`names()`).

    Raises:
        Problem: With the file, the key, and what to write instead.
    """
    path, is_shipped = find_mapping(str(name_or_path))
    return Check(path.name).mapping(toml_of(path), path, is_shipped)


def find_mapping(name: str) -> tuple[Path, bool]:
    """The file of a mapping, and whether it ships with Cadran."""
    path = Path(name)
    if path.is_file():
        return path, False
    if path.suffix == ".toml" or path.name != name:
        raise Problem("There is no mapping {file}.", "Check the path.", file=name)
    if name not in names():
        close = get_close_matches(name, names(), 1)
        repair = "Did you mean {close!r}?" if close else "Name a TOML file, or a mapping that ships: {names}."
        told = {"name": name, "close": "".join(close), "names": ", ".join(names())}
        raise Problem("There is no mapping called {name}.", repair, **told)
    return Path(str(shipped("cadran.sources") / "mappings" / f"{name}.toml")), True


def toml_of(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The TOML of `path`, over that of the mapping it extends."""
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise Problem(
            "{file} is not valid TOML ({reason}).", "Correct it there.", file=path.name, reason=error
        ) from None
    except UnicodeDecodeError:
        raise Problem("{file} is not written in UTF-8.", "Save it as UTF-8.", file=path.name) from None
    if "extends" not in read:
        return read
    if path in seen:
        raise Problem("{file} extends itself in a circle.", "Remove one of the `extends`.", file=path.name)
    beside = path.parent / str(read["extends"])
    return _merged(toml_of(beside if beside.is_file() else find_mapping(str(read["extends"]))[0], (*seen, path)), read)


@cache
def _zones() -> set[str]:
    """The names of the time zones: hundreds of files, looked through once."""
    return available_timezones()


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = under.keys() & over.keys()
    deep = {k: _merged(under[k], over[k]) for k in both if isinstance(under[k], dict) and isinstance(over[k], dict)}
    return {**under, **over, **deep}


@dataclass(frozen=True)
class Check:
    """Turns TOML into a Mapping, or says which key of which file is wrong and what to write instead."""

    file: str
    #: The keys by section, with the type of the value of each.
    vocabulary: dict[str, dict[str, str]] = field(default_factory=lambda: KEYS)

    def fail(self, what: str, repair: str, **values: object) -> NoReturn:
        raise Problem(what, repair, file=self.file, **values)

    def member(self, value: Any, allowed: Iterable[str], where: str) -> None:
        """Fail unless `value` is one of `allowed`."""
        allowed = list(allowed)
        if value in allowed:
            return
        close = get_close_matches(str(value), allowed, 1)
        repair = "Did you mean {close!r}?" if close else "Write one of: {allowed}."
        told = {"where": where, "value": value, "close": "".join(close), "allowed": ", ".join(allowed)}
        self.fail("{file}: {where} cannot be {value!r}.", repair, **told)

    def keys(self, section: Any, kind: str, where: str, more: Iterable[str] = ()) -> None:
        """Fail on a key that this kind of section does not know, or a value of another type."""
        if not isinstance(section, dict):
            self.of_type(where, section, "table")
        allowed = [*self.vocabulary[kind], *more]
        for key, value in section.items():
            place = f"{where}: {key}" if where else key
            if key not in allowed:
                close = get_close_matches(key, allowed, 1)
                repair = "Did you mean {close!r}?" if close else "The keys are: {allowed}."
                told = {"key": place, "close": "".join(close), "allowed": ", ".join(allowed)}
                self.fail("{file}: there is no key {key!r}.", repair, **told)
            if key in self.vocabulary[kind]:
                self.of_type(place, value, self.vocabulary[kind][key])

    def of_type(self, where: str, value: Any, expected: str) -> None:
        """Fail unless a value is of the type expected (see `TYPES`)."""
        types, example = TYPES[expected]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            told = {"where": where, "value": value, "example": example}
            self.fail("{file}: {where} cannot be {value!r}.", "Write it like {example}.", **told)

    def mapping(self, raw: dict[str, Any], path: Path, is_shipped: bool) -> Mapping:
        tables = ["deals", *(t for t in TABLES if t != "calendar"), *TOLD]
        self.keys(raw, "the mapping", "", tables)
        self.settings(raw)
        databases = {n: declared.database(self, n, section) for n, section in raw.get("databases", {}).items()}
        files = {name: self.one_file(name, section, databases) for name, section in raw.get("files", {}).items()}
        sections = {
            table: raw[table] if isinstance(raw[table], list) else [raw[table]] for table in tables if table in raw
        }
        rows = [stage for stage in sections.get("stages", []) if not (isinstance(stage, dict) and "file" in stage)]
        sections["stages"] = [section for section in sections.get("stages", []) if section not in rows]
        feeds = [self.feed(table, section, files) for table, said in sections.items() for section in said]
        feeds, stages = told.stages_of(self, feeds, self.stages(rows, whole=not sections["stages"]) if rows else ())
        feeds = told.with_fields(feeds + self.performers(feeds))
        together.whole(self, feeds, stages)
        declared.whole(self, raw["taken"], feeds, files)
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
            databases=databases,
        )

    def settings(self, raw: dict[str, Any]) -> None:
        if "taken" not in raw:
            repair = 'Write taken = 2024-12-31, or taken = "latest date".'
            self.fail("{file} does not say when the data was taken.", repair)
        if isinstance(raw["taken"], str):
            self.member(raw["taken"], [LATEST, NOW], "taken")
        if raw.get("time_zone", "UTC") not in _zones():
            self.member(raw["time_zone"], sorted(_zones()), "time_zone")
        self.member(raw.get("amount_basis", "total"), ["total", "annual"], "amount_basis")
        self.member(str(raw.get("fiscal_year_starts", 1)), map(str, range(1, 13)), "fiscal_year_starts")
        for currency in [raw.get("currency", "EUR"), *raw.get("rates", {})]:
            if not (len(currency) == 3 and currency.isupper() and currency.isascii()):
                self.fail("{file}: {value!r} is not a currency.", "Write three capitals, like EUR.", value=currency)

    def one_file(self, name: str, section: Any, databases: dict[str, Database]) -> File:
        section = {"path": section} if isinstance(section, str | list) else section
        where = f"files.{name}"
        self.keys(section, "a file", where)
        section = declared.in_database(self, name, section, databases)
        if not section.get("path"):
            self.fail("{file}: {where} has no path.", 'Write path = "FILE.csv".', where=where)
        self.member(section.get("format", "csv"), FORMATS, f"{where}: format")
        self.member(section.get("decimal", "."), [",", "."], f"{where}: decimal")
        if len(section.get("separator", ",").encode()) != 1:
            self.fail("{file}: {where}: a separator is one sign.", 'Write separator = ";".', where=where)
        listed = {key: texts(section[key]) for key in ("path", "dates", "missing") if key in section}
        values = {c: {str(k): str(v) for k, v in said.items()} for c, said in section.get("values", {}).items()}
        return File(name=name, **{**section, **listed, "values": values})

    def feed(self, table: str, section: Any, files: dict[str, File]) -> Feed:
        if table in TOLD:
            return told.feed(self, table, section, files)
        self.keys(section, "a table", f"[{table}]", mappable(table))
        if "file" not in section:
            self.fail("{file}: [{where}] does not say which file feeds it.", 'Write file = "NAME".', where=table)
        self.member(section["file"], files, f"[{table}] file")
        own = {name: spec for name, spec in section.items() if name not in KEYS["a table"]}
        fields = {name: self.one_field(table, name, spec, files) for name, spec in own.items()}
        for name in required(table):
            if name not in fields:
                self.fail("{file}: [{where}] lacks {key}.", 'Write {key} = "COLUMN".', where=table, key=name)
        if section.get("from_values") and table not in FROM_VALUES:
            self.fail("{file}: [{where}] cannot be made from_values.", "Give it a file.", where=table)
        if section.get("from_values") and "name" in mappable(table):
            key = TABLES[table].primary_key()[0]
            fields = {**fields, "name": fields.get("name") or replace(fields[key], name="name")}
        self.member(section.get("absent", ABSENT[0]), ABSENT, f"[{table}] absent")
        if "deleted" in section and table == "stages":
            self.fail("{file}: [stages] takes no `deleted`.", "Remove it: past versions may name them.")
        chosen = {
            key: {column: texts(values) for column, values in section.get(key, {}).items()}
            for key in ("only", "deleted")
        }
        more = {"absent": section.get("absent", ABSENT[0]), **chosen}
        return Feed(table, section["file"], fields, section.get("from_values", False), **more)

    def performers(self, feeds: list[Feed]) -> list[Feed]:
        """A rep for each resource of an event log, where no table of reps is fed."""
        logs = [feed for feed in feeds if feed.table == "events" and "resource" in feed.fields]
        own = [replace(log.fields["resource"], name=name) for log in logs[:1] for name in ("rep_id", "name")]
        if not own or any(feed.table == "reps" for feed in feeds):
            return []
        return [Feed("reps", log.file, {f.name: f for f in own}, True, log.only) for log in logs]

    def one_field(self, table: str, name: str, spec: Any, files: dict[str, File]) -> Field:
        where = f"[{table}] {name}"
        spec = {"column": spec} if isinstance(spec, str | list) else spec
        self.keys(spec, "a field", where)
        if ("column" in spec) == ("constant" in spec):
            self.fail("{file}: {where} needs either a column or a constant.", 'Write {where} = "COLUMN".', where=where)
        self.known(table, name, spec, where)
        self.member(spec.get("unknown", UNKNOWN[0]), UNKNOWN, f"{where}: unknown")
        if "split" in spec and (table, name) != ("merges", "key"):
            self.fail("{file}: {where} takes no `split`.", "It is for the key of [[merges]].", where=where)
        refers = name == "resource" or any((part, name) in FOREIGN_KEYS for part in parts(Feed(table, "", {})))
        if "unknown" in spec and "from" not in spec and not refers and not isinstance(column_of(table, name), dy.Enum):
            self.fail("{file}: {where} refers to no other table.", "Remove `unknown`.", where=where)
        self.member(spec.get("personal", "allowed"), ["allowed"], f"{where}: personal")
        self.member(spec.get("decimal", "."), [",", "."], f"{where}: decimal")
        if ("from" in spec) != ("on" in spec):
            repair = 'Write {{ column = "COLUMN", from = "FILE", on = "KEY" }}.'
            self.fail("{file}: {where}: a join needs both `from` and `on`.", repair, where=where)
        joins = self.joins(spec, files, where)
        return Field(
            name=name,
            column=texts(spec.get("column", [])),
            constant=spec.get("constant"),
            source=joins[0][0] if joins else None,
            on=joins[0][1] if joins else {},
            then=tuple(joins[1:]),
            only={column: texts(values) for column, values in spec.get("only", {}).items()},
            values={str(k): str(v) for k, v in spec.get("values", {}).items()},
            missing=texts(spec.get("missing", [])),
            otherwise=str(spec["otherwise"]) if "otherwise" in spec else None,
            split=spec.get("split"),
            scale=spec.get("scale"),
            dates=texts(spec.get("dates", [])),
            decimal=spec.get("decimal"),
            known=spec.get("known", VERSION_FIELDS.get(name, KNOWN[0]) if table == "deals" else KNOWN[0]),
            unknown=spec.get("unknown", UNKNOWN[0]),
            personal=spec.get("personal"),
        )

    def joins(self, spec: dict[str, Any], files: dict[str, File], where: str) -> list[tuple[str, dict[str, str]]]:
        """The files of `from`, each with the columns of `on` by which it is joined to the one before."""
        names = texts(spec.get("from", []))
        on = spec.get("on", [])
        keys = on if isinstance(on, list) else [on]
        if len(names) != len(keys):
            repair = 'Write from = ["FILE", "NEXT"] and on = ["KEY", {{ KEY = "KEY OF NEXT" }}].'
            self.fail("{file}: {where}: each file of `from` is joined by one of `on`.", repair, where=where)
        if "only" in spec and not names:
            self.fail("{file}: {where}: `only` is for a join.", "Write it in the table.", where=where)
        for name, key in zip(names, keys, strict=True):
            self.member(name, files, f"{where}: from")
            self.of_type(f"{where}: on", key, "text or table")
        return [(n, {key: key} if isinstance(key, str) else key) for n, key in zip(names, keys, strict=True)]

    def known(self, table: str, name: str, spec: dict[str, Any], where: str) -> None:
        if "known" not in spec:
            return
        self.member(spec["known"], KNOWN, f"{where}: known")
        if table != "deals" or name in ("opportunity_id", "stage", "status", "created_at", "closed_at"):
            repair = "Remove it: it is for what a row of [deals] says beside its stage and dates."
            self.fail("{file}: {where} takes no `known`.", repair, where=where)
        if spec["known"] == "at_export" and name not in VERSION_FIELDS:
            repair = "Write at_creation or at_close."
            self.fail("{file}: {where} never changes: it cannot be known at_export.", repair, where=where)

    def stages(self, raw: list[Any], whole: bool) -> tuple[StageRow, ...]:
        """The stages listed: all of them (`whole`), or those that no file of stages tells."""
        for position, stage in enumerate(raw, 1):
            where = f"stages[{position}]"
            self.keys(stage, "a stage", where)
            if not {"stage", "kind"} <= stage.keys():
                repair = 'Write {{ stage = "NAME", kind = "open" }}.'
                self.fail("{file}: {where} needs a stage and a kind.", repair, where=where)
            self.member(stage["kind"], STATUSES, f"{where}: kind")
            if not 0 <= stage.get("probability", 0) <= 1:
                self.fail("{file}: {where}: a probability is 0 to 1.", "Write 0.2 for 20 %.", where=where)
        rows = tuple(StageRow(**{"is_qualified": s["kind"] != "disqualified", **s}) for s in raw)
        named = [row.stage for row in rows]
        for stage in named:
            if named.count(stage) > 1:
                self.fail("{file}: the stage {stage!r} stands twice in stages.", "Remove one.", stage=stage)
        for kind in ("open", "won") if whole else ():
            if kind not in {row.kind for row in rows}:
                self.fail("{file}: no stage is of kind {kind}.", "Complete the list of stages.", kind=kind)
        if len(marked := [row for row in rows if row.at_creation]) > 1 or any(row.kind != "open" for row in marked):
            self.fail("{file}: at_creation is for one open stage.", "Keep it on the stage deals begin in.")
        return rows

    def rate(self, currency: str, said: Any) -> tuple[tuple[date, float], ...]:
        where = f"rates.{currency}"
        steps = said if isinstance(said, list) else [{"from": date.min, "rate": said}]
        for step in steps:
            self.keys(step, "a rate", where)
            if {"from", "rate"} - step.keys() or step["rate"] <= 0:
                repair = "Write 0.92, or [{{ from = 2024-01-01, rate = 0.92 }}, …]."
                self.fail("{file}: {where} needs a rate above 0, or a list of `from` and `rate`.", repair, where=where)
        return tuple(sorted((step["from"], float(step["rate"])) for step in steps))
