"""An anonymous wave of another tool, as one collected here is stored: no answer beside who may have given it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from cadran.book.ballots_groups import Groups, comment_groups, grouped, labelled
from cadran.book.ballots_wave import of_table
from cadran.tables.pulse import CUTS, Answer, Comment, Wave

_GIVEN = ("question_id", "score", "choice")


def unlinked(wave: Wave) -> Wave:
    """The same answers: each once without attributes, and once per cut with its group alone.

    Groups of fewer than five respondents, or than the survey's minimum, are merged as a wave collected here merges them
    (`grouped`), comments' too. Where nothing tells which answers are one person's, a group holds as many people as gave
    the question that most of it answered: a person answers a question once.

    Args:
        wave: Imported, its attributes beside each answer.
    """
    rows = wave.answers
    groups = grouped(rows, wave.terms, _respondents)
    once = rows.select(*_GIVEN, "ballot")
    copies = [
        rows.select(_GIVEN).with_columns(*(labelled(each, cut) for cut in each.columns), cut=pl.lit(each.cut))
        for each in groups
    ]
    told = [{**row, "n_invited": None} for each in groups for row in each.noted()]
    return replace(
        wave,
        # In an order of what they say: that of the rows they came from would join the copies.
        answers=of_table(Answer, pl.concat([once, *copies], how="diagonal")).sort(pl.all(), nulls_last=True),
        comments=of_table(Comment, _comments(wave, groups)).sort(pl.all(), nulls_last=True),
        noted={**wave.noted, "groups": told},
    )


def _respondents(rows: pl.DataFrame, columns: Sequence[str]) -> dict[tuple[Any, ...], int]:
    """How many people stand behind answers: those whose ballots they are, else at least as many as gave one question."""
    if rows["ballot"].null_count():
        each = rows.group_by(*columns, "question_id").agg(n=pl.len()).group_by(columns).agg(pl.col("n").max())
    else:
        each = rows.group_by(columns).agg(n=pl.col("ballot").n_unique())
    return {tuple(row): n for *row, n in each.iter_rows()}


def _comments(wave: Wave, groups: Sequence[Groups]) -> pl.DataFrame:
    """What was written, with a group of the tree that is large enough; where nobody of it answered, with none."""
    found = comment_groups(wave.answers, wave.terms, groups, _respondents)
    columns = found.columns
    told = wave.comments.with_columns(pl.lit(None, pl.String).alias(cut) for cut in CUTS if cut not in columns)
    if not columns:
        return told
    labels = wave.answers.select(columns).with_columns(labelled(found, cut).alias(f"@{cut}") for cut in columns)
    joined = told.join(labels.unique(), on=columns, how="left", nulls_equal=True)
    return joined.with_columns(pl.col(f"@{cut}").alias(cut) for cut in columns)
