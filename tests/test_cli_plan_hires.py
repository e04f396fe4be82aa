"""`cadran plan hires`, as a person or a script meets it."""

import json
from datetime import date

import company
import pytest
from quick import quick_model

from cadran.models.bookings import of_model
from cadran.models.coming import Coming
from cadran.tables.problems import Problem


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return company.company(tmp_path_factory.mktemp("hires") / "book", seed=2, size=0.12).book


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch, book):
    """A folder of its own, in English; a win model that is fitted quickly."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.setenv("CADRAN_BOOK", str(book.version.parent))
    monkeypatch.setattr("cadran.models.coming.coming", foreseen)


def foreseen(book, months):
    """What is to come, as if forecast, by a win model that is fitted quickly."""
    found = of_model(book, quick_model(book), months)
    why = Problem("The forecast ends before.", "Ask for less.") if months > 12 else None
    return Coming(found.sellers, found.months, found.drawn(), why)


PLAN = """
[time]
selling_share = 0.5
[load]
past_load = 0.9
[hiring]
monthly_cost = 7000
[[joiners]]
region = "Nord"
first_day = 2026-02-01
n = 2
[[joiners]]
region = "Nrod"
first_day = 2026-02-01
"""


def test_what_is_told_in_both_languages(run, tmp_path, monkeypatch):
    (tmp_path / "staff.toml").write_text(PLAN, "utf-8")
    status, told, complaint = run("plan", "hires", "staff.toml")

    assert status == 0, complaint
    for said in (
        "Capacity and hires",
        "Jan 2026",
        "Begin to hire by",
        "3 months of notice",
        "stated in the plan",
        "€7k",
    ):
        assert said in told.replace("\u00a0", " ").replace("7 k€", "€7k")
    assert "staff.toml: joiners[2].region: Nrod is unknown here." in complaint
    assert "Write one of: Nord" in complaint
    assert "1 entry of the plan is left out; the rest goes on:" in complaint
    monkeypatch.setenv("CADRAN_LANG", "fr")
    _, french, complaint = run("plan", "hires", "staff.toml", "--by", "team")
    for said in ("Capacité et recrutements", "janv. 2026", "Équipe", "jours ouvrés de recrutement", "dit par le plan"):
        assert said in french
    assert "Nrod est inconnu ici" in complaint or "inconnu" in complaint
    assert "1 entrée du plan est laissée de côté" in complaint


def test_a_script_reads_it(run, tmp_path):
    (tmp_path / "staff.toml").write_text(PLAN, "utf-8")
    status, told, _ = run("plan", "hires", "staff.toml", "--horizon", 6, "--format", "json")
    answer = json.loads(told)

    assert status == 0
    assert answer["as_of"] == "2025-12-31"
    assert {row["month"] for row in answer["months"]} == {str(date(2026, n, 1)) for n in range(1, 7)}
    assert {row["group"] for row in answer["months"]} == {None, *company.REGIONS}
    assert [row["case"] for row in answer["hire_by"]] == ["best", "base", "worst"] * 3
    assert len(answer["set_aside"]) == 1
    assert "hours_per_week" in answer["assumed"]
    basis = {row["name"]: (row["basis"], row["value"]) for row in answer["basis"]}
    assert basis["monthly_cost"] == ("stated", 7000.0)
    assert basis["leave_days"] == ("assumed", 25.0)
    nord = {row["month"]: row["n_sellers"] for row in answer["months"] if row["group"] == "Nord"}
    assert nord["2026-02-01"] > nord["2026-01-01"] + 1
    _, lines, _ = run("plan", "hires", "staff.toml", "--format", "csv", "--show", "hire_by")
    assert lines.startswith("level,group,region,case,threshold,shortage_month")


def test_revenue_that_is_not_the_forecast_s_is_said_not_to_be(run):
    status, _, complaint = run("plan", "hires", "--horizon", 13, "--format", "csv")

    assert (status, "The forecast ends before." in complaint) == (0, True)


def test_an_earlier_day(run):
    status, told, _ = run("plan", "hires", "--as-of", "2025-09-15", "--horizon", 3, "--format", "json")

    assert status == 0
    assert {row["month"] for row in json.loads(told)["months"]} == {"2025-09-01", "2025-10-01", "2025-11-01"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.toml"], "There is no file no.toml"),
        (["wrong.toml"], "time.hours_per_week: −3 is below 1."),
        (["broken.toml"], "broken.toml is no TOML"),
        (["--as-of", "2031-01-01"], "knows nothing after"),
    ],
)
def test_what_cannot_be_is_said(run, tmp_path, arguments, said):
    (tmp_path / "wrong.toml").write_text("[time]\nhours_per_week = -3\n", "utf-8")
    (tmp_path / "broken.toml").write_text("[time\n", "utf-8")
    status, _, complaint = run("plan", "hires", *arguments)

    assert status == 1
    assert said in complaint
    assert "Traceback" not in complaint


def test_the_sample_states_its_staff(monkeypatch):
    from cadran.book import SAMPLE, open_book
    from cadran.models.capacity import staffing_of

    told = staffing_of(open_book(SAMPLE), 12)

    assert told.set_aside == ()
    assert told.past_load == 0.8
    assert len(told.joiners) == 2
