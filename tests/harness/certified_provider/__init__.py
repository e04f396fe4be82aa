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
#: Why it cannot be started here, if it cannot.
MISSING = (
    "" if shutil.which("node") and (_HERE / "node_modules").exists() else "no Node.js, or `make provider` was not run"
)


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
