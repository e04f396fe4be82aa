"""`kill -9` at fifty random instants of an import, and at each of its file operations: the old book or the new, always."""

import random

import crash
import ends
import pytest
from ends import Case


@pytest.fixture(scope="module", params=[None, 120], ids=["in one piece", "in buckets"])
def case(request, tmp_path_factory) -> Case:
    """A book of some hundred deals, in one piece or in buckets, and the import that follows."""
    return ends.case(tmp_path_factory.mktemp("ends"), deals=300, bucket_rows=request.param)


@pytest.mark.parametrize("seed", range(50))
def test_killed_at_a_random_instant(ledger, case, tmp_path, seed):
    if ledger.find(seed=seed, bucket_rows=case.bucket_rows):
        return
    book = tmp_path / "book"
    when = case.killed(book, random.Random(seed))
    found = case.found(book)
    assert found in ("old", "new")
    left = case.left_over(book)
    healed = case.heals(book)
    assert healed == "new"
    assert case.left_over(book) == []
    ledger.add(
        seed=seed,
        bucket_rows=case.bucket_rows,
        killed=when,
        book=found,
        left_over=left,
        next_import=healed,
    )


def test_killed_at_each_file_operation(ledger, case, tmp_path):
    key = {"killed": "at each file operation", "bucket_rows": case.bucket_rows}
    if ledger.find(**key):
        return
    results, nth, status = [], 0, -9
    while status < 0:
        nth += 1
        book = crash.copied(case.book, tmp_path / "book")
        status, said = case.imports(book, nth=nth, watched=book)
        results.append(case.found(book))
        assert results[-1] in ("old", "new"), nth
        assert case.heals(book) == "new", nth
    assert status == 0, said
    ledger.add(**key, operations=nth - 1, old=results.count("old"), new=results.count("new") - 1)
