"""What `cadran score` tells a person, in both languages, a script, and a CRM."""

import csv
import io
import json
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from known import Known, model_of, untaught

from cadran import cli_score
from cadran.figures.table import as_csv
from cadran.figures.tasks import tasks
from cadran.measures import renamed
from cadran.models import actions, kept
from cadran.models.backtest import Backtest
from cadran.models.hazards import Rates
from cadran.models.landmarks import N_PERIODS
from cadran.tables.measured.actions import Action
from cadran.text import words_for


@pytest.fixture(autouse=True)
def of_a_small_company(small_company, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.setenv("CADRAN_BOOK", str(small_company))
    monkeypatch.setattr(kept, "model", lambda book, confirmed=(): model_of(Known()))


def test_a_script_reads_every_field(run):
    status, told, _ = run(
        "score", "--where", "product=Platform", "--by-date", "2026-09-30", "--changed-since", "2026-06-01", "--format", "json"
    )  # fmt: skip

    rows = json.loads(told)
    beside = ["reasons", "won_by", "won_by_low", "won_by_high", "probability_before", "change", "change_low",
              "change_high", "changed_with", "silent"]  # fmt: skip
    assert status == 0
    assert set(rows[0]) == {"model", "client", "stage", *Action.column_names(), *beside}
    assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
    assert all(row["won_by"] == pytest.approx(row["probability"], abs=1e-3) for row in rows), "won at once, or never"


def test_the_list_of_a_week_in_french(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    status, told, _ = run("score", "--hours", "3", "--tasks", "taches.csv")

    lines = " ".join(told.split())
    assert status == 0
    assert "Impliquer un interlocuteur" in lines
    assert "associ" in lines
    with open("taches.csv", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert rows[0]["Tâche"] == "Impliquer un interlocuteur de plus chez le client"
    assert sum(float(row["Heures"].replace(",", ".")) for row in rows) <= 3
    assert list(rows[0])[:6] == ["Affaire", "Proposition", "Tâche", "Raison", "Échéance", "Heures"]


def test_one_deal_with_all_its_reasons(run):
    _, told, _ = run("score", "--hours", "9", "--format", "json")
    deal = next(row["opportunity_id"] for row in json.loads(told) if row["reasons"])
    status, told, _ = run("score", "--deal", deal)

    assert status == 0
    assert deal in told
    assert "typically" in told


def test_as_of_an_earlier_day_tells_of_the_deals_open_then(run):
    _, told, _ = run("score", "--as-of", "2025-06-30", "--format", "json")

    assert {row["expected_close_date"] is None or row["expected_close_date"] > "2024" for row in json.loads(told)} == {
        True
    }
    assert {row["due_date"][:7] for row in json.loads(told) if row["due_date"]} == {"2025-07"}


def test_the_simple_rates_say_that_they_tell_no_lever(run, monkeypatch):
    rates = model_of(Rates({}, np.ones((1, N_PERIODS, 3))))
    rates = replace(rates, chosen="constant")
    monkeypatch.setattr(kept, "model", lambda book, confirmed=(): rates)
    status, told, _ = run("score", "--hours", "2")

    assert status == 0
    assert "No lever is told" in " ".join(told.split())
    assert "A gap is" not in told


def test_what_nothing_was_learnt_of_has_no_chance(run, monkeypatch):
    monkeypatch.setattr(kept, "model", lambda book, confirmed=(): untaught())
    asked = ("--by-date", "2026-09-30", "--changed-since", "2026-06-01", "--tasks", "tasks.csv")
    for language, said, why in (("fr", "indéterminée", "aucune"), ("en", "cannot be told", "No chance")):
        monkeypatch.setenv("CADRAN_LANG", language)
        status, told, _ = run("score", *asked)
        assert status == 0
        assert said in told
        assert why in told
        assert "50" not in told.split("Signals")[0].split(said)[-1]
    lines = run("score", "--format", "csv")[1].splitlines()
    rows = json.loads(run("score", *asked, "--format", "json")[1])

    for name in ("probability", "low", "high", "won_by", "won_by_low", "probability_before", "change"):
        assert {row[name] for row in rows} == {None}
    assert {why in row["silent"] for row in rows} == {True}
    assert why in lines[1]


def test_a_deal_older_than_any_that_closed_has_no_chance_by_any_day(run, monkeypatch):
    rates = replace(model_of(Rates({}, np.ones((1, N_PERIODS, 3)))), chosen="constant")
    rates = replace(rates, card=replace(rates.card, oldest=60.0))
    monkeypatch.setattr(kept, "model", lambda book, confirmed=(): rates)
    asked = ("--by-date", "2026-09-30", "--changed-since", "2026-06-01")
    rows = json.loads(run("score", *asked, "--format", "json")[1])
    _, told, _ = run("score")

    silent = [row for row in rows if row["probability"] is None]
    assert 0 < len(silent) < len(rows)
    assert {row["won_by"] for row in silent} == {row["change"] for row in silent} == {None}
    assert all((row["silent"] is None) == (row["won_by"] is not None) for row in rows)
    assert f"Deals without a chance ({len(silent)}): No chance" in " ".join(told.split())


def test_data_of_long_ago_are_said_to_be(run, monkeypatch):
    monkeypatch.setattr(cli_score, "today", lambda: date(2026, 8, 1))

    for language, said in (("fr", "il y a 32 jours"), ("en", "32 days ago")):
        monkeypatch.setenv("CADRAN_LANG", language)
        assert said in run("score", "--format", "csv")[2].replace("\xa0", " ")
    assert run("score", "--as-of", "2026-06-29", "--format", "csv")[2] == ""
    monkeypatch.setattr(cli_score, "today", lambda: date(2026, 7, 31))
    assert run("score", "--format", "csv")[2] == ""


@pytest.mark.parametrize("command", [["score"], ["backtest", "win"]])
def test_stages_that_seem_renamed_are_asked_about(run, monkeypatch, command):
    pair = {"old_stage": "Offer", "new_stage": "Quote", "since": date(2026, 1, 5), "n_old": 40, "n_new": 30}
    monkeypatch.setattr(renamed, "renamed_stages", lambda book: pl.DataFrame([pair]))
    monkeypatch.setattr(kept, "past", lambda *asked: Backtest(
        date(2025, 1, 1), date(2025, 6, 30), "constant", pl.DataFrame({"name": ["constant"]}), *[pl.DataFrame()] * 2, ()
    ))  # fmt: skip

    assert "Renamed? Offer (40 entries)" in run(*command, "--format", "json")[2]


def test_without_amounts_no_money_is_told(run, monkeypatch):
    real = actions.open_facts
    unknown = pl.lit(None, pl.Float64).alias("amount")
    monkeypatch.setattr(actions, "open_facts", lambda book: real(book).with_columns(unknown))
    _, told, _ = run("score")

    assert "No amount is known" in told
    assert "before margin" not in told
    assert " pts (" in told.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--deal", "nobody"], "nobody is not an open deal"),
        (["--tasks", "nowhere/tasks.csv"], "cannot be written"),
        (["--by-date", "2020-01-01"], "lies before the book's day"),
        (["--hours", "-1"], "no number of hours"),
        (["--margin", "30"], "no share"),
        (["--cost", "-5"], "no cost"),
        (["--where", "product=Nothing"], "Nothing"),
        (["--changed-since", "2027-01-01"], "2027"),
    ],
)
def test_what_cannot_be_is_told_and_not_traced(run, arguments, said):
    status, _, complained = run("score", *arguments)

    assert status == 1
    assert said in " ".join(complained.split())


def test_a_task_is_no_formula():
    row = dict.fromkeys(Action.column_names())
    row |= {"opportunity_id": "=cmd|' /C calc'!A0", "rank": 1, "action": "leave", "lever": "stop", "probability": 0.01,
            "low": 0.005, "high": 0.02, "signals": [], "hours": 0.17, "hours_left": 2.0, "extrapolates": False,
            "must_confirm": True, "gap": 100.0}  # fmt: skip
    listed = pl.DataFrame([row], schema=Action.create_empty().schema)

    for language, delimiter, confirmed in (("en", ",", "yes"), ("fr", ";", "oui")):
        words = words_for(language)
        text = as_csv(tasks(listed, words), words).decode("utf-8-sig")
        told = list(csv.reader(io.StringIO(text), delimiter=delimiter))
        assert told[1][0] == "'=cmd|' /C calc'!A0"
        assert told[1][-1] == confirmed
        assert "2" in told[1][3]
