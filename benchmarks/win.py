"""`python -m benchmarks.win [--deals N]`: the win model of a large book: its choice, one fit, scores, and levers.

The book is the invented company at that size, with its whole history and some 22 touches a deal.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.report import put, timed
from cadran.book import Book, open_book, write_book
from cadran.figures import process_page as sheet
from cadran.figures.facts import Facts
from cadran.measures.answers import about
from cadran.models import win
from cadran.models.design import learn
from cadran.models.landmarks import Snapshots, take
from cadran.models.levers import LEVERS
from cadran.models.outlook import Outlook
from cadran.sources.sample import invent
from cadran.text import words_for

SCORED, PULLED = 100_000, 6_000


def main() -> None:
    """Make the book, choose, fit again beside scikit-learn's trees, score, hold it all to the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=float, default=2e5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--book", type=Path, help="a large book that is there already")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        book = open_book(asked.book)
        print(report(book, *measured(book, asked.rounds)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.book or Path(scratch) / "book"
        if not (folder / "CURRENT").exists():
            delivery = invent(int(asked.deals))
            write_book(folder, delivery, delivery.settings.taken)
        # In a process of its own, for the memory to be that of the model alone.
        alone = [sys.executable, "-m", "benchmarks.win", "--alone", "--book", folder, "--rounds", f"{asked.rounds}"]
        table = subprocess.run(alone, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    print(table)
    put("win", ABOUT.format(table=table, command=f"--rounds {asked.rounds}"))
    sys.exit("missed" in table)


def measured(book: Book, rounds: int) -> tuple[win.WinModel, Snapshots, dict[str, tuple[float, float]], float]:
    """The model, what it learnt from, seconds and seconds of CPU of each part, and the most memory held, in GB."""
    found = {}
    model, found["choice"] = timed(lambda: win.fit(book))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    taken = take(book)
    learnt = win.Learnt(tuple(suspect.fact for suspect in model.card.suspects))
    rows, design = taken.rows(), learn(taken.facts, taken.deal, learnt.left_out)
    features = np.column_stack([design.plain(taken.facts)[0][rows.of], rows.period, rows.start])
    facts = win.open_facts(book)
    asked = pl.concat([facts] * -(-SCORED // max(len(facts), 1))).head(SCORED)
    parts: dict[str, Callable[[], Any]] = {
        "refit": lambda: learnt.hazards(model.chosen, taken, win.RESAMPLED),
        "trees": lambda: HistGradientBoostingClassifier(random_state=0).fit(features, rows.outcome),
        "score": lambda: model.score(asked),
    }
    for name, run in parts.items():
        times = [timed(run)[1] for _ in range(rounds)]
        found[name] = _median(times)
    return model, taken, found | levers(book, model, asked.head(PULLED), rounds), memory


def levers(book: Book, model: win.WinModel, facts: pl.DataFrame, rounds: int) -> dict[str, tuple[float, float]]:
    """All levers worked out beforehand; then each pulled on half of the deals, every time another half: from the
    selection to the message that the browser gets."""
    told, words, rng = Facts(**about(book, sheet.DIMENSIONS)), words_for("en"), np.random.default_rng(0)
    outlook, pages = Outlook(model, facts, book.day, pl.DataFrame()), {}
    for lever in LEVERS:
        page = sheet.open_page(told, words, {"lever": lever})
        pages[lever] = page, sheet.Answers(told, page.asked, words, (book.day, book.day), {}, {}, {})

    def pull(lever: str, horizon: str) -> None:
        page, answers = pages[lever]
        kept = rng.random(len(facts)) < 0.5
        page.show(sheet.room(page, answers, outlook.pulled(kept, lever, horizon), int(kept.sum())))

    _, beforehand = timed(outlook.work_out_levers)
    pull("contacts", "quarter")  # the charts are compiled once in the life of a server
    asked = [(lever, horizon) for lever in LEVERS for horizon in outlook.horizons] * rounds
    return {"beforehand": beforehand, "lever": _median([timed(partial(pull, *each))[1] for each in asked])}


def _median(times: list[tuple[float, float]]) -> tuple[float, float]:
    wall, cpu = (statistics.median(each) for each in zip(*times, strict=True))
    return wall, cpu


def report(
    book: Book, model: win.WinModel, taken: Snapshots, found: dict[str, tuple[float, float]], memory: float
) -> str:
    """The table, with each target and whether it was met."""
    lines = ["| target | seconds | of CPU | found | |", "|---|---|---|---|---|"]

    def target(text: str, part: str, value: float, most: float, unit: str) -> None:
        wall, cpu = found[part]
        is_met = "met" if value <= most else "missed"
        lines.append(f"| {text}: at most {most:g}{unit} | {wall:.3g} | {cpu:.3g} | {value:.3g}{unit} | {is_met} |")

    target("Whole choice, from the book to the model", "choice", found["choice"][0], 120, " s")
    target("Most memory held by then", "choice", memory, 4, " GB")
    ratio = found["refit"][0] / found["trees"][0]
    target(
        "Fit of the chosen one, with its intervals, of one `HistGradientBoostingClassifier`'s", "refit", ratio, 3, " ×"
    )
    lines.append(
        f"| `HistGradientBoostingClassifier`, as it comes | {found['trees'][0]:.1f} | {found['trees'][1]:.1f} | | |"
    )
    target(f"Scores of {SCORED:,} deals, with their intervals", "score", found["score"][0], 5, " s")
    wall, cpu = found["beforehand"]
    lines.append(f"| All levers of {PULLED:,} open deals, worked out behind the page | {wall:.1f} | {cpu:.1f} | | |")
    target(
        f"One lever pulled on half of {PULLED:,} deals, figures and all", "lever", 1e3 * found["lever"][0], 30, " ms"
    )
    rows = book.manifest["rows"]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    names = ", ".join(f"{name} {version(name)}" for name in ("numpy", "polars", "scikit-learn"))
    lines += [
        "",
        f"{rows['opportunities']:,} deals, {rows['versions']:,} versions, {rows['activities']:,} touches; "
        f"{len(taken):,} looks, {len(taken.rows().of):,} rows a fit; chosen: {model.chosen}.",
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {load} at the end; {names}.",
    ]
    return "\n".join(lines)


ABOUT = """## The win model of a large book

The invented company at 200,000 deals: every candidate fitted on each fold, the choice, its last fit; then that fit
again beside scikit-learn's trees on the same rows, scores with intervals, and levers; medians.

{table}

`python -m benchmarks.win {command}`
"""


if __name__ == "__main__":
    main()
