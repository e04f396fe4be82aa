"""What each column is called, and how its values are written, by the unit its name ends in."""

from datetime import date, datetime
from typing import Any

import polars as pl

from cadran.text import UNKNOWN, Words

#: The names of columns as readers say them. A column that is not here shows its own name.
LABELS = {
    "opportunity_id": "Deal",
    "account_id": "Client no.",
    "account": "Client",
    "account_name": "Client",
    "rep_id": "Seller no.",
    "rep": "Seller",
    "rep_name": "Seller",
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
_WORDED = {"status", "deal_type", "forecast_category"}
_MONTHS = {"month", "closed_month", "created_month", "expected_month"}
#: Columns that only serve the drawing.
HIDDEN = {"state", "key", "position", "start", "end"}


def label(column: str, words: Words) -> str:
    """The name of a column as readers say it."""
    return words(LABELS[column]) if column in LABELS else column


def value_label(column: str, value: Any, words: Words) -> str:
    """A value of a dimension as readers say it; what is not known is said so."""
    if value is None or value == "":
        return words("Unknown")
    if isinstance(value, date):
        return words.month(value) if column in _MONTHS else words.date(value)
    if column in _WORDED and value in VALUES:
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
    if column.endswith(("_rate", "_share")) or column.endswith(("_rate_low", "_rate_high", "_share_low", "_share_high")):
        return words.percent(value, 1)
    if "amount" in column or column.endswith("_revenue"):
        return words.money(value, currency, compact=False)
    if column.endswith("_days"):
        return words.days(value)
    return words.number(value, 0 if value == int(value) else 2)
