"""A measure now, in the period before, and in the same period last year: what changed, and whether it may be said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from statistics import NormalDist

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import MEASURES, Measure, Need, Question, deals_for, measure
from cadran.measures.counting import count, grouped, small, total
from cadran.measures.periods import add_months, day_before, first_day, month_end, period, seen_on
from cadran.tables.measured.compared import Compared
from cadran.tables.problems import Problem

#: Shares of counts: the columns of the measure that give the part and the whole.
SHARES = {
    "win_rate": ("n_won", "n_closed"),
    "loss_rate": ("n_lost", "n_closed"),
    "no_decision_rate": ("n_no_decision", "n_closed"),
    "slippage": ("n_slipped", "n_due"),
    "pushed_share": ("n_pushed", "n_deals"),
}
_FACTS = {"value": pl.Float64, "n": pl.Int64, "n_unknown": pl.Int64, "total": pl.Float64, "base": pl.Float64}


def compare(name: str, book: Book, question: Question) -> nw.LazyFrame:
    """A measure in a period, in the one before it, and in the same a year ago, each as known when it ended.

    A period of whole months is compared with as many months before it, any other with as many days. Without dates:
    the last complete month.

    Args:
        name: "volumes", or a measure that is a share: a key of `SHARES`.
        book: The book.
        question: As for the measure itself.

    Returns:
        One row per group, quantity and earlier period, as `Compared` has it. What is not in the book's reach is null.

    Raises:
        Problem: If the measure cannot be compared, or cannot be had on this book.

    Source:
        Shares: Newcombe (1998), Statistics in Medicine 17:873, method 10. Counts and amounts as Poisson and compound
        Poisson sums: score limits, squared and added as Zou & Donner (2008), Statistics in Medicine 27:1693; of an
        amount, on its effective count (Σ amount)² ÷ Σ amount², as Fay & Feuer (1997), Statistics in Medicine 16:791.
        Several looks: Bonferroni.
    """
    if name != "volumes" and name not in SHARES:
        raise Problem(
            "{name} cannot be compared with earlier periods here.", "What can be: {names}.",
            name=name, names=", ".join(["volumes", *SHARES]),
        )  # fmt: skip
    question.chosen()
    measured = MEASURES["pushes" if name == "pushed_share" else name]
    measured.refuse_if_impossible(book)
    counted = _volumes if name == "volumes" else _share(name, measured)
    since, until = period(book, question)
    now = counted(seen_on(book, until), replace(question, since=since, until=until))
    reach = first_day(book)
    parts = []
    for against, (first, last) in _earlier(since, until).items():
        is_known = reach is not None and first >= reach.replace(day=1)
        earlier = counted(seen_on(book, last), replace(question, since=first, until=last)) if is_known else now.clear()
        parts.append(
            _joined(now, earlier, question.by, is_known).with_columns(
                against=pl.lit(against), before_since=pl.lit(first), before_until=pl.lit(last)
            )
        )
    return nw.from_native(_judged(pl.concat(parts)).lazy()).select(*question.by, *Compared.column_names())


def _earlier(since: date, until: date) -> dict[str, tuple[date, date]]:
    """The period just before, and the same a year ago."""
    if since.day == 1 and until == month_end(until):
        months = (until.year - since.year) * 12 + until.month - since.month + 1
        previous = (add_months(since, -months), day_before(since))
        return {"previous": previous, "last_year": (add_months(since, -12), month_end(add_months(until, -12)))}
    days = timedelta(days=(until - since).days + 1)
    return {
        "previous": (since - days, day_before(since)),
        "last_year": (add_months(since, -12), add_months(until, -12)),
    }


def _share(name: str, measured: Measure) -> Callable[[Book, Question], pl.DataFrame]:
    part, whole = SHARES[name]

    def counted(book: Book, question: Question) -> pl.DataFrame:
        rows = small(measured.answer(book, question))
        facts = {"value": pl.col(name), "n": pl.col(whole), "n_unknown": pl.lit(0)}
        facts |= {"total": pl.col(part), "base": pl.col(whole)}
        kind = {"quantity": pl.lit(name), "kind": pl.lit("share")}
        return rows.select(*question.by, **kind, **{fact: facts[fact].cast(dtype) for fact, dtype in _FACTS.items()})

    return counted


def _volumes(book: Book, question: Question) -> pl.DataFrame:
    """Counts, sums and sums of squares of won, lost and open deals, one row per group and quantity."""
    deals = deals_for(book, question, "standing", "amount")
    deals = deals.with_columns(square=nw.col("amount") * nw.col("amount"))
    statuses = ("won", "lost", "open")
    aggregates = []
    for status in statuses:
        here, known = nw.col("status") == status, ~nw.col("amount").is_null()
        aggregates += [
            count(here, f"n_{status}"),
            count(here & ~known, f"unknown_{status}"),
            total(here & known, "amount", f"amount_{status}"),
            total(here & known, "square", f"square_{status}"),
        ]
    counted = small(grouped(deals, question.by, *aggregates))
    parts = []
    for status in statuses:
        n, unknown = pl.col(f"n_{status}"), pl.col(f"unknown_{status}")
        amount, square = pl.col(f"amount_{status}"), pl.col(f"square_{status}")
        is_known = (n == 0) | (unknown < n)
        kind = pl.lit("stock" if status == "open" else "flow").alias("kind")
        for quantity, value, base, no_amount in (
            (f"n_{status}", n, n, pl.lit(0)),
            (f"amount_{status}", pl.when(is_known).then(amount), square, unknown),
        ):
            facts = {"value": value, "n": n, "n_unknown": no_amount, "total": value, "base": base}
            cast = {fact: facts[fact].cast(dtype) for fact, dtype in _FACTS.items()}
            parts.append(counted.select(*question.by, pl.lit(quantity).alias("quantity"), kind, **cast))
    return pl.concat(parts)


def _joined(now: pl.DataFrame, earlier: pl.DataFrame, by: tuple[str, ...], is_known: bool) -> pl.DataFrame:
    """Both periods side by side; a group absent from a known one had nothing in it."""
    keys = [*by, "quantity", "kind"]
    both = now.join(earlier, on=keys, how="full", suffix="_before", coalesce=True, nulls_equal=True)
    is_empty = {"": pl.col("n").is_null(), "_before": pl.col("n_before").is_null() & is_known}
    return both.with_columns(
        pl.when(is_empty[side] & ((pl.col("kind") != "share") | pl.lit(fact != "value")))
        .then(0)
        .otherwise(pl.col(f"{fact}{side}"))
        .alias(f"{fact}{side}")
        for side in is_empty
        for fact in _FACTS
    ).sort(*by, pl.col("quantity").cast(pl.Enum([*_ORDER, *SHARES])))


_ORDER = [f"{what}_{status}" for status in ("won", "lost", "open") for what in ("n", "amount")]


def _judged(both: pl.DataFrame) -> pl.DataFrame:
    """Differences, their 95 % intervals, and whether each may be called a change among all that are looked at."""
    looked_at = int(both.select((pl.col("value").is_not_null() & pl.col("value_before").is_not_null()
                                 & (pl.col("kind") != "stock")).sum()).item())  # fmt: skip
    low, high = _difference(0.05)
    strict_low, strict_high = _difference(0.05 / max(looked_at, 1))
    difference = pl.col("value") - pl.col("value_before")
    return both.with_columns(
        now=pl.col("value"),
        before=pl.col("value_before"),
        n_now=pl.col("n"),
        n_unknown_now=pl.col("n_unknown"),
        difference=difference,
        difference_low=low,
        difference_high=high,
        relative_change=pl.when((pl.col("value_before") > 0) & (pl.col("kind") != "share")).then(
            difference / pl.col("value_before")
        ),
        is_change=(strict_low > 0) | (strict_high < 0),
        n_compared=pl.lit(looked_at, pl.Int64),
    )


def _difference(alpha: float) -> tuple[pl.Expr, pl.Expr]:
    """Limits of the difference: the distances of both sides to their own limits, squared and added."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    now, before = pl.col("value"), pl.col("value_before")
    (low, high), (low_before, high_before) = _limits("", z), _limits("_before", z)
    below = ((now - low).pow(2) + (high_before - before).pow(2)).sqrt()
    above = ((high - now).pow(2) + (before - low_before).pow(2)).sqrt()
    return now - before - below, now - before + above


