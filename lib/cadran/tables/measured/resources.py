"""What the measures of load, results and staff return. The columns of `by` come before these."""

import dataframely as dy


def _n(description: str, nullable: bool = False) -> dy.Int64:
    return dy.Int64(nullable=nullable, min=0, description=description)


def _number(description: str, least: float | None = 0) -> dy.Float64:
    return dy.Float64(nullable=True, min=least, description=description)


def _share(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=1, description=description)


class Load(dy.Schema):
    """What a group had to do, and what it did, in each week, month or quarter. Amounts are known ones."""

    period = dy.Date(nullable=False, description="First day of the month, quarter or week")
    until = dy.Date(
        nullable=False, description="Last day of it that is told of: open and overdue deals are those of it"
    )
    is_whole = dy.Bool(nullable=False, description="Whether all its days are told of")
    n_open = _n("Deals open at the end of that day")
    amount_open = _number("Their amount; null where none of them is known", None)
    n_open_unknown = _n("Open deals whose amount is unknown")
    n_overdue = _n("Open deals whose expected date had passed")
    amount_overdue = _number("Their amount; null where none of them is known", None)
    n_undated = _n("Open deals without an expected date")
    n_new = _n("Deals created in it")
    amount_new = _number("Their amount at its end; null where none of them is known", None)
    n_new_unknown = _n("New deals whose amount was unknown at its end")
    n_won = _n("Deals won in it")
    n_won_low = _number("Lower end of the 95 % interval of their expected number")
    n_won_high = _number("Upper end of it")
    amount_won = _number("Signed revenue (orders, excl. tax); null where none of it is known", None)
    amount_won_low = _number("Lower end of the 95 % interval of the expected amount")
    amount_won_high = _number("Upper end of it; null where nothing was won")
    n_won_unknown = _n("Won deals whose amount is unknown")
    n_lost = _n("Deals lost in it, those without a decision included")
    amount_lost = _number("Their amount; null where none of them is known", None)
    n_lost_unknown = _n("Lost deals whose amount is unknown")
    n_disqualified = _n("Deals disqualified in it")


class Growth(dy.Schema):
    """How fast what comes in, or is signed, grows or shrinks."""

    quantity = dy.String(nullable=False, description="new_deals, won_deals, lost_deals or signed_revenue")
    n_periods = _n("Whole months looked at")
    n = _n("Deals in them")
    per_month = _number("Mean of a month: deals, or reporting currency; null where too few amounts are known")
    growth = _number("Change within a year, as a share: 0.1 is 10 % more; null where too little is known", -1)
    growth_low = _number("Lower end of the 95 % interval", -1)
    growth_high = _number("Upper end of the 95 % interval", -1)
    n_compared = _n("Growths looked at together")
    is_change = dy.Bool(
        nullable=True, description="Whether the interval, widened for how many are looked at, excludes no change"
    )


class Balance(dy.Schema):
    """How evenly the sellers of a group are loaded on a day."""

    quantity = dy.String(nullable=False, description="open_deals, open_amount or new_deals")
    n_sellers = _n("Sellers present, those with nothing included")
    total = _number("What they have together: deals, or reporting currency", None)
    median_load = _number("What the one in the middle has", None)
    gini = _number("0: all have as much; 1: one has all. Null under two sellers, or where there is nothing")
    gini_low = _number("Lower end of the 95 % interval; null under ten sellers")
    gini_high = _number("Upper end of the 95 % interval; null under ten sellers")
    gini_luck = _number("What chance alone makes of as many deals among as many sellers; null for amounts")
    gini_luck_high = _number("What chance exceeds in 2.5 cases of 100")
    is_uneven = dy.Bool(nullable=True, description="Whether it is less even than chance makes")
    n_above = _n("Sellers with more than 115 % of the median", nullable=True)
    n_below = _n("Sellers with less than 85 % of the median", nullable=True)
    beyond_share = _share("(n_above + n_below) / n_sellers; null where the median is 0")
    n_elsewhere = _n("Deals of nobody who is present: without a seller, or of one who left or does not sell")
    n_unknown = _n("Open deals whose amount is unknown, where amounts are summed")


