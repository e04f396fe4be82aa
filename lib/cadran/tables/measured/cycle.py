"""What the measures of the sales cycle return. The columns of `by` come before these."""

import dataframely as dy


class Cycle(dy.Schema):
    """Days from creation to closing, won and lost apart. Null where none is known; no interval under 10 deals."""

    outcome = dy.String(nullable=False, description="won or lost")
    n = dy.Int64(nullable=False, min=0, description="Deals closed in the period whose creation date is known")
    n_unknown = dy.Int64(nullable=False, min=0, description="Deals closed in the period without a creation date")
    mean_days = dy.Float64(nullable=True, description="Mean cycle")
    mean_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval of the mean (Hall)")
    mean_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval of the mean (Hall)")
    median_days = dy.Float64(nullable=True, description="Median cycle")
    p90_days = dy.Float64(nullable=True, description="Cycle that one deal in ten exceeds")


class TimeToClose(dy.Schema):
    """Days by which a share of the deals has closed, open ones included. Null where that share is not reached yet."""

    n_won = dy.Int64(nullable=False, min=0, description="Deals created in the period and won since")
    n_lost = dy.Int64(nullable=False, min=0, description="Deals created in the period and lost since")
    n_open = dy.Int64(nullable=False, min=0, description="Deals created in the period and still open")
    n_unknown = dy.Int64(nullable=False, min=0, description="Deals without a creation date, of any period")
    p25_days = dy.Float64(nullable=True, min=0, description="Days by which a quarter of the deals has closed")
    p25_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    p25_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    median_days = dy.Float64(nullable=True, min=0, description="Days by which half of the deals has closed")
    median_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    median_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    p75_days = dy.Float64(nullable=True, min=0, description="Days by which three quarters of the deals have closed")
    p75_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    p75_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
