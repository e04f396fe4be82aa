"""What a reader of a part asks for reads their part alone: every plan of theirs, and every frame kept for them."""

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cadran.book import DEAL_COLUMNS, Reader, held, open_book
from cadran.book.engines import engine_of
from cadran.book.held import Kept, hold
from cadran.book.leads import known_leads
from cadran.book.reach import FREE, HELD_TO
from cadran.tables import STORED

SAMPLE = Path(__file__).parent.parent.parent / "data" / "sample"
NORD = Reader("n", "manager", regions=frozenset({"Nord"}))
READERS = {
    "region": NORD,
    "team": Reader("l", "manager", teams=frozenset({"Lyon"})),
    "both": Reader("b", "people", frozenset({"Nord"}), frozenset({"Lyon"})),
    "seller": Reader("s", "seller", persons=frozenset({"R001"})),
    "nobody": Reader("z", "seller"),
    "pay": Reader("p", "pay"),
}
LIMITED = [name for name in READERS if name != "pay"]


def plans(book):
    """Every plan that a book hands out, by name."""
    earlier = book.as_of(date(2025, 12, 31))
    return {
        **{name: book.table(name) for name in STORED},
        **{f"stored {name}": book._stored(name) for name in STORED},
        "deals": book.deals(),
        "deals, some": book.deals(["opportunity_id", "amount"]),
        "deals, today's organisation": book.deals(organisation="today"),
        "deals, flagged": book.deals([*DEAL_COLUMNS, "opportunity_key"]),
        "deals, beside": book.deals(["opportunity_id", "amount", "in_scope"], other=earlier),
        "deals, earlier": earlier.deals(),
        "leads": known_leads(book),
    }


def scans(plan):
    """Of each scan of a file in a plan: the table, and what it selects."""
    for told in re.split(r"(?=Parquet SCAN)", plan.to_native().explain())[1:]:
        place = re.match(r"Parquet SCAN \[[^\]]*/(\w+)/[^/\]]+\.parquet", told)
        selection = re.search(r"SELECTION: (.*)", told)
        yield place[1], selection[1] if selection else ""


def test_every_table_says_by_what_it_is_held_to_a_scope():
    assert HELD_TO.keys() | FREE == STORED.keys()
    assert not HELD_TO.keys() & FREE


@pytest.mark.parametrize("who", READERS)
def test_every_scan_of_a_readers_plans_carries_their_scope(who):
    book = open_book(SAMPLE, READERS[who])
    free = {
        *FREE,
        *(("reps", "targets", "actions") if who == "nobody" else ()),
    }  # of nobody a plan reads nothing at all

    seen = [(name, table, said) for name, plan in plans(book).items() for table, said in scans(plan)]

    if who in ("region", "team", "both", "seller"):
        assert len(seen) > 30
        assert {table for _, table, _ in seen} >= {*HELD_TO} - {"targets", "actions"}
    column = {table: name for table, (name, _) in HELD_TO.items()} | {"numbers": "account_key"}
    wrong = [
        (name, table)
        for name, table, said in seen
        if table not in free and f'col("{column[table]}").is_in(' not in said
    ]
    assert wrong == []


def test_the_same_plans_of_who_sees_all_would_be_found_wanting():
    said = dict(scans(open_book(SAMPLE).deals()))

    assert "is_in" not in said["versions"]


def told(book, name):
    return {tuple(map(str, row)) for row in book.collect(book.table(name)).sort(pl.all()).iter_rows()}


