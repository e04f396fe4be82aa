"""How regularly people are met, group by group: none of them, and no difference of two, tells of one manager."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import is_active
from cadran.book.one_to_ones import one_to_ones
from cadran.book.whole import whole_of
from cadran.measures.counting import wilson
from cadran.measures.one_to_ones import WEEKS, people
from cadran.measures.staff import LEAST_PERSONS
from cadran.models.disclosure import withheld
from cadran.tables.measured.one_to_ones import Regularity
from cadran.tables.one_to_ones import HELD, PLANNED

ONE_MANAGER = "It would tell of one manager; ratings of named persons are closed."
FEW = "Fewer than five people there have a manager who notes one-to-ones."


def regularity(book: Book, on: date) -> pl.DataFrame:
    """How regularly the people of the company, its regions and its teams are met: `Regularity`.

    What would be told of one manager, by itself or as the difference of two groups, is not, unless named persons may be
    rated (`cadran activate individual`).

    Args:
        book: At its moment; a reader of some regions or teams is told those.
        on: The day it is.
    """
    whole = whole_of(book, __name__)
    # Of managers who have noted none, nobody knows how regular they are: their people are in no group.
    known = people(whole, on).filter(pl.col("is_on_rhythm").is_not_null())
    met = one_to_ones(whole, on)
    groups: list[dict[str, str | None]] = [{"region": None, "team": None}]
    groups += [{"region": region, "team": None} for region in known["region"].drop_nulls().unique().sort()]
    groups += (
        known.filter(pl.col("team").is_not_null()).select("region", "team").unique().sort("region", "team").to_dicts()
    )
    inside = [_inside(known, group) for group in groups]
    hidden = np.zeros(len(groups), bool) if is_active(book) else _hidden(groups, inside, known["manager"].to_list())
    rows = []
    for group, is_in, is_hidden in zip(groups, inside, hidden, strict=True):
        theirs = known.filter(pl.Series(is_in))
        if not _may_read(book, group):
            continue
        if theirs.height < LEAST_PERSONS or is_hidden:
            rows.append(group | {"reason": ONE_MANAGER if is_hidden else FEW})
            continue
        rows.append(group | _told(theirs, met, on))
    types = dict(Regularity.create_empty().schema)
    return pl.DataFrame(rows, schema=types, orient="row")


def _inside(known: pl.DataFrame, group: dict[str, str | None]) -> np.ndarray:
    is_in = pl.lit(True)
    if group["region"] is not None or group["team"] is not None:
        is_in = pl.col("region").eq_missing(pl.lit(group["region"], pl.String))
    if group["team"] is not None:
        is_in = is_in & (pl.col("team") == group["team"]).fill_null(False)
    return known.select(pl.repeat(True, pl.len()) & is_in).to_series().to_numpy()


def _hidden(groups: list[dict[str, str | None]], inside: list[np.ndarray], managers: list[str]) -> np.ndarray:
    """(groups,) whether each is left out, so that no sum or difference of the others is one manager's."""
    levels = [[place for place, each in enumerate(groups) if (each["region"] is None, each["team"] is None) == level]
              for level in ((True, True), (False, True))]  # fmt: skip
    levels.append([place for place, each in enumerate(groups) if each["team"] is not None])
    levels = [level for level in levels if level]
    if not managers:
        return np.zeros(len(groups), bool)
    hidden = np.zeros(len(groups), bool)
    for level, gone in zip(
        levels, withheld([np.array([inside[p] for p in level]) for level in levels], managers), strict=True
    ):
        hidden[np.array(level)[gone]] = True
    return hidden


def _may_read(book: Book, group: dict[str, str | None]) -> bool:
    reader = book.reader
    if reader is None or not reader.is_limited:
        return True
    return group["region"] in reader.regions or (group["team"] is not None and group["team"] in reader.teams)


def _told(theirs: pl.DataFrame, met: pl.DataFrame, on: date) -> dict[str, Any]:
    n, n_on = theirs.height, int(theirs["is_on_rhythm"].sum())
    low, high = wilson(n_on / n, n)
    own = met.join(theirs.select("person"), on="person", how="semi")
    held = own.filter(pl.col("kind") == HELD, pl.col("day") > on - timedelta(weeks=WEEKS)).sort("person", "day")
    gaps = held.select(pl.col("day").diff().over("person").dt.total_days()).to_series().drop_nulls()
    late = own.filter(pl.col("kind") == PLANNED, pl.col("day") < on).join(
        own.filter(pl.col("kind") == HELD), on=["person", "manager", "day"], how="anti"
    )
    return {
        "n_people": n, "n_managers": theirs["manager"].n_unique(), "n_on_rhythm": n_on, "on_rhythm_share": n_on / n,
        "on_rhythm_share_low": low, "on_rhythm_share_high": high, "n_held": held.height, "median_gap_days": gaps.median(),
        "n_late_plans": late.height,
    }  # fmt: skip
