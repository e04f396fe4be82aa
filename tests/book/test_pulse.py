"""Closed waves and releases: kept whole or not at all, for good, and seen only from when they closed."""

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.book.pulse import Pulse, pulse_of
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

TERMS = Terms("pulse", {"en": "Pulse", "fr": "Baromètre"}, "anonymous", crossed=(("region", "role"),))


def frame(schema, *rows):
    """Rows of a table; what a row does not say is null."""
    columns = {name: column.dtype for name, column in schema.columns().items()}
    return schema.validate(pl.DataFrame([dict.fromkeys(columns) | row for row in rows], schema=columns))


def wave(name="2024-05", day=31, score=9, **more):
    """A wave of one answer."""
    month = int(name[5:7])
    question = {
        "question_id": "enps", "kind": "enps_0_10", "text_en": "?", "text_fr": "?", "is_reversed": False, "low": 0,
        "unfavourable_to": 6, "favourable_from": 9, "high": 10, "labels_en": ["no", "yes"], "labels_fr": ["non", "oui"],
    }  # fmt: skip
    return Wave(
        TERMS, name, datetime(2024, month, 1, tzinfo=UTC), datetime(2024, month, day, 23, 59, 59, tzinfo=UTC),
        frame(Question, question), frame(Invited, {"person": "p", "answered": True, "team": "North"}),
        frame(Answer, {"question_id": "enps", "score": score, "ballot": "1"}),
        frame(Comment, {"question_id": "enps", "text": "Fine."}), {"n_read": 1, **more},
    )  # fmt: skip


def release(kept, n=5):
    """What is released of it."""
    group = {"cut": "company", "members": [None], "n_answered": n}
    cell = {"cut": "company", "question_id": "enps", "told": "exact", "n": n, "n_high": n, "n_middle": 0, "n_low": 0}
    return Release(
        kept.terms, kept.wave, kept.closed_at, kept.questions, frame(Group, group), frame(Cell, cell),
        frame(Comment), {"merged": []},
    )  # fmt: skip


def same(one, other):
    """Whether two waves, or releases, say the same."""
    return all(
        mine.equals(yours) if isinstance(mine, pl.DataFrame) else mine == yours
        for mine, yours in ((value, getattr(other, name)) for name, value in vars(one).items())
    )


def test_what_is_kept_is_given_back(tmp_path):
    pulse, kept = Pulse(tmp_path / "pulse"), wave()
    pulse.keep_wave(kept)
    pulse.keep_release(release(kept))

    assert same(pulse.wave("pulse@2024-05"), kept)
    assert [same(each, release(kept)) for each in pulse.releases()] == [True]


def test_the_same_again_is_no_fault_and_anything_else_is_refused(tmp_path):
    pulse = Pulse(tmp_path)
    pulse.keep_wave(wave())
    pulse.keep_wave(wave())
    pulse.keep_release(release(wave()))

    for other in (
        wave(score=2),
        wave(day=30),
        wave(n_read=2),
        replace(wave(), terms=replace(TERMS, mode="confidential")),
    ):
        with pytest.raises(Problem, match="pulse@2024-05 is there already, and is not the same"):
            pulse.keep_wave(other)
    with pytest.raises(Problem, match="is not the same"):
        pulse.keep_release(release(wave(), n=6))
    assert same(pulse.wave("pulse@2024-05"), wave())
    assert [path.name for path in (tmp_path / "waves").iterdir()] == ["pulse@2024-05"]


def test_a_crash_at_any_write_leaves_the_wave_whole_or_nothing(tmp_path, monkeypatch):
    """Every call that changes the disk fails in turn; what was there before stays, and the next try succeeds."""
    pulse = Pulse(tmp_path)
    pulse.keep_wave(wave())
    pulse.keep_release(release(wave()))
    calls = {"write_parquet": (pl.DataFrame, 4), "rename": (os, 1), "fsync": (os, 6)}
    crashes = 0
    for name, (owner, n) in calls.items():
        true = getattr(owner, name)
        for at in range(n):
            left = [at]

            def fail(*given, true=true, left=left, **more):
                left[0] -= 1
                if left[0] == -1:
                    raise KeyboardInterrupt
                return true(*given, **more)

            with monkeypatch.context() as patched:
                patched.setattr(owner, name, fail)
                try:
                    pulse.keep_wave(wave("2024-06", 30))
                except KeyboardInterrupt:
                    crashes += 1
            there = pulse.wave_names()
            assert there in (["pulse@2024-05"], ["pulse@2024-05", "pulse@2024-06"])
            assert all(same(pulse.wave(f"pulse@{w.wave}"), w) for w in (wave(), wave("2024-06", 30))[: len(there)])
            assert pulse.unreleased() == there[1:]
            if len(there) == 2:
                os.rename(tmp_path / "waves" / "pulse@2024-06", tmp_path / f"gone{crashes}")
    pulse.keep_wave(wave("2024-06", 30))

    assert crashes == sum(n for _, n in calls.values())
    assert same(pulse.wave("pulse@2024-06"), wave("2024-06", 30))


