"""The links by which people answer: secrets, kept as hashes, each good for one answer."""

import secrets
from collections.abc import Iterable
from hashlib import sha256

import polars as pl

from cadran.book.ballots_box import Box
from cadran.book.ballots_open import pseudonyms_of
from cadran.book.ballots_store import Transaction
from cadran.tables.problems import Problem

#: Bytes of chance in a link: nobody guesses one.
_TOKEN_BYTES = 24
_WHY = {
    "unknown": ("This link is not known.", "Open the link as it stands in your invitation, whole."),
    "used": (
        "This link was used: your answers are in.",
        "There is nothing left to do; nobody can see who answered what.",
    ),
    "expired": ("This survey ended on {closes_at:%Y-%m-%d}.", "The next one will bring you a link of its own."),
    "closed": ("This survey is closed.", "The next one will bring you a link of its own."),
}


class Refused(Problem):
    """A link that opens nothing. `why`: unknown, used, expired or closed."""

    def __init__(self, why: str, **values: object):
        self.why = why
        what, repair = _WHY[why]
        super().__init__(what, repair, **values)


def linked(run: Transaction, box: Box, key: bytes, persons: Iterable[str]) -> pl.DataFrame:
    """A new link for each of those persons who was invited and has not answered; kept as a hash."""
    places = {person: place for place, person in enumerate(box.wave.invited["person"])}
    given = dict(zip(persons, map(places.get, pseudonyms_of(key, persons)), strict=True))
    given = {person: place for person, place in given.items() if place is not None and not box.used[place]}
    tokens = {person: secrets.token_urlsafe(_TOKEN_BYTES) for person in given}
    for digest, place in sorted((hash_of(tokens[person]), place) for person, place in given.items()):
        run("insert into links values (?, ?, ?)", digest, box.wave.wave_id, place)
    return pl.DataFrame(
        {"person": list(tokens), "token": list(tokens.values())}, {"person": pl.String, "token": pl.String}
    )


def hash_of(token: str) -> bytes:
    """What is kept of a link."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
