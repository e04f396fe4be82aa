"""The futures that capacity, pay and scenarios go on from are those of the forecast, and one number."""

from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from quick import quick_model

from cadran.book import Reader, open_book
from cadran.book.held import hold
from cadran.models import bookings, capacity, scenario
from cadran.models.blend import Blend, quantiles
from cadran.models.coming import coming
from cadran.models.foresight import foresee
from cadran.tables.measured.scenario import ScenarioMonth
from cadran.tables.problems import Problem

#: Weights and widths that make the forecast another than open and coming deals alone.
WIDER = Blend(("bookings", "series", "average"), np.full((6, 3), 1 / 3), (1.3, 1.2), 0, 0)


@pytest.fixture(scope="module")
def book(small_company):
    return hold(open_book(small_company))


@pytest.fixture(scope="module")
def seen(book):
    return foresee(book, 12, WIDER, quick_model(book))


@pytest.fixture
def foretold(monkeypatch, seen):
    """The forecast is there; what it was drawn from is asked of nobody else."""
    for module in ("cadran.models.coming", "cadran.models.scenario"):
        monkeypatch.setattr(f"{module}.foretold", lambda book: SimpleNamespace(seen=seen))
    for module in (capacity, scenario):
        module._begun.cache_clear()
        module._shown.cache_clear()
        monkeypatch.setattr(module, "behind", _at_once)


def _at_once(work):
    done = Future()
    done.set_result(work())
    return done


def test_forecast_capacity_and_scenario_say_one_number(book, seen, foretold):
    forecast = seen.paths.sum(axis=1).mean(axis=0)
    plan = capacity.capacity(book, 12).plan
    linked = scenario.chain(book).run()

    assert not np.allclose(forecast, seen.source.drawn().bookings.sum(axis=1).mean(axis=0), rtol=0.01)
    told = plan.frame(("company",))
    assert told["bookings"].to_list() == pytest.approx(forecast.tolist(), rel=1e-4)
    of_scenario = linked.months.filter(pl.col("level") == "company")
    assert of_scenario["bookings"].to_list() == pytest.approx(told["bookings"].to_list(), rel=1e-5)
    assert coming(book, 12).drawn.wins.mean(axis=0) == pytest.approx(seen.wins)
    low, high = np.moveaxis(quantiles(seen.paths.sum(axis=1), np.array([0.025, 0.975])), -1, 0)
    for frame in (told, of_scenario):
        assert frame["bookings_low"].to_list() == pytest.approx(low.tolist(), rel=1e-4)
        assert frame["bookings_high"].to_list() == pytest.approx(high.tolist(), rel=1e-4)
    (total,) = linked.totals(linked).filter(quantity="bookings").iter_rows(named=True)
    ends = quantiles(seen.paths.sum(axis=(1, 2)), np.array([0.025, 0.975]))
    assert [total["value_low"], total["value_high"]] == pytest.approx(ends.tolist(), rel=1e-4)


def test_fewer_months_are_the_first_of_the_same(book, seen, foretold):
    half = coming(book, 6)

    assert half.months == seen.months[:6]
    assert (half.drawn.bookings == seen.paths[..., :6]).all()
    assert half.why_not is None
    plan = capacity.capacity(book, 6).plan
    assert plan.bookings.shape[2] == len(plan.months) == 6


def test_beyond_the_forecast_it_is_said_that_these_are_not_its_futures(book, foretold, monkeypatch):
    monkeypatch.setattr(bookings, "bookings", lambda book, months: bookings.of_model(book, quick_model(book), months))
    told = capacity.capacity(book, 14)

    assert len(told.plan.months) == 14
    assert "12 months" in str(told.why_not)


def test_where_no_chance_can_be_told_it_is_said(book, monkeypatch):
    silent = SimpleNamespace(source=None, silent={"bookings": Problem("No deal has closed.", "Wait.")})
    monkeypatch.setattr("cadran.models.coming.foretold", lambda book: SimpleNamespace(seen=silent))

    with pytest.raises(Problem, match="No deal has closed"):
        coming(book, 6)


def test_a_reader_is_shown_their_own_rows_and_the_sum(book, foretold):
    region = next(row.group for row in capacity.capacity(book, 12).plan.rows if row.level == "region" and row.group)
    theirs = book.scope(Reader("x", regions=frozenset([region])))
    months = capacity.capacity(theirs, 12).plan.frame(("company", "region"))
    of_scenario = scenario.chain(theirs).run().months

    assert set(months["group"]) == {None, region}
    assert set(of_scenario.filter(pl.col("level") == "region")["group"]) == {region}
    assert of_scenario.filter(pl.col("level") == "company")["bookings"].null_count() == 0
    assert scenario.chain(theirs).run().totals(scenario.chain(theirs).run())["value"].to_list()
    assert len(set(capacity.capacity(book, 12).plan.frame(("region",))["group"])) > 1, "others are shown all"


def test_a_company_of_one_has_its_scenarios(book, seen, foretold, monkeypatch):
    one = replace(seen, source=replace(seen.source, sellers=seen.source.sellers.with_columns(rep_id=pl.lit("r"))))
    monkeypatch.setattr("cadran.models.scenario.foretold", lambda book: SimpleNamespace(seen=one))

    assert np.isfinite(scenario.chain(book).run().months["bookings"].to_numpy()).all()


def test_teams_of_one_have_their_load_told_and_no_revenue(book, seen, foretold, monkeypatch):
    teams = seen.source.sellers["team"].to_list()
    alone = [f"{team} {place}" for place, team in enumerate(teams)]
    sellers = seen.source.sellers.with_columns(team=pl.Series(alone))
    one = replace(seen, source=replace(seen.source, sellers=sellers))
    for module in ("cadran.models.coming", "cadran.models.scenario"):
        monkeypatch.setattr(f"{module}.foretold", lambda book: SimpleNamespace(seen=one))
    frame = capacity.capacity(book, 12).plan.frame(("team",)).filter(pl.col("group").is_in(alone))
    linked = scenario.chain(book).run().months.filter(pl.col("group").is_in(alone))

    assert frame["bookings"].null_count() == frame.height > 0
    assert linked["bookings"].null_count() == linked["bookings_q75"].null_count() == linked.height > 0
    assert frame["hours_load"].null_count() == 0
    ScenarioMonth.validate(linked)
    opened = capacity.capacity(replace(book, rates_persons=True), 12).plan.frame(("team",))
    assert opened["bookings"].null_count() == 0
