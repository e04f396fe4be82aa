"""Which code makes a thing: so that nothing kept is read that other code would have made otherwise."""

import ast
import hashlib
from functools import cache
from pathlib import Path

_LIB = Path(__file__).parents[2]
#: What is told of a book hangs on these: the tables' rules are applied at import.
_STAGES = ("cadran.book", "cadran.measures", "cadran.models")


@cache
def made_by(*modules: str) -> str:
    """A digest of some modules and of those of the book, the measures and the models that they import."""
    told, found, asked = hashlib.sha256(), dict[Path, list[str]](), list(modules)
    while asked:
        path = _path(asked.pop())
        if path is not None and path not in found:
            found[path] = _imported(path)
            asked += found[path]
    for path in sorted(found):
        told.update(path.read_bytes())
    return told.hexdigest()


def _path(module: str) -> Path | None:
    place = _LIB.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()), None)


def _imported(path: Path) -> list[str]:
    """The modules of these stages that one imports, wherever in the file."""
    nodes = ast.walk(ast.parse(path.read_bytes()))
    named = [node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_STAGES)]
    return [name for node in named for name in (node.module or "", *(f"{node.module}.{a.name}" for a in node.names))]
