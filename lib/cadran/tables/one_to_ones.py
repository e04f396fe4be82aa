"""One-to-ones of a manager with each person they lead: that they are planned and held, never what is said."""

import dataframely as dy
import polars as pl

PLANNED, HELD, CANCELLED = KINDS = ("planned", "held", "cancelled")
#: How long one may last, and lasts where nothing is agreed; how often, in days, where nothing is agreed.
LEAST_MINUTES, MOST_MINUTES, MINUTES = 5, 480, 60
LEAST_DAYS, MOST_DAYS, DAYS = 1, 366, 28


class OneToOne(dy.Schema):
    """A one-to-one planned, held or cancelled. No column holds what it was about."""

    person = dy.String(primary_key=True, description="Who is led (a `rep_id`)")
    manager = dy.String(primary_key=True, description="Their manager on that day (as `manager_id` of the staff has it)")
    day = dy.Date(primary_key=True, description="The day of it")
    kind = dy.String(primary_key=True, description="planned, held or cancelled")
    minutes = dy.Int64(nullable=False, min=LEAST_MINUTES, max=MOST_MINUTES, description="How long it lasts, or lasted")
    noted_at = dy.Datetime(
        nullable=True, time_zone="UTC", description="When it was noted; null: imported, known from its day on"
    )

    @dy.rule()
    def nobody_meets_themselves(cls) -> pl.Expr:
        return cls.person.col != cls.manager.col

    @dy.rule()
    def a_kind_is_one_of_three(cls) -> pl.Expr:
        return cls.kind.col.is_in(KINDS)
