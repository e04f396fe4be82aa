"""An analyst's own notebooks."""

import subprocess

import pytest

from cadran.publish.apps import NOTEBOOKS
from cadran.publish.editor import edit, new_notebook
from cadran.tables.problems import Problem


def test_copies_a_notebook_that_can_be_changed(tmp_path):
    made = new_notebook("mine", tmp_path / "analyst")

    assert made == tmp_path / "analyst" / "mine.py"
    assert made.read_text("utf-8") == (NOTEBOOKS / "opportunities.py").read_text("utf-8")
    made.write_text("changed", "utf-8")


def test_never_writes_over_an_analysts_work(tmp_path):
    made = new_notebook("mine", tmp_path)
    made.write_text("hours of work", "utf-8")

    with pytest.raises(Problem, match="exists already"):
        new_notebook("mine.py", tmp_path)
    assert made.read_text("utf-8") == "hours of work"


@pytest.mark.parametrize("name", ["../mine", "", "a b", "9lives", "/etc/passwd", "x/y"])
def test_a_name_stays_in_the_folder(tmp_path, name):
    with pytest.raises(Problem, match="cannot name a notebook"):
        new_notebook(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unknown_template_is_told_with_those_that_ship(tmp_path):
    with pytest.raises(Problem, match="opportunities"):
        new_notebook("mine", tmp_path, template="nothing")


@pytest.mark.parametrize("folder", [NOTEBOOKS, NOTEBOOKS / "deeper"])
def test_never_opens_or_writes_what_is_installed(book, folder):
    with pytest.raises(Problem, match="installed"):
        edit(folder, book)
    with pytest.raises(Problem, match="installed"):
        new_notebook("mine", folder)


def test_says_how_to_make_what_is_not_there(tmp_path, book):
    with pytest.raises(Problem, match="cadran new"):
        edit(tmp_path, book, name="mine")


def test_opens_the_editor_on_the_analysts_folder_with_the_book(tmp_path, book, monkeypatch):
    ran = []
    monkeypatch.setattr(subprocess, "run", lambda command, **more: ran.append((command, more)) or Ended(0))

    edit(tmp_path, book, port=2750)

    command, more = ran[0]
    assert command[1:5] == ["-m", "marimo", "edit", str(tmp_path)]
    assert {"--token", "--skip-update-check", "127.0.0.1", "2750"} <= set(command)
    assert more["env"]["CADRAN_BOOK"] == str(book.resolve())


def test_an_editor_that_fails_is_told(tmp_path, book, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: Ended(3))

    with pytest.raises(Problem, match="status 3"):
        edit(tmp_path, book)


class Ended:
    def __init__(self, returncode):
        self.returncode = returncode
