"""A maker of frames of deals, a maker of tiny books, and the same book read by DuckDB."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from cadran.book import Book, open_book, write_book
from cadran.book.engines import engine_of
from cadran.tables import TABLES
from cadran.tables.deals import CLOSED
from cadran.tables.delivery import Delivery, Settings

Row = Mapping[str, Any]
TAKEN = datetime(2026, 6, 30, 12, tzinfo=UTC)
STAGES = [("Prospect", 0, "open", False, 0.1), ("Propose", 1, "open", True, 0.5)] + [
    (name.title(), position, name, True, float(name == "won")) for position, name in enumerate(CLOSED, start=2)
]


def instant(value: Any) -> Any:
    """A moment in UTC, from "2026-01-15", a date (its midnight) or a datetime."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    value = datetime.combine(value, time()) if isinstance(value, date) and not isinstance(value, datetime) else value
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def table(name: str, rows: Iterable[Row]) -> pl.DataFrame:
    """Rows as a table of the book: columns not named are null, dates and instants may be written as text."""
    types = dict(TABLES[name].create_empty().schema)
    full = []
    for row in rows:
        assert not set(row) - set(types), f"{name} has no {set(row) - set(types)}"
        known = {column: row.get(column) for column in types}
        for column, dtype in types.items():
            if dtype == pl.Datetime:
                known[column] = instant(known[column])
            elif dtype == pl.Date and isinstance(known[column], str):
                known[column] = date.fromisoformat(known[column])
        full.append(known)
    return pl.DataFrame(full, schema=types, orient="row")


def split_deal(row: Row, number: int) -> tuple[Row, list[Row]]:
    """One opportunity and its one or two versions, from a row such as
    {"created": "2026-01-05", "status": "won", "closed": "2026-02-01", "amount": 100, "account_id": "a1"}.

    A closed deal without `closed` closes at its creation, one without either on 2026-01-01.
    """
    row = dict(row)
    status, created, closed = row.pop("status", "open"), row.pop("created", None), row.pop("closed", None)
    deal = {"opportunity_id": row.pop("opportunity_id", f"d{number:05}"), "created_at": created}
    deal |= {name: row.pop(name) for name in list(row) if name in TABLES["opportunities"].column_names()}
    begins = created or closed or "2026-01-01"
    now = row | {"opportunity_id": deal["opportunity_id"], "status": status, "valid_from": closed or begins}
    now |= {"stage": row.get("stage", status.title() if status in CLOSED else "Prospect")}
    if status in CLOSED and instant(closed or begins) > instant(begins):
        return deal, [now | {"valid_from": begins, "status": "open", "stage": "Prospect", "loss_reason": None}, now]
    return deal, [now]


BookMaker = Callable[..., Book]


@pytest.fixture(scope="session")
def make_book(tmp_path_factory: pytest.TempPathFactory) -> BookMaker:
    """`make_book(deals, taken=…, versions=[…], accounts=[…], leads=[…], …)`: a tiny book on disk, opened.

    `deals` are rows as `split_deal` takes them. Any table may be given as rows (its own columns, the others null)
    or as a frame; `opportunities` and `versions` are added to those of `deals`. Accounts and reps that deals,
    leads or contacts name need not be given. `histories` are the tables that tell their whole past;
    `after` is the book that this import follows, whatever is gone.
    """
    numbers = count(1)

    def made(
        deals: Iterable[Row] = (),
        taken: Any = TAKEN,
        settings: Mapping[str, Any] | None = None,
        histories: Iterable[str] = ("versions",),
        after: Book | None = None,
        **tables: Any,
    ) -> Book:
        opportunities, versions = [], []
        for row in deals:
            deal, its_versions = split_deal(row, next(numbers))
            opportunities.append(deal)
            versions += its_versions
        given = {name: rows if isinstance(rows, pl.DataFrame) else table(name, rows) for name, rows in tables.items()}
        for name, rows in {"opportunities": opportunities, "versions": versions}.items():
            given[name] = pl.concat([table(name, rows), *([given[name]] if name in given else [])])
        columns = ["stage", "position", "kind", "is_qualified", "probability"]
        given.setdefault("stages", table("stages", [dict(zip(columns, row, strict=True)) for row in STAGES]))
        folder = after.version.parent if after else tmp_path_factory.mktemp("book")
        told = Settings(**{"name": "tiny", "taken": instant(taken), **(settings or {})})
        delivery = Delivery.whole(told, given, histories=frozenset(histories))
        write_book(folder, delivery, written_at=instant(taken), accept_vanished=True)
        return open_book(folder)

    return made


@pytest.fixture(scope="session")
def deal_types(make_book: BookMaker) -> dict[str, Any]:
    """Every column `Book.deals` gives, with its type."""
    return dict(make_book().deals().collect_schema().to_polars())


@pytest.fixture(scope="session")
def make_deals(deal_types: dict[str, Any]) -> Callable[[Iterable[Row]], nw.LazyFrame]:
    """`make_deals([{"status": "won", "amount": 100, "team": "North"}, …])`: rows as `Book.deals` gives them.

    Columns not named are null, but for the id, and what follows from the others: `status` is open, a deal is no
    "no decision", and `cycle_days` or `age_days` gives `created_date` and `closed_date` around 2026-06-30.
    """

    def made(rows: Iterable[Row]) -> nw.LazyFrame:
        full = []
        for number, row in enumerate(rows):
            known = {"opportunity_id": f"d{number:05}", "status": "open", "is_no_decision": False, **row}
            assert not set(known) - set(deal_types), f"deals have no {set(known) - set(deal_types)}"
            for days in ("cycle_days", "age_days"):
                if known.get(days) is not None and "created_date" not in known:
                    known["created_date"] = TAKEN.date() - timedelta(days=known[days])
            if known["status"] in CLOSED and "closed_date" not in known:
                known["closed_date"] = TAKEN.date()
            full.append({column: known.get(column) for column in deal_types})
        return nw.from_native(pl.LazyFrame(full, schema=deal_types, orient="row"))

    return made


@pytest.fixture(scope="session", autouse=True)
def _in_utc() -> Iterator[None]:
    """narwhals asks DuckDB thousands of times for the time zone of its connection, which never changes here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narwhals._duckdb.utils.fetch_rel_time_zone", lambda _: "UTC")
        yield


@pytest.fixture(scope="session")
def elsewhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Book], Book]]:
    """The same book, as of the same moment, read by the engine that `--engine` names."""
    name = request.config.getoption("--engine")
    if name != "spark":
        yield on_engine(name)
        return
    scratch = tmp_path_factory.mktemp("spark")
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(scratch), "SPARK_LOCAL_DIRS": str(scratch)}
    from pyspark.sql import SparkSession

    # A master, and one worker with an executor in a process of its own: what leaves it is sent, as in a cluster.
    builder = SparkSession.builder.master("local-cluster[1,1,1024]").config("spark.ui.enabled", "false")
    for setting, value in {"spark.sql.shuffle.partitions": "1", "spark.sql.warehouse.dir": str(scratch)}.items():
        builder = builder.config(setting, value)
    session = builder.getOrCreate()
    yield on_engine(session)
    session.stop()


def on_engine(asked: Any) -> Callable[[Book], Book]:
    """The same book, as of the same moment, read by another engine."""
    engine = engine_of(asked)
    return lambda book: replace(book, engine=engine)


@pytest.fixture(scope="session")
def on_duckdb() -> Callable[[Book], Book]:
    """The same book, as of the same moment, read by DuckDB instead of polars."""
    return on_engine("duckdb")
