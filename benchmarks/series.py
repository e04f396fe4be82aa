"""`python -m benchmarks.series`: the series part of the forecast beside statsforecast's AutoETS, on 148 retail series.

Both forecast the year before last and the last year, each from all that came before it; what came is compared. The
rival runs in an environment of its own (`make bench-series` makes it), one series after the other; `statsmodels` is
shown beside, on every tenth series.
"""

import argparse
import gzip
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

import numpy as np
import polars as pl

from benchmarks.report import put
from cadran.models.accuracy import SEASON, coverage, mase, wape
from cadran.models.forecast_plain import ets, seasonal_naive
from cadran.models.series import forecast_series

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data" / "aus_retail" / "aus_retail.csv.gz"
#: Months held out in all, and forecast at a time; whole years a series must be known before.
HELD_OUT, HORIZON, YEARS = 24, 12, 8
#: Ends of the 95 and 80 % intervals.
ENDS = np.array([0.025, 0.1, 0.9, 0.975])


@dataclass(frozen=True)
class Found:
    """What one of them told."""

    #: (origins, series, horizon) means; (origins, series, horizon, 4) the ends of its intervals.
    mean: np.ndarray
    ends: np.ndarray
    #: Seconds of CPU, and seconds, per forecast of one series.
    cpu: float
    seconds: float


def retail(data: Path = DATA) -> np.ndarray:
    """(series, months) turnover; NaN before a series begins. Series that ended are left out, or that are too short."""
    with gzip.open(data) as file:
        told = pl.read_csv(file.read()).with_columns(pl.col("Month").str.to_date("%Y-%m"))
    wide = told.sort("Month").pivot(on="Series ID", index="Month", values="Turnover", maintain_order=True)
    series = wide.drop("Month").to_numpy().T
    is_judged = ~np.isnan(series[:, -HELD_OUT - YEARS * SEASON :]).any(axis=1)
    return series[is_judged]


def main() -> None:
    """Run both, hold them to the targets, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival", type=Path, default=ROOT / ".venv-statsforecast/bin/python", help="its Python")
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    for needed, repair in ((asked.data, "see README"), (asked.rival, "make bench-series makes it")):
        if not needed.exists():
            sys.exit(f"{needed} is not there: {repair}.")
    os.environ["OMP_NUM_THREADS"] = "1"
    series = retail(asked.data)
    origins = [series.shape[1] - left for left in range(HELD_OUT, 0, -HORIZON)]
    came = np.stack([series[:, origin : origin + HORIZON] for origin in origins])
    histories = [series[:, :origin] for origin in origins]
    found = {"Cadran": cadran(histories), "AutoETS": autoets(asked.rival, histories)}
    text = report(found | plain(histories), came, histories)
    print(text)
    put("series", text)
    sys.exit("missed" in text)


def cadran(histories: list[np.ndarray]) -> Found:
    """Ours, all series of an origin at once."""
    wall, cpu = time.perf_counter(), time.process_time()
    told = [forecast_series(history, HORIZON) for history in histories]
    ends = np.stack([np.stack([each.quantile(end) for end in ENDS], axis=-1) for each in told])
    n = sum(map(len, histories))
    mean = np.stack([each.mean for each in told])
    return Found(mean, ends, (time.process_time() - cpu) / n, (time.perf_counter() - wall) / n)


def autoets(rival: Path, histories: list[np.ndarray]) -> Found:
    """The rival, in its own environment."""
    longest = histories[-1].shape[1]
    padded = [np.pad(each, ((0, 0), (longest - each.shape[1], 0)), constant_values=np.nan) for each in histories]
    with tempfile.TemporaryDirectory() as folder:
        given, told = Path(folder) / "given.npz", Path(folder) / "told.npz"
        np.savez(given, histories=np.stack(padded), horizon=HORIZON)
        subprocess.run([rival, Path(__file__).with_name("autoets.py"), given, told], check=True)
        back = np.load(told)
        return Found(back["told"][..., 0], back["told"][..., 1:], back["cpu"].mean(), back["seconds"].mean())


def plain(histories: list[np.ndarray], every: int = 10) -> dict[str, Found]:
    """The same month last year, and statsmodels' exponential smoothing, which takes long, on some series."""
    told = {}
    for name, one, step in (("Same month last year", seasonal_naive, 1), ("statsmodels ETS", ets, every)):
        wall, cpu, n = time.perf_counter(), time.process_time(), 0
        mean = np.full((len(histories), len(histories[0]), HORIZON), np.nan)
        ends = np.full((*mean.shape, len(ENDS)), np.nan)
        for row, history in enumerate(histories):
            for place in range(0, len(history), step):
                mean[row, place], ends[row, place] = one(history[place], HORIZON, ENDS)
                n += 1
        told[name] = Found(mean, ends, (time.process_time() - cpu) / n, (time.perf_counter() - wall) / n)
    return told


