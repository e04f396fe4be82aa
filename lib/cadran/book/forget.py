"""Forgetting a person in every version of a book that is kept."""

import secrets
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import store
from cadran.book.beside import EMPLOYEE, KINDS, drawn, forget_beside, forget_in_ballots, is_beside
from cadran.book.folder import alone, current_version, versions
from cadran.book.forgotten import FILE, forgotten
from cadran.book.persons import NAMED, Person, blanked, holding, is_named, naming, own_table, pseudonymised, unsaid
from cadran.book.rewrite import act, begin, begun, files_once, finish, rewrite_all, write_whole
from cadran.tables import STORED
from cadran.tables.groups import bucket_of, group_of
from cadran.tables.problems import Problem


def forget(folder: Path, identifier: str, kind: str | None = None, ballots: str | None = None) -> tuple[Person, int]:
    """Forget a person in every version of the book, in the rows set aside, beside the book, and in every later delivery.

    A random pseudonym takes the place of the identifier everywhere, so that deals keep one owner; the name and what
    describes the person alone are gone. If it is interrupted, whoever writes the book next finishes it.

    Args:
        folder: The book's folder.
        identifier: The source's identifier of a rep, contact or lead; for a rep known by nothing else, the name; of
            somebody who was invited to surveys, what they were invited as.
        kind: "rep", "contact", "lead" or "employee", where an identifier is of several.
        ballots: Address of the PostgreSQL database of open waves, if they are in one. What is interrupted there is
            finished by doing it again.

    Returns:
        The person with their pseudonyms, and the number of versions that named them.

    Raises:
        Problem: If nobody goes by the identifier, or people of several kinds do.
    """
    current_version(folder)
    with alone(folder):
        before = begun(folder).get("forget", {"ids": {}})
        n = finish(folder)
        if identifier in before["ids"]:
            if ballots:
                forget_in_ballots(folder, before["surveys"], ballots)
            return Person(before["kind"], before["ids"], before["names"]), n
        person = _drawn(folder, *whom(folder, identifier, kind, ballots))
        surveys = drawn(folder, person.spellings, ballots) if person.kind in KINDS else {}
        n = begin(folder, "forget", {**asdict(person), "surveys": surveys})
        if ballots:
            forget_in_ballots(folder, surveys, ballots)
        return person, n


def whom(
    folder: Path, identifier: str, kind: str | None = None, ballots: str | None = None
) -> tuple[str, list[str], list[str]]:
    """The kind of the person an identifier names in any version or beside them, all their identifiers, and the names theirs
    alone.

    Raises:
        Problem: If nobody goes by the identifier, or people of several kinds do.
    """
    kinds = [each for each in NAMED if kind in (None, each) and _is_there(folder, each, identifier)]
    if kind in (None, EMPLOYEE) and "rep" not in kinds and is_beside(folder, identifier, ballots):
        kinds.append(EMPLOYEE)
    if not kinds:
        raise Problem(
            "No version of the book in {folder} knows a person by this identifier: there is none, or they were forgotten "
            "already.",
            "Write it exactly as the source does: capital letters count. Other identifiers are not shown.",
            folder=folder,
        )  # fmt: skip
    if len(kinds) > 1:
        raise Problem(
            "This identifier names people of several kinds: {kinds}.", "Say which one with --kind.",
            kinds=", ".join(kinds),
        )  # fmt: skip
    ids = _merged(folder, identifier) if kinds[0] == "contact" else [identifier]
    return kinds[0], ids, _names(folder, ids) if kinds[0] == "rep" else []


def _is_there(folder: Path, kind: str, identifier: str) -> bool:
    return any(
        _some(path, is_named(column, [identifier]))
        for table, path in files_once(folder)
        for column in NAMED[kind].get(table, ())
        if column in pl.read_parquet_schema(path)
    )


def _some(path: Path, condition: pl.Expr) -> bool:
    return bool(pl.scan_parquet(path).select(condition.any()).collect().item())


