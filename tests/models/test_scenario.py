"""One set of levers through deals, load, hires and pay, on a small invented company."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import signed
from quick import quick_model

from cadran.book import open_book
from cadran.book.held import hold
from cadran.models import scenario as module
from cadran.models.bookings import PATHS, of_model
from cadran.models.hiring import Hiring
from cadran.models.scenario import STEPS, Chain, _plans, _targets, chain
from cadran.models.scenario_levers import Levers
from cadran.models.shortage import plan
from cadran.models.staffing import Staffing
from cadran.models.workforce import workforce
from cadran.tables.measured.scenario import ScenarioMonth, ScenarioTotal, Sensitivity
from cadran.tables.problems import Problem

MONTHS = 12


@pytest.fixture(scope="module")
def made(small_company):
    """The chain of a company of 300 deals, of which the forecast makes a tenth more."""
    book = hold(open_book(small_company))
    found = of_model(book, quick_model(book), MONTHS)
    hiring = Hiring(plan(workforce(book, Staffing(), found.sellers, found.months), found.sellers, found.drawn()))
    plans, faults = _plans(book, found)
    assert not faults
    return Chain(found, np.full((PATHS, MONTHS), 1.1), 0.0, hiring, plans, faults, _targets(book, hiring.plan))


def change(made, levers):
    """What the quantities of the company have more."""
    return dict(made.run(levers).totals(made.run()).select("quantity", "more").iter_rows())


def test_things_as_they_are_are_the_forecast(made):
    known, drawn = made.bookings.known, made.bookings.drawn().bookings

    bookings = made.run().drawn.bookings

    np.testing.assert_allclose(bookings, known + 1.1 * (drawn - known), rtol=1e-5)
    known, wins = made.bookings.known_wins, made.bookings.drawn().wins
    np.testing.assert_allclose(
        made.run().drawn.wins, known + 1.1 * (wins - known), rtol=1e-5, err_msg="wins as foretold"
    )
    assert {name: more for name, more in change(made, Levers()).items() if more} == {}


def test_regions_and_teams_add_up_in_every_future(made):
    rows, bookings = made.run().plan.rows, made.run(Levers(size=1.1)).plan.bookings

    for level in ("region", "team"):
        parts = [place for place, row in enumerate(rows) if row.level == level]
        np.testing.assert_allclose(bookings[:, parts].sum(axis=1), bookings[:, 0], rtol=1e-4)


def test_a_larger_size_is_more_in_the_same_futures(made):
    known = made.bookings.known.sum()
    now, then = (made.run(levers).by_path for levers in (Levers(), Levers(size=1.2)))

    np.testing.assert_allclose(then["bookings"] - known, 1.2 * (now["bookings"] - known), rtol=1e-4)
    assert (then["wins"] == now["wins"]).all()


@pytest.mark.parametrize(
    ("levers", "up", "down", "still"),
    [
        (Levers(win_odds=((None, 1.2),)), ["bookings", "wins", "pay"], [], ["load_peak", "n_sellers"]),
        (Levers(arrivals=((None, 1.2),)), ["bookings", "load_peak"], [], ["n_sellers"]),
        (Levers(hires=(("Nord", date(2026, 9, 1), 5),)), ["n_sellers"], ["load_peak"], ["bookings", "pay"]),
        (Levers(attrition=0.0), ["n_sellers"], ["load_peak"], ["bookings"]),
        (Levers(quota=1.2), [], ["pay", "p_target"], ["bookings", "load_peak"]),
        (Levers(plan="pay_2027"), [], [], ["bookings", "load_peak", "n_sellers"]),
    ],
)
def test_a_lever_moves_what_hangs_on_it_and_nothing_else(made, levers, up, down, still):
    more = change(made, levers)

    assert [name for name in up if not more[name] > 0] == []
    assert [name for name in down if not more[name] < 0] == []
    assert [name for name in still if more[name] != 0] == []


def test_hires_in_one_region_leave_the_others(made):
    now, then = made.run().months, made.run(Levers(hires=(("Nord", date(2026, 9, 1), 3),))).months
    more = then.with_columns(more=pl.col("n_sellers") - now["n_sellers"]).filter(pl.col("level") == "region")

    assert set(more.filter(pl.col("more") > 0)["group"]) == {"Nord"}
    assert more.filter(pl.col("more") > 0)["month"].min() == date(2026, 9, 1)


def test_a_lever_beyond_history_is_held_and_told(made):
    held = made.run(Levers(size=9.0)).clamped

    assert [(each.lever, each.asked) for each in held] == [("size", 9.0)]
    assert (
        made.run(Levers(size=held[0].held)).by_path["bookings"].sum()
        == made.run(Levers(size=9.0)).by_path["bookings"].sum()
    )


def test_the_lever_that_matters_most_comes_first(made):
    told = made.tornado()
    largest = told.select(pl.max_horizontal(pl.col("less", "more").abs())).to_series().to_list()

    Sensitivity.validate(told)
    assert set(told["lever"]) == {*STEPS} - {"answer_hours"}, "no answer is known: nothing is told of it, not 0"
    assert largest == sorted(largest, reverse=True)
    assert told.filter(pl.col("lever") == "quota").row(0, named=True)["more"] == 0
    (size,) = made.tornado(Levers(size=9.0)).filter(lever="size").iter_rows(named=True)
    assert (size["more_value"], size["more"]) == pytest.approx((1.0, 0.0)), "it is held where it stands"
    assert made.tornado(quantity="pay").filter(pl.col("lever") == "quota")["more"].item() < 0


def test_what_is_told_has_its_schema(made):
    outcome = made.run(Levers(size=1.1))

    ScenarioMonth.validate(outcome.months)
    ScenarioTotal.validate(outcome.totals(made.run()))
    told = outcome.months.filter(pl.col("level") == "company")
    assert (told["bookings_low"] <= told["bookings_q25"]).all()
    assert (told["bookings_q75"] <= told["bookings_high"]).all()
    assert told["target"].null_count() == MONTHS - 3  # the goals of one quarter are set


def test_without_plans_and_targets_it_is_said(made):
    bare = replace(made, plans={}, targets=np.full_like(made.targets, np.nan), _kept={})
    told = bare.run().totals(bare.run())

    assert set(told.filter(pl.col("reason").is_not_null())["quantity"]) == {"p_target", "pay", "pay_share"}
    with pytest.raises(Problem, match="no pay plan pay_2027"):
        bare.run(Levers(plan="pay_2027"))


def test_a_plan_that_is_written_anew_is_read_anew(tmp_path, monkeypatch):
    book, asked = signed.book(tmp_path / "book", []), []
    monkeypatch.setattr(module, "_begun", lambda *of: asked.append(of) or Future())
    plan_file = book.version.parent / "plans" / "staffing.toml"
    plan_file.parent.mkdir()
    for _ in range(2):
        chain(book, wait=False)
    plan_file.write_text("hours_per_week = 30")
    chain(book, wait=False)

    assert asked[0] == asked[1] != asked[2]
