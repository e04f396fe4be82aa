"""An invented company as it was known at the end of a day: its whole past, or what its CRM exports, one row a thing."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs
from polars.testing import assert_frame_equal

from cadran.book import Book, open_book, write_book
from cadran.measures import MEASURES, Question
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.sources.sample import invent
from cadran.tables import STORED, VERSIONED
from cadran.tables.delivery import Delivery, Part, Settings
from cadran.tables.groups import bucket_of, group_of
from cadran.tables.problems import Problem

ZONE = ZoneInfo("Europe/Paris")
LAST = date(2026, 6, 30)
Tables = dict[str, pl.DataFrame]

#: Instants of tables that are not versioned: when a row begins, and what is learnt later.
_BEGINS = {"opportunities": "created_at", "deal_contacts": "since", "leads": "created_at", "activities": "at"}
_LEARNT = ("first_response_at", "qualified_at", "rejected_at")


@cache
def _invented(deals: int) -> Delivery:
    return invent(deals, seed=5, activities=0.2)


def company(deals: int) -> tuple[Tables, Settings]:
    """A small invented company: its tables and settings. One of each size is invented once, for all who ask."""
    delivery = _invented(deals)
    return dict(delivery.tables), delivery.settings


def in_buckets(parts: Iterable[Part], n: int) -> Iterator[Part]:
    """The same parts, those of groups that have a key each cut into `n` buckets."""
    for part in parts:
        key = group_of(next(iter(part.tables))).key
        for bucket in range(n if key else 1):
            cut = {
                name: frame.filter(bucket_of(key, n) == bucket) if key else frame for name, frame in part.tables.items()
            }
            yield Part(part.group, cut, bucket=bucket, n_buckets=n if key else 1)


def end_of(day: date) -> datetime:
    """The last second of a day in Paris."""
    return datetime.combine(day, time(23, 59, 59), ZONE).astimezone(UTC)


def last_days(n: int) -> list[date]:
    """The last `n` days of the company, in order."""
    return [LAST - timedelta(days=back) for back in reversed(range(n))]


def known(tables: Tables, moment: datetime) -> Tables:
    """The tables of a company, cut at a moment: nothing that came after it."""
    cut = {}
    for name, frame in tables.items():
        if name in VERSIONED:
            frame = frame.filter(pl.col("valid_from") <= moment)
        elif name in _BEGINS:
            frame = frame.filter(pl.col(_BEGINS[name]) <= moment)
        elif name == "actions":
            frame = frame.filter(pl.col("date") <= moment.astimezone(ZONE).date())
        if name == "leads":
            frame = frame.with_columns(
                pl.when(pl.col("qualified_at") <= moment).then("opportunity_id").alias("opportunity_id")
            ).with_columns(pl.when(pl.col(at) <= moment).then(at).alias(at) for at in _LEARNT)
        cut[name] = frame
    return cut


def told(tables: Tables, settings: Settings, day: date) -> Delivery:
    """The whole past of a company, as it was known at the end of a day."""
    return Delivery.whole(
        replace(settings, taken=end_of(day)), known(tables, end_of(day)), histories=frozenset(VERSIONED)
    )


# ---- what a CRM exports ----

MAPPING = """
name = "Corvélia"
taken = {day}
time_zone = "Europe/Paris"
currency = "EUR"
stages = [
{stages}
]
[files]
deals = "deals.csv"
clients = "clients.csv"
users = "users.csv"
leads = "leads.csv"
[reps]
file = "users"
rep_id = "Login"
name = "Name"
team = "Team"
region = "Region"
role = "Role"
manager_id = "Manager"
[accounts]
file = "clients"
account_id = "Client no."
name = "Client"
sector = "Sector"
segment = "Segment"
country = "Country"
[deals]
file = "deals"
opportunity_id = "Deal no."
account_id = "Client no."
rep_id = "Owner"
stage = "Stage"
created_at = "Created"
closed_at = "Closed"
amount = "Amount"
expected_close_date = "Expected"
forecast_category = "Call"
competitor = "Competitor"
loss_reason = "Reason"
deal_type = "Type"
product = "Product"
lead_source = "Source"
[leads]
file = "leads"
lead_id = "Lead no."
source = "Source"
created_at = "Raised"
first_response_at = "Answered"
qualified_at = "Qualified"
rejected_at = "Rejected"
rep_id = "Owner"
opportunity_id = "Deal no."
"""


def export(tables: Tables, day: date, folder: Path, since: date | None = None) -> Path:
    """Write what a CRM exports at the end of a day, with a mapping. Returns the mapping's path.

    Args:
        tables: The company.
        day: The day.
        folder: Where to; made if absent.
        since: Leave out the deals and leads that are as they were at the end of this day.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = _files(known(tables, end_of(day)))
    if since is not None:
        before = _files(known(tables, end_of(since)))
        for name in ("deals", "leads"):
            now[name] = now[name].join(before[name], on=now[name].columns, how="anti", nulls_equal=True)
    for name, frame in now.items():
        frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    stages = ",\n".join(
        f'{{ stage = "{stage}", kind = "{kind}" }}' for stage, kind in tables["stages"].select("stage", "kind").rows()
    )
    mapping = MAPPING.format(day=day, stages=stages)
    if since is not None:
        for section in ("deals", "leads"):
            mapping = mapping.replace(
                f'{section} = "{section}.csv"', f'{section} = {{ path = "{section}.csv", optional = true }}'
            )
            mapping = mapping.replace(f'file = "{section}"\n', f'file = "{section}"\nabsent = "kept"\n')
    path = folder / "crm.toml"
    path.write_text(mapping, encoding="utf-8")
    return path


