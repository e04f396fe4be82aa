"""A wave as it opens: what is asked, who is invited, and the groups they count in from then on."""

import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import dataframely as dy
import polars as pl

from cadran.book.ballots_box import Opened, values_of
from cadran.book.ballots_groups import STORED, comment_groups, grouped
from cadran.book.masking import name_words
from cadran.book.pseudonyms import pseudonyms
from cadran.tables.problems import Problem
from cadran.tables.pulse import CUTS, MOST_QUESTIONS, Question, Terms

#: What a survey and a wave may be called: they name files.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def opened(
    terms: Terms,
    wave: str,
    questions: pl.DataFrame,
    invited: pl.DataFrame,
    now: datetime,
    closes_at: datetime,
    digest: str,
    key: bytes,
) -> Opened:
    """A wave as `Ballots.open_wave` opens it.

    Raises:
        Problem: If it cannot open.
    """
    for name in (terms.survey, wave):
        if not _NAME.fullmatch(name):
            raise Problem(
                "{name} is no name for a survey or a wave: it names files.",
                "Write letters without accents, digits, points, hyphens, underscores.", name=name,
            )  # fmt: skip
    if closes_at <= now:
        raise Problem(
            "The wave would close on {closes_at:%Y-%m-%d}, before it opens.", "Name a later day.", closes_at=closes_at
        )
    people = _people(terms, invited)
    pseudonyms = pl.Series("person", pseudonyms_of(key, people["person"]), pl.String)
    kept = people.select(pseudonyms, *CUTS).sort("person")
    groups = grouped(kept, terms)
    named = [each for column in ("person", "name") if column in people.columns for each in people[column].drop_nulls()]
    return Opened(
        wave_id=secrets.token_hex(16),
        terms=terms,
        wave=wave,
        digest=digest,
        opened_at=now,
        closes_at=closes_at,
        questions=_questions(questions),
        invited=kept,
        groups=groups if terms.mode == "anonymous" else [],
        comment_groups=comment_groups(kept, terms, groups),
        names=name_words(named),
    )


def pseudonyms_of(key: bytes, persons: Iterable[str]) -> list[str]:
    """The names that people have in every wave of a survey."""
    return pseudonyms(key, map(_same, persons))


def _same(person: str) -> str:
    """What two spellings of one person have in common: capitals or not, with or without blanks around."""
    return unicodedata.normalize("NFKC", person).strip().casefold()


def _people(terms: Terms, invited: pl.DataFrame) -> pl.DataFrame:
    """Who is invited, with a column for each cut: of those not declared, nothing is kept."""
    twice = [person for person, n in Counter(map(_same, invited["person"])).items() if n > 1]
    if twice:
        raise Problem(
            "Invited twice: {persons}.", "Leave one row for each person, then open the wave again.",
            persons=", ".join(sorted(twice)[:10]),
        )  # fmt: skip
    least = max(STORED, terms.minimum) if terms.mode == "anonymous" else terms.minimum
    if invited.height < least:
        raise Problem(
            "{n} are invited; {least} are the fewest of whom anything could be told.",
            "Invite more people, or ask them in person.", n=invited.height, least=least,
        )  # fmt: skip
    declared = {*terms.cuts, *(cut for pair in terms.crossed for cut in pair)} & {*invited.columns}
    blank = pl.col(pl.String).str.strip_chars().replace("", None)
    known = invited.cast(dict.fromkeys(declared, pl.String)).with_columns(blank)
    return known.with_columns(pl.lit(None, pl.String).alias(cut) for cut in CUTS if cut not in declared)


def _questions(questions: pl.DataFrame) -> pl.DataFrame:
    try:
        found = Question.validate(questions, cast=True)
    except (dy.exc.ValidationError, dy.exc.SchemaError, pl.exceptions.PolarsError) as error:
        raise Problem(
            "The questions are not as a wave wants them: {reason}",
            "`cadran survey check` says what to change.",
            reason=error,
        ) from error
    if not 1 <= found.height <= MOST_QUESTIONS:
        raise Problem(
            "The wave asks {n} questions; from 1 to {most} can be asked.", "Spread them over several waves.",
            n=found.height, most=MOST_QUESTIONS,
        )  # fmt: skip
    for row in found.iter_rows(named=True):
        n = len(values_of(row))
        if row["kind"] != "comment" and not 2 <= n <= 255:
            raise Problem(
                "Question {question} has {n} possible answers; 2 to 255 can be kept.", "Change its scale or its options.",
                question=row["question_id"], n=n,
            )  # fmt: skip
    return found


def check_unopened(terms: Terms, wave: str, digest: str, before: list[tuple[Any, ...]]) -> None:
    """That nothing opened before stands against opening this wave."""
    for name, mode, known, closed_at in before:
        if name == wave:
            raise Problem(
                "There was a wave {wave} of {survey} before.",
                "Give the new one another name. If that one is open, `cadran survey remind` makes new links for who has not "
                "answered.",
                wave=wave, survey=terms.survey,
            )  # fmt: skip
        if not closed_at and known != digest:
            raise Problem(
                "The survey {survey} was edited since its wave {wave} opened, which is still open.",
                "Undo the edit, or close that wave first with `cadran survey close {survey} {wave}`.",
                wave=name, survey=terms.survey,
            )  # fmt: skip
        if mode not in (terms.mode, None):
            raise Problem(
                "The survey {survey} was declared {mode_before} in its wave {wave}; it is {mode} now.",
                "People answered under what was declared. Give the survey another name.",
                wave=name, survey=terms.survey, mode_before=mode, mode=terms.mode,
            )  # fmt: skip
