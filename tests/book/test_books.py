"""The versions of a book: what there is, going back, what stays, and files that are not what was written."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import crash
import polars as pl
import pytest
from tellings import Telling, at, frames

from cadran.book import books, draft, open_book, write_book
from cadran.book.store import read_manifest, since
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem

NOW = datetime(2024, 7, 1, tzinfo=UTC)


def told(day, *deals, amount=1.0, **more):
    """A delivery of some deals, each open since day 1 and of one amount."""
    version = {"stage": "Talk", "status": "open", "valid_from": 1, "amount": amount}
    telling = Telling(day, {deal: [version] for deal in deals}, dict.fromkeys(deals, "x"))
    return Delivery.whole(Settings("Tiny", at(day)), frames(telling), histories=frozenset({"versions"}), **more)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A book of three versions: a deal; a second one; the first corrected."""
    folder = tmp_path_factory.mktemp("book")
    for day, deals, amount in [(2, "a", 1.0), (3, "ab", 1.0), (4, "ab", 2.0)]:
        write_book(folder, told(day, *deals, amount=amount), NOW + timedelta(microseconds=day))
    return folder


@pytest.fixture
def folder(written, tmp_path):
    """A copy of it."""
    return crash.copied(written, tmp_path)


def test_lists_what_each_import_did(folder):
    listed = books.listed(folder)

    assert listed["version"].to_list() == [1, 2, 3]
    assert listed["is_current"].to_list() == [False, False, True]
    assert listed["n_deals"].to_list() == [1, 2, 2]
    assert listed.select("n_new", "n_changed", "n_corrected", "n_ended").rows() == [(1, 0, 0, 0)] * 2 + [(0, 0, 2, 0)]
    assert listed["taken"].to_list() == [at(2), at(3), at(4)]


def test_counts_the_deals_there_are_as_the_measures_do(folder):
    write_book(folder, told(5, "a"), NOW)
    write_book(folder, told(6, "a", "b"), NOW)
    write_book(folder, told(7, "b", "c"), NOW)

    counted = books.listed(folder)["n_deals"].to_list()
    assert counted == [1, 2, 2, 1, 2, 2]
    for version, n in zip(sorted(folder.glob("0*")), counted, strict=True):
        books.restore(folder, int(version.name))
        book = open_book(folder)
        assert book.collect(book.deals(["status"])).height == n


def test_compares_two_versions_by_table(folder):
    rows = dict(books.compared(folder, 1, 3).select("table", "rows_more").iter_rows())

    assert (rows["opportunities"], rows["versions"], rows["stages"]) == (1, 3, 0)
    with pytest.raises(Problem, match=r"no version 9[\s\S]*1, 2, 3"):
        books.compared(folder, 1, 9)


def test_going_back_loses_nothing_and_the_next_import_goes_on_from_there(folder):
    books.restore(folder, 1)

    assert open_book(folder).version.name == "000001"
    assert books.listed(folder)["version"].to_list() == [1, 2, 3]
    write_book(folder, told(5, "a", amount=1.0), NOW)
    assert open_book(folder).version.name == "000004"
    assert open_book(folder).manifest["corrected"] == {}


def test_old_versions_go_and_the_current_one_stays(folder):
    books.restore(folder, 1)

    assert books.prune(folder, 1) == ["000002"]
    assert books.listed(folder)["version"].to_list() == [1, 3]


def test_an_import_keeps_as_many_versions_as_asked(folder):
    write_book(folder, told(5, "a", "b"), NOW, keep=2)

    assert books.listed(folder)["version"].to_list() == [3, 4]


def test_a_whole_book_is_found_whole(folder):
    assert books.verify(folder, every=True) > 3 * 10


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (flip, "versions/0000.parquet is not what was written"),
        (lambda path: path.unlink(), "versions/0000.parquet is missing"),
        (lambda path: path.with_name("0009.parquet").write_bytes(path.read_bytes()), "0009.parquet is none of them"),
        (lambda path: flip(path.parents[1] / "manifest.json"), "manifest.json is not what was written"),
    ],
)
def test_a_file_that_is_not_what_was_written_is_named_with_the_version_to_go_back_to(folder, harm, said):
    harm(folder / "000003/versions/0000.parquet")

    with pytest.raises(Problem, match=rf"{said}\.[\s\S]*--restore 2"):
        books.verify(folder)
    with pytest.raises(Problem, match="Version 3 is damaged"):
        books.restore(folder, 3)
    assert books.restore(folder, 2).name == "000002"


