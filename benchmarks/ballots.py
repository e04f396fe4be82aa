"""`python -m benchmarks.ballots`: two hundred people answer at the same moment; how long each waits until it is on the disk."""

import argparse
import os
import platform
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import numpy as np
import polars as pl

from benchmarks.report import put
from cadran.book.ballots import Ballots
from cadran.tables.pulse import CUTS, MOST_QUESTIONS, Question, Terms

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
TERMS = Terms("pulse", {"en": "Pulse", "fr": "Pouls"}, "anonymous", controller="Example", cuts=CUTS)
TEXT = "I would like fewer forms and more time with clients. " * 6


def questions() -> pl.DataFrame:
    """As many as a wave may ask: one eNPS, agreements, one comment."""
    scale = {"low": 1, "high": 5, "unfavourable_to": 2, "favourable_from": 4}
    rows = [
        {"question_id": "enps", "kind": "enps_0_10", "low": 0, "high": 10, "unfavourable_to": 6, "favourable_from": 9}
    ]
    rows += [{"question_id": f"q{n}", "kind": "agreement", **scale} for n in range(MOST_QUESTIONS - 2)]
    frame = pl.DataFrame([*rows, {"question_id": "words", "kind": "comment"}], dict(Question.create_empty().schema))
    return frame.with_columns(text_en="question_id", text_fr="question_id", is_reversed=False)


def people(n: int) -> pl.DataFrame:
    """Invited people with every cut a survey can have."""
    groups = {cut: pl.int_range(n, eager=True) // max(8, n // 12) for cut in CUTS}
    return pl.DataFrame({"person": [f"p{k}@example.com" for k in range(n)], **groups})


def waits(n_invited: int, at_once: int, folder: Path) -> np.ndarray:
    """Seconds that each of those who answer at once waits: the page's questions, then the answer."""
    with Ballots(folder / f"{n_invited}.sqlite") as store:
        links = store.open_wave(TERMS, "2026-05", questions(), people(n_invited), NOW, NOW + timedelta(days=9), "")
        tokens = links["token"].sample(fraction=1, shuffle=True, seed=1)
        given = dict.fromkeys(questions()["question_id"], 3) | {"words": TEXT}
        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(lambda token: store.answer(token, given, NOW), tokens[: n_invited // 2]))
        gate = Barrier(at_once)

        def answer(token: str) -> float:
            gate.wait()
            begun = time.perf_counter()
            store.asked(token, NOW)
            store.answer(token, given, NOW)
            return time.perf_counter() - begun

        with ThreadPoolExecutor(at_once) as threads:
            return np.array(list(threads.map(answer, tokens[-at_once:])))


def main() -> None:
    """Measure, and write the part of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    lines = []
    for n_invited in (400, 1000, 5000):
        found = []
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                found.append(np.quantile(waits(n_invited, 200, Path(folder)), (0.5, 0.95, 1)) * 1000)
        median, late, last = np.median(found, axis=0)
        worst = max(each[1] for each in found)
        lines.append(f"| {n_invited:,} | {median:,.0f} | {late:,.0f} | {worst:,.0f} | {last:,.0f} |")
        print(lines[-1], flush=True)
    put(
        "ballots",
        f"""## Ballots: 200 people answer at once

Ten questions, one of them a comment of {len(TEXT)} signs, all {len(CUTS)} cuts; half of those invited have answered
before. Each asks for the page's questions and answers, from a thread of its own; all begin at the same moment. Milliseconds
until the answer is on the disk; median of {times} runs. `python -m benchmarks.ballots`

| Invited | median | p95 | p95, worst run | last |
|---:|---:|---:|---:|---:|
"""
        + "\n".join(lines)
        + f"\n\n{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}.",
    )


if __name__ == "__main__":
    main()
