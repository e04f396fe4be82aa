"""The `cadran` command, as a person or a script meets it."""

import csv
import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from cadran.cli import app

ROOT = Path(__file__).parent.parent
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
needs_maven = pytest.mark.skipif(not MAVEN.exists(), reason=f"{MAVEN.name}: the real files are not beside this clone")


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A folder of its own, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)


@needs_maven
def test_imports_a_real_export_and_answers_from_it(run):
    status, told, _ = run("import", "maven_crm", "--from", MAVEN)

    assert status == 0
    assert "8,800 deals: 4,238 won, 2,473 lost, 2,089 open" in told
    assert "10,005,534" in told
    with (MAVEN / "sales_pipeline.csv").open(encoding="utf-8") as file:
        won = [float(row["close_value"]) for row in csv.DictReader(file) if row["deal_stage"] == "Won"]
    _, answer, _ = run("measure", "volumes", "--format", "json")
    (volumes,) = json.loads(answer)
    assert (volumes["n_won"], volumes["amount_won"]) == (len(won), sum(won)) == (4238, 10005534)


@needs_maven
def test_a_script_reads_the_manifest(run):
    _, answer, _ = run("import", "maven_crm", "--from", MAVEN, "--format", "json")

    manifest = json.loads(answer)
    assert manifest["volumes"]["n_open"] == 2089
    assert all(
        file["n_read"] == file["n_accepted"] + file["n_left_out"] + file["n_set_aside"] for file in manifest["files"]
    )


@needs_maven
def test_says_which_measures_a_book_can_answer(run):
    run("import", "maven_crm", "--from", MAVEN)

    _, answer, _ = run("status", "--format", "json")
    available = {row["measure"]: row for row in json.loads(answer)["measures"]}
    assert available["win_rate"]["available"] == "available"
    assert available["volumes"]["available"] == "partial"
    assert available["win_rate_by_value"]["available"] == "impossible"
    assert "amount (lost)" in available["win_rate_by_value"]["missing"]
    status, _, complaint = run("measure", "win_rate_by_value")
    assert status == 1
    assert "amount (lost) 0/2473 filled" in complaint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["measure", "nothing"], "There is no measure nothing."),
        (["measure", "volumes", "--by", "colour"], "Deals have no column colour."),
        (["measure", "volumes", "--where", "region=Atlantide"], "Atlantide"),
        (["measure", "volumes", "--where", "region"], "region has no equals sign."),
        (["measure", "volumes", "--where", "cycle_days=long"], "long is no value of cycle_days"),
        (["measure", "volumes", "--from", "2025-02-01", "--until", "2025-01-01"], "Swap --from and --until."),
        (["measure", "volumes", "--as-of", "2999-01-01"], "This book knows nothing after"),
        (["measure", "volumes", "--book", "nowhere"], "nowhere holds no book."),
        (["import", "nothing"], "There is no mapping called nothing."),
        (["serve", "--host", "0.0.0.0"], "0.0.0.0"),
    ],
)
def test_a_problem_is_told_with_its_repair_and_no_traceback(run, arguments, said):
    status, out, complaint = run(*arguments)

    assert status == 1
    assert said in complaint
    assert len(complaint.strip().splitlines()) >= 2
    assert "Traceback" not in out + complaint


@pytest.mark.parametrize("arguments", [["measure", "volumes", "--as-of", "soon"], ["fly"], ["measure"]])
def test_a_command_not_understood_is_another_status(run, arguments):
    assert run(*arguments)[0] == 2


def test_speaks_french_where_the_environment_does(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")

    _, told, _ = run("measure", "win_rate")
    assert "Taux de transformation" in told
    _, _, complaint = run("measure", "volumes", "--by", "colour")
    assert "colour" in complaint
    assert "Deals have no column" not in complaint


def test_invents_the_same_company_twice_byte_for_byte(run, tmp_path, monkeypatch):
    # What its staff are asked is held to what ships by the tests of the sample.
    monkeypatch.setattr("cadran.cli_sample.ask_staff", lambda book, seed: None)
    for name in ("one", "two"):
        assert run("sample", "--deals", 20, "--seed", 3, "--book", tmp_path / name)[0] == 0

    one, two = (sorted(f for f in (tmp_path / name).rglob("*.*") if f.is_file()) for name in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_prints_csv_and_json_that_a_script_reads(run):
    by = ["measure", "volumes", "--by", "region,deal_type", "--format"]
    _, as_json, _ = run(*by, "json")
    _, as_csv, _ = run(*by, "csv")

    rows = json.loads(as_json)
    assert len(rows) == len(list(csv.DictReader(as_csv.splitlines())))
    assert list(rows[0])[:8] == [
        "region", "deal_type", "n_open", "n_won", "n_lost", "n_no_decision", "n_disqualified", "amount_open",
    ]  # fmt: skip


def commands(group, *path):
    """Each command, nested ones too, with its name."""
    for name, command in group.commands.items():
        nested = hasattr(command, "commands")
        yield from commands(command, *path, name) if nested else [((*path, name), command)]


COMMANDS = dict(commands(get_command(app)))
#: What most commands have, told once above the table of commands.
COMMON = {"--book", "--format"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_and_its_options_are_documented(path):
    """In a row of its own, or in that of its group, which names it; those of `measure` in their own part of the page."""
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    command = COMMANDS[path]
    *group, name = path
    own = rf"`cadran {' '.join(path)}[` ].*"
    told = [*re.findall(own, page), *re.findall(rf"`cadran {' '.join(group)} …`.*`{name}[` ].*", page)]
    text = "\n".join(told) if path != ("measure",) else page.partition("## Asking for a measure")[2]
    options = {each for parameter in command.params for each in parameter.opts if each.startswith("--")}

    assert told
    assert {each for each in options - COMMON if not re.search(rf"{each}(?![\w-])", text)} == set()


def test_exports_of_every_day_need_one_mapping(run, tmp_path):
    small = ROOT / "tests" / "sources" / "small"
    mapping = small / "mapping.toml"

    days = [("2026-03-02", "2026-03-02T22:59:59"), ("2026-03-03T12:30", "2026-03-03T11:30:00")]
    for said, moment in days:
        status, answer, _ = run("import", mapping, "--from", small, "--taken", said, "--format", "json")
        assert status == 0
        assert json.loads(answer)["settings"]["taken"].startswith(moment)

    status, _, complaint = run("import", mapping, "--from", small, "--taken", "2026-03-02")
    assert status == 1
    assert "before that of the book" in complaint
