"""Everything that a book holds on one person, for their request to see it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import store
from cadran.book.beside import EMPLOYEE, KINDS, OTHER, told_beside
from cadran.book.folder import current_version, versions
from cadran.book.forget import whom
from cadran.book.persons import NAMED, Person, holding, naming, own_table
from cadran.book.removed import stored_rows
from cadran.tables import STORED

#: In which versions of the book a row stands.
IN_VERSIONS = "in_versions"
_WHO = {"rep_id", "manager_id", "contact_id"}
#: Of a colleague whose manager the person is: that, and when.
_LED = ("manager_id", "valid_from", "valid_to", "known_from", "known_to")


def held_on(folder: Path, identifier: str, kind: str | None = None, ballots: str | None = None) -> dict[str, Any]:
    """Everything a book holds on a rep, a contact, a lead or another employee, in all its versions and beside them. Other
    people are not named.

    Args:
        folder: The book's folder.
        identifier: The source's identifier.
        kind: "rep", "contact", "lead" or "employee", where an identifier is of several.
        ballots: Address of the PostgreSQL database of open waves, if they are in one.

    Returns:
        `kind`, `identifiers`, `names`, `book`; `versions`: each version of the book with the moment its data was
        taken; `tables`: by name, the rows that name the person, what was taken back included, each with the versions
        it stands in (of a seller also the facts of the deals they own or owned); `set_aside`: likewise; of who works here
        what `told_beside` tells.

    Raises:
        Problem: If nobody goes by the identifier, or people of several kinds do.
    """
    current = current_version(folder)
    kind, ids, names = whom(folder, identifier, kind, ballots)
    person = Person(kind, dict.fromkeys(ids, ""), dict.fromkeys(names, ""))
    found: dict[str, list[pl.DataFrame]] = {}
    taken = []
    for version in versions(folder):
        manifest = store.read_manifest(version)
        number = pl.lit(int(version.name)).alias(IN_VERSIONS)
        taken.append(
            {"version": int(version.name), "taken": manifest["settings"]["taken"], "current": version == current}
        )
        for table, rows in ({} if kind == EMPLOYEE else _rows(version, manifest, person)).items():
            found.setdefault(table, []).append(rows.with_columns(number))
    beside = told_beside(folder, person.spellings, ballots) if kind in KINDS else {}
    return {
        "kind": kind,
        "identifiers": ids,
        "names": names,
        "book": store.read_manifest(current)["settings"]["name"],
        "versions": taken,
        "tables": {table: rows for table, frames in found.items() if (rows := _once(table, frames)).height} | beside,
    }


def _rows(version: Path, manifest: dict[str, Any], person: Person) -> dict[str, pl.DataFrame]:
    rows = partial(stored_rows, version, manifest)
    found = {}
    for table in NAMED[person.kind]:
        naming_them = naming(person, table, STORED[table].column_names())
        found[table] = _alone(person, table, rows(table).filter(naming_them).collect(engine="streaming"))
    if person.kind == "rep":
        owned = found["versions"].select("opportunity_id").unique().lazy()
        found["opportunities"] = rows("opportunities").join(owned, on="opportunity_id", how="semi").collect()
    aside = pl.scan_parquet(version / "set_aside" / "*.parquet").filter(holding(person)).collect()
    own = pl.col("table") == own_table(person.kind)
    values = [
        _cells(person, text, is_own)
        for text, is_own in zip(aside["values"], aside.select(own).to_series(), strict=True)
    ]
    return found | {"set_aside": aside.with_columns(pl.Series("values", values, pl.String))}


def _alone(person: Person, table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in which nobody else is named or described."""
    for column in _WHO & set(rows.columns):
        theirs = pl.col(column).is_in(list(person.spellings)) | pl.col(column).is_null()
        rows = rows.with_columns(pl.when(theirs).then(column).otherwise(pl.lit(OTHER)).alias(column))
    if table != "reps":
        return rows
    own = pl.col("rep_id").is_in(list(person.ids))
    hidden = [name for name in rows.columns if name not in (*_LED, "rep_id")]
    return rows.with_columns(pl.when(own).then(name).alias(name) for name in hidden)


def _cells(person: Person, text: str | None, is_own: bool) -> str | None:
    """The cells of a row set aside that are about the person: all of their own, else those that name them."""
    cells = json.loads(text or "null")
    if is_own or not isinstance(cells, dict):
        return text
    spellings = {spelling.lower() for spelling in person.spellings}
    return json.dumps(
        {k: v for k, v in cells.items() if any(s in str(v).lower() for s in spellings)}, ensure_ascii=False
    )


def _once(table: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all versions, each once, with the versions it stands in."""
    rows = pl.concat(frames, how="diagonal_relaxed")
    columns = [name for name in rows.columns if name != IN_VERSIONS]
    key = STORED[table].primary_key() if table in STORED else ["file", "row"]
    return rows.group_by(columns, maintain_order=True).agg(IN_VERSIONS).sort(key, maintain_order=True)


def to_jsonable(value: Any) -> Any:
    """Frames as lists of rows, moments as ISO text."""
    if isinstance(value, pl.DataFrame):
        return [to_jsonable(row) for row in value.to_dicts()]
    if isinstance(value, dict):
        return {key: to_jsonable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [to_jsonable(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
