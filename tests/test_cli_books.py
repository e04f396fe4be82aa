"""The commands that look after a book's versions."""

import json

import days
import pytest
from typer.testing import CliRunner

from cadran.book import write_book
from cadran.cli import app
from cadran.tables.problems import Problem

RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two invented companies, one after the other in one folder."""
    folder = tmp_path_factory.mktemp("book")
    for deals in (40, 150):
        write_book(folder, days.told(*days.company(deals), days.LAST), days.end_of(days.LAST), anew=True)
    return folder


def asked(folder, *words):
    return RUN.invoke(app, [*words, "--book", str(folder)], catch_exceptions=False)


def test_lists_and_restores(folder):
    rows = json.loads(asked(folder, "books", "--format", "json").output)
    assert [(row["version"], row["n_deals"], row["is_current"]) for row in rows] == [(1, 40, False), (2, 150, True)]

    rows = json.loads(asked(folder, "books", "--restore", "1", "--format", "json").output)
    assert [row["is_current"] for row in rows] == [True, False]
    asked(folder, "books", "--restore", "2")


def test_compares_tables_and_volumes(folder):
    said = asked(folder, "books", "--compare", "1", "2").output

    assert "opportunities" in said
    assert "amount_won" in said


def test_verifies(folder):
    assert "files are what was written" in asked(folder, "status", "--verify", "--all").output


def test_one_thing_at_a_time(folder):
    with pytest.raises(Problem, match="Ask for one of them"):
        asked(folder, "books", "--restore", "1", "--prune", "2")
