"""The backtest on a small invented company: what it may know, whom it asks, how it is told."""

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cadran.book import Book, Reader, open_book, write_book
from cadran.book.held import hold
from cadran.models import backtest as module
from cadran.models import kept, win
from cadran.models.backtest import backtest
from cadran.models.ladder import STEPS
from cadran.models.landmarks import WON, Snapshots, take
from cadran.models.rivals import RIVALS
from cadran.sources.sample import invent
from cadran.tables.problems import Problem
from cadran.text import words_for

SINCE, UNTIL = date(2025, 7, 1), date(2026, 1, 31)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "book"
    delivery = invent(deals=500, seed=3, activities=0.3)
    write_book(folder, delivery, delivery.settings.taken)
    return folder


@pytest.fixture(scope="module")
def book(folder) -> Book:
    return hold(open_book(folder))


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Two folds, and of the rivals that take long none."""
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "FOLDS", 2)
    patch.setattr(module, "RIVALS", {name: RIVALS[name] for name in ("crm probability", "naive bayes")})
    yield
    patch.undo()


@pytest.fixture(scope="module")
def told(book):
    return backtest(book, SINCE, UNTIL)


def test_a_row_per_candidate_and_rival(told):
    names = [*STEPS, "crm probability", "naive bayes"]

    assert told.scores["name"].to_list() == names
    assert told.scores.filter("chosen")["name"].to_list() == [told.chosen]
    silent = told.scores.filter(pl.col("silent").is_not_null())["name"].to_list()
    assert silent == ["boosting"]  # 500 deals are too few
    said = told.scores.filter(pl.col("silent").is_null())
    assert said["log_loss"].null_count() == 0
    assert set(told.reliability["name"]) == set(told.skill["name"]) == set(names) - set(silent)
    constant = told.scores.row(0, named=True)
    assert (constant["difference"], constant["calibration_slope"]) == (0, None)
    assert constant["auc"] == pytest.approx(0.5)


def test_the_looks_lie_between_the_days_and_are_counted(book, told):
    taken = take(book)
    first, last = (np.datetime64(day).astype(float) for day in (SINCE, date(2026, 2, 1)))
    # A look happens at the hour of the book's moment; days of the book begin an hour or two before those of UTC.
    asked = taken.keep((taken.at >= first) & (taken.at < last))
    row = told.scores.row(0, named=True)

    assert row["n"] == (asked.followed > row["within_days"]).sum() > 0
    assert row["n_young"] == len(asked) - row["n"]
    judged = asked.keep(asked.followed > row["within_days"])
    in_time = (judged.outcome == WON) & (judged.end - judged.at <= row["within_days"])
    assert row["average_precision"] == pytest.approx(
        np.average(in_time, weights=judged.weight)
    )  # what the command says
    assert told.skill.filter(pl.col("name") == "constant", pl.col("by") == "age_days")["n"].sum() == row["n"]
    assert told.skill.filter(pl.col("name") == "constant")["skill"].to_list() == pytest.approx(
        [0] * len(told.skill.filter(pl.col("name") == "constant"))
    )


@pytest.fixture
def simple(monkeypatch):
    """Of the candidates the simple ones alone."""
    for place in (module, win):
        monkeypatch.setattr(place, "allowed", lambda n_won, n_ended: ["constant", "stage rates"])


def test_no_fold_sees_what_came_later(book, monkeypatch, simple):
    seen = []
    plain = Snapshots.known_on

    def watched(taken, day):
        past = plain(taken, day)
        seen.append((day, past))
        return past

    monkeypatch.setattr(Snapshots, "known_on", watched)
    backtest(book, SINCE, UNTIL)

    assert len(seen) >= 3
    for day, past in seen:
        assert past.until == day
        assert (past.at < day).all()
        assert (past.end <= day).all()
        assert past.facts["at"].max().timestamp() / 86_400 < day


def test_a_leak_is_left_out_of_all(book, monkeypatch, simple):
    def leaking(book, seed=0):
        taken = take(book, seed)
        told = np.where(taken.outcome == 2, "Acme", None).tolist()
        return Snapshots(
            **{**vars(taken), "facts": taken.facts.with_columns(competitor=pl.Series(told, dtype=pl.String))}
        )

    learnt = []

    def rival(facts, won, weights):
        learnt.append(facts)
        return lambda asked: np.full(len(asked), 0.3 + 0.4 * asked["competitor"].is_null().to_numpy())

    monkeypatch.setattr(module, "take", leaking)
    monkeypatch.setattr(module, "RIVALS", {"naive bayes": rival})
    told = backtest(book, SINCE, UNTIL)

    assert [suspect.fact for suspect in told.suspects] == ["competitor"]
    assert all(facts["competitor"].null_count() == len(facts) for facts in learnt)
    assert told.scores.filter(name="naive bayes")["calibration_slope"].item() is None  # it sees no rival either


def test_it_is_of_the_whole_company_whoever_reads_and_of_the_regions_theirs_alone(book, monkeypatch, simple):
    monkeypatch.setattr(module, "RIVALS", {})
    all_of_it = backtest(book, SINCE, UNTIL)
    regions = all_of_it.skill.filter(by="region")["group"].unique().sort().to_list()

    theirs = backtest(book.scope(Reader("Ann", regions=frozenset(regions[:1]))), SINCE, UNTIL)

    assert len(regions) > 1
    assert_frame_equal(theirs.scores, all_of_it.scores)
    assert_frame_equal(theirs.reliability, all_of_it.reliability)
    assert theirs.skill.filter(by="region")["group"].unique().to_list() == regions[:1]
    assert_frame_equal(theirs.skill.filter(pl.col("by") != "region"), all_of_it.skill.filter(pl.col("by") != "region"))


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        (date(2026, 3, 1), date(2026, 1, 1), "not in order"),
        (date(2026, 1, 1), date(2031, 1, 1), "not before"),
        (date(2001, 1, 1), date(2001, 6, 1), "none has closed"),
    ],
)
def test_days_that_cannot_be_judged_are_refused(book, since, until, said):
    with pytest.raises(Problem, match=said):
        backtest(book, since, until)


def test_the_command_tells_rows_and_figures(folder, told, run, monkeypatch):
    given = []
    monkeypatch.setattr(kept, "past", lambda *asked: given.append(asked) or told)
    asked = ["backtest", "win", "--book", folder, "--from", SINCE, "--until", UNTIL]

    status, out, _ = run(*asked, "--format", "json")
    rows = json.loads(out)
    assert status == 0
    needed = {"name", "chosen", "n", "log_loss", "brier", "auc", "calibration_slope", "calibration_intercept"}
    assert all(needed <= set(row) for row in rows)
    assert sum(row["chosen"] for row in rows) == 1
    for part in ("scores", "reliability", "skill", "suspects"):
        monkeypatch.setenv("CADRAN_LANG", "fr")
        status, out, _ = run(*asked, "--show", part)
        share = words_for("fr").percent(told.scores["average_precision"][0], 1)
        assert (status, "la sélection aurait retenu" in out, f"{share} sont d'affaires gagnées" in out) == (
            0,
            True,
            True,
        )
    assert all(asked[1:] == (SINCE, UNTIL, 0, ()) for asked in given)


def test_the_command_refuses_days_out_of_order(folder, run):
    status, _, err = run("backtest", "win", "--book", folder, "--from", "2026-03-01", "--until", "2026-01-01")

    assert (status, "Traceback" in err) == (1, False)


def test_by_default_a_year_or_half_of_the_past(book):
    taken = take(book)
    first = date(1970, 1, 1) + timedelta(days=int(taken.at.min()))

    assert module._midway(taken, first + timedelta(days=400)) == first + timedelta(days=200)
    assert module._midway(taken, first) == first
