"""The stages: those that the mapping lists, those that a file tells, and what is told of each."""

import re
from typing import Any

import polars as pl

from cadran.sources.feeds import Mapping
from cadran.sources.headers import plain
from cadran.sources.place import ID
from cadran.sources.spans import complete
from cadran.tables import TABLES
from cadran.tables.deals import STATUSES
from cadran.tables.problems import Problem

#: Whether a stage's kind is told, by the mapping or a file; else it is that of its name, or open.
TOLD = "@told"
AS_OPEN = "in a stage of which nothing tells the kind, taken as open; list it in `stages` with its kind"
BY_NAME = "in a stage of which its name alone tells the kind, taken at its word; list it in `stages` with its kind"
_BEFORE = r"^(?:(?:deal|opportunity|affaire|opportunite|closed?|closee?|cloturee?|fermee?)_?){0,2}"
#: Names that leave no doubt. (What a proposed mapping guesses is read by somebody before it counts.)
_CLEAR = {
    "won": _BEFORE + r"(?:won|gagnee?s?)(?:_|$)",
    "lost": _BEFORE + r"(?:lost|perdue?s?)(?:_|$)",
    "disqualified": r"^(?:disqualified|unqualified|disqualifiee?s?|non_qualifiee?s?)(?:_|$)",
}


def stages(mapping: Mapping, rows: pl.DataFrame | None) -> tuple[pl.DataFrame, str]:
    """The `stages` table with `TOLD`, and the stage that a deal is created in: the one so marked, else the first open.

    Stages that the mapping lists prevail over those of a file. Where a file gives no kind, closed and won tell it, else
    the name; where it gives no position, the chance of winning does, and closed stages come last.
    """
    columns = TABLES["stages"].create_empty().schema
    said = [(s.stage, position, s.kind, s.is_qualified, s.probability) for position, s in enumerate(mapping.stages)]
    listed = pl.DataFrame(said, schema=columns, orient="row")
    listed = listed.with_columns(pl.lit(None, pl.Int64).alias(ID), pl.lit(True).alias(TOLD))
    if rows is not None:
        rows = _as_stages(rows.join(listed, on="stage", how="anti", maintain_order="left"))
        listed = pl.concat([listed, rows.select(pl.col(n).cast(d) for n, d in listed.schema.items())])
    marked = [s.stage for s in mapping.stages if s.at_creation]
    first = listed.filter(pl.col("kind") == "open").sort("position", maintain_order=True)["stage"].to_list()
    if not marked and not first:
        raise Problem("{file}: no stage is of kind open.", "Complete the stages.", file=mapping.path.name)
    return listed, (marked or first)[0]


def _as_stages(rows: pl.DataFrame) -> pl.DataFrame:
    kinds: dict[str, Any] = {"kind": pl.Enum(STATUSES), "is_closed": pl.Boolean, "is_won": pl.Boolean}
    more: dict[str, Any] = {"probability": pl.Float64, "position": pl.Int64, "is_qualified": pl.Boolean}
    rows = complete(rows, [*kinds.items(), *more.items()])
    rows = rows.with_columns(pl.any_horizontal(pl.col(name).is_not_null() for name in kinds).alias(TOLD))
    won, closed = (pl.col(name).fill_null(False) for name in ("is_won", "is_closed"))
    flagged = pl.when(won).then(pl.lit("won")).when(closed).then(pl.lit("lost")).when(TOLD).then(pl.lit("open"))
    named = pl.Series("@named", [_kind(name) for name in rows["stage"]], kinds["kind"])
    rows = rows.with_columns(kind=pl.coalesce("kind", flagged.cast(kinds["kind"]), named))
    order = rows.with_row_index("@met").sort(pl.col("kind") != "open", "kind", "probability", "@met", nulls_last=True)
    order = order.select("stage", "@met", place=pl.int_range(pl.len()))
    rows = rows.with_row_index("@met").join(order, on=["stage", "@met"], how="left", maintain_order="left")
    return rows.with_columns(
        position=pl.coalesce("position", "place"),
        is_qualified=pl.coalesce("is_qualified", pl.col("kind") != "disqualified"),
    )


def _kind(name: str | None) -> str:
    """What a stage is by its name, if that is clear; else open."""
    return next((kind for kind, pattern in _CLEAR.items() if re.search(pattern, plain(name or ""))), "open")


def untold(versions: pl.DataFrame, known: pl.DataFrame) -> list[tuple[str, int, set[str]]]:
    """The deals that were in a stage whose kind nothing tells: a remark, how many, and the stages.

    Args:
        versions: Versions accepted.
        known: From `stages`.
    """
    guessed = known.filter(~pl.col(TOLD)).select("stage", "kind")
    if guessed.is_empty():
        return []
    met = versions.select("opportunity_id", "stage").join(guessed, on="stage")
    is_open = pl.col("kind") == "open"
    found = [(AS_OPEN, met.filter(is_open)), (BY_NAME, met.filter(~is_open))]
    return [(note, own["opportunity_id"].n_unique(), set(own["stage"])) for note, own in found]
