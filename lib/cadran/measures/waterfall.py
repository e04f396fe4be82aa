"""How the open pipeline went from what it was on one date to what it was on another."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import small
from cadran.measures.lines import every_line
from cadran.measures.periods import day_before, period, seen_on
from cadran.tables.measured.waterfall import CAUSES, Waterfall

_FACTS = (
    "status", "amount", "original_amount", "currency", "rate", "expected_close_date", "stage_position", "in_scope",
)  # fmt: skip
_IDENTITY, _FLAGS, _SIDES = ("opportunity_id", "opportunity_key"), ("is_here", "stands"), ("opening", "closing")
#: What does not change of a deal unless its version does.
_STEADY = {
    "opportunity_id", "rep_id", "stage", "status", "amount", "currency", "rate", "original_amount",
    "expected_close_date", "forecast_category", "competitor", "loss_reason", "stage_since", "n_pushes", "n_reopened",
    "account_id", "deal_type", "product", "lead_source", "created_at", "created_date", "created_day", "stage_position",
    "stage_probability", "is_qualified",
    *(f"{what}_{p}" for what in ("created", "expected") for p in ("week", "month", "quarter", "year", "fiscal_year")),
}  # fmt: skip
_LINES = ["opening", *CAUSES, "closing"]


def sides(book: Book, question: Question) -> nw.LazyFrame:
    """The deals that were open at either of two dates, one row each, as they were at both.

    Args:
        book: Seen at a moment no earlier than `question.until`.
        question: The opening is what was known at the end of `since` (default: of the last month before
            `until`), the closing at the end of `until` (default: the book's day). With the option `due_by`
            only deals expected to close by that day stand in the pipeline.

    Returns:
        One row per deal: each of the facts and of the columns of `by` twice, as `<name>_opening` and
        `<name>_closing`; `is_here_*`: known, and in the reader's scope and the filter; `stands_*`: here, open
        and due. What is not known at a date is null there, and not here.
    """
    until = question.until or book.day
    since = question.since or day_before(until.replace(day=1))
    period(book, Question(since=since, until=until))
    due_by = question.chosen(due_by=date)["due_by"]
    first, last = seen_on(book, since), seen_on(book, until)
    facts = [*dict.fromkeys([*_IDENTITY, *_FACTS, *question.columns])]
    told = _flagged(last.deals(facts, question.organisation, first), question, due_by)
    here, there = nw.col("seen"), nw.col("seen_by_other")
    names = [*facts, *_FLAGS]
    if _is_steady(book, question):  # both views tell the same of a version: it is read once
        changed = _joined(
            _named(told.filter(there & ~here), names, "opening"), _named(told.filter(here & ~there), names, "closing")
        )
        same = told.filter(here & there)
        alike = same.select(**{f"{name}_{side}": nw.col(name) for side in _SIDES for name in names})
        both = nw.concat([changed.select(f"{name}_{side}" for side in _SIDES for name in names), alike])
    else:
        before = _flagged(first.deals(facts, question.organisation, last), question, due_by)
        both = _joined(_named(before.filter(here), names, "opening"), _named(told.filter(here), names, "closing"))
    return both.filter(nw.col("stands_opening") | nw.col("stands_closing"))


def _is_steady(book: Book, question: Question) -> bool:
    """Whether a version that did not change tells all that is asked: no reader's scope, no group of what may change
    beside it."""
    is_scoped = book.reader is not None and bool(book.reader.regions or book.reader.teams)
    return (
        not is_scoped and set(question.columns) <= _STEADY and set(book.manifest.get("corrected", ())) <= {"versions"}
    )


def _flagged(deals: nw.LazyFrame, question: Question, due_by: date | None) -> nw.LazyFrame:
    """Deals with `is_here`, in the scope and the filter, and `stands`, also open and due."""
    is_due = nw.lit(True) if due_by is None else (nw.col("expected_close_date") <= due_by).fill_null(False)
    deals = deals.with_columns(is_here=nw.col("in_scope") & question.kept)
    return deals.with_columns(stands=nw.col("is_here") & (nw.col("status") == "open") & is_due)


def _named(deals: nw.LazyFrame, names: Sequence[str], side: str) -> nw.LazyFrame:
    """Columns named by the side."""
    return deals.select(**{f"{name}_{side}": nw.col(name) for name in names})


def _joined(opening: nw.LazyFrame, closing: nw.LazyFrame) -> nw.LazyFrame:
    """Both sides of each deal; where a side does not know it, it does not stand there."""
    both = opening.join(closing, left_on="opportunity_key_opening", right_on="opportunity_key_closing", how="full")
    return both.with_columns(nw.col(f"{flag}_{side}").fill_null(False) for flag in _FLAGS for side in _SIDES)


@measure(
    title="Waterfall",
    definition=(
        "Open pipeline as known at the end of the first date, and at the end of the second, and why they differ. Each "
        "deal has one cause, the first that holds: won, lost, disqualified, transferred out of or into the scope, new "
        "(not known at the opening), reopened, pulled in or pushed out (expected in an earlier or later month), amount "
        "become known or unknown, amount up or down, currency or its rate, corrected or deleted in the source, stage "
        "forward or back, unchanged. Opening and causes add up to the closing exactly, in count and in known amount. A "
        "deal that came and closed between the dates stands at neither. With the option due_by, only deals expected by "
        "that day stand in it."
    ),
    unit="deals; reporting currency",
    source="Definition",
    returns=Waterfall,
    needs=(Need("status"), Need("amount", ("open",)), Need("expected_close_date", ("open",))),
    answer=lambda book, question: waterfall(sides(book, question), question.by),
)
def waterfall(both: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Opening, causes and closing of the open pipeline between two dates.

    Args:
        both: One row per deal, from `sides`.
        by: Columns to group on. A deal whose group changed is transferred out of the one and into the other.

    Returns:
        19 rows per group, sorted by `by`, then opening, the causes by priority, closing; as `Waterfall` has it.
        Amounts are whole cents of the reporting currency, so that sums are exact.
    """
    moves = moved(both, by)
    sums = [
        total.sum().cast(nw.Int64).alias(f"{name}_{side}")
        for side, is_there in (("opening", "stood"), ("closing", "stands"))
        for name, total in _worth(side, nw.col(is_there).cast(nw.Int64)).items()
    ]
    counted = small(moves.group_by(*by, "cause").agg(*sums, nw.len().cast(nw.Int64).alias("n_deals")))
    complete = every_line(_lines(counted, by), by, pl.DataFrame({"cause": _LINES}))
    complete = complete.with_columns(amount=pl.col("cents") / 100)
    return nw.from_native(complete.lazy()).select(*by, *Waterfall.column_names())


def moved(both: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """The deals that stand at one of two dates, each with the cause of its move.

    Args:
        both: One row per deal, from `sides`.
        by: Columns to group on.

    Returns:
        One row per deal, two for a deal whose group changed: `by`, `opportunity_id`, `cause`, whether it `stood` in
        the group at the opening and `stands` in it at the closing, and what was known of it on both sides.
    """
    same_group = reduce(nw.Expr.__and__, (_same(column) for column in by), nw.lit(True))
    both = both.with_columns(
        is_same=same_group, **{f"cents_{s}": _cents(f"amount_{s}") for s in ("opening", "closing")}
    )
    deal = nw.coalesce("opportunity_id_opening", "opportunity_id_closing")
    if not by:
        here = {"opportunity_id": deal, "stood": nw.col("stands_opening"), "stands": nw.col("stands_closing")}
        return both.select(*_MOVES, **here).with_columns(cause=_cause())
    stays = nw.col("stands_opening") & nw.col("is_same")
    at_opening = both.filter(nw.col("stands_opening")).select(
        *_groups(by, "opening"),
        *_MOVES,
        opportunity_id=deal,
        stood=nw.lit(True),
        stands=nw.col("stands_closing") & nw.col("is_same"),
    )
    at_closing = both.filter(nw.col("stands_closing") & ~stays).select(
        *_groups(by, "closing"),
        *_MOVES,
        opportunity_id=deal,
        stood=nw.lit(False),
        stands=nw.lit(True),
    )
    return nw.concat([at_opening, at_closing]).with_columns(cause=_cause())


def _worth(side: str, is_there: nw.Expr) -> dict[str, nw.Expr]:
    """What a deal weighs on a side if it is there: one deal, its known cents, one unknown amount."""
    cents = nw.col(f"cents_{side}")
    return {
        "n": is_there,
        "cents": is_there * cents.fill_null(0),
        "n_unknown": is_there * cents.is_null().cast(nw.Int64),
    }


def _lines(counted: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Each cause with what it added, and the two sides that the causes sum up to."""
    weights = ("n", "cents", "n_unknown")
    causes = counted.select(
        *by, "cause", *((pl.col(f"{w}_closing") - pl.col(f"{w}_opening")).alias(w) for w in weights), "n_deals"
    )
    sides = [
        counted.select(
            *by, pl.lit(side).alias("cause"), *(pl.col(f"{w}_{side}").alias(w) for w in weights), n_deals=f"n_{side}"
        )
        for side in ("opening", "closing")
    ]
    return pl.concat([causes, *sides]).group_by(*by, "cause").sum()


_MOVES = (
    "is_same", "is_here_opening", "is_here_closing", "status_opening", "status_closing", "cents_opening",
    "cents_closing", "original_amount_opening", "original_amount_closing", "currency_opening", "currency_closing",
    "expected_close_date_opening", "expected_close_date_closing", "stage_position_opening", "stage_position_closing",
)  # fmt: skip


def _groups(by: Sequence[str], side: str) -> list[nw.Expr]:
    return [nw.col(f"{column}_{side}").alias(column) for column in by]


def _same(name: str) -> nw.Expr:
    """Whether a fact is the same on both sides; unknown is the same as unknown."""
    opening, closing = nw.col(f"{name}_opening"), nw.col(f"{name}_closing")
    return (opening == closing).fill_null(False) | (opening.is_null() & closing.is_null())


def _cents(amount: str) -> nw.Expr:
    return (nw.col(amount) * 100 + 0.5).floor().cast(nw.Int64)


def _month(side: str) -> nw.Expr:
    day = nw.col(f"expected_close_date_{side}")
    return day.dt.year().cast(nw.Int64) * 12 + day.dt.month().cast(nw.Int64)


def _cause() -> nw.Expr:
    """The first cause that holds. A comparison with what is unknown is null, and does not hold."""
    stood, stands = nw.col("stood"), nw.col("stands")
    was, is_now = nw.col("status_opening"), nw.col("status_closing")
    cents, then = nw.col("cents_closing"), nw.col("cents_opening")
    position, before = nw.col("stage_position_closing"), nw.col("stage_position_opening")
    # With the same currency and the same amount in it, only the rate has moved the reporting amount.
    is_told = ~(nw.col("original_amount_opening").is_null() | nw.col("original_amount_closing").is_null())
    by_rate = ~_same("currency") | (is_told & _same("original_amount"))
    both, moved = stood & stands, ~_same("cents")
    tests = {
        "won": stood & (is_now == "won"),
        "lost": stood & (is_now == "lost"),
        "disqualified": stood & (is_now == "disqualified"),
        "corrected": stood & is_now.is_null(),
        "transferred_out": stood & ~(nw.col("is_here_closing") & nw.col("is_same")),
        "new": ~stood & was.is_null(),
        "transferred_in": ~stood & ~(nw.col("is_here_opening") & nw.col("is_same")),
        "reopened": ~stood & (was != "open"),
        "pulled_in": ~stood | (stands & (_month("closing") < _month("opening"))),
        "pushed_out": ~stands | (_month("closing") > _month("opening")),
        "amount_known": both & (cents.is_null() != then.is_null()),
        "amount_up": both & moved & ~by_rate & (cents > then),
        "amount_down": both & moved & ~by_rate,
        "currency": both & (moved | ~_same("currency")),
        "stage_forward": both & (position > before),
        "stage_back": both & (position < before),
    }
    (name, test), *others = tests.items()
    chosen = nw.when(test).then(nw.lit(name))
    for name, test in others:
        chosen = chosen.when(test).then(nw.lit(name))
    return chosen.otherwise(nw.lit("unchanged"))
