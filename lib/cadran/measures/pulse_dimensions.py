"""The questions of a dimension of a pulse survey together, and how well they measure one thing."""

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.pulse import Pulse, pulse_of
from cadran.measures.catalogue import Question, measure
from cadran.measures.pulse import IS_EXACT, KINDS_OF_SHARE, PULSE, REPAIR, SAME_GROUP, cells, measured
from cadran.measures.pulse_points import ends as ends_of
from cadran.measures.pulse_points import series, with_points
from cadran.measures.pulse_scores import mean_ends
from cadran.measures.reliability import ONE_ITEM, Reliability, reliability
from cadran.tables.measured.pulse import DimensionIndex
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY

NOT_ALL_TOLD = "Not all of its questions are told exactly of this group."
NO_BALLOTS = "It is not known which answers were given together."
OF_COMPANY_ONLY = "Told of the company only."


@measure(
    title="Dimension index",
    definition=(
        "The questions of each dimension together, of the last wave unless waves or days are named: the mean of their mean "
        "scores, each from 0 (the worst of its scale) to 100, and of their favourable shares; told only where all of them "
        "are told exactly. Interval, 95 %: the mean of the questions' ends, as if they moved together, so too wide rather "
        "than too narrow. Of the company also how well they measure one thing, from 30 persons who scored all of them on: "
        "Cronbach's alpha (Feldt's interval) from two questions, McDonald's omega (one factor, bootstrap over persons) "
        "from three. By one cut at a time, as released."
    ),
    unit="0 to 100; share, 0 to 1; persons",
    source=(
        "Cronbach (1951), Psychometrika 16:297; Feldt, Woodruff & Salih (1987), Applied Psychological Measurement 11:93; "
        "McDonald (1999), Test Theory"
    ),
    returns=DimensionIndex,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: dimension_index(book, question, **question.chosen_for(dimension_index)),
)
def dimension_index(book: Book, question: Question, *, seed: int = 0) -> nw.LazyFrame:
    """The questions of a dimension together.

    Args:
        book: At its moment.
        question: At most one cut. Only questions with a dimension count.
        seed: Of the draws of persons from which omega has its interval.

    Returns:
        One row per wave, dimension and released group, as `DimensionIndex` has it.
    """
    rows = with_points(cells(book, question, KINDS_OF_SHARE)).filter(pl.col("dimension").is_not_null())
    lows, highs = ends_of(rows)
    mean_low, mean_high = mean_ends(rows)
    scale = (pl.col("high") - pl.col("low")) / 100
    rows = rows.with_columns(
        index=(pl.col("score_sum") / pl.col("n") - pl.col("low")) / scale,
        index_low=(series(mean_low) - pl.col("low")) / scale,
        index_high=(series(mean_high) - pl.col("low")) / scale,
        favourable_share=pl.col("value") / 100, favourable_share_low=lows / 100, favourable_share_high=highs / 100,
    )  # fmt: skip
    means = ("index", "favourable_share")
    told = [
        pl.when(IS_EXACT.all()).then(pl.col(f"{name}{end}").mean()).alias(f"{name}{end}")
        for name in means
        for end in ("", "_low", "_high")
    ]
    key = ["asked_in", "survey", "wave", *SAME_GROUP, "dimension"]
    kept = [pl.col(name).first() for name in dict.fromkeys((*question.by, "within", "of_dimension")) if name not in key]
    found = rows.group_by(key, maintain_order=True).agg(
        *kept, *told, n_items=pl.len(), items=pl.col("question_id").str.join(" · "), n_scores=pl.col("n").min(),
        reason=pl.when(~IS_EXACT.all()).then(pl.lit(NOT_ALL_TOLD)),
    )  # fmt: skip
    return measured(_with_reliability(found, rows, pulse_of(book), seed), question, DimensionIndex)


_RELIABILITY = {
    "n_complete": pl.Int64, "alpha": pl.Float64, "alpha_low": pl.Float64, "alpha_high": pl.Float64, "omega": pl.Float64,
    "omega_low": pl.Float64, "omega_high": pl.Float64, "undefined": pl.String,
}  # fmt: skip


def _with_reliability(found: pl.DataFrame, rows: pl.DataFrame, pulse: Pulse, seed: int) -> pl.DataFrame:
    """Of the company, what is told of each dimension; of any other group, that it is not."""
    parts: list[dict[str, float | int | str | None]] = []
    for asked_in, dimension, cut, reason in found.select("asked_in", "dimension", "cut", "reason").iter_rows():
        if cut != COMPANY:
            parts.append({"undefined": OF_COMPANY_ONLY})
        elif reason:
            parts.append({"undefined": NOT_ALL_TOLD})
        else:
            of = rows.filter(asked_in=asked_in, dimension=dimension, cut=COMPANY)
            parts.append(_told(pulse, asked_in, of, seed))
    return found.hstack(pl.DataFrame(parts, schema=_RELIABILITY, orient="row"))


def _told(pulse: Pulse, asked_in: str, questions: pl.DataFrame, seed: int) -> dict[str, float | int | str | None]:
    """Alpha and omega of the questions of a dimension in one wave, over its persons. No answer leaves this function."""
    if questions.height == 1:
        return {"undefined": ONE_ITEM}
    try:
        answers = pulse.wave(asked_in).answers
    except Problem:
        # A release outlives the answers it was made of, where these were purged.
        return {"undefined": NO_BALLOTS}
    scores = complete(answers, questions)
    if scores is None:
        return {"undefined": NO_BALLOTS}
    told = reliability(scores, seed) if len(scores) > 1 else Reliability(why=NO_BALLOTS)
    (alpha_low, alpha_high), (omega_low, omega_high) = (
        each or (None, None) for each in (told.alpha_ends, told.omega_ends)
    )
    return {
        "n_complete": len(scores), "alpha": told.alpha, "alpha_low": alpha_low, "alpha_high": alpha_high,
        "omega": told.omega, "omega_low": omega_low, "omega_high": omega_high, "undefined": told.why,
    }  # fmt: skip


def complete(answers: pl.DataFrame, questions: pl.DataFrame) -> np.ndarray | None:
    """Scores of those who scored all questions, turned where reversed: (persons, questions).

    Args:
        answers: As `Answer`.
        questions: `question_id`, `low`, `high`, `is_reversed`.

    Returns:
        None where it is not known which answers were given together.
    """
    given = answers.filter(pl.col("ballot").is_not_null(), pl.col("score").is_not_null())
    if given.is_empty():
        return None
    names = questions["question_id"].to_list()
    wide = given.filter(pl.col("question_id").is_in(names)).pivot("question_id", index="ballot", values="score")
    if not set(names) <= set(wide.columns):
        return np.zeros((0, len(names)))
    score = {name: pl.col(name).cast(pl.Float64) for name in names}
    for row in questions.filter("is_reversed").iter_rows(named=True):
        score[row["question_id"]] = row["low"] + row["high"] - score[row["question_id"]]
    return wide.sort("ballot").select(**score).drop_nulls().to_numpy()
