"""What becomes of deals in each open stage of the pipeline, and how long they stay in it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import MEASURES, Question, Rival, measure
from cadran.measures.counting import count, grouped, small, with_share
from cadran.measures.lines import every_line
from cadran.measures.survival import Incidence
from cadran.measures.visits import NEEDS_STAGES, followed_day, open_stages, visits
from cadran.tables.measured.stages import StageConversion, StageDwell

_FATES = ("forward", "won", "back", "lost", "disqualified", "still_there")
_QUARTILES = {"dwell_p25_days": 0.25, "dwell_median_days": 0.5, "dwell_p75_days": 0.75}
#: Microseconds.
_HOUR = 3_600_000_000


def _lines(counted: pl.DataFrame, by: Sequence[str], book: Book) -> pl.DataFrame:
    """Each group with each open stage, in the order of the pipeline, 0 where nothing entered."""
    stages = small(book.table("stages")).sort("position", "stage")
    is_line = (pl.col("kind") == "open") | pl.col("stage").is_in(counted["entered_stage"].unique().to_list())
    lines = every_line(counted, by, stages.filter(is_line).select(entered_stage="stage"))
    return lines.with_columns(followed_since=pl.lit(followed_day(book), pl.Date))


def _pooled(question: Question) -> Question:
    """The same deals and days, in one group."""
    return replace(question, by=())


def _of_those_that_left(book: Book, question: Question) -> float | None:
    """Moved on or won, of the entries into the first stage that left it."""
    rows = MEASURES["stage_conversion"].ask(book, _pooled(question)).head(1).rows(named=True)
    n_left = sum(row["n_entered"] - row["n_still_there"] for row in rows)
    return sum(row["n_forward"] + row["n_won"] for row in rows) / n_left if n_left else None


def _side_by_side(book: Book, question: Question) -> float | None:
    """Deals now in the second open stage, for one in the first."""
    deals = question.keeps(book.deals(["status", "stage", *question.where], question.organisation))
    counted = small(grouped(deals.filter(nw.col("status") == "open"), ["stage"], nw.len().alias("n")))
    there = dict(counted.iter_rows())
    first, second = [*(there.get(stage, 0) for stage in open_stages(book)["stage"].head(2)), 0, 0][:2]
    return second / first if first else None


def _median_visit(n: str) -> Callable[[Book, Question], float | None]:
    """Median days of the visits to the first stage counted in a column of `stay_clock`."""

    def of(book: Book, question: Question) -> float | None:
        clock = stay_clock(visits(book, _pooled(question)), ["entered_stage"], book)
        first = clock.filter(pl.col("entered_stage").is_in(open_stages(book)["stage"].head(1)))
        return first.select(pl.col("time").repeat_by(n).explode().median()).item()

    return of


@measure(
    title="Stage conversion",
    definition=(
        "What became of the entries into each open stage in the period, as far as known at the as-of date: moved on to "
        "a later stage, won, moved back, lost or disqualified from there, or still there. A deal that comes back to a "
        "stage enters it again; creation is an entry. Skipping a stage is no entry into it: those that skip, and those "
        "that pass over, are counted apart. Share that moved on, or was won, of all entries; interval: Wilson, 95 %, "
        "each entry for itself. Deals deleted, merged or vanished at the source are left out."
    ),
    unit="entries; share, 0 to 1",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=StageConversion,
    needs=NEEDS_STAGES,
    answer=lambda book, question: stage_conversion(visits(book, question), question.by, book=book),
    rivals=(
        Rival(
            "Moved on, of those that left",
            "Entries still there are left out: a stage where deals rot looks like one they cross. Of the first stage.",
            _of_those_that_left,
        ),
        Rival(
            "Stages side by side",
            "Deals now in the second stage ÷ deals now in the first: other deals, and a stage where they linger "
            "looks like one that many reach.",
            _side_by_side,
        ),
    ),
)
def stage_conversion(entered: nw.LazyFrame, by: Sequence[str] = (), *, book: Book) -> nw.LazyFrame:
    """Where the deals that entered each open stage went.

    Args:
        entered: One row per visit, from `visits`.
        by: Columns to group on. Empty gives one row per stage.
        book: For the order of the stages.

    Returns:
        One row per group and open stage, sorted by `by`, then in the order of the pipeline, as `StageConversion` has
        it: counts of entries, the share from 0 to 1, null where nothing entered.
    """
    ways = [*by, "entered_stage", "to_stage", "closed_as", "lasts"]
    moves = small(grouped(entered.with_columns(lasts=nw.col("ended").is_null()), ways, nw.len().alias("n")))
    stages = small(book.table("stages"))
    moves = (
        moves.join(stages.select(entered_stage="stage", place="position"), on="entered_stage", how="left")
        .join(stages.select(to_stage="stage", to_place="position", kind="kind"), on="to_stage", how="left")
        .with_columns(fate=_fate())
    )
    n_of = {f"n_{fate}": pl.col("n").filter(fate=fate).sum() for fate in _FATES}
    over = _passed_over(moves, stages, by)
    counted = moves.group_by(*by, "entered_stage").agg(n_entered=pl.col("n").sum(), **n_of)
    lines = [*by, "entered_stage"]
    for skipped in over:
        counted = counted.join(skipped, on=lines, how="full", coalesce=True, nulls_equal=True)
    full = _lines(counted.with_columns(pl.exclude(lines).fill_null(0).cast(pl.Int64)), by, book)
    moved_on = nw.from_native(full.lazy()).with_columns(n_on=nw.col("n_forward") + nw.col("n_won"))
    return with_share(moved_on, "n_on", "n_entered", "forward_share").select(*by, *StageConversion.column_names())


def _fate() -> pl.Expr:
    status = pl.coalesce("closed_as", "kind").fill_null("open")
    return (
        pl.when("lasts").then(pl.lit("still_there"))
        .when(status != "open").then(status)
        .when(pl.col("to_place") > pl.col("place")).then(pl.lit("forward"))
        .otherwise(pl.lit("back"))
    )  # fmt: skip


def _passed_over(moves: pl.DataFrame, stages: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How many moves on skipped a stage: by the stage they left (`n_skipping`), and by the one they skipped."""
    on = moves.filter(pl.col("fate").is_in(["forward", "won"])).with_row_index("move")
    is_before_end = (pl.col("fate") == "won") | (pl.col("skipped_place") < pl.col("to_place"))
    between = on.join(stages.filter(kind="open").select(skipped="stage", skipped_place="position"), how="cross").filter(
        (pl.col("skipped_place") > pl.col("place")) & is_before_end
    )
    skipping = between.unique("move").group_by(*by, "entered_stage").agg(n_skipping=pl.col("n").sum())
    passed = between.group_by(*by, entered_stage="skipped").agg(n_passed_over=pl.col("n").sum())
    return skipping, passed


