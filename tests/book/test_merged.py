"""Deals and clients that are merged at the source between two imports, and no longer told of."""

from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping

MAPPING = """
taken = {taken}
stages = [{{ stage = "Lead", kind = "open" }}, {{ stage = "Won", kind = "won" }}]
[files]
deals = "deals.csv"
clients = "clients.csv"
merged = {{ path = "merged.csv", optional = true }}
[accounts]
file = "clients"
account_id = "id"
[deals]
file = "deals"
opportunity_id = "id"
account_id = {{ column = "client", unknown = "keep as null" }}
stage = "stage"
created_at = "created"
closed_at = "closed"
[[merges]]
of = "deals"
file = "merged"
key = "gone"
into = "kept"
at = "on"
[[merges]]
of = "accounts"
file = "clients"
key = {{ column = "was", split = ";" }}
into = "id"
"""


@pytest.fixture
def take(tmp_path):
    """Import these deals, clients and merges as they were on a day."""

    def import_it(day, deals, clients, merged=()):
        (tmp_path / "deals.csv").write_text("id,client,stage,created,closed\n" + "\n".join(deals) + "\n")
        (tmp_path / "clients.csv").write_text("id,was\n" + "\n".join(clients) + "\n")
        (tmp_path / "merged.csv").write_text("gone,kept,on\n" + "\n".join(merged) + "\n")
        (tmp_path / "m.toml").write_text(MAPPING.format(taken=day))
        delivery = deliver(load_mapping(tmp_path / "m.toml"))
        write_book(tmp_path / "book", delivery, written_at=delivery.settings.taken)

    return import_it


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_was_merged_meanwhile_ends_merged_and_what_is_gone_without_a_word_vanished(take, tmp_path):
    deals = [f"{key},X,Lead,2024-01-01," for key in "ABCDE"]
    take("2024-02-01", deals, ["X,", "Y,", "Z,"])
    take("2024-02-03", deals[:2], ["X,Y;Q", "Z,"], ["C,A,2024-02-02", "D,A,", "W,A,"])
    take("2024-02-05", deals[:2], ["X,Y;Q", "Z,"], ["C,A,2024-02-02", "D,A,", "W,A,"])
    folder = max((tmp_path / "book").glob("0*"))
    now = pl.col("known_to").is_null()
    versions = pl.read_parquet(folder / "versions" / "*.parquet").filter(now).sort("opportunity_id", "valid_from")
    then = at("2024-02-03 23:59:59")
    assert versions.select("opportunity_id", "valid_to", "end_reason").rows() == [
        ("A", None, None), ("B", None, None), ("C", at("2024-02-02"), "merged"), ("D", then, "merged"),
        ("E", then, "vanished"),
    ]  # fmt: skip
    heads = pl.read_parquet(folder / "opportunities" / "*.parquet").filter(now).sort("opportunity_id")
    assert heads["merged_into"].to_list() == [None, None, "A", "A", None]
    clients = pl.read_parquet(folder / "accounts" / "*.parquet").filter(now).sort("account_id")
    assert clients.select("account_id", "end_reason", "merged_into").rows() == [
        ("X", None, None), ("Y", "merged", "X"), ("Z", None, None),
    ]  # fmt: skip
    book = open_book(tmp_path / "book")
    n = [book.collect(book.as_of(at(f"{day} 23:59:59")).deals()).height for day in ("2024-02-01", "2024-02-05")]
    assert n == [5, 2]
