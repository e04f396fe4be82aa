"""What a mapping says of databases, checked: kind, place, and never a secret. See docs/databases.md."""

import re
from collections.abc import Iterable
from typing import Any, NoReturn, Protocol

from cadran.sources.feeds import LATEST, NOW, Database, Feed, File, parts
from cadran.tables import TABLES, VERSIONED

#: Kinds of databases, with what each is reached by.
KINDS = {"sqlite": "path", "duckdb": "path", "postgresql": "address_from"}
_ADDRESS = re.compile(r"[a-z+]+://|\bpassword\s*=", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Keys of a file that say how text is written on disk: a database has types.
_ON_DISK = ("path", "format", "encoding", "separator", "sheet", "header_line")


class Check(Protocol):
    """What these checks need of the one that reads the mapping."""

    def fail(self, what: str, repair: str, **values: object) -> NoReturn: ...
    def keys(self, section: Any, kind: str, where: str) -> None: ...
    def member(self, value: Any, allowed: Any, where: str) -> None: ...


def database(check: Check, name: str, section: Any) -> Database:
    """One of `[databases]`.

    Raises:
        Problem: If a key is wrong, or an address stands in the mapping. The address is not repeated.
    """
    where = f"databases.{name}"
    if _ADDRESS.search(str(section)):
        check.fail(
            "{file}: {where} holds an address. An address may hold a password, which never stands in a mapping.",
            'Put it in an environment variable, and write address_from = "NAME_OF_THE_VARIABLE".',
            where=where,
        )
    check.keys(section, "a database", where)
    check.member(section.get("kind"), KINDS, f"{where}: kind")
    key = KINDS[section["kind"]]
    if section.keys() != {"kind", key}:
        example = 'path = "FILE"' if key == "path" else 'address_from = "NAME_OF_THE_VARIABLE"'
        told = {"where": where, "kind": section["kind"], "key": key, "example": example}
        check.fail(
            "{file}: {where}: a {kind} database is reached by {key}, and nothing else.", "Write {example}.", **told
        )
    if key == "address_from" and not _VARIABLE.fullmatch(section[key]):
        repair = 'Write address_from = "CADRAN_CRM_ADDRESS", and put the address in that variable.'
        check.fail("{file}: {where}: address_from is no name of an environment variable.", repair, where=where)
    return Database(name, **section)


def in_database(check: Check, name: str, section: dict[str, Any], databases: dict[str, Database]) -> dict[str, Any]:
    """The keys of a file that stands in a database; its `path` is the name that messages show."""
    where = f"files.{name}"
    if "database" not in section:
        for key in ("table", "query", "watermark"):
            if key in section:
                repair = 'Write database = "NAME" there too.'
                check.fail("{file}: {where}: {key} is for rows of a database.", repair, where=where, key=key)
        return section
    check.member(section["database"], databases, f"{where}: database")
    for key in _ON_DISK:
        if key in section:
            told = {"where": where, "key": key}
            check.fail("{file}: {where}: rows of a database have no {key}.", "Remove one of the two.", **told)
    if ("table" in section) == ("query" in section) or not section.get("table", section.get("query")):
        repair = 'Write table = "NAME", or query = "select …".'
        check.fail("{file}: {where} needs either a table or a query.", repair, where=where)
    return {**section, "path": section.get("table", name)}


def whole(check: Check, taken: Any, feeds: list[Feed], files: dict[str, File]) -> None:
    """What the sections that concern databases must say together."""
    if taken == LATEST and any(file.watermark for file in files.values()):
        check.fail(
            '{file}: with a watermark, taken = "latest date" would look at some rows only.', 'Write taken = "now".'
        )
    if taken == NOW and not any(file.database for file in files.values()):
        repair = 'Write taken = 2024-12-31, or taken = "latest date".'
        check.fail('{file}: taken = "now" is the clock of a database, and there is none.', repair)
    for feed in feeds:
        for field in feed.fields.values():
            for name in (name for name, _, _ in field.hops if files[name].watermark):
                told = {"where": f"[{feed.table}] {field.name}", "name": name}
                repair = "Remove its watermark: the rows joined may be older than the last import."
                check.fail("{file}: {where} takes its column from {name}, which must be read whole.", repair, **told)
        if feed.from_values and files[feed.file].watermark and feed.fields.keys() - {_key(feed.table), "name"}:
            told = {"where": feed.table, "name": feed.file}
            repair = "Give [{where}] a query of its own, without a watermark: select the key and its fields."
            check.fail("{file}: [{where}] is made from all values of {name}, which must be read whole.", repair, **told)
    _in_step(check, feeds, files)


def _key(table: str) -> str:
    table = "opportunities" if table == "deals" else table
    return VERSIONED.get(table) or TABLES[table].primary_key()[0]


def keys_in_step(feeds: Iterable[Feed]) -> dict[str, dict[str, str]]:
    """For each table of which the past is told, the files that tell it, each with the column of the table's key.

    Such files are read in step: every row of each thing that changed in one of them, or a past would be told in part.
    """
    found: dict[str, dict[str, str]] = {}
    told = set()
    for feed in feeds:
        about = (parts(feed) or ("",))[0].replace("versions", "opportunities")
        key = {"changes": "key", "events": "case"}.get(feed.table) or _key(about or feed.of)
        if about and key in feed.fields:
            said = feed.fields[key]
            found.setdefault(about, {})[feed.file] = said.column[0] if len(said.column) == 1 and not said.source else ""
            told |= {about} if feed.table in ("changes", "events", "versions") or "valid_from" in feed.fields else set()
    return {about: files for about, files in found.items() if about in told}


def _in_step(check: Check, feeds: list[Feed], files: dict[str, File]) -> None:
    for named in keys_in_step(feeds).values():
        told = [files[name] for name in named]
        marked = [file for file in told if file.watermark]
        if marked and (len(marked) < len(told) or len({file.database for file in told}) > 1):
            repair = "Give each a watermark, in one database; or remove those there are."
            names = ", ".join(named)
            check.fail("{file}: {names} tell one history, and are read in step.", repair, names=names)
        if marked and not all(named.values()):
            repair = "Write a query that makes one column of it."
            check.fail("{file}: {names}: with a watermark, a key is one column.", repair, names=", ".join(named))
