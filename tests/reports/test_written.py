"""Files of a report are written whole, all or none."""

import pytest

from cadran.reports.written import check_places, write
from cadran.tables.problems import Problem


def fails(what):
    raise Problem("A part failed.", "")


def full(what):
    raise OSError(28, "No space left on device")


MAKERS = {".html": lambda what: b"new", ".pdf": fails, ".xlsx": full}


def told(what, share):
    pass


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_files_take_the_place_of_the_old(tmp_path):
    file = tmp_path / "a.html"
    file.write_bytes(b"old")

    write([file], MAKERS, None, told)

    assert file.read_bytes() == b"new"
    assert names(tmp_path) == ["a.html"]


@pytest.mark.parametrize("ending", ["pdf", "xlsx"])
def test_what_was_there_stays_when_a_later_file_fails(ending, tmp_path):
    first, second = tmp_path / "a.html", tmp_path / f"a.{ending}"
    first.write_bytes(b"old")

    with pytest.raises(Problem):
        write([first, second], MAKERS, None, told)

    assert first.read_bytes() == b"old"
    assert names(tmp_path) == ["a.html"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.html").write_bytes(b"old")
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")

    write([tmp_path / "link.html"], MAKERS, None, told)

    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_bytes() == b"new"


def test_places_are_checked_before(tmp_path):
    (tmp_path / "folder.html").mkdir()
    wrong = {
        "a.doc": "ends in nothing",
        "a": "ends in nothing",
        "folder.html": "is a folder",
        "missing/a.html": "no folder",
    }

    for name, said in wrong.items():
        with pytest.raises(Problem, match=said):
            check_places([tmp_path / name], MAKERS)
    with pytest.raises(Problem, match="one name"):
        check_places([tmp_path / "a.html", tmp_path / "." / "a.html"], MAKERS)
    check_places([tmp_path / "a.html", tmp_path / "A.PDF"], MAKERS)
