"""From fields to tables: the lives of a deal, the stages, what holds since ever, and money in one currency."""

from collections.abc import Mapping as Dict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from cadran.sources.feeds import VERSION_FIELDS, Mapping, zone
from cadran.sources.fields import Fed
from cadran.sources.read import ID
from cadran.sources.rules import BROKEN, broken
from cadran.tables import TABLES, VERSIONED
from cadran.tables.deals import CLOSED, STATUSES
from cadran.tables.problems import Problem

_SECOND = pl.duration(seconds=1)


def key_of(table: str) -> str:
    """The field that identifies a row of a feed to a reader."""
    return "opportunity_id" if table == "deals" else TABLES[table].primary_key()[0]


def only_new(feeds: list[Fed]) -> list[Fed]:
    """The same feeds, a value met (`from_values`) left out where the table has it from elsewhere."""
    kept: list[Fed] = []
    for fed in sorted(feeds, key=lambda fed: fed.feed.from_values):
        key = key_of(fed.feed.table)
        if fed.feed.from_values:
            known = [other.fields.select(key) for other in kept if other.feed.table == fed.feed.table]
            fields = fed.fields.join(pl.concat([*known, fed.fields.select(key).clear()]), on=key, how="anti")
            fed = replace(fed, fields=fields, rows=fed.rows.join(fields, on=ID, how="semi"))
        kept.append(fed)
    return kept


