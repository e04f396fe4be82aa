"""What the win model says of deals and of itself, as pages and exports show it."""

from dataclasses import dataclass

import dataframely as dy


@dataclass(frozen=True)
class Expected:
    """Wins and revenue to expect of some deals within a horizon, with 95 % intervals."""

    n_deals: int
    wins: float
    wins_low: float
    wins_high: float
    revenue: float
    revenue_low: float
    revenue_high: float
    #: Deals whose amount is unknown: their revenue is not in it.
    n_unknown: int


def _share(description: str, nullable: bool = False) -> dy.Float64:
    return dy.Float64(nullable=nullable, min=0, max=1, description=description)


class Chance(dy.Schema):
    """A win probability with its 95 % interval."""

    probability = _share("Chance of being won")
    probability_low = _share("Lower end of the 95 % interval")
    probability_high = _share("Upper end of the 95 % interval")


class OpenDeal(Chance):
    """An open deal: its chance, when it is likely to close, what to do first."""

    opportunity_id = dy.String(nullable=False)
    client = dy.String(nullable=True)
    stage = dy.String(nullable=True)
    amount = dy.Float64(nullable=True, description="In the book's currency; null where unknown")
    close_date = dy.Date(nullable=True, description="Half of the chance to be won lies before this day")
    action = dy.String(nullable=True, description="secure, push, watch, leave; null where none can be told")


class Promise(Chance):
    """Chance of one deal to have been won by a day ahead."""

    by_date = dy.Date(nullable=False)


class Course(Chance):
    """What today's model says of one deal as it was known on a past day."""

    at_date = dy.Date(nullable=False)
    stage = dy.String(nullable=True)


class Happened(dy.Schema):
    """Something that happened to a deal."""

    at_date = dy.Date(nullable=False)
    what = dy.String(nullable=False, description="In the reader's words")
    is_move = dy.Bool(nullable=False, description="Whether the deal itself changed, against a touch")


class Pull(dy.Schema):
    """What is expected of the open deals at one value of a lever."""

    label = dy.String(nullable=False, description="The value, in the reader's words")
    is_now = dy.Bool(nullable=False, description="Whether it stands for things as they are")
    wins = dy.Float64(nullable=True, min=0, description="Expected deals won within the horizon")
    wins_low = dy.Float64(nullable=True, min=0)
    wins_high = dy.Float64(nullable=True, min=0)
    revenue = dy.Float64(nullable=True, min=0, description="Expected revenue of deals of known amount")
    revenue_low = dy.Float64(nullable=True, min=0)
    revenue_high = dy.Float64(nullable=True, min=0)


class Reliability(dy.Schema):
    """Deals to which about the same probability was given, and what share of them was won."""

    n = dy.Int64(nullable=False, min=0, description="Looks at deals")
    n_won = dy.Int64(nullable=False, min=0, description="Of them, those whose deal was won")
    predicted = _share("Mean probability given")
    observed = _share("Share won")
    observed_low = _share("Lower end of the 95 % interval", nullable=True)
    observed_high = _share("Upper end of the 95 % interval", nullable=True)


class Skill(dy.Schema):
    """How much of the uncertainty the model takes away in a group of deals: 1 − log loss ÷ that of the overall rate."""

    group = dy.String(nullable=False)
    n = dy.Int64(nullable=False, min=0, description="Looks at deals")
    skill = dy.Float64(nullable=True, max=1)
    skill_low = dy.Float64(nullable=True)
    skill_high = dy.Float64(nullable=True)


class Drift(dy.Schema):
    """Share won of the deals that closed in a period."""

    quarter = dy.Date(nullable=False)
    n_won = dy.Int64(nullable=False, min=0)
    n_closed = dy.Int64(nullable=False, min=0)
    win_rate = _share("n_won / n_closed", nullable=True)
    win_rate_low = _share("Lower end of the 95 % interval (Wilson)", nullable=True)
    win_rate_high = _share("Upper end of the 95 % interval (Wilson)", nullable=True)
