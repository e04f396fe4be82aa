"""Damaged CSV files: refused with a sentence, or taken without a row lost. A thousand of them: `tests/evidence`."""

import random

import days
import fuzz
import mutate
import pytest


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What the CRM of a small invented company exports."""
    folder = tmp_path_factory.mktemp("crm")
    days.export(days.company(40)[0], days.LAST, folder)
    return folder


def test_a_damaged_file_is_refused_or_taken_whole(source, tmp_path):
    results = [{"seed": seed, **fuzz.once(source, tmp_path / "damaged", seed)} for seed in range(12)]

    assert [result for result in results if result["outcome"] == "wrong"] == []
    assert {result["outcome"] for result in results} == {"refused", "taken"}


@pytest.mark.parametrize("mutation", mutate.MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_every_damage_damages(source, mutation):
    data = (source / "deals.csv").read_bytes()

    assert any(mutation(data, random.Random(seed)) != data for seed in range(5))
    for small in (b"", b"a", b"a,b\n", b"\n\n"):
        mutation(small, random.Random(1))
