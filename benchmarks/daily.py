"""`python -m benchmarks.daily [--deals N]`: a daily import that changes 1 % of the deals, beside the first import.

The deals come straight into the book as a source would hand them over, shuffled, with ids at random and a long tail of
versions, so that what is measured is the book: adding, deriving, numbering, sorting, writing, checksums, fsync. The
first import reads no file either, which makes the target harder, not easier.
"""

import argparse
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.report import put
from cadran.book import open_book, write_book
from cadran.tables import TABLES
from cadran.tables.deals import STATUSES
from cadran.tables.delivery import Delivery, Part, Settings
from cadran.tables.groups import bucket_of, n_buckets

TAKEN = datetime(2026, 6, 30, 12, tzinfo=UTC)
STAGES = ["Qualify", "Meet", "Propose", "Won", "Lost"]
KINDS = ["open", "open", "open", "won", "lost"]
SHARE = 0.01
TARGET = 0.2


def main() -> None:
    """Import, import again what changed, and say what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=3, help="daily imports after the first")
    parser.add_argument("--folder", type=Path, help="where the book is made; a temporary folder by default")
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="cadran-daily-", dir=asked.folder))
    try:
        lines = run(place, asked.deals, asked.days)
    finally:
        shutil.rmtree(place)
    print("\n".join(lines))
    put("daily", ABOUT.format(table="\n".join(lines), command=f"--deals {asked.deals} --days {asked.days}"))
    sys.exit(any("missed" in line for line in lines))


def run(place: Path, n_deals: int, n_days: int) -> list[str]:
    """The table's lines."""
    n = n_buckets(n_deals * 5)
    ids = [
        frame["opportunity_id"]
        for _, frame in sorted(
            pl.DataFrame({"number": np.arange(n_deals)})
            .select(opportunity_id=pl.lit("006D") + pl.col("number").hash(1).cast(pl.String))
            .with_columns(bucket=bucket_of("opportunity_id", n))
            .partition_by("bucket", as_dict=True, include_key=False)
            .items()
        )
    ]
    book, parts = place / "book", kept(place / "first", first_parts(ids))
    first = timed(lambda: write_book(book, delivery(parts, TAKEN), TAKEN))
    rows = open_book(book).manifest["rows"]["versions"]
    lines = [
        f"| {n_deals:,} deals, {rows:,} versions in {n} buckets | seconds | of CPU | of the first: at most {TARGET} | |",
        "|---|---|---|---|---|",
        f"| First import | {first[0]:.1f} | {first[1]:.1f} | | |",
    ]
    for day in range(1, n_days + 1):
        taken = TAKEN + timedelta(days=day)
        told = delivery(kept(place / f"day {day}", daily_parts(ids, day)), taken, frozenset({"deals"}))
        took = timed(lambda told=told, taken=taken: write_book(book, told, taken))  # type: ignore[misc]
        done = open_book(book).manifest["import"]["versions"]
        ratio = took[0] / first[0]
        lines.append(
            f"| Day {day}: {done['n_changed']:,} deals changed | {took[0]:.1f} | {took[1]:.1f} | {ratio:.3f} | "
            f"{'met' if ratio <= TARGET else 'missed'} |"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return [
        *lines,
        "",
        f"Most memory held: {peak:.2f} GB (at most 4 GB: {'met' if peak <= 4 else 'missed'}). {os.cpu_count()} cores, load "
        f"{load} at the end; polars {version('polars')}, Python {platform.python_version()}.",
    ]


def kept(folder: Path, parts: Iterator[Part]) -> Iterator[Part]:
    """Parts made before the clock starts, each read from the disk when its turn comes."""
    folder.mkdir()
    told = []
    for n, part in enumerate(parts):
        for name, frame in part.tables.items():
            frame.write_ipc(folder / f"{n}-{name}.arrow")
        told.append((n, replace(part, tables=dict.fromkeys(part.tables, pl.DataFrame()))))
    return (
        replace(part, tables={name: pl.read_ipc(folder / f"{n}-{name}.arrow") for name in part.tables})
        for n, part in told
    )


def timed(work: object) -> tuple[float, float]:
    """Seconds on the clock and of CPU."""
    clock, used = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return time.perf_counter() - clock, time.process_time() - used


def delivery(parts: Iterator[Part], taken: datetime, partial: frozenset[str] = frozenset()) -> Delivery:
    """Parts as a source with field history hands them over."""
    return Delivery(Settings("Large", taken), parts, histories=frozenset({"versions"}), partial=partial)


def first_parts(ids: list[pl.Series]) -> Iterator[Part]:
    """Everything."""
    stages = {"stage": STAGES, "position": range(5), "kind": KINDS, "is_qualified": [True] * 5}
    yield Part("plan", {"stages": shaped("stages", pl.DataFrame(stages))})
    for bucket, these in enumerate(ids):
        yield Part("deals", deals(these, bucket), bucket=bucket, n_buckets=len(ids))


def daily_parts(ids: list[pl.Series], day: int) -> Iterator[Part]:
    """The whole past of one deal in a hundred, each with one version more."""
    for bucket, these in enumerate(ids):
        some = these.gather(np.random.default_rng((day, bucket)).permutation(len(these))[: int(len(these) * SHARE)])
        told = deals(these, bucket)
        told = {name: rows.filter(pl.col("opportunity_id").is_in(some.implode())) for name, rows in told.items()}
        last = told["versions"].sort("valid_from").unique("opportunity_id", keep="last")
        news = pl.lit(TAKEN + timedelta(days=day - 1, hours=6)).cast(pl.Datetime("us", "UTC"))
        last = last.with_columns(valid_from=news, amount=pl.col("amount").fill_null(0) + day)
        yield Part("deals", told | {"versions": pl.concat([told["versions"], last])}, bucket=bucket, n_buckets=len(ids))


def deals(ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
    """Deals of a bucket and their versions, four each on average, a few with dozens, shuffled."""
    random = np.random.default_rng(seed)
    n = len(ids)
    counts = 1 + random.geometric(1 / 2.4, n) + (random.random(n) < 0.02) * random.integers(5, 50, n)
    owner = np.repeat(np.arange(n), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    created = random.integers(1_609_459_200, 1_767_225_600, n) * 1_000_000
    begins = created[owner] + step * 86_400_000_000 * 3 + random.integers(0, 86_400_000_000, len(owner))
    stage = np.where(step == counts[owner] - 1, random.integers(0, 5, len(owner)), random.integers(0, 3, len(owner)))
    versions = pl.DataFrame({"owner": owner, "begins": begins, "stage": stage, "step": step}).with_columns(
        opportunity_id=ids.gather(owner),
        valid_from=pl.col("begins").cast(pl.Datetime("us", "UTC")),
        status=pl.Series(KINDS, dtype=pl.Enum(STATUSES)).gather(stage),
        stage=pl.Series(STAGES).gather(stage),
        rep_id=pl.lit("005R") + (pl.col("owner") % 400).cast(pl.String),
        amount=pl.Series(random.lognormal(9, 1, len(owner)).round(2)),
        expected_close_date=(pl.col("begins") // 86_400_000_000 + 30).cast(pl.Int32).cast(pl.Date),
    )
    opportunities = pl.DataFrame({"owner": np.arange(n), "created": created}).select(
        opportunity_id=ids,
        account_id=pl.lit("001A") + (pl.col("owner") * 7919 % 50_000 + seed).hash(2).cast(pl.String),
        created_at=pl.col("created").cast(pl.Datetime("us", "UTC")),
        product=pl.lit("Product ") + (pl.col("owner") % 9).cast(pl.String),
    )
    frames = {"opportunities": opportunities, "versions": versions.filter(pl.col("valid_from") < TAKEN)}
    return {name: shaped(name, frame.sample(fraction=1, shuffle=True, seed=seed)) for name, frame in frames.items()}


def shaped(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Exactly the columns of a table."""
    types = TABLES[name].create_empty().schema
    given = [pl.col(c) if c in frame.columns else pl.lit(None).alias(c) for c in types]
    return frame.select(column.cast(dtype) for column, dtype in zip(given, types.values(), strict=True))


ABOUT = """## A day's import

What one deal in a hundred brings, their whole past told again with one version more, added to a large book, beside the
book's first import. The rows come straight into the book, shuffled, with random ids and a long tail of versions, so that
what is measured is the book: adding, deriving, numbering, sorting, writing, checksums, the disk. The first import reads
no file either, which makes the target harder.

{table}

`python -m benchmarks.daily {command}`
"""


if __name__ == "__main__":
    main()
