"""What each column is called, and how its values are written, by the unit its name ends in."""

from datetime import date, datetime
from typing import Any

import polars as pl

from cadran.figures import (
    columns_audit,
    columns_planned,
    columns_process,
    columns_resources,
    columns_score,
    columns_survey,
    columns_territories,
)
from cadran.tables.measured.process import ABOUT, FACTS
from cadran.text import UNKNOWN, Words

#: The names of columns as readers say them. A column that is not here shows its own name.
LABELS = (
    {
        "opportunity_id": "Deal",
        "account_id": "Client no.",
        "client": "Client",
        "rep_id": "Seller no.",
        "seller": "Seller",
        "team": "Team",
        "region": "Region",
        "sector": "Sector",
        "segment": "Segment",
        "country": "Country",
        "product": "Product",
        "deal_type": "Deal type",
        "lead_source": "Origin",
        "stage": "Stage",
        "status": "Status",
        "amount": "Amount",
        "created_date": "Created",
        "closed_date": "Closed",
        "expected_close_date": "Expected close",
        "cycle_days": "Cycle",
        "age_days": "Age",
        "n_pushes": "Times pushed",
        "competitor": "Competitor",
        "loss_reason": "Loss reason",
        "forecast_category": "Forecast category",
        "month": "Month",
        "closed_month": "Month",
        "closed_quarter": "Quarter",
        "quarter": "Quarter",
        "cause": "Cause",
        "n": "Deals",
        "n_deals": "Deals",
        "n_open": "Open deals",
        "n_won": "Won deals",
        "n_lost": "Lost deals",
        "n_closed": "Closed deals",
        "n_no_decision": "No decision",
        "n_disqualified": "Disqualified",
        "amount_open": "Open amount",
        "amount_won": "Signed revenue",
        "amount_lost": "Lost amount",
        "win_rate": "Win rate",
        "win_rate_low": "Win rate, at least",
        "win_rate_high": "Win rate, at most",
        "date": "Date",
        "label": "Cause",
        "rank": "Rank",
        "revenue": "Signed revenue",
        "revenue_share": "Share of revenue",
        "cumulative_share": "Share so far",
        "n_open_unknown": "Open, amount unknown",
        "n_won_unknown": "Won, amount unknown",
        "n_lost_unknown": "Lost, amount unknown",
        "n_unknown": "Unknown",
        "mean_days": "Mean cycle",
        "mean_days_low": "Mean cycle, at least",
        "mean_days_high": "Mean cycle, at most",
        "median_days": "Median cycle",
        "p90_days": "One in ten over",
        "outcome": "Outcome",
        "group_id": "Client no.",
        "action_id": "Action no.",
        "scope": "Level",
        "scope_id": "Who",
        "quantity": "Quantity",
        "since": "From",
        "until": "Until",
        "n_treated_before": "Treated, deals before",
        "n_treated_after": "Treated, deals after",
        "n_others_before": "Others, deals before",
        "n_others_after": "Others, deals after",
        "n_sellers_treated": "Treated sellers",
        "n_sellers_others": "Other sellers",
        "treated_before": "Treated before",
        "treated_after": "Treated after",
        "others_before": "Others before",
        "others_after": "Others after",
        "effect": "Effect",
        "placebo": "Placebo",
        "verdict": "Verdict",
        "reason": "Reason",
        "overlaps": "Overlapping actions",
        "is_change": "Is a change",
        "n_clients": "Clients",
        "n_unknown_client": "Client unknown",
        "n_unknown_amount": "Amount unknown",
        "top": "Largest clients",
        "top_share": "Their share",
        "herfindahl": "Herfindahl index",
        "n_effective_clients": "As many equal clients",
        "n_clients_open": "Clients with an open deal",
        "n_clients_won": "Clients with a won deal",
        "n_clients_lost": "Clients with a lost deal",
        "against": "Against",
        "before_since": "Before, from",
        "before_until": "Before, until",
        "now": "Now",
        "before": "Before",
        "n_now": "Deals now",
        "n_before": "Deals before",
        "n_unknown_now": "Unknown now",
        "n_unknown_before": "Unknown before",
        "difference": "Difference",
        "relative_change": "Relative change",
        "n_compared": "Compared together",
        "target": "Target",
        "remaining": "Still to win",
        "n_due": "Deals due",
        "amount_due": "Amount due",
        "n_due_unknown": "Due, amount unknown",
        "coverage": "Coverage",
        "required_conversion": "Required conversion",
        "p25_days": "A quarter closed by",
        "p75_days": "Three quarters closed by",
        "n_leads": "Leads",
        "n_waits": "Waits",
        "n_answered": "Answered",
        "n_qualified": "Qualified",
        "n_rejected": "Rejected",
        "n_waiting": "Waiting",
        "n_young": "Too young to tell",
        "within_days": "Within",
        "conversion_rate": "Conversion rate",
        "median_hours": "Median wait, hours",
        "p90_hours": "Nine in ten within, hours",
        "within_hour_share": "Within an hour",
        "within_day_share": "Within a day",
        "loss_rate": "Loss rate",
        "no_decision_rate": "No-decision rate",
        "mean": "Mean",
        "median": "Median",
        "p90": "One in ten over (amount)",
        "n_slipped": "Slipped",
        "slippage": "Slippage",
        "amount_slipped": "Amount slipped",
        "slippage_by_value": "Slippage by value",
        "n_pushed": "Pushed deals",
        "n_pushed_once": "Pushed once",
        "n_pushed_twice": "Pushed twice",
        "n_pushed_more": "Pushed three times or more",
        "pushed_share": "Share pushed",
        "pushes_per_deal": "Pushes per deal",
        "from_category": "From category",
        "to_category": "To category",
        "n_from": "Deals at the start",
        "transition_share": "Share of them",
        "period": "Period",
        "actions": "What the team did",
        "n_open_qualified": "Open qualified deals",
        "mean_won_amount": "Mean won amount",
        "mean_won_cycle_days": "Mean won cycle",
        "velocity": "Velocity, a day",
        "won_per_day": "Won a day",
        "n_accounts": "Clients drawn from",
        "win_rate_by_value": "Win rate by value",
        "open_share": "Still open",
        "entered_stage": "Stage entered",
        "followed_since": "Stages followed since",
        "n_entered": "Entries",
        "n_forward": "Moved on",
        "n_back": "Moved back",
        "n_left": "Left",
        "n_still_there": "Still there",
        "n_skipping": "Of them, skipping a stage",
        "n_passed_over": "Passed over",
        "forward_share": "Share moved on or won",
        "fact": "Fact",
        "about": "Of which",
        "statistic": "Told as",
        "unit": "Unit",
        "basis": "Compared at",
        "at_age_days": "Age compared at",
        "n_early": "Closed before that age",
        "won": "Won",
        "lost": "Lost",
        "is_difference": "Is a difference",
        "job_function": "Function of the contact",
        "seniority": "Level of the contact",
        "dwell_p25_days": "A quarter left within",
        "dwell_median_days": "Half left within",
        "dwell_p75_days": "Three quarters left within",
        "signal": "Signal",
        "n_told": "Deals it can be told of",
        "n_shown": "Deals that show it",
        "shown_share": "Share that shows it",
        "amount_shown": "Their amount",
        "n_amount_unknown": "Amount unknown",
        "n_with": "Deals with it",
        "n_won_with": "Won with it",
        "won_with_share": "Share won with it",
        "n_without": "Deals without it",
        "n_won_without": "Won without it",
        "won_without_share": "Share won without it",
        "n_untold": "Cannot be told",
        "is_telling": "Tells something",
    }
    | columns_audit.LABELS
    | columns_score.LABELS
    | columns_process.LABELS
    | columns_resources.LABELS
    | columns_territories.LABELS
    | columns_planned.LABELS
    | columns_survey.LABELS
)
#: Values that are words of ours, and so are translated.
VALUES = (
    {
        "open": "Open",
        "won": "Won",
        "lost": "Lost",
        "disqualified": "Disqualified",
        "new": "New business",
        "expansion": "Expansion",
        "renewal": "Renewal",
        "pipeline": "Pipeline",
        "best_case": "Best case",
        "commit": "Commit",
        "closed": "Closed (forecast)",
        "omitted": "Omitted",
    }
    | columns_audit.VALUES
    | columns_resources.VALUES
    | columns_territories.VALUES
    | columns_survey.VALUES
)
_SHARES = (*columns_process.SHARES, *columns_resources.SHARES, *columns_planned.SHARES, *columns_survey.SHARES)
#: The causes of a waterfall.
CAUSE_LABELS = {
    "opening": "Opening",
    "won": "Won",
    "lost": "Lost",
    "disqualified": "Disqualified",
    "transferred_out": "Transferred out",
    "transferred_in": "Transferred in",
    "new": "New",
    "reopened": "Reopened",
    "pulled_in": "Pulled in",
    "pushed_out": "Pushed out",
    "amount_known": "Amount became known or unknown",
    "amount_up": "Amount up",
    "amount_down": "Amount down",
    "currency": "Currency",
    "corrected": "Corrected or deleted in the source",
    "stage_forward": "Stage forward",
    "stage_back": "Stage back",
    "unchanged": "Unchanged",
    "closing": "Closing",
}
#: Columns whose values are words of ours.
WORDED = (
    {"outcome", "status", "deal_type", "forecast_category"}
    | columns_audit.WORDED
    | columns_resources.WORDED
    | columns_territories.WORDED
    | columns_survey.WORDED
)
_MONTHS = {"month", "closed_month", "created_month", "expected_month"} | columns_planned.MONTHS
#: Columns that only serve the drawing.
HIDDEN = {"state", "key", "cause", "period", "row", "name", "told", "brief", "said", "cell"}


