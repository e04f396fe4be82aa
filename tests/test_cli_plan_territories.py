"""`cadran plan territories`, as a person or a script meets it."""

import csv
import json

import pytest


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A folder of its own, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)


#: A wide band: few moves, found at once.
TERRITORIES = ("plan", "territories", "--as-of", "2026-06-30", "--tolerance", "0.5", "--time-limit", "3")


def test_the_sample_is_evened_out_and_its_moves_are_written(run):
    status, told, _ = run(*TERRITORIES, "--moves", "moves.csv")
    assert status == 0
    _, answer, _ = run(*TERRITORIES, "--format", "json")
    read = json.loads(answer)

    assert read["is_balanced"]
    assert read["bound"] <= read["n_moves"] <= 1.05 * read["bound"]
    assert f"{read['n_moves']} accounts change hands: everybody is within the band." in told
    assert f"{read['n_outside_before']} of {read['n_sellers']} sellers are outside the band" in told
    with open("moves.csv", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(read["moves"]) == read["n_moves"] + read["n_placed"]
    assert {row["From seller"] for row in rows} == {move["from_seller"] for move in read["moves"]}
    # What is read back makes the loads that are told.
    received = [move for move in read["moves"] if move["to_rep_id"] == "new-nantes"]
    seller = next(row for row in read["sellers"] if row["rep_id"] == "new-nantes")
    assert sum(move["weight"] for move in received) == seller["after"] > 0


def test_french(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    _, told, _ = run(*TERRITORIES, "--show", "sellers")

    for said in (
        "Territoires",
        "affaires ouvertes, à ± 50,0",
        "changent de commercial",
        "Charge égale",
        "Élias Estrovel",
    ):
        assert said in told


def test_csv_gives_the_moves(run):
    _, told, _ = run(*TERRITORIES, "--format", "csv")

    assert told.startswith("account_id,client,region,country,from_rep_id,from_seller,to_rep_id,to_seller,reason,weight")


def test_locks_that_conflict_are_told_with_the_repair(run):
    overloaded = "R044"  # 14 open deals, where 7 are even
    _, told, _ = run("measure", "volumes", "--by", "account_id", "--where", f"rep_id={overloaded}", "--format", "json")
    own = [row["account_id"] for row in json.loads(told) if row["n_open"]]
    with open("rules.toml", "w", encoding="utf-8") as file:
        file.write(f"locked = {json.dumps(own)}")
    status, told, _ = run(*TERRITORIES, "rules.toml")

    assert status == 0
    assert f"{overloaded} must keep {len(own)} accounts" in told
    assert f"the fewest that bring {overloaded} within the band." in told
    assert "remain outside" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.toml"], "There is no file none.toml"),
        (["--measure", "colour"], "There is no measure colour."),
        (["--tolerance", 3], "The tolerance is 3."),
        (["--moves", "no/such/folder.csv"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_told(run, arguments, said):
    status, _, complaint = run(*TERRITORIES, *arguments)

    assert status == 1
    assert said in complaint
    assert "Traceback" not in complaint
