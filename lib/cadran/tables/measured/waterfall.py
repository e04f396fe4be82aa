"""What the waterfall returns. The columns of `by` come before these."""

import dataframely as dy

#: Why a deal stands in the open pipeline at one date and not, or not in the same way, at the other: first that holds.
CAUSES = (
    "won",
    "lost",
    "disqualified",
    "transferred_out",
    "transferred_in",
    "new",
    "reopened",
    "pulled_in",
    "pushed_out",
    "amount_known",
    "amount_up",
    "amount_down",
    "currency",
    "corrected",
    "stage_forward",
    "stage_back",
    "unchanged",
)


class Waterfall(dy.Schema):
    """The open pipeline at two dates and the causes of its change.

    `n`, `amount` and `n_unknown` each add up exactly: opening + all causes = closing (amounts to the cent).
    """

    cause = dy.String(nullable=False, description="Opening, the causes, closing")
    n = dy.Int64(nullable=False, description="Open deals; of a cause: how many it added, or took away if negative")
    amount = dy.Float64(nullable=False, description="Known amount; of a cause: what it added or took away")
    n_unknown = dy.Int64(nullable=False, description="Open deals of unknown amount; of a cause: how many it added")
    n_deals = dy.Int64(nullable=False, min=0, description="Deals that have this cause")
