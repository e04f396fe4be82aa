"""A book written by an earlier Cadran: refused with the way on, and kept while one goes it."""

import json
import tarfile
from datetime import UTC, datetime

import crash
import days
import pytest

from cadran.access.accounts import Accounts
from cadran.book import open_book, write_book
from cadran.book.draft import seal
from cadran.book.reader import Reader
from cadran.book.store import SCHEMA_VERSION

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def old(tmp_path):
    """A book of the shape before, of which somebody may read the pages."""
    tables, settings = days.company(40)
    version = write_book(tmp_path / "book", days.told(tables, settings, days.LAST), days.end_of(days.LAST))
    manifest = json.loads((version / "manifest.json").read_text("utf-8"))
    seal(version, manifest | {"schema_version": SCHEMA_VERSION - 1})
    Accounts(tmp_path / "book").add(Reader("ana", "analyst"), "violet marble tractor seven", NOW)
    return tmp_path / "book"


def anew(folder):
    """What `cadran import … --anew` does."""
    tables, settings = days.company(40)
    write_book(folder, days.told(tables, settings, days.LAST), NOW, anew=True)


@pytest.mark.parametrize(
    "command", [["status"], ["serve"], ["user", "list"], ["forget", "R001"], ["purge", "--older-than", "5y"],
                ["export-person", "R001"]],
    ids=lambda command: command[0],
)  # fmt: skip
def test_every_command_says_how_to_go_on(old, run, command):
    status, _, err = run(*command, "--book", old)

    assert (status, "Traceback" in err) == (1, False)
    assert f"shape {SCHEMA_VERSION - 1}" in err
    assert "Import again from the source with --anew" in err


def test_a_copy_of_it_is_made_first_and_needs_no_cadran_to_be_unpacked(old, run, tmp_path):
    assert run("backup", "--book", old, "--out", tmp_path / "before.tar")[0] == 0

    with tarfile.open(tmp_path / "before.tar") as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert crash.broken(tmp_path / "unpacked") == []
    status, _, err = run("restore", tmp_path / "before.tar", "--book", tmp_path / "new")
    assert (status, f"shape {SCHEMA_VERSION - 1}" in err) == (1, True)
    assert not list((tmp_path / "new").iterdir())


def test_begun_again_it_opens_accounts_stay_and_the_old_version_stands_beside(old, run):
    anew(old)

    assert open_book(old).version.name == "000002"
    assert [account.reader.id for account in Accounts(old).all()] == ["ana"]
    assert run("backup", "--book", old, "--out", old.parent / "b.tar")[0] == 0
    opened = open_book(old)
    who = opened.collect(opened.deals(["rep_id"]))["rep_id"].drop_nulls()[0]
    for command in (["forget", who], ["purge", "--older-than", "1y", "--yes"], ["export-person", who]):
        status, _, err = run(*command, "--book", old)
        assert (status, "Traceback" in err) == (1, False)
        assert "`cadran books --prune 1`" in err
    assert run("books", "--prune", "1", "--book", old)[0] == 0
    assert run("forget", who, "--book", old)[0] == 0
