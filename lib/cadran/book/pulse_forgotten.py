"""Those whom a survey forgot, so that none of its waves names them again, however late it is kept.

What is remembered stands beside the key of the survey, and says nothing without it: whoever takes the key away takes this
away too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book.folder import flush, told_of
from cadran.book.pseudonyms import key_path
from cadran.tables.problems import Problem
from cadran.tables.pulse import Wave

#: In what is noted of a wave: of how many people the answers were removed because they asked for it.
REMOVED = "n_removed_on_request"


@dataclass(frozen=True)
class Renamed:
    """Somebody a survey forgot."""

    #: The pseudonym that the survey's key makes, and the random one that took its place: the same in all its waves, so that
    #: it is still known how many came and went between two of them.
    was: str
    now: str
    #: Names of the waves from which what they said went: nothing had been told of them yet.
    removed: tuple[str, ...] = ()
    #: Names of the other waves that named them.
    renamed: tuple[str, ...] = ()

    @property
    def waves(self) -> set[str]:
        """Names of the waves that forgot them."""
        return {*self.removed, *self.renamed}


def forgotten_of(folder: Path, survey: str) -> list[Renamed]:
    """Those whom a survey forgot.

    Args:
        folder: The folder that `cadran.book.pulse.Pulse` has.
        survey: Its name.

    Raises:
        Problem: If the file that says so is damaged.
    """
    try:
        return renamed(json.loads(_file(folder, survey).read_text("utf-8")))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise Problem(
            "{file} cannot be read: {reason}",
            "Put it back from your backup.",
            file=_file(folder, survey),
            reason=str(error),
        ) from error


def renamed(told: Iterable[Mapping[str, Any]]) -> list[Renamed]:
    """People as JSON keeps them."""
    return [
        Renamed(row["was"], row["now"], *(tuple(row[name]) for name in ("removed", "renamed"))) for row in told
    ]  # fmt: skip


def remember(folder: Path, survey: str, people: Sequence[Renamed]) -> None:
    """Take in those whom a survey forgets now; those it knew are told anew."""
    told = {each.was: asdict(each) for each in (*forgotten_of(folder, survey), *people)}
    path = _file(folder, survey)
    with told_of(path.parent):
        draft = path.with_name(f".{path.name}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(list(told.values()), indent=1) + "\n", "utf-8")
        flush(draft)
        draft.replace(path)
        flush(path.parent)


def without_forgotten(wave: Wave, people: Sequence[Renamed]) -> Wave:
    """A wave that names none of those whom its survey forgot: other pseudonyms stand there, in an order of their own, and
    what they said is gone where nothing had been told of it yet."""
    names = {each.was: each.now for each in people}
    if not {*names, *names.values()} & persons_of(wave):
        return wave
    gone = [each.now for each in people if wave.name in each.removed]
    named = pl.col("ballot").replace(names)
    kept = wave.answers.with_columns(named).filter(~pl.col("ballot").is_in(gone).fill_null(False))
    return replace(
        wave,
        invited=wave.invited.with_columns(pl.col("person").replace(names)).sort("person"),
        # In an order of what they say: the old one would tell where the pseudonym stood.
        answers=kept.sort(pl.all(), nulls_last=True),
        noted={**wave.noted, **({REMOVED: len(gone)} if gone else {})},
    )


def persons_of(wave: Wave) -> set[str]:
    """The pseudonyms that a wave holds: of those invited, and of those who answered if it is confidential."""
    given = wave.answers["ballot"].drop_nulls() if wave.terms.mode == "confidential" else ()
    return {*wave.invited["person"], *given}


def _file(folder: Path, survey: str) -> Path:
    key = key_path(folder, survey)
    return key.with_name(f"{survey}.forgotten.json")
