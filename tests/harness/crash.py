"""Imports that come to a bad end: killed, out of room, in a folder that may not be written."""

import ctypes
import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from cadran.book import open_book
from cadran.cli import main
from cadran.tables import STORED, groups

#: The command, killed by itself at its nth operation on a path in a folder.
_CHILD = """
import os, signal, sys
nth, folder = int(sys.argv.pop(1)), sys.argv.pop(1)
count = 0
def watch(event, values):
    global count
    if values and isinstance(values[0], (str, bytes, os.PathLike)) and os.fsdecode(values[0]).startswith(folder):
        count += 1
        if count == nth:
            os.kill(os.getpid(), signal.SIGKILL)
if folder:
    sys.addaudithook(watch)
os.fsync = lambda handle: None  # nobody pulls the plug
import cadran.tables.groups as groups
if rows := os.environ.get("BUCKET_ROWS"):
    groups.MOST_ROWS = groups.BUCKET_ROWS = int(rows)
from cadran.cli import main
main()
"""

_DROP_A_RIGHT, _TO_IGNORE_PERMISSIONS = 24, 1


def cadran(
    *arguments: object,
    nth: int = 0,
    watched: Path | None = None,
    before: Callable[[], None] | None = None,
    bucket_rows: int | None = None,
) -> subprocess.Popen:
    """Start the command in a process of its own.

    Args:
        arguments: Those of the command.
        nth: Have it killed at its nth operation on a path in `watched`; 0 is never.
        watched: The folder.
        before: What the process does before it starts.
        bucket_rows: Rows of a group beyond which it is cut into buckets of so many; as usual if not given.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(nth), str(watched or ""), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before,
        env=os.environ | {"CADRAN_LANG": "en", "PYTHONWARNINGS": "error", "BUCKET_ROWS": str(bucket_rows or "")},
    )  # fmt: skip


def run(*arguments: object, **how: object) -> tuple[int, str]:
    """Run the command to its end. Returns its exit status and what it said."""
    with cadran(*arguments, **how) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def run_here(*arguments: object, bucket_rows: int | None = None) -> tuple[int, str]:
    """As `run`, in this process: for what is to come to its end in peace."""
    said, status = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
        patch.setenv("CADRAN_LANG", "en")
        patch.setattr("sys.argv", ["cadran", *map(str, arguments)])
        for name in ("MOST_ROWS", "BUCKET_ROWS") if bucket_rows else ():
            patch.setattr(groups, name, bucket_rows)
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    return status, said.getvalue()


def wait_for_change(book: Path, process: subprocess.Popen) -> None:
    """Wait until a process has changed what stands in a folder, or has ended."""
    before = listing(book)
    while process.poll() is None and listing(book) == before:
        time.sleep(0.001)


def listing(book: Path) -> set[str]:
    """The names in a folder."""
    return set(os.listdir(book))


def copied(book: Path, to: Path) -> Path:
    """A copy of a book that shares no file with it; files that its versions share are shared by those of the copy."""
    shutil.rmtree(to, ignore_errors=True)
    made: dict[int, str] = {}

    def copy(file: str, new: str) -> str:
        number = os.stat(file).st_ino
        if number in made:
            os.link(made[number], new)
            return new
        made[number] = new
        return str(shutil.copy2(file, new))

    return Path(shutil.copytree(book, to, copy_function=copy))


def contents(book: Path) -> dict[str, pl.DataFrame]:
    """All rows of a book's tables."""
    opened = open_book(book)
    return {name: opened.collect(opened._stored(name)).sort(pl.all()) for name in STORED}


def broken(book: Path) -> list[str]:
    """Files of the current version that are not those its manifest names, checked without Cadran."""
    version = book / (book / "CURRENT").read_text("utf-8").strip()
    text = (version / "manifest.json").read_bytes()
    sums = json.loads(text)["sha256"] | {"manifest.json": (version / "manifest.sha256").read_text("utf-8").split()[0]}
    there = {file.relative_to(version).as_posix() for file in version.rglob("*") if file.is_file()}
    wrong = {
        name
        for name in sums
        if name in there and hashlib.sha256((version / name).read_bytes()).hexdigest() != sums[name]
    }
    return sorted(wrong | (there ^ (sums.keys() | {"manifest.sha256"})))


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> bool:
    """Whether two books hold the same rows."""
    return all(one[name].equals(other[name]) for name in STORED)


# ---- ends of this process, or of one that starts ----


class Struck(BaseException):
    """What stands for the end of the process: nothing catches it."""


class Steps:
    """Counts the operations of this process on paths in a folder, and strikes at the nth. There need be only one."""

    def __init__(self) -> None:
        self.folder, self.nth, self.n = "", 0, 0
        sys.addaudithook(self._see)

    def _see(self, event: str, values: tuple[object, ...]) -> None:
        if self.folder and values and isinstance(values[0], str | Path) and str(values[0]).startswith(self.folder):
            self.n += 1
            if self.n == self.nth:
                self.folder = ""
                raise Struck

    def watch(self, folder: Path | str, nth: int = 0) -> None:
        """Count from here on in a folder, or in none if its name is empty; 0 strikes never."""
        self.folder, self.nth, self.n = str(folder), nth, 0


@cache
def steps() -> Steps:
    """The one counter of this process: what watches it can never be taken away."""
    return Steps()


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """No file may grow beyond this, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def without_the_right_to_ignore_permissions() -> None:
    """Have even root held to the permissions of files."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(_DROP_A_RIGHT, _TO_IGNORE_PERMISSIONS, 0, 0, 0):
        raise OSError("This right could not be dropped.")
