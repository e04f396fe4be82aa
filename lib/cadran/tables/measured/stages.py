"""What the measures of stages return: one row per open stage. The columns of `by` come before these."""

import dataframely as dy


class Entries(dy.Schema):
    """The entries into each open stage."""

    entered_stage = dy.String(nullable=False, description="An open stage, in the order of the pipeline")
    followed_since = dy.Date(
        nullable=True, description="Day from which the book follows stages; null where it knows their whole past"
    )
    n_entered = dy.Int64(nullable=False, min=0, description="Entries into the stage in the period, creations included")


class StageConversion(Entries):
    """What became of the entries into each open stage. The share is null where nothing entered."""

    n_forward = dy.Int64(nullable=False, min=0, description="Of them, those that moved on to a later open stage")
    n_won = dy.Int64(nullable=False, min=0, description="Of them, those won from the stage")
    n_back = dy.Int64(
        nullable=False, min=0, description="Of them, those that moved to an earlier stage, or to one beside it"
    )
    n_lost = dy.Int64(nullable=False, min=0, description="Of them, those lost from the stage")
    n_disqualified = dy.Int64(nullable=False, min=0, description="Of them, those disqualified from the stage")
    n_still_there = dy.Int64(nullable=False, min=0, description="Of them, those still in the stage")
    n_skipping = dy.Int64(
        nullable=False, min=0, description="Of n_forward and n_won, those that skipped an open stage or several"
    )
    n_passed_over = dy.Int64(
        nullable=False, min=0, description="Moves on from an earlier stage that skipped this one: no entries"
    )
    forward_share = dy.Float64(nullable=True, min=0, max=1, description="(n_forward + n_won) / n_entered")
    forward_share_low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of the 95 % interval (Wilson)")
    forward_share_high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of the 95 % interval (Wilson)")


class StageDwell(Entries):
    """Days by which a share of the visits to each open stage has left it. Null where that share is not reached yet."""

    n_left = dy.Int64(nullable=False, min=0, description="Of them, those that have left it, whichever way")
    n_still_there = dy.Int64(nullable=False, min=0, description="Of them, those still in the stage")
    dwell_p25_days = dy.Float64(nullable=True, min=0, description="Days by which a quarter of the visits has left")
    dwell_p25_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    dwell_p25_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    dwell_median_days = dy.Float64(nullable=True, min=0, description="Days by which half of the visits has left")
    dwell_median_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    dwell_median_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
    dwell_p75_days = dy.Float64(
        nullable=True, min=0, description="Days by which three quarters of the visits have left"
    )
    dwell_p75_days_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    dwell_p75_days_high = dy.Float64(nullable=True, min=0, description="Upper end of the 95 % interval")
