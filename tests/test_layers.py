"""Which stage may import which: the flow of the house, which a folder listing does not show."""

import ast
from functools import cache
from pathlib import Path

LIB = Path(__file__).parent.parent / "lib" / "cadran"
ALLOWED = {
    "tables": {"tables"},
    "text": {"text"},
    "sources": {"sources", "tables"},
    "book": {"book", "tables"},
    "measures": {"measures", "book", "tables"},
    "models": {"models", "measures", "book", "tables"},
    "figures": {"figures", "tables", "text"},
    "access": {"access", "book", "tables"},
    "publish": {"publish", "access", "figures", "models", "measures", "book", "sources", "tables", "text"},
    "reports": {"reports", "publish", "access", "figures", "models", "measures", "book", "tables", "text"},
}
CLOCKS = {"today", "now", "utcnow"}


@cache
def modules() -> dict[str, tuple[set[str], set[str]]]:
    """The stages of Cadran that each module of a stage imports, wherever in the file, and the methods it calls."""
    return {path.relative_to(LIB).as_posix(): read(path) for path in sorted(LIB.glob("*/**/*.py"))}


def read(path: Path) -> tuple[set[str], set[str]]:
    names, called = set(), set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cadran":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").removeprefix("cadran.") if (node.module or "").startswith("cadran.") else "")
        elif isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("cadran.") for alias in node.names if alias.name.startswith("cadran.")}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called.add(node.func.attr)
    return {name.split(".")[0] for name in names if name}, called


def test_each_imports_only_what_comes_before():
    wrong = {path: imported - ALLOWED[path.split("/")[0]] for path, (imported, _) in modules().items()}

    assert len(wrong) > 300
    assert {path: stages for path, stages in wrong.items() if stages} == {}


def test_every_stage_has_its_line():
    assert {folder.name for folder in LIB.iterdir() if folder.is_dir() and folder.name[0] not in "_."} == set(ALLOWED)


def test_time_is_an_argument():
    asks = {path: called & CLOCKS for path, (_, called) in modules().items()}

    assert {path: clocks for path, clocks in asks.items() if clocks} == {}
