"""Why a deal is held likely or not, and what changed it: by hand, from a model of known coefficients."""

import math
from datetime import timedelta
from statistics import median_low, mode

import polars as pl
import pytest
from known import Known, model_of

from cadran.book import SAMPLE, open_book
from cadran.book.held import hold
from cadran.book.landmarks import facts_at
from cadran.measures.changed import changed_since
from cadran.models.hazards import Rates
from cadran.models.landmarks import N_PERIODS
from cadran.models.reasons import GROUPS, moved, reasons
from cadran.models.typical import FEW, beside, looks, typical
from cadran.models.win import open_facts
from cadran.tables.measured.actions import Moved, Reason
from cadran.tables.problems import Problem

import numpy as np  # isort: skip


@pytest.fixture(scope="module")
def book():
    return hold(open_book(SAMPLE))


@pytest.fixture(scope="module")
def facts(book):
    return open_facts(book)


@pytest.fixture(scope="module")
def middles(book):
    return typical(looks(book))


def logistic(x):
    return 1 / (1 + math.exp(-x))


def test_what_is_typical_is_the_median_or_the_most_frequent(book, middles):
    seen = looks(book)
    told = {row["stage"]: row for row in middles.iter_rows(named=True)}

    assert set(told) == {None, *seen["stage"].unique()}
    for stage in ("Discovery", "Negotiation"):
        own = seen.filter(stage=stage)
        assert told[stage]["n_looks"] == own.height
        assert told[stage]["amount"] == pytest.approx(own["amount"].drop_nulls().median())
        assert told[stage]["n_contacts"] in (median_low(own["n_contacts"].drop_nulls()), own["n_contacts"].median())
        assert told[stage]["deal_type"] == mode(own["deal_type"])
        assert told[stage]["waiting_hours"] is None, "mostly nobody waits"


def test_looks_are_of_deals_open_then_and_tell_nothing_later(book):
    seen = looks(book)
    then = book.moment - timedelta(days=28)
    past = seen.filter(pl.col("at") == then)

    assert past.height > 20
    assert past.select(pl.exclude("is_won")).equals(facts_at(book, past.select("opportunity_key", "at")))
    assert set(past["opportunity_key"]) <= set(open_facts(book.as_of(then))["opportunity_key"])


def test_a_rare_stage_takes_what_is_typical_of_all(book):
    seen = looks(book).head(300)
    rare = seen.with_columns(stage=pl.when(pl.int_range(pl.len()) < FEW - 1).then(pl.lit("Rare")).otherwise("stage"))
    row = beside(rare.head(1), typical(rare)).row(0, named=True)

    assert row["of_stage"] is None
    assert row["n_looks"] == 300


def test_a_reason_is_the_change_away_from_typical_by_hand(facts, middles):
    told = reasons(model_of(Known()), facts, middles)
    own = facts.select("opportunity_id", "stage", "n_contacts").rows_by_key("opportunity_id", named=True, unique=True)
    usual = {row["stage"]: row["n_contacts"] for row in middles.iter_rows(named=True)}

    assert set(told["group"]) == {"people"}, "the model looks at nothing else"
    assert set(told["opportunity_id"]) == {
        deal for deal, row in own.items() if row["n_contacts"] not in (None, usual[row["stage"]])
    }
    for row in told.head(60).iter_rows(named=True):
        deal = own[row["opportunity_id"]]
        n, typically = deal["n_contacts"], usual[deal["stage"]]
        by_hand = logistic(-2 + 0.8 * n) - logistic(-2 + 0.8 * typically)
        assert row["change"] == pytest.approx(by_hand, abs=1e-6)
        assert (row["fact"], row["value"], row["typical"]) == ("n_contacts", str(n), str(typically))
        assert row["change_low"] <= row["change"] <= row["change_high"]
    Reason.validate(told)


def test_what_moves_most_comes_first(facts, middles):
    told = reasons(model_of(Known(cross=0.05)), facts, middles, most=2)

    assert told["rank"].max() == 2
    sizes = (
        told.with_columns(pl.col("change").abs()).pivot("rank", index="opportunity_id", values="change").drop_nulls()
    )
    assert sizes.height > 20
    assert (sizes["1"] >= sizes["2"]).all()


def test_the_simple_rates_know_no_reason(facts, middles):
    assert reasons(model_of(Rates({}, np.ones((1, N_PERIODS, 3)))), facts, middles).is_empty()


def test_parts_add_up_and_are_the_mean_of_both_orders(book):
    earlier, known = book.as_of(book.day - timedelta(days=60)), Known(slope=0.3, cross=0.02)
    told = moved(model_of(known), book, earlier)
    whole = told.group_by("opportunity_id").agg(pl.col("part").sum(), pl.col("change", "probability_before").first())

    assert whole.height > 30
    assert whole["part"].to_list() == pytest.approx(whole["change"].to_list(), abs=1e-9)
    keys = open_facts(book).select("opportunity_id", "opportunity_key")
    pairs = keys.join(whole, on="opportunity_id").select("opportunity_key", at=pl.lit(earlier.moment))
    then = facts_at(book, pairs).rows_by_key("opportunity_id", named=True, unique=True)
    now = open_facts(book).rows_by_key("opportunity_id", named=True, unique=True)
    parts = {(row["opportunity_id"], row["group"]): row["part"] for row in told.iter_rows(named=True)}

    def chance(contacts, touches):
        return logistic(-2 + 0.3 * contacts + 0.02 * contacts * touches)

    for deal, before in list(then.items())[:40]:
        (c0, t0), (c1, t1) = ((row["n_contacts"], row["n_touches"]) for row in (before, now[deal]))
        people = (chance(c1, t0) - chance(c0, t0) + chance(c1, t1) - chance(c0, t1)) / 2
        assert parts.get((deal, "people"), 0) == pytest.approx(people, abs=1e-6)
    Moved.validate(told)


def test_what_changed_stands_beside_its_group(book):
    earlier = book.as_of(book.day - timedelta(days=60))
    told = moved(model_of(Known()), book, earlier)
    facts = {(row[0], row[1]) for row in changed_since(book, earlier).select("opportunity_id", "what").rows()}

    assert told.height > 5
    for deal, group, what in told.select("opportunity_id", "group", "what").rows():
        assert (group, what) == ("people", ["n_contacts"])
        assert (deal, "n_contacts") in facts


def test_a_model_fitted_anew_changes_nothing(book):
    assert moved(model_of(Known(level=1.0, slope=2.0)), book, book).is_empty()


def test_a_later_day_is_refused(book):
    with pytest.raises(Problem, match="nothing to compare"):
        moved(model_of(Known()), book.as_of(book.day - timedelta(days=9)), book)


def test_every_fact_has_its_group():
    assert GROUPS["age_days"] == "age"
    assert "rep_id" not in GROUPS
