"""From an event log (case, activity, moment, who did it) to deals, their versions and their touches."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from cadran.sources.feeds import VERSION_FIELDS, Feed, Touch
from cadran.sources.place import ID
from cadran.sources.rules import broken
from cadran.sources.spans import MOMENT
from cadran.tables import TABLES

#: Events of one moment follow each other by this much, so that each stage crossed is counted.
TICK = pl.duration(microseconds=1)


@dataclass(frozen=True)
class Told:
    """What events tell: rows of three tables with `ID`, and what was wrong (`BROKEN`)."""

    opportunities: pl.DataFrame
    versions: pl.DataFrame
    activities: pl.DataFrame
    wrong: pl.DataFrame


def told(events: pl.DataFrame, logs: list[Feed], order: list[str], first_stage: str, until: datetime) -> Told:
    """Deals, versions and activities of an event log.

    A deal is created at its first event, whatever that is, in the first stage unless that event says another. An
    activity that is a stage or an outcome moves it; one that repeats the present stage changes nothing. After an
    outcome, touches go on, and a stage opens the deal again. Events of one moment are put in the order of the
    pipeline, touches last. A case whose first event is an outcome was open before, in the first stage. Who made a
    move is the deal's seller from then on.

    Args:
        events: Fields of the events feeds with `ID`: `case`, `activity`, `at`, `resource` and what else is mapped.
        logs: The events feeds, which say what each activity means.
        order: Stages in the order of the pipeline.
        first_stage: The stage a deal is created in.
        until: The moment the data was taken.
    """
    stages = {a: s for log in logs for a, s in {**log.stages, **log.outcomes}.items()}
    touches = {a: t for log in logs for a, t in log.touches.items()}
    outcomes = [s for log in logs for s in log.outcomes.values()]
    ignored = [a for log in logs for a in log.ignored]
    named = pl.col("activity").is_in([*stages, *touches])
    wrong = [
        broken(events.filter(pl.col("activity").is_in(ignored))[ID], "activity", "ignored"),
        broken(events.filter(~named & ~pl.col("activity").is_in(ignored))[ID], "activity", "no_meaning"),
        broken(events.filter(pl.col("at") > until)[ID], "at", "happens_later"),
    ]
    events = events.filter(named, pl.col("at") <= until).drop_nulls("case")
    if "resource" not in events.columns:
        events = events.with_columns(resource=pl.lit(None, pl.String))
    place = {stage: i for i, stage in enumerate(order)}
    events = events.with_columns(
        stage=pl.col("activity").replace_strict(stages, default=None, return_dtype=pl.String),
    ).with_columns(place=pl.col("stage").replace_strict(place, default=None, return_dtype=pl.Int64))
    events = events.sort("case", "at", "place", "activity", pl.col("resource"), ID, nulls_last=True)
    return Told(
        _opportunities(events),
        _versions(events, first_stage, outcomes),
        _activities(events.filter(pl.col("stage").is_null()), touches),
        pl.concat(wrong),
    )


def _opportunities(events: pl.DataFrame) -> pl.DataFrame:
    own = [c for c in TABLES["opportunities"].column_names() if c in events.columns]
    return events.group_by(pl.col("case").alias("opportunity_id"), maintain_order=True).agg(
        pl.col(ID).first(), pl.col("at").first().alias("created_at"), *(pl.col(c).drop_nulls().first() for c in own)
    )


def _versions(events: pl.DataFrame, first_stage: str, outcomes: list[str]) -> pl.DataFrame:
    """One row at the first event of a case, and one at each move to another stage or change of another field."""
    more = [n for n in VERSION_FIELDS if n in events.columns]
    first = pl.col("case").is_first_distinct()
    at_once = events.filter(first, pl.col("stage").is_in(outcomes)).with_columns(
        stage=pl.lit(None, pl.String), place=pl.lit(-1, pl.Int64)
    )
    events = pl.concat([events, at_once]).sort("case", "at", "place", maintain_order=True, nulls_last=True)
    filled = events.with_columns(pl.col("stage", *more).forward_fill().over("case"), first=first)
    filled = filled.with_columns(pl.col("stage").fill_null(first_stage))
    # Whoever made the last move owns the deal; until a move, whoever came first.
    mover = pl.when(first | (pl.col("place") >= 0)).then("resource").forward_fill().over("case")
    filled = filled.with_columns(rep_id=mover)
    facts = ["stage", *more]
    is_new = first | pl.any_horizontal(pl.col(f).ne_missing(pl.col(f).shift(1).over("case")) for f in facts)
    rows = filled.filter(is_new)
    nth = pl.int_range(pl.len()).over("case", "at")
    return rows.select(
        ID,
        pl.col("case").alias("opportunity_id"),
        (pl.col("at") + nth * TICK).cast(MOMENT).alias("valid_from"),
        "stage",
        "rep_id",
        *more,
    )


def _activities(events: pl.DataFrame, touches: dict[str, Touch]) -> pl.DataFrame:
    """Touches. Their identifier is made of what they are, so that the same log gives the same ones again."""
    kinds = {activity: touch.kind for activity, touch in touches.items()}
    directions = {activity: touch.direction for activity, touch in touches.items()}
    types = TABLES["activities"].create_empty().schema
    nth = pl.int_range(pl.len()).over("case", "activity", "at")
    name = pl.format("{}/{}/{}", "case", "activity", pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.f"))
    again = pl.when(nth > 0).then(pl.format("/{}", nth + 1)).otherwise(pl.lit(""))
    return events.select(
        ID,
        (name + again).alias("activity_id"),
        pl.col("case").alias("opportunity_id"),
        pl.col("resource").alias("rep_id"),
        pl.col("activity")
        .replace_strict(kinds, default=None, return_dtype=pl.String)
        .cast(types["kind"])
        .alias("kind"),
        pl.col("activity")
        .replace_strict(directions, default=None, return_dtype=pl.String)
        .cast(types["direction"])
        .alias("direction"),
        pl.col("at").alias("at"),
    )
