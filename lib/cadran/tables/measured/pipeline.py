"""What the measures of the open pipeline return. The columns of `by` come before these."""

import dataframely as dy


class Pipeline(dy.Schema):
    """The open pipeline as it stood at the end of each of a series of days."""

    date = dy.Date(nullable=False, description="Day at whose end the pipeline stood like this")
    n_open = dy.Int64(nullable=False, min=0, description="Open deals")
    amount_open = dy.Float64(nullable=True, description="Their known amount; null where none of them is known")
    n_open_unknown = dy.Int64(nullable=False, min=0, description="Open deals whose amount is unknown")


class Slippage(dy.Schema):
    """What became of the deals expected in a period."""

    n_due = dy.Int64(nullable=False, min=1, description="Deals open at the start and expected to close in the period")
    n_slipped = dy.Int64(nullable=False, min=0, description="Of them, those still open at its end")
    n_won = dy.Int64(nullable=False, min=0, description="Of them, those won by its end")
    n_lost = dy.Int64(nullable=False, min=0, description="Of them, those lost by its end")
    slippage = dy.Float64(nullable=False, min=0, max=1, description="n_slipped / n_due")
    slippage_low = dy.Float64(nullable=False, min=0, max=1, description="Lower end of the 95 % interval (Wilson)")
    slippage_high = dy.Float64(nullable=False, min=0, max=1, description="Upper end of the 95 % interval (Wilson)")
    n_due_unknown = dy.Int64(nullable=False, min=0, description="Deals due whose amount was unknown at the start")
    amount_due = dy.Float64(nullable=True, description="Known amount due, as it was at the start")
    amount_slipped = dy.Float64(nullable=True, description="Of it, what was still open at the end")
    slippage_by_value = dy.Float64(nullable=True, min=0, max=1, description="amount_slipped / amount_due")
    slippage_by_value_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval")
    slippage_by_value_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval")


class Pushes(dy.Schema):
    """How often the expected date moved to a later month."""

    n_deals = dy.Int64(nullable=False, min=1, description="Deals open at some time in the period")
    n_pushed = dy.Int64(nullable=False, min=0, description="Of them, those pushed at least once in it")
    n_pushed_once = dy.Int64(nullable=False, min=0, description="Those pushed once")
    n_pushed_twice = dy.Int64(nullable=False, min=0, description="Those pushed twice")
    n_pushed_more = dy.Int64(nullable=False, min=0, description="Those pushed three times or more")
    n_pushes = dy.Int64(nullable=False, min=0, description="Pushes in the period")
    pushed_share = dy.Float64(nullable=False, min=0, max=1, description="n_pushed / n_deals")
    pushed_share_low = dy.Float64(nullable=False, min=0, max=1, description="Lower end of the 95 % interval (Wilson)")
    pushed_share_high = dy.Float64(nullable=False, min=0, max=1, description="Upper end of the 95 % interval (Wilson)")
    pushes_per_deal = dy.Float64(nullable=False, min=0, description="n_pushes / n_deals")


class ForecastTransitions(dy.Schema):
    """What became of the deals of each forecast category."""

    from_category = dy.String(nullable=False, description="Forecast category at the start; unknown if none")
    to_category = dy.String(
        nullable=False, description="Category at the end, or what ended the deal: won, lost, disqualified, gone"
    )
    n = dy.Int64(nullable=False, min=1, description="Deals that went this way")
    amount = dy.Float64(nullable=False, description="Their known amount at the start")
    n_unknown = dy.Int64(nullable=False, min=0, description="Of them, those whose amount was unknown at the start")
    n_from = dy.Int64(nullable=False, min=1, description="Deals of this category at the start")
    transition_share = dy.Float64(nullable=False, min=0, max=1, description="n / n_from")
    transition_share_low = dy.Float64(
        nullable=False, min=0, max=1, description="Lower end of the 95 % interval (Wilson)"
    )
    transition_share_high = dy.Float64(
        nullable=False, min=0, max=1, description="Upper end of the 95 % interval (Wilson)"
    )
