"""`python -m benchmarks.imports [--rows N]`: a CSV of deal versions into a book, beside DuckDB writing sorted Parquet.

Both run in processes of their own, in one run, on the same files: a field history with its rows shuffled, ids of
random letters, a long tail of versions per deal, and one row a deal beside it. What both wrote is compared row by row.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from benchmarks.report import put

ABOUT = """The whole chain of `cadran import` (read, parse, rules, links, derive, write) from two CSV files into a new book, beside
DuckDB reading the same files, every column typed, and writing them as sorted Parquet: a history of deals with its rows
shuffled, ids of random letters, a long tail of versions per deal, and one row a deal. Each runs in a process of its own,
in turn; what both wrote is compared row by row. `python -m benchmarks.imports --large 2` adds a file of 2 GB.
"""
STAGES = ["Qualification", "Discovery", "Proposal", "Negotiation"]
MAPPING = """
taken = 2026-12-31
time_zone = "UTC"
currency = "EUR"
rates = { USD = 0.9 }
stages = [
  { stage = "Qualification", kind = "open" }, { stage = "Discovery", kind = "open" },
  { stage = "Proposal", kind = "open" }, { stage = "Negotiation", kind = "open" },
  { stage = "Closed Won", kind = "won" }, { stage = "Closed Lost", kind = "lost" },
]
[files]
heads = "opportunity.csv"
history = "opportunity_history.csv"
[reps]
file = "history"
from_values = true
rep_id = "OwnerId"
[accounts]
file = "heads"
from_values = true
account_id = "AccountId"
[opportunities]
file = "heads"
opportunity_id = "Id"
account_id = "AccountId"
created_at = "CreatedDate"
deal_type = "Type"
[versions]
file = "history"
opportunity_id = "OpportunityId"
valid_from = "ValidFrom"
rep_id = "OwnerId"
stage = "StageName"
amount = "Amount"
currency = "CurrencyIsoCode"
expected_close_date = "CloseDate"
forecast_category = "ForecastCategory"
"""
PEER = """
SET memory_limit = '4GB';
COPY (FROM read_csv('opportunity_history.csv') ORDER BY OpportunityId, ValidFrom)
  TO 'duckdb_history.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (FROM read_csv('opportunity.csv') ORDER BY Id) TO 'duckdb_opportunity.parquet' (FORMAT parquet, COMPRESSION zstd);
"""
SAME = {
    "versions": (
        "SELECT OpportunityId, epoch_us(ValidFrom::timestamp), OwnerId, StageName, Amount, CurrencyIsoCode, "
        "CloseDate::date, ForecastCategory FROM 'duckdb_history.parquet'",
        "SELECT opportunity_id, epoch_us(valid_from), rep_id, stage::varchar, original_amount, currency, "
        "expected_close_date, forecast_category::varchar FROM '{book}/versions/*.parquet'",
    ),
    "opportunities": (
        "SELECT Id, AccountId, epoch_us(CreatedDate::timestamp), Type FROM 'duckdb_opportunity.parquet'",
        "SELECT opportunity_id, account_id, epoch_us(created_at), deal_type::varchar "
        "FROM '{book}/opportunities/*.parquet'",
    ),
}


@dataclass(frozen=True)
class Run:
    """What one process took: seconds on the clock, seconds of all cores, and gigabytes held at most."""

    seconds: float
    busy: float
    gigabytes: float


def main() -> None:
    """Make the files, import them, hold it to the targets, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, default=5e6, help="of the history")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files are made, and kept for the next run")
    parser.add_argument("--large", type=float, default=0, metavar="GB", help="also import a file of this size, once")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = asked.folder or Path(scratch)
        folder = made(place / f"{asked.rows:.0f}", int(asked.rows))
        ours, theirs = [], []
        for number in range(asked.rounds):
            theirs.append(peer(folder))
            ours.append(cadran(folder))
            print(f"round {number + 1} of {asked.rounds}: {ours[-1]}, DuckDB {theirs[-1]}", file=sys.stderr)
        compare(folder)
        large = None
        if asked.large:
            folder = made(place / f"{asked.large:g}GB", int(asked.large * 1e9 / 108))
            large = (folder / "opportunity_history.csv").stat().st_size, cadran(folder)
    table = report(int(asked.rows), ours, theirs, large)
    print(table)
    put("imports", f"## Imports\n\n{ABOUT}\n{table}")
    sys.exit("missed" in table)


