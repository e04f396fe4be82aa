"""What a wave holds while it is open, so that nothing of it tells in which order it came.

The box of a wave is a function of the set of its answers alone: who answered (a flag each, at places fixed when it
opened), the ballots in the order of what they say, counts of each answer by group, comments in alphabetical order.
The same answers given in another order make the same bytes.
"""

import json
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from cadran.book.ballots_groups import Groups
from cadran.tables.pulse import SCORED, Question, Terms

#: Comments take up whole pages of this many bytes: what is rewritten stays where it is.
_PAGE = 2**14
_MOMENTS = ("opened_at", "closes_at")


@dataclass(frozen=True)
class Opened:
    """A wave as it was opened. Nothing of it changes while it is open."""

    wave_id: str
    terms: Terms
    wave: str
    digest: str
    opened_at: datetime
    closes_at: datetime
    questions: pl.DataFrame
    #: As `Invited`, without `answered`; a person's place is their row.
    invited: pl.DataFrame
    #: What an anonymous wave counts answers by; empty for a confidential one, whose ballots stand in the rows of `invited`.
    groups: list[Groups]
    comment_groups: Groups
    #: Words of the names of the invited, which comments do not show.
    names: list[str]

    @cached_property
    def asked(self) -> dict[str, dict[str, Any]]:
        """The questions by name, each with the answers it can have."""
        return {row["question_id"]: {**row, "values": values_of(row)} for row in self.questions.iter_rows(named=True)}

    @cached_property
    def offsets(self) -> list[int]:
        """Where the counts of each question begin in those of a group; the last: how many there are."""
        return [0, *np.cumsum([len(question["values"]) for question in self.asked.values()]).tolist()]

    @property
    def name(self) -> str:
        """Survey and wave."""
        return f"{self.terms.survey}@{self.wave}"

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The words that comments do not show."""
        return frozenset(self.names)

    def told(self) -> str:
        """As JSON keeps it."""
        told = {name: getattr(self, name) for name in ("wave_id", "wave", "digest", "names")}
        told |= {name: getattr(self, name).isoformat() for name in _MOMENTS}
        told |= {"terms": asdict(self.terms), "questions": self.questions.to_dicts()}
        told |= {"invited": self.invited.to_dict(as_series=False), "groups": [each.told() for each in self.groups]}
        return json.dumps({**told, "comment_groups": self.comment_groups.told()}, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Opened":
        """What was told."""
        told = json.loads(text)
        terms = told["terms"]
        terms |= {"cuts": tuple(terms["cuts"]), "crossed": tuple((one, other) for one, other in terms["crossed"])}
        invited = told["invited"]
        return cls(
            **told
            | {name: datetime.fromisoformat(told[name]) for name in _MOMENTS}
            | {
                "terms": Terms(**terms),
                "questions": pl.DataFrame(told["questions"], dict(Question.create_empty().schema)),
                "invited": pl.DataFrame(invited, dict.fromkeys(invited, pl.String)),
                "groups": [_groups(each) for each in told["groups"]],
                "comment_groups": _groups(told["comment_groups"]),
            }
        )


def values_of(question: Mapping[str, Any]) -> list[int | str]:
    """The answers a question can have, in their order; none of a comment."""
    if question["kind"] in SCORED:
        return list(range(question["low"], question["high"] + 1))
    return list(question["labels_en"] or []) if question["kind"] == "choice" else []


@dataclass(frozen=True)
class Given:
    """What one person gives: of each question the number of the answer, 0 if none; and what they wrote."""

    place: int
    codes: bytes
    comments: list[tuple[int, str]]


class Box:
    """What a wave holds, read from its bytes and written to them."""

    def __init__(self, wave: Opened, state: bytes | None = None, comments: bytes = b""):
        self.wave = wave
        n, n_questions = wave.invited.height, wave.questions.height
        width = len(wave.groups) and wave.offsets[-1]
        n_groups = sum(len(each.labels) for each in wave.groups)
        data = state if state is not None else bytes(n * (1 + n_questions) + 4 * n_groups * width)
        ends = n, n * (1 + n_questions)
        self.used = bytearray(data[: ends[0]])
        ballots = data[ends[0] : ends[1]]
        self.ballots = [ballots[at : at + n_questions] for at in range(0, len(ballots), n_questions)]
        self.counts = np.frombuffer(data[ends[1] :], "<u4").reshape(n_groups, width).copy()
        #: Each a line of JSON: number of its question, number of its group, text.
        self.comments = comments.rstrip(b" ").splitlines()
        self._size = len(comments)

    @property
    def is_anonymous(self) -> bool:
        """Whether ballots are apart from who gave them."""
        return self.wave.terms.mode == "anonymous"

    def put(self, given: Given) -> None:
        """Put in what one person gives, and that they gave it."""
        self.used[given.place] = 1
        if self.is_anonymous:
            # Empty places are ballots without an answer, and stand first: one of them makes room.
            del self.ballots[0]
            insort(self.ballots, given.codes)
        else:
            self.ballots[given.place] = given.codes
        answers = [start + code - 1 for start, code in zip(self.wave.offsets, given.codes, strict=False) if code]
        first = 0
        for each in self.wave.groups:
            self.counts[first + each.places[given.place], answers] += 1
            first += len(each.labels)
        group = self.wave.comment_groups.places[given.place]
        for number, text in given.comments:
            insort(self.comments, json.dumps([number, group, text]).encode())

    def state(self) -> bytes:
        """Its bytes, without the comments: always as many."""
        return bytes(self.used) + b"".join(self.ballots) + self.counts.tobytes()

    def written(self) -> Iterator[bytes]:
        """The comments as bytes, whole pages. Where there are several more than were read, first blanks of each size between:
        a file shows how what is in it grew, and must not show who came together."""
        data = b"\n".join(self.comments)
        size = -(-len(data) // _PAGE) * _PAGE
        yield from (b" " * less for less in range(self._size + _PAGE, size, _PAGE))
        yield data.ljust(size)


def _groups(told: Mapping[str, Any]) -> Groups:
    return Groups(**{**told, "columns": tuple(told["columns"])})


def rows_of(wave: Opened, codes: Sequence[int]) -> list[tuple[str, int | None, str | None]]:
    """Question, score and choice of each answer of a ballot."""
    return [
        _row(question, code) for question, code in zip(wave.asked.values(), codes, strict=True) if code
    ]  # fmt: skip


def _row(question: Mapping[str, Any], code: int) -> tuple[str, int | None, str | None]:
    value = question["values"][code - 1]
    is_choice = question["kind"] == "choice"
    return question["question_id"], None if is_choice else value, value if is_choice else None
