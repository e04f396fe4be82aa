"""Daily exports that tell a history and a present row: what was seen once is not new, nor corrected, every day."""

from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping

MAPPING = """
taken = {taken}
stages = [{{ stage = "Lead", kind = "open" }}, {{ stage = "Offer", kind = "open" }}, {{ stage = "Won", kind = "won" }}]
[files]
deals = "deals.csv"
moves = "moves.csv"
[deals]
file = "deals"
opportunity_id = "id"
stage = "stage"
created_at = "created"
closed_at = "closed"
amount = "amount"
deleted = {{ gone = "yes" }}
[[changes]]
of = "deals"
file = "moves"
key = "id"
at = "at"
field = {{ constant = "stage" }}
value = "to"
"""


@pytest.fixture
def take(tmp_path):
    """Import these deals and moves as they were on a day; the number of new, changed, corrected and ended versions."""

    def import_it(day, deals, moves):
        (tmp_path / "deals.csv").write_text("id,stage,created,closed,amount,gone\n" + "\n".join(deals) + "\n")
        (tmp_path / "moves.csv").write_text("id,at,to\n" + "\n".join(moves) + "\n")
        (tmp_path / "m.toml").write_text(MAPPING.format(taken=day))
        delivery = deliver(load_mapping(tmp_path / "m.toml"))
        write_book(tmp_path / "book", delivery, written_at=delivery.settings.taken)

    return import_it


def stored(tmp_path):
    files = max((tmp_path / "book").glob("0*")) / "versions" / "*.parquet"
    return pl.read_parquet(files).sort("opportunity_id", "valid_from", "known_from", nulls_last=False)


def end_of(day):
    return datetime.fromisoformat(f"{day} 23:59:59").replace(tzinfo=UTC)


def test_what_was_seen_before_is_not_seen_anew(take, tmp_path):
    deals = ["A,Offer,2024-01-01,,5,", "B,Lead,2024-01-01,,,yes", "C,Won,2024-01-01,2024-01-09,7,"]
    moves = ["A,2024-01-05,Offer", "C,2024-01-09,Won", "G,2024-01-03,Offer"]
    take("2024-02-01", deals, moves)
    first = stored(tmp_path)
    for day in ("2024-02-02", "2024-02-03"):
        take(day, deals, moves)
    assert stored(tmp_path).equals(first)
    last = first.group_by("opportunity_id", maintain_order=True).last()
    assert last.select("opportunity_id", "stage", "amount", "valid_to", "end_reason").rows() == [
        ("A", "Offer", 5.0, None, None),
        ("B", "Lead", None, end_of("2024-02-01"), "deleted"),
        ("C", "Won", 7.0, None, None),
        ("G", "Offer", None, end_of("2024-02-01"), "vanished"),
    ]


def test_what_changes_beside_the_history_is_a_change_when_it_is_seen(take, tmp_path):
    take("2024-02-01", ["A,Offer,2024-01-01,,5,"], ["A,2024-01-05,Offer"])
    take("2024-02-02", ["A,Offer,2024-01-01,,6,"], ["A,2024-01-05,Offer"])
    take("2024-02-04", ["A,Won,2024-01-01,2024-02-03,6,"], ["A,2024-01-05,Offer", "A,2024-02-03,Won"])
    rows = stored(tmp_path).filter(pl.col("known_to").is_null()).select("valid_from", "stage", "amount").rows()
    at = lambda day: datetime.fromisoformat(day).replace(tzinfo=UTC)  # noqa: E731
    assert rows == [(at("2024-01-01"), "Lead", None), (at("2024-01-05"), "Offer", None), (at("2024-02-03"), "Won", 6.0)]
    book = open_book(tmp_path / "book")
    for day, amount in (("2024-02-01", 5.0), ("2024-02-02", 6.0), ("2024-02-04", 6.0)):
        assert book.collect(book.as_of(end_of(day)).deals(["amount"]))["amount"].to_list() == [amount]


def test_what_is_deleted_later_ends_then(take, tmp_path):
    moves = ["A,2024-01-05,Offer"]
    take("2024-02-01", ["A,Offer,2024-01-01,,5,"], moves)
    take("2024-02-02", ["A,Offer,2024-01-01,,5,yes"], moves)
    take("2024-02-03", ["A,Offer,2024-01-01,,5,yes"], moves)
    now = stored(tmp_path).filter(pl.col("known_to").is_null())
    assert now.select("valid_to", "end_reason").rows()[-1] == (end_of("2024-02-02"), "deleted")
    book = open_book(tmp_path / "book")
    n = [book.collect(book.as_of(end_of(day)).deals()).height for day in ("2024-02-01", "2024-02-02", "2024-02-03")]
    assert n == [1, 0, 0]
