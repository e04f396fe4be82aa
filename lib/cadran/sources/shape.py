"""From fields to tables: since when and until when things hold, and money in one currency."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from cadran.sources import events, lives
from cadran.sources.feeds import TOLD, Feed, Mapping, zone
from cadran.sources.fields import Fed
from cadran.sources.lives import KEY, with_status
from cadran.sources.place import ID
from cadran.sources.rules import BROKEN, all_differ, broken
from cadran.sources.spans import MOMENT, Note, complete, spans
from cadran.sources.things import dead, ends_of, things
from cadran.tables import TABLES, VERSIONED
from cadran.tables.deals import CLOSED
from cadran.tables.problems import Problem

#: What a row of a feed that is no table cannot do without.
_NEEDED = {"changes": ("key", "at"), "events": ("case", "activity", "at")}
#: Merges of things: which, into which, and when.
MERGES: dict[str, Any] = {"key": pl.String, "into": pl.String, "at": MOMENT}


def name_of(feed: Feed) -> str:
    """What the rows of a feed are gathered under: its table; for changes and merges, also what they are about."""
    return f"{feed.table} of {feed.of}" if feed.of else feed.table


def key_of(table: str) -> str:
    """The field that identifies a row of a feed to a reader."""
    if table in TOLD:
        return next(iter(TOLD[table]))
    return KEY if table == "deals" else TABLES[table].primary_key()[0]


def only_new(feeds: list[Fed]) -> list[Fed]:
    """The same feeds, a value met (`from_values`) left out where the table has it from elsewhere."""
    kept: list[Fed] = []
    for fed in sorted(feeds, key=lambda fed: fed.feed.from_values):
        key = key_of(fed.feed.table)
        if fed.feed.from_values:
            known = [other.fields.select(key) for other in kept if other.feed.table == fed.feed.table]
            fields = fed.fields.join(pl.concat([*known, fed.fields.select(key).clear()]), on=key, how="anti")
            fed = replace(fed, fields=fields)
        kept.append(fed)
    return kept


def gathered(feeds: list[Fed]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Fields by `name_of` their feed, without the rows that repeat another entirely, and these as `BROKEN`."""
    tables, twice = {}, [pl.DataFrame(schema=BROKEN)]
    for name in dict.fromkeys(name_of(fed.feed) for fed in feeds):
        own = [fed for fed in feeds if name_of(fed.feed) == name]
        table = own[0].feed.table
        rows = pl.concat([_dated(fed) if table in VERSIONED else fed.fields for fed in own], how="diagonal")
        key = key_of(table)
        identity = [c for c in TABLES[table].primary_key() if c in rows.columns] if table in TABLES else [key]
        if not all_differ(rows, identity):
            suspects = rows.filter(rows.drop(ID).hash_rows().is_duplicated() & pl.col(key).is_not_null())
            copies = suspects.filter(~pl.struct(pl.exclude(ID)).is_first_distinct())
            twice.append(broken(copies[ID], key, "twice"))
            rows = rows.join(copies, on=ID, how="anti", maintain_order="left")
        tables[name] = rows
    return tables, pl.concat(twice)


def _dated(fed: Fed) -> pl.DataFrame:
    return fed.fields.with_columns(pl.lit("valid_from" in fed.feed.fields).alias("@dated"))


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


@dataclass(frozen=True)
class Ground:
    """What the rows of any bucket are shaped on: known of the whole import."""

    stages: pl.DataFrame
    first_stage: str
    #: The moment the data was taken, and the first moment anything happened.
    until: datetime
    since: datetime


def shaped(
    rows: dict[str, pl.DataFrame], mapping: Mapping, ground: Ground, bad: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, tuple[Note, ...]]:
    """Tables made of gathered fields: rows of whole things (all rows of each key), of one bucket or of all.

    Args:
        rows: Fields by `name_of` their feed, with `ID`.
        mapping: The mapping.
        ground: What is known of the whole import.
        bad: `BROKEN` rows so far.

    Returns:
        Rows by table, with `ID`, not yet held to the tables' rules; more `BROKEN` rows; and notes.
    """
    tables = {t: r for t, r in rows.items() if t in TABLES and t not in VERSIONED and t != "opportunities"}
    wrong = [_not_given(name, rows[name], column) for name in rows for column in _NEEDED.get(name.split(" of ")[0], ())]
    wrong.append(pl.DataFrame(schema=BROKEN))
    notes: tuple[Note, ...] = ()
    for table in (t for t in VERSIONED if t in rows and t != "versions"):
        merges, odd = merges_of(rows.get(f"merges of {table}"), mapping, table)
        made = things(table, rows[table], rows.get(f"changes of {table}"), merges, bad, ground.until, ground.since)
        tables[table], notes = made.rows, (*notes, *made.notes)
        wrong += [made.wrong, odd]
    if rows.keys() & {"deals", "opportunities", "versions", "events", "changes of deals"}:
        made_tables, odd, more = _deals(rows, mapping, ground, bad)
        if "activities" in tables and "activities" in made_tables:
            made_tables["activities"] = pl.concat(
                [tables["activities"], made_tables["activities"]], how="diagonal_relaxed"
            )
        tables |= made_tables
        wrong.append(odd)
        notes = (*notes, *more)
    return tables, pl.concat(wrong), notes


