"""How long clients wait for a reply on their deals."""

from collections.abc import Sequence
from datetime import timedelta

import narwhals as nw

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.measures.catalogue import Need, Question, Rival, measure
from cadran.measures.counting import per_group
from cadran.measures.survival import clocks, of_answered, waited
from cadran.measures.visits import began_in
from cadran.tables.measured.response import ResponseTime

_IS_INBOUND = nw.col("direction") == "inbound"


def waits(book: Book, question: Question) -> nw.LazyFrame:
    """The waits of clients on their deals that began in the period, one row each, as known at the book's moment.

    A wait begins with an inbound touch while none before it on the deal waits for its reply, and ends with that
    reply, `activities.answered_at`. What a machine sent neither begins nor ends one. A wait without a reply lasts
    until the moment, whatever became of the deal since. Deals no longer there (deleted, merged, vanished) have none.

    Returns:
        One row per wait: the columns of `by`, `response_hours` (calendar hours to the reply, null while there is
        none) and `age_hours` (to the moment).
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
    ends = {"response_hours": nw.col("answered_us"), "age_hours": nw.lit(now)}
    hours = {name: ((end - nw.col("asked_us")) // 1_000_000).cast(nw.Float64) / 3600 for name, end in ends.items()}
    told = begun.filter(began_in(question, book, "at")).select("opportunity_key", **hours)
    return told.join(deals, on="opportunity_key").select(*question.by, *hours)


@measure(
    title="Response time",
    definition=(
        "Calendar hours from the first inbound touch on a deal that has no reply yet to the first human reply, of the "
        "waits begun in the period: median, 90th percentile, and shares answered within an hour and a day. Touches "
        "that follow while the client waits are the same wait; what a machine sent neither begins nor ends one. A wait "
        "without a reply counts with the time it has lasted by the as-of date, be the deal closed or not. Intervals: "
        "Rothman's, and Brookmeyer and Crowley's, 95 %, each wait for itself. Deals deleted, merged or vanished at the "
        "source are left out."
    ),
    unit="hours; share, 0 to 1",
    source=(
        "Kaplan and Meier (1958), JASA 53(282); Brookmeyer and Crowley (1982), A confidence interval for the median "
        "survival time, Biometrics 38(1); Rothman (1978), Journal of Chronic Diseases 31(8)"
    ),
    returns=ResponseTime,
    needs=(Need("direction", table="activities", least_share=1, told_by=lambda book: _IS_INBOUND),),
    answer=lambda book, question: response_time(
        waits(book, question), question.by, **question.chosen_for(response_time)
    ),
    rivals=(
        Rival(
            "Median of the answered waits",
            "Waits without a reply are left out: the more clients are forgotten, the better it looks.",
            of_answered(waits, "median"),
        ),
        Rival(
            "Mean of the answered waits",
            "As above, and a few replies after weeks weigh more than all the quick ones.",
            of_answered(waits, "mean"),
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
        interval is null where too few waits have ended, or been followed, to know it.
    """
    return per_group(clocks(begun, by, "response_hours"), by, ResponseTime, lambda group: waited(group, "n_waits"))
