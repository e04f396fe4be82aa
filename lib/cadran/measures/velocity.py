"""How much the open pipeline should bring a day."""

from collections.abc import Sequence

import narwhals as nw

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import LEAST_FOR_INTERVAL, Z95, count, grouped
from cadran.measures.periods import period, seen_on
from cadran.tables.measured.velocity import Velocity


def _over_a_period(book: Book, question: Question) -> nw.LazyFrame:
    """Deals open at the end of the period, and those closed in it: by default the last twelve complete months."""
    question.chosen()
    since, until = period(book, question, months=12)
    facts = ["status", "amount", "cycle_days", "is_qualified", "closed_date", *question.columns]
    deals = question.keeps(seen_on(book, until).deals(facts, question.organisation))
    in_period = Question(since=since, until=until).days("closed_date")
    return velocity(deals.filter((nw.col("status") == "open") | in_period), question.by, (until - since).days + 1)


@measure(
    title="Velocity",
    definition=(
        "What the open pipeline should bring a day: open qualified deals × win rate × mean won amount ÷ mean won cycle "
        "in days, over the deals open at the end of the period and those closed in it. Beside it, the amount actually "
        "won a day. Interval, 95 %: from the win rate, the amounts and the cycles of the closed deals, on the "
        "logarithm; none with fewer than ten won deals of known amount and cycle. Without dates: the last twelve "
        "complete months."
    ),
    unit="reporting currency a day",
    source="Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, ch. 6: nonparametric delta method",
    returns=Velocity,
    needs=(Need("status"), Need("amount", ("won",)), Need("cycle_days", ("won",)), Need("is_qualified", ("open",))),
    answer=_over_a_period,
)
def velocity(deals: nw.LazyFrame, by: Sequence[str] = (), n_days: int = 365) -> nw.LazyFrame:
    """Open qualified deals × win rate × mean won amount ÷ mean won cycle.

    Args:
        deals: One row per deal open at the end of a period or closed in it: status, is_qualified, amount,
            cycle_days and the columns of `by`.
        by: Columns to group on.
        n_days: Days of the period.

    Returns:
        One row per group, sorted by `by`, as `Velocity` has it. Null where no deal was won with a known amount and
        cycle; no interval where fewer than `LEAST_FOR_INTERVAL` were. The open deals are taken as they are, not as a
        draw. In simulations of 16 to 160 won deals the interval held the truth 93 to 95 times in a hundred; 88 with
        40 won deals of very skewed amounts (logarithm's standard deviation of 1.5).

    Source:
        Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.
    """
    won, open_ = nw.col("status") == "won", nw.col("status") == "open"
    a, c = nw.col("amount"), nw.col("cycle_days").cast(nw.Float64)
    both = won & ~a.is_null() & ~c.is_null()
    a_won, c_won = nw.when(won).then(a), nw.when(won).then(c)
    sums = {
        "a": a_won, "aa": a_won * a_won, "c": c_won, "cc": c_won * c_won, "ac": a_won * c_won,
        "a_both": nw.when(both).then(a), "c_both": nw.when(both).then(c),
    }  # fmt: skip
    counted = grouped(
        deals,
        by,
        count(open_ & nw.col("is_qualified").fill_null(False), "n_open_qualified"),
        count(won | (nw.col("status") == "lost"), "n_closed"),
        count(won, "n_won"),
        count(won & ~a.is_null(), "n_a"),
        count(won & ~c.is_null(), "n_c"),
        count(both, "n_both"),
        *(summed.sum().fill_null(0.0).alias(f"sum_{name}") for name, summed in sums.items()),
    )
    n_won, n_a, n_c = (_positive(name) for name in ("n_won", "n_a", "n_c"))
    measured = counted.with_columns(
        win_rate=nw.col("n_won") / _positive("n_closed"),
        mean_won_amount=nw.col("sum_a") / n_a,
        mean_won_cycle_days=nw.col("sum_c") / n_c,
        n_won_unknown=nw.col("n_won") - nw.col("n_both"),
        won_per_day=nw.when((nw.col("n_won") == 0) | (nw.col("n_a") > 0)).then(nw.col("sum_a") / n_days),
    )
    amount, cycle = _positive("mean_won_amount"), _positive("mean_won_cycle_days")
    # The logarithm of the velocity is log p + log amount - log cycle: its variance is theirs, less the covariance of
    # amount and cycle, twice. The win rate varies independently of both.
    deviations = (
        nw.col("sum_ac") - cycle * nw.col("sum_a_both") - amount * nw.col("sum_c_both")
        + nw.col("n_both") * amount * cycle
    )  # fmt: skip
    variance = (
        (1 - nw.col("win_rate")) / n_won
        + _relative_variance("a", n_a, amount)
        + _relative_variance("c", n_c, cycle)
        - 2 * deviations / (n_a * n_c * amount * cycle)
    )
    is_enough = nw.col("n_both") >= LEAST_FOR_INTERVAL
    error = nw.when(is_enough & (variance >= 0)).then(variance).sqrt() * Z95
    value = nw.col("n_open_qualified") * nw.col("win_rate") * nw.col("mean_won_amount") / cycle
    return (
        measured.with_columns(velocity=value, error=error)
        .with_columns(
            velocity_low=nw.col("velocity") * (-nw.col("error")).exp(),
            velocity_high=nw.col("velocity") * nw.col("error").exp(),
        )
        .select(*by, *Velocity.column_names())
    )


def _positive(name: str) -> nw.Expr:
    """A column where it is above 0, else null: what is divided by it is then unknown."""
    return nw.when(nw.col(name) > 0).then(nw.col(name)).cast(nw.Float64)


def _relative_variance(name: str, n: nw.Expr, mean: nw.Expr) -> nw.Expr:
    """Variance of a mean, relative to its square, from the sums of the values and of their squares."""
    spread = nw.col(f"sum_{name}{name}") - nw.col(f"sum_{name}") * mean
    return spread / (nw.when(n > 1).then(n - 1) * n * mean * mean)