@measure(
    title="Time in stage",
    definition=(
        "Days from the entry of deals into each open stage to their leaving it, whichever way: by when a quarter, half "
        "and three quarters of the visits begun in the period have ended. A visit that still lasts counts with the time "
        "it has lasted by the as-of date, so that deals that linger are not left out. Interval: Brookmeyer and "
        "Crowley, 95 %, each visit for itself. As exact as the source: a book made of daily exports knows the day. "
        "Deals deleted, merged or vanished at the source are left out."
    ),
    unit="days",
    source=(
        "Kaplan and Meier (1958), JASA 53(282); Brookmeyer and Crowley (1982), A confidence interval for the median "
        "survival time, Biometrics 38(1)"
    ),
    returns=StageDwell,
    needs=NEEDS_STAGES,
    answer=lambda book, question: stage_dwell(visits(book, question), question.by, book=book),
    rivals=(
        Rival(
            "Median of the visits that ended",
            "Visits that still last, longer than most, are left out. Of the first stage.",
            _median_visit("n_event"),
        ),
        Rival(
            "Median age of the visits that last",
            "How long the deals there now have been there: none of them has finished. Of the first stage.",
            _median_visit("n_censored"),
        ),
    ),
)
def stage_dwell(entered: nw.LazyFrame, by: Sequence[str] = (), *, book: Book) -> nw.LazyFrame:
    """How long deals stay in each open stage, those still there included.

    Args:
        entered: One row per visit, from `visits`.
        by: Columns to group on. Empty gives one row per stage.
        book: For the order of the stages, and the moment until which visits that last were followed.

    Returns:
        One row per group and open stage, sorted by `by`, then in the order of the pipeline, as `StageDwell` has it.
        Days of 24 hours, counted in hours of the clock; a quantile, or an end of its interval, is null where too few
        visits have ended yet to know it.
    """
    lines = [*by, "entered_stage"]
    clock = stay_clock(entered, lines, book)
    measured = clock.group_by(lines).agg(
        n_entered=pl.sum_horizontal("n_event", "n_censored").sum(),
        n_left=pl.col("n_event").sum(),
        n_still_there=pl.col("n_censored").sum(),
    )
    groups = clock.partition_by(lines, maintain_order=True)
    quartiles = [{name: group[name][0] for name in lines} | _quartiles(group) for group in groups]
    types = pl.Schema({name: clock.schema[name] for name in lines} | _QUARTILE_TYPES)
    known = pl.DataFrame(quartiles, schema=types, orient="row")
    full = _lines(measured, by, book).join(known, on=lines, how="left", nulls_equal=True, maintain_order="left")
    return nw.from_native(full.lazy()).select(*by, *StageDwell.column_names())


_QUARTILE_TYPES: dict[str, pl.DataType] = {
    f"{name}{end}": pl.Float64() for name in _QUARTILES for end in ("", "_low", "_high")
}


def stay_clock(entered: nw.LazyFrame, lines: Sequence[str], book: Book) -> pl.DataFrame:
    """How many visits ended, or still last, after so many days (`time`)."""
    until = nw.coalesce(nw.col("ended"), nw.lit(book.moment))
    timed = book.engine.microseconds(entered.with_columns(until=until), {"began": "since", "stopped": "until"})
    timed = timed.with_columns(hours=nw.col("stopped") // _HOUR - nw.col("began") // _HOUR)
    lasts = nw.col("ended").is_null()
    clock = small(grouped(timed, [*lines, "hours"], count(~lasts, "n_event"), count(lasts, "n_censored")))
    return clock.select(pl.exclude("hours"), n_other=pl.lit(0), time=pl.col("hours") / 24)


def _quartiles(clock: pl.DataFrame) -> dict[str, float | None]:
    curve = Incidence.of(clock)
    found = {name: curve.quantile(share) for name, share in _QUARTILES.items()}
    return {
        f"{name}{end}": value
        for name, estimate in found.items()
        for end, value in zip(("", "_low", "_high"), estimate, strict=True)
    }