def _of(folder: Path, table: str, *columns: str) -> pl.DataFrame:
    """Distinct values of columns of a table in every version."""
    there = [path for name, path in files_once(folder) if name == table]
    found = [
        pl.read_parquet(path, columns=list(columns)).unique()
        for path in there
        if set(columns) <= set(pl.read_parquet_schema(path))
    ]
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), *found]).unique()


def _merged(folder: Path, identifier: str) -> list[str]:
    """The identifiers of a contact that were merged into one another."""
    pairs = _of(folder, "contacts", "contact_id", "merged_into").drop_nulls()
    ids = {identifier}
    while True:
        touching = pairs.filter(pl.any_horizontal(pl.all().is_in(list(ids))))
        wider = ids | set(touching["contact_id"]) | set(touching["merged_into"])
        if wider == ids:
            return sorted(ids)
        ids = wider


def _names(folder: Path, ids: list[str]) -> list[str]:
    """The names a book gives a rep, but for those that are another rep's too."""
    named = _of(folder, "reps", "rep_id", "name").drop_nulls()
    theirs = named.filter(pl.col("rep_id").is_in(ids)).select("name")
    others = named.filter(~pl.col("rep_id").is_in(ids)).select("name")
    return theirs.join(others, on="name", how="anti")["name"].unique().sort().to_list()


def _drawn(folder: Path, kind: str, ids: list[str], names: list[str]) -> Person:
    """The person, with a pseudonym drawn for each identifier; those of a name are the first identifier's.

    Rows stay in their bucket: where a table has several, a pseudonym is drawn until it falls into the identifier's.
    """
    if kind == EMPLOYEE:
        return Person(kind, {each: _pseudonym(each, None, 1) for each in ids})
    group = group_of(own_table(kind))
    cut = max(store.read_manifest(version).get("n_buckets", {}).get(group.name, 1) for version in versions(folder))
    drawn = {each: _pseudonym(each, group.key, cut) for each in ids}
    return Person(kind, drawn, dict.fromkeys(names, drawn[ids[0]]))


def _pseudonym(identifier: str, key: str | None, cut: int) -> str:
    if key is None or cut == 1:
        return f"forgotten-{secrets.token_hex(8)}"
    drawn = pl.DataFrame({key: [identifier, *(f"forgotten-{secrets.token_hex(8)}" for _ in range(40 * cut))]})
    bucket = bucket_of(key, cut)
    fitting = drawn.filter(bucket == drawn.select(bucket.first()).item())
    return fitting[key][1]


@act("forget")
def _forget(folder: Path, journal: dict[str, Any]) -> int:
    """Remember the person's hash, and rewrite every version and what stands beside them."""
    person = Person(journal["kind"], journal["ids"], journal["names"])
    if person.kind in KINDS:
        forget_beside(folder, person, journal["surveys"])
    if person.kind == EMPLOYEE:
        return 0
    memory = forgotten(folder)
    memory.remember(person)
    write_whole(folder / FILE, memory.to_json())
    return rewrite_all(versions(folder), lambda version: partial(_without, person), partial(_retold, person))


def _without(person: Person, table: str, path: Path) -> pl.DataFrame | None:
    """The rows of a file without the person; null if it does not name them."""
    columns = list(pl.read_parquet_schema(path))
    condition = holding(person) if table == "set_aside" else naming(person, table, columns)
    if not _some(path, condition):
        return None
    frame = pl.read_parquet(path)
    if table == "set_aside":
        return blanked(frame, condition)
    frame = pseudonymised(person, table, frame)
    # Elsewhere the order is that of the book's own numbers, which stay.
    is_sorted_by_id = table in ("contacts", "leads")
    return frame.sort([c for c in STORED[table].primary_key() if c in columns]) if is_sorted_by_id else frame


def _retold(person: Person, manifest: dict[str, Any], version: Path, changed: set[str]) -> dict[str, Any]:
    """A manifest of which the remarks name the person no more."""
    noted = [
        remark | {"found": remark["found"] and unsaid(remark["found"], person.spellings)}
        for remark in manifest["noted"]
    ]
    return manifest | {"noted": noted}