def test_an_import_onto_a_damaged_version_says_so_and_changes_nothing(folder):
    path = folder / "000003/opportunities/0000.parquet"
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(Problem, match=r"Version 000003 of the book .* is damaged"):
        write_book(folder, told(5, "a", "b"), NOW)

    assert [path.name for path in sorted(folder.iterdir())] == ["000001", "000002", "000003", "CURRENT"]
    assert write_book(folder, told(5, "a", "b"), NOW, anew=True).name == "000004"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": "x"}'])
def test_a_damaged_manifest_is_told(folder, content):
    (folder / "000003/manifest.json").write_text(content)

    with pytest.raises(Problem, match="is damaged"):
        open_book(folder)
    assert books.listed(folder)["problem"].null_count() == 2


def test_a_manifest_that_is_not_what_was_sealed_is_told_at_opening(folder):
    path = folder / "000003/manifest.json"
    text = path.read_text()
    path.write_text(text.replace('"Tiny"', '"Tinz"'))

    with pytest.raises(Problem, match=r"manifest\.json is not what was written\.\n.*--restore"):
        open_book(folder)
    with pytest.raises(Problem, match="is not what was written"):
        write_book(folder, told(5, "a", "b"), NOW)
    path.write_text(text)
    assert open_book(folder).settings.name == "Tiny"


def test_a_version_exchanged_while_it_is_opened_is_read_again(folder, monkeypatch):
    other = folder / "000002/manifest.json"
    seals = iter(["the old one's", hashlib.sha256(other.read_bytes()).hexdigest()])
    monkeypatch.setattr(draft, "seal_of", lambda version: next(seals))

    assert read_manifest(other.parent)["version"] == 2


def test_a_book_of_a_newer_cadran_asks_for_one(folder):
    path = folder / "000003/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))

    with pytest.raises(Problem, match="Install a newer Cadran"):
        open_book(folder)
    with pytest.raises(Problem, match="Install a newer Cadran"):
        write_book(folder, told(5, "a", "b"), NOW)


def test_a_clock_that_goes_backwards_is_refused(folder):
    with pytest.raises(Problem, match="before that of the book"):
        write_book(folder, told(3, "a", "b"), NOW)


def test_another_company_is_refused(folder):
    other = told(5, "a", "b")
    other.settings = Settings("Tiny", at(5), currency="USD")

    with pytest.raises(Problem, match="currency = EUR, this import USD"):
        write_book(folder, other, NOW)


def test_much_that_is_gone_at_once_is_refused_unless_accepted(tmp_path):
    deals = [f"d{i}" for i in range(40)]
    write_book(tmp_path, told(2, *deals), NOW)

    with pytest.raises(Problem, match=r"20 of 40 versions[\s\S]*accept-vanished"):
        write_book(tmp_path, told(3, *deals[:20]), NOW)
    write_book(tmp_path, told(3, *deals[:20]), NOW, accept_vanished=True)

    versions = pl.read_parquet(tmp_path / "000002/versions")
    assert versions.filter(pl.col("end_reason") == "vanished", pl.col("valid_to") == at(3)).height == 20
    assert read_manifest(tmp_path / "000002")["import"]["versions"]["n_ended"] == 20


def test_a_source_learns_where_the_last_import_stopped_and_what_the_book_holds(tmp_path):
    assert since(tmp_path / "none") is None
    write_book(tmp_path, told(2, "a", watermarks={"deals": "7"}), NOW)
    write_book(tmp_path, told(3, "a", "b", watermarks={"users": "1"}), NOW)

    known = since(tmp_path)
    assert known.watermarks == {"deals": "7", "users": "1"}
    assert known.n_buckets["deals"] == 1
    assert sorted(known.keys("opportunities")) == ["a", "b"]


def test_anew_begins_from_the_import_alone(folder):
    write_book(folder, told(2, "c"), NOW + timedelta(days=1), anew=True)

    book = open_book(folder)
    assert book.version.name == "000004"
    assert pl.read_parquet(book.version / "opportunities")["opportunity_id"].to_list() == ["c"]
    assert book.manifest["first_taken"] == at(2).isoformat()
