"""What the measures of opportunities return. The columns of `by` come before these."""

import dataframely as dy


class Volumes(dy.Schema):
    """Deals and amounts by status. An amount is null where deals are there but none of theirs is known."""

    n_open = dy.Int64(nullable=False, min=0, description="Deals open on the as-of date, not at the end of the period")
    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period")
    n_lost = dy.Int64(nullable=False, min=0, description="Deals lost in the period, no decision included")
    n_no_decision = dy.Int64(nullable=False, min=0, description="Of the lost, those that ended without a decision")
    n_disqualified = dy.Int64(nullable=False, min=0, description="Deals that never were an opportunity")
    amount_open = dy.Float64(nullable=True, description="Known amount of the open deals")
    amount_won = dy.Float64(nullable=True, description="Signed revenue (orders, excl. tax)")
    amount_lost = dy.Float64(nullable=True, description="Known amount of the lost deals")
    n_open_unknown = dy.Int64(nullable=False, min=0, description="Open deals whose amount is unknown")
    n_won_unknown = dy.Int64(nullable=False, min=0, description="Won deals whose amount is unknown")
    n_lost_unknown = dy.Int64(nullable=False, min=0, description="Lost deals whose amount is unknown")


class WinRate(dy.Schema):
    """Share of closed deals that were won."""

    n_closed = dy.Int64(nullable=False, min=1, description="Deals won or lost in the period")
    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period")
    win_rate = dy.Float64(nullable=False, min=0, max=1, description="n_won / n_closed")
    win_rate_low = dy.Float64(nullable=False, min=0, max=1, description="Lower end of the 95 % interval (Wilson)")
    win_rate_high = dy.Float64(nullable=False, min=0, max=1, description="Upper end of the 95 % interval (Wilson)")


class LossRate(dy.Schema):
    """Share of closed deals that were lost."""

    n_closed = dy.Int64(nullable=False, min=1, description="Deals won or lost in the period")
    n_lost = dy.Int64(nullable=False, min=0, description="Deals lost in the period, no decision included")
    loss_rate = dy.Float64(nullable=False, min=0, max=1, description="n_lost / n_closed")
    loss_rate_low = dy.Float64(nullable=False, min=0, max=1, description="Lower end of the 95 % interval (Wilson)")
    loss_rate_high = dy.Float64(nullable=False, min=0, max=1, description="Upper end of the 95 % interval (Wilson)")


class NoDecisionRate(dy.Schema):
    """Share of closed deals that ended without a decision. Null where too few lost deals say why."""

    n_closed = dy.Int64(nullable=False, min=1, description="Deals won or lost in the period")
    n_no_decision = dy.Int64(nullable=False, min=0, description="Deals lost without a decision")
    n_unknown = dy.Int64(nullable=False, min=0, description="Lost deals that do not say why")
    no_decision_rate = dy.Float64(nullable=True, min=0, max=1, description="n_no_decision / n_closed")
    no_decision_rate_low = dy.Float64(
        nullable=True, min=0, max=1, description="Lower end of the 95 % interval (Wilson)"
    )
    no_decision_rate_high = dy.Float64(
        nullable=True, min=0, max=1, description="Upper end of the 95 % interval (Wilson)"
    )


class Revenue(dy.Schema):
    """Signed revenue. Null where deals were won but none has a known amount."""

    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period")
    n_won_unknown = dy.Int64(nullable=False, min=0, description="Won deals whose amount is unknown")
    revenue = dy.Float64(nullable=True, description="Signed revenue (orders, excl. tax)")


class DealSize(dy.Schema):
    """Amounts of closed deals, won and lost apart. Null where no amount is known; no interval under 10 deals."""

    outcome = dy.String(nullable=False, description="won or lost")
    n = dy.Int64(nullable=False, min=0, description="Deals with a known amount")
    n_unknown = dy.Int64(nullable=False, min=0, description="Deals whose amount is unknown")
    mean = dy.Float64(nullable=True, description="Mean amount")
    mean_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval of the mean (Hall)")
    mean_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval of the mean (Hall)")
    median = dy.Float64(nullable=True, description="Median amount")
    p90 = dy.Float64(nullable=True, description="Amount that one deal in ten exceeds")
