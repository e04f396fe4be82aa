"""The open pipeline against what remains of the target."""

from datetime import date

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, Rival, measure
from cadran.measures.counting import count, grouped, small, total
from cadran.measures.periods import add_months, day_before, period, seen_on, start_of
from cadran.measures.targets import targets_for
from cadran.tables.measured.coverage import Coverage, Progress, RequiredConversion

_NEEDS = (
    Need("amount", ("open",), least_share=0.01),
    Need("expected_close_date", ("open",), least_share=0.01),
    Need("amount", table="targets", least_share=0.01),
)


def progress(book: Book, question: Question) -> nw.LazyFrame:
    """Where a period stands against its target, as known at the book's moment, or at the period's end if earlier.

    Without dates, the period is the calendar quarter of the book's day; with one date, the quarter of that date
    fills in the other.

    Returns:
        One row per group that has a target, an open deal due or a deal won, as `Progress` has it.
    """
    question.chosen()
    since, until = quarter(book, question)
    book = seen_on(book, min(until, book.day))
    asked = Question(since=since, until=until)
    deals = question.keeps(
        book.deals(["status", "amount", "expected_close_date", "closed_date", *question.columns], question.organisation)
    )
    won = (nw.col("status") == "won") & asked.days("closed_date")
    due = (nw.col("status") == "open") & asked.days("expected_close_date")
    deals = deals.with_columns(is_won=won, is_due=due).filter(nw.col("is_won") | nw.col("is_due"))
    unknown = nw.col("amount").is_null()
    aggregates = [
        expr
        for name in ("won", "due")
        for expr in (
            count(nw.col(f"is_{name}"), f"n_{name}"),
            total(nw.col(f"is_{name}") & ~unknown, "amount", f"amount_{name}"),
            count(nw.col(f"is_{name}") & unknown, f"n_{name}_unknown"),
        )
    ]
    counted = small(grouped(deals, question.by, *aggregates))
    goals = targets_for(book, question, since, until)
    if question.by:
        full = counted.join(goals, on=list(question.by), how="full", coalesce=True, nulls_equal=True)
        full = full.with_columns(pl.exclude(*question.by, "target").fill_null(0)).sort(*question.by)
    else:
        full = counted.with_columns(target=pl.lit(goals["target"][0] if goals.height else None, pl.Float64))
    none_known = (pl.col("n_due") > 0) & (pl.col("n_due_unknown") == pl.col("n_due"))
    full = full.with_columns(
        remaining=pl.col("target") - pl.col("amount_won"),
        amount_due=pl.when(~none_known).then("amount_due"),
    )
    return nw.from_native(full.lazy()).select(*question.by, *Progress.column_names())


def quarter(book: Book, question: Question) -> tuple[date, date]:
    """The period asked for, completed from the calendar quarter of the date that is said, or of the book's day."""
    inside = question.until or question.since or book.day
    first = start_of(inside, "quarter")
    since, until = question.since or first, question.until or day_before(add_months(first, 3))
    return period(book, Question(since=since, until=until))


def _full_target(book: Book, question: Question) -> float | None:
    row = book.collect(progress(book, question)).row(0, named=True)
    return row["amount_due"] / row["target"] if row["target"] and row["amount_due"] is not None else None


def _inverse(book: Book, question: Question) -> float | None:
    return book.collect(required_conversion(progress(book, question)))["required_conversion"][0]


def _pipeline_with_won(book: Book, question: Question) -> float | None:
    row = book.collect(progress(book, question)).row(0, named=True)
    known = row["target"] and row["amount_due"] is not None
    return (row["amount_due"] + row["amount_won"]) / row["target"] if known else None


@measure(
    title="Coverage",
    definition=(
        "Open pipeline expected to close in the period ÷ (target − won to date). Undefined once the target is reached. "
        "A target that reaches beyond the period counts for its share of business days. Without dates: the calendar "
        "quarter of the book's day."
    ),
    unit="times",
    source="Definition",
    returns=Coverage,
    needs=_NEEDS,
    answer=lambda book, question: coverage(progress(book, question)),
    rivals=(
        Rival(
            "Over the full target",
            "Open pipeline expected in the period ÷ target: it falls as deals are won, as if winning were bad news.",
            _full_target,
        ),
        Rival(
            "With what is won",
            "(Open pipeline expected in the period + won to date) ÷ target: sure money and hoped-for money in one sum.",
            _pipeline_with_won,
        ),
        Rival(
            "Its inverse",
            "(Target − won to date) ÷ open pipeline: the required conversion, which some call coverage too.",
            _inverse,
        ),
    ),
)
def coverage(progressed: nw.LazyFrame) -> nw.LazyFrame:
    """How many times the open pipeline covers what remains of the target.

    Args:
        progressed: One row per group, from `progress`.

    Returns:
        The same rows with `coverage` (times, at least 0), as `Coverage` has it: null once the target is reached,
        where there is none, and where no amount due is known.
    """
    remaining = nw.when(nw.col("remaining") > 0).then(nw.col("remaining"))
    return progressed.with_columns(coverage=nw.col("amount_due") / remaining)


@measure(
    title="Required conversion",
    definition=(
        "(Target − won to date) ÷ open pipeline expected to close in the period: the share of it, by value, that must "
        "be won to reach the target; beyond 1, the pipeline is not enough. Undefined once the target is reached. "
        "Without dates: the calendar quarter of the book's day."
    ),
    unit="share; beyond 1 where the pipeline is not enough",
    source="Definition",
    returns=RequiredConversion,
    needs=_NEEDS,
    answer=lambda book, question: required_conversion(progress(book, question)),
)
def required_conversion(progressed: nw.LazyFrame) -> nw.LazyFrame:
    """The share of the open pipeline that must be won to reach the target.

    Args:
        progressed: One row per group, from `progress`.

    Returns:
        The same rows with `required_conversion` (by value, at least 0), as `RequiredConversion` has it: null once
        the target is reached, where there is none, and where no amount due is known or it is 0.
    """
    is_defined = (nw.col("remaining") > 0) & (nw.col("amount_due") > 0)
    due = nw.when(is_defined).then(nw.col("amount_due"))
    return progressed.with_columns(required_conversion=nw.col("remaining") / due)