@pytest.mark.parametrize("name", ["answers.parquet", "told.json"])
def test_a_damaged_file_is_told_with_its_folder(tmp_path, name):
    pulse = Pulse(tmp_path)
    pulse.keep_wave(wave())
    path = tmp_path / "waves" / "pulse@2024-05" / name
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if name == "told.json" else data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises(Problem, match=r"pulse@2024-05 is damaged.*\n.*from your backup"):
        pulse.wave("pulse@2024-05")


def test_a_file_replaced_by_another_that_can_be_read_is_told_as_well(tmp_path):
    pulse = Pulse(tmp_path)
    pulse.keep_wave(wave())
    wave(score=2).answers.write_parquet(tmp_path / "waves" / "pulse@2024-05" / "answers.parquet")

    with pytest.raises(Problem, match=r"answers\.parquet is not what was written"):
        pulse.wave("pulse@2024-05")


def test_a_wave_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Problem, match="There is no pulse@2024-05"):
        Pulse(tmp_path).wave("pulse@2024-05")


def test_names_follow_the_closing_and_what_is_not_released_is_told(tmp_path):
    pulse = Pulse(tmp_path)
    late, early = wave("2024-07"), replace(wave("2024-05"), wave="2024-W18")
    for each in (late, early):
        pulse.keep_wave(each)
    pulse.keep_release(release(late))

    assert pulse.wave_names() == ["pulse@2024-W18", "pulse@2024-07"]
    assert pulse.unreleased() == ["pulse@2024-W18"]
    assert [each.wave for each in pulse.releases()] == ["2024-07"]


@pytest.fixture
def book(tmp_path):
    """A book of data taken on 2024-06-30, with three waves: the last closed after its data was taken."""
    write_book(
        tmp_path,
        Delivery.whole(Settings("Us", datetime(2024, 6, 30, tzinfo=UTC)), {}),
        datetime(2024, 7, 1, tzinfo=UTC),
    )
    opened = open_book(tmp_path)
    for name in ("2024-05", "2024-03", "2024-07"):
        pulse_of(opened).keep_wave(wave(name))
        pulse_of(opened).keep_release(release(wave(name)))
    return opened


def test_a_book_at_its_last_moment_knows_every_closed_wave(book):
    assert pulse_of(book).wave_names() == ["pulse@2024-03", "pulse@2024-05", "pulse@2024-07"]


def test_as_of_a_day_later_waves_do_not_exist(book):
    def seen(month, day):
        pulse = pulse_of(book.as_of(date(2024, month, day)))
        return pulse.wave_names(), [each.wave for each in pulse.releases()]

    assert seen(3, 30) == ([], [])
    assert seen(3, 31) == (["pulse@2024-03"], ["2024-03"])
    assert seen(5, 30) == (["pulse@2024-03"], ["2024-03"])


def test_a_book_begun_again_and_purged_versions_leave_the_waves(book, tmp_path):
    before = sorted(path.read_bytes() for path in (tmp_path / "pulse").rglob("*.*") if path.is_file())
    settings = Settings("Others", datetime(2020, 6, 30, tzinfo=UTC))
    write_book(tmp_path, Delivery.whole(settings, {}), datetime(2024, 7, 2, tzinfo=UTC), anew=True, keep=1)

    assert pulse_of(open_book(tmp_path)).wave_names() == ["pulse@2024-03", "pulse@2024-05", "pulse@2024-07"]
    assert sorted(path.read_bytes() for path in (tmp_path / "pulse").rglob("*.*") if path.is_file()) == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "waves").write_text("a file where a folder should be")

    with pytest.raises(Problem, match="cannot be written"):
        Pulse(tmp_path).keep_wave(wave())


def test_rows_that_are_none_of_the_table_are_refused(tmp_path):
    with pytest.raises(Exception, match="kind"):
        Pulse(tmp_path).keep_wave(replace(wave(), questions=wave().questions.with_columns(kind=pl.lit("mood"))))
    assert not (tmp_path / "waves").exists()


def test_a_wave_tells_its_terms_in_plain_words(tmp_path):
    pulse = Pulse(tmp_path)
    pulse.keep_wave(wave())
    told = json.loads((tmp_path / "waves" / "pulse@2024-05" / "told.json").read_text("utf-8"))

    assert (told["terms"]["mode"], told["terms"]["title"]["fr"], told["noted"]) == (
        "anonymous",
        "Baromètre",
        {"n_read": 1},
    )


def test_nobody_else_on_the_machine_reads_a_wave(tmp_path):
    Pulse(tmp_path).keep_wave(wave())

    (kept,) = (tmp_path / "waves").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
