"""What a scenario returns: the levers pulled, and what comes of them through deals, load, hires and pay."""

import dataframely as dy

#: What a scenario is told in: key -> unit (money, deals, share, hours, sellers, days).
QUANTITIES = {
    "bookings": "money",
    "wins": "deals",
    "p_target": "share",
    "load_peak": "share",
    "p_shortage": "share",
    "n_sellers": "sellers",
    "hires_needed": "sellers",
    "pay": "money",
    "pay_share": "share",
}
#: The levers, in the order of the panel.
LEVERS = ("win_odds", "size", "cycle", "arrivals", "answer_hours", "hires", "ramp", "attrition", "quota", "plan")


class ScenarioMonth(dy.Schema):
    """One group in one month of the horizon, under one set of levers."""

    level = dy.Enum(["company", "region", "team"], nullable=False, description="Company, region or team")
    group = dy.String(nullable=True, description="Which one; null: the company, or what is not known")
    month = dy.Date(nullable=False, description="First day of the month")
    bookings = dy.Float64(
        nullable=True,
        description="Mean signed revenue, what is already won in it included; null where it would tell of one person",
    )
    bookings_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    bookings_high = dy.Float64(nullable=True, description="Upper end of it")
    bookings_q25 = dy.Float64(nullable=True, description="A quarter of the futures lie below")
    bookings_q75 = dy.Float64(nullable=True, description="A quarter of the futures lie above")
    target = dy.Float64(nullable=True, description="The goal, after the lever on quotas; null where none is set")
    load = dy.Float64(nullable=True, min=0, description="Hours needed over hours there are; null where not told")
    load_low = dy.Float64(nullable=True, min=0, description="Lower end of the 95 % interval")
    load_high = dy.Float64(nullable=True, min=0, description="Upper end of it")
    p_shortage = dy.Float64(nullable=True, min=0, max=1, description="Chance that more hours are needed than there are")
    n_sellers = dy.Float64(nullable=True, min=0, description="Sellers there, hires and leavers expected")
    pay = dy.Float64(nullable=True, min=0, description="Mean pay, base and variable; null without a plan")


class ScenarioTotal(dy.Schema):
    """One quantity over the whole horizon, under one set of levers, and against things as they are."""

    quantity = dy.Enum(list(QUANTITIES), primary_key=True, description="What is told")
    value = dy.Float64(nullable=True, description="Under these levers; null where it cannot be told")
    value_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval of what will come")
    value_high = dy.Float64(nullable=True, description="Upper end of it")
    more = dy.Float64(nullable=True, description="Less what comes as things are, in the same futures")
    more_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    more_high = dy.Float64(nullable=True, description="Upper end of it")
    reason = dy.String(nullable=True, description="Why it cannot be told, an English sentence of the catalogue")


class Sensitivity(dy.Schema):
    """One lever moved down and up by its usual step, all others as they are: what it changes in a quantity."""

    lever = dy.Enum(list(LEVERS), nullable=False, description="The lever")
    of = dy.String(nullable=True, description="The segment or region it is pulled in; null: all")
    less_value = dy.Float64(nullable=True, description="What it is moved down to, in the lever's own unit")
    more_value = dy.Float64(nullable=True, description="What it is moved up to")
    less = dy.Float64(nullable=True, description="Change of the quantity when it is moved down")
    less_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    less_high = dy.Float64(nullable=True, description="Upper end of it")
    more = dy.Float64(nullable=True, description="Change of the quantity when it is moved up")
    more_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    more_high = dy.Float64(nullable=True, description="Upper end of it")
