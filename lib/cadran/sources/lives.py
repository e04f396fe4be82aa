"""The lives of deals: from one row each, from the history of each, or from both put together."""

from collections.abc import Mapping as Dict
from datetime import datetime
from typing import Any

import polars as pl

from cadran.sources.changes import fields_of, states, torn_keys
from cadran.sources.feeds import VERSION_FIELDS
from cadran.sources.place import ID
from cadran.sources.rules import BROKEN, broken
from cadran.sources.spans import INSTANT, MOMENT, Note, complete, noted
from cadran.tables import TABLES
from cadran.tables.deals import CLOSED, STATUSES

KEY = "opportunity_id"
DISAGREES = "the present row says otherwise than the history before it; this was taken as a change"
ONLY_HISTORY = "known by its history alone; it was taken as no longer there when the data was taken"
_STATUS = pl.Enum(STATUSES)


def is_closed(column: str = "status") -> pl.Expr:
    """Whether a status is one in which a deal is closed."""
    return pl.col(column).cast(pl.String).is_in(CLOSED)


def with_status(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """`rows` with their `status`: what the source says, else the kind of their stage (open where it is unknown)."""
    kinds = known.select("stage", kind="kind").drop_nulls("stage").unique("stage", keep="any")
    kind = pl.col("stage").replace_strict(kinds["stage"], kinds["kind"], default=None, return_dtype=_STATUS)
    given = [pl.col("status")] if "status" in rows.columns else []
    return rows.with_columns(status=pl.coalesce(*given, kind, pl.lit("open", _STATUS)))


def moments(deals: pl.DataFrame) -> pl.DataFrame:
    """`deals` with `created_at` and `closed_at`, null where they are not mapped; a deal closed on the day it was
    created closes one second after its creation."""
    kinds: dict[str, Any] = {"": MOMENT, "_is_day": pl.Boolean, "_day": pl.Date}
    wanted = {(f"@{m}{end}" if end else m): dtype for m in ("created_at", "closed_at") for end, dtype in kinds.items()}
    deals = complete(deals, wanted.items())
    same_day = pl.col("@closed_at_is_day") & (pl.col("@closed_at_day") == pl.col("@created_at_day"))
    at_once = same_day | (pl.col("closed_at") == pl.col("created_at"))
    closed = pl.when(at_once.fill_null(False)).then(pl.col("created_at") + INSTANT).otherwise("closed_at")
    return deals.with_columns(closed_at=closed)


def once(deals: pl.DataFrame, known: Dict[str, str], first_stage: str, until: datetime) -> pl.DataFrame:
    """The versions of deals told by one row each. Nothing is known before the source shows it was.

    A version at creation holds what is known then; one at the close all that is known; a deal still open has
    one at `until` (or just before it was deleted), when its stage and its other fields were seen, unless nothing in it
    is new.

    Args:
        deals: Fields of the deals feed, with `status`, `moments`, and `@gone`: when it was deleted, if it was.
        known: When each version field is known: at_creation, at_export, at_close.
        first_stage: The stage a deal is created in.
        until: The moment the data was taken.
    """
    there = [n for n in VERSION_FIELDS if n in deals.columns]

    def fields(*when: str) -> list[pl.Expr]:
        return [pl.when(known[n] in when).then(pl.col(n)).alias(n) for n in there]

    stage = [ID, KEY, "stage", "status"]
    seen_at = pl.coalesce(pl.col("@gone") - INSTANT, pl.lit(until)).dt.cast_time_unit("us")
    final = deals.filter(is_closed()).select(
        *stage, pl.coalesce("closed_at", seen_at).alias("valid_from"), *fields("at_creation", "at_export", "at_close")
    )
    seen_later = [pl.col(n).is_not_null() for n in there if known[n] == "at_export"]
    news = pl.any_horizontal(pl.col("created_at").is_null(), pl.col("stage").ne_missing(first_stage), *seen_later)
    seen = deals.filter(~is_closed() & (news | (pl.col("created_at") >= until))).select(
        *stage, seen_at.alias("valid_from"), *fields("at_creation", "at_export")
    )
    born = deals.filter(pl.col("created_at").is_not_null() & (is_closed() | (pl.col("created_at") < seen_at)))
    born = born.select(
        ID, KEY, pl.lit(first_stage).alias("stage"), pl.lit("open", _STATUS).alias("status"),
        pl.col("created_at").alias("valid_from"), *fields("at_creation"),
    )  # fmt: skip
    return pl.concat([born, final, seen])


def wrong_dates(deals: pl.DataFrame, told: pl.Expr, until: datetime) -> pl.DataFrame:
    """Deals whose dates contradict each other or `until`; where a history tells the close (`told`), no date need."""
    rules = {
        ("closed_at", "closed"): is_closed() & pl.col("closed_at").is_null() & ~told,
        ("created_at,closed_at", "order"): is_closed() & (pl.col("closed_at") < pl.col("created_at")) & ~told,
        ("created_at", "created_later"): pl.col("created_at") > until,
        ("closed_at", "closed_later"): is_closed() & (pl.col("closed_at") > until) & ~told,
    }
    return pl.concat([broken(deals.filter(test)[ID], field, rule) for (field, rule), test in rules.items()])


def closing(history: pl.DataFrame) -> pl.DataFrame:
    """The histories that tell when the deal closed, or that it did not: those that begin with it open."""
    first = pl.col("valid_from") == pl.col("valid_from").min().over(KEY)
    return history.filter(first, ~is_closed())


def begun(versions: pl.DataFrame, deals: pl.DataFrame, known: Dict[str, str], first_stage: str) -> pl.DataFrame:
    """Histories that begin later than the deal, with what the present row tells of the time before.

    A deal closed when its history begins closed on its close date; before that it was open in the first stage, from
    its creation on, with what is known at creation.
    """
    first = pl.col("valid_from") == pl.col("valid_from").min().over(KEY)
    dates = deals.select(KEY, created="created_at", closed="closed_at").unique(KEY)
    versions = versions.join(dates, on=KEY, how="left", maintain_order="left")
    earlier = (pl.col("closed") < pl.col("valid_from")) & (pl.col("closed") > pl.col("created")).fill_null(True)
    versions = versions.with_columns(
        valid_from=pl.when(first & is_closed() & earlier).then("closed").otherwise("valid_from")
    )
    born = versions.filter(first, pl.col("created") < pl.col("valid_from"))
    later = [n for n in VERSION_FIELDS if n in versions.columns and known.get(n, VERSION_FIELDS[n]) != "at_creation"]
    born = born.with_columns(
        pl.lit(first_stage).alias("stage"),
        pl.lit("open", _STATUS).alias("status"),
        *(pl.lit(None, versions.schema[n]).alias(n) for n in later),
        valid_to="valid_from",
        valid_from="created",
        end_reason=pl.lit(None, versions.schema["end_reason"]),
        merged_into=pl.lit(None, pl.String),
    )
    return pl.concat([versions, born]).drop("created", "closed")


def present(
    versions: pl.DataFrame, deals: pl.DataFrame, known: Dict[str, str], until: datetime
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Histories that end as the present row says.

    A field that the history never tells is known as if there were no history. Where both tell it and differ, the
    present row prevails: from its close date on if that is the news, else from `until` on.

    Args:
        versions: Histories, chained (see `spans`).
        deals: Present rows, with `status` and `moments`.
        known: When each version field is known.
        until: The moment the data was taken.
    """
    both = [n for n in ("stage", "status", *VERSION_FIELDS) if n in deals.columns]
    types: dict[str, Any] = {**TABLES["versions"].create_empty().schema, "stage": pl.String}
    versions = complete(versions, [(n, types[n]) for n in both])
    now = deals.select(KEY, "closed_at", *(pl.col(n).alias(f"@now_{n}") for n in both)).unique(KEY)
    versions = versions.join(now, on=KEY, how="left", maintain_order="left")
    untold = {n: pl.col(n).is_null().all().over(KEY) for n in both if n in VERSION_FIELDS}
    versions = versions.with_columns(
        pl.when(never & (pl.lit(known[n] == "at_creation") | is_closed())).then(f"@now_{n}").otherwise(n).alias(n)
        for n, never in untold.items()
    )
    last = versions.filter(pl.col("valid_to").is_null())
    news = {n: pl.col(f"@now_{n}").is_not_null() & pl.col(n).ne_missing(pl.col(f"@now_{n}")) for n in both}
    news = {n: said & (pl.lit(known.get(n) != "at_close") | is_closed("@now_status")) for n, said in news.items()}
    last = last.filter(pl.any_horizontal(news.values()))
    closes = (
        is_closed("@now_status") & ~is_closed() & pl.col("closed_at").is_between(pl.col("valid_from"), until, "right")
    )
    moved = pl.any_horizontal(pl.col(n).is_not_null() & said for n, said in news.items())
    odd = last.filter(moved & ~closes)[KEY]
    at = (
        pl.when(closes)
        .then("closed_at")
        .otherwise(pl.max_horizontal(pl.lit(until), pl.col("valid_from") + pl.duration(microseconds=1)))
    )
    last = last.with_columns(*(pl.coalesce(f"@now_{n}", n).alias(n) for n in both), valid_from=at.cast(MOMENT))
    starts = last.select(KEY, begins="valid_from")
    versions = versions.join(starts, on=KEY, how="left", maintain_order="left")
    versions = versions.with_columns(
        valid_to=pl.when(pl.col("valid_to").is_null()).then("begins").otherwise("valid_to")
    )
    gone = [*(f"@now_{n}" for n in both), "closed_at"]
    return pl.concat([versions.drop("begins", *gone), last.drop(gone)]), noted("versions", DISAGREES, odd)


def changed(
    changes: pl.DataFrame,
    deals: pl.DataFrame | None,
    known: Dict[str, str],
    first_stage: str,
    bad: pl.DataFrame,
    until: datetime,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, tuple[Note, ...]]:
    """The versions that field changes tell, the deals that only they name, what was wrong, and the notes.

    Args:
        changes: As `changes.states` takes them.
        deals: Present rows with `moments`; null if the source has none.
        known: When each version field is known.
        first_stage: The stage a deal is created in.
        bad: `BROKEN` rows so far.
        until: The moment the data was taken.
    """
    names = fields_of(changes)
    if deals is None:
        begins = pl.DataFrame(schema={"key": pl.String, "begin": MOMENT})
    else:
        early = [n for n in names if n in deals.columns and known.get(n) == "at_creation"]
        begins = deals.select(pl.col(KEY).alias("key"), pl.col("created_at").alias("begin"), *early).unique("key")
    told = states(changes, begins, bad, until)
    wrong = pl.concat([pl.DataFrame(schema=BROKEN), told.wrong])
    rows = told.rows.rename({"key": KEY})
    rows = complete(rows, [("stage", pl.String)]).with_columns(pl.col("stage").fill_null(first_stage))
    torn = torn_keys(changes, pl.concat([bad, wrong]))
    lone = rows.group_by(pl.col(KEY), maintain_order=True).agg(
        pl.col(ID).first(), created_at=pl.col("valid_from").min()
    )
    notes: tuple[Note, ...] = ()
    if deals is not None:
        wrong = pl.concat([wrong, broken(deals.filter(pl.col(KEY).is_in(torn.implode()))[ID], KEY, "torn")])
        lone = lone.join(deals, on=KEY, how="anti")
        notes = noted("opportunities", ONLY_HISTORY, lone[KEY])
        rows = rows.with_columns(
            valid_to=pl.when(
                pl.col(KEY).is_in(lone[KEY].implode()) & (pl.col("valid_from") == pl.col("valid_from").max().over(KEY))
            ).then(pl.lit(until).dt.cast_time_unit("us"))
        )
    wrong = pl.concat([wrong, broken(lone.filter(pl.col(KEY).is_in(torn.implode()))[ID], KEY, "torn")])
    return rows.drop("@base"), lone, wrong, notes