@pytest.mark.parametrize("day", [date(2022, 6, 30), date(2026, 6, 30)])
@pytest.mark.parametrize("who", LIMITED)
def test_what_a_reader_sees_is_what_the_whole_book_says_of_their_sellers(who, day):
    """By the region that the owner of each deal was in on the day, from the whole book, row by row."""
    reader, whole = READERS[who], open_book(SAMPLE).as_of(day)
    reps = whole.collect(whole.table("reps")).sort("valid_from").unique("rep_id", keep="last", maintain_order=True)
    theirs = reps.filter(
        pl.col("region").is_in(list(reader.regions)).fill_null(False)
        | pl.col("team").is_in(list(reader.teams)).fill_null(False)
        | pl.col("rep_id").is_in(list(reader.persons))
    )["rep_id"]
    deals = whole.collect(whole.deals()).filter(pl.col("rep_id").is_in(theirs.implode()))
    book = whole.scope(reader)

    seen = book.collect(book.deals())

    assert seen.sort("opportunity_id").equals(deals.sort("opportunity_id"))
    assert (seen.height > 0) == (who != "nobody")
    keys = set(deals["opportunity_id"])
    for name in ("versions", "opportunities", "deal_contacts", "activities"):
        rows = whole.collect(whole.table(name)).filter(pl.col("opportunity_id").is_in(list(keys)))
        assert book.collect(book.table(name)).height == rows.height
    assert set(book.collect(book.table("reps"))["rep_id"]) == set(theirs)
    assert set(book.collect(book.table("leads"))["rep_id"]) <= set(theirs)


def test_who_administers_pay_sees_sellers_and_no_deal():
    book = open_book(SAMPLE, Reader("p", "pay", regions=frozenset({"Nord"})))

    assert book.collect(book.table("reps"))["region"].is_in(["Nord"]).any()
    for name in ("versions", "opportunities", "deal_contacts", "activities", "leads", "accounts", "contacts"):
        assert book.collect(book.table(name)).is_empty()
    assert book.collect(book.deals()).is_empty()


def test_of_a_deal_that_was_theirs_only_how_it_stands_is_told():
    early, late = date(2022, 6, 30), date(2026, 6, 30)
    book = open_book(SAMPLE, READERS["team"])
    then = set(book.collect(book.as_of(early).deals(["opportunity_id"]))["opportunity_id"])

    rows = book.as_of(late)
    flagged = rows.collect(rows.deals(["opportunity_id", "status", "amount", "client", "seller", "in_scope"]))

    former = flagged.filter(~pl.col("in_scope"))
    assert former.height > 0
    assert set(former["opportunity_id"]) <= then | set(former["opportunity_id"])
    assert former.select("amount", "client", "seller").null_count().row(0) == (former.height,) * 3
    assert former["status"].null_count() == 0


@pytest.mark.parametrize("engine", ["duckdb"])
def test_another_engine_tells_the_same(engine):
    book = open_book(SAMPLE, NORD, engine=engine_of(engine))
    plain = open_book(SAMPLE, NORD)

    for name in ("versions", "accounts", "contacts", "actions", "targets"):
        assert book.collect(book.table(name)).height == plain.collect(plain.table(name)).height
    own, theirs = (
        each.collect(each.deals(["opportunity_id", "amount"])).sort("opportunity_id") for each in (book, plain)
    )
    assert own.equals(theirs)


@pytest.mark.parametrize("who", ["region", "seller"])
def test_a_book_in_memory_holds_nothing_of_others(who, monkeypatch):
    kept = Kept(2**40)
    monkeypatch.setattr(held, "_KEPT", kept)
    book = hold(open_book(SAMPLE, READERS[who]), ["opportunity_id", "amount", "region", "status"])
    for plan in plans(book).values():
        book.collect(plan)
    reach = book._reach

    frames = {key: frame for key, (frame, _) in kept._frames.items() if key[2] is not None}

    assert len(frames) > 8
    assert {key[2] for key in frames} == {READERS[who].nobody}
    for key, frame in frames.items():
        assert key[:2] == (book.version, book.seal)
        if "opportunity_key" in frame.columns:
            assert set(frame["opportunity_key"].drop_nulls()) <= set(reach.deals)
    deals = [frame for key, frame in frames.items() if len(key) > 4 and "region" in frame.columns]
    assert deals
    if who == "region":
        assert all(
            frame["opportunity_id"]
            .is_in(book.collect(open_book(SAMPLE, NORD).deals(["opportunity_id"]))["opportunity_id"].implode())
            .sum()
            for frame in deals
        )


def test_what_is_kept_of_a_version_goes_when_it_is_written_anew(monkeypatch):
    monkeypatch.setattr(held, "_KEPT", kept := Kept(2**40))
    book = hold(open_book(SAMPLE))
    book.collect(book.table("reps"))

    assert all(book.seal in key for key in kept._frames)
    assert book.seal
