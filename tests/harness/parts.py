"""Small books for apps: parts of the sample."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from cadran.book import SAMPLE, Book, open_book, write_book
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery


def part_of_sample(
    folder: Path, keep: pl.Expr, reps: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
) -> Book:
    """A book in `folder` of those of the sample's deals that an expression on their `number` and last version keeps.

    `reps` may change the sellers before.
    """
    sample = open_book(SAMPLE)
    whole = {
        name: pl.read_parquet(sample.version / name).select(schema.column_names()) for name, schema in TABLES.items()
    }
    last = whole["versions"].sort("valid_from").group_by("opportunity_id").last().sort("opportunity_id")
    ids = last.with_row_index("number").filter(keep).select("opportunity_id")
    of_deals = ("opportunities", "versions", "deal_contacts", "activities")
    kept = {name: whole[name].join(ids, on="opportunity_id", how="semi") for name in of_deals}
    tables = whole | kept | {"leads": whole["leads"].clear(), "reps": reps(whole["reps"])}
    histories = frozenset(name for name, rows in tables.items() if "valid_from" in rows.columns)
    write_book(folder, Delivery.whole(sample.settings, tables, histories=histories), sample.moment)
    return open_book(folder)
