"""Imports that end badly: the old book stands or the new, never half of one, and the next import needs no cleaning."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import crash
import days
import ends
import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.cli import main
from cadran.measures import MEASURES, Question
from cadran.tables.problems import Problem


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A small book, and the import that follows."""
    return ends.case(tmp_path_factory.mktemp("ends"))


@pytest.fixture
def book(case, tmp_path):
    """A copy of that book."""
    return crash.copied(case.book, tmp_path / "book")


def test_an_import_killed_leaves_the_old_book_or_the_new(case, book, tmp_path):
    whole = crash.copied(case.book, tmp_path / "whole")
    crash.steps().watch(whole)
    status, _ = case.imports_here(whole)
    n = crash.steps().n
    crash.steps().watch("")

    assert status == 0
    assert n > 20
    ends_as = []
    for nth in (n // 2, n - 1):
        here = crash.copied(case.book, tmp_path / f"killed {nth}")
        status, _ = case.imports(here, nth=nth, watched=here)
        assert status < 0
        ends_as.append(case.found(here))
        assert case.heals(here) == "new"
        assert case.left_over(here) == []
    assert ends_as[0] == "old"
    assert set(ends_as) <= {"old", "new"}


def test_a_full_disk_is_told_and_leaves_the_old_book(case, book):
    with crash.files_of_at_most(3000):
        status, said = case.imports_here(book)

    assert status == 1
    assert "cannot be written" in said
    assert "Traceback" not in said
    assert case.found(book) == "old"
    assert case.left_over(book) == []
    assert case.heals(book) == "new"


@pytest.fixture
def room(request, tmp_path):
    """A file system of the size asked for, and no larger."""
    if os.geteuid():
        pytest.skip("only root may mount a small file system")
    room = tmp_path / "room"
    room.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", room], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    yield room
    subprocess.run(["umount", room], check=True)


@pytest.mark.parametrize("room", ["8m"], indirect=True)
def test_a_folder_without_room_is_told_and_leaves_the_old_book(case, room):
    crash.copied(case.book, room / "book")
    free = os.statvfs(room)
    (room / "other things").write_bytes(b"-" * (free.f_bavail * free.f_frsize - 24_576))
    status, said = case.imports_here(room / "book")
    assert (status, "No space left on device" in said, "Traceback" in said) == (1, True, False)
    assert case.found(room / "book") == "old"
    assert case.left_over(room / "book") == []


def test_a_folder_that_may_not_be_written_is_told(case, book):
    for path in [book, *book.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    status, said = case.imports(book, before=crash.without_the_right_to_ignore_permissions)

    assert status == 1
    assert "cannot be written: Permission denied" in said
    assert "Traceback" not in said
    assert case.found(book) == "old"
    for path in [book, *book.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert case.heals(book) == "new"


def test_of_two_imports_at_once_one_may_be_refused_and_none_is_mixed(case, book):
    with ThreadPoolExecutor(2) as both:
        results = list(both.map(lambda _: case.imports(book), range(2)))

    assert min(status for status, _ in results) == 0
    for status, said in results:
        assert "Traceback" not in said
        assert status == 0 or "Another import is writing the book" in said
    assert case.found(book) == "new"
    assert case.left_over(book) == []


@pytest.fixture(scope="module")
def company():
    return days.company(40)


def test_data_taken_before_the_last_import_is_refused(company, tmp_path):
    tables, settings = company
    today, yesterday = days.LAST, days.LAST - timedelta(days=1)
    write_book(tmp_path, days.told(tables, settings, today), days.end_of(today))
    before = crash.contents(tmp_path)

    with pytest.raises(Problem, match="--anew"):
        write_book(tmp_path, days.told(tables, settings, yesterday), days.end_of(today))
    assert crash.same(crash.contents(tmp_path), before)


def test_a_clock_that_goes_backwards_between_two_imports_harms_nothing(company, tmp_path):
    tables, settings = company
    today, yesterday = days.LAST, days.LAST - timedelta(days=1)
    write_book(tmp_path / "one", days.told(tables, settings, yesterday), days.end_of(today))
    write_book(tmp_path / "one", days.told(tables, settings, today), days.end_of(yesterday) - timedelta(days=900))
    write_book(tmp_path / "other", days.told(tables, settings, yesterday), days.end_of(yesterday))
    write_book(tmp_path / "other", days.told(tables, settings, today), days.end_of(today))

    assert open_book(tmp_path / "one").version.name == "000002"
    assert crash.same(crash.contents(tmp_path / "one"), crash.contents(tmp_path / "other"))


def test_a_book_written_by_a_newer_cadran_is_told_and_not_touched(case, book):
    manifest = book / "000001" / "manifest.json"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('"schema_version": ', '"schema_version": 9'), "utf-8")
    newer = {path: path.read_bytes() for path in book.rglob("*") if path.is_file()}

    with pytest.raises(Problem, match="Install a newer Cadran"):
        open_book(book)
    status, said = case.imports_here(book)
    assert (status, "Traceback" in said, "was written in shape 9" in said) == (1, False, True)
    assert {path: path.read_bytes() for path in book.rglob("*") if path.is_file()} == newer


def test_a_flipped_byte_is_found_and_never_a_traceback(case, book, capsys, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "en")
    files = sorted(path for path in book.rglob("*") if path.suffix in (".parquet", ".json"))
    assert len(files) > len(case.old)
    rng = pl.Series(range(7919, 7919 + len(files)))
    for file, chance in zip(files, rng, strict=True):
        whole = file.read_bytes()
        damaged = bytearray(whole)
        damaged[(chance * 104729) % len(whole)] ^= 1 << (chance % 8)
        file.write_bytes(damaged)
        monkeypatch.setattr("sys.argv", ["cadran", "status", "--verify", "--book", str(book)])
        with pytest.raises(SystemExit):
            main()
        said = capsys.readouterr()
        assert file.name in said.out + said.err
        assert file.parent.name in said.out + said.err
        with suppress(Problem):
            opened = open_book(book)
            for name in ("volumes", "lead_volumes", "win_rate"):
                MEASURES[name].ask(opened, Question())
        file.write_bytes(whole)
    assert json.loads((book / "000001" / "manifest.json").read_text("utf-8"))["version"] == 1


@pytest.mark.parametrize("room", ["16k"], indirect=True)
def test_no_room_for_temporary_files_is_told_and_leaves_the_old_book(case, book, room, tmp_path, monkeypatch):
    # A file in another encoding is written anew before it is read.
    source = crash.copied(case.mapping.parent, tmp_path / "source")
    (source / "users.csv").write_bytes((source / "users.csv").read_text("utf-8").encode("utf-16"))
    (room / "other things").write_bytes(b"-" * 12_288)
    monkeypatch.setattr("tempfile.tempdir", str(room))
    status, said = crash.run_here("import", source / case.mapping.name, "--book", book)
    assert (status, f"no room left for temporary files in {room}" in said, "Traceback" in said) == (1, True, False)
    assert case.found(book) == "old"
