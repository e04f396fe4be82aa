"""`cadran audit pulse`: what is told of a survey is attacked, and what was told wrongly is an error."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from disclosed import mixed, staff, wave
from typer.testing import CliRunner

from cadran.book import SAMPLE, open_book
from cadran.book.pulse import pulse_of
from cadran.book.pulse_purge import purge
from cadran.cli import app
from cadran.cli_audit_pulse import PURGED
from cadran.measures.disclosure import release
from cadran.measures.latest import latest_of
from cadran.measures.releases import released
from cadran.text import words_for

PEOPLE = staff((20, {"region": "North"}), (3, {"region": "South"}), (20, {"region": "West"}))


@pytest.fixture
def book(tmp_path):
    """The sample, with one wave that was not released, and no other survey."""
    there = tmp_path / "book"
    shutil.copytree(SAMPLE, there, ignore=shutil.ignore_patterns("pulse"))
    pulse_of(open_book(there)).keep_wave(wave(PEOPLE))
    return there


def asked(book, *arguments):
    return CliRunner().invoke(app, ["audit", "pulse", "--book", str(book), *arguments])


def test_what_would_be_released_is_attacked(book):
    result = asked(book)

    assert result.exit_code == 0
    assert "not released yet" in result.output
    assert "North + South" in result.output
    assert "Attacked, and not broken." in result.output
    assert pulse_of(open_book(book)).unreleased() == ["s@2026-01"]  # an audit releases nothing


def test_what_was_released_of_a_purged_wave_is_named_as_not_attacked(book):
    opened = open_book(book)
    released(opened)
    purge(pulse_of(opened), datetime(2100, 1, 1, tzinfo=UTC))
    result = asked(book)

    assert result.exit_code == 0
    assert "s@2026-01 · released" in result.output
    assert words_for("en")(PURGED) in " ".join(result.output.split())
    assert [each["is_attacked"] for each in json.loads(asked(book, "--format", "json").output)["waves"]] == [False]


def test_what_was_released_and_breaks_is_an_error(book):
    pulse_of(open_book(book)).keep_release(release(wave(PEOPLE), protect=False))
    result = asked(book, "--format", "json")

    assert result.exit_code == 1
    told = json.loads(result.output)["waves"][0]
    assert told["is_released"]
    assert {"few", "agreement"} & {each["test"] for each in told["broken"]}
    assert "A group of too few people is told." in asked(book).output


def test_it_is_no_table(book):
    result = asked(book, "--format", "csv")

    assert result.exit_code != 0


def test_latest_answers_are_attacked_beside_what_was_told_before(book):
    opened = open_book(book)
    waves = [wave(PEOPLE, {"tools": mixed(list(PEOPLE)[number:])}, month=number + 2, rolling=3) for number in range(2)]
    for each in waves:
        pulse_of(opened).keep_wave(each)
    released(opened)
    told = json.loads(asked(book, "--format", "json").output)["waves"]

    assert [each["wave"] for each in told][1:] == ["s@2026-02", "s@2026-02-latest", "s@2026-03", "s@2026-03-latest"]
    assert not any(each["broken"] for each in told)

    # Told although one person alone was silent in the second wave.
    last, place = [*pulse_of(opened).latest()][-1], pulse_of(opened).folder / "latest"
    shutil.rmtree(place / last.name)
    pulse_of(opened).keep_latest(replace(release(latest_of(waves)[0], protect=False), audited=last.audited))

    assert asked(book).exit_code == 1
    assert "Together with what was told before" in asked(book).output
