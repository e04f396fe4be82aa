"""How long clients wait for a reply on their deals."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.measures.catalogue import Need, Question, Rival, measure
from cadran.measures.counting import LEAST_FOR_INTERVAL, per_group, small
from cadran.measures.hours import WorkingHours
from cadran.measures.survival import Incidence, of_answered, waited
from cadran.measures.visits import began_in
from cadran.tables.measured.response import ResponseTime

_IS_INBOUND = nw.col("direction") == "inbound"
_HOURS = {"response_hours": "answered_us", "age_hours": "now_us"}


def waits(book: Book, question: Question, *, hours: str = "calendar") -> nw.LazyFrame:
    """The waits of clients on their deals that began in the period, one row each, as known at the book's moment.

    A wait begins with an inbound touch while none before it on the deal waits for its reply, and ends with that
    reply, `activities.answered_at`. What a machine sent neither begins nor ends one. A wait without a reply lasts
    until the moment, whatever became of the deal since. Deals no longer there (deleted, merged, vanished) have none.

    Args:
        book: Whose waits.
        question: Of which deals and days.
        hours: Which hours count: all ("calendar"), or on business days those of "9-18" ("working") or another span.

    Returns:
        One row per wait: `opportunity_key`, the columns of `by`, `response_hours` (to the reply, null while there is
        none), `age_hours` (to the moment), both to the second, and `day_hours` (hours that count in a day).

    Raises:
        Problem: If `hours` is none of these.
    """
    asked = book.table("activities").filter(_IS_INBOUND & ~nw.col("is_automatic").fill_null(False))
    now = (book.moment - EPOCH) // timedelta(microseconds=1)
    timed = book.engine.microseconds(asked, {"asked_us": "at", "answered_us": "answered_at"})
    timed = timed.with_columns(until=nw.coalesce(nw.col("answered_us"), nw.lit(now + 1)))
    order = ("at", "activity_id")
    last = timed.with_columns(last=nw.col("until").cum_max().over("opportunity_key", order_by=order))
    before = nw.col("before")
    # Where days are all a source knows, touches of one instant that have one reply are one wait.
    begins = before.is_null() | ((before <= nw.col("asked_us")) & (before < nw.col("until")))
    begun = last.with_columns(before=nw.col("last").shift(1).over("opportunity_key", order_by=order)).filter(begins)
    deals = question.keeps(book.deals(["opportunity_key", *question.columns], question.organisation))
    told = begun.filter(began_in(question, book, "at")).with_columns(now_us=nw.lit(now))
    facts = ("opportunity_key", *question.by)
    told = told.select("opportunity_key", "asked_us", *_HOURS.values()).join(deals, on="opportunity_key")
    if hours != "calendar":
        return nw.from_native(_at_work(small(told), book, hours).lazy()).select(*facts, *_HOURS, "day_hours")
    asked_us = nw.col("asked_us")
    counted = {name: ((nw.col(end) - asked_us) // 1_000_000).cast(nw.Float64) / 3600 for name, end in _HOURS.items()}
    return told.select(*facts, **counted, day_hours=nw.lit(24.0))


def _at_work(told: pl.DataFrame, book: Book, hours: str) -> pl.DataFrame:
    """Waits told in microseconds, with the working hours they have lasted."""
    asked = told["asked_us"].to_numpy()
    first = EPOCH + timedelta(microseconds=int(asked.min())) if len(asked) else book.moment
    work = WorkingHours.of(book, hours, first)
    lasted = {name: work.between(asked, told[end].cast(pl.Float64).to_numpy()) for name, end in _HOURS.items()}
    # To the second, as calendar hours are.
    counted = {name: pl.Series(np.floor(each * 3600 + 1e-6) / 3600).fill_nan(None) for name, each in lasted.items()}
    return told.with_columns(**counted, day_hours=pl.lit(work.day_hours))


def _asked(book: Book, question: Question) -> nw.LazyFrame:
    return waits(book, question, **question.chosen_for(waits))


@measure(
    title="Response time",
    definition=(
        "Hours from the first inbound touch on a deal that has no reply yet to the first human reply, of the waits "
        "begun in the period: median, 90th percentile, and shares answered within an hour and a day. Touches that "
        "follow while the client waits are the same wait; what a machine sent neither begins nor ends one. A wait "
        "without a reply counts with the time it has lasted by the as-of date, be the deal closed or not. Calendar "
        "hours, unless option hours says working, which counts those from 9 to 18 on the business days of the book's "
        "calendar, by the clock of its time zone, or gives other ones, as 8:30-17:30; a day then has as many hours. "
        "Intervals: Rothman's, and Brookmeyer and Crowley's, 95 %, deals being clusters of waits; none under ten "
        "deals. Deals deleted, merged or vanished at the source are left out."
    ),
    unit="hours; share, 0 to 1",
    source=(
        "Kaplan and Meier (1958), JASA 53(282); Brookmeyer and Crowley (1982), A confidence interval for the median "
        "survival time, Biometrics 38(1); Rothman (1978), Journal of Chronic Diseases 31(8); "
        "Williams (1995), Product-limit survival functions with correlated survival times, Lifetime Data Analysis 1(2)"
    ),
    returns=ResponseTime,
    needs=(Need("direction", table="activities", least_share=1, told_by=lambda book: _IS_INBOUND),),
    answer=lambda book, question: response_time(_asked(book, question), question.by),
    rivals=(
        Rival(
            "Median of the answered waits",
            "Waits without a reply are left out: the more clients are forgotten, the better it looks.",
            of_answered(_asked, "median"),
        ),
        Rival(
            "Mean of the answered waits",
            "As above, and a few replies after weeks weigh more than all the quick ones.",
            of_answered(_asked, "mean"),
        ),
    ),
)
def response_time(begun: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """How long clients wait for a human reply, those still waiting included.

    Args:
        begun: One row per wait, from `waits`.
        by: Columns to group on. Empty gives one row for all waits.

    Returns:
        One row per group with a wait, sorted by `by`, as `ResponseTime` has it. A quantile, a share, or an end of an
        interval is null where too few waits have ended, or been followed, to know it; both ends where the waits are of
        fewer than `LEAST_FOR_INTERVAL` deals.
    """
    is_event = ~nw.col("response_hours").is_null()
    time = nw.coalesce(nw.col("response_hours"), nw.col("age_hours"))
    # Counts per time would not do: how alike the waits of one deal are is in its waits alone.
    told = small(begun.select(*by, "day_hours", cluster="opportunity_key", time=time, is_event=is_event))
    return per_group(told.sort(by) if by else told, by, ResponseTime, _of_group)


def _of_group(rows: pl.DataFrame) -> dict[str, Any]:
    event = pl.col("is_event").cast(pl.Int64)
    clock = rows.group_by("time").agg(n_event=event.sum(), n_other=pl.lit(0), n_censored=(1 - event).sum())
    curve, n_deals = Incidence.of(clock), rows["cluster"].n_unique()
    is_enough = n_deals >= LEAST_FOR_INTERVAL
    curve = curve.clustered(rows) if is_enough else curve
    return {"n_deals": n_deals} | waited(clock, "n_waits", curve, rows["day_hours"][0], is_enough)
