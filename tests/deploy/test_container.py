"""The steps of the Containerfile, walked without a container: its files, its wheel, its user's view, its command, its check.

What builds containers needs rights that a test does not have; docs/deploying.md says what was built by hand.
"""

import json
import os
import re
import shlex
import shutil
import site
import socket
import subprocess
import sys
import venv
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from served import ended

from cadran.access.accounts import Accounts
from cadran.book.reader import Reader

ROOT = Path(__file__).parent.parent.parent
STEPS = [
    (word, rest)
    for word, rest in re.findall(
        r"(?m)^([A-Z]+) +(.*)$", re.sub(r"\\\n", "", (ROOT / "deploy" / "Containerfile").read_text("utf-8"))
    )
]


def of(word):
    return [rest for each, rest in STEPS if each == word]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Cadran installed as the Containerfile says, out of what it copies, outside the checkout: the folder of its programs.

    Its dependencies are those of the tests: they are not fetched again.
    """
    folder = tmp_path_factory.mktemp("container")
    source, place = folder / "source", folder / "cadran"
    source.mkdir()
    for step in of("COPY"):
        *names, to = step.split()
        for name in names if not step.startswith("--from") else ():
            if (ROOT / name).is_dir():
                left_out = shutil.ignore_patterns("__pycache__", "__marimo__", "models", "calls", "*.sqlite")
                shutil.copytree(ROOT / name, source / to, ignore=left_out)
            else:
                shutil.copy(ROOT / name, source / to)
    venv.create(place, with_pip=False)
    (purelib,) = place.glob("lib/python*/site-packages")
    (purelib / "dependencies.pth").write_text(site.getsitepackages()[0])
    (install,) = [each for each in of("RUN") if "pip install" in each]
    asked = shlex.split(install.replace("/opt/cadran/bin/pip", ""))
    assert asked[0] == "install"
    how = ["--no-deps", "--no-build-isolation", "--quiet", "--no-index"]
    command = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), *asked, *how]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, env=without_ours())
    assert done.returncode == 0, done.stderr
    return place / "bin"


def without_ours():
    """What a process is told, without where this checkout is."""
    left_out = ("PYTHONPATH", "CADRAN", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def test_it_is_built_of_what_is_copied_and_serves_its_own_sample(installed, tmp_path):
    where = subprocess.run(
        [installed / "python", "-c", "import cadran; print(cadran.__file__)"], capture_output=True, text=True,
        env=without_ours(), cwd=tmp_path,
    ).stdout  # fmt: skip
    assert str(installed.parent) in where
    with ended([installed / "cadran", "serve", "--port", "0"], without_ours(), tmp_path) as address:
        check(installed, address)


def check(installed, address):
    """The HEALTHCHECK, at another port."""
    (health,) = of("HEALTHCHECK")
    python, *asked = json.loads(health[health.index("[") :])
    assert python == "python"
    asked = [each.replace("http://127.0.0.1:2718", address) for each in asked]
    done = subprocess.run([installed / "python", *asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wrong = [each.replace("readyz", "nothing-here") for each in asked]
    assert subprocess.run([installed / "python", *wrong], capture_output=True).returncode != 0


def test_with_settings_of_a_container_its_own_check_passes(installed, small_company, tmp_path):
    shutil.copytree(small_company, book := tmp_path / "book")
    Accounts(book).add(Reader("ana", "analyst"), "violet marble tractor seven", datetime.now(UTC))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    said = f'host = "0.0.0.0"\nport = {port}\nsign_in = true\naddress = "https://cadran.example.com"\nproxy = ["10.89.27.0/24"]'
    (tmp_path / "cadran.toml").write_text(f"[serve]\n{said}\n")
    entry, command = (json.loads(of(word)[0]) for word in ("ENTRYPOINT", "CMD"))
    asked = [each.replace("/etc/cadran", str(tmp_path)) for each in [*entry, *command]]
    assert asked[0] == "cadran"
    with ended([installed / "cadran", *asked[1:]], without_ours() | {"CADRAN_BOOK": str(book)}, tmp_path) as address:
        assert address == "https://cadran.example.com"
        check(installed, f"http://127.0.0.1:{port}")


def test_nobody_in_particular_runs_it_and_nothing_secret_is_in_it():
    assert of("USER") == ["10001"]
    assert not re.search(r"(?i)password|secret|token|\.pem|accounts", str(STEPS))
    left_in = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]
    copied = {name.split("/")[0] for step in of("COPY") if not step.startswith("--") for name in step.split()[:-1]}
    assert {name.split("/")[0] for name in left_in} == copied


def test_the_two_containers_meet_inside():
    made = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    ours = made["services"]["cadran"]

    assert ours["read_only"]
    assert ours["cap_drop"] == ["ALL"]
    assert "ports" not in ours
    assert made["networks"]["inside"]["internal"]
    assert (ROOT / "deploy" / ours["build"]["context"] / ours["build"]["dockerfile"]).exists()
