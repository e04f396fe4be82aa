"""What the capacity plan returns: load against capacity by month, the date to hire by, and what too early and too late cost."""

import dataframely as dy

#: From most to least sanguine: how likely a shortage must be before it counts.
CASES = ["best", "base", "worst"]


class OfGroup(dy.Schema):
    """Whom a row is about."""

    level = dy.Enum(["company", "region", "team"], nullable=False, description="Company, region or team")
    group = dy.String(nullable=True, description="Which one; null: the company, or what is not known")
    region = dy.String(nullable=True, description="The region of a team; the group itself of a region")


class CapacityMonth(OfGroup):
    """Load against capacity of one group in one month. The first month is what is left of it."""

    month = dy.Date(nullable=False, description="First day of the month")
    n_sellers = dy.Float64(nullable=False, min=0, description="Sellers expected there, joiners and leavers counted")
    n_ramped = dy.Float64(nullable=False, min=0, description="Of them, as many tenured ones as do the same work")
    hours_load = dy.Float64(nullable=False, min=0, description="Mean hours of work that deals bring")
    hours_load_low = dy.Float64(nullable=False, min=0, description="Lower end of the 95 % interval")
    hours_load_high = dy.Float64(nullable=False, min=0, description="Upper end of it")
    hours_capacity = dy.Float64(nullable=False, min=0, description="Mean hours that sellers have for deals")
    hours_capacity_low = dy.Float64(nullable=False, min=0, description="Lower end of the 95 % interval")
    hours_capacity_high = dy.Float64(nullable=False, min=0, description="Upper end of it")
    load = dy.Float64(nullable=True, min=0, description="Median of load over capacity; null where nobody is there")
    load_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    load_high = dy.Float64(nullable=True, min=0, description="Upper end of it")
    p_shortage = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="Chance that load exceeds capacity; null where nobody is there, was or will be",
    )
    is_short = dy.Bool(
        nullable=False, description="Whether that reaches the threshold, and so in the three months from it on together"
    )
    bookings = dy.Float64(
        nullable=True,
        description="Mean signed revenue that is forecast, in the whole month; null where it would tell of one person",
    )
    bookings_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    bookings_high = dy.Float64(nullable=True, description="Upper end of it")
    bookings_capacity = dy.Float64(
        nullable=True,
        description="Signed revenue that these sellers sign at the pace of the past; null where not known",
    )
    bookings_capacity_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    bookings_capacity_high = dy.Float64(nullable=True, description="Upper end of it")


class HireBy(OfGroup):
    """When to begin to hire in one group, and how many, in one case."""

    case = dy.Enum(
        CASES, nullable=False, description="best: a shortage counts when it is likely; worst: when it is possible"
    )
    threshold = dy.Float64(nullable=False, min=0, max=1, description="Chance of shortage from which a month is short")
    shortage_month = dy.Date(nullable=True, description="First month that is short; null: none")
    start_month = dy.Date(nullable=True, description="Month in which new sellers would have to start")
    hire_by = dy.Date(nullable=True, description="Day by which recruiting would have to begin")
    days_late = dy.Int64(nullable=True, min=0, description="Days by which that day has passed; null: it is to come")
    help_month = dy.Date(nullable=True, description="First month in which sellers hired now are useful")
    n_hires = dy.Int64(nullable=False, min=0, description="Fewest hires that keep later months below the threshold")
    n_peaks = dy.Int64(nullable=False, min=0, description="Single months that reach it: for leave, not for hiring")


class Hire(OfGroup):
    """Sellers to hire in one group and month, in the base case."""

    start_month = dy.Date(nullable=False, description="Month in which they start")
    hire_by = dy.Date(nullable=False, description="Day by which recruiting has to begin")
    n = dy.Int64(nullable=False, min=1, description="How many")


class Timing(OfGroup):
    """The hires of one group begun some months sooner or later: what they and their absence cost until the horizon."""

    shift_months = dy.Int64(nullable=False, description="Months later than planned; negative: sooner")
    is_possible = dy.Bool(nullable=False, description="Whether recruiting can still begin in time for it")
    n_hires = dy.Int64(nullable=False, min=0, description="Hires, those who would start after the horizon left out")
    seller_months = dy.Float64(nullable=False, min=0, description="Months they are paid until the horizon")
    seller_months_idle = dy.Float64(nullable=False, min=0, description="Of them, those before their group is short")
    salary = dy.Float64(nullable=True, min=0, description="What they cost; null where no monthly cost is stated")
    hours_short = dy.Float64(nullable=False, min=0, description="Mean hours of load that nobody has time for")
    hours_short_low = dy.Float64(nullable=False, min=0, description="Lower end of the 95 % interval")
    hours_short_high = dy.Float64(nullable=False, min=0, description="Upper end of it")
    revenue_short = dy.Float64(
        nullable=True,
        description="Forecast revenue of the deals they would go to, not carried; null where it would tell of one person",
    )
    revenue_short_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    revenue_short_high = dy.Float64(nullable=True, description="Upper end of it")
    more = dy.Float64(nullable=True, description="Salary and margin of that revenue, less those of the plan")
    more_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    more_high = dy.Float64(nullable=True, description="Upper end of it")


class Basis(dy.Schema):
    """One thing the plan rests on: learnt from the book, stated by the plan, or assumed."""

    name = dy.String(nullable=False, primary_key=True, description="What it is")
    basis = dy.Enum(["learnt", "stated", "assumed"], nullable=False, description="Where it comes from")
    value = dy.Float64(nullable=False, description="Its value, in the unit that its name says")
    value_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval; null where it has none")
    value_high = dy.Float64(nullable=True, description="Upper end of it")
    n = dy.Int64(nullable=True, min=0, description="How many it was learnt from: touches, sellers, departures, months")


class RampMonth(dy.Schema):
    """What a new seller does of a tenured one's work in one month since hiring."""

    months_since_hire = dy.Int64(nullable=False, min=0, primary_key=True, description="Whole months since hiring")
    productivity_share = dy.Float64(nullable=False, min=0, max=1, description="Share of a tenured seller's work")
    productivity_share_low = dy.Float64(nullable=False, min=0, description="Lower end of the 95 % interval")
    productivity_share_high = dy.Float64(nullable=False, min=0, description="Upper end of it")
    basis = dy.Enum(["learnt", "stated", "assumed"], nullable=False, description="Where it comes from")
    n_hires = dy.Int64(nullable=False, min=0, description="New sellers it was learnt from")
