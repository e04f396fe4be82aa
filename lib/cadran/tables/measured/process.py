"""What the measures of the sales process return. The columns of `by` come before these."""

from dataclasses import dataclass
from typing import Literal

import dataframely as dy

Statistic = Literal["median", "p90", "mean", "share"]


@dataclass(frozen=True)
class Fact:
    """What won and lost deals are compared on, as readers say it, and how it is told of many deals."""

    title: str
    statistic: Statistic
    unit: Literal["days", "hours", "per deal", "share"]


#: The facts of the reference of won deals, in order. Those that have an `about` are told of each stage, kind, …
FACTS = {
    "cycle_days": Fact("Sales cycle", "median", "days"),
    "stage_days": Fact("Time in the stage", "median", "days"),
    "stage_reached": Fact("Had reached the stage", "share", "share"),
    "n_touches": Fact("Interactions", "mean", "per deal"),
    "response_hours": Fact("Response time, median", "median", "hours"),
    "response_p90_hours": Fact("Response time, nine in ten within", "p90", "hours"),
    "response_hour": Fact("Answered within an hour", "share", "share"),
    "response_day": Fact("Answered within a day", "share", "share"),
    "n_contacts": Fact("Contacts involved", "mean", "per deal"),
    "n_functions": Fact("Functions involved", "mean", "per deal"),
    "has_senior": Fact("Senior contact involved", "share", "share"),
    "has_decision_maker": Fact("Decision maker involved", "share", "share"),
    "has_function": Fact("Function involved", "share", "share"),
    "has_seniority": Fact("Level involved", "share", "share"),
    "pushed": Fact("Expected close pushed", "share", "share"),
    "amount_up": Fact("Amount raised", "share", "share"),
    "amount_down": Fact("Amount lowered", "share", "share"),
}
#: What of `about` is a word of ours; stages, functions and levels are the book's.
ABOUT = {
    "email": "E-mails",
    "call": "Calls",
    "meeting": "Meetings",
    "demo": "Demonstrations",
    "message": "Messages",
    "task": "Tasks",
    "other": "Others",
    "inbound": "From the client",
    "outbound": "To the client",
}
EQUAL_AGE, WHOLE_LIFE = "equal_age", "whole_life"


class Reference(dy.Schema):
    """A fact of won deals beside that of lost ones. Of fewer than 10 deals on a side, there is no estimate of it; of
    fewer than 10 clients, no interval."""

    fact = dy.String(nullable=False, description="What is compared: a key of FACTS")
    about = dy.String(nullable=True, description="The stage, kind, direction, function or level; null for all")
    statistic = dy.String(nullable=False, description="How many deals are told: median, p90, mean or share")
    unit = dy.String(nullable=False, description="days, hours, per deal or share (0 to 1)")
    basis = dy.String(nullable=False, description="equal_age: as known at that age; whole_life: up to the closing")
    at_age_days = dy.Int64(nullable=True, min=1, description="The age at which deals are compared; null: whole life")
    n_won = dy.Int64(nullable=False, min=0, description="Won deals of which the fact is known")
    n_lost = dy.Int64(nullable=False, min=0, description="Lost deals of which the fact is known")
    n_open = dy.Int64(nullable=False, min=0, description="Deals of that age whose outcome is not known yet")
    n_early = dy.Int64(nullable=False, min=0, description="Deals won or lost before that age, not compared")
    n_unknown = dy.Int64(
        nullable=False, min=0, description="Won and lost deals that have no such fact, or whose age is unknown"
    )
    won = dy.Float64(nullable=True, description="The fact of won deals, in the unit")
    won_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    won_high = dy.Float64(nullable=True, description="Upper end of its 95 % interval")
    lost = dy.Float64(nullable=True, description="The fact of lost deals, in the unit")
    lost_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    lost_high = dy.Float64(nullable=True, description="Upper end of its 95 % interval")
    difference = dy.Float64(nullable=True, description="won − lost")
    difference_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval, taken alone")
    difference_high = dy.Float64(nullable=True, description="Upper end of its 95 % interval, taken alone")
    is_difference = dy.Bool(
        nullable=True, description="Whether its interval, widened for how many are looked at, excludes zero"
    )
    n_compared = dy.Int64(nullable=False, min=0, description="Differences looked at together")
