"""What may be told of sellers where persons may not be rated: nothing that is one person's, or gives it away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import is_active
from cadran.models.booked import deals_known
from cadran.models.disclosure import withheld
from cadran.tables.problems import Problem

if TYPE_CHECKING:
    from cadran.models.workforce import Row

#: The levels at which groups of sellers have a name, the coarser first.
LEVELS = ("region", "team")


def in_scope(sellers: pl.DataFrame, book: Book) -> pl.Series:
    """Whether the book's reader may see each seller."""
    reader = book.reader
    if reader is None or not reader.is_limited:
        return pl.Series([True]).new_from_index(0, sellers.height)
    places = sellers if "rep_id" in sellers.columns else sellers.with_columns(rep_id=pl.lit(None, pl.String))
    return nw.from_native(places).with_columns(has=reader.has()).to_native()["has"]


def named(sellers: pl.DataFrame, book: Book) -> dict[str, list[str]]:
    """The regions and the teams that may be named beside the sum of all these sellers, the rest standing together.

    Args:
        sellers: `rep_id`, `region`, `team`, of those a reader may see; null where unknown.
        book: At its moment, with its reader.

    Raises:
        Problem: If that sum is one person's, and less than the company's.
    """
    names, _, gone = _groups(sellers, book)
    if gone[0].any():
        raise _alone()
    return {
        level: [name for name, is_gone in zip(names[level], each, strict=True) if not is_gone]
        for level, each in zip(LEVELS, gone[1:], strict=True)
    }


def _whose(sellers: pl.DataFrame, book: Book) -> list[str | None]:
    """Whose each seller's part is; nobody's where the whole company is one person's, who reads it reads its books."""
    is_whole = book.reader is None or not book.reader.is_limited
    return (
        [None] * sellers.height
        if is_whole and sellers["rep_id"].drop_nulls().n_unique() == 1
        else sellers["rep_id"].to_list()
    )


def _groups(sellers: pl.DataFrame, book: Book) -> tuple[dict[str, list[str]], list[np.ndarray], list[np.ndarray]]:
    """Names by level; then of all together, of the regions and of the teams: (groups, sellers) who is in each, and
    (groups,) whether it is left out."""
    names = {level: sellers[level].drop_nulls().unique().sort().to_list() for level in LEVELS}
    totals = [np.ones((1, sellers.height), bool)] + [
        np.array([sellers[level].eq_missing(name) for name in each], bool).reshape(len(each), sellers.height)
        for level, each in names.items()
    ]
    return names, totals, withheld(totals, _whose(sellers, book))


@dataclass(frozen=True)
class Seen:
    """Of the rows of a plan, (rows,) each: whether a reader sees it, and whether its revenue too."""

    rows: np.ndarray
    revenue: np.ndarray


def seen_of(book: Book, rows: "Sequence[Row]", holds: np.ndarray, sellers: pl.DataFrame) -> Seen:
    """Which rows of a plan the book's reader sees: the company's and those of their regions and teams. The revenue of a
    row is left out where it would tell of one person: by itself, taken off other rows, or off the forecast's.

    Args:
        book: At its moment, with its reader.
        rows: The company, regions, teams.
        holds: (rows, sellers) whether each row holds each seller.
        sellers: `rep_id`, `region`, `team`, of those whose bookings are forecast.
    """
    reader = book.reader
    seen = np.ones(len(rows), bool)
    if reader is not None and reader.is_limited:
        seen = np.array([row.level == "company" or row.region in reader.regions
                         or (row.level == "team" and row.group in reader.teams) for row in rows], bool)  # fmt: skip
    if is_active(book):
        return Seen(seen, seen)
    theirs = in_scope(sellers, book).to_numpy()
    forecast = []
    for totals, gone in zip(*_groups(sellers.filter(theirs), book)[1:], strict=True):
        whole = np.zeros((len(totals), len(theirs)), bool)
        whole[:, theirs] = totals
        forecast.append(whole[~gone])
    places = [np.flatnonzero(seen & [row.level == level for row in rows]) for level in ("company", *LEVELS)]
    left_out = withheld([*forecast, *(holds[place] for place in places)], _whose(sellers, book))[len(forecast) :]
    revenue = seen.copy()
    for place, gone in zip(places, left_out, strict=True):
        revenue[place[gone]] = False
    return Seen(seen, revenue)


def of_groups(told: pl.DataFrame, book: Book) -> pl.DataFrame:
    """What is told of the company and of regions (`level`, `group`), without the regions that would tell of one person.

    Args:
        told: Of any days: whoever ever owned a deal is looked at.
        book: At its moment, with its reader.

    Raises:
        Problem: As `named`.
    """
    if is_active(book):
        return told
    owners = deals_known(book).select("rep_id", *LEVELS).unique()
    names = named(owners, book)["region"]
    kept = (pl.col("level") == "company") | pl.col("group").is_in(names)
    if len(names) == owners["region"].drop_nulls().n_unique():
        kept |= pl.col("group").is_null()  # what is not known stands beside all the others, not for some of them
    return told.filter(kept.fill_null(False))


def check_whole(sellers: pl.DataFrame, book: Book) -> None:
    """Refuse what is told of the whole company to a reader of a part, if it is one person's but for those they see.

    Args:
        sellers: `rep_id`, `region`, `team`, of all.
        book: At its moment, with its reader.

    Raises:
        Problem: If it is.
    """
    theirs = in_scope(sellers, book)
    parts = [] if theirs.all() else [theirs.to_numpy()[None]]
    if not withheld([*parts, np.ones((1, sellers.height), bool)], _whose(sellers, book))[-1].any():
        return
    if not parts:
        raise _alone()
    raise Problem(
        "All but one of the company's sellers are in your regions and teams: what is told of the company would tell of that "
        "one person.",
        "Ask for your own alone. `cadran activate individual` opens it, once what the law asks for is on record.",
    )


def _alone() -> Problem:
    return Problem(
        "In these regions and teams one person alone sells: what is told of them would be that person's.",
        "Ask for more of them. `cadran activate individual` opens it, once what the law asks for is on record.",
    )
