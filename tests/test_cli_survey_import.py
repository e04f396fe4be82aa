"""The command that imports survey results: into no book, into a book, again, and what it says."""

import json

import pytest

from cadran.book import open_book
from cadran.book.pulse import pulse_of

MAPPING = """
name = "Old survey"
[files]
answers = "answers.csv"
[survey]
survey = "old"
mode = "{mode}"
cadence = "monthly"
retention_months = 24
[answers]
file = "answers"
wave = "Wave"
question = "Question"
answer = "Answer"
comment = "Why"
respondent = "Mail"
team = "Team"
[[questions]]
id = "enps"
kind = "enps_0_10"
"""
ANSWERS = """Wave,Mail,Team,Question,Answer,Why
2024-05,ann.dupont@x.fr,North,enps,9,Ask Ann Dupont on 06 12 34 56 78
2024-05,bob@x.fr,North,enps,11,Dupont said so
2024-05,cy@x.fr,South,enps,N/A,
2024-06,ann.dupont@x.fr,North,enps,7,
2024-06,cy@x.fr,South,enps,,
"""


@pytest.fixture
def source(tmp_path):
    """A folder with results of another tool and their mapping."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "answers.csv").write_text(ANSWERS)
    (folder / "old.toml").write_text(MAPPING.replace("{mode}", "confidential"))
    return folder


def everything(folder):
    """All bytes of what a book keeps of its surveys, text of parquet included."""
    import polars as pl

    paths = [path for path in (folder / "pulse").rglob("*") if path.is_file()]
    tables = [str(pl.read_parquet(path).to_dicts()) for path in paths if path.suffix == ".parquet"]
    return "".join(tables) + "".join(path.read_text("utf-8") for path in paths if path.suffix == ".json")


def test_without_a_book_one_is_made_that_every_command_opens(run, source, tmp_path):
    status, out, _ = run("import", source / "old.toml", "--book", tmp_path / "book")

    assert status == 0
    assert "old@2024-06" in out
    assert "× rule broken: a score is a whole number on the scale of its question" in out
    opened = open_book(tmp_path / "book")
    assert (opened.settings.name, str(opened.day)) == ("Old survey", "2024-06-30")
    assert pulse_of(opened).wave_names() == ["old@2024-05", "old@2024-06"]
    assert run("status", "--book", tmp_path / "book")[0] == 0
    ballots = [set(pulse_of(opened).wave(name).answers["ballot"]) for name in pulse_of(opened).wave_names()]
    assert len(ballots[0] & ballots[1]) == 1


def test_nothing_that_names_somebody_is_kept(run, source, tmp_path):
    run("import", source / "old.toml", "--book", tmp_path / "book")
    kept = everything(tmp_path / "book")

    assert "Ask" in kept
    assert [name for name in ("@x.fr", "Dupont", "dupont", "06 12") if name in kept] == []


def test_into_a_book_only_waves_are_added_and_again_nothing(run, source, small_company, tmp_path):
    from shutil import copytree

    book = copytree(small_company, tmp_path / "book")
    version = (book / "CURRENT").read_text()
    first = run("import", source / "old.toml", "--book", book, "--format", "json")
    again = run("import", source / "old.toml", "--book", book)

    told = json.loads(first[1])
    assert [(wave["wave"], wave["n_set_aside"], wave["is_new"]) for wave in told["waves"]] == [
        ("old@2024-05", 1, True), ("old@2024-06", 0, True),
    ]  # fmt: skip
    assert "2 waves were there already, and are the same." in again[1]
    assert (book / "CURRENT").read_text() == version
    status = json.loads(run("status", "--book", book, "--format", "json")[1])
    assert [(each["wave"], each["n_accepted"]) for each in status["waves"]] == [("2024-05", 2), ("2024-06", 1)]
    assert "2 closed waves of surveys" in run("status", "--book", book)[1]


def test_rows_set_aside_are_shown_with_those_of_the_book(run, source, tmp_path):
    run("import", source / "old.toml", "--book", tmp_path / "book")
    rows = json.loads(run("status", "--rows", "--book", tmp_path / "book", "--format", "json")[1])

    assert [(row["file"], row["row"], row["line"], row["found"]) for row in rows] == [
        ("answers.csv", 2, 3, "Answer = 11 (enps: 0-10)"),
    ]  # fmt: skip
    assert "Mail" not in rows[0]["values"]


def test_a_wave_that_changed_is_refused(run, source, tmp_path):
    run("import", source / "old.toml", "--book", tmp_path / "book")
    (source / "answers.csv").write_text(ANSWERS.replace("enps,7", "enps,8"))
    status, _, err = run("import", source / "old.toml", "--book", tmp_path / "book")

    assert status == 1
    assert "old@2024-06 is there already, and is not the same." in err


def test_an_anonymous_survey_makes_no_key(run, source, tmp_path):
    (source / "old.toml").write_text(MAPPING.replace("{mode}", "anonymous"))
    run("import", source / "old.toml", "--book", tmp_path / "book")

    assert not (tmp_path / "book" / "pulse" / "keys").exists()
    assert pulse_of(open_book(tmp_path / "book")).wave("old@2024-06").answers["ballot"].to_list() == ["1"]


def test_taken_says_which_waves_had_closed(run, source, tmp_path):
    run("import", source / "old.toml", "--book", tmp_path / "book", "--taken", "2024-06-10")

    assert pulse_of(open_book(tmp_path / "book")).wave_names() == ["old@2024-05"]


def test_in_french(run, source, tmp_path, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    out = run("import", source / "old.toml", "--book", tmp_path / "book")[1]

    assert "une note est un nombre entier de l'échelle de sa question" in out
    assert "aucune réponse donnée" in out
