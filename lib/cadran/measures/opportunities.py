"""Volumes, amounts and rates of deals."""

from collections.abc import Sequence

import narwhals as nw

from cadran.book import Book
from cadran.measures.catalogue import MEASURES, Need, Question, Rival, measure
from cadran.measures.counting import LEAST_FILLED, count, described, grouped, total, with_share
from cadran.tables.measured.opportunities import (
    DealSize,
    LossRate,
    NoDecisionRate,
    Revenue,
    Volumes,
    WinRate,
)

_CLOSED = ("won", "lost")


@measure(
    title="Volumes",
    definition=(
        "Deals open on the as-of date, not at the end of the period; deals won, lost and disqualified in the period; with "
        "their known amounts. Lost deals include those without a decision, which are also shown apart. Unknown amounts "
        "are counted, never 0."
    ),
    unit="deals; reporting currency",
    source="Definition",
    returns=Volumes,
    needs=(Need("status"), Need("amount"), Need("is_no_decision")),
    window="standing",
    of_persons=True,
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
    statuses = ("open", *_CLOSED)
    aggregates = []
    for name in statuses:
        here = nw.col("status") == name
        aggregates += [
            count(here, f"n_{name}"),
            total(here, "amount", f"amount_{name}"),
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


def _with_open_deals(book: Book, question: Question) -> float | None:
    n = MEASURES["volumes"].ask(book, question)
    return (n["n_won"] / (n["n_won"] + n["n_lost"] + n["n_open"])).fill_nan(None)[0]


def _of_those_created(book: Book, question: Question) -> float | None:
    created = book.deals(["status", "created_date", *question.where]).filter(nw.col("status").is_in(_CLOSED))
    deals = question.keeps(created).filter(question.days("created_date"))
    rate = book.collect(win_rate(deals))
    return None if rate.is_empty() else rate["win_rate"][0]


@measure(
    title="Win rate",
    definition=(
        "Won deals ÷ (won + lost) deals, among those closed in the period. Open and disqualified deals count in "
        "neither. Interval: Wilson score, 95 %."
    ),
    unit="share, 0 to 1",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=WinRate,
    needs=(Need("status"), Need("closed_date", _CLOSED)),
    window="closed",
    rivals=(
        Rival(
            "With open deals",
            "Won ÷ (won + lost + open) deals: it falls whenever the pipeline grows, without any deal being lost.",
            _with_open_deals,
        ),
        Rival(
            "Created in the period, closed since",
            "Won ÷ (won + lost) among the deals created in the period: those not closed yet are left out, and quick "
            "losses or quick wins weigh too much.",
            _of_those_created,
        ),
    ),
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
    counted = _closed(deals, by, count(nw.col("status") == "won", "n_won"))
    return with_share(counted, "n_won", "n_closed", "win_rate").select(*by, *WinRate.column_names())


@measure(
    title="Loss rate",
    definition=(
        "Lost deals ÷ (won + lost) deals, among those closed in the period; deals that ended without a decision are "
        "lost. Interval: Wilson score, 95 %."
    ),
    unit="share, 0 to 1",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=LossRate,
    needs=(Need("status"), Need("closed_date", _CLOSED)),
    window="closed",
)
def loss_rate(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Share of closed deals that were lost, no decision included, with its 95 % interval.

    Args, grain and source as for `win_rate`.

    Returns:
        One row per group with a closed deal, sorted by `by`, as `LossRate` has it.
    """
    counted = _closed(deals, by, count(nw.col("status") == "lost", "n_lost"))
    return with_share(counted, "n_lost", "n_closed", "loss_rate").select(*by, *LossRate.column_names())


@measure(
    title="No-decision rate",
    definition=(
        "Deals lost without a decision ÷ (won + lost) deals, among those closed in the period. Given where at least "
        "80 % of the lost deals say why they were lost, and where some deal of the book says it is for want of a decision. "
        "Interval: Wilson score, 95 %."
    ),
    unit="share, 0 to 1",
    source="Wilson (1927), score interval for a binomial share, JASA 22(158)",
    returns=NoDecisionRate,
    needs=(
        Need("status"),
        Need("is_no_decision", ("lost",), zero_is_unknown=True, once_is_enough=True),
        Need("loss_reason", ("lost",), least_share=LEAST_FILLED),
    ),
    window="closed",
    repair=(
        'Map the reasons for loss, and to "No decision" those that mean it (docs/mapping.md), then import again; '
        "`cadran status` lists what can be had."
    ),
)
def no_decision_rate(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Share of closed deals that ended without a decision, with its 95 % interval.

    Args:
        deals: One row per deal, from `Book.deals()`: status, is_no_decision, loss_reason and the columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.

    Returns:
        One row per group with a closed deal, sorted by `by`, as `NoDecisionRate` has it. The rate is null where
        fewer than 80 % of the group's lost deals say why.
    """
    is_lost = nw.col("status") == "lost"
    counted = _closed(
        deals,
        by,
        count(is_lost, "n_lost"),
        count(nw.col("is_no_decision"), "n_no_decision"),
        count(is_lost & nw.col("loss_reason").is_null(), "n_unknown"),
    )
    is_told = nw.col("n_unknown") <= (1 - LEAST_FILLED) * nw.col("n_lost") + 1e-9
    rated = with_share(counted, "n_no_decision", "n_closed", "no_decision_rate")
    names = [f"no_decision_rate{end}" for end in ("", "_low", "_high")]
    return rated.with_columns(nw.when(is_told).then(nw.col(name)).alias(name) for name in names).select(
        *by, *NoDecisionRate.column_names()
    )


@measure(
    title="Signed revenue",
    definition="Σ amount of the deals won in the period. Won deals without an amount are counted apart, never as 0.",
    unit="reporting currency",
    source="Definition",
    returns=Revenue,
    needs=(Need("status"), Need("amount", ("won",))),
    window="closed",
    of_persons=True,
)
def revenue(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Sum of the known amounts of won deals.

    Args:
        deals: One row per deal, from `Book.deals()`: status, amount and the columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.

    Returns:
        One row per group, sorted by `by`, as `Revenue` has it, in the reporting currency. A group without a won
        deal is absent.
    """
    won, is_known = deals.filter(nw.col("status") == "won"), ~nw.col("amount").is_null()
    counted = grouped(
        won,
        by,
        nw.len().cast(nw.Int64).alias("n_won"),
        count(~is_known, "n_won_unknown"),
        total(is_known, "amount", "revenue"),
    )
    some_known = (nw.col("n_won") == 0) | (nw.col("n_won_unknown") < nw.col("n_won"))
    return counted.with_columns(revenue=nw.when(some_known).then(nw.col("revenue"))).select(
        *by, *Revenue.column_names()
    )


@measure(
    title="Deal size",
    definition=(
        "Mean, median and 90th percentile of the amounts of the deals closed in the period, won and lost apart. Deals "
        "without an amount are counted apart. Interval of the mean: Hall's, for skewed values, 95 %, from 10 deals on."
    ),
    unit="reporting currency",
    source="Hall (1992), On the removal of skewness by transformation, JRSS B 54(1)",
    returns=DealSize,
    needs=(Need("status"), Need("amount", _CLOSED)),
    window="closed",
)
def deal_size(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Size and spread of the amounts of closed deals, won and lost apart.

    Args:
        deals: One row per deal, from `Book.deals()`: status, amount and the columns of `by`.
        by: Columns to group on. Empty gives one row per outcome.

    Returns:
        One row per group and `outcome` with a closed deal, sorted by both, as `DealSize` has it, in the reporting
        currency.
    """
    closed = deals.filter(nw.col("status").is_in(_CLOSED)).with_columns(outcome=nw.col("status"))
    return described(closed, [*by, "outcome"], "amount").select(*by, *DealSize.column_names())


def _closed(deals: nw.LazyFrame, by: Sequence[str], *aggregates: nw.Expr) -> nw.LazyFrame:
    """`n_closed` and other aggregates of the deals won or lost; a group without any is absent."""
    closed = deals.filter(nw.col("status").is_in(_CLOSED))
    return grouped(closed, by, nw.len().cast(nw.Int64).alias("n_closed"), *aggregates).filter(nw.col("n_closed") > 0)
