"""Books that lack much: what is proposed says less, and never breaks."""

import numpy as np
import polars as pl
import pytest
from known import Known, model_of

from cadran.book import open_book, write_book
from cadran.book.held import hold
from cadran.models.actions import actions, within
from cadran.models.backtest import backtest
from cadran.models.card import untold
from cadran.models.effort import HOURS_LEFT, hours_left
from cadran.models.hazards import Rates, count_rates
from cadran.models.landmarks import N_PERIODS, take
from cadran.models.reasons import moved, reasons
from cadran.models.typical import looks, typical
from cadran.models.win import open_facts
from cadran.sources.sample import invent
from cadran.tables.delivery import Delivery
from cadran.tables.measured.actions import Action, Moved, Reason
from cadran.tables.problems import Problem

_AMOUNT = pl.lit(None, pl.Float64).alias("amount")


def without(*statuses):
    ended = pl.col("status").cast(pl.String).is_in(statuses)
    return lambda tables: (
        tables
        | {
            "versions": tables["versions"].join(
                tables["versions"].filter(ended).select("opportunity_id"), on="opportunity_id", how="anti"
            )
        }
    )


CUTS = {
    "as it is": lambda tables: tables,
    "no activities": lambda tables: tables | {"activities": tables["activities"].clear()},
    "no contacts": lambda tables: tables | {name: tables[name].clear() for name in ("contacts", "deal_contacts")},
    "no amounts": lambda tables: tables | {"versions": tables["versions"].with_columns(_AMOUNT)},
    "none won": without("won"),
    "none lost": without("lost", "disqualified"),
    "none open": without("open"),
    "twelve deals": lambda tables: tables | {
        "versions": tables["versions"].join(
            tables["versions"].select("opportunity_id").unique(maintain_order=True).tail(12), on="opportunity_id", how="semi"
        )
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def company():
    return invent(deals=200, seed=4, activities=0.3)


@pytest.fixture(scope="module", params=CUTS)
def book(request, company, tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    tables = CUTS[request.param](company.tables)
    kept = tables["versions"]["opportunity_id"].implode()
    for name in ("opportunities", "activities", "deal_contacts"):
        tables = tables | {name: tables[name].filter(pl.col("opportunity_id").is_in(kept))}
    tables.pop("leads", None)
    told = Delivery.whole(company.settings, tables, histories=company.histories)
    write_book(folder, told, company.settings.taken)
    return request.param, hold(open_book(folder))


def test_a_chance_takes_a_deal_won_and_one_that_was_not(book):
    name, book = book
    model = model_of(count_rates(take(book), by_stage=False))

    listed = actions(book, model)

    Action.validate(listed)
    if name in ("none won", "none lost"):
        assert untold(model)
        assert listed.select("probability", "low", "high").null_count().row(0) == (listed.height,) * 3
        with pytest.raises(Problem, match="No chance can be told"):
            backtest(book)
    elif name == "as it is":
        assert untold(model) is None
        assert listed["probability"].null_count() == 0


@pytest.mark.parametrize("hazards", [Known(), Rates({}, np.ones((1, N_PERIODS, 3)))], ids=["logit", "constant"])
def test_what_is_proposed_says_less_and_never_breaks(book, hazards):
    name, book = book
    model, facts = model_of(hazards), open_facts(book)

    listed = within(actions(book, model), 10)

    Action.validate(listed.drop("fits"))
    assert set(listed["opportunity_id"]) == set(facts["opportunity_id"])
    assert listed["rank"].to_list() == list(range(1, listed.height + 1))
    levers = set(listed.filter(pl.col("gain").is_not_null())["lever"])
    if name in ("no contacts", "none won", "none open") or isinstance(hazards, Rates):
        assert not levers, "no lever that nothing tells of"
    elif name == "as it is":
        assert "contact" in levers
    if name == "no amounts":
        assert listed["gap"].null_count() == listed.height
        assert "leave" not in set(listed["action"])
    if name in ("no activities", "none won", "twelve deals"):
        assert hours_left(book).select("hours_left", "is_stated").rows() == [(HOURS_LEFT, True)]
    Reason.validate(reasons(model, facts, typical(looks(book))))
    if not isinstance(hazards, Rates):
        Moved.validate(moved(model, book, book.as_of(book.day.replace(year=book.day.year - 1))))
