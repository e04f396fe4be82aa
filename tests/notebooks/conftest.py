"""Small books for the apps: parts of the sample."""

import polars as pl
import pytest

from cadran.book import SAMPLE, open_book, write_book
from cadran.book.held import hold
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """`part(keep)`: a book of those of the sample's deals that an expression on their number and last version keeps."""
    sample = open_book(SAMPLE)
    whole = {
        name: pl.read_parquet(sample.version / name).select(schema.column_names()) for name, schema in TABLES.items()
    }
    last = whole["versions"].sort("valid_from").group_by("opportunity_id").last().sort("opportunity_id")

    def make(keep):
        ids = last.with_row_index("number").filter(keep).select("opportunity_id")
        of_deals = ("opportunities", "versions", "deal_contacts", "activities")
        kept = {name: whole[name].join(ids, on="opportunity_id", how="semi") for name in of_deals}
        folder = tmp_path_factory.mktemp("book")
        tables = whole | kept | {"leads": whole["leads"].clear()}
        histories = frozenset(name for name, rows in tables.items() if "valid_from" in rows.columns)
        write_book(folder, Delivery.whole(sample.settings, tables, histories=histories), sample.moment)
        return hold(open_book(folder))

    return make
