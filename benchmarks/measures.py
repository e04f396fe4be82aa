"""`python -m benchmarks.measures [--deals N …]`: measures of a large book beside hand-written DuckDB SQL, in one run."""

import argparse
import gc
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as version_of
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.deals import make
from benchmarks.report import put
from cadran.book import Book, open_book
from cadran.measures import MEASURES, Question

YEAR = {"since": date(2025, 7, 1), "until": date(2026, 6, 30)}
LAST_YEAR = date(2025, 6, 30)


@dataclass(frozen=True)
class Case:
    """One question, its measure, and SQL that answers it from the same files. The columns of the SQL are compared."""

    title: str
    measure: str
    question: Question
    sql: str
    as_of: date | None = None

    def ask(self, book: Book) -> pl.DataFrame:
        """Cadran's answer."""
        seen = book.as_of(self.as_of) if self.as_of else book
        return MEASURES[self.measure].ask(seen, self.question)


_VOLUMES = (
    ", ".join(
        f"""count(*) FILTER (status = '{status}') n_{status},
    coalesce(sum(amount) FILTER (status = '{status}'), 0) amount_{status},
    count(*) FILTER (status = '{status}' AND amount IS NULL) n_{status}_unknown"""
        for status in ("open", "won", "lost")
    )
    + """, count(*) FILTER (status = 'lost' AND loss_reason = 'No decision') n_no_decision,
    count(*) FILTER (status = 'disqualified') n_disqualified"""
)