def report(found: dict[str, Found], came: np.ndarray, histories: list[np.ndarray]) -> str:
    """The tables, with each target and whether it was met."""
    lines = [
        "| | forecasts | MASE | WAPE | within 80 % | within 95 % | CPU, ms a series |",
        "|---|---|---|---|---|---|---|",
    ]
    scaled = {}
    for name, told in found.items():
        scaled[name] = np.mean([mase(*each) for each in zip(came, told.mean, histories, strict=True)])
        of_80, of_95 = (coverage(came, told.ends[..., low], told.ends[..., -1 - low]) for low in (1, 0))
        n = int((~np.isnan(told.mean)).any(axis=2).sum())
        lines.append(
            f"| {name} | {n} | {scaled[name]:.4f} | {wape(came, told.mean):.2%} | {of_80:.1%} | {of_95:.1%} "
            f"| {1000 * told.cpu:.3g} |"
        )
    ours, theirs = found["Cadran"], found["AutoETS"]
    ratio = scaled["Cadran"] / scaled["AutoETS"]
    lines += ["", "| target | found | |", "|---|---|---|"]

    def target(text: str, value: str, is_met: bool) -> None:
        lines.append(f"| {text} | {value} | {'met' if is_met else 'missed'} |")

    target("MASE, of AutoETS's: at most 0.97 ×", f"{ratio:.3f} ×", ratio <= 0.97)
    for share, low, least, most in ((80, 1, 0.77, 0.83), (95, 0, 0.93, 0.97)):
        held = coverage(came, ours.ends[..., low], ours.ends[..., -1 - low])
        target(f"{share} % intervals cover {least:.0%} to {most:.0%}", f"{held:.1%}", least <= held <= most)
    times = ours.cpu / theirs.cpu
    target("Time of a series, of AutoETS's: at most 2 ×", f"{times:.2f} ×", times <= 2)
    return ABOUT.format(
        table="\n".join(lines), day=datetime.now(UTC).date(), cores=os.cpu_count(), series=came.shape[1],
        machine=f"{platform.machine()}, {platform.system()}", load=", ".join(f"{each:.1f}" for each in os.getloadavg()),
        statsmodels=version("statsmodels"),
    )  # fmt: skip


ABOUT = """
## The series part of the forecast

Monthly retail turnover of {series} Australian series of state and industry (Australian Bureau of Statistics, CC BY 4.0):
all that go on to the end and were known for eight years before. The last 24 months are held out; each of their two
years is forecast from all that came before it. MASE is the mean over series and both years, scaled by the seasonal
naive of each history. CPU counts everything: for Cadran also the 24 forecasts made again at past months, from which
its intervals come, and 1,000 futures; AutoETS and statsmodels give intervals by formula. statsmodels, of additive
error, trend and season by AICc, is shown on every tenth series.

{table}

Measured {day}, {cores} cores ({machine}), load {load} at the end; statsforecast 2.1.1 in an environment of its own,
since it holds pandas under 3; statsmodels {statsmodels}; `make bench-series`.
"""


if __name__ == "__main__":
    main()
