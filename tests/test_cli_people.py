"""The commands that the law asks for, as a person meets them."""

import json
from datetime import date

import days
import polars as pl
import pytest

from cadran.book import open_book, write_book


@pytest.fixture(scope="module")
def company():
    """A small invented company: its tables and settings."""
    return days.company(40)


@pytest.fixture
def run(run, monkeypatch, company, tmp_path):
    """Run the command on a book of the company; return its exit status and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "fr")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)
    write_book(tmp_path / "book", days.told(*company, days.LAST), days.end_of(days.LAST))

    def said(*arguments):
        status, told, complained = run(*arguments)
        return status, (told + complained).replace("\n", " ").replace("\u202f", " ").replace("\u00a0", " ")

    return said


def test_a_person_is_forgotten(run, company):
    rep = company[0]["versions"]["rep_id"].drop_nulls()[0]

    status, said = run("forget", rep)

    assert status == 0
    assert "Personne oubliée dans 1 version du livre ; à la place de l'identifiant figure forgotten-" in said
    status, said = run("forget", rep)
    assert status == 1
    assert "ne connaît de personne sous cet identifiant : il n'y en a pas, ou elle a déjà été oubliée." in said
    assert rep not in said
    assert run("forget", "nobody")[1] == said


def test_a_purge_counts_before_it_removes(run):
    before = open_book("book").manifest["rows"]["opportunities"]

    status, said = run("purge", "--older-than", "2026-01-01")
    assert status == 0
    assert "Nothing" not in said
    assert "Rien n'a été supprimé : --yes supprime ce qui s'est terminé avant le 1 janv. 2026." in said
    assert open_book("book").manifest["rows"]["opportunities"] == before
    status, said = run("purge", "--older-than", "2026-01-01", "--yes", "--dry-run")
    assert open_book("book").manifest["rows"]["opportunities"] == before

    status, said = run("purge", "--older-than", "2026-01-01", "--yes", "--format", "json")

    counts = {row["what"]: row["n"] for row in json.loads(said)}
    assert counts["opportunities"] == before - open_book("book").manifest["rows"]["opportunities"] > 10
    assert "a été purgé" in run("status")[1]
    status, said = run("measure", "volumes", "--as-of", "2025-06-30")
    assert status == 1
    assert "on ne peut plus dire ce qui était connu le 30 juin 2025" in said
    assert run("purge", "--older-than", "soon")[0] == 1


def test_an_age_is_counted_back_from_the_books_last_day(run, tmp_path):
    status, said = run("purge", "--older-than", "6m")

    assert status == 0
    assert "À purger : ce qui s'est terminé avant le 30 déc. 2025. Les données du livre sont du 30 juin 2026." in said
    with_day = json.loads(run("purge", "--older-than", "2025-12-30", "--format", "json")[1])
    assert json.loads(run("purge", "--older-than", "6m", "--format", "json")[1]) == with_day


def test_a_request_for_access_is_answered(run, company, tmp_path):
    rep = company[0]["versions"]["rep_id"].drop_nulls()[0]

    status, said = run("export-person", rep)

    held = json.loads(said)
    assert (status, held["kind"], held["identifiers"]) == (0, "rep", [rep])
    assert held["tables"]["versions"][0]["in_versions"] == [1]
    assert held["fields"]["reps"]["hired_date"] == {
        "en": "First day in the company",
        "fr": "Premier jour dans l'entreprise",
    }
    assert run("export-person", rep, "--format", "folder")[0] == 1
    assert run("export-person", rep, "--format", "folder", "--to", tmp_path / "theirs")[0] == 0
    versions = pl.read_csv(tmp_path / "theirs" / "versions.csv")
    assert versions.height == len(held["tables"]["versions"])
    assert date.fromisoformat(versions["status_since_date"][0])
    assert "Premier jour dans l'entreprise" in (tmp_path / "theirs" / "fields.csv").read_text()


def test_without_a_book_there_is_nobody(run, tmp_path):
    for command in (["forget", "R1"], ["export-person", "R1"], ["purge", "--older-than", "5y"]):
        status, said = run(*command, "--book", tmp_path / "nowhere")
        assert status == 1
        assert "ne contient pas de livre" in said
    assert not (tmp_path / "nowhere").exists()


MAPPING = """
taken = {taken}
stages = [{{ stage = "Open", kind = "open" }}, {{ stage = "Won", kind = "won" }}]
[files]
deals = "deals.csv"
reps = "reps.csv"
[reps]
file = "reps"
absent = "kept"
rep_id = "rep"
[deals]
file = "deals"
absent = "kept"
opportunity_id = "id"
stage = "stage"
rep_id = "rep"
closed_at = "closed"
"""


def test_a_deal_of_somebody_forgotten_is_still_followed(run, tmp_path):
    def imported(taken, deals, reps):
        (tmp_path / "part.toml").write_text(MAPPING.format(taken=taken))
        (tmp_path / "deals.csv").write_text("id,stage,rep,closed\n" + deals)
        (tmp_path / "reps.csv").write_text("rep\n" + reps)
        return run("import", "part.toml", "--book", "parts")

    imported("2026-01-31", "d1,Open,r1,\nd2,Open,r2,\n", "r1\nr2\n")
    assert run("forget", "r1", "--book", "parts")[0] == 0

    assert imported("2026-02-28", "d1,Won,r1,2026-02-10\n", "r2\n")[0] == 0

    book = open_book("parts")
    seller = dict(book.collect(book.deals(["status", "rep_id"])).iter_rows())
    assert seller["won"].startswith("forgotten-")
    assert seller["open"] == "r2"
