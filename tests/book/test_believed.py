"""What a book knew when: corrections, late entries, things that ended; and rows stored anew beside their buckets."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cadran.book import Book, engine_of, open_book, write_book
from cadran.book.draft import seal
from cadran.book.held import hold
from cadran.tables import STORED, TABLES
from cadran.tables.delivery import Delivery, Settings

IMPORTED = datetime(2024, 5, 1, tzinfo=UTC)
TAKEN = datetime(2024, 6, 30, tzinfo=UTC)
KEYS = {"opportunity_id": "opportunity_key", "account_id": "account_key", "rep_id": "rep_key"}
NUMBERS = {"a": 0, "b": 1, "c": 2, "gone": 3, "late": 4, "acme": 0, "ann": 0}


def at(month, day=1):
    return datetime(2024, month, day, tzinfo=UTC)


def stored(name, *rows):
    schema = STORED[name].create_empty().schema
    full = []
    for row in rows:
        numbers = {number: NUMBERS.get(row.get(key)) for key, number in KEYS.items() if number in schema}
        full.append(dict.fromkeys(schema) | numbers | row)
    return pl.DataFrame(full, schema=schema)


def version(deal, begins, ends=None, amount=10.0, **more):
    row = {"opportunity_id": deal, "valid_from": begins, "valid_to": ends, "amount": amount, "stage": "Talk"}
    row |= {"status": "open", "rep_id": "ann", "account_key": 0, "status_since": begins, "stage_since": begins}
    day = begins.date()
    row |= {"status_since_date": day, "status_since_day": (day - date(1970, 1, 1)).days, "n_pushes": 0, "n_reopened": 0}
    return row | {"created_day": row["status_since_day"]} | more


def opportunity(deal, created, **more):
    day = created.date()
    row = {"opportunity_id": deal, "account_id": "acme", "created_at": created, "created_date": day}
    return row | {"created_day": (day - date(1970, 1, 1)).days, "product": "Old"} | more


#: a: 10, corrected on 1 May to 99 from the start. late: entered on 1 May, begun in February. gone: vanished on 1 May.
ROWS = {
    "stages": stored("stages", {"stage": "Talk", "position": 0, "kind": "open", "is_qualified": True}),
    "reps": stored(
        "reps",
        {"rep_id": "ann", "valid_from": at(1), "valid_to": at(3), "team": "North", "end_reason": None},
        {"rep_id": "ann", "valid_from": at(3), "valid_to": at(5), "team": "South", "end_reason": "vanished"},
    ),
    "accounts": stored(
        "accounts",
        {"account_id": "acme", "valid_from": at(1), "name": "Wrong", "known_to": IMPORTED},
        {"account_id": "acme", "valid_from": at(1), "name": "Right", "known_from": IMPORTED},
    ),
    "opportunities": stored(
        "opportunities",
        opportunity("a", at(1), known_to=IMPORTED),
        opportunity("a", at(1), known_from=IMPORTED, product="New"),
        opportunity("b", at(1)),
        opportunity("c", at(2)),
        opportunity("gone", at(1), known_to=IMPORTED),
        opportunity("late", at(2), known_from=IMPORTED),
    ),
    "versions": stored(
        "versions",
        version("a", at(1), known_to=IMPORTED),
        version("a", at(1), amount=99.0, known_from=IMPORTED),
        version("b", at(1), at(4, 10)),
        version("b", at(4, 10), amount=11.0),
        version("c", at(2)),
        version("gone", at(1), IMPORTED, end_reason="vanished"),
        version("late", at(2), known_from=IMPORTED, amount=7.0),
    ),
    "leads": stored(
        "leads",
        {"lead_id": "l1", "created_at": at(2), "created_date": date(2024, 2, 1), "source": "web", "known_to": IMPORTED},
        {"lead_id": "l1", "created_at": at(2), "created_date": date(2024, 2, 1), "source": "fair", "known_from": IMPORTED},
    ),
    "activities": stored(
        "activities",
        {"activity_id": "x", "opportunity_id": "a", "kind": "call", "at": at(2)},
        {"activity_id": "y", "kind": "call", "at": at(2), "known_from": IMPORTED},
        {"activity_id": "z", "opportunity_id": "b", "kind": "call", "at": at(2)},
    ),
    "deal_contacts": stored(
        "deal_contacts",
        {"opportunity_id": "a", "contact_id": "p1", "known_from": IMPORTED},
        {"opportunity_id": "a", "contact_id": "p2"},
    ),
}  # fmt: skip


def keep(folder, rows, **manifest):
    """A book of these stored rows."""
    version = write_book(folder, Delivery.whole(Settings("Test", TAKEN), {}), TAKEN)
    rows = rows | {"numbers": {"numbers/account.parquet": pl.DataFrame({"account_id": ["acme"], "account_key": [0]})}}
    for name, frame in rows.items():
        for file, part in frame.items() if isinstance(frame, dict) else [(f"{name}/0000.parquet", frame)]:
            (version / file).parent.mkdir(parents=True, exist_ok=True)
            part.write_parquet(version / file)
    told = json.loads((version / "manifest.json").read_text()) | manifest
    told["rows"] |= {name: frame.height for name, frame in ROWS.items()}
    seal(version, told | {"sha256": {}})
    return open_book(folder)


CORRECTED = {name: int((~frame["known_from"].is_null() | ~frame["known_to"].is_null()).sum())
             for name, frame in ROWS.items() if "known_from" in frame.columns}  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Book:
    return keep(tmp_path_factory.mktemp("believed"), ROWS, corrected=CORRECTED)


@pytest.fixture(params=["polars", "duckdb", "held"])
def seen(request, book):
    return hold(book) if request.param == "held" else replace(book, engine=engine_of(request.param))


def deals(book, *columns, **options):
    frame = book.collect(book.deals(["opportunity_id", *columns], **options))
    assert frame["opportunity_id"].is_unique().all()
    return {row[0]: row[1] if len(columns) == 1 else row[1:] for row in frame.iter_rows()}


APRIL = date(2024, 4, 20)


def test_a_correction_is_known_from_its_import_on(seen):
    assert deals(seen.as_of(APRIL), "amount") == {"a": 10.0, "b": 11.0, "c": 10.0, "gone": 10.0}
    assert deals(seen.as_of(date(2024, 5, 2)), "amount") == {"a": 99.0, "b": 11.0, "c": 10.0, "late": 7.0}


def test_as_corrected_tells_the_past_as_it_is_believed_now(seen):
    corrected = seen.as_of(APRIL, corrected=True)

    assert deals(corrected, "amount") == {"a": 99.0, "b": 11.0, "c": 10.0, "gone": 10.0, "late": 7.0}
    assert deals(corrected.as_of(date(2024, 3, 1)), "amount")["b"] == 10.0
    assert deals(corrected.as_of(date(2024, 3, 1)), "amount")["late"] == 7.0
    now = seen.as_of(seen.moment, corrected=True)
    assert deals(now, "amount", "client", "product") == deals(seen, "amount", "client", "product")


def test_facts_of_the_deal_and_its_client_are_corrected_too(seen):
    then, corrected = seen.as_of(APRIL), seen.as_of(APRIL, corrected=True)

    assert deals(then, "product", "client")["a"] == ("Old", "Wrong")
    assert deals(corrected, "product", "client") == {
        "a": ("New", "Right"), "b": ("Old", "Right"), "c": ("Old", "Right"), "gone": ("Old", "Right"),
        "late": ("Old", "Right"),
    }  # fmt: skip
    assert deals(then, "n_contacts")["a"] == 1
    assert deals(corrected, "n_contacts")["a"] == 2


def test_a_seller_who_is_gone_still_names_their_deals(seen):
    assert deals(seen, "team") == dict.fromkeys(("a", "b", "c", "late"), "South")
    assert deals(seen.as_of(date(2024, 2, 1)), "team")["a"] == "North"


def test_tables_tell_what_was_believed(seen):
    def told(book, name, *columns):
        return sorted(book.collect(book.table(name).select(*columns)).rows(), key=str)

    then, corrected = seen.as_of(APRIL), seen.as_of(APRIL, corrected=True)
    assert told(then, "leads", "source", "known_to") == [("web", None)]
    assert told(corrected, "leads", "source", "known_to") == [("fair", None)]
    assert told(then, "activities", "activity_id") == [("x",), ("z",)]
    assert told(corrected, "activities", "activity_id") == [("x",), ("y",), ("z",)]
    assert told(seen, "accounts", "name") == [("Right",)]
    # What vanished stays in the histories, with its end.
    assert told(seen, "opportunities", "opportunity_id") == [("a",), ("b",), ("c",), ("gone",), ("late",)]
    assert ("gone", IMPORTED, "vanished") in told(seen, "versions", "opportunity_id", "valid_to", "end_reason")


def test_rows_stored_anew_take_the_place_of_those_in_the_buckets(tmp_path, book):
    """The base is wrong about deal a and about touches without a deal, and lacks the late one; the mask mends it."""
    split = {}
    for name in ("opportunities", "versions", "deal_contacts", "activities"):
        frame, key = ROWS[name], pl.col("opportunity_key")
        is_changed = key.is_in([0, 4]) | key.is_null()
        before = pl.concat([frame.filter(~is_changed), frame.filter(is_changed & (key != 4).fill_null(True))]).sort(
            "opportunity_key"
        )
        wrong = {"versions": {"amount": 1e6}, "opportunities": {"product": "Stale"}, "activities": {"kind": "email"}}
        before = before.with_columns(
            pl.when(is_changed).then(pl.lit(value)).otherwise(column).cast(frame.schema[column]).alias(column)
            for column, value in wrong.get(name, {}).items()
        )
        split[name] = {
            f"{name}/0000.parquet": before.filter(key.fill_null(0) % 2 == 0),
            f"{name}/0001.parquet": before.filter(key % 2 == 1),
            f"changed/{name}/0000.parquet": frame.filter(is_changed),
        }
    split["mask"] = {
        "changed/deals.parquet": pl.DataFrame({"opportunity_key": [0, 4, None]}, schema={"opportunity_key": pl.Int64})
    }
    daily = keep(tmp_path, ROWS | split, corrected=CORRECTED, changed=["deals"])

    for engine, moments in {"polars": (date(2024, 2, 1), APRIL, date(2024, 6, 1)), "duckdb": (APRIL,)}.items():
        for day in moments:
            ours, whole = (replace(each, engine=engine_of(engine)).as_of(day) for each in (daily, book))
            for name in TABLES:
                same = [each.collect(each.table(name)) for each in (ours, whole)]
                assert_frame_equal(*same, check_row_order=False)
            assert deals(ours, "amount", "product", "client") == deals(whole, "amount", "product", "client")
    held = hold(daily)
    assert deals(held, "amount") == deals(daily, "amount")
