"""What the weak signals of open deals return."""

import dataframely as dy

#: The signals, and what each is called.
TITLES = {
    "stalled": "Stalled",
    "client_waits": "The client waits",
    "no_reply": "No reply",
    "silent_contact": "Contact gone silent",
    "fewer_people": "Fewer people active",
    "pushed_again": "Pushed again",
    "amount_up": "Amount drifting up",
    "amount_down": "Amount drifting down",
    "competitor": "Competitor named",
    "overdue": "Overdue",
}
#: What the values of signals are counted in; "yes" where there is nothing to count.
UNITS = ["days", "hours", "pushes", "people", "share", "yes"]


class DealSignal(dy.Schema):
    """A weak signal that an open deal shows."""

    opportunity_id = dy.String(primary_key=True, description="The deal")
    signal = dy.String(primary_key=True, description="Which signal")
    value = dy.Float64(nullable=False, description="What the deal shows, in the signal's unit")
    threshold = dy.Float64(nullable=False, description="Beyond what it shows: most won deals had no more")
    unit = dy.Enum(UNITS, nullable=False, description="Of the value and the threshold")
    n_won = dy.Int64(nullable=True, min=0, description="Won deals the threshold was learnt from; null if it is none")
    since = dy.Date(nullable=True, description="Day from which the deal shows it; null where that cannot be told")


class Threshold(dy.Schema):
    """Where a signal begins, learnt from the won deals of the book."""

    signal = dy.String(nullable=False, description="Which signal")
    stage = dy.String(nullable=True, description="The stage it holds for; null for all")
    unit = dy.Enum(UNITS, nullable=False, description="Of the threshold")
    share = dy.Float64(nullable=True, min=0, max=1, description="Share of the won deals' values that are no greater")
    threshold = dy.Float64(nullable=True, min=0, description="The threshold; null where too little stands behind it")
    threshold_low = dy.Float64(nullable=True, min=0, description="Lower end of its 95 % interval")
    threshold_high = dy.Float64(nullable=True, min=0, description="Upper end of its 95 % interval; null if not reached")
    n_won = dy.Int64(nullable=False, min=0, description="Won deals it was learnt from")
    n_values = dy.Int64(nullable=False, min=0, description="Their values: stays, waits, gaps or deals")
    learnt_since = dy.Date(nullable=True, description="Day the first of them was won")
    learnt_until = dy.Date(nullable=True, description="Day the last of them was won")
    reason = dy.String(nullable=True, description="Why there is no threshold")


class Signalled(dy.Schema):
    """How many open deals show a signal. The columns of `by` come before these."""

    n_open = dy.Int64(nullable=False, min=0, description="Open deals")
    n_told = dy.Int64(nullable=False, min=0, description="Of them, those of which the book can tell")
    n_shown = dy.Int64(nullable=False, min=0, description="Of these, those that show the signal")
    shown_share = dy.Float64(nullable=True, min=0, max=1, description="n_shown / n_told")
    amount_shown = dy.Float64(nullable=False, description="Known amounts of the deals that show it")
    n_amount_unknown = dy.Int64(nullable=False, min=0, description="Deals that show it whose amount is unknown")


class SignalTold(dy.Schema):
    """How much a signal has told in the past: one moment drawn in the life of each past deal."""

    signal = dy.String(nullable=False, description="Which signal")
    within_days = dy.Int64(nullable=False, min=1, description="A deal counts as won if it was within so many days")
    n_with = dy.Int64(nullable=False, min=0, description="Deals that showed it at their moment")
    n_won_with = dy.Int64(nullable=False, min=0, description="Of them, those won in time")
    won_with_share = dy.Float64(nullable=True, min=0, max=1, description="n_won_with / n_with")
    won_with_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of its 95 % interval (Wilson)")
    won_with_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of its 95 % interval (Wilson)")
    n_without = dy.Int64(nullable=False, min=0, description="Deals that did not show it")
    n_won_without = dy.Int64(nullable=False, min=0, description="Of them, those won in time")
    won_without_share = dy.Float64(nullable=True, min=0, max=1, description="n_won_without / n_without")
    won_without_share_low = dy.Float64(
        nullable=True, min=0, max=1, description="Lower end of its 95 % interval (Wilson)"
    )
    won_without_share_high = dy.Float64(
        nullable=True, min=0, max=1, description="Upper end of its 95 % interval (Wilson)"
    )
    n_untold = dy.Int64(nullable=False, min=0, description="Deals of which it could not be told at their moment")
    difference = dy.Float64(nullable=True, min=-1, max=1, description="With less without, among deals at one stage")
    difference_low = dy.Float64(nullable=True, min=-1, max=1, description="Lower end of its 95 % interval")
    difference_high = dy.Float64(nullable=True, min=-1, max=1, description="Upper end of its 95 % interval")
    is_telling = dy.Bool(nullable=True, description="Whether the interval, widened for all signals, has no zero in it")
    n_compared = dy.Int64(nullable=False, min=0, description="How many signals are looked at together")


class Changed(dy.Schema):
    """What became another between two views of a book, on a deal open in the later one."""

    opportunity_id = dy.String(nullable=False, description="The deal")
    what = dy.String(nullable=False, description="What changed: a fact, or that the deal is new, or reopened")
    before = dy.String(nullable=True, description="What it was; null where it was not known")
    after = dy.String(nullable=True, description="What it is")
