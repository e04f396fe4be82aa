"""Survey results imported from the command line: told in the reader's language, and stored as the survey promised."""

import json
import random
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from typer.testing import CliRunner

from cadran.book import open_book
from cadran.book.pulse import Pulse, pulse_of
from cadran.book.pulse_purge import purge
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


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--full",), "--full is for databases"),
        (("--anew",), "--anew begins the versions of a book again"),
        (("--accept-vanished",), "--accept-vanished does nothing for survey results"),
        (("--keep", "3"), "--keep counts the versions of a book"),
    ],
)
def test_an_option_about_versions_is_refused(imported, run, tmp_path, monkeypatch, option, why):
    monkeypatch.setenv("CADRAN_KEEP", "3")  # set for the other imports of the machine: no word of this one
    imported("en")
    status, _, complaint = run("import", tmp_path / "m.toml", "--book", tmp_path / "new", *option)

    assert (status, complaint.startswith(why), "Leave it out" in complaint) == (1, True, True)
    assert not (tmp_path / "new").exists()


def test_a_purged_wave_stays_so(imported, run, tmp_path):
    imported("en")
    pulse = pulse_of(open_book(tmp_path / "book"))
    assert purge(pulse, datetime(2124, 5, 31, 23, tzinfo=ZoneInfo("Europe/Paris"))) == []
    assert purge(pulse, datetime(2124, 6, 1, 2, tzinfo=ZoneInfo("Europe/Paris"))) == ["pulse@2024-05"]
    before = {path: path.read_bytes() for path in pulse.folder.rglob("*.*") if path.is_file()}
    again = "import", tmp_path / "m.toml", "--book", tmp_path / "book"

    status, _, complaint = run(*again)
    assert (
        status,
        "These waves of pulse were purged, each on the day beside it, and stay so: 2024-05: 2124-06-01." in complaint,
    ) == (1, True)
    assert {path: path.read_bytes() for path in pulse.folder.rglob("*.*") if path.is_file()} == before

    # What came later is taken; the rest may stay in the file, and is counted.
    header, *rows = (tmp_path / "answers.csv").read_text().splitlines()
    dated = [*(f"{row},2024-05" for row in rows), *(f"{n},A,rep,first,9,2024-06" for n in range(20))]
    (tmp_path / "answers.csv").write_text("\n".join([f"{header},Wave", *dated]))
    text = (tmp_path / "m.toml").read_text()
    (tmp_path / "m.toml").write_text(text.replace('wave = { constant = "2024-05" }', 'wave = "Wave"'))
    status, told, _ = run(*again)
    assert status == 0
    assert "answers.csv: 121 × left out: their wave was purged, and stays so (2024-05: 2124-06-01)" in told
    assert pulse.wave_names() == ["pulse@2024-06"]
    (wave,) = json.loads(run(*again, "--format", "json")[1])["waves"]
    assert (wave["n_read"], wave["n_accepted"]) == (20, 20)
