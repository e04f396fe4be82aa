import json
from datetime import UTC, date, datetime, timedelta
from shutil import copytree, ignore_patterns

import pytest
from typer.testing import CliRunner

from cadran.book import SAMPLE, open_book
from cadran.book.pulse import pulse_of
from cadran.book.pulse_purge import purge
from cadran.cli import app
from cadran.tables.problems import Problem

run = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The sample's staff, in a book of its own."""
    place = tmp_path_factory.mktemp("pulse") / "book"
    copytree(SAMPLE, place, ignore=ignore_patterns("pulse"))
    return place


@pytest.fixture(scope="module")
def led(folder):
    """Somebody of the staff, and who leads them."""
    from cadran.book.one_to_ones import led as who

    rows = who(open_book(folder)).drop_nulls("manager")
    return rows.filter(rows["left"].is_null()).row(-1, named=True)


def called(folder, *words):
    result = run.invoke(app, ["pulse", *words, "--book", str(folder)])
    if isinstance(result.exception, Problem):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_one_to_ones_are_planned_held_and_waited_for(folder, led):
    person, manager = led["person"], led["manager"]
    day = (date.today() - timedelta(days=3)).isoformat()  # noqa: DTZ011

    called(folder, "one-to-ones", "plan", person, "--on", "2099-01-01")
    called(folder, "one-to-ones", "held", person, "--on", day)
    called(folder, "one-to-ones", "agree", "--every", "14", "--manager", manager)

    told = json.loads(called(folder, "one-to-ones", "waiting", "--manager", manager, "--format", "json"))
    mine = next(row for row in told if row["person"] == person)
    assert (mine["last_held"], mine["next_planned"], mine["rhythm_days"]) == (day, "2099-01-01", 14)
    hours = json.loads(called(folder, "one-to-ones", "hours", "--manager", manager, "--format", "json"))
    assert [row["n_held"] for row in hours] == [1]
    with pytest.raises(Problem, match="the rule is that what was held is not in the future"):
        called(folder, "one-to-ones", "held", person, "--on", "2099-01-01")


def test_a_file_of_one_to_ones_sets_bad_rows_aside(folder, led, tmp_path):
    path = tmp_path / "met.csv"
    path.write_text(f"person,day,notes\n{led['person']},2026-05-04,secret\nnobody,2026-05-04,secret\n", "utf-8")

    told = called(folder, "one-to-ones", "import", str(path), "--format", "json")

    assert [(row["row"], row["rule"]) for row in json.loads(told)] == [(2, "the person is one of the staff")]
    kept = (folder / "pulse" / "one_to_ones.jsonl").read_text("utf-8")
    assert "secret" not in kept


def test_what_needs_a_released_wave_says_so(folder):
    with pytest.raises(Problem, match="No wave was released that asks for eNPS"):
        called(folder, "drivers")
    with pytest.raises(Problem, match="No group was released"):
        called(folder, "load")
    with pytest.raises(Problem, match="asks about workload"):
        called(
            folder, "actions", "add", "--about", "workload", "--action", "Hire", "--owner", "Ada", "--due", "2099-01-01"
        )
    assert json.loads(called(folder, "actions", "list", "--format", "json")) == {"promises": [], "followed": []}


def test_drivers_of_answers_that_were_purged_are_told_no_more(tmp_path):
    whole = tmp_path / "book"
    copytree(SAMPLE, whole)
    assert purge(pulse_of(open_book(whole)), datetime(2100, 1, 1, tzinfo=UTC))

    with pytest.raises(Problem, match="The answers of pulse@2026-06 were purged"):
        called(whole, "drivers")
