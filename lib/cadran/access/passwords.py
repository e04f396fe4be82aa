"""Passwords: which are good enough, how they are kept, and how one is tried.

Source:
    NIST SP 800-63B-4 (2025), section 3.1.1.2: length and a list of known passwords, no rules of composition, no expiry.
"""

import secrets
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from cadran.tables.problems import Problem

#: Letters a password has at least, and at most: argon2 reads every one of them.
SHORTEST, LONGEST = 12, 256
#: Of five steps of zxcvbn, the least one that 10,000 guesses a second against a stolen file take years for.
STRONG = 3
#: A line of a list of known passwords begins with so many letters: the SHA-1 in capitals.
_SHA1 = 40
#: Letters of a password we make up: none that is taken for another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_HASHER = PasswordHasher()


def check_password(password: str, about: Sequence[str] = (), known: Path | None = None) -> None:
    """Hold a password to what keeps it from being guessed.

    Args:
        password: As typed.
        about: What anybody knows of its owner: their name, their company's.
        known: A list of passwords that were stolen elsewhere: a text file sorted by SHA-1 in capitals, a line each, as
            breach lists are handed out.

    Raises:
        Problem: With what is wrong, and what would do.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Problem(
            "The password has {n} letters.", "Take {least} to {most}: four words that do not belong together, say.",
            n=len(password), least=SHORTEST, most=LONGEST,
        )  # fmt: skip
    # Its beginning tells enough: what looks for words in it takes long over long ones.
    if zxcvbn(password[:72], user_inputs=list(about))["score"] < STRONG:
        raise Problem("The password is easy to guess.", "Take four words that do not belong together, say.")
    if known is not None and _is_listed(password, known):
        raise Problem("The password was stolen elsewhere, and is on the list of those tried first.", "Take another.")


def new_password() -> str:
    """A password made up by chance: 20 letters, 98 bits."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
    return "-".join(letters[place : place + 5] for place in range(0, 20, 5))


def hashed(password: str) -> str:
    """What is kept of a password: Argon2id with its parameters and its salt."""
    return _HASHER.hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password is the one of which this is kept. Of nobody's (None) it takes as long to say no."""
    try:
        return _HASHER.verify(kept or _nobodys(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_old(kept: str) -> bool:
    """Whether it was kept with other parameters than would be today."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return hashed(new_password())


class _Lines(Sequence[str]):
    """The lines of a sorted file of which every one begins with a SHA-1: looked up without reading the whole."""

    def __init__(self, path: Path):
        self.file = path.open("rb")
        self.size = path.stat().st_size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        """The first line that begins at a byte or after it."""
        self.file.seek(max(place - 1, 0))
        if place:
            self.file.readline()
        return self.file.readline()[:_SHA1].decode("ascii", "replace").upper() or "~"


def _is_listed(password: str, known: Path) -> bool:
    digest = sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        lines = _Lines(known)
    except OSError as error:
        raise Problem("{file} cannot be read: {reason}.", "Name the list of known passwords, or none.", file=known,
                      reason=error.strerror or error) from error  # fmt: skip
    with lines.file:
        return lines[bisect_left(lines, digest)] == digest