def label(column: str, words: Words) -> str:
    """The name of a column as readers say it."""
    if column in LABELS:
        return words(LABELS[column])
    bound = column.rpartition("_")
    if bound[0] in LABELS and bound[2] == "low":
        return words("{what}, at least", what=words(LABELS[bound[0]]))
    if bound[0] in LABELS and bound[2] == "high":
        return words("{what}, at most", what=words(LABELS[bound[0]]))
    return column


def value_label(column: str, value: Any, words: Words) -> str:
    """A value of a dimension as readers say it; what is not known is said so."""
    if value is None or value == "":
        return words("Unknown")
    if isinstance(value, date):
        if column.endswith("quarter"):
            return words.quarter(value)
        return words.month(value) if column in _MONTHS else words.date(value)
    if column == "cause" and value in CAUSE_LABELS:
        return words(CAUSE_LABELS[value])
    if column in WORDED and value in VALUES:
        return words(VALUES[value])
    return str(value)


def fact_label(fact: str, about: str | None, words: Words) -> str:
    """A fact of the reference of won deals as readers say it, with the stage, kind or function it is about."""
    title = words(FACTS[fact].title)
    if not about:
        return title
    # A stage or function is told as the source says it, even where a kind of touch is called the same.
    return words("{what}: {about}", what=title, about=words(ABOUT[about]) if about in ABOUT else about)


