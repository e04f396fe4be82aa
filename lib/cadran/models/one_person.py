"""What may be told of sellers where persons may not be rated: nothing that is one person's, or gives it away."""

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.models.booked import deals_known
from cadran.models.disclosure import withheld
from cadran.tables.problems import Problem

#: The levels at which groups of sellers have a name, the coarser first.
LEVELS = ("region", "team")


def in_scope(sellers: pl.DataFrame, book: Book) -> pl.Series:
    """Whether the book's reader may see each seller."""
    reader = book.reader
    if reader is None or not reader.is_limited:
        return pl.Series([True]).new_from_index(0, sellers.height)
    theirs = pl.col("region").is_in(list(reader.regions)) | pl.col("team").is_in(list(reader.teams))
    return sellers.select(theirs.fill_null(False)).to_series()


def named(sellers: pl.DataFrame, book: Book) -> dict[str, list[str]]:
    """The regions and the teams that may be named beside the sum of all these sellers, the rest standing together.

    Args:
        sellers: `rep_id`, `region`, `team`, of those a reader may see; null where unknown.
        book: At its moment, with its reader.

    Raises:
        Problem: If that sum is one person's.
    """
    names = {level: sellers[level].drop_nulls().unique().sort().to_list() for level in LEVELS}
    totals = [
        np.array([sellers[level].eq_missing(name) for name in each], bool).reshape(len(each), sellers.height)
        for level, each in names.items()
    ]
    gone = withheld([np.ones((1, sellers.height), bool), *totals], sellers["rep_id"].to_list())
    if gone[0].any():
        raise _alone(book)
    return {
        level: [name for name, is_gone in zip(names[level], each, strict=True) if not is_gone]
        for level, each in zip(LEVELS, gone[1:], strict=True)
    }


def of_groups(told: pl.DataFrame, book: Book) -> pl.DataFrame:
    """What is told of the company and of regions (`level`, `group`), without the regions that would tell of one person.

    Args:
        told: Of any days: whoever ever owned a deal is looked at.
        book: At its moment, with its reader.

    Raises:
        Problem: If one person alone ever sold.
    """
    if book.rates_persons:
        return told
    owners = deals_known(book).select("rep_id", *LEVELS).unique()
    names = named(owners, book)["region"]
    kept = (pl.col("level") == "company") | pl.col("group").is_in(names)
    if len(names) == owners["region"].drop_nulls().n_unique():
        kept |= pl.col("group").is_null()  # what is not known stands beside all the others, not for some of them
    return told.filter(kept.fill_null(False))


def check_whole(sellers: pl.DataFrame, book: Book) -> None:
    """Refuse what is told of the whole company, if it is one person's, or is but for those whom the reader sees.

    Args:
        sellers: `rep_id`, `region`, `team`, of all.
        book: At its moment, with its reader.

    Raises:
        Problem: If it is.
    """
    persons, theirs = sellers["rep_id"].to_list(), in_scope(sellers, book)
    parts = [] if theirs.all() else [theirs.to_numpy()[None]]
    if not withheld([*parts, np.ones((1, sellers.height), bool)], persons)[-1].any():
        return
    if not parts:
        raise _alone(book)
    raise Problem(
        "All but one of the company's sellers are in your regions and teams: what is told of the company would tell of that "
        "one person.",
        "Ask for your own alone. `cadran activate individual` opens it, once what the law asks for is on record.",
    )


def _alone(book: Book) -> Problem:
    if book.reader is not None and book.reader.is_limited:
        return Problem(
            "In these regions and teams one person alone sells: what is told of them would be that person's.",
            "Ask for more of them. `cadran activate individual` opens it, once what the law asks for is on record.",
        )
    return Problem(
        "In this company one person alone sells: what is told of it would be that person's.",
        "`cadran activate individual` opens it, once what the law asks for is on record.",
    )
