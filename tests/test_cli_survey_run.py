"""`cadran survey open`, `remind`, `close`, `status` and `purge`, as a person or a script meets them."""

import csv
import json
import stat
from dataclasses import replace
from pathlib import Path

import ballots
import pulse_companies
import pytest

from cadran.book import SAMPLE
from cadran.book.ballots import ballots_of
from cadran.book.pulse import FOLDER, Pulse

URL = ("--base-url", "https://pulse.example.com/")
OPEN = ("survey", "open", "team.toml", "--people", "people.csv", "--closes", "2099-06-05", *URL)


@pytest.fixture
def somewhere(run, tmp_path, monkeypatch):
    """A folder with a survey, and a book like the sample: what surveys write stands beside its version."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    Path("book").mkdir()
    for path in SAMPLE.iterdir():
        if path.name != FOLDER:
            Path("book", path.name).symlink_to(path.resolve())
    run("survey", "new", "team", "--controller", "Acme", "--contact", "hr@acme.example")
    ballots.people().write_csv("people.csv")
    return tmp_path


def linked(name):
    with open(name, encoding="utf-8", newline="") as file:
        return {row["person"]: row["link"] for row in csv.DictReader(file)}


def test_a_wave_from_opening_to_the_book(somewhere, run):
    status, told, complaint = run(*OPEN, "--wave", "2026-05")

    assert (status, complaint) == (0, "")
    assert "Anonymous: nothing links what a person answers" in told
    assert "60 links in links.csv, good until 5 Jun 2099 included." in told
    assert stat.S_IMODE(Path("links.csv").stat().st_mode) == 0o600
    links = linked("links.csv")
    assert all(link.startswith("https://pulse.example.com/s/") for link in links.values())

    with ballots_of(Path("book")) as store:
        for person in ("p1@example.com", "p2@example.com"):
            store.answer(links[person].rpartition("/")[2], {"enps": 9}, ballots.NOW)
    status, told, _ = run("survey", "remind", "team", "2026-05", "--people", "people.csv", *URL)
    assert status == 0
    assert "58 links in reminders.csv" in told
    assert set(linked("reminders.csv")) == set(links) - {"p1@example.com", "p2@example.com"}
    (row,) = json.loads(run("survey", "status", "--format", "json")[1])
    assert (row["state"], row["n_invited"], row["n_answered"]) == ("open", 60, 2)

    status, told, _ = run("survey", "close", "team", "2026-05")
    assert status == 0
    assert "2 of 60 answered (3%)." in told
    assert Pulse(Path("book/pulse")).wave("team@2026-05").answers.height
    status, _, complaint = run("survey", "close", "team", "2026-05")
    assert (status, "Wave 2026-05 of team is closed." in complaint) == (1, True)


def test_what_a_manager_reads_is_french_where_they_are(somewhere, run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    run(*OPEN, "--wave", "2026-05")
    text = Path("team.toml").read_text("utf-8").replace('mode = "anonymous"', 'mode = "confidential"')
    with ballots_of(Path("book")) as store:
        store.answer(linked("links.csv")["p1@example.com"].rpartition("/")[2], {"enps": 9}, ballots.NOW)

    assert "1 réponse pour 60 invités (2" in run("survey", "close", "team", "2026-05")[1]
    Path("team.toml").write_text(text, "utf-8")
    _, _, complaint = run(*OPEN, "--wave", "2026-06", "--out", "more.csv")
    assert "était déclarée anonyme pour sa vague 2026-05" in complaint
    assert "elle est maintenant confidentielle." in complaint


def test_the_next_wave_asks_what_turns(somewhere, run):
    asked = [
        json.loads(run(*OPEN, "--wave", wave, "--out", f"{wave}.csv", "--format", "json")[1])["questions"]
        for wave in ("2026-05", "2026-06")
    ]

    assert set(asked[0]) & set(asked[1]) == {"enps"}
    assert abs(len(asked[0]) - len(asked[1])) <= 1


def test_rows_set_aside_are_told_with_their_line(somewhere, run):
    with open("people.csv", "a", encoding="utf-8") as file:
        file.write("P3@example.com,North,T0,seller\n")
    _, told, complaint = run(*OPEN, "--wave", "2026-05")

    assert "people.csv, line 62: P3@example.com stands in line 5 already." in complaint
    assert "60 links" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--out", "people.csv"), "people.csv is there already."),
        (("--base-url", "pulse.example.com"), "is no address of a page"),
        (("--base-url", "https://"), "is no address of a page"),
        (("--closes", "2020-01-01"), "would close on 1 Jan 2020, before it opens"),
        (("--people", "nobody.csv"), "nobody.csv is not in"),
        (("--wave", "a/b"), "is no name for a survey or a wave"),
    ],
)
def test_what_keeps_a_wave_from_opening_leaves_no_links(somewhere, run, change, said):
    status, _, complaint = run(*OPEN, "--wave", "2026-05", *change)

    assert status == 1
    assert said in " ".join(complaint.split())
    assert not Path("links.csv").exists()
    assert json.loads(run("survey", "status", "--format", "json")[1]) == []


def test_an_edited_survey_waits_until_the_open_wave_is_closed(somewhere, run):
    run(*OPEN, "--wave", "2026-05")
    text = Path("team.toml").read_text("utf-8")
    Path("team.toml").write_text(text.replace("retention_months = 12", "retention_months = 24"), "utf-8")
    status, _, complaint = run(*OPEN, "--wave", "2026-06", "--out", "more.csv")

    assert status == 1
    assert "The survey team was edited since its wave 2026-05 opened" in complaint
    assert not Path("more.csv").exists()


def test_a_wave_that_the_book_has_from_elsewhere_is_not_opened_again(somewhere, run, monkeypatch):
    wave = pulse_companies.company(1, 40, 1)[0]
    terms = replace(wave.terms, survey="team", mode="anonymous")
    Pulse(Path("book/pulse")).keep_wave(replace(wave, terms=terms, noted={"is_imported": True}))
    status, _, complaint = run(*OPEN, "--wave", "2026-01")

    assert (status, "There was a wave 2026-01 of team before." in complaint) == (1, True)
    assert not Path("links.csv").exists()
    assert run(*OPEN, "--wave", "2026-05")[0] == 0
    monkeypatch.setenv("CADRAN_LANG", "fr")
    assert ["state", "importée", "ouverte"] in [line.split() for line in run("survey", "status")[1].splitlines()]


def test_nobody_of_the_sample_is_asked(somewhere, run, monkeypatch):
    Path("book").rename("mine")
    status, _, complaint = run(*OPEN, "--wave", "2026-05")

    assert status == 1
    assert "the sample's team is invented" in complaint


def test_purge_tells_what_is_gone(somewhere, run):
    assert "No wave was kept longer than was declared." in run("survey", "purge")[1]
    with ballots_of(Path("book")) as store:
        ballots.collected(store, Pulse(Path("book/pulse")).keep_wave, ballots.replaced(retention_months=1))

    assert "The answers of pulse@2026-05 are gone." in run("survey", "purge")[1]
