"""What the series over time and the before/after estimates return. The columns of `by` come before those of `Trend`."""

import dataframely as dy


class Trend(dy.Schema):
    """Deals closed in each month, quarter or week, and what the team did then."""

    period = dy.Date(nullable=False, description="First day of the month, quarter or week")
    n_closed = dy.Int64(nullable=False, min=0, description="Deals won or lost")
    n_won = dy.Int64(nullable=False, min=0, description="Deals won")
    n_won_low = dy.Float64(nullable=False, min=0, description="Lower end of the 95 % interval of their expected number")
    n_won_high = dy.Float64(nullable=False, min=0, description="Upper end of it")
    amount_won = dy.Float64(nullable=True, description="Signed revenue (orders, excl. tax); null where none is known")
    amount_won_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval of the expected amount")
    amount_won_high = dy.Float64(nullable=True, description="Upper end of it; null where nothing was won")
    n_won_unknown = dy.Int64(nullable=False, min=0, description="Won deals whose amount is unknown")
    win_rate = dy.Float64(nullable=True, min=0, max=1, description="n_won / n_closed; null where nothing was closed")
    win_rate_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval (Wilson)")
    win_rate_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval (Wilson)")
    actions = dy.String(nullable=True, description="What the team did in it, for these deals; several apart by ;")


class BeforeAfter(dy.Schema):
    """What an action of the team changed, if that can be told."""

    action_id = dy.String(nullable=False, description="The action")
    label = dy.String(nullable=False, description="What was done")
    date = dy.Date(nullable=False, description="Day it took effect: the first of the time after")
    scope = dy.String(nullable=False, description="Who it was done to: company, region, team or rep")
    scope_id = dy.String(nullable=True, description="Which one; null for the company")
    quantity = dy.String(nullable=False, description="win_rate, or won_per_seller_month (reporting currency)")
    since = dy.Date(nullable=False, description="First day of the time before")
    until = dy.Date(nullable=False, description="Last day of the time after")
    n_treated_before = dy.Int64(nullable=True, min=0, description="Deals the treated sellers closed before")
    n_treated_after = dy.Int64(nullable=True, min=0, description="Deals they closed after")
    n_others_before = dy.Int64(nullable=True, min=0, description="Deals the other sellers closed before")
    n_others_after = dy.Int64(nullable=True, min=0, description="Deals they closed after")
    n_sellers_treated = dy.Int64(nullable=True, min=0, description="Treated sellers")
    n_sellers_others = dy.Int64(nullable=True, min=0, description="Other sellers")
    treated_before = dy.Float64(nullable=True, description="The quantity among the treated before")
    treated_after = dy.Float64(nullable=True, description="The quantity among the treated after")
    others_before = dy.Float64(nullable=True, description="The quantity among the others before")
    others_after = dy.Float64(nullable=True, description="The quantity among the others after")
    effect = dy.Float64(
        nullable=True, description="(after - before) of the treated less that of the others; null if not separable"
    )
    effect_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    effect_high = dy.Float64(nullable=True, description="Upper end of its 95 % interval")
    placebo = dy.Float64(nullable=True, description="The same estimate one span earlier, when nothing had been done")
    placebo_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    placebo_high = dy.Float64(nullable=True, description="Upper end of its 95 % interval")
    verdict = dy.String(nullable=False, description="separable, or cannot be separated")
    reason = dy.String(nullable=True, description="Why it cannot be separated")
    overlaps = dy.String(nullable=True, description="Other actions in the time before and after")
    is_change = dy.Bool(
        nullable=True, description="Whether the interval, widened for how many are looked at, excludes no effect"
    )
