"""What of a book a reader may ever see. Every scan of theirs carries it, so that no plan of theirs holds what is others'."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from cadran.book.reader import Reader

if TYPE_CHECKING:
    from cadran.book.book import Book

#: The column of each table by which its rows are within reach, and what of the reach it is held to.
HELD_TO: dict[str, tuple[str, str]] = {
    "reps": ("rep_id", "reps"),
    "leads": ("rep_id", "leads"),
    "opportunities": ("opportunity_key", "deals"),
    "versions": ("opportunity_key", "deals"),
    "deal_contacts": ("opportunity_key", "deals"),
    "activities": ("opportunity_key", "deals"),
    "accounts": ("account_key", "accounts"),
    "contacts": ("contact_id", "contacts"),
    "targets": ("scope_id", "places"),
    "actions": ("scope_id", "places"),
}
#: Tables that tell of no person, no deal and no client.
FREE = frozenset({"calendar", "stages"})
#: What is done to the whole company is done to each of its sellers.
OF_ALL = "company"


@dataclass(frozen=True, eq=False)
class Reach:
    """Of the sellers who were a reader's at any moment: they, the deals they ever owned, and whom these are about.

    What a reader sees at one moment lies within it, and is less: `Book.deals` and `Book.table` hold it to that moment.
    """

    reps: pl.Series
    #: Sellers whose leads are theirs: none of a role that sees no deals.
    leads: pl.Series
    deals: pl.Series
    accounts: pl.Series
    contacts: pl.Series
    #: Regions, teams and sellers for whom goals are set and actions done.
    places: pl.Series

    def keeps(self, table: str, rows: nw.LazyFrame) -> nw.LazyFrame:
        """Of a table's rows, those within reach: a selection that an engine pushes into the scan of its files."""
        if table in FREE:
            return rows
        column, of = HELD_TO[table]
        if table == "actions":
            return rows.filter(
                nw.col(column).is_in(self.places.to_list()).fill_null(False) | (nw.col("scope") == OF_ALL)
            )
        return among(rows, column, getattr(self, of))


def reach_of(book: Book) -> Reach | None:
    """The reach of a book's reader; None for who sees all of it."""
    reader = book.reader
    if reader is None or not (reader.is_limited or not reader.may("deals")):
        return None
    return _reach(
        replace(book, reader=None, moment=book.settings.taken, corrected=False, rates_persons=False, viewed=None),
        reader.nobody,
    )


@lru_cache(maxsize=256)
def _reach(whole: Book, reader: Reader) -> Reach:
    reps = whole._stored("reps").select("rep_id", "region", "team")
    theirs = whole.collect(reps.filter(reader.has()) if reader.is_limited else reps)
    ids = theirs["rep_id"].unique().sort()
    owned = ids if reader.may("deals") else ids.clear()
    versions = among(whole._stored("versions"), "rep_id", owned)
    found = whole.collect(versions.select("opportunity_key", "account_key").unique())
    deals, accounts = found["opportunity_key"].unique().sort(), found["account_key"].drop_nulls().unique().sort()
    met = [_of(whole, name, "contact_id", "opportunity_key", deals) for name in ("deal_contacts", "activities")]
    met.append(
        _of(
            whole, "contacts", "contact_id", "account_id", _of(whole, "accounts", "account_id", "account_key", accounts)
        )
    )
    places = pl.concat(
        [ids, theirs["region"], theirs["team"], pl.Series([*reader.regions, *reader.teams], dtype=pl.String)]
    )
    return Reach(ids, owned, deals, accounts, pl.concat(met).unique().sort(), places.drop_nulls().unique().sort())


def _of(whole: Book, table: str, wanted: str, column: str, values: pl.Series) -> pl.Series:
    found = whole.collect(among(whole._stored(table), column, values).select(wanted).unique())
    return found[wanted].drop_nulls().unique().sort()


def among(rows: nw.LazyFrame, column: str, values: pl.Series) -> nw.LazyFrame:
    """The rows whose column has one of these values, which may be many."""
    native = rows.to_native()
    if isinstance(native, pl.LazyFrame):
        return nw.from_native(native.filter(pl.col(column).is_in(values.implode())))
    return rows.filter(nw.col(column).is_in(values.to_list()))
