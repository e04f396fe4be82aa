"""Survey results imported from the command line: told in the reader's language, and stored as the survey promised."""

import random

import polars as pl
import pytest
from typer.testing import CliRunner

from cadran.book import open_book
from cadran.book.pulse import Pulse, pulse_of
from cadran.cli import app
from cadran.measures.disclosure import release
from cadran.measures.releases import released

MAPPING = """
taken = 2024-12-31
[files]
answers = "answers.csv"
[survey]
survey = "pulse"
mode = "anonymous"
cadence = "monthly"
retention_months = 1200
[answers]
file = "answers"
wave = { constant = "2024-05" }
question = "Question"
answer = "Score"
respondent = "Id"
team = "Team"
role = "Role"
[[questions]]
id = "first"
kind = "enps_1_10"
[[questions]]
id = "tools"
kind = "agreement"
"""


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import 60 persons, four of them in a team of their own, and one on no scale."""
    draw = random.Random(1)
    rows = [
        f"{n},{'ABC'[n % 3] if n > 3 else 'D'},{'boss' if n % 8 == 0 else 'rep'},{question},{draw.randint(1, 5)}"
        for n in range(60) for question in ("first", "tools")
    ]  # fmt: skip
    (tmp_path / "answers.csv").write_text("\n".join(["Id,Team,Role,Question,Score", *rows, "99,A,boss,first,11\n"]))
    (tmp_path / "m.toml").write_text(MAPPING)

    def run(language):
        monkeypatch.setenv("CADRAN_LANG", language)
        result = CliRunner().invoke(app, ["import", str(tmp_path / "m.toml"), "--book", str(tmp_path / "book")])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_an_anonymous_import_is_told_as_all_of_it_allows_and_stored_without_it(imported, tmp_path, monkeypatch):
    whole = []
    monkeypatch.setattr(
        "cadran.cli_survey_import.release", lambda wave, before: whole.append(wave) or release(wave, before)
    )
    imported("en")
    pulse = pulse_of(open_book(tmp_path / "book"))

    kept = pulse.wave("pulse@2024-05").answers
    assert whole[0].answers.select("team", "role").null_count().row(0) == (0, 0)
    assert kept.filter(pl.col("team").is_not_null() & pl.col("role").is_not_null()).is_empty()
    assert kept.drop_nulls("team").group_by("team").agg(pl.len()).sort("team").rows() == [
        ("A", 36),
        ("B", 38),
        ("C + D", 46),
    ]
    (told,) = released(open_book(tmp_path / "book"))
    assert told.cells.equals(release(whole[0]).cells)
    assert pulse.unreleased() == []


def test_a_score_off_its_scale_is_told_in_both_languages_and_the_same_again_changes_nothing(imported, tmp_path):
    assert "answers.csv, row 121 (line 122): Score = 11 (first: 1-10)" in imported("en")
    folder = tmp_path / "book" / "pulse"
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    again = imported("fr")

    assert "ligne de données 121 (ligne 122 du fichier)" in again
    assert "1 vague" in again
    assert {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()} == before
    assert Pulse(folder).wave_names() == ["pulse@2024-05"]
