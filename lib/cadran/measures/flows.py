"""Where deals go from each stage, and how long they stayed before: the arrows of a process map."""

from collections.abc import Sequence
from dataclasses import replace

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, Rival, measure
from cadran.measures.counting import count, grouped, small, total
from cadran.measures.visits import NEEDS_STAGES, visits
from cadran.tables.measured.audit import StageFlows

#: Microseconds.
_DAY = 86_400_000_000
_WAYS = ("from_stage", "to_stage", "to_kind")


def moves(book: Book, question: Question) -> nw.LazyFrame:
    """What became of the entries into open stages that began in the period, and how deals came to begin in one.

    Returns:
        One row per move: the columns of `by`, `opportunity_id`, `from_stage` (null where the deal begins: created, or
        opened again), `to_stage` (an open stage; null where it closed or is still there), `to_kind` (open, won, lost,
        disqualified, still_there), `stayed_days` in `from_stage`, and `amount_then`, null where unknown.
    """
    stages = book.table("stages").select(to_stage="stage", kind="kind")
    entered = visits(book, question, "opportunity_id")
    ended = entered.with_columns(until=nw.coalesce(nw.col("ended"), nw.lit(book.moment)))
    timed = book.engine.microseconds(ended, {"came": "since", "left": "until"}).join(stages, on="to_stage", how="left")
    went = (
        nw.when(nw.col("ended").is_null())
        .then(nw.lit("still_there"))
        .otherwise(nw.coalesce(nw.col("closed_as"), nw.col("kind")))
    )
    columns = dict.fromkeys((*question.by, "opportunity_id", *_WAYS, "stayed_days", "amount_then"))
    on = timed.with_columns(
        from_stage=nw.col("entered_stage"), to_kind=went, stayed_days=(nw.col("left") - nw.col("came")) / _DAY
    ).with_columns(to_stage=nw.when(nw.col("to_kind") == "open").then(nw.col("to_stage")))
    anytime = replace(question, by=(), where={}, since=None, until=None)
    arrivals = visits(book, anytime, "opportunity_id").filter(
        ~nw.col("ended").is_null() & nw.col("closed_as").is_null()
    )
    began = entered.join(
        arrivals.select("opportunity_id", since="ended"), on=["opportunity_id", "since"], how="anti"
    ).with_columns(
        from_stage=nw.lit(None, nw.String), to_stage=nw.col("entered_stage"), to_kind=nw.lit("open"),
        stayed_days=nw.lit(None, nw.Float64), amount_then=nw.lit(None, nw.Float64),
    )  # fmt: skip
    return nw.concat([on.select(*columns), began.select(*columns)])


def _next_only(book: Book, question: Question) -> float | None:
    """Share of the moves between open stages that go to the stage just after."""
    rows = stage_flows(moves(book, replace(question, by=())), book=book).collect("polars").to_native()
    between = rows.filter(pl.col("from_stage").is_not_null(), to_kind="open")
    n = between["n_moves"].sum()
    return between.filter(~pl.col("is_back") & ~pl.col("is_skip"))["n_moves"].sum() / n if n else None


@measure(
    title="Flows between stages",
    definition=(
        "What became of the entries into each open stage that began in the period, way by way: to another stage, won, "
        "lost, disqualified, or still there at the as-of date; and how deals came into the pipeline, created or opened "
        "again. Moves, the deals that made them, the median days in the stage before the move, and the known amounts "
        "as they were at the end of the stay. What leaves a stage, with what is still there, is what entered it. A "
        "median of one way tells of those that took it: time in stage counts those still there. Deals deleted, merged "
        "or vanished at the source are left out."
    ),
    unit="moves; days; reporting currency",
    source="Counts; van der Aalst (2016), Process Mining, chapter 7: directly-follows graphs",
    returns=StageFlows,
    needs=NEEDS_STAGES,
    answer=lambda book, question: stage_flows(moves(book, question), question.by, book=book, **question.chosen()),
    rivals=(
        Rival(
            "To the next stage alone",
            "Share of the moves between open stages that go to the stage just after: the process as it is drawn.",
            _next_only,
        ),
    ),
)
def stage_flows(moved: nw.LazyFrame, by: Sequence[str] = (), *, book: Book) -> nw.LazyFrame:
    """How many moves deals made each way, after how long, with which amounts.

    Args:
        moved: One row per move, from `moves`.
        by: Columns to group on. Empty gives one row per way.
        book: For the order of the stages.

    Returns:
        One row per group and way, sorted by `by`, the ways in first, then in the order of the pipeline, as
        `StageFlows` has it. The amount is null where none is known.
    """
    is_known = ~nw.col("amount_then").is_null()
    counted = small(
        grouped(
            moved,
            [*by, *_WAYS],
            nw.len().cast(nw.Int64).alias("n_moves"),
            nw.col("opportunity_id").n_unique().cast(nw.Int64).alias("n_deals"),
            nw.col("stayed_days").median().alias("median_days"),
            total(is_known, "amount_then", "amount"),
            count(~is_known, "n_unknown_amount"),
        )
    )
    stages = small(book.table("stages"))
    place = stages.select("stage", "position")
    placed = counted.join(place.rename({"stage": "from_stage", "position": "from_place"}), on="from_stage", how="left")
    placed = placed.join(place.rename({"stage": "to_stage", "position": "to_place"}), on="to_stage", how="left")
    return nw.from_native(_drawn(placed, stages.filter(kind="open"), by).lazy())


def _drawn(placed: pl.DataFrame, stages: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The ways in order, with whether each goes back, or skips an open stage."""
    is_between = (pl.col("position") > pl.col("from_place")) & (
        (pl.col("to_kind") == "won") | (pl.col("position") < pl.col("to_place"))
    )
    over = placed.select(*by, *_WAYS, "from_place", "to_place").join(stages.select("position"), how="cross")
    skips = over.filter(is_between & pl.col("from_place").is_not_null()).select(*by, *_WAYS).unique()
    flagged = placed.join(
        skips.with_columns(is_skip=pl.lit(True)), on=[*by, *_WAYS], how="left", nulls_equal=True
    ).with_columns(
        pl.col("is_skip").fill_null(False),
        is_back=(pl.col("to_place") <= pl.col("from_place")).fill_null(False),
        amount=pl.when(pl.col("n_unknown_amount") < pl.col("n_moves")).then("amount"),
        order=pl.col("to_kind").replace_strict(
            ["open", "won", "lost", "disqualified", "still_there"], range(5), return_dtype=pl.Int64
        ),
    )
    order = [*by, "from_place", "from_stage", "order", "to_place", "to_stage"]
    return flagged.sort(order, nulls_last=False).select(*by, *StageFlows.column_names())
