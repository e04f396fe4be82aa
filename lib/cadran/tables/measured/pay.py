"""What a pay plan comes to: payouts and their lines, what they rest on, the curve of pay, and what it may cost."""

import dataframely as dy

#: The steps from what was credited to what is paid, in the order in which they are taken.
STEPS = (
    "tier", "bonus", "cap", "already_earned", "carried_in", "carried_out", "draw", "draw_recovered",
)  # fmt: skip
LEVELS = ("company", "team", "rep")


def _money(description: str, nullable: bool = False) -> dy.Float64:
    return dy.Float64(nullable=nullable, description=description, metadata={"unit": "reporting currency"})


class Payout(dy.Schema):
    """What a group is paid for one period. Per rep only where ratings of named persons are open."""

    level = dy.Enum(LEVELS, nullable=False, description="Company, team or rep")
    group = dy.String(nullable=True, description="Which team or rep; null: the company, or no team")
    seller = dy.String(nullable=True, description="Name of the rep; null at the other levels")
    team = dy.String(nullable=True, description="Team of the rep at the end of the period")
    period = dy.Date(nullable=False, description="First day of the period paid")
    until = dy.Date(nullable=False, description="Last day of it")
    is_complete = dy.Bool(nullable=False, description="Whether the period had ended at the book's moment")
    n_sellers = dy.Int64(nullable=False, min=0, description="Sellers paid by the plan who were there in the period")
    counted_from = dy.Date(
        nullable=False,
        description="First day of what quota_amount and credited_amount count: that of the period, or, where attainment is "
        "to date, of the plan; pay is of the period alone",
    )
    quota_until = dy.Date(nullable=False, description="Last day of what quota_amount counts; credited_amount: until")
    quota_amount = _money("Quota from counted_from to quota_until, prorated for presence")
    credited_amount = _money("Won and credited against it, from counted_from to until")
    attainment = dy.Float64(nullable=True, description="credited_amount / quota_amount; null without a quota")
    base_pay = _money("Fixed pay of the period, prorated for presence")
    target_pay = _money("Variable pay of the period at 100 %, prorated for presence")
    pay = _money("Variable pay of the period: the sum of its lines")
    pay_cents = dy.Int64(nullable=False, description="`pay` in cents, exact")
    carried_pay = _money("Owed against later periods at the end of this one: earned less than was paid (not positive)")
    draw_balance_pay = _money("Draws not recovered yet at the end of the period")


class PayLine(dy.Schema):
    """One line of a payout. The lines of a rep and period add up to the payout to the cent."""

    rep_id = dy.String(nullable=False, description="The rep paid")
    period = dy.Date(nullable=False, description="First day of the period paid")
    line = dy.Int64(nullable=False, min=1, description="Place among the lines of the rep and period")
    step = dy.Enum(STEPS, nullable=False, description="Which step it is")
    measure = dy.String(nullable=True, description="The measure of the plan")
    tier = dy.Int64(nullable=True, min=1, description="The tier, from 1")
    of_period = dy.Date(nullable=True, description="The earlier period that is worked out anew, or was earned before")
    counted_from = dy.Date(
        nullable=True,
        description="First day of what base, quota and variable of a tier count; null where the line has none",
    )
    base_amount = _money("What the rate is applied to; of deals counted, their number", nullable=True)
    quota_amount = _money("The quota it is held to, where the tier pays a share of the variable", nullable=True)
    target_pay = _money("The variable that is shared, where it is", nullable=True)
    rate = dy.String(nullable=True, description="Exact: per unit of base_amount, or of target_pay per unit of quota")
    pay = _money("What the line adds (or takes)")
    pay_cents = dy.Int64(nullable=False, description="`pay` in cents, exact")


class PayCredit(dy.Schema):
    """One deal credited to one rep, or taken back."""

    rep_id = dy.String(nullable=False, description="The rep credited: the owner at the closing, or as a split says")
    opportunity_id = dy.String(nullable=False, description="The deal")
    measure = dy.String(nullable=False, description="The measure of the plan it counts in")
    kind = dy.Enum(
        ["won", "amended", "reversed"], nullable=False, description="Won; its amount changed since; lost or reopened"
    )
    date = dy.Date(nullable=False, description="Day it became so")
    counts_in = dy.Date(nullable=False, description="First day of the period it counts in: that of the win")
    share = dy.Float64(nullable=False, min=0, max=1, description="Share of the deal credited to this rep")
    credited_amount = _money("What is credited or taken back; of deals counted, their number")


