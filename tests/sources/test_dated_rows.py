"""Dated rows made into lives: open ends, holes, overlaps, what was deleted or merged."""

from datetime import UTC, datetime

import polars as pl
import pytest

HEAD = """
taken = 2024-12-31
stages = [{ stage = "Lead", kind = "open" }, { stage = "Offer", kind = "open" }, { stage = "Won", kind = "won" }]
[files]
deals = "deals.csv"
moves = "moves.csv"
clients = "clients.csv"
"""
ACCOUNTS = """
[accounts]
file = "clients"
account_id = "id"
valid_from = "from"
valid_to = "to"
region = "region"
deleted = { gone = ["yes", "1"] }
merged_into = "into"
"""
NOW = """
[[accounts]]
file = "now"
account_id = "id"
region = "region"
segment = "segment"
deleted = { gone = "yes" }
"""
DEALS = """
[deals]
file = "deals"
opportunity_id = "id"
stage = "stage"
created_at = "created"
closed_at = "closed"
amount = "amount"
deleted = { gone = "yes" }
"""
VERSIONS = """
[versions]
file = "moves"
opportunity_id = "id"
valid_from = "from"
valid_to = "to"
stage = "stage"
amount = "amount"
"""
TAKEN = datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def told(source, take):
    """Deliver with these clients, deals and moves (rows of CSV without their header)."""

    def deliver(
        mapping=HEAD + ACCOUNTS + DEALS, clients=("A,,,,,",), deals=("D,Lead,2024-01-05,,,",), moves=(), now=None
    ):
        files = {
            "clients.csv": ("id,from,to,region,gone,into", clients),
            "moves.csv": ("id,from,to,stage,amount", moves),
            "now.csv": ("id,region,segment,gone", now or ()),
        }
        for name, (header, rows) in files.items():
            (source / name).write_text("\n".join([header, *rows]) + "\n")
        if now is not None:
            mapping = mapping.replace("[files]", '[files]\nnow = "now.csv"').replace("[accounts]", "[[accounts]]") + NOW
        return take("id,stage,created,closed,amount,gone\n" + "\n".join(deals) + "\n", mapping)

    return deliver


def spans(delivered, table="accounts", key="account_id", *more):
    columns = [key, "valid_from", "valid_to", "end_reason", *more]
    return delivered.tables[table].sort(key, "valid_from").select(columns).rows()


@pytest.mark.parametrize(
    "end", ["", "9999-12-31", "9999-12-31 23:59:59", "2050-01-01", "31/12/9999", "2025-01-01", "2250-06-01"]
)
def test_an_open_end_is_no_end(told, end):
    rows = [f"A,2024-02-01,{end},North,,", "B,2024-02-01,2024-03-01,North,,"]
    assert spans(told(clients=rows))[0] == ("A", day("2024-02-01"), None, None)


def test_an_open_end_of_parquet_is_none_either(source, told):
    rows = pl.DataFrame({"id": ["A"], "from": [day("2024-02-01")], "to": [datetime(9999, 12, 31, tzinfo=UTC)]})
    rows.with_columns(region=pl.lit("N"), gone=pl.lit(None, pl.String), into=pl.lit(None, pl.String)).write_parquet(
        source / "clients.parquet"
    )
    mapping = (HEAD + ACCOUNTS + DEALS).replace("clients.csv", "clients.parquet")
    assert spans(told(mapping)) == [("A", day("2024-02-01"), None, None)]


def test_what_ends_before_the_data_was_taken_vanished(told):
    assert spans(told(clients=["A,2024-02-01,2024-03-01,North,,"])) == [
        ("A", day("2024-02-01"), day("2024-03-01"), "vanished")
    ]


def test_a_hole_is_closed_and_noted(told):
    delivered = told(clients=["A,2024-02-01,2024-03-01,North,,", "A,2024-05-01,,South,,"])
    assert spans(delivered) == [
        ("A", day("2024-02-01"), day("2024-05-01"), None),
        ("A", day("2024-05-01"), None, None),
    ]
    assert "nothing was told between two rows" in delivered.noted["note"].item()


@pytest.mark.parametrize("end", ["2024-04-30", "2024-04-30 23:59:59", "2024-05-01"])
def test_an_end_just_before_the_next_row_leaves_no_hole(told, end):
    delivered = told(clients=[f"A,2024-02-01,{end},North,,", "A,2024-05-01,,South,,"])
    assert spans(delivered)[0][2] == day("2024-05-01")
    assert delivered.noted.is_empty()


def test_of_rows_that_overlap_the_later_prevails(told):
    delivered = told(clients=["A,2024-02-01,2024-06-01,North,,", "A,2024-05-01,,South,,"])
    assert [row[2] for row in spans(delivered)] == [day("2024-05-01"), None]
    assert "held at once" in delivered.noted["note"].item()


