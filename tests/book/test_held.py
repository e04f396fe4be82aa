"""A book in memory answers as the book on disk does: on every date, for every reader, whatever is asked."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cadran.book import Reader, open_book
from cadran.book.held import Kept, hold

SAMPLE = Path(__file__).parent.parent.parent / "data" / "sample"
COLUMNS = ["opportunity_id", "status", "amount", "region", "team", "client", "closed_date", "closed_month"]
READERS = [None, Reader("n", "manager", regions=frozenset({"Nord"})), Reader("l", "manager", teams=frozenset({"Lyon"}))]


def deals(book, columns, organisation="as_was"):
    return book.collect(book.deals(columns, organisation)).sort("opportunity_id")


@pytest.mark.parametrize("organisation", ["as_was", "today"])
@pytest.mark.parametrize("day", [date(2021, 3, 31), date(2025, 1, 15), date(2026, 6, 30)])
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.id if reader else "all")
def test_deals_are_those_of_the_book(reader, day, organisation):
    plain = open_book(SAMPLE, reader).as_of(day)
    held = hold(plain, COLUMNS)

    for columns in (
        COLUMNS,
        ["opportunity_id", "status"],
        ["opportunity_id", "n_contacts"],
        ["opportunity_id", "in_scope"],
    ):
        assert_frame_equal(deals(held, columns, organisation), deals(plain, columns, organisation))


def test_readers_never_share_what_is_held():
    held = [hold(open_book(SAMPLE, reader), COLUMNS) for reader in READERS]

    everything, north, lyon = (set(deals(book, COLUMNS)["opportunity_id"]) for book in held)

    assert north < everything
    assert lyon < everything
    assert north.isdisjoint(lyon)
    assert set(deals(held[1], COLUMNS)["opportunity_id"]) == north


def test_another_moment_is_worked_out_anew():
    held = hold(open_book(SAMPLE), COLUMNS)

    earlier = held.as_of(date(2024, 1, 31))

    assert deals(earlier, COLUMNS)["closed_date"].max() <= date(2024, 1, 31)
    assert deals(held, COLUMNS)["closed_date"].max() > date(2024, 1, 31)


def test_what_is_unused_longest_is_given_up_first():
    kept, made = Kept(most_bytes=2_000), []

    def frame(name):
        def make():
            made.append(name)
            return pl.DataFrame({"x": range(100)})  # 800 bytes

        return kept.get(name, make)

    for name in ("a", "b", "a", "c", "a", "b"):
        frame(name)

    assert made == ["a", "b", "c", "b"]
