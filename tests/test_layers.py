"""Which stage may import which: the flow of the house, which a folder listing does not show."""

import ast
from pathlib import Path

import pytest

LIB = Path(__file__).parent.parent / "lib" / "cadran"
ALLOWED = {
    "tables": {"tables"},
    "text": {"text"},
    "sources": {"sources", "tables"},
    "book": {"book", "tables"},
    "measures": {"measures", "book", "tables"},
    "models": {"models", "measures", "book", "tables"},
    "figures": {"figures", "tables", "text"},
    "publish": {"publish", "figures", "models", "measures", "book", "sources", "tables", "text"},
}
CLOCKS = {"today", "now", "utcnow"}


def imported(path: Path) -> set[str]:
    """The stages of Cadran that one module imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cadran":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").removeprefix("cadran.") if (node.module or "").startswith("cadran.") else "")
        elif isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("cadran.") for alias in node.names if alias.name.startswith("cadran.")}
    return {name.split(".")[0] for name in names if name}


@pytest.mark.parametrize("path", sorted(LIB.glob("*/**/*.py")), ids=lambda path: str(path.relative_to(LIB)))
def test_imports_only_what_comes_before(path):
    stage = path.relative_to(LIB).parts[0]

    assert imported(path) <= ALLOWED[stage]


def test_every_stage_has_its_line():
    assert {folder.name for folder in LIB.iterdir() if folder.is_dir() and folder.name[0] not in "_."} == set(ALLOWED)


@pytest.mark.parametrize("path", sorted(LIB.glob("*/**/*.py")), ids=lambda path: str(path.relative_to(LIB)))
def test_time_is_an_argument(path):
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }

    assert not called & CLOCKS
