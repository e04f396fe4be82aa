"""What is typical of deals at a stage: of all that were open in it, and of those of them that have been won since."""

from datetime import datetime, timedelta
from functools import lru_cache

import polars as pl

from cadran.book import Book
from cadran.book.known import kept_from
from cadran.book.landmarks import FACTS, facts_at, open_pairs
from cadran.measures.signals_learnt import in_polars

#: Deals are looked at now, and at the same hour every so often before, so long.
EVERY, LENGTH = timedelta(days=28), timedelta(days=2 * 364)
#: Past looks at most; drawn where there are more.
MOST = 6_000
#: A stage with fewer looks takes what is typical of all.
FEW = 20
_DEAL, _STATUS = "opportunity_key", pl.col("status")


@lru_cache(maxsize=8)
def looks(book: Book) -> pl.DataFrame:
    """The facts of deals while they were open: now, and every four weeks of the two years before.

    Returns:
        One row per look, as `facts_at` gives it, with `is_won`: whether the deal has been won by the book's moment. Of
        past looks `MOST` at most, the same ones each time.
    """
    book = in_polars(book)
    versions = book.collect(book.table("versions").select(_DEAL, "status", "valid_from", "valid_to")).with_columns(
        pl.col(_DEAL).cast(pl.Int64), _STATUS.cast(pl.String)
    )
    open_then, now = versions.filter(status="open"), open_pairs(book)
    past = [now.clear()]
    for at in _past_days(book):
        is_open = (pl.col("valid_from") <= at) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > at))
        past.append(open_then.filter(is_open).select(_DEAL, at=pl.lit(at).cast(now.schema["at"])))
    drawn = pl.concat(past).sort(_DEAL, "at")
    if drawn.height > MOST:
        drawn = drawn.sample(MOST, seed=0)
    told = facts_at(book, pl.concat([now, drawn])).filter(pl.col("opportunity_id").is_not_null())
    won = versions.filter(_STATUS == "won", pl.col("valid_to").is_null())[_DEAL].unique()
    return told.with_columns(is_won=pl.col(_DEAL).is_in(won.implode()))


def _past_days(book: Book) -> list[datetime]:
    kept = kept_from(book)
    days = [book.moment - turn * EVERY for turn in range(1, LENGTH // EVERY + 1)]
    return [day for day in days if kept is None or day >= kept]


def typical(seen: pl.DataFrame) -> pl.DataFrame:
    """The median of each number, and the most frequent value of other facts, by stage.

    A number that more than half of the deals do not have is unknown: typically nobody waits, nobody has met yet.

    Args:
        seen: Looks at deals.

    Returns:
        One row per stage with `FEW` looks or more, and one for all together, whose `stage` is null: each other one of
        `FACTS`, and `n_looks`.
    """
    middles = [_middle(name, seen.schema[name]) for name in FACTS if name != "stage"]
    overall = seen.select(pl.lit(None, pl.String).alias("stage"), *middles, n_looks=pl.len()).head(1)
    by_stage = seen.filter(pl.col("stage").is_not_null()).group_by("stage").agg(*middles, n_looks=pl.len())
    return pl.concat([overall, by_stage.filter(pl.col("n_looks") >= FEW).sort("stage")], how="vertical_relaxed")


def _middle(name: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if kind.is_numeric():
        middle = value.median().round() if kind.is_integer() else value.median()
        return pl.when(value.null_count() * 2 <= pl.len()).then(middle.cast(kind)).alias(name)
    return value.mode().sort(nulls_last=True).first().alias(name)


def beside(facts: pl.DataFrame, middles: pl.DataFrame) -> pl.DataFrame:
    """The row of `typical` that stands for each row of facts, in its order; `of_stage` says whose it is."""
    known = pl.when(pl.col("stage").is_in(middles["stage"].drop_nulls().implode())).then("stage")
    asked = facts.select(of_stage=known)
    return asked.join(
        middles, left_on="of_stage", right_on="stage", how="left", nulls_equal=True, maintain_order="left"
    )
