"""Opening the ratings of named persons, as a person meets it."""

import days
import pytest

from cadran.book import write_book

SAID = [
    "--purpose", "Coaching", "--legal-basis", "Legitimate interest", "--impact-assessment", "Register, 12",
    "--no-works-council", "Under 11 employees", "--notice", "2026-01-01", "--retention-months", "24",
]  # fmt: skip


@pytest.fixture
def said(run, tmp_path):
    """Run the command on a book of a small company."""
    write_book(tmp_path, days.told(*days.company(5), days.LAST), days.end_of(days.LAST))
    return lambda *arguments: run("activate", "individual", "--book", tmp_path, *arguments)


def test_a_record_that_is_not_whole_is_refused(said):
    status, _, complained = said(*SAID)

    assert status == 1
    assert "--until must be said" in complained


def test_all_that_is_wrong_is_told_together(said):
    wrong = ["--purpose", " ", "--works-council", "2999-01-01", "--retention-months", "0", "--until", "2020-01-01"]
    status, _, complained = said(*wrong)

    assert status == 1
    for fault in (
        "--legal-basis, --impact-assessment, --notice must be said", "purpose is empty", "will only be consulted",
        "would be kept for 0 months", "would end on",
    ):  # fmt: skip
        assert fault in complained
    assert "not rated" in said()[1]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--works-council", "2026-01-01", "--until", "2020-01-01"], ["--no-works-council are both", "would end on"]),
        (["--end"], ["--end closes"]),
    ],
)
def test_what_contradicts_itself_is_refused(said, asked, says):
    status, _, complained = said(*SAID, *asked)

    assert status == 1
    assert [each for each in says if each not in complained] == []
    assert "not rated" in said()[1]


def test_it_is_opened_told_and_closed(said, monkeypatch):
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC).date()
    monkeypatch.setattr("cadran.cli_activate.today", lambda: now)
    status, told, _ = said(*SAID, "--until", str(now + timedelta(days=100)))

    assert status == 0
    assert "for: Coaching" in told
    assert "not rated" in said("--end")[1]
    assert "not rated" in said()[1]
