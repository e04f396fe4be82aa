"""What is worked out once, at import, so that every as-of question is later a plain filter."""

from collections.abc import Iterable
from datetime import date, timedelta

import dataframely as dy
import holidays
import polars as pl

from cadran.tables import STORED, VERSIONED
from cadran.tables.deals import CLOSED
from cadran.tables.delivery import Settings


def derive(tables: dict[str, pl.DataFrame], settings: Settings) -> dict[str, pl.DataFrame]:
    """Every table of a book, complete with its derived columns, sorted by key and time.

    Args:
        tables: Valid tables by name; those absent are taken as empty.
        settings: Those of the book.

    Returns:
        All tables of `STORED`, with exactly their columns.
    """
    full = {name: tables.get(name, schema.create_empty()) for name, schema in STORED.items() if name != "calendar"}
    for name, key in VERSIONED.items():
        full[name] = _close_versions(full[name], key)
    full["opportunities"] = (
        full["opportunities"]
        .with_columns(created_date=_local_day("created_at", settings.time_zone))
        .with_columns(created_day=_day_number("created_date"))
    )
    _number(full)
    full["versions"] = _derive_versions(full["versions"], settings.time_zone)
    full["leads"] = full["leads"].with_columns(created_date=_local_day("created_at", settings.time_zone))
    full["activities"] = _answer(full["activities"])
    full["calendar"] = _calendar(full, settings)
    return {
        name: full[name]
        .select(full[name][c] if c in full[name].columns else pl.lit(None, d).alias(c) for c, d in _types(schema))
        .sort(schema.primary_key())
        for name, schema in STORED.items()
    }


def _types(schema: type[dy.Schema]) -> Iterable[tuple[str, pl.DataType]]:
    return schema.create_empty().schema.items()


def _number(full: dict[str, pl.DataFrame]) -> None:
    """The book's own numbers, beside the source's identifiers."""
    numbers = {}
    for table, own in {"reps": "rep", "accounts": "account", "opportunities": "opportunity"}.items():
        ids = full[table].select(pl.col(f"{own}_id").unique().sort())
        numbers[own] = ids.with_row_index(f"{own}_key").cast({f"{own}_key": pl.Int64})
        full[table] = full[table].join(numbers[own], on=f"{own}_id", how="left", maintain_order="left")
    full["opportunities"] = full["opportunities"].join(
        numbers["account"], on="account_id", how="left", maintain_order="left"
    )
    told = full["opportunities"].select("opportunity_id", "account_key", "created_day")
    full["versions"] = (
        full["versions"]
        .join(numbers["rep"], on="rep_id", how="left", maintain_order="left")
        .join(told, on="opportunity_id", how="left", maintain_order="left")
    )
    for table in ("versions", "deal_contacts", "activities"):
        full[table] = full[table].join(numbers["opportunity"], on="opportunity_id", how="left", maintain_order="left")


def _local_day(instant: str, time_zone: str) -> pl.Expr:
    return pl.col(instant).dt.convert_time_zone(time_zone).dt.date()


def _day_number(day: str) -> pl.Expr:
    return pl.col(day).cast(pl.Int32).cast(pl.Int64)


def _close_versions(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """A version ends when the next one begins, or earlier if the source says so."""
    follows = pl.col("valid_from").shift(-1).over(key)
    return frame.sort(key, "valid_from").with_columns(valid_to=pl.min_horizontal("valid_to", follows))


def _derive_versions(versions: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Status and stage runs, the next stage, pushes and reopenings. Expects rows sorted by deal and time."""
    deal = "opportunity_id"
    before = {column: pl.col(column).shift().over(deal) for column in ("status", "stage", "expected_close_date")}
    is_open = pl.col("status") == "open"
    pushed = (
        is_open
        & (before["status"] == "open")
        & (pl.col("expected_close_date").dt.truncate("1mo") > before["expected_close_date"].dt.truncate("1mo"))
    )
    reopened = is_open & before["status"].cast(pl.String).is_in(CLOSED)
    return (
        versions.with_columns(
            status_since=pl.when(pl.col("status").ne_missing(before["status"])).then("valid_from"),
            stage_since=pl.when(pl.col("stage").ne_missing(before["stage"]) | reopened).then("valid_from"),
            next_stage=pl.col("stage").shift(-1).over(deal),
            n_pushes=pushed.fill_null(False).cast(pl.Int64).cum_sum().over(deal),
            n_reopened=reopened.fill_null(False).cast(pl.Int64).cum_sum().over(deal),
        )
        .with_columns(
            pl.col("status_since", "stage_since").forward_fill().over(deal),
            next_stage=pl.when(pl.col("next_stage") != pl.col("stage")).then("next_stage"),
        )
        .with_columns(status_since_date=_local_day("status_since", time_zone))
        .with_columns(status_since_day=_day_number("status_since_date"))
    )


def _answer(activities: pl.DataFrame) -> pl.DataFrame:
    """An inbound touch is answered by the next outbound one a human sent on the same deal."""
    human = (pl.col("direction") == "outbound") & ~pl.col("is_automatic").fill_null(False)
    asked = (pl.col("direction") == "inbound") & pl.col("opportunity_id").is_not_null()
    return (
        activities.sort("opportunity_id", "at", "activity_id")
        .with_columns(answer=pl.when(human).then("at").backward_fill().over("opportunity_id"))
        .with_columns(answered_at=pl.coalesce("answered_at", pl.when(asked).then("answer")))
    )


def _calendar(tables: dict[str, pl.DataFrame], settings: Settings) -> pl.DataFrame:
    """Every day from the first year the tables speak of until the end of the year after the last."""
    spoken = [
        tables["opportunities"]["created_date"],
        tables["versions"]["status_since_date"],
        tables["versions"]["expected_close_date"],
        tables["leads"]["created_date"],
        tables["targets"]["start_date"],
        tables["targets"]["end_date"],
        pl.Series([settings.taken.date()]),
    ]
    # An expected date mistyped as 2205 must not make two centuries of calendar.
    latest = settings.taken.date() + timedelta(days=3653)
    days = pl.concat(spoken).drop_nulls()
    first, last = days.min(), min(days.max(), latest)  # type: ignore[type-var]
    assert isinstance(first, date)
    assert isinstance(last, date)
    frame = pl.select(date=pl.date_range(date(first.year, 1, 1), date(last.year + 1, 12, 31)))
    off = _public_holidays(settings.holidays, range(first.year, last.year + 2))
    day = pl.col("date")
    since_fiscal_start = (day.dt.month() - settings.fiscal_year_starts) % 12
    starts_later = (day.dt.month() >= settings.fiscal_year_starts) & (settings.fiscal_year_starts > 1)
    return frame.with_columns(
        week=day.dt.truncate("1w"),
        month=day.dt.truncate("1mo"),
        quarter=day.dt.truncate("1q"),
        year=day.dt.truncate("1y"),
        fiscal_year=(day.dt.year() + starts_later).cast(pl.Int64),
        fiscal_period=(since_fiscal_start + 1).cast(pl.Int64),
        is_business_day=(day.dt.weekday() <= 5) & ~day.is_in(off),
    ).with_columns(business_day=pl.col("is_business_day").cast(pl.Int64).cum_sum().over("month"))


def _public_holidays(place: str | None, years: range) -> list[date]:
    if place is None:
        return []
    country, _, subdivision = place.partition("-")
    return sorted(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
