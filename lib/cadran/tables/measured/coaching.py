"""What groups of sellers do beside what like deals do elsewhere: to help, never to rank. Rows are in order of name."""

import dataframely as dy


def _number(description: str, least: float | None = 0) -> dy.Float64:
    return dy.Float64(nullable=True, min=least, description=description)


def _share(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=1, description=description)


class _Group(dy.Schema):
    """Who: a team in its region, a region, or a seller; and where in the pipeline."""

    region = dy.String(nullable=True, description="Sales region; null where unknown")
    team = dy.String(nullable=True, description="Team; null where unknown, and of a region")
    rep_id = dy.String(nullable=True, description="The seller, where persons are rated; else null")
    stage = dy.String(nullable=True, description="The stage entered; null: from creation to signature")
    n = dy.Int64(nullable=False, min=0, description="Entries followed long enough")
    n_sellers = dy.Int64(nullable=False, min=0, description="Sellers who had them")
    reason = dy.String(nullable=True, description="Why nothing is told of the group; null where it is")


class Funnel(_Group):
    """How many of the deals that entered a stage moved on in time, beside how many of like deals do."""

    within_days = dy.Int64(nullable=False, min=1, description="Days within which they moved on")
    n_moved = dy.Int64(nullable=True, min=0, description="Those that moved on to a later stage, or were won, in time")
    n_expected = _number("Those of like deals of the whole company that do")
    observed_share = _share("n_moved / n")
    expected_share = _share("n_expected / n")
    observed_ratio = _number("n_moved / n_expected")
    ratio = _number("The same, pulled towards the others by how little is known")
    ratio_low = _number("Lower end of its 95 % interval")
    ratio_high = _number("Upper end of its 95 % interval")
    is_outside = dy.Bool(
        nullable=True, description="Whether it lies beyond what chance makes, counting how many are looked at"
    )
    limit_low95 = _number("Of groups that do as expected, 2.5 in 100 lie below")
    limit_high95 = _number("Of groups that do as expected, 2.5 in 100 lie above")
    limit_low998 = _number("Of groups that do as expected, 1 in 1000 lies below")
    limit_high998 = _number("Of groups that do as expected, 1 in 1000 lies above")


class Limits(dy.Schema):
    """The funnel: between which ratios groups lie by chance, by how many are expected to move on."""

    stage = dy.String(nullable=True, description="The stage; null: from creation to signature")
    n_expected = _number("Deals expected to move on")
    limit_low95 = _number("Of groups that do as expected, 2.5 in 100 lie below")
    limit_high95 = _number("Of groups that do as expected, 2.5 in 100 lie above")
    limit_low998 = _number("Of groups that do as expected, 1 in 1000 lies below")
    limit_high998 = _number("Of groups that do as expected, 1 in 1000 lies above")


class Dwell(_Group):
    """How long deals stayed in a stage, beside how long like deals do; stays are cut at `within_days`."""

    within_days = dy.Int64(nullable=False, min=1, description="Days after which a stay counts as that long")
    observed_days = _number("Mean stay")
    expected_days = _number("Mean stay of like deals of the whole company")
    ratio = _number("Observed / expected, pulled towards the others by how little is known")
    ratio_low = _number("Lower end of its 95 % interval")
    ratio_high = _number("Upper end of its 95 % interval")
    is_outside = dy.Bool(
        nullable=True, description="Whether it lies beyond what chance makes, counting how many are looked at"
    )


class Help(_Group):
    """What goes with a group moving on as many deals of a stage as expected: an association, no promise."""

    gap_share = _number("Share of the entries that would move on besides; below 0 where it does better", None)
    gap_share_low = _number("Lower end of its 95 % interval", None)
    gap_share_high = _number("Upper end of its 95 % interval", None)
    entries_per_year = _number("Entries of the group into the stage, a year")
    wins = _number("Wins more, a year", None)
    wins_low = _number("Lower end of the 95 % interval", None)
    wins_high = _number("Upper end of the 95 % interval", None)
    revenue = _number("Signed revenue more, a year; null where too few amounts are known", None)
    revenue_low = _number("Lower end of the 95 % interval", None)
    revenue_high = _number("Upper end of the 95 % interval", None)
    pays_most = dy.Bool(nullable=False, description="Whether it is the stage of the group where help would pay most")


class Practice(dy.Schema):
    """What the groups where it goes well do otherwise, at the same age of deals: an association."""

    fact = dy.String(nullable=False, description="What was done")
    unit = dy.String(nullable=False, description="share, hours, or per deal")
    n_well = dy.Int64(nullable=False, min=0, description="Deals of the groups where it goes well")
    well = _number("Their mean or share")
    well_low = _number("Lower end of the 95 % interval, sellers as clusters")
    well_high = _number("Upper end of it")
    n_others = dy.Int64(nullable=False, min=0, description="Deals of the other groups")
    others = _number("Their mean or share")
    others_low = _number("Lower end of the 95 % interval, sellers as clusters")
    others_high = _number("Upper end of it")
    difference = _number("The ones less the others", None)
    difference_low = _number("Lower end of its 95 % interval, widened for how many are looked at", None)
    difference_high = _number("Upper end of it", None)
    is_difference = dy.Bool(nullable=True, description="Whether that interval excludes none; null: too few to tell")
    n_compared = dy.Int64(nullable=False, min=0, description="Differences looked at together")