def _not_given(name: str, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return broken(rows.filter(pl.col(column).is_null())[ID], column, f"{name.split(' of ')[0]}.{column}|nullability")


def left_behind(rows: dict[str, pl.DataFrame], good: Dict[str, pl.DataFrame], bad: pl.DataFrame) -> pl.DataFrame:
    """`BROKEN` rows of histories and logs whose deal, account, … was set aside in the end, and they with it.

    Args:
        rows: Fields by `name_of` their feed, with `ID`.
        good: Rows by table that were accepted.
        bad: `BROKEN` rows so far.
    """
    found = [pl.DataFrame(schema=BROKEN)]
    for name, frame in rows.items():
        kind, _, of = name.partition(" of ")
        table = {"events": "opportunities", "versions": "opportunities"}.get(kind, of.replace("deals", "opportunities"))
        if kind not in ("changes", "events", "versions") or table not in good:
            continue
        key = key_of(kind)
        there = good[table][VERSIONED.get(table, KEY)].hash(0).implode()
        lost = frame.filter(pl.col(key).is_not_null(), ~pl.col(key).hash(0).is_in(there)).join(bad, on=ID, how="anti")
        found.append(broken(lost[ID], key, "left_behind"))
    return pl.concat(found)


def merges_of(rows: pl.DataFrame | None, mapping: Mapping, of: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`MERGES` of things, one a row, and what was wrong with them."""
    if rows is None:
        return pl.DataFrame(schema=MERGES), pl.DataFrame(schema=BROKEN)
    sign = next((f.fields["key"].split for f in mapping.feeds if f.table == "merges" and f.of == of), None)
    rows = complete(rows, MERGES.items())
    if sign:
        rows = (
            rows.with_columns(pl.col("key").str.split(sign))
            .explode("key")
            .with_columns(pl.col("key").str.strip_chars())
        )
    rows = rows.drop_nulls(["key", "into"]).filter(pl.col("key") != "")
    itself = rows.filter(pl.col("key") == pl.col("into"))
    twice = rows.filter(pl.col("into").n_unique().over("key") > 1)
    wrong = [broken(itself[ID], "key,into", "into_itself"), broken(twice[ID], "key,into", "merged_twice")]
    return rows.join(pl.concat(wrong), on=ID, how="anti").select(MERGES.keys()), pl.concat(wrong).unique()


def _deals(
    rows: dict[str, pl.DataFrame], mapping: Mapping, ground: Ground, bad: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, tuple[Note, ...]]:
    """Opportunities, versions, and the touches that an event log tells."""
    known = {f.name: f.known for feed in mapping.feeds if feed.table == "deals" for f in feed.fields.values()}
    merges, odd = merges_of(rows.get("merges of deals"), mapping, "deals")
    heads, versions, wrong = [], [], [odd]
    notes: tuple[Note, ...] = ()
    touches: dict[str, pl.DataFrame] = {}
    now = rows.get("deals")
    if now is not None:
        now = lives.moments(dead(with_status(now, ground.stages)))
    given = rows.get("opportunities")
    ends, alive = ends_of(now if now is not None else dead(given) if given is not None else _nobody(), KEY, merges)
    if "events" in rows:
        logs = [feed for feed in mapping.feeds if feed.table == "events"]
        order = ground.stages.sort("position", maintain_order=True)["stage"].to_list()
        told = events.told(rows["events"], logs, order, ground.first_stage, ground.until)
        heads.append(told.opportunities if given is None else told.opportunities.join(given, on=KEY, how="anti"))
        versions.append(told.versions)
        touches["activities"] = told.activities
        wrong.append(told.wrong)
    if "changes of deals" in rows:
        moves, lone, bad_moves, more = lives.changed(
            rows["changes of deals"], now, known, ground.first_stage, bad, ground.until
        )
        heads.append(lone if given is None else lone.join(given, on=KEY, how="anti"))
        versions.append(moves)
        wrong.append(bad_moves)
        notes += more
    if "versions" in rows:
        late = rows["versions"].filter(pl.col("valid_from") > ground.until)
        wrong.append(broken(late[ID], "valid_from", "changed_later"))
        versions.append(rows["versions"])
    history = pl.concat([with_status(v, ground.stages) for v in versions], how="diagonal_relaxed") if versions else None
    if now is not None:
        is_told = pl.col(KEY).is_in((history[KEY] if history is not None else now[KEY].clear()).implode())
        closes = pl.col(KEY).is_in(lives.closing(history)[KEY].implode()) if history is not None else pl.lit(False)
        wrong.append(lives.wrong_dates(now, closes, ground.until))
        gone = pl.when("@deleted").then(pl.coalesce("deleted_at", pl.lit(ground.until)))
        once = lives.once(
            now.filter(~is_told).with_columns(gone.alias("@gone")), known, ground.first_stage, ground.until
        )
        history = once if history is None else pl.concat([history, once], how="diagonal_relaxed")
        heads.append(now.select(ID, *(c for c in TABLES["opportunities"].column_names() if c in now.columns)))
    if given is not None:
        heads.append(given)
    assert history is not None
    chained = spans("versions", history, ground.until, None, ends, alive)
    wrong.append(chained.wrong)
    lived, merged = chained.rows, ends.drop_nulls("into").select(pl.col("key").alias(KEY), "into")
    if now is not None and versions:
        told_now = now.filter(is_told)
        lived = lives.begun(lived, told_now, known, ground.first_stage)
        lived, more = lives.present(lived, told_now.filter(~pl.col("@deleted")), known, ground.until)
        notes += more
    opportunities = pl.concat(heads, how="diagonal_relaxed").drop("merged_into", strict=False)
    ended = lived.drop_nulls("merged_into").select(KEY, into="merged_into")
    merged = pl.concat([merged, ended]).unique(KEY, keep="first").rename({"into": "merged_into"})
    opportunities = opportunities.join(merged, on=KEY, how="left", maintain_order="left")
    lived = in_one_currency(lived.drop("merged_into"), mapping)
    return {"opportunities": opportunities, "versions": lived, **touches}, pl.concat(wrong), notes + chained.notes


def _nobody() -> pl.DataFrame:
    return dead(pl.DataFrame(schema={KEY: pl.String}))


class NoRate(Problem):
    """Amounts in a currency that has no rate."""

    @classmethod
    def of(cls, mapping: Mapping, n: int, currencies: set[str], day: Any) -> "NoRate":
        """So many deals, in these currencies, the first on this day."""
        return cls(
            "{file}: {n:,} deals are in {currencies}, which has no rate to {currency} on {day}.",
            "Write it in the mapping:\n[rates]\n{first} = 0.0  # {currency} for one {first}",
            file=mapping.path.name, n=n, currency=mapping.currency, currencies=", ".join(sorted(currencies)),
            day=day, first=min(currencies),
        )  # fmt: skip

    @classmethod
    def together(cls, mapping: Mapping, found: list["NoRate"]) -> "NoRate":
        """The same of several buckets, which share no deal."""
        said = [problem.values for problem in found]
        currencies = {name for values in said for name in str(values["currencies"]).split(", ")}
        return cls.of(mapping, sum(int(str(v["n"])) for v in said), currencies, min(v["day"] for v in said))  # type: ignore


def in_one_currency(versions: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """`amount` in the book's currency, at the rate in force on the day a version begins; the original kept beside.

    Raises:
        NoRate: If a currency has no rate, or none yet on that day.
    """
    if "amount" not in versions.columns:
        return versions
    if "currency" not in versions.columns:
        versions = versions.with_columns(currency=pl.lit(None, pl.String))
    versions = versions.with_columns(pl.col("currency").str.to_uppercase().fill_null(mapping.currency))
    steps = [(currency, start, rate) for currency, said in mapping.rates.items() for start, rate in said]
    steps = [*(s for s in steps if s[0] != mapping.currency), (mapping.currency, date.min, 1.0)]
    rate = pl.lit(None, pl.Float64)
    for currency, start, worth in sorted(steps, key=lambda step: step[1]):  # the last that has begun holds
        begun = pl.lit(True) if start == date.min else pl.col("@day") >= start
        rate = pl.when((pl.col("currency") == currency) & begun).then(worth).otherwise(rate)
    day = pl.col("valid_from").dt.convert_time_zone(mapping.time_zone).dt.date()
    versions = versions.with_columns(day.alias("@day")).with_columns(
        pl.when(pl.col("@day").is_not_null()).then(rate).alias("@rate")
    )
    given = pl.coalesce("rate", "@rate") if "rate" in versions.columns else pl.col("@rate")
    dated = versions.with_columns(rate=given)
    without = dated.filter(pl.col("amount").is_not_null() & pl.col("rate").is_null() & pl.col("@day").is_not_null())
    if without.height:
        raise NoRate.of(mapping, without["opportunity_id"].n_unique(), {*without["currency"]}, without["@day"].min())
    return dated.with_columns(original_amount="amount", amount=pl.col("amount") * pl.col("rate")).drop("@day", "@rate")
