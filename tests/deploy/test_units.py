"""The units of systemd: understood by it, closed to what they do not need, and calling commands that there are."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from cadran.cli import app

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine: `apt-get install systemd`"
)


@needs_systemd
@pytest.mark.parametrize("unit", [*UNITS, *sorted(DEPLOY.glob("*.timer"))], ids=lambda path: path.name)
def test_systemd_understands_it(unit, tmp_path):
    """Beside the others, with a command that is there in place of what is to be installed."""
    for each in DEPLOY.glob("cadran*.*"):
        if each.suffix in (".service", ".timer"):
            text = each.read_text("utf-8").replace("/opt/cadran/bin/cadran", "/bin/true")
            (tmp_path / each.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)], capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_it_may_do_little_but_its_work(unit):
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True
    ).stdout
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)

    assert level, told
    assert float(level[1]) <= 1.5


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_it_calls_a_command_with_options_that_it_has(unit):
    (said,) = re.findall(r"/opt/cadran/bin/cadran ([^'\n]*)", unit.read_text("utf-8"))
    name, *given = shlex.split(said.replace("/etc/cadran", str(DEPLOY)))
    commands = get_command(app).commands  # type: ignore[attr-defined]

    with commands[name].make_context(name, given) as context:
        assert str(context.params["book"]).startswith("/var/lib/cadran/book")
