"""The paths that closed deals took through the pipeline: which sequences of stages, and returns to where they had been."""

from collections.abc import Sequence
from dataclasses import replace

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, Rival, deals_for, measure
from cadran.measures.counting import grouped, small, with_share
from cadran.measures.visits import NEEDS_STAGES, open_stages, visits, whole_lives
from cadran.tables.deals import CLOSED
from cadran.tables.measured.audit import PathVariants

#: Steps of a path that are told apart; what comes after them is "…".
MOST_STEPS = 20
#: Microseconds.
_DAY = 86_400_000_000


def closed_lives(book: Book, question: Question, *columns: str) -> nw.LazyFrame:
    """The deals closed in the period, one row each: the columns of `by`, `opportunity_id`, `status`, those `columns`,
    and whether all their stages are known, `is_whole`."""
    deals = deals_for(book, question, "closed", *columns).filter(nw.col("status").is_in(CLOSED))
    told = dict.fromkeys((*question.by, "opportunity_id", "status", *columns))
    return whole_lives(book, deals.select(*told))


def steps(book: Book, question: Question) -> nw.LazyFrame:
    """Every visit to an open stage of the deals that a question keeps, of any period: `opportunity_id`,
    `entered_stage`, `came` and `left` (microseconds since 1970; the moment while it lasts), `step`, its number among
    the deal's visits, and `turn`, its number among those to that stage, from 1 on."""
    anytime = replace(question, by=(), since=None, until=None)
    all_visits = visits(book, anytime, "opportunity_id").with_columns(
        until=nw.coalesce(nw.col("ended"), nw.lit(book.moment))
    )
    numbered = {
        name: nw.col("came").cum_count().over(*of, order_by="came")
        for name, of in {"step": ["opportunity_id"], "turn": ["opportunity_id", "entered_stage"]}.items()
    }
    timed = book.engine.microseconds(all_visits, {"came": "since", "left": "until"})
    return timed.with_columns(**numbered).select("opportunity_id", "entered_stage", "came", "left", *numbered)


@measure(
    title="Paths",
    definition=(
        "The sequences of open stages of the deals closed in the period, from creation to closing, a return being a "
        "further step: how many took each, of all whose stages are known, and how many of them were won, of those won "
        "or lost. The most frequent are told one by one (10 unless said), the others together. Interval: Wilson, 95 %. "
        "A path is what happened to deals, not what was done to them: a longer one also had more time to be won or lost."
    ),
    unit="deals; share, 0 to 1; days",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=PathVariants,
    needs=NEEDS_STAGES,
    answer=lambda book, question: path_variants(
        closed_lives(book, question, "cycle_days"),
        question.by,
        walked=steps(book, question),
        **question.chosen(top=10),
    ),
    rivals=(
        Rival(
            "Deals straight through the pipeline",
            "Share of the deals that crossed every open stage once, in order: any other path counts as disorder.",
            lambda book, question: _straight(book, question),
        ),
    ),
)
def path_variants(deals: nw.LazyFrame, by: Sequence[str] = (), *, walked: nw.LazyFrame, top: int = 10) -> nw.LazyFrame:
    """The most frequent sequences of stages, and all others together.

    Args:
        deals: One row per closed deal, from `closed_lives`, with cycle_days.
        by: Columns to group on. Empty gives one list of paths.
        walked: One row per visit, from `steps`.
        top: How many paths are told one by one.

    Returns:
        Per group, sorted by `by`, one row per path, the most frequent first, paths as frequent by name, and one for
        the others, as `PathVariants` has it.
    """
    counted = _counted(deals, by, walked).with_columns(known=pl.col("path") != "")
    keys: list[str | pl.Expr] = [*by] or [pl.lit(0).alias("all")]
    sized = counted.filter("known").group_by(*by, "path").agg(pl.col("n").cast(pl.Int64).sum())
    place = pl.struct(-pl.col("n"), "path").rank("ordinal").cast(pl.Int64)
    placed = sized.select(*by, "path", place=place.over(keys))
    is_told = pl.col("place") <= top
    shown = counted.join(placed, on=[*by, "path"], how="left", nulls_equal=True).with_columns(
        path=pl.when(is_told).then("path"), rank=pl.when(is_told).then("place").otherwise(0)
    )
    won, lost, disqualified = (pl.col("n").filter(pl.col("known"), status=status).sum() for status in CLOSED)
    rows = (
        shown.group_by(*by, "rank", "path")
        .agg(
            n_variants=pl.col("place").drop_nulls().n_unique(), n_deals=pl.col("n").filter("known").sum(),
            n_unknown=pl.col("n").filter(~pl.col("known")).sum(), n_won=won, n_lost=lost, n_disqualified=disqualified,
            median_days=pl.col("cycle_days").filter("known").repeat_by(pl.col("n").filter("known")).explode().median(),
        )
        .with_columns(n_all=pl.col("n_deals").sum().over(keys), n_unknown=pl.col("n_unknown").sum().over(keys))
        .filter((pl.col("n_deals") > 0) | (pl.col("n_all") == 0))
        .sort(*by, pl.col("rank") == 0, "rank")
        .with_columns(n_so_far=pl.col("n_deals").cum_sum().over(keys), n_closed=pl.col("n_won") + pl.col("n_lost"))
        .with_columns(cumulative_share=pl.when(pl.col("n_all") > 0).then(pl.col("n_so_far") / pl.col("n_all")))
    )  # fmt: skip
    counts = pl.col("rank", "^n_.*$").cast(pl.Int64)
    shares = with_share(nw.from_native(rows.with_columns(counts).lazy()), "n_deals", "n_all", "deals_share")
    return with_share(shares, "n_won", "n_closed", "win_rate").select(*by, *PathVariants.column_names())


def _counted(deals: nw.LazyFrame, by: Sequence[str], walked: nw.LazyFrame) -> pl.DataFrame:
    """How many deals took each path, by status and days from creation to closing. A path not all known is ""."""
    places = [f"step_{number}" for number in range(1, MOST_STEPS + 1)]
    further = nw.when(nw.col("step") == MOST_STEPS + 1).then(nw.lit("…")).max().alias("further")
    taken = (
        nw.when(nw.col("step") == number).then(nw.col("entered_stage")).max().alias(name)
        for number, name in enumerate(places, start=1)
    )
    paths = walked.group_by("opportunity_id").agg(*taken, further)
    path = nw.concat_str(*places, "further", separator=" → ", ignore_nulls=True)
    named = deals.join(paths.select("opportunity_id", path=path), on="opportunity_id", how="left")
    known = nw.when(nw.col("is_whole") & ~nw.col("path").is_null()).then(nw.col("path")).otherwise(nw.lit(""))
    return small(
        grouped(
            named.with_columns(path=known), [*dict.fromkeys((*by, "path", "status", "cycle_days"))], nw.len().alias("n")
        )
    )


def _straight(book: Book, question: Question) -> float | None:
    """Share of the closed deals whose stages are all known that crossed each open stage once, in order."""
    counted = _counted(closed_lives(book, replace(question, by=()), "cycle_days"), (), steps(book, question))
    known, path = counted.filter(pl.col("path") != ""), " → ".join(open_stages(book)["stage"])
    share: float | None = known.select(pl.col("n").filter(path=path).sum() / pl.col("n").sum()).item()
    return share if known.height else None
