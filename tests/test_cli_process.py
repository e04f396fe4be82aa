"""What `cadran reference` tells a person, in both languages, and a script."""

import json

import pytest

from cadran.tables.measured.process import Reference


@pytest.fixture(autouse=True)
def of_the_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)


def test_a_script_reads_every_field(run):
    status, told, _ = run("reference", "--where", "product=Platform", "--format", "json")

    rows = json.loads(told)
    assert status == 0
    assert {row["deal_type"] for row in rows} == {"new", "expansion", "renewal"}, "told apart unless asked together"
    assert list(rows[0]) == ["deal_type", *Reference.column_names()]
    _, told, _ = run("reference", "--where", "deal_type=renewal", "--age", "60", "--format", "json")
    assert "deal_type" not in json.loads(told)[0]
    assert {row["at_age_days"] for row in json.loads(told)} == {None, 60}


def test_a_person_reads_it_in_french(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")

    _, told, _ = run("reference", "--together", "--from", "2024-01-01")

    assert "Profil des affaires gagnées" in told
    for words in ("Dirigeant impliqué", "Temps dans l'étape : Discovery", "diffère", "peut être le hasard", "pts"):
        assert words.replace(" :", "\u00a0:") in told
    assert "écarts ont été regardés ensemble" in told
    assert "equal_age" not in told


def test_too_little_is_said(run):
    _, told, _ = run("reference", "--as-of", "2021-09-01")

    assert "None of those deals was lost" in told
    assert "there are too few to tell won from lost" in told
    _, told, _ = run("reference", "--age", "3000", "--where", "deal_type=renewal")
    assert "all before that age: none is compared" in told
    assert "None of those deals was won" not in told, "some were, and stand in the table"
    status, _, complaint = run("reference", "--from", "2026-06-01", "--until", "2026-01-01")
    assert (status, "Swap --from and --until" in complaint) == (1, True)
