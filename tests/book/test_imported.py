"""Waves of other tools beside those collected here: all of an import or nothing, and no row set aside is lost."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.book.imported import keep_results, read_results_aside, waves_told
from cadran.book.pulse import Pulse
from cadran.tables.delivery import SET_ASIDE
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Comment, Invited, Question, Terms, Wave

TERMS = Terms("old", {"en": "Old"}, "confidential")


def wave(name, n=1, **more):
    """A wave without an answer."""
    month = int(name[5:7])
    return Wave(
        replace(TERMS, **more), name, datetime(2024, month, 1, tzinfo=UTC), datetime(2024, month, 28, tzinfo=UTC),
        Question.create_empty(), Invited.create_empty(), Answer.create_empty(), Comment.create_empty(),
        {"is_imported": True, "n_read": n},
    )  # fmt: skip


def rows(*numbers):
    """Rows set aside."""
    return pl.DataFrame([{"file": "a.csv", "row": n, "rule": "r"} for n in numbers], schema=SET_ASIDE)


def test_rows_set_aside_are_kept_with_their_wave_once(tmp_path):
    pulse = Pulse(tmp_path)
    first = keep_results(pulse, [wave("2024-05")], {"2024-05": rows(1, 2), "": rows(9)})
    again = keep_results(
        pulse, [wave("2024-05"), wave("2024-06")], {"2024-05": rows(1, 2), "2024-06": rows(3), "": rows(9, 8)}
    )

    assert (first, again) == (["old@2024-05"], ["old@2024-06"])
    assert sorted(read_results_aside(pulse)["row"]) == [1, 2, 3, 8, 9]
    assert waves_told(pulse).select("wave", "n_read", "n_accepted").rows() == [
        ("2024-05", 1, None),
        ("2024-06", 1, None),
    ]


def test_a_wave_told_otherwise_keeps_the_whole_import_out(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-06")], {"2024-06": rows(1)})

    with pytest.raises(Problem, match="old@2024-06 is there already, and is not the same"):
        keep_results(pulse, [wave("2024-05"), wave("2024-06", n=2)], {"2024-06": rows(7), "": rows(8)})
    assert pulse.wave_names() == ["old@2024-06"]
    assert read_results_aside(pulse)["row"].to_list() == [1]


def test_a_survey_declared_otherwise_is_refused(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-05")], {})

    with pytest.raises(Problem, match="was declared confidential, and is anonymous"):
        keep_results(pulse, [wave("2024-06", mode="anonymous")], {})
    assert pulse.wave_names() == ["old@2024-05"]


def test_damaged_rows_are_told(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-05")], {"2024-05": rows(1)})
    (tmp_path / "set_aside" / "old@2024-05.parquet").write_bytes(b"PAR1")

    with pytest.raises(Problem, match=r"old@2024-05\.parquet is damaged"):
        read_results_aside(pulse)