def test_of_several_rows_still_so_the_latest_is(told):
    rows = ["A,2024-02-01,,North,,", "A,2024-05-01,9999-12-31,South,,", "B,2024-01-01,2024-02-01,South,,"]
    delivered = told(clients=rows)
    assert [row[1:3] for row in spans(delivered)][:2] == [
        (day("2024-02-01"), day("2024-05-01")),
        (day("2024-05-01"), None),
    ]
    assert "held at once" in delivered.noted["note"].item()


def test_a_row_without_length_and_one_that_goes_backward_are_set_aside(told):
    rows = ["A,2024-02-01,2024-02-01,North,,", "A,2024-02-01,,South,,", "B,2024-02-01,2024-01-01,West,,"]
    delivered = told(clients=rows)
    assert spans(delivered) == [("A", day("2024-02-01"), None, None)]
    assert delivered.set_aside.sort("row")["rule"].to_list() == [
        "a row holds for some time",
        "a row ends after it begins",
    ]


def test_a_row_marked_deleted_ends_what_was_before(told):
    rows = ["A,2024-02-01,2024-05-01,North,no,", "A,2024-05-01,,North,Yes,"]
    delivered = told(clients=rows)
    assert spans(delivered) == [("A", day("2024-02-01"), day("2024-05-01"), "deleted")]
    assert delivered.set_aside.is_empty()


def test_what_is_known_only_as_deleted_lived_since_ever(told):
    found = spans(told(clients=["A,2024-05-01,,North,1,"]), "accounts", "account_id", "region")
    assert found == [("A", day("2024-01-05"), day("2024-05-01"), "deleted", "North")]


def test_what_was_deleted_and_came_back_was_never_gone(told):
    rows = ["A,2024-02-01,,North,no,", "A,2024-03-01,,North,yes,", "A,2024-04-01,,South,no,"]
    delivered = told(clients=rows)
    assert spans(delivered) == [
        ("A", day("2024-02-01"), day("2024-04-01"), None),
        ("A", day("2024-04-01"), None, None),
    ]
    assert any("never gone" in note for note in delivered.noted["note"])


def test_what_was_merged_says_into_what(told):
    rows = ["A,2024-02-01,,North,,", "B,2024-02-01,,North,no,", "B,2024-06-01,,North,yes,A"]
    found = spans(told(clients=rows), "accounts", "account_id", "merged_into")
    assert found[1] == ("B", day("2024-02-01"), day("2024-06-01"), "merged", "A")


def test_the_present_row_prevails_when_the_data_was_taken(told):
    delivered = told(
        clients=["A,2024-02-01,,North,,", "B,2024-02-01,,North,,"],
        now=["A,South,big,", "B,North,small,", "C,West,big,"],
    )
    since = day("2024-01-05")
    assert spans(delivered, "accounts", "account_id", "region", "segment") == [
        ("A", day("2024-02-01"), TAKEN, None, "North", "big"),
        ("A", TAKEN, None, None, "South", "big"),
        ("B", day("2024-02-01"), None, None, "North", "small"),
        ("C", since, None, None, "West", "big"),
    ]
    assert "the present row says otherwise" in delivered.noted["note"].item()


def test_a_present_row_marked_deleted_ends_the_thing_when_the_data_was_taken(told):
    delivered = told(clients=["A,2024-02-01,,North,,"], now=["A,North,big,yes", "C,West,big,yes"])
    assert [row[2:4] for row in spans(delivered)] == [(TAKEN, "deleted"), (TAKEN, "deleted")]


def test_a_deal_deleted_is_taken_in_and_ends(told):
    deals = ["D,Offer,2024-01-05,,7,yes", "E,Won,2024-01-05,2024-03-01,9,yes", "F,Lead,2024-01-05,,,"]
    found = spans(told(HEAD + DEALS, deals=deals), "versions", "opportunity_id", "stage", "amount")
    assert found == [
        ("D", day("2024-01-05"), datetime(2024, 12, 31, 23, 59, 58, tzinfo=UTC), None, "Lead", None),
        ("D", datetime(2024, 12, 31, 23, 59, 58, tzinfo=UTC), TAKEN, "deleted", "Offer", 7.0),
        ("E", day("2024-01-05"), day("2024-03-01"), None, "Lead", None),
        ("E", day("2024-03-01"), TAKEN, "deleted", "Won", 9.0),
        ("F", day("2024-01-05"), None, None, "Lead", None),
    ]


