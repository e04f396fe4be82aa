"""Who is invited to a survey: a CSV or a workbook of people, one row each, as any personnel system exports it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cadran.sources.feeds import File
from cadran.sources.headers import plain
from cadran.sources.read import LINE, RAGGED, ROW, read
from cadran.tables.problems import Problem

#: What a header may be called, beside the name of its column, once it is written plainly.
_HEADERS = {
    "person": (
        "personne",
        "email",
        "e_mail",
        "mail",
        "courriel",
        "adresse_mail",
        "id",
        "identifier",
        "identifiant",
        "matricule",
    ),
    "name": ("full_name", "nom_complet", "nom"),
    "first_name": ("prenom", "given_name"),
    "last_name": ("surname", "family_name", "nom_de_famille"),
    "language": ("langue", "lang"),
    "region": ("sales_region",),
    "team": ("equipe",),
    "department": ("departement", "service", "direction"),
    "role": ("fonction", "poste", "job_title"),
    "tenure": ("anciennete",),
    "site": ("lieu", "etablissement"),
    "contract": ("contrat", "type_de_contrat"),
    "country": ("pays",),
}
_NAMES = ("first_name", "name", "last_name")


@dataclass(frozen=True)
class Invitations:
    """Who is invited: `person`, `name` and `language` where they are told, and the cuts. Null where blank."""

    rows: pl.DataFrame
    #: What is wrong with the rows that are set aside.
    problems: list[Problem]


def read_invited(path: Path, cuts: Sequence[str]) -> Invitations:
    """Read who is invited. A row without a person, and the further ones of a person, are set aside.

    Args:
        path: The file.
        cuts: What the survey cuts by: a column for each must be there; its cells may be blank.

    Raises:
        Problem: If the file cannot be read, or lacks a column.
    """
    found = read(File("people", (path.name,)), path.parent)
    columns = _columns(found.columns)
    if missing := [name for name in ("person", *cuts) if name not in columns]:
        raise Problem(
            "{file} has no column {columns}.",
            "Add it: person (an e-mail address or an identifier) and what the survey cuts by, {cuts}; its columns are: {there}.",
            file=path.name, columns=", ".join(missing), cuts=", ".join(cuts) or "-", there=", ".join(found.columns),
        )  # fmt: skip
    frame = found.frame.select(
        ROW, LINE, RAGGED, *(pl.col(column).cast(pl.String).alias(name) for name, column in columns.items())
    )
    frame = frame.with_columns(pl.col(*columns).str.strip_chars().replace("", None))
    problems, seen, kept = [], dict[str, int](), []
    for number, row in enumerate(frame.iter_rows(named=True)):
        key = unicodedata.normalize("NFKC", row["person"] or "").casefold()
        line = row[LINE] or row[ROW]
        if row[RAGGED]:
            told = (
                "{file}, line {line}: it has more or fewer cells than the header.",
                "Repair the row, then open again.",
            )
        elif not key:
            told = ("{file}, line {line}: no person stands there.", "Write their e-mail address or identifier.")
        elif key in seen:
            told = ("{file}, line {line}: {person} stands in line {first} already.", "Leave one row for each person.")
        else:
            seen[key] = line
            kept.append(number)
            continue
        problems.append(Problem(*told, file=path.name, line=line, person=row["person"], first=seen.get(key)))
    rows = frame[kept].select(
        "person", *([_name(columns)] if set(_NAMES) & set(columns) else []), *({"language", *cuts} & set(columns))
    )
    return Invitations(rows, problems)


def _columns(there: Sequence[str]) -> dict[str, str]:
    """By what it holds: the column of the file."""
    found: dict[str, str] = {}
    for name, others in _HEADERS.items():
        called = [column for known in (name, *others) for column in there if plain(column) == known]
        if called:
            found[name] = called[0]
    return found


def _name(columns: dict[str, str]) -> pl.Expr:
    parts = [name for name in _NAMES if name in columns]
    return pl.concat_str(parts, separator=" ", ignore_nulls=True).replace("", None).alias("name")
