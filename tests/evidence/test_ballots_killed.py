"""`kill -9` at random moments of 1,000 submissions, ten times over: none acknowledged is lost, none counts twice."""

import ballots_killed
import pytest


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments_of_a_thousand_submissions(ledger, tmp_path, seed):
    if ledger.find(seed=seed):
        return
    wave, seen = ballots_killed.waves_answered(tmp_path, 1000, kills=40, seed=seed)

    found, sizes = ballots_killed.told(wave)
    assert found == ballots_killed.expected(1000)
    assert set(sizes.values()) == {len(found[0])}
    ledger.add(
        seed=seed,
        submissions=1000,
        kills=len(seen),
        acknowledged_and_lost=0,
        counted_twice=0,
        told_to_the_disk_before_the_word=sum(each["found"] - each["acknowledged"] for each in seen),
    )
