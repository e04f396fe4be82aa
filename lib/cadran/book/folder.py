"""The folder a book lives in: complete versions side by side, a pointer that is switched atomically, one writer at a time."""

import ctypes
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from cadran.tables.problems import Problem

POINTER = "CURRENT"
LOCK = ".lock"
#: What a folder is called for an instant while another takes its place, where the system cannot exchange the two.
OLD = ".{}.replaced"
_EXCHANGE, _HERE = 2, -100


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a book's folder, made if absent, for writing. The system lets go of it when a process is killed.

    Raises:
        Problem: If another process is writing there, or the folder cannot be written.
    """
    with told_of(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The one before may have removed the file between our opening it and our holding it.
                is_held = os.path.samestat(os.fstat(handle), os.stat(folder / LOCK))
            except (BlockingIOError, FileNotFoundError):
                is_held = False
            if not is_held:
                raise Problem(
                    "Another import is writing the book in {folder}.", "Wait for it to end, then import again.",
                    folder=folder,
                )  # fmt: skip
            try:
                yield
            finally:
                (folder / LOCK).unlink(missing_ok=True)
        finally:
            os.close(handle)


@contextmanager
def told_of(folder: Path) -> Iterator[None]:
    """What the system refuses is told as a problem: a full disk, a read-only folder, a folder that is gone."""
    try:
        yield
    except OSError as error:
        raise Problem(
            "{folder} cannot be written: {reason}.",
            "Name a folder of yours, or have its permissions and free space looked at. The book is as it was.",
            folder=folder, reason=error.strerror or error,
        ) from error  # fmt: skip


@contextmanager
def read_from(version: Path) -> Iterator[None]:
    """What of a version cannot be read is told as a problem."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise damaged(version, error) from error


def damaged(version: Path, error: Exception) -> Problem:
    """What is said of a version whose files cannot be read."""
    return Problem(
        "Version {version} of the book in {folder} is damaged: {reason}",
        "`cadran status --verify` names the file; `cadran books --restore N` goes back to a version that is whole.",
        version=version.name, folder=version.parent, reason=" ".join(str(error).split())[:300],
    )  # fmt: skip


def is_version(path: Path) -> bool:
    """Whether a path is a complete version of a book. Drafts begin with a dot."""
    return path.name.isdigit() and path.is_dir()


def versions(folder: Path) -> list[Path]:
    """The complete versions in a book's folder, oldest first."""
    return sorted((path for path in folder.iterdir() if is_version(path)), key=lambda path: int(path.name))


def check_is_book(folder: Path) -> None:
    """Refuse to write among other things.

    Raises:
        Problem: If the folder holds something, and no book.
    """
    if not (folder / POINTER).exists() and any(p.name[0] != "." and not is_version(p) for p in folder.iterdir()):
        raise Problem(
            "{folder} is not empty and holds no book.", "Name an empty folder, or one that holds a book.", folder=folder
        )


def sweep(folder: Path) -> None:
    """Remove the drafts that interrupted imports left. Only while `alone`."""
    for path in folder.iterdir():
        if path.name[0] == "." and path.name[1:].isdigit():
            shutil.rmtree(path)


def current_version(folder: Path) -> Path:
    """The folder of the version a book's pointer names.

    Raises:
        Problem: If there is no book, or its pointer names a version that is gone.
    """
    try:
        name = (folder / POINTER).read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise Problem(
            "{folder} holds no book.", "Make one with `cadran import MAPPING --book {folder}`.", folder=folder
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(
            "The book in {folder} cannot be opened: {reason}.", "Have its permissions and the file {pointer} looked at.",
            folder=folder, reason=getattr(error, "strerror", None) or error, pointer=POINTER,
        ) from error  # fmt: skip
    version = folder / name
    if not name.isdigit() or not (version / "manifest.json").exists():
        there = [path.name for path in versions(folder)]
        raise Problem(
            "The book in {folder} points to {version}, which is gone.",
            "Make another version the current one with `cadran books --restore N` (there are: {there}), or import again.",
            folder=folder, version=name, there=", ".join(there) or "-",
        )  # fmt: skip
    return version


def switch(folder: Path, name: str) -> None:
    """Make a version the current one, at once or not at all."""
    draft = folder / f".{POINTER}"
    draft.write_text(name + "\n", "utf-8")
    flush(draft)
    os.replace(draft, folder / POINTER)
    flush(folder)


def flush(path: Path) -> None:
    """Have the disk hold what was written, before the next step relies on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def exchange(draft: Path, version: Path) -> None:
    """Put the draft in the version's place, in one step where the system can, and remove what stood there."""
    if _swapped(draft, version):
        flush(version.parent)
        shutil.rmtree(draft)
        return
    old = version.with_name(OLD.format(version.name))
    version.rename(old)
    draft.rename(version)
    flush(version.parent)
    shutil.rmtree(old)


def _swapped(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; false where the system or the disk cannot."""
    if not sys.platform.startswith("linux"):
        return False
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    return exchange is not None and exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
