"""People answer in a process of its own, which is killed again and again; run as a program, it is that process."""

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import ballots
import polars as pl

from cadran.book.ballots import Ballots, Refused
from cadran.publish.together import Together

#: Answers under way at once.
AT_ONCE = 4


def waves_answered(folder, n, kills, seed):
    """A wave that n people answered while the process that takes their answers in was killed; and what was seen.

    After each kill, who had no word that they were heard answers again.

    Returns:
        The wave, and of each kill: answers acknowledged before it, and answers found in the store after it.
    """
    chance, seen, acknowledged = random.Random(seed), [], set()
    with Ballots(folder / "ballots.sqlite") as store:
        tokens = ballots.opened(store, invited=ballots.people(n))["token"]
    (folder / "tokens").write_text("\n".join(tokens), "utf-8")
    for left in range(kills, -1, -1):
        after = (n - len(acknowledged)) // (left + 1) + 1
        heard = _answering(folder, acknowledged, chance, after if left else None)
        assert not heard & acknowledged
        acknowledged |= heard
        with Ballots(folder / "ballots.sqlite") as store:
            found = store.status(ballots.NOW)["n_answered"].item()
            assert len(acknowledged) <= found, "an acknowledged answer is lost"
            lost = [number for number in acknowledged if _is_open(store, tokens[number])]
            assert not lost, "an acknowledged answer may be given again"
        if left:
            seen.append({"acknowledged": len(acknowledged), "found": found})
    with Ballots(folder / "ballots.sqlite") as store:
        return store.close("pulse", "2026-05", ballots.NOW), seen


def expected(n):
    """The scores and options of n people, as rows of question, score and option; and their comments."""
    given = [
        (name, value) for number in range(n) for name, value in ballots.answers(number).items() if value is not None
    ]
    answers = [
        (name, None, value) if name == "place" else (name, value, None) for name, value in given if name != "words"
    ]
    return sorted(answers, key=str), sorted(value.strip() for name, value in given if name == "words")


def told(wave):
    """What a wave tells, as `expected`; and of each cut how many answers it holds."""
    once = wave.answers.filter(pl.col("cut").is_null())
    sizes = dict(wave.answers.group_by("cut").len().rows())
    return (sorted(once.select("question_id", "score", "choice").rows(), key=str), sorted(wave.comments["text"])), sizes


def _answering(folder, acknowledged, chance, kill_after):
    """Let those not heard yet answer, and kill that after so many; who was heard."""
    command = [sys.executable, __file__, str(folder), *map(str, sorted(acknowledged))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"POLARS_MAX_THREADS": "1"})
    heard = set()
    with process, process.stdout as said:
        for line in said:
            heard.add(int(line))
            if len(heard) == kill_after:
                time.sleep(chance.random() / 100)
                process.kill()
                kill_after = None
    assert process.returncode in (0, -9)
    return heard


def _is_open(store, token):
    try:
        store.asked(token, ballots.NOW)
    except Refused:
        return False
    return True


async def _answer(answering, waiting, tokens):
    while waiting:
        number = waiting.pop()
        try:
            await answering((tokens[number], ballots.answers(number)))
        except Refused as refused:
            if refused.why != "used":  # it was heard, but the process did not live to say so
                raise
        # One write for a line: who reads never sees half a number.
        os.write(1, f"{number}\n".encode())


async def _answer_all(store, waiting, tokens):
    answering = Together(lambda entries: store.answer_all(entries, ballots.NOW))
    await asyncio.gather(*(_answer(answering, waiting, tokens) for _ in range(AT_ONCE)))


def main(folder, *acknowledged):
    tokens = (Path(folder) / "tokens").read_text("utf-8").split()
    waiting = [number for number in range(len(tokens)) if str(number) not in acknowledged]
    random.shuffle(waiting)
    with Ballots(Path(folder) / "ballots.sqlite") as store:
        asyncio.run(_answer_all(store, waiting, tokens))


if __name__ == "__main__":
    main(*sys.argv[1:])
