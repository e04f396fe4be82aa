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

#: What is noted of logs that alone tell of deals, where no activity ends one so.
NEVER = {
    "won": "a deal that cannot be won: no activity of the event log means it; name one in its `outcomes`",
    "lost": "a deal that cannot be lost: no activity of the event log means it; name one in its `outcomes`",
}


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
    # By a hash of the case: any order of cases will do, and texts are slow to sort.
    events = events.sort(pl.col("case").hash(0), "at", "place", pl.col("resource").hash(0), ID, nulls_last=True)
    events = events.with_columns(first=(pl.col("case") != pl.col("case").shift(1)).fill_null(True))
    return Told(
        _opportunities(events),
        _versions(events, first_stage, outcomes),
        _activities(events.filter(pl.col("stage").is_null()), touches),
        pl.concat(wrong),
    )


def never(feeds: list[Feed], stages: pl.DataFrame) -> list[str]:
    """Which of `NEVER` are to be noted of the feeds of a mapping, whose stages are as in `TABLES`."""
    if {"deals", "opportunities", "versions"} & {feed.table for feed in feeds}:
        return []
    named = [stage for log in feeds for stage in (*log.stages.values(), *log.outcomes.values())]
    kinds = set(stages.filter(pl.col("stage").is_in(named))["kind"].cast(pl.String))
    return [note for kind, note in NEVER.items() if kind not in kinds]


def _opportunities(events: pl.DataFrame) -> pl.DataFrame:
    own = [c for c in TABLES["opportunities"].column_names() if c in events.columns]
    heads = events.filter("first").select(ID, opportunity_id="case", created_at="at")
    if not own:
        return heads
    facts = events.group_by(pl.col("case").alias("opportunity_id")).agg(pl.col(c).drop_nulls().first() for c in own)
    return heads.join(facts, on="opportunity_id", maintain_order="left")


def _versions(events: pl.DataFrame, first_stage: str, outcomes: list[str]) -> pl.DataFrame:
    """One row at the first event of a case, and one at each move to another stage or change of another field."""
    more = [n for n in VERSION_FIELDS if n in events.columns]
    # A case that begins with its outcome has a row before it, of which nothing is told but the moment.
    at_once = events.filter("first", pl.col("stage").is_in(outcomes)).with_columns(
        stage=pl.lit(None, pl.String), place=pl.lit(-1, pl.Int64)
    )
    again = [pl.col("case").hash(0), pl.col("at"), pl.col("place")]
    events = pl.concat([events, at_once]).sort(again, maintain_order=True, nulls_last=True).with_row_index("row")
    first = (pl.col("case") != pl.col("case").shift(1)).fill_null(True)
    events = events.with_columns(first=first).with_columns(start=pl.when("first").then("row").forward_fill())
    # Whoever made the last move owns the deal; until a move, whoever came first.
    mover = pl.when(pl.col("first") | (pl.col("place") >= 0)).then("resource")
    filled = events.with_columns(mover.alias("rep_id")).with_columns(_carried(n) for n in ("stage", "rep_id", *more))
    filled = filled.with_columns(pl.col("stage").fill_null(first_stage))
    is_new = pl.col("first") | pl.any_horizontal(pl.col(f).ne_missing(pl.col(f).shift(1)) for f in ("stage", *more))
    rows = filled.filter(is_new).with_row_index("nth")
    begins = pl.col("first") | (pl.col("at") != pl.col("at").shift(1)).fill_null(True)
    nth = (pl.col("nth") - pl.when(begins).then("nth").forward_fill()).cast(pl.Int64)
    return rows.select(
        ID,
        pl.col("case").alias("opportunity_id"),
        (pl.col("at") + nth * TICK).cast(MOMENT).alias("valid_from"),
        "stage",
        "rep_id",
        *more,
    )


def _carried(name: str) -> pl.Expr:
    """The last value told so far of the same case (`row`, and `start`: that of the first of the case)."""
    told = pl.when(pl.col(name).is_not_null()).then("row").forward_fill()
    return pl.col(name).gather(pl.when(told >= pl.col("start")).then(told)).alias(name)


def _activities(events: pl.DataFrame, touches: dict[str, Touch]) -> pl.DataFrame:
    """Touches. Their identifier is made of what they are, so that the same log gives the same ones again."""
    kinds = {activity: touch.kind for activity, touch in touches.items()}
    directions = {activity: touch.direction for activity, touch in touches.items()}
    types = TABLES["activities"].create_empty().schema
    name = pl.format("{}/{}/{}", "case", "activity", pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.f"))
    events = events.with_columns(activity_id=name)
    same = events.filter(pl.col("activity_id").is_duplicated())
    nth = pl.int_range(1, pl.len() + 1).over("activity_id")
    again = same.select(ID, nth=nth).filter(pl.col("nth") > 1)
    events = events.join(again, on=ID, how="left", maintain_order="left")
    return events.select(
        ID,
        pl.concat_str("activity_id", "nth", separator="/", ignore_nulls=True).alias("activity_id"),
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
