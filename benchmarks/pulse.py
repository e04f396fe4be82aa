"""`python -m benchmarks.pulse [--people N]`: a wave of a million answers scored, and released so that nobody is singled out.

Invented people of a company with a tree and four more cuts, about 500 groups, who answer ten questions. Measured from the
wave's answers to its release: counted, joined, attacked. Beside it the same answers counted by group with polars, without
any control.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from benchmarks.report import put
from cadran.measures.disclosure import release
from cadran.tables.pulse import Answer, Comment, Invited, Question, Release, Terms, Wave

CUTS = {"region": 10, "team": 300, "department": 40, "role": 50, "tenure": 8, "site": 100}
N_QUESTIONS, TARGET = 10, 5
SHARES = (0.08, 0.12, 0.2, 0.35, 0.25)


def main() -> None:
    """Release it, count it plainly, hold the two to each other, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    wave = company(asked.people)
    ways: dict[str, Callable[[], Any]] = {"release": lambda: release(wave), "plain": lambda: plain(wave)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, Any] = {}
    for _ in range(asked.rounds):
        for name, way in ways.items():
            began, spent = time.perf_counter(), time.process_time()
            found[name] = way()
            seconds[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - spent)
    its: Release = found["release"]
    check(its, found["plain"])
    wall, spent = ({name: statistics.median(each) for name, each in times.items()} for times in (seconds, cpu))
    text = report(wave, its, wall, spent)
    put("pulse", text)
    print(text)


def company(n: int, seed: int = 0) -> Wave:
    """A wave that everybody answered."""
    rng = np.random.default_rng(seed)
    team = rng.integers(0, CUTS["team"], n)
    codes = {"region": team % CUTS["region"], "team": team}
    codes |= {cut: rng.integers(0, size, n) for cut, size in CUTS.items() if cut not in codes}
    told = {
        cut: pl.Series([f"{cut} {each:03}" for each in range(CUTS[cut])]).gather(code) for cut, code in codes.items()
    }
    person = [f"p{each:06}" for each in range(n)]
    empty = {name: schema.create_empty() for name, schema in
             {"invited": Invited, "answers": Answer, "questions": Question, "comments": Comment}.items()}  # fmt: skip
    invited = _as(pl.DataFrame({"person": person, "answered": [True] * n, **told}), empty["invited"])
    people = pl.DataFrame({"ballot": person, **told})
    answers = pl.concat(
        [
            people.with_columns(
                question_id=pl.lit(f"q{question}"), score=pl.Series(rng.choice(5, n, p=SHARES) + 1).cast(pl.Int16)
            )
            for question in range(N_QUESTIONS)
        ]
    )
    asked = [
        {"question_id": f"q{question}", "kind": "agreement", "text_en": "?", "text_fr": "?", "is_reversed": False, "low": 1,
         "high": 5, "unfavourable_to": 2, "favourable_from": 4, "labels_en": ["no", "yes"], "labels_fr": ["non", "oui"]}
        for question in range(N_QUESTIONS)
    ]  # fmt: skip
    terms = Terms("s", {"en": "S", "fr": "S"}, "confidential", cuts=tuple(CUTS))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    return Wave(
        terms, "2026-05", at, at.replace(day=8), pl.DataFrame(asked, empty["questions"].schema), invited,
        _as(answers, empty["answers"]), empty["comments"],
    )  # fmt: skip


def _as(rows: pl.DataFrame, empty: pl.DataFrame) -> pl.DataFrame:
    """Rows with all columns of a table."""
    missing = [pl.lit(None, kind).alias(name) for name, kind in empty.schema.items() if name not in rows.columns]
    return rows.with_columns(missing).select(empty.columns)


def plain(wave: Wave) -> pl.DataFrame:
    """Counts and sums of every group, and nothing held back."""
    high, low = pl.col("score") >= 4, pl.col("score") <= 2
    counts = [
        pl.len().alias("n"),
        high.sum().alias("n_high"),
        low.sum().alias("n_low"),
        pl.col("score").sum().alias("sum"),
    ]
    return pl.concat(
        [wave.answers.group_by(pl.lit(cut).alias("cut"), pl.col(cut).alias("group"), "question_id").agg(counts)
         for cut in wave.terms.cuts]
    )  # fmt: skip


def check(its: Release, counts: pl.DataFrame) -> None:
    """That what is told exactly is what a plain count gives."""
    both = its.cells.filter(pl.col("told") == "exact").join(counts, on=["cut", "group", "question_id"], suffix="_plain")
    assert both.height == its.cells.filter((pl.col("told") == "exact") & (pl.col("cut") != "company")).height
    for name, other in {"n": "n_plain", "n_high": "n_high_plain", "n_low": "n_low_plain", "score_sum": "sum"}.items():
        assert (both[name] == both[other]).all(), name


def report(wave: Wave, its: Release, wall: dict[str, float], spent: dict[str, float]) -> str:
    """The page of results."""
    told = dict(its.cells.group_by("told").len().iter_rows())
    tests = its.audited["tests"]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"""## Pulse

{wave.answers.height:,} answers of {wave.invited.height:,} people to {N_QUESTIONS} questions, six cuts, {its.groups.height}
groups released; {told.get("exact", 0):,} cells told exactly, {told.get("band", 0):,} in bands, {told.get("withheld", 0):,}
withheld; {tests.get("sums and differences", 0):,} sums and differences looked for. Medians of turns; what is told exactly
is what the plain count gives.

| | seconds | seconds of CPU |
|---|---|---|
| Cadran, from answers to a release that was attacked (target: {TARGET}) | {wall["release"]:.2f} | {spent["release"]:.2f} |
| polars, the same counts with nothing held back | {wall["plain"]:.2f} | {spent["plain"]:.2f} |

Measured on {os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {load} at the end; Python
{platform.python_version()}, numpy {np.__version__}, polars {pl.__version__}, with `python -m benchmarks.pulse`.
"""


if __name__ == "__main__":
    main()
