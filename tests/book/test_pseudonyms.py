"""Pseudonyms: the same for the same under one key, another under another, and the key is for its owner alone."""

import stat

import pytest

from cadran.book.pseudonyms import key_of, key_path, pseudonyms
from cadran.tables.problems import Problem


def test_they_are_hmac_sha_256_as_rfc_4231_publishes_it():
    assert pseudonyms(b"Jefe", ["what do ya want for nothing?"]) == ["5bdcc146bf60754e6a042426089575c7"]


def test_a_survey_keeps_its_key_and_another_has_another(tmp_path):
    key = key_of(tmp_path, "pulse")

    assert key_of(tmp_path, "pulse") == key != key_of(tmp_path, "exit")
    assert stat.S_IMODE(key_path(tmp_path, "pulse").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["exit.key", "pulse.key"]


def test_a_key_that_lost_its_end_is_told(tmp_path):
    key_of(tmp_path, "pulse")
    key_path(tmp_path, "pulse").write_bytes(b"short")

    with pytest.raises(Problem, match=r"pulse\.key is damaged"):
        key_of(tmp_path, "pulse")
