"""What the win rates by value and by cohort return. The columns of `by` come before these."""

import dataframely as dy


class WinRateByValue(dy.Schema):
    """Share of the closed value that was won. Null where too few amounts are known; no interval under 10 clients."""

    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period with a known amount")
    n_lost = dy.Int64(nullable=False, min=0, description="Deals lost in the period with a known amount")
    n_unknown = dy.Int64(nullable=False, min=0, description="Deals closed in the period whose amount is unknown or 0")
    n_accounts = dy.Int64(nullable=False, min=0, description="Clients of the deals with a known amount")
    amount_won = dy.Float64(nullable=False, description="Signed revenue (orders, excl. tax)")
    amount_lost = dy.Float64(nullable=False, description="Known amount of the lost deals")
    win_rate_by_value = dy.Float64(nullable=True, min=0, max=1, description="amount_won / (amount_won + amount_lost)")
    win_rate_by_value_low = dy.Float64(
        nullable=True, min=0, max=1, description="Lower end of the 95 % interval (bootstrap over clients)"
    )
    win_rate_by_value_high = dy.Float64(
        nullable=True, min=0, max=1, description="Upper end of the 95 % interval (bootstrap over clients)"
    )


class WinRateByCohort(dy.Schema):
    """Share of the deals created in the period that were won by a given age. Null where none was followed that long."""

    n_deals = dy.Int64(nullable=False, min=0, description="Deals created in the period, without the disqualified")
    n_won = dy.Int64(nullable=False, min=0, description="Of these, deals won by that age")
    n_lost = dy.Int64(nullable=False, min=0, description="Of these, deals lost by that age")
    n_young = dy.Int64(nullable=False, min=0, description="Of these, open deals that have not reached that age")
    n_disqualified = dy.Int64(nullable=False, min=0, description="Deals created in the period, since disqualified")
    n_unknown = dy.Int64(nullable=False, min=0, description="Deals without a creation date, of any period")
    age_days = dy.Int64(nullable=False, min=0, description="The age")
    win_rate = dy.Float64(nullable=True, min=0, max=1, description="Share won by that age (Aalen and Johansen)")
    win_rate_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval (Rothman)")
    win_rate_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval (Rothman)")
    open_share = dy.Float64(nullable=True, min=0, max=1, description="Share still open at that age")
