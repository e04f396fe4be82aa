"""What the measure of velocity returns. The columns of `by` come before these."""

import dataframely as dy


class Velocity(dy.Schema):
    """What the open pipeline should bring a day, and what was signed a day."""

    n_open_qualified = dy.Int64(nullable=False, min=0, description="Open deals in a qualified stage, at the end")
    n_closed = dy.Int64(nullable=False, min=0, description="Deals won or lost in the period")
    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period")
    win_rate = dy.Float64(nullable=True, min=0, max=1, description="n_won / n_closed")
    mean_won_amount = dy.Float64(nullable=True, description="Mean known amount of the won deals")
    mean_won_cycle_days = dy.Float64(nullable=True, min=0, description="Mean days from creation to winning")
    velocity = dy.Float64(
        nullable=True,
        min=0,
        description="n_open_qualified × win_rate × mean_won_amount / mean_won_cycle_days",
        metadata={"unit": "reporting currency a day"},
    )
    velocity_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    velocity_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    n_won_unknown = dy.Int64(nullable=False, min=0, description="Won deals of unknown amount or cycle")
    won_per_day = dy.Float64(
        nullable=True,
        description="Known amount won in the period ÷ its days; null where deals were won, none of known amount",
        metadata={"unit": "reporting currency a day"},
    )
