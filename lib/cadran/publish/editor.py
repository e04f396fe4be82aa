"""`cadran new` and `cadran edit`: an analyst's own notebooks, in a folder of their own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cadran.book import open_book
from cadran.publish.apps import NOTEBOOKS
from cadran.tables.problems import Problem


def new_notebook(name: str, folder: Path, template: str = "opportunities") -> Path:
    """Copy a notebook that ships into the analyst's folder, to be changed at will.

    Args:
        name: What the copy is called; `.py` is added.
        folder: Where it goes. Made if it is not there.
        template: Name of the notebook to copy.

    Raises:
        Problem: If the name is no file name, the notebook exists already, or there is no such template.
    """
    target = _own(folder) / f"{_named(name)}.py"
    source = NOTEBOOKS / f"{_named(template)}.py"
    if not source.exists():
        raise Problem(
            "There is no notebook {name} to start from.", "These ship with Cadran: {names}.",
            name=template, names=", ".join(sorted(path.stem for path in NOTEBOOKS.glob("[a-z]*.py"))),
        )  # fmt: skip
    if target.exists():
        raise Problem("{path} exists already.", "Choose another name, or remove it first.", path=target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def edit(folder: Path, book: Path, name: str | None = None, port: int = 2719) -> None:
    """Open marimo's editor on the analyst's folder until it is closed; on this machine, behind marimo's token.

    Args:
        folder: The analyst's folder.
        book: The book its notebooks open.
        name: One notebook of the folder; the whole folder by default.
        port: Where the editor listens; 0 takes any free port.

    Raises:
        Problem: If the folder or the notebook is not there, holds what is installed, or the editor fails.
    """
    target = _own(folder) if name is None else _own(folder) / f"{_named(name)}.py"
    if not target.exists():
        raise Problem(
            "{path} is not there.", "Make a notebook first: `cadran new NAME --folder {folder}`.",
            path=target, folder=folder,
        )  # fmt: skip
    open_book(book)
    command = [
        sys.executable, "-m", "marimo", "edit", str(target), "--host", "127.0.0.1", "--token", "--skip-update-check",
        *([] if port == 0 else ["--port", str(port)]),
    ]  # fmt: skip
    ended = subprocess.run(command, env=os.environ | {"CADRAN_BOOK": str(book.resolve())}, check=False)
    if ended.returncode not in (0, 130, -2):
        raise Problem("The editor ended with status {status}.", "What it said is above.", status=ended.returncode)


def _own(folder: Path) -> Path:
    """The folder, if it is the analyst's and not where Cadran itself is kept."""
    kept = folder.resolve()
    for installed in (NOTEBOOKS.resolve(), Path(__file__).parent.parent.resolve()):
        if kept == installed or installed in kept.parents:
            raise Problem(
                "{folder} holds what is installed, which the next version replaces.",
                "Name a folder of your own with --folder.", folder=folder,
            )  # fmt: skip
    return folder


def _named(name: str) -> str:
    stem = name.removesuffix(".py")
    if not re.fullmatch(r"[A-Za-z]\w*", stem):
        raise Problem(
            "{name} cannot name a notebook.", "Use letters, digits and underscores, a letter first.", name=name
        )
    return stem
