"""A book cut into buckets holds what it would hold uncut, import after import."""

import os
from dataclasses import replace
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tellings import Telling, at, frames, now_told, retold, some_version, tellings

from cadran.book import enter, open_book, store, stored, write_book
from cadran.book.derive import ORDER
from cadran.tables import STORED
from cadran.tables.delivery import Delivery, Part, Settings
from cadran.tables.groups import GROUPS, bucket_of


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    """Runs of three buckets, so that a few buckets make several."""
    monkeypatch.setattr(enter, "RUN", 3)
    monkeypatch.setattr(stored, "RUN", 3)


def delivered(telling, n, histories=("versions",)):
    """An import in `n` buckets."""
    tables = frames(telling)
    reps = {"rep_id": ["r", "s"], "valid_from": [at(0)] * 2}
    tables |= {"reps": STORED["reps"].create_empty().select("rep_id", "valid_from")}
    tables["reps"] = pl.concat([tables["reps"], pl.DataFrame(reps, schema=tables["reps"].schema)])
    parts = []
    for group in GROUPS:
        told = {name: _whole(name, tables[name]) for name in group.tables if name in tables}
        buckets = n if group.name in ("deals", "leads") else 1
        for bucket in range(buckets):
            cut = {
                name: rows.filter(bucket_of(group.key, n) == bucket) if buckets > 1 else rows
                for name, rows in told.items()
            }
            parts.append(Part(group.name, cut, bucket=bucket, n_buckets=buckets))
    partial = frozenset({"deals", "leads"}) if telling.is_partial else frozenset()
    settings = Settings("Cut", at(telling.taken))
    return Delivery(settings, iter(parts), histories=frozenset(histories), partial=partial)


def _whole(name, rows):
    columns = {c: d for c, d in STORED[name].create_empty().schema.items() if c[-4:] != "_key" and c[:5] != "known"}
    return rows.with_columns(pl.lit(None, d).alias(c) for c, d in columns.items() if c not in rows.columns)


def imported(folder, told, ns, histories=("versions",)):
    for telling, n in zip(told, ns, strict=True):
        write_book(folder, delivered(telling, n, histories), at(telling.taken), accept_vanished=True)
    return open_book(folder)


def held(book):
    """Every row of every table as read through buckets and changes, with source identifiers for numbers."""
    rows = {}
    for name in STORED:
        if name != "calendar":
            frame = book.collect(book._stored(name))
            numbers = [c for c in frame.columns if c.endswith("_key")]
            order = [c.replace("_key", "_id") for c in ORDER[name]]
            believed = [c for c in ("known_from", "known_to") if c in frame.columns]
            rows[name] = frame.drop(numbers).sort(*order, *believed)
    return rows


@pytest.mark.parametrize(("tell", "seed"), [(retold, 4), (now_told, 1)])
def test_buckets_change_nothing(tmp_path, tell, seed):
    histories = ("versions",) if tell is retold else ()
    told = tellings(Random(seed), 20, tell, partial=0.6)
    whole = imported(tmp_path / "whole", told, [1] * len(told), histories)
    cut = imported(tmp_path / "cut", told, [4] * len(told), histories)

    expected, found = held(whole), held(cut)
    for name in expected:
        assert_frame_equal(found[name], expected[name])
    for what in ("rows", "corrected", "n_keys", "import", "numbers"):
        assert cut.manifest[what] == whole.manifest[what], what
    for name, n in cut.manifest["rows"].items():
        assert book_rows(cut, name).height == n
    assert_numbers_are_dense(cut)


def book_rows(book, name):
    return book.collect(book._stored(name))


def assert_numbers_are_dense(book):
    numbers = book_rows(book, "opportunities").select("opportunity_id", "opportunity_key").unique()
    assert numbers["opportunity_key"].sort().to_list() == list(range(numbers["opportunity_id"].n_unique()))
    versions = book_rows(book, "versions").select("opportunity_id", "opportunity_key").unique()
    assert versions.join(numbers, on=["opportunity_id", "opportunity_key"], how="anti").is_empty()


def test_a_book_that_grows_is_cut_anew(tmp_path):
    told = tellings(Random(3), 30, retold, partial=0.6)
    whole = imported(tmp_path / "whole", told, [1] * len(told))
    growing = imported(tmp_path / "growing", told, [1, 2, 4])

    assert growing.manifest["n_buckets"]["deals"] == 4
    found = held(growing)
    for name, rows in held(whole).items():
        assert_frame_equal(found[name], rows)
    assert_numbers_are_dense(growing)


