"""A thousand damaged CSV files, fifty a line: each refused with a sentence, or taken without a row lost."""

import hashlib
from collections import Counter
from pathlib import Path

import days
import fuzz
import pytest

from cadran import sources
from cadran.sources.sample import invent

BATCH = 50


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What the CRM of an invented company exports."""
    folder = tmp_path_factory.mktemp("crm")
    days.export(invent(60, seed=3, activities=0).tables, days.LAST, folder)
    return folder


def _reader() -> str:
    """A digest of all that reads files: lines of another reader are not mixed with these."""
    whole = hashlib.sha256()
    for file in sorted(Path(sources.__file__).parent.glob("*.py")):
        whole.update(file.read_bytes())
    return whole.hexdigest()[:12]


@pytest.mark.parametrize("first", range(0, 1000, BATCH))
def test_a_damaged_file_is_refused_or_taken_whole(ledger, source, tmp_path, first):
    key = {"first_seed": first, "files": BATCH, "reader": _reader()}
    line = ledger.find(**key)
    if line is None:
        results = {seed: fuzz.once(source, tmp_path / "damaged", seed) for seed in range(first, first + BATCH)}
        outcomes = Counter(result["outcome"] for result in results.values())
        wrong = {seed: result for seed, result in results.items() if result["outcome"] == "wrong"}
        assert not wrong
        rows = sum(result.get("read", 0) for result in results.values())
        line = ledger.add(**key, **outcomes, rows_read=rows, wrong=0)
    assert line["refused"] + line["taken"] == BATCH
