"""A CSV file of more than two gigabytes, with quotation marks and line ends inside its cells, imported in little memory."""

import json
import os
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

N_ROWS = 6_000_000
BATCH = 500_000
MAPPING = """
name = "Large"
taken = 2026-06-30
stages = [{ stage = "Offer", kind = "open" }, { stage = "Won", kind = "won" }, { stage = "Lost", kind = "lost" }]
[files]
deals = "deals.csv"
[reps]
file = "deals"
from_values = true
rep_id = "Owner"
[accounts]
file = "deals"
from_values = true
account_id = "Client"
[deals]
file = "deals"
opportunity_id = "Id"
account_id = "Client"
rep_id = "Owner"
stage = "Stage"
created_at = "Created"
closed_at = "Closed"
amount = "Amount"
"""


def batch(first: int) -> pl.DataFrame:
    """Rows of deals from `first` on; every thousandth has a date that is none."""
    number = pl.int_range(first, first + BATCH, eager=True).alias("number")
    chance = [number.hash(seed) for seed in range(6)]
    closed = chance[0] % 3 > 0
    born = pl.lit(date(2020, 1, 1)) + pl.duration(days=chance[1] % 2000)
    note = pl.lit('He said: "yes, but\nlater; ask ') + chance[5].cast(pl.String) + pl.lit(', again"\r\n' + "x" * 250)
    return pl.select(
        Id=pl.lit("D") + chance[2].cast(pl.String) + pl.lit("-") + number.cast(pl.String),
        Client=pl.lit("Client ") + (chance[3] % 300_000).cast(pl.String),
        Owner=pl.lit("Seller ") + (chance[4] % 200).cast(pl.String),
        Stage=pl.when(chance[0] % 3 == 0).then(pl.lit("Offer")).when(chance[0] % 3 == 1).then(pl.lit("Won"))
        .otherwise(pl.lit("Lost")),
        Created=pl.when(number % 1000 == 999).then(pl.lit("2021-02-30")).otherwise(born.cast(pl.String)),
        Closed=pl.when(closed).then((born + timedelta(days=90)).cast(pl.String)),
        Amount=(chance[1] % 100_000) / 100,
        Note=note,
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """The file, and a mapping that leaves its notes out."""
    folder = tmp_path_factory.mktemp("large")
    with (folder / "deals.csv").open("wb") as file:
        for first in range(0, N_ROWS, BATCH):
            batch(first).write_csv(file, include_header=first == 0)
    (folder / "large.toml").write_text(MAPPING, encoding="utf-8")
    assert (folder / "deals.csv").stat().st_size > 2**31
    return folder


def test_imported_in_less_than_four_gigabytes(ledger, source):
    if ledger.find(rows=N_ROWS):
        return
    start = time.monotonic()
    command = [sys.executable, "-c", "from cadran.cli import main; main()", "import", source / "large.toml"]
    with subprocess.Popen(
        [*command, "--book", source / "book", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        out, err = process.communicate()
    seconds, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, err
    manifest = json.loads(out)
    (deals,) = [file for file in manifest["files"] if file["table"] == "opportunities"]
    assert (deals["n_read"], deals["n_accepted"], deals["n_set_aside"]) == (
        N_ROWS,
        N_ROWS * 999 // 1000,
        N_ROWS // 1000,
    )
    assert sum(manifest["volumes"][f"n_{status}"] for status in ("open", "won", "lost")) == N_ROWS * 999 // 1000
    peak = used.ru_maxrss * 1024
    assert peak < 4e9
    size = os.path.getsize(source / "deals.csv")
    ledger.add(
        rows=N_ROWS,
        bytes=size,
        seconds=round(seconds),
        peak_bytes=peak,
        **{k: deals[k] for k in deals if k[:2] == "n_"},
    )
