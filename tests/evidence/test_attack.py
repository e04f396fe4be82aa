"""Two hundred invented companies, eight waves each, whose releases are attacked: nothing may be recovered of any."""

import hashlib
import time
from pathlib import Path

import attack_across
import numpy as np
import pytest

from cadran import measures

HARNESS = Path(attack_across.__file__).parent
#: 195 companies of 40 to 300 people, and five of 5,000; every third one anonymous.
PEOPLE = {seed: int(np.random.default_rng(seed).integers(40, 301)) for seed in range(1, 196)} | dict.fromkeys(
    range(196, 201), 5000
)
#: Those attacked a second time, on what is released without protection.
UNPROTECTED = range(1, 11)


def _code() -> str:
    """A digest of what releases and of what attacks: lines of other code are not mixed with these."""
    whole = hashlib.sha256()
    files = [*Path(measures.__file__).parent.glob("disclosure*.py"), *HARNESS.glob("attack*.py")]
    for file in sorted([*files, HARNESS / "pulse_companies.py"]):
        whole.update(file.read_bytes())
    return whole.hexdigest()[:12]


def _attacked(ledger, seed, protect):
    mode = "confidential" if seed % 3 else "anonymous"
    key = {"seed": seed, "people": PEOPLE[seed], "mode": mode, "protected": protect, "code": _code()}
    line = ledger.find(**key)
    if line is None:
        began = time.perf_counter()
        result = attack_across.attacked(seed, PEOPLE[seed], mode, protect=protect)
        line = ledger.add(**key, **result, seconds=round(time.perf_counter() - began, 1))
    return line


@pytest.mark.parametrize("seed", PEOPLE)
def test_nothing_is_recovered(ledger, seed):
    line = _attacked(ledger, seed, protect=True)

    assert (line["recovered"], line["comments"], line["guessed"]) == (0, 0, 0)


@pytest.mark.parametrize("seed", UNPROTECTED)
def test_without_protection_many_are(ledger, seed):
    line = _attacked(ledger, seed, protect=False)

    assert line["persons"] > PEOPLE[seed] / 2
    assert line["comments"] > 0
