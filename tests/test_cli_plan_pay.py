"""What `cadran plan pay` tells a person, in both languages, and a script."""

import json
import shutil
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from cadran import cli_plan_pay
from cadran.book import SAMPLE
from cadran.models.coming import Coming
from cadran.tables.problems import Problem

DRAFT = SAMPLE / "plans" / "pay_2027.toml"


@pytest.fixture(autouse=True)
def of_the_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)


@pytest.fixture
def activated(monkeypatch):
    seen = cli_plan_pay.seen_book
    monkeypatch.setattr(cli_plan_pay, "seen_book", lambda *asked: replace(seen(*asked), rates_persons=True))


def test_teams_are_paid_and_persons_are_not_shown(run):
    status, told, _ = run("plan", "pay")

    assert status == 0
    assert "Paris Centre" in told
    assert "Pay of a named person is closed in this book" in told
    assert "Counsel decides" in told
    status, _, complaint = run("plan", "pay", "--trace", "R129")
    assert status == 1
    assert "activate individual" in complaint


def test_a_script_reads_payouts_that_add_up(run):
    status, told, _ = run("plan", "pay", "--compare", DRAFT, "--format", "json", "--from", "2026-04-01")
    read = json.loads(told)

    assert status == 0
    assert read["finest"] == "team"
    assert {row["period"] for row in read["payouts"]} == {"2026-04-01"}
    company, *teams = read["payouts"]
    assert company["pay_cents"] == sum(row["pay_cents"] for row in teams)
    assert {"late", "deducting", "territory"} <= {flag["kind"] for flag in read["flags"]}
    first = read["compared"][0]
    assert first["pay_b"] - first["pay_a"] == pytest.approx(first["difference_pay"])
    assert first["n_gain"] + first["n_lose"] + first["n_same"] == first["n_sellers"]
    assert any(row["is_cliff"] for row in read["curve"])


def test_a_trace_adds_up_where_persons_may_be_rated(run, activated):
    status, told, _ = run("plan", "pay", "--trace", "R129", "--format", "json")
    read = json.loads(told)
    paid = {row["period"]: row["pay_cents"] for row in read["payouts"] if row["group"] == "R129"}
    lines = dict.fromkeys(paid, 0)
    for line in read["trace"]:
        lines[line["period"]] += line["pay_cents"]

    assert status == 0
    assert lines == paid
    shown = [line["pay"] for line in read["trace"] if line["period"] == "2026-04-01"]
    assert shown == [3740, 5610, 19470.6, 803.56, -2124.16, -610.68], "docs/pay.md shows these lines"
    assert {credit["rep_id"] for credit in read["credits"]} == {"R129"}


def test_deals_that_are_counted_are_no_money(run, activated, tmp_path):
    plan = tmp_path / "deals.toml"
    measure = '[[measures]]\nname = "Deals"\npays = "amount"\ntiers_of = "amount"\ncounts = "deals"\n'
    tier = "[[measures.tiers]]\nfrom = 0\nrate = 100\n"
    plan.write_text('name = "Deals"\ncurrency = "EUR"\nstarts = 2026-01-01\nends = 2026-12-31\n' + measure + tier)
    status, told, _ = run("plan", "pay", plan, "--trace", "R129")

    assert status == 0
    [first, second] = [line.split() for line in told.splitlines() if "Tier 1" in line]
    assert (first[-5::4], second[-5::4]) == (["1", "€100.00"], ["2", "€200.00"])
    assert "€1.00" not in told


def test_french_is_spoken(run, monkeypatch, activated):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    status, told, _ = run("plan", "pay", "--compare", DRAFT, "--trace", "R129")

    assert status == 0
    assert "Variable versé" in told
    assert "Palier 3" in told
    assert "Un juriste tranche." in told
    assert "Variable paid" not in told


@pytest.fixture
def foreseen(monkeypatch):
    """Futures in which two sellers sign as much each month, as if forecast; `why` says that they are not."""

    def made(why=None):
        drawn = SimpleNamespace(bookings=np.full((5, 2, 6), 10_000.0), wins=np.ones((5, 2, 6)))
        months = tuple(date(2026, month, 1) for month in range(7, 13))
        told = Coming(pl.DataFrame({"rep_id": ["R129", "R002"]}), months, drawn, why)
        monkeypatch.setattr("cadran.models.coming.coming", lambda book, months: told)

    return made


def test_what_it_may_cost_is_told_of_the_futures_of_the_forecast(run, foreseen):
    foreseen()
    status, told, _ = run("plan", "pay", "--ahead", "6", "--format", "json")
    read = json.loads(told)

    assert status == 0
    assert [row["period"] for row in read["cost"]] == ["2026-07-01", "2026-10-01", None]
    assert read["cost"][-1]["low"] <= read["cost"][-1]["pay"] <= read["cost"][-1]["high"]
    assert read["cost"][-1]["bookings"] == 6 * 10_000, "of those the plan pays"
    assert run("plan", "pay", "--ahead", "6", "--format", "csv")[1].startswith("plan,period,n_months,")


def test_futures_that_are_not_the_forecast_s_are_said_not_to_be(run, foreseen):
    foreseen(Problem("The forecast ends before.", "Ask for less."))
    status, _, complaint = run("plan", "pay", "--ahead", "6")

    assert (status, "The forecast ends before." in complaint) == (0, True)


def test_a_book_without_a_plan_says_how_to_get_one(run, tmp_path, monkeypatch):
    book = tmp_path / "book"
    shutil.copytree(SAMPLE, book, ignore=shutil.ignore_patterns("plans", "calls"))
    status, _, complaint = run("plan", "pay", "--book", book)
    assert (status, "This book has no pay plan" in complaint, "docs/pay.md" in complaint) == (1, True, True)
    monkeypatch.setenv("CADRAN_LANG", "fr")
    assert "Ce livre n'a pas de plan de rémunération" in run("plan", "pay", "--book", book)[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml"], "Check the path"),
        ([DRAFT], "begins on"),
        (["--as-of", "2025-11-30"], "begins on"),
        (["--trace", "R000"], "activate individual"),
        (["--from", "2030-01-01"], "No whole period of the plan Sellers 2026"),
        (["--from", "2026-06-01", "--until", "2026-01-01"], "Swap --from and --until"),
    ],
)
def test_what_cannot_be_answered_is_said_without_a_traceback(run, arguments, said):
    status, _, complaint = run("plan", "pay", *arguments)

    assert status == 1
    assert said in complaint
