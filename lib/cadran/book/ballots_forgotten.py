"""A person among those invited to waves that are still open: found by their pseudonym, and forgotten."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from cadran.book.ballots_box import Box, Opened, rows_of
from cadran.book.ballots_store import Transaction

#: Its answer to each question: score, or option.
Answers = list[tuple[str, int | None, str | None]]
_OPEN = "select wave_id, survey, definition from waves where definition <> ''"


@dataclass(frozen=True)
class Invitation:
    """That somebody was invited to a wave that is not in the book yet."""

    person: str
    wave: Opened
    answered: bool
    #: What they answered so far; nothing of an anonymous wave.
    answers: Answers


def invitations(run: Transaction, names: Mapping[str, set[str]]) -> list[Invitation]:
    """The invitations of people, by survey the pseudonyms they have there."""
    found = []
    for box in _boxes(run, _OPEN, names):
        for place, person in _places(box.wave, names[box.wave.terms.survey]):
            given = [] if box.is_anonymous else rows_of(box.wave, box.ballots[place])
            found.append(Invitation(person, box.wave, bool(box.used[place]), given))
    return found


def forget_invited(run: Transaction, held: str, names: Mapping[str, Mapping[str, str]]) -> None:
    """Have open waves know people no more. Their links open nothing; what they said in a confidential wave is gone, and
    that somebody was invited and answered stays, under another pseudonym.

    Of an anonymous wave nothing tells which ballot is theirs. Nobody's place changes: whoever has read a wave as it was
    opened goes on with it.

    Args:
        run: A transaction that writes.
        held: As `Store.held`.
        names: By survey, the new pseudonym of each.
    """
    for box in _boxes(run, f"{_OPEN} and closed_at = ''{held}", names):
        wave, others = box.wave, names[box.wave.terms.survey]
        for place, _ in _places(wave, set(others)):
            run("delete from links where wave_id = ? and place = ?", wave.wave_id, place)
            if not box.is_anonymous:
                box.ballots[place] = bytes(wave.questions.height)
        renamed = replace(wave, invited=wave.invited.with_columns(pl.col("person").replace(others)))
        run("update waves set definition = ? where wave_id = ?", renamed.told(), wave.wave_id)
        run("update boxes set state = ? where wave_id = ?", box.state(), wave.wave_id)


def _boxes(run: Transaction, asked: str, names: Mapping[str, object]) -> Iterator[Box]:
    """The waves of some surveys, with what they hold."""
    for name, survey, definition in run(asked):
        if survey in names:
            yield Box(Opened.read(definition), *run("select state, comments from boxes where wave_id = ?", name)[0])


def _places(wave: Opened, names: set[str]) -> list[tuple[int, str]]:
    return [(place, person) for place, person in enumerate(wave.invited["person"]) if person in names]
