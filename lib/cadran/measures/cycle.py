"""How long deals take: the cycle of those that closed, and the time to close of all, open ones included."""

from collections.abc import Callable, Sequence

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import MEASURES, Need, Question, Rival, deals_for, measure
from cadran.measures.counting import count, described, grouped, per_group, small
from cadran.measures.survival import Incidence
from cadran.tables.measured.cycle import Cycle, TimeToClose

_CLOSED = ("won", "lost")
_QUARTILES = {"p25_days": 0.25, "median_days": 0.5, "p75_days": 0.75}


def created_in(book: Book, question: Question, *columns: str) -> nw.LazyFrame:
    """The deals created in the period, and those of which the creation date is not known."""
    deals = deals_for(book, question, "all", "created_date", "cycle_days", "age_days", *columns)
    return deals.filter(question.days("created_date") | nw.col("created_date").is_null())


def fates(deals: nw.LazyFrame, by: Sequence[str]) -> pl.DataFrame:
    """How many deals were won, lost, still open or disqualified at each age.

    Returns:
        One row per group and `time` (days from creation to closing, or to the moment for open deals; null without
        a creation date), sorted: `n_won`, `n_lost`, `n_open`, `n_disqualified`.
    """
    aged = deals.with_columns(time=nw.coalesce(nw.col("cycle_days"), nw.col("age_days")))
    statuses = (*_CLOSED, "open", "disqualified")
    return small(grouped(aged, [*by, "time"], *(count(nw.col("status") == name, f"n_{name}") for name in statuses)))


def _median_with_open(book: Book, question: Question) -> float | None:
    measured = MEASURES["time_to_close"].ask(book, question)
    return None if measured.is_empty() else measured["median_days"][0]


def _of_closed(column: str, outcomes: Sequence[str]) -> Callable[[Book, Question], float | None]:
    def value(book: Book, question: Question) -> float | None:
        deals = book.deals(["status", "cycle_days", "created_date", *question.where])
        created = question.keeps(deals).filter(nw.col("status").is_in(outcomes) & question.days("created_date"))
        return book.collect(described(created, (), "cycle_days", "days"))[column][0]

    return value


@measure(
    title="Sales cycle",
    definition=(
        "Days from creation to closing of the deals closed in the period, won and lost apart; a reopened deal counts "
        "its total elapsed time. Deals without a creation date are counted apart. Open deals are not in it: see time "
        "to close. Interval of the mean: Hall's, for skewed values, 95 %, from 10 deals on."
    ),
    unit="days",
    source="Hall (1992), On the removal of skewness by transformation, JRSS B 54(1)",
    returns=Cycle,
    needs=(Need("status"), Need("cycle_days", _CLOSED)),
    window="closed",
    rivals=(
        Rival(
            "Median time to close, open deals included",
            "Half of the deals created in the period have closed by then: slow deals that are still open count too.",
            _median_with_open,
        ),
    ),
)
def cycle(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Days from creation to closing, won and lost apart.

    Args:
        deals: One row per deal, from `Book.deals()`: status, cycle_days and the columns of `by`.
        by: Columns to group on. Empty gives one row per outcome.

    Returns:
        One row per group and `outcome` with a closed deal, sorted by both, as `Cycle` has it.
    """
    closed = deals.filter(nw.col("status").is_in(_CLOSED)).with_columns(outcome=nw.col("status"))
    return described(closed, [*by, "outcome"], "cycle_days", "days").select(*by, *Cycle.column_names())


@measure(
    title="Time to close",
    definition=(
        "Days by which a quarter, half and three quarters of the deals created in the period have closed, won or lost. "
        "A deal still open counts with the age it has reached, so that slow deals are not left out. Interval: "
        "Brookmeyer and Crowley, 95 %."
    ),
    unit="days",
    source=(
        "Kaplan and Meier (1958), JASA 53(282); Brookmeyer and Crowley (1982), A confidence interval for the median "
        "survival time, Biometrics 38(1)"
    ),
    returns=TimeToClose,
    needs=(Need("status"), Need("created_date")),
    answer=lambda book, question: time_to_close(
        created_in(book, question, "status"), question.by, **question.chosen_for(time_to_close)
    ),
    rivals=(
        Rival(
            "Mean of the closed deals",
            "Mean cycle of the deals created in the period and closed since: the open ones, slower, are left out.",
            _of_closed("mean_days", _CLOSED),
        ),
        Rival(
            "Median of the closed deals",
            "Median cycle of the deals created in the period and closed since: the open ones, slower, are left out.",
            _of_closed("median_days", _CLOSED),
        ),
        Rival(
            "Mean of the won deals",
            "Mean cycle of the deals created in the period and won since: lost and open ones are left out.",
            _of_closed("mean_days", ("won",)),
        ),
    ),
)
def time_to_close(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Days by which a share of the deals has closed, open deals included.

    Args:
        deals: One row per deal, from `Book.deals()`: status, cycle_days, age_days and the columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.

    Returns:
        One row per group, sorted by `by`, as `TimeToClose` has it. Disqualified deals are left out. A quantile, or
        an end of its interval, is null where too few deals have closed yet to know it.
    """
    return per_group(fates(deals, by), by, TimeToClose, _quartiles)


def _quartiles(fate: pl.DataFrame) -> dict[str, float | None]:
    known = fate.filter(pl.col("time").is_not_null())
    curve = Incidence.of(
        known.select("time", n_event=pl.col("n_won") + pl.col("n_lost"), n_other=pl.lit(0), n_censored="n_open")
    )
    counts = ("n_won", "n_lost", "n_open")
    row: dict[str, float | None] = known.select(counts).sum().row(0, named=True)
    row["n_unknown"] = fate.filter(pl.col("time").is_null()).select(pl.sum_horizontal(counts).sum()).item()
    for name, share in _QUARTILES.items():
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), curve.quantile(share), strict=True))
    return row