def _files(tables: Tables) -> dict[str, pl.DataFrame]:
    deals = _last(tables, "versions").join(tables["opportunities"], on="opportunity_id")
    since = (
        tables["versions"]
        .sort("opportunity_id", "valid_from")
        .with_columns(turned=pl.col("status").ne_missing(pl.col("status").shift().over("opportunity_id")))
    )
    closed = since.filter("turned").group_by("opportunity_id").agg(pl.col("valid_from").last().alias("closed"))
    deals = deals.join(closed, on="opportunity_id").with_columns(pl.when(pl.col("status") != "open").then("closed"))
    names = {
        "Deal no.": "opportunity_id", "Client no.": "account_id", "Owner": "rep_id", "Stage": "stage",
        "Created": "created_at", "Closed": "closed", "Amount": "amount", "Expected": "expected_close_date",
        "Call": "forecast_category", "Competitor": "competitor", "Reason": "loss_reason", "Type": "deal_type",
        "Product": "product", "Source": "lead_source",
    }  # fmt: skip
    users = {
        "Login": "rep_id", "Name": "name", "Team": "team", "Region": "region", "Role": "role", "Manager": "manager_id"
    }  # fmt: skip
    clients = {
        "Client no.": "account_id", "Client": "name", "Sector": "sector", "Segment": "segment", "Country": "country"
    }  # fmt: skip
    leads = {
        "Lead no.": "lead_id", "Source": "source", "Raised": "created_at", "Answered": "first_response_at",
        "Qualified": "qualified_at", "Rejected": "rejected_at", "Owner": "rep_id", "Deal no.": "opportunity_id",
    }  # fmt: skip
    return {
        "deals": _written(deals, names),
        "users": _written(_last(tables, "reps"), users),
        "clients": _written(_last(tables, "accounts"), clients),
        "leads": _written(tables["leads"], leads),
    }


def _last(tables: Tables, name: str) -> pl.DataFrame:
    key = VERSIONED[name]
    return tables[name].sort(key, "valid_from").group_by(key, maintain_order=True).last()


def _written(frame: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    local = cs.datetime().dt.convert_time_zone(str(ZONE)).dt.replace_time_zone(None)
    return frame.with_columns(local).select(**{title: pl.col(column) for title, column in names.items()})


# ---- importing ----


def by_history(tables: Tables, settings: Settings, days: Iterable[date], folder: Path) -> Book:
    """A book that is told the whole past at the end of each of some days."""
    for day in days:
        write_book(folder, told(tables, settings, day), end_of(day))
    return open_book(folder)


def by_export(tables: Tables, days: Iterable[date], folder: Path, only_changes: bool = False) -> Book:
    """A book that imports what the CRM exports at the end of each of some days; from the second on only what changed."""
    before = None
    for day in days:
        mapping = export(tables, day, folder / f"{day}", since=before)
        before = day if only_changes else None
        write_book(folder / "book", deliver(load_mapping(mapping)), end_of(day))
    return open_book(folder / "book")


def rows(book: Book) -> Tables:
    """All rows of a book, without its own numbers, which follow the order in which it met things."""
    stored = {name: book.collect(book._stored(name)) for name in STORED}
    return {name: frame.drop(cs.ends_with("_key")).sort(pl.all()) for name, frame in stored.items()}


# ---- comparing ----

#: What one row per deal tells as well as its whole past.
PRESENT = ("volumes", "revenue", "win_rate", "loss_rate", "deal_size", "pipeline", "cycle", "lead_volumes")

Answers = dict[str, pl.DataFrame | str]


def questions(day: date, names: Iterable[str] = ()) -> Iterator[tuple[str, Question]]:
    """Every measure of the catalogue over a quarter, or some measures with the pipeline of the day; by region also."""
    quarter = day - timedelta(days=89)
    for name, measure in ((name, MEASURES[name]) for name in names or MEASURES):
        # An action is before and after itself, whatever the region.
        for by in ((), ("region",)) if "region" in measure.subject.columns and name != "before_after" else ((),):
            first = day if names and name == "pipeline" else quarter
            yield name, Question(by=by, since=first, until=day)


def answers(book: Book, asked: Iterable[tuple[str, Question]]) -> Answers:
    """What a book answers to each question: a frame, sorted, or the problem that is told."""
    found: Answers = {}
    for name, question in asked:
        try:
            frame = MEASURES[name].ask(book, question)
            found[f"{name} {question.by}"] = frame.sort(pl.all()) if frame.width else frame
        except Problem as problem:
            found[f"{name} {question.by}"] = str(problem)
    return found


def differences(one: Answers, other: Answers) -> list[str]:
    """The questions to which two books answer differently. Floats may differ in the last digits: sums in another order."""
    return [name for name in one if not _same(one[name], other[name])]


def _same(one: pl.DataFrame | str, other: pl.DataFrame | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and one == other
    try:
        assert_frame_equal(one, other, check_row_order=False, rel_tol=1e-9, abs_tol=1e-6)
    except AssertionError:
        return False
    return True
