"""The true effect of every lever of the sample, over many invented companies."""

import hashlib

import numpy as np
import pytest

from cadran.sources.sample import effects
from cadran.sources.sample.effects import LEVERS, effect

PROSPECTS = 2600
SEEDS = range(1, 13)
SIGNS = {
    "answer twice as fast": 1,
    "answer four times as slowly": -1,
    "one more contact in every deal": 1,
    "a senior contact in every deal": 1,
    "one more contact and a senior one": 1,
    "twice as many meetings": 1,
    "new sellers ready in half the time": 1,
    "training (its region, since then)": 1,
    "price increase (since then)": -1,
}


def _process() -> str:
    """A digest of the generator: lines of another process are not mixed with these."""
    folder = effects.__file__.rsplit("/", 1)[0]
    whole = hashlib.sha256()
    for name in ("clock", "conduct", "deals", "draws", "leads", "market", "pipeline", "planted", "staff"):
        with open(f"{folder}/{name}.py", "rb") as file:
            whole.update(file.read())
    return whole.hexdigest()[:12]


@pytest.mark.parametrize("seed", SEEDS)
def test_pull_every_lever(ledger, seed):
    for name in LEVERS:
        key = {"lever": name, "seed": seed, "prospects": PROSPECTS, "process": _process()}
        if ledger.find(**key) is None:
            ledger.add(**key, **effect(name, PROSPECTS, seed))


@pytest.mark.parametrize("name", LEVERS)
def test_effects_have_the_declared_sign(ledger, name):
    lines = [ledger.find(lever=name, seed=seed, prospects=PROSPECTS, process=_process()) for seed in SEEDS]
    changes = np.array([line["win_rate_on"] - line["win_rate_off"] for line in lines])
    error = changes.std(ddof=1) / np.sqrt(len(changes))

    assert SIGNS[name] * changes.mean() > 2 * error