def test_buckets_are_cut_anew_where_the_hash_is_another(tmp_path, monkeypatch):
    told = tellings(Random(6), 60, retold)
    imported(tmp_path, told[:-1], [4] * (len(told) - 1))
    monkeypatch.setattr(pl, "__version__", "another")
    for module in (enter, stored):
        other = lambda key, n: ((pl.col(key).hash(1) % n).fill_null(0)).cast(pl.Int32)  # noqa: E731
        monkeypatch.setattr(module, "bucket_of", other)
    write_book(tmp_path, delivered(told[-1], 1), at(20), accept_vanished=True)

    book = open_book(tmp_path)
    assert book.manifest["polars"] == "another"
    assert not list(book.version.glob(".*"))
    monkeypatch.undo()
    whole = imported(tmp_path / "whole", told, [1] * len(told))
    found = held(book)
    for name, rows in held(whole).items():
        assert_frame_equal(found[name], rows)


def daily(tmp_path, n_touched):
    """A book of 400 deals in 8 buckets, and an import that tells of some of them."""
    deals = {f"d{i}": [some_version(Random(i), 1)] for i in range(400)}
    first = Telling(2, deals, dict.fromkeys(deals, "x"))
    imported(tmp_path, [first], [8])
    some = {f"d{i}": [*deals[f"d{i}"], some_version(Random(i), 3)] for i in range(n_touched)}
    return imported(tmp_path, [Telling(3, some, dict.fromkeys(some, "x"), is_partial=True)], [8])


def test_a_small_change_leaves_the_buckets_as_they_are(tmp_path):
    book = daily(tmp_path, 20)

    old = tmp_path / "000001"
    for bucket in range(8):
        here, there = (folder / f"versions/{bucket:04}.parquet" for folder in (book.version, old))
        assert os.path.samefile(here, there)
    assert book.manifest["changed"] == ["deals"]
    assert book.manifest["import"]["versions"] == {
        "n_new": 0, "n_changed": 20, "n_corrected": 0, "n_ended": 0, "n_unchanged": 380,
    }  # fmt: skip
    assert pl.read_parquet(book.version / "changed/deals.parquet").height == 20
    assert book_rows(book, "versions").height == 420


def test_a_large_change_has_the_buckets_written_anew_and_the_old_version_as_it_was(tmp_path):
    before = {}
    deals = {f"d{i}": [some_version(Random(i), 1)] for i in range(400)}
    imported(tmp_path, [Telling(2, deals, dict.fromkeys(deals, "x"))], [8])
    before = {path: path.read_bytes() for path in (tmp_path / "000001").rglob("*.parquet")}
    some = {f"d{i}": [*deals[f"d{i}"], some_version(Random(i), 3)] for i in range(60)}
    book = imported(tmp_path, [Telling(3, some, dict.fromkeys(some, "x"), is_partial=True)], [8])

    assert book.manifest["changed"] == []
    assert not (book.version / "changed").exists() or not list((book.version / "changed").rglob("*.parquet"))
    assert book_rows(book, "versions").height == 460
    assert {path: path.read_bytes() for path in before} == before


def test_one_bucket_without_news_is_the_same_file(tmp_path):
    told = tellings(Random(3), 20, retold)
    imported(tmp_path, told, [1] * len(told))
    book = imported(tmp_path, [replace(told[-1], taken=told[-1].taken + 1)], [1])

    old = tmp_path / f"{int(book.version.name) - 1:06}"
    assert os.path.samefile(book.version / "versions/0000.parquet", old / "versions/0000.parquet")
    assert store.read_manifest(book.version)["import"]["versions"]["n_changed"] == 0


def test_parts_out_of_order_are_not_lost_in_silence(tmp_path):
    delivery = delivered(tellings(Random(3), 20, retold)[0], 4)
    delivery.parts = iter([*delivery.parts][::-1])

    with pytest.raises(ValueError, match=r"out of (the )?order"):
        write_book(tmp_path, delivery, at(1))


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("deal", ["d1", "d2", "d3", "d4"])
def test_a_touch_planned_with_one_deal_and_had_with_another_is_one_touch(tmp_path, n, deal):
    deals = {f"d{i}": [some_version(Random(i), 0)] for i in range(5)}
    planned = {"at": 3, "kind": "email", "direction": "outbound", "is_automatic": False}
    told = [Telling(day, deals, dict.fromkeys(deals, "x"), {"t": planned | {"opportunity_id": d}})
            for day, d in ((2, "d0"), (4, deal))]  # fmt: skip

    rows = book_rows(imported(tmp_path, told, [n, n]), "activities")
    assert rows.select("opportunity_id", "known_from", "known_to").rows() == [(deal, None, None)]
