"""Volumes, amounts and rates of deals."""

from collections.abc import Sequence

import narwhals as nw

from cadran.measures.catalogue import Need, measure
from cadran.tables.measured.opportunities import Volumes, WinRate

#: Normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054


def grouped(frame: nw.LazyFrame, by: Sequence[str], *aggregates: nw.Expr) -> nw.LazyFrame:
    """One row per group, sorted by `by`; one row in all when `by` is empty."""
    return frame.group_by(*by).agg(*aggregates).sort(*by) if by else frame.select(*aggregates)


def count(is_counted: nw.Expr, name: str) -> nw.Expr:
    """How many rows meet a condition, 0 where none does (an empty sum is null in SQL)."""
    return is_counted.cast(nw.Int64).sum().fill_null(0).cast(nw.Int64).alias(name)


@measure(
    title="Volumes",
    definition=(
        "Deals open at the as-of date, and deals won, lost and disqualified in the period, with their known amounts. "
        "Lost deals include those without a decision, which are also shown apart. Unknown amounts are counted, never 0."
    ),
    unit="deals; reporting currency",
    source="Definition",
    returns=Volumes,
    needs=(Need("status"), Need("amount"), Need("is_no_decision")),
    window="standing",
)
def volumes(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Deals and known amounts by status.

    Args:
        deals: One row per deal, from `Book.deals()`: status, amount, is_no_decision and the columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.

    Returns:
        One row per group, sorted by `by`, as `Volumes` has it: counts of deals and sums in the reporting
        currency. An amount is 0 where there is no deal, null where there are some but none has a known amount.
    """
    known = ~nw.col("amount").is_null()
    statuses = {"open": "open", "won": "won", "lost": "lost"}
    aggregates = []
    for name, status in statuses.items():
        here = nw.col("status") == status
        aggregates += [
            count(here, f"n_{name}"),
            nw.when(here).then(nw.col("amount")).otherwise(None).sum().fill_null(0.0).alias(f"amount_{name}"),
            count(here & ~known, f"n_{name}_unknown"),
        ]
    measured = grouped(
        deals,
        by,
        *aggregates,
        count(nw.col("is_no_decision"), "n_no_decision"),
        count(nw.col("status") == "disqualified", "n_disqualified"),
    )
    nothing_known = {
        f"amount_{name}": nw.when(
            (nw.col(f"n_{name}") == 0) | (nw.col(f"n_{name}_unknown") < nw.col(f"n_{name}"))
        ).then(nw.col(f"amount_{name}"))
        for name in statuses
    }
    return measured.with_columns(**nothing_known).select(*by, *Volumes.column_names())


@measure(
    title="Win rate",
    definition=(
        "Won deals ÷ (won + lost) deals, among those closed in the period. Open and disqualified deals count in "
        "neither. Interval: Wilson score, 95 %."
    ),
    unit="share, 0 to 1",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=WinRate,
    needs=(Need("status"), Need("closed_date", ("won", "lost"))),
    window="closed",
)
def win_rate(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Share of closed deals that were won, with its 95 % interval.

    Open and disqualified deals count in neither the numerator nor the denominator.

    Args:
        deals: One row per deal, from `Book.deals()`: status and the columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.

    Returns:
        One row per group, sorted by `by`: `n_closed` (deals), `n_won` (deals), and `win_rate`,
        `win_rate_low`, `win_rate_high` (shares, 0 to 1). A group with no closed deal is absent.

    Source:
        Wilson (1927), score interval for a binomial share, JASA 22(158).
    """
    is_won = nw.col("status") == "won"
    closed = deals.filter(nw.col("status").is_in(["won", "lost"])).with_columns(is_won=is_won.cast(nw.Int64))
    counted = grouped(closed, by, nw.len().cast(nw.Int64).alias("n_closed"), count(nw.col("is_won"), "n_won"))
    return with_share(counted.filter(nw.col("n_closed") > 0), "n_won", "n_closed", "win_rate").select(
        *by, *WinRate.column_names()
    )


def with_share(counted: nw.LazyFrame, part: str, whole: str, name: str) -> nw.LazyFrame:
    """Add a share of counts with its 95 % Wilson interval, as `name`, `name_low`, `name_high`.

    Null where the whole is 0.

    Source:
        Wilson (1927), score interval for a binomial share, JASA 22(158).
    """
    n = nw.when(nw.col(whole) > 0).then(nw.col(whole)).cast(nw.Float64)
    share = nw.col(part) / n
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = (Z95 / (1 + Z95**2 / n)) * (share * (1 - share) / n + Z95**2 / (4 * n * n)).sqrt()
    return counted.with_columns(
        share.alias(name),
        nw.max_horizontal(middle - half, nw.lit(0.0)).alias(f"{name}_low"),
        nw.min_horizontal(middle + half, nw.lit(1.0)).alias(f"{name}_high"),
    )
