"""What the measure of response time returns. The columns of `by` come before these."""

import dataframely as dy


class ResponseTime(dy.Schema):
    """Hours that clients wait for a human reply, those still waiting included. Null where not reached yet."""

    n_waits = dy.Int64(nullable=False, min=1, description="Waits of clients begun in the period")
    n_deals = dy.Int64(nullable=False, min=1, description="Deals these waits are of")
    n_answered = dy.Int64(nullable=False, min=0, description="Of these, waits that a human reply has ended")
    median_hours = dy.Float64(nullable=True, min=0, description="Hours by which half of the waits had their reply")
    median_hours_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    median_hours_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    p90_hours = dy.Float64(nullable=True, min=0, description="Hours by which nine waits in ten had their reply")
    p90_hours_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    p90_hours_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    within_hour_share = dy.Float64(nullable=True, min=0, max=1, description="Share answered within an hour")
    within_hour_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval")
    within_hour_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval")
    within_day_share = dy.Float64(nullable=True, min=0, max=1, description="Share answered within a day")
    within_day_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval")
    within_day_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval")
