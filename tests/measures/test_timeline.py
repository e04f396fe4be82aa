"""What happened to one deal, against a plain reading of its rows."""

import polars as pl
import pytest

from cadran.book import SAMPLE, open_book
from cadran.measures.timeline import timeline


@pytest.fixture(scope="module")
def sample():
    return open_book(SAMPLE)


@pytest.mark.parametrize("deal", ["D001144", "D002061"])
def test_every_move_and_touch_is_told_once_in_order(sample, deal):
    versions = pl.read_parquet(sample.version / "versions").filter(opportunity_id=deal).sort("valid_from")
    touches = pl.read_parquet(sample.version / "activities").filter(opportunity_id=deal)
    moves, before = [], {}
    for row in versions.rows(named=True):
        told = ("stage", "amount", "expected_close_date", "status")
        moves += [(name, str(row[name])) for name in told if row[name] != before.get(name)]
        before = row

    told = timeline(sample, deal)

    assert told.filter(~pl.col("is_move")).height == touches.height
    assert sorted(told.filter("is_move").select("kind", "value").rows()) == sorted(moves)
    assert told["at_date"].is_sorted()


def test_nothing_later_than_the_moment_is_told(sample):
    early = sample.as_of(timeline(sample, "D001144")["at_date"][3])

    assert 0 < timeline(early, "D001144").height < timeline(sample, "D001144").height
    assert timeline(sample, "no such deal").is_empty()
