import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cadran.book.lines import added, lines, rewritten
from cadran.tables.problems import Problem


def test_rows_are_added_and_read_in_order(tmp_path):
    path = tmp_path / "pulse" / "noted.jsonl"

    assert lines(path) == []
    added(path, lambda there: [{"n": 1}, {"n": 2}])
    added(path, lambda there: [{"n": len(there) + 1}])
    added(path, lambda there: [])

    assert [row["n"] for row in lines(path)] == [1, 2, 3]


@pytest.mark.parametrize("cut", range(1, 25, 4))
def test_what_a_crash_cut_short_is_gone_and_the_rest_stays(tmp_path, cut):
    path = tmp_path / "noted.jsonl"
    added(path, lambda _: [{"n": 1}])
    whole = path.read_bytes()
    added(path, lambda _: [{"n": 2, "text": "é"}])
    path.write_bytes(path.read_bytes()[:-cut][: max(len(whole), path.stat().st_size - cut)])

    assert lines(path) == [{"n": 1}]
    added(path, lambda _: [{"n": 3}])
    assert lines(path) == [{"n": 1}, {"n": 3}]


def test_killed_at_any_moment_what_was_acknowledged_is_there_once(tmp_path):
    path = tmp_path / "noted.jsonl"
    code = (
        "import sys; from pathlib import Path; from cadran.book.lines import added\n"
        "for n in range(10**6):\n"
        "    added(Path(sys.argv[1]), lambda there: [{'n': len(there)}, {'n': len(there) + 1}])\n"
        "    print(2 * n + 2, flush=True)\n"
    )
    for wait in (3, 8):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
        before = len(lines(path))
        for _ in range(wait):
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        acknowledged = before + int(rest[-1] if rest else told)
        numbers = [row["n"] for row in lines(path)]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) in (acknowledged, acknowledged + 2)


def test_a_damaged_line_is_told_with_its_file(tmp_path):
    path = tmp_path / "noted.jsonl"
    path.write_text('[{"n": 1}]\nnonsense\n')

    with pytest.raises(Problem, match=r"noted\.jsonl cannot be read"):
        lines(path)


def test_a_person_is_taken_out_of_every_line(tmp_path):
    path = tmp_path / "noted.jsonl"
    assert rewritten(path, lambda row: row) == 0
    added(path, lambda _: [{"person": "r1"}, {"person": "r2"}])

    n = rewritten(path, lambda row: {"person": "x"} if row["person"] == "r1" else row)

    assert (n, lines(path)) == (1, [{"person": "x"}, {"person": "r2"}])
    assert "r1" not in path.read_text()
    assert json.loads(Path(path).read_text().splitlines()[0]) == [{"person": "x"}]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)

    with pytest.raises(Problem, match="cannot be written"):
        added(tmp_path / "pulse" / "noted.jsonl", lambda _: [{"n": 1}])
