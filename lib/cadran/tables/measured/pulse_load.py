"""What weighs on groups of teams beside what they answer: groups that were released, never fewer people."""

import dataframely as dy


def _number(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, description=description)


class Beside(dy.Schema):
    """One group in one wave: what it answered, and what weighed on it in the weeks before, as was known then."""

    survey = dy.String(nullable=False, description="The survey")
    wave = dy.String(nullable=False, description="The wave")
    level = dy.String(nullable=False, description="region, or team")
    parent = dy.String(nullable=True, description="Of a team: the group of regions it stands in")
    group = dy.String(nullable=False, description="Its name; merged groups are joined by ' + '")
    since = dy.Date(nullable=False, description="First day of the weeks before the wave opened")
    until = dy.Date(nullable=False, description="Last day of them")
    n_sellers = dy.Int64(nullable=False, min=0, description="Sellers there on that day")
    favourable = _number("Favourable share less the company's, averaged over its questions; null: none told exactly")
    enps = _number("eNPS released, −100 to 100; null: not told exactly")
    open_per_head = _number("Deals open on that day per seller")
    overdue_per_head = _number("Of them, overdue, per seller")
    pushed_share = _number("Of the deals open in these weeks, the share pushed")
    after_hours_share = _number("Touches outside working hours / touches; null for fewer than five sellers")
    missed_share = _number("1 − signed / target of the last three whole months, 0 where reached; null: no targets")


class LoadLink(dy.Schema):
    """What goes with answers within groups over time: no cause."""

    outcome = dy.String(nullable=False, description="favourable or enps")
    factor = dy.String(
        nullable=False,
        description="What weighs: a column of `Beside`, or on_rhythm_share, met in one-to-ones as agreed",
    )
    n_groups = dy.Int64(nullable=False, min=0, description="Groups seen in two waves or more")
    n_waves = dy.Int64(nullable=False, min=0, description="Waves they were seen in")
    n = dy.Int64(nullable=False, min=0, description="Groups and waves together")
    typical_change = _number("Spread of the factor within groups and waves, in its own unit")
    effect = _number(
        "Points of the outcome that go with one typical change: of favourable shares, hundredths; of eNPS, its own"
    )
    effect_low = _number("Lower end of its 95 % interval")
    effect_high = _number("Upper end of its 95 % interval")
    smallest_effect = _number("The smallest that so many groups and waves would show eight times in ten")
    freedom = _number("Degrees of freedom that the groups leave")
    n_compared = dy.Int64(nullable=False, min=0, description="How many such links are looked at")
    is_link = dy.Bool(
        nullable=True, description="Whether the interval, widened for how many are looked at, excludes none"
    )
    reason = dy.String(nullable=True, description="Why nothing is told; null where it is")
