"""A certified OpenID Connect provider, in a process of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
CLIENT, SECRET = "cadran", "a secret of tests"
#: The oldest Node.js that it runs on.
OLDEST = 20


def _missing() -> str:
    if not shutil.which("node") or not (_HERE / "node_modules").exists():
        return "no Node.js, or `make provider` was not run"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return "" if int(told.lstrip("v").split(".")[0]) >= OLDEST else f"Node.js {told} is older than {OLDEST}"


#: Why it cannot be started here, if it cannot.
MISSING = _missing()


@contextmanager
def certified(site: str, people: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The address of a provider that sends people back to a site, and tells it so much of each."""
    command = ["node", str(_HERE / "provider.mjs"), site, json.dumps(people)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        address = server.stdout.readline().strip()
        try:
            assert address, server.stderr.read()
            yield address
        finally:
            server.terminate()
            _, said = server.communicate(timeout=20)
    assert "Error" not in said, said