def test_a_history_that_begins_later_than_the_deal(told):
    """What was before is told by the creation and the close of the present row."""
    mapping = HEAD + DEALS + VERSIONS
    deals = ["D,Won,2024-01-05,2024-02-01,9,", "E,Offer,2024-01-05,2024-03-01,7,"]  # an open one says when it should
    moves = ["D,2024-06-01,,Won,9", "E,2024-06-01,,Offer,7"]
    assert spans(told(mapping, deals=deals, moves=moves), "versions", "opportunity_id", "stage", "amount") == [
        ("D", day("2024-01-05"), day("2024-02-01"), None, "Lead", None),
        ("D", day("2024-02-01"), None, None, "Won", 9.0),
        ("E", day("2024-01-05"), day("2024-06-01"), None, "Lead", None),
        ("E", day("2024-06-01"), None, None, "Offer", 7.0),
    ]


def test_a_present_deal_that_its_history_does_not_know(told):
    mapping = HEAD + DEALS + VERSIONS
    deals = ["D,Won,2024-01-05,2024-09-01,9,", "E,Offer,2024-01-05,,8,", "G,Offer,2024-01-05,,,"]
    moves = ["D,2024-01-05,,Offer,9", "E,2024-01-05,,Offer,7"]
    delivered = told(mapping, deals=deals, moves=moves)
    assert spans(delivered, "versions", "opportunity_id", "stage", "amount") == [
        ("D", day("2024-01-05"), day("2024-09-01"), None, "Offer", 9.0),
        ("D", day("2024-09-01"), None, None, "Won", 9.0),
        ("E", day("2024-01-05"), TAKEN, None, "Offer", 7.0),
        ("E", TAKEN, None, None, "Offer", 8.0),
        ("G", day("2024-01-05"), TAKEN, None, "Lead", None),
        ("G", TAKEN, None, None, "Offer", None),
    ]
    assert delivered.noted.select("n", "found").rows() == [(1, "E")]


def test_a_deal_closed_before_its_history_needs_a_date_that_can_be(told):
    mapping = HEAD + DEALS + VERSIONS
    deals = ["D,Won,2024-03-05,2024-02-01,9,", "E,Lead,2024-01-05,,,"]
    delivered = told(mapping, deals=deals, moves=["D,2024-06-01,,Won,9"])
    assert delivered.set_aside.sort("table")["rule"].to_list() == [
        "a deal closes on or after its creation",
        "every version belongs to a known deal",
    ]


MERGES = """
[[merges]]
of = "accounts"
file = "merged"
key = { column = "gone", split = ";" }
into = "kept"
at = "on"
"""


def test_merges_may_stand_in_a_file_of_their_own(source, told):
    merged = "kept,gone,on\nA,B;C,2024-06-01\nX,X,2024-06-01\nA,E,\nD,E,\nA,,\n"
    (source / "merged.csv").write_text(merged)
    rows = [f"{key},2024-02-01,,North,," for key in "ABCDE"]
    mapping = (HEAD + ACCOUNTS + DEALS + MERGES).replace("[files]", '[files]\nmerged = "merged.csv"')
    delivered = told(mapping, clients=rows)
    found = {row[0]: row[2:] for row in spans(delivered, "accounts", "account_id", "merged_into")}
    gone = (day("2024-06-01"), "merged", "A")
    assert found == {"A": (None, None, None), "B": gone, "C": gone, "D": (None, None, None), "E": (None, None, None)}
    assert delivered.set_aside.sort("row").select("row", "rule").rows() == [
        (2, "a thing is merged into another"),
        (3, "a thing is merged into one other"),
        (4, "a thing is merged into one other"),
    ]


def test_the_same_whatever_the_buckets(monkeypatch, told):
    mapping = HEAD + ACCOUNTS + DEALS + VERSIONS
    clients = [f"A{i % 7},2024-0{1 + i % 9}-0{1 + i // 7},,North{i},{'yes' if i % 5 == 0 else ''}," for i in range(40)]
    gone = {True: "yes", False: ""}
    deals = [
        f"D{i},{'Won' if i % 3 else 'Offer'},2024-01-05,2024-0{1 + i % 9}-11,{i},{gone[i % 4 == 0]}" for i in range(30)
    ]
    moves = [f"D{i % 20},2024-0{1 + i % 8}-1{i // 20},,{'Offer' if i % 2 else 'Lead'},{i}" for i in range(60)]
    once = told(mapping, clients=clients, deals=deals, moves=moves)
    monkeypatch.setattr("cadran.tables.groups.MOST_ROWS", 5)
    monkeypatch.setattr("cadran.tables.groups.BUCKET_ROWS", 2)
    cut = told(mapping, clients=clients, deals=deals, moves=moves)
    assert len({part.bucket for part in cut.parts}) > 4
    for table, rows in once.tables.items():
        keys = rows.columns[:2]
        assert rows.sort(keys).equals(cut.tables[table].sort(keys)), table
    assert once.set_aside.sort(pl.all()).equals(cut.set_aside.sort(pl.all()))
    assert sorted(once.noted.rows()) == sorted(cut.noted.rows())