class ActivityLoad(dy.Schema):
    """What the sellers of a group did, as far as it was logged."""

    period = dy.Date(nullable=False, description="First day of the month, quarter or week")
    until = dy.Date(nullable=False, description="Last day of it that is told of")
    is_whole = dy.Bool(nullable=False, description="Whether all its days are told of")
    n_sellers = _n("Sellers present at its end")
    n_touches = _n("Touches of these sellers, no machine's")
    n_timed = _n("Of them, those of which it was logged how long they took")
    timed_hours = _number("What these took, hours; null where none was timed")
    touches_per_seller = _number("n_touches / n_sellers")
    timed_hours_per_seller = _number("timed_hours / n_sellers")
    n_after_hours = _n("Touches outside working hours; null for fewer than five sellers", nullable=True)
    after_hours_share = _share("n_after_hours / n_touches; null for fewer than five sellers")
    n_others = _n("Touches of this group by people who do not sell, or are there no more")


class Attainment(dy.Schema):
    """Results against targets, month by month or quarter by quarter."""

    period = dy.Date(nullable=False, description="First day of the month or quarter")
    until = dy.Date(nullable=False, description="Last day of it that is known")
    is_whole = dy.Bool(nullable=False, description="Whether all its days are known")
    n_sellers = _n("Sellers present at that day; null where the book tells of no staff", nullable=True)
    target = _number(
        "Target of the whole of it, prorated for presence where it is a seller's; null where there is none"
    )
    n_won = _n("Deals won in it so far")
    amount_won = _number("Signed revenue so far (orders, excl. tax)", None)
    n_won_unknown = _n("Won deals whose amount is unknown")
    attainment = _number("amount_won / target; null without a target, and for a team of one seller", None)
    elapsed_share = _share("Business days of it that have passed")
    n_past_periods = _n("Earlier ones that say how much is signed by then")
    expected_share = _share("What is usually signed by that business day; elapsed_share where too few tell")
    expected_share_low = _share("Lower end of the 95 % interval")
    expected_share_high = _share("Upper end of the 95 % interval")
    pace = _number("attainment / expected_share: 1 is on pace", None)
    pace_low = _number("Lower end, for what is usual being uncertain", None)
    pace_high = _number("Upper end", None)


class Heads(dy.Schema):
    """How many sell, and who came and went: n_heads is that of the row before, + joined + moved in - left - moved out."""

    period = dy.Date(nullable=False, description="First day of the month, quarter or week")
    until = dy.Date(nullable=False, description="Last day of it that is told of")
    is_whole = dy.Bool(nullable=False, description="Whether all its days are told of")
    n_heads = _n("Sellers present at the end of that day")
    n_joined = _n("Of them, those who did not sell at the end of the period before")
    n_moved_in = _n("Of them, those who sold in another group then")
    n_left = _n("Sellers of then who sell no more")
    n_moved_out = _n("Sellers of then who sell in another group")
    median_tenure_days = _number("Half are in the company for less; null where no hiring date is known")
    n_unknown = _n("Sellers whose hiring date is unknown")


class Tenure(dy.Schema):
    """How long sellers have been there, and what those who are there that long win. Never of fewer than five."""

    tenure = dy.String(nullable=False, description="Time since hiring")
    n_heads = _n("Sellers of that tenure on the last day")
    heads_share = _share("Of all sellers of the group")
    n_sellers = _n("Sellers who were of that tenure at some time in the period")
    seller_months = _number("Months they were present at that tenure")
    n_won = _n("Deals they won then; null for fewer than five sellers", nullable=True)
    n_won_unknown = _n("Of them, those whose amount is unknown", nullable=True)
    won_per_month = _number("n_won / seller_months")
    won_per_month_low = _number("Lower end of the 95 % interval, sellers as clusters; null under ten sellers")
    won_per_month_high = _number("Upper end of it")
    amount_per_month = _number("Signed revenue / seller_months; null where too few amounts are known", None)
    amount_per_month_low = _number("Lower end of the 95 % interval, sellers as clusters", None)
    amount_per_month_high = _number("Upper end of it", None)
