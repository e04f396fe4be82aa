"""Asking on a page's behalf about one wave of one survey."""

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from cadran.book import Book
from cadran.measures.answers import tried
from cadran.measures.catalogue import MEASURES, Question
from cadran.measures.recorded import record
from cadran.tables.problems import Problem

#: Answers kept: a few rows each, for readers of one scope together.
_MOST = 500


@dataclass(frozen=True)
class Poll:
    """What a page asks about: a wave of a survey, in a book."""

    book: Book
    survey: str
    wave: str
    #: How many waves were released when it was asked: with one more, what is told over time is another.
    n_released: int

    def ask(self, name: str, *by: str, question: str | None = None, waves: bool = False) -> pl.DataFrame | Problem:
        """What a measure answers, or the problem that kept it from answering.

        Args:
            name: The measure.
            by: Columns to group on: at most one cut.
            question: The question it is about; all of them by default.
            waves: Whether it is about all waves of the survey, instead of this one.
        """
        record(name)
        return _answer(self, name, by, question, waves)


@lru_cache(maxsize=_MOST)
def _answer(poll: Poll, name: str, by: tuple[str, ...], question: str | None, waves: bool) -> pl.DataFrame | Problem:
    where: dict[str, tuple[str, ...]] = {"survey": (poll.survey,)}
    if not waves:
        where["wave"] = (poll.wave,)
    if question:
        where["question"] = (question,)
    return tried(MEASURES[name].ask, poll.book, Question(by=by, where=where))