def is_number(frame: pl.DataFrame, column: str) -> bool:
    """Whether a column's values stand to the right."""
    return frame.schema[column].is_numeric()


def cell(column: str, value: Any, words: Words, currency: str) -> str:
    """One value as text, exact."""
    if value is None or (column == "rank" and value == 0):  # all the others together have no rank
        return UNKNOWN
    if isinstance(value, datetime):
        return words.moment(value)
    if isinstance(value, str | date):
        return value_label(column, value, words)
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if column.removesuffix("_low").removesuffix("_high") in columns_planned.MONEY:
        return words.money(value, currency, compact=False)
    if column.removesuffix("_low").removesuffix("_high").endswith(("_rate", "_share", *_SHARES)):
        return words.percent(value, 1)
    if ("amount" in column or "revenue" in column) and not column.startswith("n_"):
        return words.money(value, currency, compact=False)
    if column.removesuffix("_low").removesuffix("_high") == "gap":
        return words.money(value, currency, compact=False)
    if column.removesuffix("_low").removesuffix("_high") in columns_process.FINE:
        return words.number(value, 3)
    if column.removesuffix("_low").removesuffix("_high") in ("change", "wape_difference"):
        return words.points(value, 1)
    if "_days" in column:
        return words.days(value, in_hours=False)
    return words.number(value, 0 if value == int(value) else 2)


def plain_rows(frame: pl.DataFrame, words: Words, currency: str) -> str:
    """A few rows in words, for those who listen to a figure."""
    columns = [name for name in frame.columns if name not in HIDDEN][:5]
    told = [
        ", ".join(f"{label(c, words)} {cell(c, row[c], words, currency)}" for c in columns)
        for row in frame.iter_rows(named=True)
    ]
    return "; ".join(told)
