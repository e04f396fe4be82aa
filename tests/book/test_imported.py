"""Waves of other tools beside those collected here: all of an import or nothing, and no row set aside is lost."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.book.imported import forget_aside, keep_results, read_results_aside, waves_told
from cadran.book.pulse import Pulse
from cadran.tables.delivery import SET_ASIDE
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

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
    given = {"file": "a.csv", "rule": "r", "repair": "p", "found": "Answer = 11", "values": '{"Team": "A"}'}
    return pl.DataFrame([{"row": n, **given} for n in numbers], schema=SET_ASIDE)


def released(wave):
    """A release that tells nothing but how many answers it was made of, attributes beside them."""
    n = wave.answers.drop_nulls("team").height
    return Release(wave.terms, wave.wave, wave.closed_at, wave.questions, Group.create_empty(), Cell.create_empty(),
                   wave.comments, {"n": n})  # fmt: skip


def test_rows_set_aside_are_kept_with_their_wave_once(tmp_path):
    pulse = Pulse(tmp_path)
    first = keep_results(pulse, [wave("2024-05")], {"2024-05": rows(1, 2), "": rows(9)}, released)
    again = keep_results(
        pulse, [wave("2024-05"), wave("2024-06")], {"2024-05": rows(1, 2), "2024-06": rows(3), "": rows(9, 8)}, released
    )

    assert (first, again) == (["old@2024-05"], ["old@2024-06"])
    assert sorted(read_results_aside(pulse)["row"]) == [1, 2, 3, 8, 9]
    assert waves_told(pulse).select("wave", "n_read", "n_accepted").rows() == [
        ("2024-05", 1, None),
        ("2024-06", 1, None),
    ]


def test_a_wave_told_otherwise_keeps_the_whole_import_out(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-06")], {"2024-06": rows(1)}, released)

    with pytest.raises(Problem, match="old@2024-06 is there already, and is not the same"):
        keep_results(pulse, [wave("2024-05"), wave("2024-06", n=2)], {"2024-06": rows(7), "": rows(8)}, released)
    assert pulse.wave_names() == ["old@2024-06"]
    assert read_results_aside(pulse)["row"].to_list() == [1]


def test_a_survey_declared_otherwise_is_refused(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-05")], {}, released)

    with pytest.raises(Problem, match="was declared confidential, and is anonymous"):
        keep_results(pulse, [wave("2024-06", mode="anonymous")], {}, released)
    assert pulse.wave_names() == ["old@2024-05"]


def test_damaged_rows_are_told(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-05")], {"2024-05": rows(1)}, released)
    (tmp_path / "set_aside" / "old@2024-05.parquet").write_bytes(b"PAR1")

    with pytest.raises(Problem, match=r"old@2024-05\.parquet is damaged"):
        read_results_aside(pulse)


@pytest.fixture
def anonymous():
    """A wave of an anonymous survey: eight people in two teams, one of them of three."""
    answers = [{"team": "A" if n < 3 else "B", "question_id": "q", "score": n % 5, "ballot": str(n)} for n in range(8)]
    return replace(
        wave("2024-05", mode="anonymous", cuts=("team",)), answers=pl.DataFrame(answers, Answer.create_empty().schema)
    )


def test_of_an_anonymous_survey_what_is_told_is_decided_before_attributes_go(tmp_path, anonymous):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [anonymous], {"2024-05": rows(4), "": rows(5)}, released)

    assert [each.audited for each in pulse.releases()] == [{"n": 8}]
    assert pulse.wave("old@2024-05").answers["team"].null_count() == 8
    assert pulse.unreleased() == []
    aside = read_results_aside(pulse)
    assert aside.select("file", "row", "rule", "repair", "found", "values").rows() == [
        ("a.csv", 5, "r", "p", "Answer = 11", None), ("a.csv", 4, "r", "p", "Answer = 11", None),
    ]  # fmt: skip


def test_an_import_cut_short_is_ended_by_the_next(tmp_path, anonymous, monkeypatch):
    pulse = Pulse(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Pulse, "keep_wave", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            keep_results(pulse, [anonymous], {}, released)
    assert pulse.wave_names() == []

    assert keep_results(pulse, [anonymous], {}, released) == ["old@2024-05"]
    assert keep_results(pulse, [anonymous], {}, lambda _: pytest.fail("told twice")) == []


def test_of_a_confidential_survey_rows_stay_whole(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(pulse, [wave("2024-05")], {"2024-05": rows(4)}, lambda _: pytest.fail("not asked yet"))

    assert read_results_aside(pulse)["values"].to_list() == ['{"Team": "A"}']


def test_rows_set_aside_are_forgotten_with_their_wave_and_those_of_none_with_the_last(tmp_path):
    pulse = Pulse(tmp_path)
    keep_results(
        pulse, [wave("2024-05"), wave("2024-06")], {"2024-05": rows(1), "2024-06": rows(2), "": rows(9)}, released
    )

    forget_aside(pulse, ["old@2024-05"])
    assert read_results_aside(pulse)["row"].to_list() == [9, 2]
    forget_aside(pulse, ["old@2024-05", "old@2024-06"])
    assert read_results_aside(pulse).is_empty()
