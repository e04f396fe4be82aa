"""Scenarios at the command line."""

import json

import numpy as np
import pytest
from quick import quick_model


@pytest.fixture
def said(run, monkeypatch, small_company):
    """Run the command on it, the forecast being what deals tell."""
    monkeypatch.setattr("cadran.models.kept.model", quick_model)
    monkeypatch.setattr("cadran.models.forecast.past_forecasts", _none)
    monkeypatch.setenv("CADRAN_LANG", "en")
    return lambda *arguments: run("scenario", *arguments, "--book", small_company)


def _none(*_, **__):
    from cadran.tables.problems import Problem

    raise Problem("The past is too short.", "Wait.")


def test_scenarios_stand_beside_things_as_they_are(said):
    status, told, _ = said("--format", "json")
    rows = {(row["scenario"], row["quantity"]): row for row in json.loads(told)}

    assert status == 0
    assert {name for name, _ in rows} == {"baseline", "Faster answers", "Hire in the North", "Demand falls"}
    assert rows["Demand falls", "bookings"]["more"] < 0
    assert rows["Hire in the North", "n_sellers"]["more"] == pytest.approx(3, abs=0.5)
    assert rows["baseline", "bookings"]["more"] == 0


def test_a_reader_sees_units_and_intervals(said, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    status, told, warned = said()

    assert status == 0
    assert "Situation actuelle" in told
    assert "CA signé" in told
    assert "€" in told
    assert "ne dit pas ce que cela changerait" in warned


def test_months_and_sensitivity(said, tmp_path):
    months = json.loads(said("--show", "months", "--horizon", "3", "--format", "json")[1])
    _, moved, warned = said("--show", "sensitivity", "--of", "pay", "--format", "json")
    moved = json.loads(moved)

    company = [row for row in months if row["level"] == "company" and row["scenario"] == "baseline"]
    regions = [row for row in months if row["level"] == "region" and row["scenario"] == "baseline"]
    assert len(company) == 3
    np.testing.assert_allclose(
        sum(row["bookings"] for row in regions), sum(row["bookings"] for row in company), rtol=1e-4
    )
    assert "quota" in {row["lever"] for row in moved if row["more"]}
    assert "answer_hours" not in {row["lever"] for row in moved}
    assert "Clients are answered within: this book does not tell" in warned


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[scenario]]\nname = "a"\nsize = 0', "size: 0 is below"),
        ('[[scenario]]\nname = "a"\narrivals = { Nrod = 1 }', "arrivals.Nrod"),
        ('[[scenario]]\nname = "a"\nplan = "none"', "Write one of: pay"),
    ],
)
def test_a_faulty_file_is_told(said, tmp_path, text, complaint):
    (tmp_path / "mine.toml").write_text(text)
    status, _, complained = said(tmp_path / "mine.toml")

    assert status == 1
    assert complaint in complained
    assert "Traceback" not in complained


@pytest.mark.parametrize("asked", [("--show", "sensitivity", "--of", "weather"), ("--horizon", "13")])
def test_what_is_not_told(said, asked):
    assert said(*asked)[0] == 1


@pytest.mark.parametrize("asked", [("--horizon", "13"), ("mine.toml",), ("none.toml",)])
def test_what_cannot_be_read_is_told_before_anything_is_worked_out(said, tmp_path, monkeypatch, asked):
    monkeypatch.setattr("cadran.models.scenario.chain", lambda *_: pytest.fail("minutes of work"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text('[[scenario]]\nname = "é"', "cp1252")
    status, _, complained = said(*asked)

    assert status == 1
    assert "Traceback" not in complained
    assert any(each in complained for each in ("13 months ahead", "not written in UTF-8", "There is no file"))
