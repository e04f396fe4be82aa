"""No measure counts more deals than the book has, however close in time what happened to them lies."""

import re
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest

from cadran.measures import MEASURES, Question
from cadran.measures.leads import LEADS
from cadran.tables.problems import Problem

N_DEALS = 40
OPEN = ["Prospect", "Propose"]
#: What is counted of a deal more than once, or is none.
_OTHERS = re.compile(r"entries|entry|moves|waits|pushes in|returns, in all|clients|sellers|differences|paths", re.I)
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def told(step, is_history):
    """Deals, their versions and touches, from one thing that happens to the next `step`, or all at once where it is 0."""
    pick, versions, touches = Random(2), [], []
    for number in range(N_DEALS):
        stages = [pick.choice(OPEN) for _ in range(pick.randint(1, 5))] + pick.choice([[], ["Won"], ["Lost"]])
        rows = [
            {
                "opportunity_id": f"d{number}",
                "valid_from": BEGAN + place * step,
                "stage": stage,
                "amount": 10.0 + number,
            }
            | {"status": stage.lower() if stage not in OPEN else "open", "expected_close_date": BEGAN.date()}
            for place, stage in enumerate(stages)
            if place == 0 or stage != stages[place - 1]
        ]
        versions += rows if is_history else rows[-1:]
        touches += [
            {"activity_id": f"t{number}-{place}", "opportunity_id": f"d{number}", "at": BEGAN + place * step}
            | {"kind": "email", "direction": pick.choice(["inbound", "outbound"])}
            for place in range(3)
        ]
    deals = [{"opportunity_id": f"d{number}", "created_at": BEGAN} for number in range(N_DEALS)]
    return {"opportunities": deals, "versions": versions, "activities": touches}


BOOKS = {
    "in one second": (timedelta(microseconds=1), True),
    "all dates equal": (timedelta(0), False),
    "no history": (timedelta(days=5), False),
}


@pytest.fixture(scope="module", params=BOOKS)
def book(request, make_book):
    step, is_history = BOOKS[request.param]
    return make_book(**told(step, is_history), histories=("versions",) if is_history else ())


def counts(measure, book):
    """The largest count of deals in each column that a measure gives; none where it cannot be had."""
    try:
        rows = measure.ask(book, Question())
    except Problem:
        return {}
    says = {name: column.description for name, column in measure.returns.columns().items() if re.match("n(_|$)", name)}
    told = [name for name, said in says.items() if said.startswith("Deals") or not _OTHERS.search(said)]
    return {name: rows[name].max() or 0 for name in told}


@pytest.mark.parametrize("name", [name for name, measure in MEASURES.items() if measure.subject is not LEADS])
def test_no_measure_counts_more_deals_than_there_are(book, request, on_duckdb, name):
    ours = counts(MEASURES[name], book)

    assert {column: n for column, n in ours.items() if n > N_DEALS} == {}
    if request.node.callspec.params["book"] == "in one second":  # things lie close in time for the other engine too
        assert counts(MEASURES[name], on_duckdb(book)) == ours


def test_parts_of_deals_are_no_more_than_the_whole(book):
    parts = {"path_variants": ["n_deals"], "close_timing": ["n_deals", "n_disqualified"]}
    for name, columns in parts.items():
        try:
            rows = MEASURES[name].ask(book, Question())
        except Problem:
            continue
        assert rows.select(pl.sum_horizontal(columns)).sum().item() + (rows["n_unknown"].max() or 0) <= N_DEALS
