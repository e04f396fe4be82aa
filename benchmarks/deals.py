"""A large book made straight into files: ids at random, rows shuffled, a long tail of versions per deal, many buckets.

Nobody reads its deals; it has the shape of a company's: three in four deals are closed, most deals have two or three
versions and some dozens, ids are random text, a key says nothing of the time.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import dataframely as dy
import numpy as np
import polars as pl

from cadran.book import open_book, write_book
from cadran.book.draft import seal
from cadran.tables import STORED, TABLES
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.groups import n_buckets

TAKEN = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY_US = 86_400_000_000
#: First and last day of creation, days from 1970.
FIRST, LAST = 18_628, 20_634
STAGES = [("Qualify", 0, "open", False), ("Meet", 1, "open", True), ("Propose", 2, "open", True),
          ("Negotiate", 3, "open", True), ("Won", 4, "won", True), ("Lost", 5, "lost", True),
          ("Disqualified", 6, "disqualified", True)]  # fmt: skip
VERSIONS_PER_DEAL = 4


def make(folder: Path, n_deals: int, seed: int = 0) -> Path:
    """Write a book of `n_deals` deals and four times as many versions.

    Returns:
        The folder of its version.
    """
    random = np.random.default_rng(seed)
    n_accounts, n_reps = max(n_deals // 20, 50), 400
    version = write_book(folder, Delivery.whole(_settings(), _people(random, n_accounts, n_reps)), TAKEN)
    n = n_buckets(n_deals * (1 + VERSIONS_PER_DEAL))
    book = open_book(folder)
    people = [book.collect(book.table(f"{who}s").select(f"{who}_id", f"{who}_key")) for who in ("account", "rep")]
    bounds = np.linspace(0, n_deals, n + 1).astype(int)
    days = random.permutation(n_deals)  # a deal's key says nothing of when it was created
    rows = {}
    for bucket in range(n):
        keys = np.arange(bounds[bucket], bounds[bucket + 1])
        tables = _bucket(random, keys, days[keys] / n_deals, *people)
        for name, frame in tables.items():
            frame.write_parquet(version / name / f"{bucket:04}.parquet", compression="zstd", row_group_size=250_000)
            rows[name] = rows.get(name, 0) + frame.height
    told = json.loads((version / "manifest.json").read_text("utf-8"))
    told["rows"] |= rows
    seal(version, told | {"sha256": {}})
    return version


def _settings() -> Settings:
    return Settings("Large", TAKEN)


def _people(random: np.random.Generator, n_accounts: int, n_reps: int) -> dict[str, pl.DataFrame]:
    """Stages, accounts of which one in five is a subsidiary, sellers of 40 teams, a calendar that holds all days."""
    begins = datetime(2021, 1, 1, tzinfo=UTC)
    stages = pl.DataFrame(STAGES, schema=["stage", "position", "kind", "is_qualified"], orient="row")
    number = np.arange(n_accounts)
    parent = np.where(random.random(n_accounts) < 0.2, random.integers(0, n_accounts, n_accounts), -1)
    accounts = pl.DataFrame({"number": number, "parent": parent}).select(
        account_id=_id("number", "A"),
        parent_account_id=pl.when(pl.col("parent") >= 0).then(_id("parent", "A")),
        name=pl.format("Client {}", "number"),
        sector=pl.format("Sector {}", pl.col("number") % 12),
        valid_from=pl.lit(begins),
    )
    reps = pl.DataFrame({"number": np.arange(n_reps)}).select(
        rep_id=_id("number", "R"),
        team=pl.format("Team {}", pl.col("number") % 40),
        region=pl.format("Region {}", pl.col("number") % 6),
        valid_from=pl.lit(begins),
    )
    tables = {"stages": stages, "accounts": accounts, "reps": reps}
    return {name: _shaped(frame, TABLES[name]) for name, frame in tables.items()}


def _id(number: str, kind: str) -> pl.Expr:
    """A text as a CRM's keys are: the same for the same number, in no order."""
    return pl.lit(f"006{kind}") + pl.col(number).cast(pl.Int64).hash(1).cast(pl.String)


def _shaped(frame: pl.DataFrame, schema: type[dy.Schema]) -> pl.DataFrame:
    types = schema.create_empty().schema
    return frame.select(
        (pl.col(column) if column in frame.columns else pl.lit(None)).cast(dtype).alias(column)
        for column, dtype in types.items()
    )


