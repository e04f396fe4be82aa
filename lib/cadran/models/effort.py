"""How many hours things take: a lever, and what is left of a deal, from the durations the book logged or stated ones."""

from datetime import timedelta
from functools import lru_cache

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question
from cadran.measures.signals_learnt import in_polars
from cadran.measures.visits import visits

#: Minutes that a touch is taken to last where fewer than `LEAST` of its kind were timed.
MINUTES = {"email": 10.0, "call": 20.0, "meeting": 60.0, "demo": 60.0, "message": 5.0, "task": 20.0, "other": 10.0}
#: The touches that each lever takes: to write a date anew only tidies the source, and to stop takes none.
TOUCHES = {
    "answer": ("call",),
    "meet": ("meeting",),
    "decision_maker": ("call", "meeting"),
    "contact": ("call",),
    "redate": ("other",),
    "stop": (),
}
#: An assumption: hours a deal needs yet where the book tells of no touch, or of too few won deals.
HOURS_LEFT = 8.0
#: Timed touches, and won deals, without which a mean is not told.
LEAST = 30
#: The latest touches and won deals are what counts.
LENGTH, MOST_WON = timedelta(days=2 * 364), 5_000
_DEAL = "opportunity_key"


@lru_cache(maxsize=8)
def minutes(book: Book) -> pl.DataFrame:
    """How long touches of each kind last: the mean of those timed in the last two years, of people.

    Returns:
        One row per kind of `MINUTES`: `kind`, `minutes`, `n_timed`, and `is_stated`: whether it is the stated default.
    """
    is_human = ~nw.col("is_automatic").fill_null(False)
    touches = in_polars(book).table("activities").filter(~nw.col("duration_minutes").is_null(), is_human)
    recent = touches.filter(nw.col("at") > book.moment - LENGTH, nw.col("at") <= book.moment)
    timed = book.collect(recent.select("kind", "duration_minutes")).with_columns(pl.col("kind").cast(pl.String))
    means = timed.group_by("kind").agg(mean=pl.col("duration_minutes").mean(), n_timed=pl.len().cast(pl.Int64))
    told = pl.DataFrame({"kind": list(MINUTES), "stated": list(MINUTES.values())}).join(means, on="kind", how="left")
    n_timed = pl.col("n_timed").fill_null(0)
    return told.select(
        "kind", pl.when(n_timed >= LEAST).then("mean").otherwise("stated").alias("minutes"), n_timed,
        is_stated=n_timed < LEAST,
    )  # fmt: skip


def hours_of(book: Book) -> dict[str, float]:
    """Hours that each lever takes, without the way there and back."""
    each = dict(minutes(book).select("kind", "minutes").iter_rows())
    return {lever: sum(each[kind] for kind in kinds) / 60 for lever, kinds in TOUCHES.items()}


@lru_cache(maxsize=8)
def hours_left(book: Book) -> pl.DataFrame:
    """Hours of work that deals won in the last two years still took, from a moment drawn in their stay in a stage.

    All touches that no machine sent count, at `minutes` where they were not timed; what is logged is all there is.

    Returns:
        One row per stage that `LEAST` won deals or more came through, and one for any stage, whose `stage` is null:
        `hours_left`, the mean of the won deals; `n_won`; `is_stated`, whether it is the stated default.
    """
    view = in_polars(book)
    won = view.collect(view.deals([_DEAL, "status", "closed_at"]).filter(nw.col("status") == "won"))
    latest = won.filter(pl.col("closed_at") > book.moment - LENGTH).sort("closed_at", _DEAL).tail(MOST_WON)
    keys = latest.select(pl.col(_DEAL).cast(pl.Int64))
    spent, n_told = _spent(view, keys)
    came = view.collect(visits(view, Question(), _DEAL)).with_columns(pl.col(_DEAL).cast(pl.Int64))
    stays = came.join(keys, on=_DEAL, how="semi").filter(pl.col("ended") > pl.col("since"))
    stays = stays.select(_DEAL, "since", "ended", stage=pl.col("entered_stage").cast(pl.String)).with_row_index("stay")
    share = (pl.col("at") - pl.col("since")) / (pl.col("ended") - pl.col("since"))
    later = stays.join(spent, on=_DEAL).group_by("stay").agg(hours=(share.clip(0, 1) * pl.col("hours")).sum())
    of_stay = stays.join(later, on="stay", how="left").with_columns(pl.col("hours").fill_null(0))
    left = {"hours_left": pl.col("hours").mean(), "n_won": pl.col(_DEAL).n_unique().cast(pl.Int64)}
    by_stage = of_stay.group_by("stage").agg(**left).filter(pl.col("n_won") >= LEAST).sort("stage")
    overall = of_stay.select(pl.lit(None, pl.String).alias("stage"), **left).head(1)
    if not n_told or overall["n_won"].sum() < LEAST:
        stated = {"stage": None, "hours_left": HOURS_LEFT, "n_won": overall["n_won"].sum(), "is_stated": True}
        return pl.DataFrame([stated], schema={**overall.schema, "is_stated": pl.Boolean})
    return pl.concat([overall, by_stage]).with_columns(is_stated=pl.lit(False))


def _spent(view: Book, keys: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The touches of some deals: `opportunity_key`, `at`, `hours`; and how many there are."""
    touches = view.table("activities").filter(nw.col("at") <= view.moment)
    own = touches.select(_DEAL, "at", "kind", "is_automatic", "duration_minutes").to_native()
    lazy: pl.LazyFrame = own.with_columns(pl.col(_DEAL).cast(pl.Int64)).join(keys.lazy(), on=_DEAL, how="semi")
    told = lazy.filter(~pl.col("is_automatic").fill_null(False)).collect()
    each = pl.col("kind").cast(pl.String).replace_strict(
        dict(minutes(view).select("kind", "minutes").iter_rows()), return_dtype=pl.Float64
    )  # fmt: skip
    return told.select(_DEAL, "at", hours=pl.coalesce("duration_minutes", each) / 60), told.height
