"""What the team set itself: targets, the calendar it works by, and the actions it took."""

import dataframely as dy
import polars as pl

from cadran.tables.ends import Believed, end_reason

SCOPES = ["company", "region", "team", "rep"]


class Target(dy.Schema):
    """A goal for one period and scope, as it stood from `valid_from` until the next change."""

    target_id = dy.String(primary_key=True, description="Identifier of the goal")
    valid_from = dy.Datetime(primary_key=True, time_zone="UTC", description="When the goal was set to this value")
    valid_to = dy.Datetime(nullable=True, time_zone="UTC", description="When it was changed; null while it stands")
    scope = dy.Enum(SCOPES, nullable=False, description="Whom the goal is for")
    scope_id = dy.String(nullable=True, description="Which region, team or rep; null for the company")
    deal_type = dy.String(nullable=True, description="Deal type the goal is limited to; null for all")
    start_date = dy.Date(nullable=False, description="First day of the period")
    end_date = dy.Date(nullable=False, description="Last day of the period")
    amount = dy.Float64(
        nullable=False, min=0, description="Signed revenue to reach", metadata={"unit": "reporting currency"}
    )
    end_reason = end_reason()

    @dy.rule()
    def a_period_ends_on_or_after_its_first_day(cls) -> pl.Expr:
        return cls.end_date.col >= cls.start_date.col

    @dy.rule()
    def a_goal_below_company_level_names_whom_it_is_for(cls) -> pl.Expr:
        return (cls.scope.col == "company") == cls.scope_id.col.is_null()


class StoredTarget(Target, Believed):
    """A goal as the book keeps it."""


class Day(dy.Schema):
    """One day of the book's calendar."""

    date = dy.Date(primary_key=True, description="The day")
    week = dy.Date(nullable=False, description="Monday of its ISO week")
    month = dy.Date(nullable=False, description="First day of its month")
    quarter = dy.Date(nullable=False, description="First day of its quarter")
    year = dy.Date(nullable=False, description="First day of its year")
    fiscal_year = dy.Int64(nullable=False, description="The fiscal year, named by the year it ends in")
    fiscal_period = dy.Int64(nullable=False, min=1, max=12, description="Month of the fiscal year, 1 to 12")
    is_business_day = dy.Bool(nullable=False, description="Neither weekend nor public holiday")
    business_day = dy.Int64(nullable=False, min=0, description="Business days from the month's first to this, included")


class Action(dy.Schema):
    """Something the team did on a date: a training, a price change, a reorganisation."""

    action_id = dy.String(primary_key=True, description="Identifier of the action")
    date = dy.Date(nullable=False, description="Day it took effect")
    label = dy.String(nullable=False, description="What was done")
    scope = dy.Enum(SCOPES, nullable=False, description="Who it was done to")
    scope_id = dy.String(nullable=True, description="Which region, team or rep; null for the company")


class StoredAction(Action, Believed):
    """An action as the book keeps it."""
