"""What `cadran reference` tells a person, in both languages, and a script."""

import json
from datetime import date, timedelta

import pytest

from cadran.tables.measured.process import Reference

STATES = """
name = "States"
taken = 2024-12-31
stages = [{ stage = "Open", kind = "open" }, { stage = "Won", kind = "won" }, { stage = "Lost", kind = "lost" }]
[files]
deals = "deals.csv"
[deals]
file = "deals"
opportunity_id = "Deal"
stage = "Stage"
created_at = "Created"
closed_at = "Closed"
"""


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


def test_what_each_count_is_of_is_said_where_nothing_can_be_compared(run, tmp_path):
    """One export of present states: deals and their sales cycle, and no fact of what they had on the way."""
    days = [("A", 10), ("B", 20), ("A", 50), ("B", 60), ("A", 70)] * 4
    rows = [
        f"D{n},{'Won' if n % 2 else 'Lost'},2024-01-01,{date(2024, 1, 1) + timedelta(d)},{c}"
        for n, (c, d) in enumerate(days)
    ]
    (tmp_path / "deals.csv").write_text("\n".join(["Deal,Stage,Created,Closed,Client", *rows]) + "\n")
    (tmp_path / "crm.toml").write_text(STATES)
    assert run("import", "crm.toml")[0] == 0

    _, told, _ = run("reference", "--book", "book")

    assert "20 deals were won or lost: 8 before the age compared at, and 12 of which" in told
