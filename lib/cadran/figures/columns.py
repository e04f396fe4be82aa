"""What each column is called, and how its values are written, by the unit its name ends in."""

from datetime import date, datetime
from typing import Any

import polars as pl

from cadran.text import UNKNOWN, Words

#: The names of columns as readers say them. A column that is not here shows its own name.
LABELS = {
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
}
#: Values that are words of ours, and so are translated.
VALUES = {
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
    "corrected": "Corrected in the source",
    "stage_forward": "Stage forward",
    "stage_back": "Stage back",
    "unchanged": "Unchanged",
    "closing": "Closing",
}
#: Columns whose values are words of ours.
WORDED = {"outcome", "status", "deal_type", "forecast_category"}
_MONTHS = {"month", "closed_month", "created_month", "expected_month"}
#: Columns that only serve the drawing.
HIDDEN = {"state", "key", "cause", "period"}


def label(column: str, words: Words) -> str:
    """The name of a column as readers say it."""
    return words(LABELS[column]) if column in LABELS else column


def value_label(column: str, value: Any, words: Words) -> str:
    """A value of a dimension as readers say it; what is not known is said so."""
    if value is None or value == "":
        return words("Unknown")
    if isinstance(value, date):
        return words.month(value) if column in _MONTHS else words.date(value)
    if column == "cause" and value in CAUSE_LABELS:
        return words(CAUSE_LABELS[value])
    if column in WORDED and value in VALUES:
        return words(VALUES[value])
    return str(value)


def is_number(frame: pl.DataFrame, column: str) -> bool:
    """Whether a column's values stand to the right."""
    return frame.schema[column].is_numeric()


def cell(column: str, value: Any, words: Words, currency: str) -> str:
    """One value as text, exact."""
    if value is None:
        return UNKNOWN
    if isinstance(value, datetime):
        return words.moment(value)
    if isinstance(value, str | date):
        return value_label(column, value, words)
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if column.removesuffix("_low").removesuffix("_high").endswith(("_rate", "_share")):
        return words.percent(value, 1)
    if "amount" in column or "revenue" in column:
        return words.money(value, currency, compact=False)
    if "_days" in column:
        return words.days(value)
    return words.number(value, 0 if value == int(value) else 2)


def plain_rows(frame: pl.DataFrame, words: Words, currency: str) -> str:
    """A few rows in words, for those who listen to a figure."""
    columns = [name for name in frame.columns if name not in HIDDEN][:5]
    told = [
        ", ".join(f"{label(c, words)} {cell(c, row[c], words, currency)}" for c in columns)
        for row in frame.iter_rows(named=True)
    ]
    return "; ".join(told)
