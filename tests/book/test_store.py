"""The folder a book lives in: complete versions, switched atomically."""

import json
import os
from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.book import open_book, store, write_book
from cadran.book.folder import alone
from cadran.tables import STORED, TABLES
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem

NOW = datetime(2024, 7, 1, tzinfo=UTC)
EMPTY = Delivery.whole(Settings("empty", datetime(2024, 6, 30, 21, tzinfo=UTC), "Europe/Paris"), {})


def test_an_empty_delivery_makes_a_whole_book(tmp_path):
    write_book(tmp_path / "book", EMPTY, NOW)

    book = open_book(tmp_path / "book")
    assert book.manifest["version"] == 1
    for name, schema in STORED.items():
        frame = pl.read_parquet(book.version / name)
        assert schema.is_valid(frame), name
    assert book.collect(book.deals()).is_empty()


def test_a_deal_that_is_two_things_at_one_moment_is_refused(tmp_path):
    open_then = {"opportunity_id": "a", "valid_from": NOW, "stage": "Talk", "status": "open"}
    tables = {
        "stages": [{"stage": "Talk", "position": 0, "kind": "open", "is_qualified": True}],
        "opportunities": [{"opportunity_id": "a", "created_at": NOW}],
        "versions": [open_then, open_then | {"status": "won"}],
    }
    told = {name: pl.DataFrame(rows, schema=TABLES[name].create_empty().schema) for name, rows in tables.items()}
    delivery = Delivery.whole(Settings("Two at once", datetime(2024, 7, 2, tzinfo=UTC)), told)

    with pytest.raises(Problem, match="versions: a is two things from 2024-07-01 00:00 UTC on"):
        write_book(tmp_path, delivery, NOW)

    assert not list(tmp_path.glob("0*"))


def test_each_import_is_a_version_beside_the_others(tmp_path):
    first, second = (write_book(tmp_path, EMPTY, NOW) for _ in range(2))

    assert (first.name, second.name) == ("000001", "000002")
    assert first.exists()
    assert open_book(tmp_path).version == second


@pytest.mark.parametrize("step", ["write_text", "write_bytes", "rename", "replace"])
def test_a_crash_at_any_step_leaves_the_old_book(tmp_path, monkeypatch, step):
    old = write_book(tmp_path, EMPTY, NOW)

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        owner = os if step == "replace" else type(tmp_path)
        broken.setattr(owner, step, crash)
        with pytest.raises(KeyboardInterrupt):
            write_book(tmp_path, EMPTY, NOW)

    assert open_book(tmp_path).version == old
    assert write_book(tmp_path, EMPTY, NOW).name in {"000002", "000003"}


def test_a_second_import_at_the_same_time_is_refused(tmp_path):
    write_book(tmp_path, EMPTY, NOW)
    there = {path.name for path in tmp_path.iterdir()}

    with alone(tmp_path), pytest.raises(Problem, match="Another import is writing"):
        write_book(tmp_path, EMPTY, NOW)

    assert {path.name for path in tmp_path.iterdir()} == there


def test_what_an_interrupted_import_left_is_removed_by_the_next(tmp_path):
    write_book(tmp_path, EMPTY, NOW)
    (tmp_path / ".000002" / "versions").mkdir(parents=True)

    write_book(tmp_path, EMPTY, NOW)

    assert {path.name for path in tmp_path.iterdir()} == {"000001", "000002", "CURRENT"}


def test_a_folder_of_other_things_is_not_written_into(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(Problem, match="not empty and holds no book"):
        write_book(tmp_path, EMPTY, NOW)


def test_says_that_there_is_no_book(tmp_path):
    with pytest.raises(Problem, match=r"holds no book[\s\S]*cadran import"):
        open_book(tmp_path / "nowhere")


def test_says_that_the_version_pointed_to_is_gone(tmp_path):
    write_book(tmp_path, EMPTY, NOW)
    (tmp_path / store.POINTER).write_text("000009\n")

    with pytest.raises(Problem, match="points to 000009, which is gone"):
        open_book(tmp_path)


def test_an_older_shape_is_not_read_with_new_eyes(tmp_path):
    path = write_book(tmp_path, EMPTY, NOW) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 0}))

    with pytest.raises(Problem, match="written in shape 0"):
        open_book(tmp_path)
