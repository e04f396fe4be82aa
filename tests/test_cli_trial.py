"""`cadran trial`, as a person or a script meets it."""

import csv
import json

import pytest


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A folder of its own, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)


def test_size_says_that_it_cannot_be_done_and_what_could_be_seen(run):
    status, told, _ = run("trial", "size", "--unit", "deal", "--follow-up", 180)

    assert status == 0
    assert "It cannot be done within 12 months. The least effect that" in told
    _, answer, _ = run("trial", "size", "--unit", "deal", "--follow-up", 180, "--format", "json")
    (row,) = json.loads(answer)
    assert f"{row['n_won']} of {row['n_closed']} closed deals" in told
    assert f"{row['n_needed']:,} deals, half of them in each arm" in told


def test_size_compares_the_units_in_french(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    _, told, _ = run("trial", "size", "--effect", 10)

    for said in ("Par affaire\u00a0:", "Par client (", "Par commercial (", "Par équipe (", "Ce n'est pas faisable"):
        assert said in told


def test_a_trial_is_drawn_and_read(run):
    status, told, _ = run(
        "trial", "draw", "--to", "t.csv", "--as-of", "2025-12-31", "--planned", 400, "--follow-up", 90
    )
    assert (status, "319 deals drawn on 31 Dec 2025: t.csv" in told) == (0, True)
    with open("t.csv", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 319
    with open("t.csv", "a", encoding="utf-8") as file:
        file.write("x,deal,x,s,maybe,2025-12-31,0,,\n")

    status, told, complaint = run("trial", "read", "t.csv", "--redraws", 200)
    assert status == 0
    assert "Too early: the end of 319 of the 400 planned deals is known." in told
    assert "t.csv, row 321: maybe is no arm." in complaint
    _, answer, _ = run("trial", "read", "t.csv", "--redraws", 200, "--format", "json")
    read = json.loads(answer)
    assert [row["arm"] for row in read["arms"]] == ["lever", "control", "difference"]
    assert len(read["set_aside"]) == 1
    _, answer, _ = run("trial", "read", "t.csv", "--redraws", 200, "--format", "csv")
    assert answer.startswith("arm,n_units,n_deals,n_won")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["size", "--where", "stage=Proposal"], "changes as a deal goes on"),
        (["size", "--effect", "99"], "cannot rise by 99.0 points"),
        (["draw", "--to", "t.csv", "--where", "colour=red"], "Deals have no column colour."),
        (["draw", "--to", "t.csv", "--after", "none.csv"], "There is no file none.csv."),
        (["read", "none.csv"], "There is no file none.csv."),
    ],
)
def test_a_problem_is_told_with_its_repair(run, arguments, said):
    status, _, complaint = run("trial", *arguments)

    assert status == 1
    assert said in complaint
    assert len(complaint.strip().splitlines()) == 2
