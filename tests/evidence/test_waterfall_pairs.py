"""The waterfall adds up between any two month ends, in all and in each region, and stands where the pipeline stood."""

import itertools
from pathlib import Path

import polars as pl
import pytest

from cadran.book import SAMPLE, open_book, write_book
from cadran.measures import MEASURES, Question
from cadran.measures.periods import ends
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping

MAVEN = Path(__file__).parents[3] / "shared" / "data" / "maven_crm"


@pytest.fixture(scope="module", params=["sample", "maven_crm"])
def book(request, tmp_path_factory):
    if request.param == "sample":
        return request.param, open_book(SAMPLE)
    if not MAVEN.exists():
        pytest.skip("the real files are not beside this clone")
    folder = tmp_path_factory.mktemp("maven")
    delivery = deliver(load_mapping("maven_crm"), MAVEN)
    write_book(folder, delivery, delivery.settings.taken)
    return request.param, open_book(folder)


def test_adds_up_between_any_two_month_ends(book, ledger):
    name, opened = book
    if ledger.find(book=name):
        return
    first = opened.collect(opened.deals(["created_date"]))["created_date"].min()
    days = ends(opened, first, opened.day, "month")
    stood = {}
    for day in days:
        seen = opened if day == opened.day else opened.as_of(day)
        is_open = seen.collect(seen.deals(["status", "region", "amount"])).filter(pl.col("status") == "open")
        cents = (pl.col("amount") * 100).round().cast(pl.Int64).sum()
        by_region = is_open.group_by("region").agg(n=pl.len(), cents=cents)
        stood[day] = {row["region"]: (row["n"], row["cents"]) for row in by_region.iter_rows(named=True)}
    pairs = list(itertools.combinations(days, 2))
    for since, until in pairs:
        moved = MEASURES["waterfall"].ask(opened, Question(by=("region",), since=since, until=until))
        for (region,), lines in moved.group_by("region"):
            facts = {row["cause"]: (row["n"], round(row["amount"] * 100)) for row in lines.iter_rows(named=True)}
            opening, closing = facts.pop("opening"), facts.pop("closing")
            for place in (0, 1):
                assert opening[place] + sum(fact[place] for fact in facts.values()) == closing[place], (since, until)
            assert opening == stood[since].get(region, (0, 0)), (since, region)
            assert closing == stood[until].get(region, (0, 0)), (until, region)
    ledger.add(book=name, pairs=len(pairs), holds="in count and in cents, in each region")
