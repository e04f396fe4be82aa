"""What the measures of the process audit return. The columns of `by` come before these."""

import dataframely as dy


def _n(description: str) -> dy.Int64:
    return dy.Int64(nullable=False, min=0, description=description)


def _share(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=1, description=description)


def _low(interval: str) -> dy.Float64:
    return _share(f"Lower end of the 95 % interval ({interval})")


def _high(interval: str) -> dy.Float64:
    return _share(f"Upper end of the 95 % interval ({interval})")


def _days(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, description=description)


class StageFunnel(dy.Schema):
    """How many of the deals created in a period came to each stage, and won. One row per open stage, and one for won."""

    entered_stage = dy.String(nullable=True, description="An open stage, in the order of the pipeline; null for won")
    to_kind = dy.String(nullable=False, description="Open: a stage; won: the deals won")
    n_deals = _n("Deals created in the period whose stages are all known")
    n_unknown = _n("Deals created in the period whose first stages are not known: left out")
    n_reached = _n("Of n_deals, those that came to it at least once so far")
    reached_share = _share("n_reached / n_deals: so far")
    reached_share_low = _low("Wilson")
    reached_share_high = _high("Wilson")
    n_pending = _n("Open deals that have come neither to it nor beyond: they may yet")
    expected_share = _share("Share expected to come to it by the age of the oldest deal followed (Aalen and Johansen)")
    expected_share_low = _low("Rothman")
    expected_share_high = _high("Rothman")
    n_previous = _n("Deals that came to the stage before; n_deals at the first stage")
    n_from_previous = _n("Of n_previous, those that came to this one too")
    previous_share = _share("n_from_previous / n_previous: so far")
    previous_share_low = _low("Wilson")
    previous_share_high = _high("Wilson")
    n_pending_previous = _n("Of n_previous, open deals that have come neither to this one nor beyond")
    n_skipped = _n("Deals that came to a later stage, or won, and never to this one")
    n_back = _n("Deals that moved back from it to an earlier stage, or to one beside it")


class PathVariants(dy.Schema):
    """The sequences of stages that closed deals took: one row per sequence, the most frequent first, then the others."""

    rank = _n("Place by number of deals; 0 for all other paths together")
    path = dy.String(
        nullable=True, description="The open stages in the order visited; null for all other paths together"
    )
    n_variants = _n("Different paths in the row: 1, or how many the others are")
    n_deals = _n("Deals closed in the period that took it")
    n_unknown = _n("Deals closed in the period whose stages are not all known: left out")
    deals_share = _share("n_deals / all deals closed in the period whose stages are known")
    deals_share_low = _low("Wilson")
    deals_share_high = _high("Wilson")
    cumulative_share = _share("Share of the deals on this path or a more frequent one")
    n_won = _n("Of n_deals, won")
    n_lost = _n("Of n_deals, lost")
    n_disqualified = _n("Of n_deals, disqualified: in no rate")
    win_rate = _share("n_won / (n_won + n_lost)")
    win_rate_low = _low("Wilson")
    win_rate_high = _high("Wilson")
    median_days = _days("Median days from creation to closing")


class Rework(dy.Schema):
    """Returns of closed deals to stages they had been in. One row per open stage, and one for all stages together."""

    entered_stage = dy.String(nullable=True, description="An open stage, in the order of the pipeline; null for any")
    n_deals = _n("Deals closed in the period that came to it, their stages being all known")
    n_unknown = _n("Deals closed in the period whose stages are not all known: left out")
    n_returning = _n("Of n_deals, those that came back to it at least once")
    returning_share = _share("n_returning / n_deals")
    returning_share_low = _low("Wilson")
    returning_share_high = _high("Wilson")
    n_returns = _n("Returns, in all")
    extra_days = _days("Days spent there in visits after the first, in all")
    extra_days_per_return = _days("extra_days / n_returns")
    landmark_days = _days("Age at which the win rates compare: the median age at the first return")
    n_closed_returned = _n("Deals won or lost after that age that had come back by then")
    n_won_returned = _n("Of these, won")
    returned_win_rate = _share("n_won_returned / n_closed_returned")
    returned_win_rate_low = _low("Wilson")
    returned_win_rate_high = _high("Wilson")
    n_closed_others = _n("Deals won or lost after that age that had not come back by then")
    n_won_others = _n("Of these, won")
    others_win_rate = _share("n_won_others / n_closed_others")
    others_win_rate_low = _low("Wilson")
    others_win_rate_high = _high("Wilson")


class StageFlows(dy.Schema):
    """Moves of deals between stages: one row per way from one to another, the way in, the ways out, and staying."""

    from_stage = dy.String(
        nullable=True, description="Stage they left; null where they begin: created, or opened again"
    )
    to_stage = dy.String(
        nullable=True, description="Open stage they came to; null where they closed or are still there"
    )
    to_kind = dy.String(
        nullable=False,
        description="Open: to a stage; won, lost, disqualified: closed; still_there: in from_stage at the as-of date",
    )
    is_back = dy.Bool(nullable=False, description="Whether to_stage is earlier in the pipeline, or beside from_stage")
    is_skip = dy.Bool(nullable=False, description="Whether an open stage lies between, or after from_stage if won")
    n_moves = _n("Moves, by the entries into from_stage that began in the period")
    n_deals = _n("Deals that made them")
    median_days = dy.Float64(
        nullable=True, min=0, description="Median days in from_stage before the move; so far, for those still there"
    )
    amount = dy.Float64(
        nullable=True, min=0, description="Known amounts moved, each as at the move; null where none is known"
    )
    n_unknown_amount = _n("Moves without a known amount")


