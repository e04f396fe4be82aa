"""What the comparison of a measure with earlier periods returns. The columns of `by` come before these."""

import dataframely as dy


class Compared(dy.Schema):
    """A quantity now and in an earlier period."""

    quantity = dy.String(nullable=False, description="What is compared: a column of the measure")
    against = dy.String(nullable=False, description="previous: the period just before; last_year: the same a year ago")
    before_since = dy.Date(nullable=False, description="First day of the earlier period")
    before_until = dy.Date(nullable=False, description="Last day of the earlier period")
    now = dy.Float64(nullable=True, description="The quantity in the period")
    before = dy.Float64(
        nullable=True, description="The quantity in the earlier period; null where the book does not reach back to it"
    )
    n_now = dy.Int64(nullable=True, min=0, description="Deals behind it now")
    n_before = dy.Int64(nullable=True, min=0, description="Deals behind it before")
    n_unknown_now = dy.Int64(nullable=True, min=0, description="Of them, those whose amount is unknown")
    n_unknown_before = dy.Int64(nullable=True, min=0, description="Of those before, those whose amount is unknown")
    difference = dy.Float64(nullable=True, description="now - before")
    difference_low = dy.Float64(
        nullable=True, description="Lower end of the 95 % interval; null for what stands open, which is no draw"
    )
    difference_high = dy.Float64(nullable=True, description="Upper end of the 95 % interval")
    relative_change = dy.Float64(nullable=True, description="difference / before; null for shares and where it was 0")
    is_change = dy.Bool(
        nullable=True, description="Whether the interval, widened for how many are looked at, excludes no change"
    )
    n_compared = dy.Int64(nullable=False, min=0, description="How many differences are looked at together")