def made(folder: Path, n_rows: int, seed: int = 0) -> Path:
    """The folder of a source of so many versions, made unless it is there."""
    if (folder / "crm.toml").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    n_deals = n_rows // 4
    per_deal = np.minimum(1 + random.pareto(1.2, n_deals), 500)
    per_deal = np.maximum(per_deal * (n_rows / per_deal.sum()), 1).astype(np.int32)
    deal = np.repeat(np.arange(n_deals, dtype=np.int32), per_deal)
    first = np.concatenate([[0], np.cumsum(per_deal)[:-1]]).astype(np.int32)
    order = random.permutation(len(deal)).astype(np.int32)
    begins = random.integers(1_577_836_800, 1_704_067_200, n_deals)
    ends = random.random(n_deals)
    ids = pl.Series(_names(random, n_deals))
    with (folder / "opportunity_history.csv").open("wb") as file:
        for start in range(0, len(order), 1_000_000):
            rows = order[start : start + 1_000_000]
            own = deal[rows]
            number = rows - first[own]
            _versions(random, ids.gather(own), number, number == per_deal[own] - 1, begins[own], ends[own]).write_csv(
                file, include_header=start == 0
            )
    heads = pl.DataFrame(
        {
            "Id": ids,
            "AccountId": pl.Series(random.integers(0, n_deals // 20 + 1, n_deals)).cast(pl.String).str.zfill(15),
            "CreatedDate": _moments(begins, "%Y-%m-%dT%H:%M:%SZ"),
            "Type": np.array(["new", "expansion", "renewal"])[random.integers(0, 3, n_deals)],
        }
    )
    heads.sample(fraction=1, shuffle=True, seed=seed).write_csv(folder / "opportunity.csv")
    (folder / "crm.toml").write_text(MAPPING)
    return folder


def _versions(
    random: np.random.Generator, ids: pl.Series, number: np.ndarray, is_last: np.ndarray, begins: np.ndarray,
    ends: np.ndarray,
) -> pl.DataFrame:  # fmt: skip
    at = begins + number * 200_000 + random.integers(0, 100_000, len(number)) * (number > 0)
    stage = np.where(is_last & (ends < 0.3), 4, np.where(is_last & (ends < 0.75), 5, np.minimum(number, 3)))
    return pl.DataFrame(
        {
            "OpportunityId": ids,
            "ValidFrom": _moments(at, "%Y-%m-%d %H:%M:%S"),
            "OwnerId": pl.Series(begins % 400).cast(pl.String).str.zfill(15),
            "StageName": np.array([*STAGES, "Closed Won", "Closed Lost"])[stage],
            "Amount": np.round(random.lognormal(9, 1, len(number)), 2),
            "CurrencyIsoCode": np.where(begins % 5 > 0, "EUR", "USD"),
            "CloseDate": pl.Series((at // 86_400 + 90).astype(np.int32)).cast(pl.Date),
            "ForecastCategory": np.array(["pipeline", "best_case", "commit"])[random.integers(0, 3, len(number))],
            "LastModifiedById": pl.Series(random.integers(0, 10**9, len(number))).cast(pl.String).str.zfill(15),
        }
    )


def _names(random: np.random.Generator, n: int) -> list[str]:
    signs = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", dtype="S1")
    return [f"006{name.decode()}" for name in signs[random.integers(0, 62, (n, 12))].view("S12").ravel()]


def _moments(seconds: np.ndarray, form: str) -> pl.Series:
    return pl.Series(seconds * 1_000_000).cast(pl.Datetime("us")).dt.to_string(form)


def peer(folder: Path) -> Run:
    """DuckDB reads both files and writes them as sorted Parquet, every column typed."""
    return _alone([sys.executable, "-c", f"import duckdb; duckdb.sql({PEER!r})"], folder)


def cadran(folder: Path) -> Run:
    """The whole chain of `cadran import` into a new book."""
    book = folder / "book"
    subprocess.run(["rm", "-rf", str(book)], check=True)
    command = str(Path(sys.executable).with_name("cadran"))
    return _alone([command, "import", "crm.toml", "--book", "book"], folder)


def _alone(command: list[str], folder: Path) -> Run:
    # Polars, imported here, has written its own choice into the environment: a shell that starts an import has not.
    environment = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e9)


def compare(folder: Path) -> None:
    """Fail unless the book holds exactly the rows that DuckDB wrote."""
    book = folder / "book" / (folder / "book" / "CURRENT").read_text().strip()
    here = os.getcwd()
    os.chdir(folder)
    try:
        for table, (theirs, ours) in SAME.items():
            ours = ours.format(book=book)
            both = f"(({theirs} EXCEPT ALL {ours}) UNION ALL ({ours} EXCEPT ALL {theirs}))"
            n, m = (duckdb.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0] for rows in (both, f"({theirs})"))
            if n or not m:
                raise AssertionError(f"{table}: {n} of {m} rows differ")
    finally:
        os.chdir(here)


def report(n_rows: int, ours: list[Run], theirs: list[Run], large: tuple[int, Run] | None) -> str:
    """The table, with each target and whether it was met."""
    own, other = (float(np.median([run.seconds for run in runs])) for runs in (ours, theirs))
    most = max(run.gigabytes for run in ours)
    lines = ["| target | found | |", "|---|---|---|"]

    def target(text: str, found: float, at_most: float, unit: str) -> None:
        said = f"{found:.3g}{unit}"
        lines.append(f"| {text}: at most {at_most:g}{unit} | {said} | {'met' if found <= at_most else 'missed'} |")

    target(f"Import of {n_rows:,} rows ({own:.1f} s), of DuckDB's ({other:.1f} s)", own / other, 2, " ×")
    target("Memory held at most, of the same", most, 4, " GB")
    if large:
        size, run = large
        target(f"Memory held at most, a file of {size / 1e9:.1f} GB ({run.seconds:.0f} s)", run.gigabytes, 4, " GB")
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    used = ", ".join(f"{name} {version(name)}" for name in ("polars", "duckdb"))
    busy = [float(np.median([run.busy for run in runs])) for runs in (ours, theirs)]
    lines += ["", f"Medians of {len(ours)} rounds; seconds of all cores: {busy[0]:.0f} beside {busy[1]:.0f}."]
    lines += [f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}, {platform.system()}), "
              f"load {load} at the end; {used}."]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
