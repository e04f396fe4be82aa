"""What people note beside a book, line by line: only ever added to, and whole after a crash at any moment."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cadran.book.folder import flush, told_of
from cadran.tables.problems import Problem

Row = dict[str, Any]


def added(path: Path, noted: Callable[[list[Row]], Sequence[Row]]) -> list[Row]:
    """Add rows at once or not at all: what they are may depend on those there, which nobody adds to meanwhile.

    Args:
        path: The file; it and its folder are made where absent.
        noted: Given the rows there, the rows to add.

    Returns:
        The rows added.

    Raises:
        Problem: If the file is damaged or cannot be written, or `noted` refuses.
    """
    with told_of(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(path):
            there, end = _read(path)
            if not (rows := list(noted(there))):
                return rows
            with path.open("r+b" if path.exists() else "w+b") as file:
                # What a crash cut short was never acknowledged: it goes.
                file.truncate(end)
                file.seek(end)
                file.write(json.dumps(rows, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            flush(path.parent)
    return rows


def lines(path: Path) -> list[Row]:
    """The rows of a file, in the order in which they were added; none where there is no file.

    Raises:
        Problem: If it is damaged or cannot be read.
    """
    return _read(path)[0]


def rewritten(path: Path, changed: Callable[[Row], Row | None]) -> int:
    """Put other rows in the place of those there, at once or not at all, for who asks to be forgotten.

    Args:
        path: The file.
        changed: Given a row, what stands in its place; none, if nothing does.

    Returns:
        How many rows are others, or gone.

    Raises:
        Problem: If the file is damaged or cannot be written.
    """
    if not path.exists():
        return 0
    with told_of(path.parent), _held(path):
        there = _read(path)[0]
        kept = [(row, changed(row)) for row in there]
        draft = path.with_name(f".{path.name}")
        text = "".join(json.dumps([row], ensure_ascii=False) + "\n" for _, row in kept if row is not None)
        draft.write_text(text, "utf-8")
        flush(draft)
        os.replace(draft, path)
        flush(path.parent)
    return sum(row != other for row, other in kept)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the file for writing; others wait. The system lets go of it when a process is killed."""
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> tuple[list[Row], int]:
    """The rows, and where the last whole line ends."""
    try:
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        return [row for line in data[:end].splitlines() for row in json.loads(line)], end
    except FileNotFoundError:
        return [], 0
    except (OSError, ValueError) as error:
        raise Problem(
            "{file} cannot be read: {reason}", "Put it back from your backup.", file=path, reason=str(error)
        ) from error