def _bucket(
    random: np.random.Generator, keys: np.ndarray, when: np.ndarray, accounts: pl.DataFrame, reps: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    n = len(keys)
    account = (random.zipf(1.3, n) * 7919 + random.integers(0, 50, n)) % accounts.height  # few clients, many deals
    deals = pl.DataFrame({
        "opportunity_key": keys,
        "account_key": account,
        "created": (FIRST * DAY_US + (when * (LAST - FIRST) * DAY_US)).astype(np.int64),
        "n_versions": np.where(
            random.random(n) < 0.1,
            1,  # never touched again, and open
            1 + random.geometric(1 / 2.5, n) + (random.random(n) < 0.03) * random.integers(5, 50, n),
        ),
        "cycle": random.gamma(1.8, 50.0, n) * DAY_US,
        "fate": random.choice([1, 2, 3], n, p=[0.28, 0.62, 0.1]),
        "amount": np.where(random.random(n) < 0.05, np.nan, np.round(random.lognormal(9, 1.1, n), 2)),
        "rep_key": random.integers(0, reps.height, n),
        "due": random.gamma(1.8, 55.0, n),
    }).with_columns(pl.col("amount").fill_nan(None), opportunity_id=_id("opportunity_key", "D"))  # fmt: skip
    deals = deals.join(reps, on="rep_key")
    end = pl.lit(TAKEN).dt.epoch("us")
    versions = (
        deals.with_columns(step=pl.int_ranges(0, "n_versions"))
        .explode("step")
        .with_columns(
            begins=(pl.col("created") + pl.col("cycle") * pl.col("step") / (pl.col("n_versions") - 1).clip(1)).cast(
                pl.Int64
            )
        )
        .filter(pl.col("begins") <= end)
    )
    is_last = pl.col("step") == pl.col("n_versions") - 1
    closed = is_last & (pl.col("n_versions") > 1)
    status = pl.when(closed).then("fate").otherwise(0)
    stage = pl.when(closed).then(pl.col("fate") + 3).otherwise(pl.min_horizontal("step", pl.lit(3)))
    names = pl.Series([row[0] for row in STAGES])
    pushes = pl.max_horizontal(pl.lit(0), (pl.col("step") - 2) // 3)
    day = pl.col("begins") // DAY_US
    versions = versions.select(
        "opportunity_id", "opportunity_key", "rep_id", "rep_key", "account_key",
        valid_from=pl.col("begins").cast(pl.Datetime("us", "UTC")),
        valid_to=pl.col("begins").shift(-1).over("opportunity_key").cast(pl.Datetime("us", "UTC")),
        stage=stage.replace_strict(list(range(7)), names.to_list(), return_dtype=pl.String),
        status=status.replace_strict([0, 1, 2, 3], ["open", "won", "lost", "disqualified"], return_dtype=pl.String),
        amount=pl.col("amount") * (1 + (pl.col("step") // 2) * 0.05),
        expected_close_date=(pl.col("created") // DAY_US + pl.col("due").cast(pl.Int64) + 31 * pushes).cast(pl.Int32).cast(pl.Date),
        loss_reason=pl.when(closed & (pl.col("fate") == 2)).then(
            pl.when(pl.col("opportunity_key") % 4 == 0).then(pl.lit("No decision")).otherwise(pl.lit("Price"))
        ),
        created_day=pl.col("created") // DAY_US,
        since=pl.when(closed).then("begins").otherwise("created"),
        stage_since=pl.col("begins").cast(pl.Datetime("us", "UTC")),
        n_pushes=pushes,
        n_reopened=pl.lit(0),
        day=day,
    ).with_columns(
        status_since=pl.col("since").cast(pl.Datetime("us", "UTC")),
        status_since_day=pl.col("since") // DAY_US,
        status_since_date=(pl.col("since") // DAY_US).cast(pl.Int32).cast(pl.Date),
        next_stage=pl.when(pl.col("stage") != pl.col("stage").shift(-1).over("opportunity_key")).then(
            pl.col("stage").shift(-1).over("opportunity_key")
        ),
    )  # fmt: skip
    opportunities = deals.join(accounts, on="account_key").select(
        "opportunity_id", "opportunity_key", "account_id", "account_key",
        deal_type=pl.lit("new"), product=pl.format("Product {}", pl.col("opportunity_key") % 9),
        created_at=pl.col("created").cast(pl.Datetime("us", "UTC")),
        created_date=(pl.col("created") // DAY_US).cast(pl.Int32).cast(pl.Date), created_day=pl.col("created") // DAY_US,
    )  # fmt: skip
    return {
        "opportunities": _shaped(opportunities, STORED["opportunities"]).sort("opportunity_id"),
        "versions": _shaped(versions, STORED["versions"]).sort("opportunity_id", "valid_from"),
    }
