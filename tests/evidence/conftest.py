"""Evidence: heavy runs over many seeds, resumable, one line per result in `docs/evidence/`. Run by `make evidence`."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these out of `make test`: they are only for those who ask for them."""
    return None if any("evidence" in argument for argument in config.args) else True


class Ledger:
    """The lines of one file of evidence."""

    def __init__(self, path: Path):
        self.path = path
        self.lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def find(self, **key: object) -> dict | None:
        """The line that has these values, if it was written before."""
        return next((line for line in self.lines if all(line.get(name) == value for name, value in key.items())), None)

    def add(self, **values: object) -> dict:
        """Write one more line, with the commit and the command."""
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
        line = {**values, "commit": commit.stdout.strip(), "command": "make evidence"}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.lines.append(line)
        return line


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """The evidence of a module: `docs/evidence/<module without test_>.jsonl`."""
    name = request.module.__name__.rsplit(".", 1)[-1].removeprefix("test_")
    return Ledger(ROOT / "docs" / "evidence" / f"{name}.jsonl")
