"""Each person's latest answer to each question, over the last waves of a confidential survey."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from cadran.book.pulse import LATEST
from cadran.tables.pulse import CUTS, SCORED, Answer, Comment, Release, Wave

#: A question is the same in two waves if all of this is.
_SAME = ["question_id", "kind", "low", "high", "favourable_from", "unfavourable_to", "is_reversed"]


@dataclass(frozen=True)
class Told:
    """What was told of a wave, or of latest answers, and which wave each answer was given in."""

    wave: Wave
    release: Release
    #: `ballot`, `question_id`, `asked_in`: one row per score.
    given: pl.DataFrame

    @property
    def pair(self) -> tuple[Wave, Release]:
        """As releases are held against one another."""
        return self.wave, self.release


def latest_of(waves: Sequence[Wave], without: Collection[str] = ()) -> tuple[Wave, pl.DataFrame]:
    """Each person's latest answers, as a wave of their own.

    Of those invited to the last wave, as they were then; of all who answered, where it is not known who was invited. An
    answer counts for the question as it is asked now: one on another scale is another question's.

    Args:
        waves: Of one confidential survey, in the order they closed.
        without: Pseudonyms whose answers do not count.

    Returns:
        The wave, told by the first cut alone, and (`ballot`, `question_id`, `asked_in`) of each of its scores.
    """
    last = waves[-1]
    questions = pl.concat([each.questions for each in reversed(waves)]).filter(pl.col("kind").is_in(SCORED))
    questions = questions.unique("question_id", keep="first", maintain_order=True)
    given = pl.concat(
        each.answers.filter(pl.col("score").is_not_null(), ~pl.col("ballot").is_in(list(without)))
        .join(each.questions.join(questions, on=_SAME, how="semi", nulls_equal=True), on="question_id", how="semi")
        .with_columns(asked_in=pl.lit(each.name))
        for each in waves
    )
    invited = last.invited
    if invited.height:
        known = invited.select(CUTS, ballot="person")
        given = given.join(known, on="ballot", how="semi", maintain_order="left")
    else:
        known = given.select("ballot", *CUTS).unique("ballot", keep="last", maintain_order=True)
    given = given.unique(["ballot", "question_id"], keep="last", maintain_order=True)
    answers = given.drop(CUTS).join(known, on="ballot", how="left", maintain_order="left")
    wave = Wave(
        replace(last.terms, cuts=last.terms.cuts[:1], crossed=()), last.wave + LATEST, waves[0].opened_at,
        last.closed_at, questions, invited.with_columns(answered=pl.col("person").is_in(given["ballot"].implode())),
        answers.select(Answer.column_names()), Comment.create_empty(),
    )  # fmt: skip
    return wave, given.select("ballot", "question_id", "asked_in")


def told_of_latest(waves: Sequence[Wave], its: Release, without: Collection[str]) -> Told:
    """What was told of latest answers: as `latest_of`."""
    wave, given = latest_of(waves, without)
    return Told(wave, its, given)


def told_of_wave(wave: Wave, its: Release) -> Told:
    """What was told of a wave: each answer was given in it."""
    given = wave.answers.filter(pl.col("cut").is_null() & pl.col("score").is_not_null())
    return Told(wave, its, given.select("ballot", "question_id", asked_in=pl.lit(wave.name)))
