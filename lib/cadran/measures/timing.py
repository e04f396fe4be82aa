"""Deals that closed by the date first expected of them, against those that were still open after it."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, Rival, deals_for, measure
from cadran.measures.counting import grouped, small, with_share
from cadran.measures.survival import Incidence
from cadran.measures.visits import followed, parts, whole_lives
from cadran.tables.measured.audit import CloseTiming

TIMINGS = ("by_then", "later")


def first_expected(book: Book, question: Question) -> nw.LazyFrame:
    """The deals whose first expected date lies in the period and before the book's day, one row each.

    Returns:
        The columns of `by`, `status`, `is_told` (whether that date was known while the deal was open, no later than
        the date itself, and the deal was followed from its first stage on), `first_date`, `ended` (closing day, null
        while open) and `is_pushed` (1 if the date moved to a later month at least once, else 0).
    """
    versions = book.table("versions").filter(~nw.col("expected_close_date").is_null())
    first = versions.group_by("opportunity_id").agg(nw.col("valid_from").min())
    dated = versions.join(first, on=["opportunity_id", "valid_from"], how="semi").select(
        "opportunity_id", known="valid_from", first_date="expected_close_date", was_open=nw.col("status") == "open"
    )
    everyone = Question(where=question.where, by=question.by, organisation=question.organisation)
    deals = deals_for(book, everyone, "all", "closed_date", "n_pushes")
    told = whole_lives(book, deals.join(dated, on="opportunity_id")).filter(
        question.days("first_date") & (nw.col("first_date") < book.day)
    )
    columns = dict.fromkeys((*question.by, "status", "is_told", "first_date", "ended", "is_pushed"))
    rows = small(told)
    known_date = pl.col("known").dt.convert_time_zone(book.settings.time_zone).dt.date()
    rows = rows.with_columns(
        is_told=pl.col("was_open") & pl.col("is_whole") & (pl.col("first_date") >= known_date),
        ended="closed_date",
        is_pushed=(pl.col("n_pushes") > 0).cast(pl.Int64),
    )
    return nw.from_native(rows.select(*columns).lazy())


def _of_closed(book: Book, question: Question) -> float | None:
    """Win rate of the deals closed by their last expected date less that of those closed after it."""
    deals = question.keeps(book.deals(["status", "closed_date", "expected_close_date", *question.where]))
    closed = deals.filter(nw.col("status").is_in(["won", "lost"]) & question.days("closed_date"))
    in_time = closed.with_columns(in_time=nw.col("closed_date") <= nw.col("expected_close_date"))
    won = (nw.col("status") == "won").cast(nw.Float64).mean().alias("rate")
    rates = book.collect(grouped(in_time.filter(~nw.col("in_time").is_null()), ["in_time"], won))["rate"].to_list()
    return rates[1] - rates[0] if len(rates) == 2 else None


@measure(
    title="Early and late deals",
    definition=(
        "Deals by the date first expected of them, known while they were open, of those whose date lies in the period "
        "and is past: closed on or before it, or still open after it. Every deal is sorted on that date by what was "
        "so then, and followed from there: being late gives no deal the time to be won that an early one lacks. Win "
        "rate of the later ones: those still open count for as long as they were followed. Interval: Rothman's, 95 %, "
        "which is Wilson's where none is open. Disqualified deals are counted apart. Late deals differ from the others "
        "in more than the date."
    ),
    unit="deals; share, 0 to 1; days",
    source=(
        "Anderson, Cain and Gelber (1983), Journal of Clinical Oncology 1(11): the landmark; Aalen and Johansen (1978), "
        "Scandinavian Journal of Statistics 5(3); Rothman (1978), Journal of Chronic Diseases 31(8)"
    ),
    returns=CloseTiming,
    needs=(
        Need(
            "expected_close_date",
            table="versions",
            once_is_enough=True,
            told_by=lambda book: followed(book) & (nw.col("status") == "open"),
            repair=(
                "The date first expected of deals is known from their history, or from the first import on: import their "
                "history (docs/mapping.md), or go on importing."
            ),
        ),
    ),
    answer=lambda book, question: close_timing(
        first_expected(book, question), question.by, book=book, **question.chosen()
    ),
    rivals=(
        Rival(
            "Closed in time less closed late",
            "By the last date the seller set, among closed deals: sellers move the date, and many set it at closing. "
            "Difference of win rates.",
            _of_closed,
        ),
    ),
)
def close_timing(deals: nw.LazyFrame, by: Sequence[str] = (), *, book: Book) -> nw.LazyFrame:
    """What became of deals that closed by their first expected date, and of those that did not.

    Args:
        deals: One row per deal, from `first_expected`.
        by: Columns to group on. Empty gives one row per timing.
        book: For the day until which open deals were followed.

    Returns:
        Two rows per group, sorted by `by`, first the deals closed by then, as `CloseTiming` has it. Rates are null
        where there is no deal, the win rate where none has closed.
    """
    keys = ["status", "is_told", "first_date", "ended", "is_pushed"]
    counted = small(grouped(deals, [*dict.fromkeys((*by, *keys))], nw.len().cast(nw.Int64).alias("n")))
    in_time = (pl.col("ended") <= pl.col("first_date")).fill_null(False)
    end = pl.coalesce("ended", pl.lit(book.day))
    timed = counted.with_columns(in_time=in_time, days=(end - pl.col("first_date")).dt.total_days())
    groups = parts(timed.sort(by) if by else timed, by)
    rows = [
        dict(zip(by, key, strict=True)) | _row(group, timing) for key, group in groups.items() for timing in TIMINGS
    ]
    types = {**{name: counted.schema[name] for name in by}, **CloseTiming.create_empty().schema}
    shown = nw.from_native(pl.LazyFrame(rows, schema={**types, "n_all": pl.Int64()}, orient="row"))
    return with_share(shown, "n_pushed", "n_deals", "pushed_share").select(*by, *CloseTiming.column_names())


def _row(group: pl.DataFrame, timing: str) -> dict[str, Any]:
    """One timing of one group."""
    told = group.filter("is_told")
    here = told.filter(pl.col("in_time") == (timing == "by_then"))
    kept, n = here.filter(pl.col("status") != "disqualified"), pl.col("n")
    by_status = {
        f"n_{status}": here.filter(status=status)["n"].sum() for status in ("won", "lost", "open", "disqualified")
    }
    of = {"n_event": "won", "n_other": "lost", "n_censored": "open"}
    sums = {name: n.filter(status=status).sum().cast(pl.Int64) for name, status in of.items()}
    curve = Incidence.of(kept.group_by(time=pl.col("days").clip(0)).agg(**sums))
    closed = kept.filter(pl.col("ended").is_not_null())
    rate = curve.by(curve.time[-1]) if closed.height else (None, None, None)
    still = curve.open_after(curve.time[-1]) if kept.height else None
    return by_status | {
        "timing": timing, "n_deals": kept["n"].sum(), "n_pushed": (kept["n"] * kept["is_pushed"]).sum(),
        **dict(zip(("win_rate", "win_rate_low", "win_rate_high"), rate, strict=True)), "open_share": still,
        "median_days": closed.select(pl.col("days").repeat_by("n").explode().median()).item(),
        "n_unknown": group.filter(~pl.col("is_told"))["n"].sum(),
    }  # fmt: skip
