"""What is worked out once, at import, so that every as-of question is later a plain filter."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import holidays
import polars as pl

from cadran.book.numbers import Numbers, beside
from cadran.tables import VERSIONED, empty
from cadran.tables.deals import CLOSED
from cadran.tables.delivery import Settings
from cadran.tables.ends import Believed
from cadran.tables.problems import Problem

Frames = dict[str, pl.DataFrame]

#: How the rows of a table stand in a book: by key, then by time.
ORDER: dict[str, list[str]] = {
    "calendar": ["date"],
    "stages": ["stage"],
    "reps": ["rep_key", "valid_from"],
    "targets": ["target_id", "valid_from"],
    "actions": ["action_id"],
    "accounts": ["account_key", "valid_from"],
    "contacts": ["contact_id", "valid_from"],
    "opportunities": ["opportunity_key"],
    "versions": ["opportunity_key", "valid_from"],
    "deal_contacts": ["opportunity_key", "contact_id"],
    "activities": ["opportunity_key", "at", "activity_id"],
    "leads": ["lead_id"],
}


def derive(tables: Frames, numbers: Mapping[str, Numbers], time_zone: str) -> Frames:
    """Tables of one group, complete with their derived columns, sorted by key and time.

    Args:
        tables: All tables of the group; all rows of each key in them.
        numbers: Of "rep", "account" and "opportunity": new things get theirs.
        time_zone: The book's.

    Returns:
        The same tables with exactly the columns of `STORED`, those of `Believed` null.

    Raises:
        Problem: If a thing is two at one moment. Sources set such rows aside; where they do not, whatever joins versions
            on their moment would count each many times.
    """
    full = dict(tables)
    if "reps" in full:
        full["reps"] = close_versions(numbers["rep"].put(full["reps"]), "rep_key")
        full["targets"] = close_versions(full["targets"], "target_id")
    if "accounts" in full:
        full["accounts"] = close_versions(numbers["account"].put(full["accounts"]), "account_key")
    if "contacts" in full:
        full["contacts"] = close_versions(full["contacts"], "contact_id")
    if "opportunities" in full:
        _derive_deals(full, numbers, time_zone)
    if "leads" in full:
        full["leads"] = full["leads"].with_columns(created_date=_local_day("created_at", time_zone))
    return {name: _stored(name, frame) for name, frame in full.items()}


def _stored(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Exactly the stored columns, sorted: versions and activities are, having been looked at in their order."""
    types = empty(name).schema
    absent = [pl.lit(None, types[c]).alias(c) for c in Believed.column_names() if c in types]
    frame = frame.with_columns(absent).select(*types)
    if name in VERSIONED:
        _check_one_at_a_time(name, frame)
    return frame if name in VERSIONED or name == "activities" else frame.sort(ORDER[name])


def _check_one_at_a_time(name: str, frame: pl.DataFrame) -> None:
    """Refuse a thing of which two versions, standing one after the other, begin at one moment."""
    key, begins = pl.col(VERSIONED[name]), pl.col("valid_from")
    twice = frame.select(key, begins).filter(begins == begins.shift(), key == key.shift())
    if twice.height:
        which, at = twice.row(0)
        raise Problem(
            "{table}: {id} is two things from {at:%Y-%m-%d %H:%M} UTC on.",
            "Give one row for each moment: of several at one, the last.", table=name, id=which, at=at,
        )  # fmt: skip


def _derive_deals(full: Frames, numbers: Mapping[str, Numbers], time_zone: str) -> None:
    deals = numbers["account"].put(numbers["opportunity"].put(full["opportunities"]))
    full["opportunities"] = deals = deals.with_columns(created_date=_local_day("created_at", time_zone)).with_columns(
        created_day=_day_number("created_date")
    )
    told = deals.select("opportunity_id", "opportunity_key", "account_key", "created_day")
    versions = beside(numbers["rep"].put(full["versions"]), told, "opportunity_id")
    full["versions"] = _derive_versions(close_versions(versions, "opportunity_key"), time_zone)
    keys = told.select("opportunity_id", "opportunity_key")
    for table in ("deal_contacts", "activities"):
        full[table] = beside(full[table], keys, "opportunity_id")
    full["activities"] = _answer(full["activities"])


def _local_day(instant: str, time_zone: str) -> pl.Expr:
    return pl.col(instant).dt.convert_time_zone(time_zone).dt.date()


def _day_number(day: str) -> pl.Expr:
    return pl.col(day).cast(pl.Int32).cast(pl.Int64)


