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


def test_it_is_opened_told_and_closed(said, monkeypatch):
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC).date()
    monkeypatch.setattr("cadran.cli_activate.today", lambda: now)
    status, told, _ = said(*SAID, "--until", str(now + timedelta(days=100)))

    assert status == 0
    assert "for: Coaching" in told
    assert "not rated" in said("--end")[1]
    assert "not rated" in said()[1]
