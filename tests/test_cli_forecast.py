"""What `cadran forecast` and `cadran backtest forecast` tell a person, in both languages, and a script."""

import json
import shutil
from dataclasses import replace
from datetime import date

import foreseen
import numpy as np
import polars as pl
import pytest
import signed

from cadran import cli_forecast
from cadran.models import forecast as module
from cadran.models import kept_forecasts
from cadran.models.calls import FOLDER
from cadran.models.forecast_past import Past
from cadran.models.forecast_scores import TOLD
from cadran.tables.measured.forecast import QUANTILES, Changed, Forecast, Made, Needed, Score
from cadran.tables.problems import Problem

DAY = date(2026, 5, 31)


@pytest.fixture(scope="module")
def signatures(tmp_path_factory):
    """A book that all tests share: what it keeps of a forecast is worked out once."""
    goal = {"target_id": "g", "valid_from": signed.at(date(2025, 1, 1)), "scope": "company", "amount": 5000.0,
            "start_date": date(2026, 1, 1), "end_date": date(2026, 12, 31)}  # fmt: skip
    deals = [*signed.monthly([100] * 17, date(2025, 1, 1)), *signed.monthly([40] * 17, date(2025, 1, 1), "r3")]
    made = signed.book(tmp_path_factory.mktemp("signed") / "book", deals, day=DAY, targets=[goal])
    return made.version.parent


@pytest.fixture
def book(signatures, monkeypatch):
    """A book whose forecast is drawn at once."""
    monkeypatch.setenv("CADRAN_LANG", "en")
    stock, chances = foreseen.deals(("o", 0, 100.0), ("p", 2, 300.0)), np.full((2, 12), 0.1)
    monkeypatch.setattr(module, "foretold", lambda book, **how: foreseen.forecast(book, stock=stock, chances=chances))
    return signatures


@pytest.fixture
def new_book(book, tmp_path):
    """The same, of which no forecast is kept."""
    return shutil.copytree(book, tmp_path / "book", ignore=shutil.ignore_patterns(FOLDER))


@pytest.fixture
def past(monkeypatch):
    """A past of three months, in which a candidate was silent."""
    rows = [
        {"origin": date(2026, turn, 28), "level": "company", "group": None, "month": date(2026, turn + 1, 1), "horizon": 1,
         "name": name, "mean": 100.0 + off, "actual": 100.0, "scale": 10.0}
        | ({each: 100.0 + off + 40 * (level - 0.5) for each, level in QUANTILES.items()} if name != "run_rate" else {"q50": 90.0})
        for turn in (1, 2, 3) for name, off in (("blend", 5.0), ("bookings", 8.0), ("run_rate", -10.0))
    ]  # fmt: skip
    told = pl.DataFrame([{name: row.get(name) for name in TOLD} for row in rows], schema=TOLD, orient="row")
    silent = {"crm": Problem("No open deal has an amount.", "Map the field that holds the amount of open deals.")}
    made = Past(date(2026, 1, 28), date(2026, 3, 28), told, silent)
    monkeypatch.setattr(kept_forecasts, "past_forecasts", lambda *asked: made)
    return made


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ([], Forecast), (["--by", "region", "--every", "quarter"], Forecast), (["--made"], Made), (["--needed"], Needed),
        (["--changed-since", "2026-05-12"], Changed),
    ],
)  # fmt: skip
def test_a_script_reads_every_column(run, book, options, columns):
    status, told, _ = run("forecast", "--book", book, "--format", "json", *options)

    assert status == 0
    assert list(json.loads(told)[0]) == columns.column_names()


def test_a_person_reads_what_it_rests_on_and_who_is_silent(run, book):
    status, told, _ = run("forecast", "--book", book, "--every", "quarter")

    assert status == 0
    assert "Forecast of signed revenue" in told
    assert "Nothing could be learnt of earlier forecasts: Too short." in told
    assert "Sellers: commit says nothing: " in told
    assert "€1,245" in told, "the target of a quarter, for its business days"
    assert "best_case" not in told, "a column that nobody told is left out"