CASES = (
    Case(
        "Deals as of a year ago", "volumes", Question(),
        f"""SELECT {_VOLUMES} FROM versions
        WHERE valid_from < '2025-07-01' AND (valid_to >= '2025-07-01' OR valid_to IS NULL)""",
        as_of=LAST_YEAR,
    ),
    Case(
        "Volumes of a year, by region", "volumes", Question(by=("region",), **YEAR),
        f"""SELECT region, {_VOLUMES} FROM versions v JOIN reps USING (rep_key)
        WHERE (v.valid_to > $taken OR v.valid_to IS NULL)
        AND (status = 'open' OR status_since_date BETWEEN '2025-07-01' AND '2026-06-30')
        GROUP BY region ORDER BY region""",
    ),
    Case(
        "Win rate of a year, by product", "win_rate", Question(by=("product",), **YEAR),
        """SELECT product, count(*) n_closed, count(*) FILTER (status = 'won') n_won,
        count(*) FILTER (status = 'won') / count(*) win_rate
        FROM versions v JOIN opportunities USING (opportunity_key)
        WHERE (v.valid_to > $taken OR v.valid_to IS NULL)
        AND status IN ('won', 'lost') AND status_since_date BETWEEN '2025-07-01' AND '2026-06-30'
        GROUP BY product ORDER BY product""",
    ),
    Case(
        "Sales cycle of a year", "cycle", Question(**YEAR),
        """SELECT status outcome, count(days) n, count(*) - count(days) n_unknown, avg(days) mean_days,
        median(days) median_days, quantile_cont(days, 0.9) p90_days FROM (
            SELECT status, status_since_day - created_day AS days FROM versions
            WHERE (valid_to > $taken OR valid_to IS NULL)
            AND status IN ('won', 'lost') AND status_since_date BETWEEN '2025-07-01' AND '2026-06-30'
        ) GROUP BY status ORDER BY status""",
    ),
    Case(
        "Waterfall of a quarter", "waterfall", Question(since=date(2026, 3, 31), until=date(2026, 6, 30)),
        """WITH moved AS (
            SELECT *, valid_from < '2026-04-01' AND (valid_to >= '2026-04-01' OR valid_to IS NULL) is_before,
                (valid_to > $taken OR valid_to IS NULL) is_after
            FROM versions v JOIN stages USING (stage)
            WHERE (valid_from < '2026-04-01' AND (valid_to >= '2026-04-01' OR valid_to IS NULL))
                OR ((valid_to > $taken OR valid_to IS NULL))
        ), told AS (
            SELECT status, floor(amount * 100 + 0.5)::BIGINT cents, original_amount, currency, expected_close_date,
                position, opportunity_key, is_before, is_after FROM moved
        ), pairs AS (
            SELECT a.status was, b.status now_is, a.cents then_cents, b.cents now_cents,
                12 * year(a.expected_close_date) + month(a.expected_close_date) then_month,
                12 * year(b.expected_close_date) + month(b.expected_close_date) now_month,
                a.position then_at, b.position now_at,
                a.status IS NOT DISTINCT FROM 'open' stood, b.status IS NOT DISTINCT FROM 'open' stands,
                a.currency IS NOT DISTINCT FROM b.currency same_currency,
                a.original_amount IS NOT DISTINCT FROM b.original_amount AND a.original_amount IS NOT NULL same_original
            FROM (FROM told WHERE is_before) a FULL JOIN (FROM told WHERE is_after) b USING (opportunity_key)
            WHERE a.status = 'open' OR b.status = 'open'
        ), causes AS (
            SELECT *, CASE
                WHEN stood AND now_is = 'won' THEN 'won'
                WHEN stood AND now_is = 'lost' THEN 'lost'
                WHEN stood AND now_is = 'disqualified' THEN 'disqualified'
                WHEN stood AND now_is IS NULL THEN 'corrected'
                WHEN NOT stood AND was IS NULL THEN 'new'
                WHEN NOT stood AND was <> 'open' THEN 'reopened'
                WHEN now_month < then_month THEN 'pulled_in'
                WHEN now_month > then_month THEN 'pushed_out'
                WHEN (now_cents IS NULL) <> (then_cents IS NULL) THEN 'amount_known'
                WHEN now_cents > then_cents AND same_currency AND NOT same_original THEN 'amount_up'
                WHEN now_cents <> then_cents AND same_currency AND NOT same_original THEN 'amount_down'
                WHEN now_cents <> then_cents OR NOT same_currency THEN 'currency'
                WHEN now_at > then_at THEN 'stage_forward'
                WHEN now_at < then_at THEN 'stage_back'
                ELSE 'unchanged' END cause FROM pairs
        )
        SELECT cause, sum(stands::INT - stood::INT)::BIGINT n, count(*) n_deals,
            (coalesce(sum(now_cents) FILTER (stands), 0) - coalesce(sum(then_cents) FILTER (stood), 0)) / 100 amount
        FROM causes GROUP BY cause
        UNION ALL SELECT 'opening', count(*), count(*), sum(then_cents) / 100 FROM causes WHERE stood
        UNION ALL SELECT 'closing', count(*), count(*), sum(now_cents) / 100 FROM causes WHERE stands""",
    ),
    Case(
        "Concentration of a year", "concentration_index", Question(**YEAR),
        """WITH clients AS (
            SELECT coalesce(a.parent_account_id, a.account_id) client, sum(amount) signed, count(amount) n
            FROM versions v LEFT JOIN accounts a USING (account_key)
            WHERE (v.valid_to > $taken OR v.valid_to IS NULL)
            AND status = 'won' AND status_since_date BETWEEN '2025-07-01' AND '2026-06-30'
            GROUP BY client
        ), ranked AS (
            SELECT *, row_number() OVER (ORDER BY signed DESC NULLS LAST, client) place FROM clients
        )
        SELECT count(*) FILTER (n > 0) n_clients, sum(n)::BIGINT n_won, sum(signed) revenue,
            sum(signed) FILTER (place <= 10) / sum(signed) top_share,
            sum(signed * signed) / (sum(signed) * sum(signed)) herfindahl
        FROM ranked""",
    ),
)  # fmt: skip


def main() -> None:
    """Make the books, ask everything of both, hold it to the targets, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=float, nargs="+", default=[1e6, 1e7])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the books are made, and kept for the next run")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.deals]
    if asked.alone:
        ask_alone(asked.folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = {}
        for size in sizes:
            folder = (asked.folder or Path(scratch)) / f"{size}"
            if not (folder / "CURRENT").exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder, size)
            found[size] = beside(folder, asked.rounds), peak(folder)
        table = report(found)
        print(table)
        put(
            "measures",
            ABOUT.format(table=table, command=f"--deals {' '.join(map(str, sizes))} --rounds {asked.rounds}"),
        )
        sys.exit("missed" in table)


def peak(folder: Path) -> float:
    """Gigabytes that a process of its own holds at most while it asks everything once."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.measures", "--alone", "--folder", str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(told.stdout)


def ask_alone(folder: Path) -> None:
    """Ask everything once; print the most memory held, in gigabytes."""
    book = open_book(folder)
    for case in CASES:
        case.ask(book)
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9)


