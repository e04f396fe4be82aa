"""Series over time, with what the team did marked on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import Z95, count, grouped, small, total, with_share
from cadran.measures.lines import every_line
from cadran.measures.periods import ends, period, seen_on, start_of
from cadran.tables.measured.trend import Trend

#: The deal column that says whether a deal is in an action's scope.
SCOPE_COLUMNS = {"region": "region", "team": "team", "rep": "rep_id"}


def _series(book: Book, question: Question) -> nw.LazyFrame:
    """Deals closed in each month (option every: week, quarter): by default of the last 24 complete months."""
    every = question.chosen(every="month")["every"]
    since, until = period(book, question, months=24)
    days = ends(book, since, until, every)
    book, by = seen_on(book, until), question.by
    facts = ["status", "amount", "closed_date", f"closed_{every}", *question.columns]
    deals = question.keeps(book.deals(facts, question.organisation))
    closed = deals.filter(Question(since=since, until=until).days("closed_date"))
    counted = small(closed_per_period(closed.with_columns(period=f"closed_{every}"), by))
    complete = every_line(counted, by, pl.DataFrame({"period": [start_of(day, every) for day in days]}))
    actions = small(book.table("actions").filter(nw.col("date") >= since, nw.col("date") <= until).sort("date"))
    marked = [action | {"period": start_of(action["date"], every)} for action in actions.rows(named=True)]
    told = [_done(row, marked, by, question.where) for row in complete.select(*by, "period").rows(named=True)]
    complete = complete.with_columns(actions=pl.Series(told, dtype=pl.String))
    return trend(nw.from_native(complete.lazy()), by)


def _done(
    row: Mapping[str, Any], actions: Sequence[Mapping[str, Any]], by: Sequence[str], where: Mapping[str, Any]
) -> str | None:
    """The labels of the actions of a row's period that concern its group."""
    labels = []
    for action in actions:
        column = SCOPE_COLUMNS.get(action["scope"])
        theirs = column is None or action["scope_id"] in (
            (row[column],) if column in by else where.get(column, (action["scope_id"],))
        )
        if theirs and action["period"] == row["period"]:
            labels.append(action["label"])
    return "; ".join(labels) or None


def closed_per_period(closed: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Counts, sums and sums of squares of the deals won or lost in each period.

    Args:
        closed: One row per closed deal: period, status, amount and the columns of `by`.
        by: Columns to group on.

    Returns:
        One row per group and period with a deal, sorted.
    """
    won, unknown = nw.col("status") == "won", nw.col("amount").is_null()
    closed = closed.with_columns(square=nw.col("amount") * nw.col("amount"))
    return grouped(
        closed,
        [*by, "period"],
        count(won | (nw.col("status") == "lost"), "n_closed"),
        count(won, "n_won"),
        count(won & unknown, "n_won_unknown"),
        total(won & ~unknown, "amount", "amount_won"),
        total(won & ~unknown, "square", "squares"),
    )


@measure(
    title="Trend",
    definition=(
        "Deals won, signed revenue and win rate of each month, by closing date, with what the team did marked in the "
        "month it took effect. Intervals, 95 %: of the expected number and amount (Poisson, compound Poisson) and of "
        "the win rate (Wilson). Without dates: the last 24 complete months."
    ),
    unit="deals; reporting currency; share, 0 to 1",
    source=(
        "Rao score interval of a Poisson mean; Fay & Feuer (1997), Statistics in Medicine 16:791, effective count of a "
        "weighted sum; Wilson (1927), JASA 22(158)"
    ),
    returns=Trend,
    needs=(Need("status"), Need("closed_date", ("won", "lost")), Need("amount", ("won",))),
    answer=_series,
)
def trend(counted: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Deals won, revenue and win rate of each period, with their intervals.

    Args:
        counted: One row per group and period: what `closed_per_period` gives, and actions.
        by: Columns to group on.

    Returns:
        The same rows in order, as `Trend` has it.

    Source:
        A sum of amounts counts as (Σ amount)² ÷ Σ amount² deals of one size: Fay & Feuer (1997), Statistics in
        Medicine 16:791.
    """
    won = nw.col("amount_won")
    size = nw.when(won > 0).then(nw.col("squares") / nw.when(won > 0).then(won))
    is_known = (nw.col("n_won") == 0) | (nw.col("n_won_unknown") < nw.col("n_won"))
    limits = {}
    for end, sign in (("low", -1), ("high", 1)):
        limits[f"n_won_{end}"] = poisson_end(nw.col("n_won"), sign)
        limits[f"amount_won_{end}"] = size * poisson_end(won / size, sign)
    limits["amount_won"] = nw.when(is_known).then(won)
    return with_share(counted.with_columns(**limits), "n_won", "n_closed", "win_rate").select(
        *by, *Trend.column_names()
    )


def poisson_end(n: nw.Expr, sign: int) -> nw.Expr:
    """One end of the 95 % score interval of a Poisson mean."""
    return nw.max_horizontal(n + Z95**2 / 2 + sign * Z95 * (n + Z95**2 / 4).sqrt(), nw.lit(0.0))
