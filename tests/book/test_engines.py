"""The engine a book is opened with, and what is said of a file that cannot be read."""

import shutil
from pathlib import Path

import pytest

from cadran.book import SAMPLE, engine_of, open_book
from cadran.measures import MEASURES, Question
from cadran.tables.problems import Problem


def test_an_engine_nobody_knows_is_refused():
    with pytest.raises(Problem, match="no engine abacus"):
        open_book(engine="abacus")


def test_an_engine_may_be_passed_as_it_is():
    engine = engine_of("duckdb")

    assert open_book(engine=engine).engine is engine
    assert MEASURES["volumes"].ask(open_book(engine=engine), Question())["n_won"][0] > 0


def halved(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def zeroed(file: Path) -> None:
    """A stretch of it, where the rows are."""
    data = bytearray(file.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = bytes(third)
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [halved, zeroed, Path.unlink])
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_damaged_file_is_named_with_a_way_out(tmp_path, engine, damage):
    shutil.copytree(SAMPLE, tmp_path / "book")
    book = open_book(tmp_path / "book", engine=engine)
    damage(book.version / "versions" / "0000.parquet")

    with pytest.raises(Problem, match=r"versions.*cannot be read") as told:
        MEASURES["volumes"].ask(book, Question())
    assert "cadran status --verify" in str(told.value)