class WaitingOn(dy.Schema):
    """Whose move it is while deals are in each stage: one row per stage and side."""

    entered_stage = dy.String(nullable=False, description="An open stage, in the order of the pipeline")
    side = dy.String(
        nullable=False,
        description="Us: the client spoke last; client: we did; nobody: no touch yet; unknown: it says not who spoke",
    )
    n_deals = _n("Deals that waited so in the stage during the period")
    n_deals_stage = _n("Deals that were in the stage during the period")
    days = _days("Days they waited so, in all")
    days_share = _share("Of the days in the stage during the period")
    days_share_low = _low("linearised ratio, deals as clusters; from 10 deals on")
    days_share_high = _high("linearised ratio, deals as clusters; from 10 deals on")
    n_open = _n("Deals in the stage that wait so at the as-of date")
    amount_open = dy.Float64(nullable=True, min=0, description="Their known amounts; null where none is known")
    median_days = _days("Median days since their side became so; of the deals of n_open")
    p90_days = _days("Nine in ten of them became so within that many days")


class Bottlenecks(dy.Schema):
    """What each stage would move had it the pace of its best quarter: one row per open stage."""

    entered_stage = dy.String(nullable=False, description="An open stage, in the order of the pipeline")
    n_entered = _n("Entries into the stage in the period")
    n_quarters = _n("Quarters of entry with enough visits, followed long enough")
    within_days = _days("Days up to which stays are counted: a stay that is longer counts as that long")
    mean_days = _days("Mean stay, the quarters weighted by their entries, after shrinking")
    best_quarter = dy.Date(nullable=True, description="First day of the quarter with the shortest stay after shrinking")
    best_days = _days("Its mean stay after shrinking")
    best_raw_days = _days("Its mean stay before shrinking")
    gap_days = dy.Float64(nullable=True, description="mean_days - best_days: days a visit would be shorter")
    gap_days_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    gap_days_high = dy.Float64(nullable=True, description="Upper end of the 95 % interval")
    entries_per_quarter = _days("Entries a quarter, over the quarters used")
    days_moved = dy.Float64(nullable=True, description="gap_days × entries_per_quarter: days of deals a quarter")
    days_moved_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    days_moved_high = dy.Float64(nullable=True, description="Upper end of the 95 % interval")
    n_won = _n("Deals won in those quarters that had been in the stage")
    n_won_unknown = _n("Of these, those whose amount is not known")
    revenue_per_day = dy.Float64(nullable=True, min=0, description="Their signed revenue, a day; null if too few known")
    revenue_moved = dy.Float64(
        nullable=True, description="gap_days × revenue_per_day: signed by the end of a quarter instead of after it"
    )
    revenue_moved_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    revenue_moved_high = dy.Float64(nullable=True, description="Upper end of the 95 % interval")
    reason = dy.String(nullable=True, description="Why there is no gap to tell, where there is none")


class CloseTiming(dy.Schema):
    """What became of deals that closed by their first expected date, and of those that were open after it."""

    timing = dy.String(nullable=False, description="Closed by the first expected date, or still open after it")
    n_deals = _n("Deals first expected to close in the period, the disqualified left out")
    n_won = _n("Of these, won so far")
    n_lost = _n("Of these, lost so far")
    n_open = _n("Of these, still open")
    n_disqualified = _n("Deals so timed, but disqualified: left out")
    win_rate = _share("Share won; of the later ones, by the longest time they were followed (Aalen and Johansen)")
    win_rate_low = _low("Rothman; Wilson where none is open")
    win_rate_high = _high("Rothman; Wilson where none is open")
    open_share = _share("Share still open by then")
    n_pushed = _n("Of n_deals, those whose expected close moved to a later month at least once")
    pushed_share = _share("n_pushed / n_deals")
    pushed_share_low = _low("Wilson")
    pushed_share_high = _high("Wilson")
    median_days = dy.Float64(
        nullable=True,
        description="Median days from the first expected date to closing, of those closed; early: negative",
    )
    n_unknown = _n(
        "Deals whose first expected date lies in the period, but was known only at closing or after that date: left out"
    )


class RenamedStage(dy.Schema):
    """Two names that are likely those of one stage, called otherwise from some day on. One row per pair."""

    old_stage = dy.String(nullable=False, description="The name that deals entered before")
    new_stage = dy.String(nullable=False, description="The name that they enter since")
    since = dy.Date(nullable=False, description="First day of the new name, but for 1 in 100 of its entries")
    n_old = _n("Entries under the old name")
    n_new = _n("Entries under the new name")
