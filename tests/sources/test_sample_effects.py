"""What is planted can be found, and what is not planted cannot. Many seeds: `tests/evidence`."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency

from cadran.book import SAMPLE, open_book
from cadran.sources.sample import Levers, invent
from cadran.sources.sample.effects import LEVERS, effect, told

USED = ("versions", "accounts", "opportunities")
FACTS = ["deal_type", "lead_source", "product", "sector", "segment", "country"]


def closed_deals(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Closed deals with the facts known when they were created."""
    ends = tables["versions"].group_by("opportunity_id", maintain_order=True).last()
    accounts = tables["accounts"].group_by("account_id", maintain_order=True).first()
    closed = ends.filter(pl.col("status").is_in(["won", "lost"])).select("opportunity_id", "status")
    return closed.join(tables["opportunities"], on="opportunity_id").join(accounts, on="account_id")


def association(deals: pl.DataFrame, fact: str) -> float:
    """Chance of so strong an association of a fact with the outcome, if there were none (chi-squared test)."""
    counts = deals.pivot("status", index=fact, values="opportunity_id", aggregate_function="len").fill_null(0)
    return float(chi2_contingency(counts.select("won", "lost").to_numpy()).pvalue)


def auc(deals: pl.DataFrame) -> float:
    """Area under the curve, on every second deal, of win rates learnt by fact on the others."""
    won = (deals["status"] == "won").to_numpy()
    learn = np.arange(len(won)) % 2 == 0
    score = np.zeros(len(won))
    for fact in FACTS:
        values = deals[fact].cast(pl.String).fill_null("?").to_numpy()
        for value in np.unique(values):
            seen = learn & (values == value)
            score[values == value] += np.log((won[seen].sum() + 5) / ((~won[seen]).sum() + 5))
    good, bad = score[~learn & won], score[~learn & ~won]
    return float((good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean())


def test_without_signal_no_fact_tells_who_will_win():
    deals = closed_deals(invent(1000, seed=1, signal=0.0, activities=0).tables)

    # Six tests: one in a thousand each. The area's standard error is about 0.029.
    assert min(association(deals, fact) for fact in FACTS) > 0.001
    assert 0.41 < auc(deals) < 0.59


def test_with_signal_facts_tell_who_will_win():
    # The sample as it ships: another test holds it to what is invented.
    deals = closed_deals({name: pl.read_parquet(open_book(SAMPLE).version / name) for name in USED})

    assert association(deals, "deal_type") < 1e-6
    assert auc(deals) > 0.62


@pytest.mark.parametrize(
    ("name", "sign"), [("one more contact and a senior one", 1), ("answer four times as slowly", -1)]
)
def test_levers_work_in_the_declared_direction(name, sign):
    found = effect(name, prospects=400, seed=1)

    assert sign * (found["win_rate_on"] - found["win_rate_off"]) > 0
    assert sign * (found["revenue_on"] - found["revenue_off"]) > 0


def test_a_lever_leaves_the_past_as_it_was():
    since = date(2024, 4, 1)
    usual = invent(100, seed=3, activities=0.3).tables
    levers = Levers(since=since, senior_contact=True, response_time_factor=0.2)
    pulled = invent(100, seed=3, levers=levers, activities=0.3).tables
    start = pl.datetime(2024, 3, 31, 22, time_zone="UTC")
    facts = pl.exclude("opportunity_id", "lead_id", "activity_id", "contact_id")

    for name, at in (("versions", "valid_from"), ("opportunities", "created_at"), ("activities", "at")):
        before, after = (tables[name].filter(pl.col(at) < start).select(facts) for tables in (usual, pulled))
        assert before.sort(pl.all()).equals(after.sort(pl.all()))
    assert not usual["versions"].equals(pulled["versions"])


def test_the_document_tells_the_effects_that_were_found():
    root = Path(__file__).parents[2]
    ledger = (root / "docs" / "evidence" / "sample_levers.jsonl").read_text("utf-8").splitlines()
    lines = [json.loads(line) for line in ledger]

    assert told(lines[-108:]) in (root / "docs" / "sample.md").read_text("utf-8")
    assert len({line["process"] for line in lines[-108:]}) == 1


def test_every_lever_is_judged():
    pulled = {
        name
        for lever in LEVERS.values()
        for name, value in vars(lever.on).items() | vars(lever.off).items()
        if value != getattr(Levers(), name)
    }

    assert pulled == set(vars(replace(Levers()))) - {"since"}
