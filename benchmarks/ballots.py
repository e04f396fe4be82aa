"""`python -m benchmarks.ballots`: two hundred people answer at the same moment; how long each waits until it is on the disk."""

import argparse
import asyncio
import os
import platform
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.report import put
from cadran.book.ballots import Ballots
from cadran.publish.together import Together
from cadran.tables.pulse import CUTS, MOST_QUESTIONS, Question, Terms

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
TERMS = Terms("pulse", {"en": "Pulse", "fr": "Pouls"}, "anonymous", controller="Example", cuts=CUTS)
TEXT = "I would like fewer forms and more time with clients. " * 6
#: How many are invited.
INVITED = (400, 1000, 5000)
#: How many answers are taken in together beforehand.
BATCH = 200


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


#: What each answers.
GIVEN: dict[str, int | str | None] = dict.fromkeys(questions()["question_id"], 3) | {"words": TEXT}


def waits(n_invited: int, at_once: int, folder: Path) -> tuple[np.ndarray, float]:
    """Seconds that each of those who answer at once waits, for the page's questions and then for the answer; and seconds of
    CPU of all of them."""
    with Ballots(folder / f"{n_invited}.sqlite") as store:
        tokens = half_answered(store, n_invited, NOW)
        cpu = time.process_time()
        waited = asyncio.run(_answered(store, tokens[-at_once:]))
        return np.array(waited), time.process_time() - cpu


def half_answered(store: Ballots, n_invited: int, now: datetime) -> list[str]:
    """Open a survey, and have half of those invited answer; the links that were not used, in any order."""
    links = store.open_wave(TERMS, "2026-05", questions(), people(n_invited), now, now + timedelta(days=9), "")
    tokens = links["token"].sample(fraction=1, shuffle=True, seed=1).to_list()
    used = tokens[: n_invited // 2]
    for at in range(0, len(used), BATCH):
        store.answer_all([(token, GIVEN) for token in used[at : at + BATCH]], now)
    return tokens[len(used) :]


async def _answered(store: Ballots, tokens: list[str]) -> list[float]:
    asking = Together(lambda asked: store.asked_all(asked, NOW))
    answering = Together(lambda given: store.answer_all(given, NOW))

    async def answer(token: str) -> float:
        begun = time.perf_counter()
        await asking(token)
        await answering((token, GIVEN))
        return time.perf_counter() - begun

    return await asyncio.gather(*map(answer, tokens))


def times_of(about: str | None) -> int:
    """How often to measure, as the command says."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--times", type=int, default=7)
    return int(parser.parse_args().times)


def told(found: list[tuple[np.ndarray, float]]) -> str:
    """Cells of a table: median, p95, p95 of the worst run and last, in milliseconds, medians of the runs; CPU of each."""
    each = np.array([np.quantile(waited, (0.5, 0.95, 1)) for waited, _ in found]) * 1000
    cpu = np.median([seconds / len(waited) for waited, seconds in found]) * 1000
    median, late, last = np.median(each, axis=0)
    return f"{median:,.0f} | {late:,.0f} | {each[:, 1].max():,.0f} | {last:,.0f} | {cpu:.2f}"


def machine() -> str:
    """Where it was measured."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )


def main() -> None:
    """Measure, and write the part of the page."""
    times, lines = times_of(__doc__), []
    for n_invited in INVITED:
        found = []
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                found.append(waits(n_invited, 200, Path(folder)))
        lines.append(f"| {n_invited:,} | {told(found)} |")
        print(lines[-1], flush=True)
    put(
        "ballots",
        f"""## Ballots: 200 people answer at once

Ten questions, one of them a comment of {len(TEXT)} signs, all {len(CUTS)} cuts; half of those invited have answered
before. Each asks for the page's questions and answers, as the server lets them; all begin at the same moment. Milliseconds
until the answer is on the disk (wanted: p95 under 300), and of CPU for each; medians of {times} runs.
`python -m benchmarks.ballots`

| Invited | median | p95 | p95, worst run | last | CPU of each |
|---:|---:|---:|---:|---:|---:|
"""
        + "\n".join(lines)
        + f"\n\n{machine()}",
    )


if __name__ == "__main__":
    main()