def _limits(side: str, z: float) -> tuple[pl.Expr, pl.Expr]:
    """Score limits of a share (Wilson), or of a sum on its effective count; null for what is no draw.

    The size of one deal of a sum is Σ amount² ÷ Σ amount over both sides: in simulations of skewed amounts, with the
    size of each side alone 95 % intervals held 90 to 93 %.
    """
    part, base = pl.col(f"total{side}"), pl.col(f"base{side}")
    n = pl.when(base > 0).then(base)
    middle, half = part / n + z * z / (2 * n), z * (part / n * (1 - part / n) / n + z * z / (4 * n * n)).sqrt()
    share = [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    amounts, squares = pl.col("total") + pl.col("total_before"), pl.col("base") + pl.col("base_before")
    is_amount = pl.col("quantity").str.starts_with("amount_")
    size = pl.when(is_amount).then(squares / pl.when(amounts > 0).then(amounts)).otherwise(1.0)
    effective = part / size
    flow = [size * (effective + z * z / 2 + sign * z * (effective + z * z / 4).sqrt()) for sign in (-1, 1)]
    low, high = (
        pl.when(pl.col("kind") == "share").then(s).when(pl.col("kind") == "flow").then(f)
        for s, f in zip(share, flow, strict=True)
    )
    return low, high


_HOW = (
    "as many months or days just before it, and the same dates a year earlier, each as known when it ended. A "
    "difference is called a change only if its 95 % interval, widened for how many are looked at (Bonferroni), has no "
    "zero in it. Without dates: the last complete month."
)
_SOURCES = (
    "Newcombe (1998), Statistics in Medicine 17:873, method 10; Zou & Donner (2008), Statistics in Medicine 27:1693; "
    "Fay & Feuer (1997), Statistics in Medicine 16:791"
)


@measure(
    title="Volumes compared",
    definition="Won, lost and open deals and their known amounts in the period, against " + _HOW,
    unit="deals; reporting currency",
    source=_SOURCES,
    returns=Compared,
    needs=(Need("status"), Need("closed_date", ("won", "lost")), Need("amount")),
    answer=lambda book, question: volumes_compared(book, question),
)
def volumes_compared(book: Book, question: Question) -> nw.LazyFrame:
    """`compare` of counts and amounts of won, lost and open deals."""
    return compare("volumes", book, question)


@measure(
    title="Win rate compared",
    definition="The win rate of the deals closed in the period, against that of " + _HOW,
    unit="share, 0 to 1",
    source=_SOURCES,
    returns=Compared,
    needs=(Need("status"), Need("closed_date", ("won", "lost"))),
    answer=lambda book, question: win_rate_compared(book, question),
)
def win_rate_compared(book: Book, question: Question) -> nw.LazyFrame:
    """`compare` of the win rate."""
    return compare("win_rate", book, question)
