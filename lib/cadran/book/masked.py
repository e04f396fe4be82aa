"""What stands for clients and people in a book whose reader is to see groups alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from cadran.book.persons import NAMED, WORDS
from cadran.book.reader import Reader

if TYPE_CHECKING:
    from cadran.book.book import Book

#: Roles whose readers see neither clients nor people by name.
MASKED = frozenset({"presenter"})
#: Columns that name a client, wherever they stand; of its own table also `merged_into`.
_CLIENT = ("account_id", "parent_account_id")
_OF_CLIENTS = ("accounts", "contacts", "opportunities")
#: What stands for words that may mention somebody.
_WORDLESS = "–"
#: What stands for whom, of so many versions.
_KEPT: dict[tuple[Path, str], dict[str, dict[str, str]]] = {}
_MOST = 8


def is_masked(reader: Reader | None) -> bool:
    """Whether a reader sees neither clients nor people by name."""
    return reader is not None and reader.role in MASKED


def masked(rows: nw.LazyFrame, table: str, book: Book) -> nw.LazyFrame:
    """Rows of a stored table in which an identifier of the book's own stands for each client and each person, the same
    wherever they stand: what is counted and joined stays what it is. Their names are null.
    """
    there = set(rows.collect_schema().names())
    stands = stands_of(book)
    clients = {*_CLIENT, *(("merged_into",) if table == "accounts" else ())} & there
    persons = set(NAMED["rep"].get(table, ())) & there
    changed = [_told(column, stands["clients"]) for column in sorted(clients)]
    for column in sorted(persons):
        told = _told(column, stands["persons"])
        is_person = nw.col("scope") == "rep" if column == "scope_id" else None
        changed.append(
            told if is_person is None else nw.when(is_person).then(told).otherwise(nw.col(column)).alias(column)
        )
    if table in ("reps", "accounts"):
        changed.append(nw.lit(None, nw.String).alias("name"))
    changed += [nw.lit(_WORDLESS).alias(column) for column in WORDS.get(table, ()) if not column.endswith("_id")]
    return rows.with_columns(*changed) if changed else rows


def names_to_hide(book: Book, columns: Iterable[str]) -> pl.DataFrame:
    """These columns of the book's sellers as the source names them, of the reader's scope: what a page must not show,
    which it has to know to hide it in the names of groups, and a model to find them in the whole book."""
    whole = replace(book, reader=replace(book.reader, role="")) if book.reader else book
    return book.collect(whole.table("reps").select(*columns))


def _told(column: str, stands: Mapping[str, str]) -> nw.Expr:
    return nw.col(column).replace_strict(list(stands), list(stands.values()), default=None, return_dtype=nw.String)


def stands_of(book: Book) -> dict[str, dict[str, str]]:
    """What stands for each client and each person of a book, under all names and identifiers that it has for them."""
    key = (book.version, book.seal)
    if key not in _KEPT:
        if len(_KEPT) >= _MOST:
            _KEPT.clear()
        _KEPT[key] = _made(book)
    return _KEPT[key]


def _made(book: Book) -> dict[str, dict[str, str]]:
    persons = [_all(book, table, column) for table, columns in NAMED["rep"].items() for column in columns]
    clients = [_all(book, table, column) for table in _OF_CLIENTS for column in _CLIENT]
    told = _numbered("person", set().union(*persons))
    # A source may write a manager's name in place of the identifier.
    reps = book.collect(book._all("reps").select("rep_id", "name").unique())
    told |= {name: told[rep_id] for rep_id, name in reps.drop_nulls().sort("rep_id", "name").iter_rows()}
    return {"persons": told, "clients": _numbered("client", set().union(*clients))}


def _numbered(what: str, names: set[str]) -> dict[str, str]:
    """A number for each, in their order, and sorted as they are: what is drawn by chance is drawn alike."""
    width = len(str(len(names)))
    return {each: f"{what}.{number:0{width}}" for number, each in enumerate(sorted(names), 1)}


def _all(book: Book, table: str, column: str) -> set[str]:
    rows = book._all(table)
    if column not in rows.collect_schema():
        return set()
    if column == "scope_id":
        rows = rows.filter(nw.col("scope") == "rep")
    found = book.collect(rows.select(column).unique())
    return set(found[column].drop_nulls().to_list())