def beside(folder: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds of Cadran and of DuckDB for each question; their answers must be equal."""
    book = open_book(folder)
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = 'UTC'; SET threads = {os.cpu_count()}")
    for name in ("versions", "opportunities", "accounts", "reps", "stages"):
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{book.version / name}/*.parquet')")
    times: dict[str, tuple[list[float], list[float]]] = {}
    for number in range(rounds + 1):
        for case in CASES:
            ours, our_answer = timed(lambda case=case: case.ask(book))
            theirs, their_answer = timed(lambda case=case: by_sql(connection, case, book))
            check(case, our_answer, their_answer)
            if number:  # the first round warms the disk's cache for both
                seconds = times.setdefault(case.title, ([], []))
                seconds[0].append(ours)
                seconds[1].append(theirs)
        print(f"{folder.name}: round {number} of {rounds}", file=sys.stderr)
    return {title: (statistics.median(ours), statistics.median(theirs)) for title, (ours, theirs) in times.items()}


def timed(run: Callable[[], pl.DataFrame]) -> tuple[float, pl.DataFrame]:
    """Seconds, and what came of them."""
    gc.collect()
    start = time.perf_counter()
    answer = run()
    return time.perf_counter() - start, answer


def by_sql(connection: duckdb.DuckDBPyConnection, case: Case, book: Book) -> pl.DataFrame:
    """DuckDB's answer."""
    moment = {"taken": book.moment} if "$taken" in case.sql else None
    answer = pl.from_arrow(connection.sql(case.sql, params=moment).to_arrow_table())
    assert isinstance(answer, pl.DataFrame)
    return answer


def check(case: Case, ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    """Both answers are the same in every column that the SQL has."""
    keys = [column for column in ("cause", *case.question.by, "outcome") if column in theirs.columns]
    ours = ours.select(theirs.columns)
    if "cause" in keys:
        ours = ours.filter(pl.col("n_deals") > 0)
    if keys:
        ours, theirs = ours.sort(keys), theirs.sort(keys)
    for column in theirs.columns:
        left, right = ours[column], theirs[column]
        if not left.dtype.is_numeric():
            same = left.to_list() == right.to_list()
        else:
            near = (left.cast(pl.Float64) - right.cast(pl.Float64)).abs() <= 1e-9 * right.cast(pl.Float64).abs() + 1e-9
            same = left.len() == right.len() and near.all()
        if not same:
            raise AssertionError(f"{case.title}: {column} differs.\n{ours}\n{theirs}")


def report(found: dict[int, tuple[dict[str, tuple[float, float]], float]]) -> str:
    """The tables, with each target and whether it was met."""
    largest, smallest = max(found), min(found)
    lines = ["| seconds, median | " + " | ".join(f"{size:,} deals: Cadran | DuckDB SQL" for size in found) + " |"]
    lines.append("|---" * (1 + 2 * len(found)) + "|")
    sums = {
        size: tuple(sum(each[side] for each in times.values()) for side in (0, 1)) for size, (times, _) in found.items()
    }
    for title in [*(case.title for case in CASES), "Sum"]:
        cells = [f"{s:.2f}" for size in found for s in (sums[size] if title == "Sum" else found[size][0][title])]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", "| target | found | |", "|---|---|---|"]

    def target(text: str, value: float, most: float, unit: str) -> None:
        lines.append(f"| {text}: at most {most:g}{unit} | {value:.3g}{unit} | {'met' if value <= most else 'missed'} |")

    target(f"Sum at {largest:,} deals, of DuckDB's", sums[largest][0] / sums[largest][1], 0.7, " ×")
    target(f"Most memory at {largest:,} deals", found[largest][1], 4, " GB")
    if largest > smallest:
        target(f"From {smallest:,} to {largest:,} deals", sums[largest][0] / sums[smallest][0], 12, " ×")
    names = ", ".join(f"{name} {version_of(name)}" for name in ("polars", "narwhals", "duckdb"))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    lines += [
        "",
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {load} at the end; {names}.",
    ]
    return "\n".join(lines)


ABOUT = """## Measures of a large book

Six questions asked of a book as it is stored (`deals.py` makes it: four versions a deal, for some dozens; random text as
ids; buckets; keys that say nothing of time), through the measures themselves, beside SQL written by hand for DuckDB on
the same files, with the same integer keys, without a filter that is not needed, and as many threads as cores. The two
take turns in one process, and every answer is compared: counts exactly, sums and shares to nine digits. Where the
measure also gives an interval (win rate, cycle, concentration's effective number), the SQL does not. Most memory: of a
process of its own that asks all six.

{table}

`python -m benchmarks.measures {command}`
"""


if __name__ == "__main__":
    main()
