"""Who answered a pulse survey, its eNPS and what people agree with: counts and shares of what was released."""

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, measure
from cadran.measures.enps_interval import (
    enps_interval,
    enps_interval_of_all,
    mean_interval,
    share_interval,
    share_interval_of_all,
)
from cadran.measures.pulse import IS_EXACT, KINDS_OF_SHARE, PULSE, REPAIR, SAME_GROUP, cells, exact, groups, measured
from cadran.measures.pulse_points import series
from cadran.tables.measured.pulse import Enps, FavourableShare, Participation
from cadran.tables.pulse import ENPS


@measure(
    title="Participation",
    definition=(
        "Answered ÷ invited when the wave opened, of the last wave unless waves or days are named. With it, what the eNPS "
        "and the mean favourable share of the questions told exactly would be if all who gave no score were unhappy, or "
        "happy: silence may not be by chance, and no interval knows it. Null where it is not known who was invited, or a "
        "wave asks for two eNPS. By one cut at a time, as released: small groups are merged. Interval: Wilson, 95 %."
    ),
    unit="persons; share, 0 to 1; points, −100 to 100",
    source="Wilson (1927), JASA 22(158); bounds without assumptions: Manski (1989), Journal of Human Resources 24(3)",
    returns=Participation,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: participation(book, question),
)
def participation(book: Book, question: Question) -> nw.LazyFrame:
    """Who answered, and what the scores would be had the silent answered.

    Args:
        book: At its moment.
        question: At most one cut. No option.

    Returns:
        One row per wave and released group, as `Participation` has it.
    """
    question.chosen()
    rows = groups(book, question)
    low, high = share_interval(*exact(rows, "n_answered", "n_invited"))
    told = rows.with_columns(
        participation_share=pl.col("n_answered") / pl.col("n_invited"),
        participation_share_low=series(low),
        participation_share_high=series(high),
    )
    key = ["asked_in", *SAME_GROUP]
    everyone, whole = pl.col("n_invited"), cells(book, question)
    silent = everyone - pl.col("n")
    ends = {
        "enps_worst": 100 * (pl.col("n_high") - pl.col("n_low") - silent) / everyone,
        "enps_best": 100 * (pl.col("n_high") + silent - pl.col("n_low")) / everyone,
    }
    shares = {
        "favourable_worst_share": pl.col("n_high") / everyone,
        "favourable_best_share": (pl.col("n_high") + silent) / everyone,
    }
    enps_cells, share_cells = (
        whole.filter(pl.col("kind").is_in(ENPS)),
        whole.filter(IS_EXACT, ~pl.col("kind").is_in(ENPS)),
    )
    one = enps_cells.group_by(key).agg(
        pl.when(pl.len() == 1, IS_EXACT.all()).then(end.first()).alias(name) for name, end in ends.items()
    )
    mean = share_cells.group_by(key).agg(end.mean().alias(name) for name, end in shares.items())
    told = told.join(one, on=key, how="left", nulls_equal=True).join(mean, on=key, how="left", nulls_equal=True)
    return measured(told.sort(*question.by, "asked_in", nulls_last=False), question, Participation)


@measure(
    title="eNPS",
    definition=(
        "Employee net promoter score: the share of those who would recommend the company with 9 or 10 less the share of "
        "those with 6 or less, in points from −100 to 100; of the last wave unless waves or days are named. A scale of 0 "
        "to 10 and one of 1 to 10 are never pooled. Two intervals, 95 %: of the process (what so many answers tell of how "
        "it is to work here; docs/enps.md), and of all invited, if the silent are as those who answered: it is the score "
        "itself where all did. By one cut at a time, as released: small groups are merged, and where nearly all agree only "
        "a band of the share of promoters is told."
    ),
    unit="points, −100 to 100; persons",
    source=(
        "Profile likelihood of a linear function of multinomial shares: Venzon & Moolgavkar (1988), Applied Statistics "
        "37:87; Tango (1998), Statistics in Medicine 17:891"
    ),
    returns=Enps,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: enps(book, question),
)
def enps(book: Book, question: Question) -> nw.LazyFrame:
    """Promoters less detractors, with the intervals of the process and of all invited.

    Args:
        book: At its moment.
        question: At most one cut. No option.

    Returns:
        One row per wave, eNPS question and released group, as `Enps` has it.
    """
    question.chosen()
    rows = cells(book, question, ENPS)
    counts = exact(rows, "n_high", "n_middle", "n_low")
    low, high = enps_interval(*counts)
    all_low, all_high = enps_interval_of_all(*counts, *exact(rows, "n_invited"))
    told = rows.with_columns(
        n_scores="n", n_promoters="n_high", n_passives="n_middle", n_detractors="n_low",
        enps=100 * (pl.col("n_high") - pl.col("n_low")) / pl.col("n"),
        enps_low=series(low), enps_high=series(high), enps_all_low=series(all_low), enps_all_high=series(all_high),
    )  # fmt: skip
    return measured(told, question, Enps)


@measure(
    title="Favourable share",
    definition=(
        "Of the scores given to each question, the favourable, neutral and unfavourable ones (the top two, the middle and "
        "the bottom two of five, or as the question declares), and the mean; reversed questions are turned, so that high "
        "is good; not applicable counts nowhere. Of the last wave unless waves or days are named. Intervals, 95 %: Wilson, "
        "of the process and of all invited; the mean by Student, with the greatest spread that the counts told allow. By "
        "one cut at a time, as released: small groups are merged, and where nearly all agree only a band is told."
    ),
    unit="share, 0 to 1; persons; points of the scale",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=FavourableShare,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: favourable_share(book, question),
)
def favourable_share(book: Book, question: Question) -> nw.LazyFrame:
    """How many agreed with each question, and the mean score.

    Args:
        book: At its moment.
        question: At most one cut. No option. Grouped by dimension, questions stay apart: `dimension_index` joins them.

    Returns:
        One row per wave, question and released group, as `FavourableShare` has it.
    """
    question.chosen()
    rows = cells(book, question, KINDS_OF_SHARE)
    part, whole = exact(rows, "n_high", "n")
    low, high = share_interval(part, whole)
    all_low, all_high = share_interval_of_all(part, whole, *exact(rows, "n_invited"))
    mean_low, mean_high = mean_ends(rows)
    told = rows.with_columns(
        n_scores="n", n_favourable="n_high", n_neutral="n_middle", n_unfavourable="n_low",
        favourable_share=pl.col("n_high") / pl.col("n"), favourable_share_low=series(low),
        favourable_share_high=series(high), favourable_all_share_low=series(all_low),
        favourable_all_share_high=series(all_high), neutral_share=pl.col("n_middle") / pl.col("n"),
        unfavourable_share=pl.col("n_low") / pl.col("n"), mean_score=pl.col("score_sum") / pl.col("n"),
        mean_score_low=series(mean_low), mean_score_high=series(mean_high),
    )  # fmt: skip
    return measured(told, question, FavourableShare)


def mean_ends(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the mean score of each cell, in its scale; nan where it is not told exactly."""
    low, high, favourable, unfavourable = exact(rows, "low", "high", "favourable_from", "unfavourable_to")
    bands = [(low, unfavourable), (unfavourable + 1, favourable - 1), (favourable, high)]
    counts = np.stack(exact(rows, "n_low", "n_middle", "n_high"), axis=-1)
    scores = np.stack([np.stack(band, axis=-1) for band in bands], axis=-2)
    (total,) = exact(rows, "score_sum")
    return mean_interval(total, counts, scores)