class PayCurve(dy.Schema):
    """Pay as a function of attainment, for one period at its full quota."""

    plan = dy.String(nullable=False, description="Name of the plan")
    measure = dy.String(nullable=True, description="The measure that moves, the others at 100 %; null: all together")
    attainment = dy.Float64(nullable=False, min=0, description="Credited / quota")
    pay = _money("Variable pay of the period")
    marginal_rate = dy.Float64(nullable=True, description="Pay per next unit credited; null at a jump")
    is_cliff = dy.Bool(nullable=False, description="Whether pay jumps here")
    is_flat = dy.Bool(nullable=False, description="Whether the next unit credited pays nothing")
    at = dy.String(nullable=True, description="What changes here")


class PayHeld(dy.Schema):
    """What the next deal pays now, and what it would pay if it were held to the next period."""

    plan = dy.String(nullable=False, description="Name of the plan")
    attainment = dy.Float64(
        nullable=False, min=0, description="Credited / quota of the period so far, without the deal"
    )
    deal_amount = _money("The deal")
    now_pay = _money("What it adds to this period")
    held_pay = _money("What it would add to the next period, which else reaches 100 %")
    gain_pay = _money("held_pay - now_pay: above 0, holding the deal back pays")


class PayCost(dy.Schema):
    """What variable pay may cost, under simulated bookings."""

    plan = dy.String(nullable=False, description="Name of the plan")
    period = dy.Date(nullable=True, description="First day of the period; null: all of them")
    n_months = dy.Int64(nullable=False, min=0, description="Months of it that are simulated")
    pay = _money("Mean over the futures")
    low = _money("2.5 % of the futures lie below")
    q05 = _money("5 % lie below")
    q10 = _money("10 % lie below")
    q25 = _money("25 % lie below")
    q50 = _money("Half of them lie below")
    q75 = _money("75 % lie below")
    q90 = _money("90 % lie below")
    q95 = _money("95 % lie below")
    high = _money("97.5 % lie below")
    bookings = _money("Mean credited bookings of the same futures")
    pay_share = dy.Float64(nullable=True, description="pay / bookings")
    pay_share_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval of the futures")
    pay_share_high = dy.Float64(nullable=True, description="Upper end of it")


class PayAttainment(dy.Schema):
    """How many sellers may reach how much of their quota by the end of the last period simulated."""

    plan = dy.String(nullable=False, description="Name of the plan")
    bin_low = dy.Float64(nullable=False, min=0, description="From this attainment")
    bin_high = dy.Float64(nullable=True, description="To below this one; null: no end")
    n_expected = dy.Float64(nullable=False, min=0, description="Sellers expected there: mean over the futures")
    n_expected_low = dy.Float64(nullable=False, min=0, description="2.5 % of the futures lie below")
    n_expected_high = dy.Float64(nullable=False, min=0, description="97.5 % lie below")


class PayCompared(dy.Schema):
    """Two plans on the same deals. Per rep only where ratings of named persons are open."""

    level = dy.Enum(LEVELS, nullable=False, description="Company, team or rep")
    group = dy.String(nullable=True, description="Which team or rep; null: the company, or no team")
    seller = dy.String(nullable=True, description="Name of the rep; null at the other levels")
    n_sellers = dy.Int64(nullable=False, min=0, description="Sellers paid by either plan")
    pay_a = _money("Variable pay under the first plan")
    pay_b = _money("Variable pay under the other")
    difference_pay = _money("pay_b - pay_a")
    n_gain = dy.Int64(
        nullable=True, min=0,
        description="Sellers who get more under the other plan; null where that would tell what one or two get",
    )  # fmt: skip
    n_lose = dy.Int64(nullable=True, min=0, description="Sellers who get less; null likewise")
    n_same = dy.Int64(nullable=True, min=0, description="Sellers who get the same, to the cent; null likewise")
    gain_pay = _money(
        "What those who gain get more, in all; null where that would tell what one or two get", nullable=True
    )
    lose_pay = _money("What those who lose get less, in all (not positive); null likewise", nullable=True)
    reason = dy.String(nullable=True, description="Why something is left out, an English sentence of the catalogue")


class PayFlag(dy.Schema):
    """Something about a plan that a person has to look at before it pays."""

    plan = dy.String(nullable=False, description="Name of the plan")
    kind = dy.Enum(
        ["late", "retroactive", "deducting", "territory", "calendar", "unknown"], nullable=False,
        description="What kind of thing",
    )  # fmt: skip
    n = dy.Int64(nullable=True, min=0, description="How many of what it speaks of")
    pay_amount = _money("The money concerned", nullable=True)
    said = dy.String(nullable=False, description="The sentence")
