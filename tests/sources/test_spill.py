"""The temporary folder of an import: its own while it runs, and gone afterwards, whatever ended it."""

import signal
import subprocess
import sys
import tempfile

import pytest

from cadran.sources.spill import workspace

IMPORT = """
from time import sleep
from cadran.sources.spill import workspace
with workspace() as place:
    (place / "copies").mkdir()
    (place / "copies" / "deals").write_text("rows")
    print(place, flush=True)
    sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files, of this test alone."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_what_a_killed_import_left_is_removed_and_what_a_running_one_uses_stays(temporary):
    other = temporary / "cadran-of-another-program"
    other.mkdir()
    with subprocess.Popen([sys.executable, "-c", IMPORT], stdout=subprocess.PIPE, text=True) as running:
        place = running.stdout.readline().strip()
        with workspace() as own:
            assert sorted(map(str, temporary.iterdir())) == sorted([str(other), place, str(own)])
        running.send_signal(signal.SIGKILL)
    assert sorted(map(str, temporary.iterdir())) == sorted([str(other), place])

    with workspace() as own:
        assert sorted(temporary.iterdir()) == sorted([other, own])
    assert list(temporary.iterdir()) == [other]
