"""The score of each person's latest answer, for confidential surveys that declared it."""

from collections.abc import Iterable
from dataclasses import replace

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.book import Organisation
from cadran.book.pulse import LATEST, pulse_of
from cadran.measures.catalogue import Question, Subject, measure
from cadran.measures.pulse import COLUMNS, SAME_GROUP, Known, cells, cells_of, measured
from cadran.measures.pulse_points import ends, with_points
from cadran.measures.releases import latest_released
from cadran.tables.measured.pulse import RollingScore
from cadran.tables.pulse import SCORED


def _known(book: Book) -> Known:
    """The latest answers released to a reader, under the names of the waves that they are told after."""
    found = [replace(each, wave=each.wave.removesuffix(LATEST)) for each in latest_released(book)]
    return Known(found, cells_of(found, book))


def _rows(book: Book, columns: Iterable[str], organisation: Organisation) -> nw.LazyFrame:
    return nw.from_native(_known(book).cells.select(*dict.fromkeys(columns)).lazy())


def _lacks(book: Book) -> str:
    pulse = pulse_of(book)
    return "" if pulse.without_latest() or any(pulse.latest()) else "waves (closed) of a survey with rolling 0/1"


ROLLING = Subject(COLUMNS, _rows, "Surveys have no column {column}.", _lacks)


@measure(
    title="Rolling score",
    definition=(
        "The score of each person's latest answer to each question, of those invited to the last wave who answered it or "
        "one of the waves before: as many waves as the survey declared (`rolling`). eNPS, and the favourable share of each "
        "question in percent, in points; after the last wave unless waves or days are named. It moves more slowly than the "
        "score of a wave, and hangs less on who happened to answer. Only of confidential surveys: nothing tells which "
        "answers of an anonymous one are one person's. Of the company and by the first cut; not told where it would differ "
        "from what was told before by the answers of fewer people than the survey's minimum. Interval, 95 %, of the "
        "process: profile likelihood of an eNPS, Wilson of a share."
    ),
    unit="points: eNPS from −100 to 100, favourable share from 0 to 100",
    source="docs/confidentiality.md; intervals as of enps and favourable_share",
    returns=RollingScore,
    subject=ROLLING,
    repair="Declare rolling = 4, say, in a confidential survey before its first wave opens (docs/surveys.md).",
    answer=lambda book, question: rolling_score(book, question),
)
def rolling_score(book: Book, question: Question) -> nw.LazyFrame:
    """Scores of latest answers.

    Args:
        book: At its moment.
        question: At most the first cut of the survey. No option.

    Returns:
        One row per wave they are told after, question and released group, as `RollingScore` has it.
    """
    question.chosen()
    rows = with_points(cells(book, question, SCORED, known=_known(book)))
    key = ["asked_in", *SAME_GROUP, "question_id"]
    wave = Known.of(book).cells.select(*key, n_now="n")
    rows = rows.join(wave, on=key, how="left", nulls_equal=True, maintain_order="left")
    low, high = ends(rows)
    told = rows.with_columns(
        value_low=low, value_high=high, n_scores="n", n_of_this_wave=pl.when(pl.col("n").is_not_null()).then("n_now"),
        n_favourable="n_high", n_neutral="n_middle", n_unfavourable="n_low",
    )  # fmt: skip
    return measured(told, question, RollingScore)