def close_versions(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """Sorted by key and time: a version ends when the next one begins, or earlier if the source says so."""
    follows = pl.when(pl.col(key).shift(-1) == pl.col(key)).then(pl.col("valid_from").shift(-1))
    return _by_time(frame, key).with_columns(valid_to=pl.min_horizontal("valid_to", follows))


def _by_time(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """Sorted by key and time; where the key is a number, by both in one, which takes half the time."""
    if not frame.schema[key].is_integer():
        return frame.sort(key, "valid_from")
    both = pl.col(key) * pl.lit(2**64, pl.Int128) + pl.col("valid_from").to_physical()
    order = frame.select(both.arg_sort()).to_series()
    return frame.select(pl.all().gather(order))


def _derive_versions(versions: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Status and stage runs, the next stage, pushes and reopenings. Expects rows sorted by deal and time."""
    key = pl.col("opportunity_key")
    # Rows of a deal stand together: the row before is a shift, and no grouping is needed.
    goes_on = (key == key.shift()).fill_null(False)
    before = {c: pl.when(goes_on).then(pl.col(c).shift()) for c in ("status", "stage", "@month")}
    is_open = pl.col("status") == "open"
    pushed = is_open & (before["status"] == "open") & (pl.col("@month") > before["@month"])
    reopened = is_open & before["status"].is_in(CLOSED)
    follows = pl.when(key.shift(-1) == key).then(pl.col("stage").shift(-1))
    return (
        versions.with_columns(pl.col("expected_close_date").dt.truncate("1mo").alias("@month"))
        .with_columns(
            status_since=pl.when(pl.col("status").ne_missing(before["status"])).then("valid_from"),
            stage_since=pl.when(pl.col("stage").ne_missing(before["stage"]) | reopened).then("valid_from"),
            next_stage=pl.when(follows != pl.col("stage")).then(follows),
            n_pushes=_so_far(pushed, goes_on),
            n_reopened=_so_far(reopened, goes_on),
        )
        .with_columns(pl.col("status_since", "stage_since").forward_fill())
        .with_columns(status_since_date=_local_day("status_since", time_zone))
        .with_columns(status_since_day=_day_number("status_since_date"))
        .drop("@month")
    )


def _so_far(happened: pl.Expr, goes_on: pl.Expr) -> pl.Expr:
    """How often something has happened to a deal, this row included. It never happens at its first row."""
    total = happened.fill_null(False).cast(pl.Int64).cum_sum()
    return total - pl.when(~goes_on).then(total).forward_fill()


def _answer(activities: pl.DataFrame) -> pl.DataFrame:
    """An inbound touch is answered by the next outbound one a human sent on the same deal."""
    human = (pl.col("direction") == "outbound") & ~pl.col("is_automatic").fill_null(False)
    asked = (pl.col("direction") == "inbound") & pl.col("opportunity_key").is_not_null()
    next_answer = pl.when(human).then(pl.struct("at", "opportunity_key")).backward_fill()
    same_deal = next_answer.struct.field("opportunity_key") == pl.col("opportunity_key")
    return activities.sort("opportunity_key", "at", "activity_id").with_columns(
        answered_at=pl.coalesce("answered_at", pl.when(asked & same_deal).then(next_answer.struct.field("at")))
    )


def as_the_source_gave(activities: pl.DataFrame) -> pl.DataFrame:
    """Stored activities without the answers that `derive` had found. Expects all of each deal."""
    if activities.is_empty():
        return activities
    found = _answer(activities.with_columns(answered_at=pl.lit(None, pl.Datetime("us", "UTC"))))
    found = found.select("activity_id", found="answered_at")
    joined = activities.join(found, on="activity_id", how="left", maintain_order="left")
    given = pl.when(pl.col("answered_at").ne_missing(pl.col("found"))).then("answered_at")
    return joined.with_columns(answered_at=given).drop("found")


#: The days a table speaks of, which the calendar must hold.
SPOKEN = {
    "opportunities": ("created_date",),
    "versions": ("status_since_date", "expected_close_date"),
    "leads": ("created_date",),
    "targets": ("start_date", "end_date"),
}


def spoken_days(tables: Frames) -> list[date]:
    """The first and the last day that stored tables speak of; nothing if they speak of none."""
    days = [frame[c] for name, frame in tables.items() for c in SPOKEN.get(name, ())]
    return [day for each in days for day in (each.min(), each.max()) if isinstance(day, date)]


def calendar(days: Iterable[date], settings: Settings) -> pl.DataFrame:
    """Every day from the first year that is spoken of until the end of the year after the last."""
    # An expected date mistyped as 2205 must not make two centuries of calendar.
    taken = settings.taken.date()
    spoken = [taken, *days]
    first, last = min(spoken), min(max(spoken), taken + timedelta(days=3653))
    frame = pl.select(date=pl.date_range(date(first.year, 1, 1), date(last.year + 1, 12, 31)))
    off = _public_holidays(settings.holidays, range(first.year, last.year + 2))
    day = pl.col("date")
    since_fiscal_start = (day.dt.month() - settings.fiscal_year_starts) % 12
    starts_later = (day.dt.month() >= settings.fiscal_year_starts) & (settings.fiscal_year_starts > 1)
    frame = frame.with_columns(
        week=day.dt.truncate("1w"),
        month=day.dt.truncate("1mo"),
        quarter=day.dt.truncate("1q"),
        year=day.dt.truncate("1y"),
        fiscal_year=(day.dt.year() + starts_later).cast(pl.Int64),
        fiscal_period=(since_fiscal_start + 1).cast(pl.Int64),
        is_business_day=(day.dt.weekday() <= 5) & ~day.is_in(off),
    ).with_columns(business_day=pl.col("is_business_day").cast(pl.Int64).cum_sum().over("month"))
    return _stored("calendar", frame)


def _public_holidays(place: str | None, years: range) -> list[date]:
    if place is None:
        return []
    country, _, subdivision = place.partition("-")
    return sorted(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
