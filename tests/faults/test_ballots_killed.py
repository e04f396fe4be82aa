"""`kill -9` while people answer: what was acknowledged is kept, and nobody counts twice."""

import ballots_killed


def test_killed_while_a_hundred_answer(tmp_path):
    wave, seen = ballots_killed.waves_answered(tmp_path, 100, kills=2, seed=1)

    found, sizes = ballots_killed.told(wave)
    assert found == ballots_killed.expected(100)
    assert set(sizes.values()) == {len(found[0])}
    assert wave.invited["answered"].all()
    assert all(0 < each["acknowledged"] < 100 for each in seen)
