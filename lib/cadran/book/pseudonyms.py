"""Pseudonyms of who answers a survey. The key they are made with stands apart from the answers, one for each survey."""

import hmac
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from cadran.book.folder import flush, told_of
from cadran.tables.problems import Problem

#: Bytes of a key, and signs of a pseudonym (4 bits each).
_KEY_BYTES, _SIGNS = 32, 32


def key_path(folder: Path, survey: str) -> Path:
    """Where the key of a survey stands, in the folder that `cadran.book.pulse.Pulse` has."""
    return folder / "keys" / f"{survey}.key"


def new_key() -> bytes:
    """A key that nobody can guess."""
    return secrets.token_bytes(_KEY_BYTES)


def key_of(folder: Path, survey: str, new: Callable[[], bytes] = new_key) -> bytes:
    """The key of a survey; made on first use, readable by its owner alone. Who takes it away cuts every link for good.

    Args:
        folder: The folder of the book that holds its surveys.
        survey: Name of the survey.
        new: Gives the key, where the survey has none.

    Raises:
        Problem: If it cannot be written, or is not whole.
    """
    path = key_path(folder, survey)
    with told_of(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        if not path.exists():
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as opened:
                opened.write(new())
            flush(draft)
            with suppress(FileExistsError):  # who made one first has made it for all
                os.link(draft, path)
            draft.unlink()
            flush(path.parent)
        key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise Problem(
            "The key {file} is damaged.", "Put it back from your backup: without it nobody is the same as before.",
            file=path,
        )  # fmt: skip
    return key


def pseudonyms(key: bytes, persons: Iterable[str]) -> list[str]:
    """A pseudonym for each person: the same for the same, under one key (HMAC-SHA-256, RFC 2104)."""
    return [hmac.digest(key, person.encode(), "sha256").hex()[:_SIGNS] for person in persons]
