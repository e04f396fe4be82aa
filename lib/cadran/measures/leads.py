"""Leads: how many, how many become opportunities, how long they wait for an answer."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.leads import LEAD_COLUMNS, known_leads
from cadran.measures.catalogue import MEASURES, Need, Question, Rival, Subject, measure
from cadran.measures.counting import count, grouped, per_group
from cadran.measures.survival import Incidence, clocks, of_answered, waited
from cadran.tables.measured.leads import LeadConversion, LeadFirstResponse, LeadVolumes

LEADS = Subject(LEAD_COLUMNS, known_leads, "Leads have no column {column}.")
_HOURS = ("response_hours", "qualified_hours", "rejected_hours", "age_hours")


def created_in(book: Book, question: Question) -> nw.LazyFrame:
    """The leads a question is about: those created in its period."""
    columns = ("created_date", *_HOURS, *question.columns)
    return question.keeps(known_leads(book, columns, question.organisation)).filter(question.days("created_date"))


@measure(
    title="Lead volumes",
    definition=(
        "Leads created in the period, and of these those a human has answered, those that became an opportunity, those "
        "given up and those still waiting at the as-of date."
    ),
    unit="leads",
    source="Definition",
    returns=LeadVolumes,
    needs=(Need("created_at", table="leads", least_share=1),),
    subject=LEADS,
    answer=lambda book, question: lead_volumes(
        created_in(book, question), question.by, **question.chosen_for(lead_volumes)
    ),
    of_persons=True,
)
def lead_volumes(leads: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Leads by what has become of them.

    Args:
        leads: One row per lead, from `cadran.book.leads.known_leads`: the columns in hours and those of `by`.
        by: Columns to group on. Empty gives one row for all leads.

    Returns:
        One row per group, sorted by `by`, as `LeadVolumes` has it.
    """
    is_answered, is_qualified, is_rejected = (
        ~nw.col(f"{event}_hours").is_null() for event in ("response", "qualified", "rejected")
    )
    return grouped(
        leads,
        by,
        nw.len().cast(nw.Int64).alias("n_leads"),
        count(is_answered, "n_answered"),
        count(is_qualified, "n_qualified"),
        count(is_rejected & ~is_qualified, "n_rejected"),
        count(~is_rejected & ~is_qualified, "n_waiting"),
    )


def _qualified_so_far(book: Book, question: Question) -> float | None:
    n = MEASURES["lead_volumes"].ask(book, question)
    return (n["n_qualified"] / n["n_leads"]).fill_nan(None)[0]


def _qualified_of_decided(book: Book, question: Question) -> float | None:
    n = MEASURES["lead_volumes"].ask(book, question)
    return (n["n_qualified"] / (n["n_qualified"] + n["n_rejected"])).fill_nan(None)[0]


@measure(
    title="Lead conversion",
    definition=(
        "Share of the leads created in the period that became a qualified opportunity within a given time (90 days "
        "unless said), being given up the other way to end. An undecided lead counts with the age it has reached. "
        "Interval: Rothman's, 95 %."
    ),
    unit="share, 0 to 1",
    source=(
        "Aalen and Johansen (1978), Scandinavian Journal of Statistics 5(3); Rothman (1978), Journal of Chronic "
        "Diseases 31(8)"
    ),
    returns=LeadConversion,
    needs=(Need("created_at", table="leads", least_share=1), Need("qualified_at", table="leads", least_share=1)),
    subject=LEADS,
    answer=lambda book, question: lead_conversion(
        created_in(book, question), question.by, **question.chosen_for(lead_conversion)
    ),
    rivals=(
        Rival(
            "Qualified so far",
            "Qualified ÷ all leads created in the period: recent leads, that had no time yet, pull it down.",
            _qualified_so_far,
        ),
        Rival(
            "Among decided leads",
            "Qualified ÷ (qualified + given up): leads that nobody decides on are left out.",
            _qualified_of_decided,
        ),
    ),
)
def lead_conversion(leads: nw.LazyFrame, by: Sequence[str] = (), *, within_days: int = 90) -> nw.LazyFrame:
    """Share of the leads that became an opportunity within a given time.

    Args:
        leads: One row per lead, from `cadran.book.leads.known_leads`: the columns in hours and those of `by`.
        by: Columns to group on. Empty gives one row for all leads.
        within_days: The time, days of 24 hours.

    Returns:
        One row per group with a lead, sorted by `by`, as `LeadConversion` has it. The rate is null where no lead of
        the group has been followed that long and some are undecided.
    """

    def row(clock: pl.DataFrame) -> dict[str, Any]:
        in_time = clock.filter(pl.col("time") <= within_days * 24)
        rate, low, high = Incidence.of(clock).by(within_days * 24)
        return {
            "n_leads": clock.select(pl.sum_horizontal("n_event", "n_other", "n_censored").sum()).item(),
            "n_qualified": in_time["n_event"].sum(),
            "n_young": clock.filter(pl.col("time") < within_days * 24)["n_censored"].sum(),
            "within_days": within_days,
            "conversion_rate": rate, "conversion_rate_low": low, "conversion_rate_high": high,
        }  # fmt: skip

    return per_group(clocks(leads, by, "qualified_hours", "rejected_hours"), by, LeadConversion, row)


@measure(
    title="First response to leads",
    definition=(
        "Calendar hours from the creation of a lead to its first human answer: median, 90th percentile, and shares "
        "answered within an hour and a day. An unanswered lead counts with the time it has waited by the as-of date, "
        "rejected or not. Intervals: Rothman's, and Brookmeyer and Crowley's, 95 %."
    ),
    unit="hours; share, 0 to 1",
    source=(
        "Kaplan and Meier (1958), JASA 53(282); Brookmeyer and Crowley (1982), A confidence interval for the median "
        "survival time, Biometrics 38(1); Rothman (1978), Journal of Chronic Diseases 31(8)"
    ),
    returns=LeadFirstResponse,
    needs=(Need("created_at", table="leads", least_share=1), Need("first_response_at", table="leads", least_share=1)),
    subject=LEADS,
    answer=lambda book, question: lead_first_response(
        created_in(book, question), question.by, **question.chosen_for(lead_first_response)
    ),
    rivals=(
        Rival(
            "Median of the answered leads",
            "Leads nobody has answered are left out: the more are forgotten, the better it looks.",
            of_answered(created_in, "median"),
        ),
        Rival(
            "Mean of the answered leads",
            "As above, and a few answers after weeks weigh more than all the quick ones.",
            of_answered(created_in, "mean"),
        ),
    ),
)
def lead_first_response(leads: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """How long leads wait for their first human answer, unanswered ones included.

    Args:
        leads: One row per lead, from `cadran.book.leads.known_leads`: the columns in hours and those of `by`.
        by: Columns to group on. Empty gives one row for all leads.

    Returns:
        One row per group with a lead, sorted by `by`, as `LeadFirstResponse` has it. A quantile, a share, or an end
        of an interval is null where too few leads have been answered, or followed, to know it.
    """
    clock = clocks(leads, by, "response_hours")
    return per_group(clock, by, LeadFirstResponse, lambda group: waited(group, "n_leads"))