def gathered(feeds: list[Fed]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Fields by table (`deals` among them), without the rows that repeat another entirely, and these as `BROKEN`."""
    tables, twice = {}, [pl.DataFrame(schema=BROKEN)]
    for table in dict.fromkeys(fed.feed.table for fed in feeds):
        rows = pl.concat([fed.fields for fed in feeds if fed.feed.table == table], how="diagonal")
        key = key_of(table)
        suspects = rows.filter(pl.col(key).is_duplicated() & pl.col(key).is_not_null())
        copies = suspects.filter(~pl.struct(pl.exclude(ID)).is_first_distinct())
        twice.append(broken(copies[ID], key, "twice"))
        tables[table] = rows.join(copies, on=ID, how="anti", maintain_order="left")
    return tables, pl.concat(twice)


def stages(mapping: Mapping, rows: pl.DataFrame | None) -> tuple[pl.DataFrame, str]:
    """The `stages` table, and the stage that a deal is created in: the one so marked, else the first open one."""
    if rows is None:
        said = [(s.stage, position, s.kind, s.is_qualified, s.probability) for position, s in enumerate(mapping.stages)]
        columns = TABLES["stages"].create_empty().schema
        rows = pl.DataFrame(said, schema=columns, orient="row").with_columns(pl.lit(None, pl.Int64).alias(ID))
    elif "is_qualified" not in rows.columns:
        rows = rows.with_columns(is_qualified=pl.col("kind").cast(pl.String) != "disqualified")
    marked = [s.stage for s in mapping.stages if s.at_creation]
    first = rows.filter(pl.col("kind") == "open").sort("position")["stage"].to_list()
    if not marked and not first:
        raise Problem("{file}: no stage is of kind open.", "Complete the stages.", file=mapping.path.name)
    return rows, (marked or first)[0]


def with_status(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """`rows` with their `status`: what the source says, else the kind of their stage (open where it is unknown)."""
    kinds = known.select("stage", kind="kind").drop_nulls("stage").unique("stage", keep="any")
    rows = rows.join(kinds, on="stage", how="left", maintain_order="left")
    given = [pl.col("status")] if "status" in rows.columns else []
    status = pl.coalesce(*given, "kind", pl.lit("open", pl.Enum(STATUSES)))
    return rows.with_columns(status=status).drop("kind")


def taken(mapping: Mapping, tables: Dict[str, pl.DataFrame]) -> datetime:
    """The moment the data was taken: a day is taken at its end; "latest date" is the last day anything happened."""
    place, said = zone(mapping), mapping.taken
    if isinstance(said, datetime):
        return (said if said.tzinfo else said.replace(tzinfo=place)).astimezone(UTC)
    if isinstance(said, str):
        latest = [last for _, last in _spans(tables) if last is not None]
        if not latest:
            raise Problem(
                "{file}: no date tells when the data was taken.",
                "Write taken = 2024-12-31 there.",
                file=mapping.path.name,
            )
        said = max(latest).astimezone(place).date()
    end = datetime.combine(said + timedelta(days=1), time(), place)
    return end.astimezone(UTC) - timedelta(seconds=1)


def earliest(tables: Dict[str, pl.DataFrame], otherwise: datetime) -> datetime:
    """The first moment anything happened: what has no date of its own holds since then."""
    return min((first for first, _ in _spans(tables) if first is not None), default=otherwise)


def _spans(tables: Dict[str, pl.DataFrame]) -> list[tuple[datetime | None, datetime | None]]:
    spans: list[Any] = []
    for table, rows in tables.items():
        for name in (n for n, dtype in rows.schema.items() if isinstance(dtype, pl.Datetime) and n != "valid_to"):
            happened = (
                rows.filter(pl.col("status").cast(pl.String).is_in(CLOSED))
                if (table, name) == ("deals", "closed_at")
                else rows
            )
            spans.append((happened[name].min(), happened[name].max()))
    return spans


def lives(
    deals: pl.DataFrame, known: Dict[str, str], first_stage: str, until: datetime
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """One row per deal made into opportunities and versions. Nothing is known before the source shows it was.

    A version at creation holds what is known then; one at the close all that is known; a deal still open has
    one at `until`, when its stage and its other fields were seen, unless nothing in it is new.

    Args:
        deals: Fields of the deals feed, with `status`.
        known: When each version field is known: at_creation, at_export, at_close.
        first_stage: The stage a deal is created in.
        until: The moment the data was taken.

    Returns:
        Rows of `opportunities`, rows of `versions`, and what was wrong.
    """
    deals = _complete(deals, ["created_at", "closed_at"])
    is_closed = pl.col("status").cast(pl.String).is_in(CLOSED)
    same_day = pl.col("@closed_at_is_day") & (pl.col("@closed_at_day") == pl.col("@created_at_day"))
    at_once = same_day | (pl.col("closed_at") == pl.col("created_at"))
    deals = deals.with_columns(
        closed_at=pl.when(at_once.fill_null(False)).then(pl.col("created_at") + _SECOND).otherwise("closed_at")
    )
    rules = {
        ("closed_at", "closed"): is_closed & pl.col("closed_at").is_null(),
        ("created_at,closed_at", "order"): is_closed & (pl.col("closed_at") < pl.col("created_at")),
        ("created_at", "created_later"): pl.col("created_at") > until,
        ("closed_at", "closed_later"): is_closed & (pl.col("closed_at") > until),
    }
    wrong = [broken(deals.filter(test)[ID], field, rule) for (field, rule), test in rules.items()]

    def fields(*when: str) -> list[pl.Expr]:
        return [pl.when(known[n] in when).then(pl.col(n)).alias(n) for n in VERSION_FIELDS if n in deals.columns]

    stage = [ID, "opportunity_id", "stage", "status"]
    final = deals.filter(is_closed).select(
        *stage,
        pl.col("closed_at").fill_null(until).alias("valid_from"),
        *fields("at_creation", "at_export", "at_close"),
    )
    seen_later = [pl.col(n).is_not_null() for n in VERSION_FIELDS if n in deals.columns and known[n] == "at_export"]
    news = pl.any_horizontal(pl.col("created_at").is_null(), pl.col("stage") != first_stage, *seen_later)
    seen = deals.filter(~is_closed & (news | (pl.col("created_at") >= until))).select(
        *stage, pl.lit(until).dt.cast_time_unit("us").alias("valid_from"), *fields("at_creation", "at_export")
    )
    born = deals.filter(pl.col("created_at").is_not_null() & (is_closed | (pl.col("created_at") < until))).select(
        ID,
        "opportunity_id",
        pl.lit(first_stage).alias("stage"),
        pl.lit("open", pl.Enum(STATUSES)).alias("status"),
        pl.col("created_at").alias("valid_from"),
        *fields("at_creation"),
    )
    own = [c for c in TABLES["opportunities"].column_names() if c in deals.columns]
    return deals.select(ID, *own), pl.concat([born, final, seen]), pl.concat(wrong)


def _complete(deals: pl.DataFrame, moments: list[str]) -> pl.DataFrame:
    kinds: dict[str, Any] = {"": pl.Datetime("us", "UTC"), "_is_day": pl.Boolean, "_day": pl.Date}
    wanted = {(f"@{m}{end}" if end else m): dtype for m in moments for end, dtype in kinds.items()}
    return deals.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in wanted.items() if name not in deals.columns
    )


def in_time(table: str, rows: pl.DataFrame, since_ever: datetime) -> pl.DataFrame:
    """A versioned table with `valid_from` (since ever where it has none) and `valid_to` (the next one's)."""
    if "valid_from" not in rows.columns:
        rows = rows.with_columns(valid_from=pl.lit(since_ever).dt.cast_time_unit("us"))
    if "valid_to" in rows.columns:
        return rows
    key = VERSIONED[table]
    rows = rows.sort(key, "valid_from", nulls_last=True)
    following = pl.when(pl.col(key).shift(-1) == pl.col(key)).then(pl.col("valid_from").shift(-1))
    return rows.with_columns(valid_to=pl.when(following > pl.col("valid_from")).then(following))


def in_one_currency(versions: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """`amount` in the book's currency, at the rate in force on the day a version begins; the original kept beside.

    Raises:
        Problem: If a currency has no rate, or none yet on that day.
    """
    if "amount" not in versions.columns:
        return versions
    if "currency" not in versions.columns:
        versions = versions.with_columns(currency=pl.lit(None, pl.String))
    versions = versions.with_columns(pl.col("currency").str.to_uppercase().fill_null(mapping.currency))
    steps = [(currency, start, rate) for currency, said in mapping.rates.items() for start, rate in said]
    steps = [*(s for s in steps if s[0] != mapping.currency), (mapping.currency, date.min, 1.0)]
    rates = pl.DataFrame(steps, schema={"currency": pl.String, "@day": pl.Date, "@rate": pl.Float64}, orient="row")
    day = pl.col("valid_from").dt.convert_time_zone(mapping.time_zone).dt.date()
    versions = versions.with_columns(day.alias("@day")).sort("@day", nulls_last=True)
    dated = versions.filter(pl.col("@day").is_not_null()).join_asof(
        rates.sort("@day"), on="@day", by="currency", strategy="backward", check_sortedness=False
    )
    given = pl.coalesce("rate", "@rate") if "rate" in versions.columns else pl.col("@rate")
    dated = pl.concat([dated, versions.filter(pl.col("@day").is_null())], how="diagonal").with_columns(rate=given)
    without = dated.filter(pl.col("amount").is_not_null() & pl.col("rate").is_null() & pl.col("@day").is_not_null())
    if without.height:
        raise Problem(
            "{file}: {n:,} deals are in {currencies}, which has no rate to {currency} on {day}.",
            "Write it in the mapping:\n[rates]\n{first} = 0.0  # {currency} for one {first}",
            file=mapping.path.name, n=without["opportunity_id"].n_unique(), currency=mapping.currency,
            currencies=", ".join(without["currency"].unique().sort()),
            day=without["@day"].min(), first=without["currency"].min(),
        )  # fmt: skip
    return dated.with_columns(original_amount="amount", amount=pl.col("amount") * pl.col("rate")).drop("@day", "@rate")
