"""`python -m benchmarks.bookings [--book FOLDER]…`: a lever on bookings to come, beside the same by brute force."""

import argparse
import os
import platform
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.report import put, timed
from cadran.book import SAMPLE, open_book
from cadran.models import kept
from cadran.models.bookings import PATHS, Bookings, Pulls, of_model

#: Open and lately closed deals of a book -> milliseconds that one move of a lever may take on a server.
TARGETS = {20_000: 30.0, 1_000_000: 150.0}
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def main() -> None:
    """Each book: work it out, pull levers, compare with brute force, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, action="append", help="one or more; the sample by default")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    lines = [
        "| book | worked out once | one move of a lever: median / p95 | of it CPU | the same by brute force | ratio "
        "| farthest quantile | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [measured(folder, asked.rounds) for folder in asked.book or [SAMPLE]]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    names = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "polars"))
    table = "\n".join([*lines, "", f"{os.cpu_count()} cores ({platform.machine()}), load {load} at the end; {names}."])
    print(table)
    put("bookings", ABOUT.format(table=table, paths=PATHS))
    sys.exit("missed" in table)


def measured(folder: Path, rounds: int) -> str:
    """One row of the table."""
    book = open_book(folder)
    model = kept.model(book)
    made, once = timed(lambda: _made(of_model(book, model)))
    pulls = [pulled for turn in range(rounds) for pulled in levers(0.9 + 0.2 * turn / max(rounds - 1, 1))]
    times = np.array([timed(lambda each=each: made.drawn(each))[1] for each in pulls]) * 1e3  # type: ignore[misc]
    exact, slow = timed(lambda: made.exact(n=PATHS))
    wall, cpu = times[:, 0], times[:, 1]
    n_deals = book.manifest["rows"]["opportunities"]
    most = next(each for deals, each in TARGETS.items() if n_deals <= deals)
    is_met = "met" if statistics.median(cpu) <= most else "missed"
    return (
        f"| {n_deals:,} deals, {len(made.stock):,} open | {once[0]:.1f} s "
        f"| {np.median(wall):.1f} / {np.quantile(wall, 0.95):.1f} ms | {np.median(cpu):.1f} ms | {slow[0]:.1f} s "
        f"| {slow[1] * 1e3 / np.median(cpu):.0f} × | {farthest(made, exact.bookings):.1%} | at most {most:g} ms: {is_met} |"
    )


def _made(made: Bookings) -> Bookings:
    made.drawn()
    return made


def levers(factor: float) -> list[Pulls]:
    """Every lever once."""
    return [
        Pulls(size=factor), Pulls(cycle=factor), Pulls(win_odds=((None, factor),)), Pulls(arrivals=((None, factor),)),
    ]  # fmt: skip


def farthest(made: Bookings, exact: np.ndarray) -> float:
    """The largest difference of a quantile of the company's next quarter from that of brute force, as a share of it."""
    fast, slow = (
        np.quantile(each.sum(axis=1)[:, :3].sum(axis=1), SHARES) for each in (made.drawn().bookings, exact)
    )  # fmt: skip
    return float(np.abs(fast / slow - 1).max())


ABOUT = """## Bookings to come

{paths} futures of twelve months by seller. A move of a lever is from the lever to all revenue, wins, open and new deals;
the target is held to its CPU, since the machine is shared. Brute force draws the same law deal by deal and future by
future, with other chance: the noise of {paths} futures on either side is in the last difference.

{table}

`python -m benchmarks.bookings`
"""


if __name__ == "__main__":
    main()