def test_in_french(run, book, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    status, told, _ = run("forecast", "--book", book, "--needed", "--target", "900")

    assert status == 0
    assert "Prévision du CA signé" in told
    assert "900 €" in told.replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--needed", "--made"], "Only one of"), (["--target", "-3"], "A target of −3 is no goal."),
        (["--horizon", "13"], "13 months ahead"), (["--by", "rep"], "closed in this book"),
        (["--changed-since", "2015-01-01"], "This book begins on"),
        (["--changed-since", "2027-01-01"], "lies after the book's day"), (["--as-of", "2027-01-01"], "knows nothing after"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said(run, book, options, says):
    status, told, complaint = run("forecast", "--book", book, *options)

    assert (status, told.count("€")) == (1, 0)
    assert says in complaint


def test_without_targets_or_whole_periods_it_says_so(run, book):
    assert "ask for a longer --horizon" in run("forecast", "--book", book, "--every", "quarter", "--horizon", "2",
                                               "--as-of", "2026-03-31")[2]  # fmt: skip
    assert "No target is set" in run("forecast", "--book", book, "--needed", "--by", "region")[2]


def test_each_forecast_is_kept_once_and_told_with_what_came(run, new_book):
    assert "None is kept yet" in run("forecast", "--book", new_book, "--calls")[1]
    for _ in range(2):
        run("forecast", "--book", new_book)
    run("forecast", "--book", new_book, "--as-of", "2026-04-30")
    status, told, _ = run("forecast", "--book", new_book, "--calls", "--format", "json")

    found = json.loads(told)
    assert status == 0
    assert [path.name for path in (new_book / FOLDER).iterdir()] == ["2026-05-31-000001.parquet"]
    assert {row["candidate"] for row in found["calls"]} == {"blend", "crm", "run_rate"}
    assert {row["level"] for row in found["calls"]} == {"company", "region", "team"}
    assert found["scores"][0]["n"] == 0
    assert run("forecast", "--book", new_book, "--calls")[1].count("30 Jun 2026") == 2, "the month and the quarter"


def test_a_book_that_cannot_be_written_tells_all_the_same(run, new_book):
    (new_book / FOLDER).write_text("")
    status, _, complaint = run("forecast", "--book", new_book)

    assert status == 0
    assert "This forecast is not kept" in complaint


def test_the_backtest_has_one_row_per_candidate(run, book, past):
    status, told, _ = run("backtest", "forecast", "--book", book, "--format", "json")

    rows = {row["name"]: row for row in json.loads(told)}
    assert status == 0
    assert list(rows["blend"]) == Score.column_names()
    assert (rows["blend"]["chosen"], rows["bookings"]["chosen"]) == (True, False)
    assert (rows["blend"]["wape"], rows["bookings"]["wape"]) == (pytest.approx(0.05), pytest.approx(0.08))
    assert rows["run_rate"]["coverage_80"] is None
    assert rows["crm"]["reason"].startswith("No open deal has an amount.")


@pytest.mark.parametrize("part", ["scores", "by_horizon", "by_level", "calls"])
def test_the_backtest_in_both_languages(run, book, past, monkeypatch, part):
    assert run("backtest", "forecast", "--book", book, "--show", part)[0] == 0
    monkeypatch.setenv("CADRAN_LANG", "fr")
    status, told, _ = run("backtest", "forecast", "--book", book, "--show", part)

    assert status == 0
    assert "Mise à l'épreuve de la prévision" in told
    assert ("Aucune affaire ouverte n'a de montant." in told) == (part == "scores")


def test_the_backtest_names_no_region_that_one_person_sells_in(run, book, past, monkeypatch):
    regions = [past.told.with_columns(level=pl.lit("region"), group=pl.lit(name)) for name in ("North", "South")]
    whole = replace(past, told=pl.concat([past.told, *regions]))
    monkeypatch.setattr(kept_forecasts, "past_forecasts", lambda *asked: whole)
    _, told, _ = run("backtest", "forecast", "--book", book, "--show", "calls", "--format", "json")

    assert {row["level"] for row in json.loads(told)} == {"company"}
    monkeypatch.setattr("cadran.cli_forecast.seen_book", opened_to_persons(cli_forecast.seen_book))
    _, told, _ = run("backtest", "forecast", "--book", book, "--show", "calls", "--format", "json")
    assert {row["group"] for row in json.loads(told)} == {None, "North", "South"}


def opened_to_persons(seen_book):
    return lambda *asked: replace(seen_book(*asked), rates_persons=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["--made"], "Affaires encore à créer"), (["--changed-since", "2026-05-12"], "Prévision d'alors")],
)
def test_parts_and_causes_are_told_in_words(run, book, monkeypatch, asked, said):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    told = run("forecast", "--book", book, *asked)[1]

    assert said in told
    assert "arrivals" not in told
