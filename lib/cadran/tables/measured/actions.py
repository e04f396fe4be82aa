"""What the win model proposes to do about open deals, and why it holds them likely or not."""

import dataframely as dy

ACTIONS = ["secure", "push", "watch", "leave"]
#: What a team can do on a deal. The first four change what the model looks at; the others only tidy.
LEVERS = ["answer", "meet", "decision_maker", "contact", "redate", "stop"]


class Action(dy.Schema):
    """What is proposed for one open deal: what won deals had there and this one lacks. An association, no proof."""

    opportunity_id = dy.String(primary_key=True, description="The deal")
    rank = dy.Int64(
        nullable=False, min=1, description="Place in the list, the most to gain per hour first, those to leave last"
    )
    action = dy.Enum(ACTIONS, nullable=False, description="secure, push, watch or leave")
    lever = dy.Enum(LEVERS, nullable=True, description="What to do; null: nothing now")
    probability = dy.Float64(
        nullable=True, min=0, max=1, description="Chance that it is won; null: the book cannot tell it"
    )
    low = dy.Float64(nullable=True, min=0, max=1, description="Lower end of its 95 % interval")
    high = dy.Float64(nullable=True, min=0, max=1, description="Upper end of its 95 % interval")
    gain = dy.Float64(
        nullable=True, min=-1, max=1,
        description="Associated gap in probability if the lever is pulled, shrunk by its doubt; null: none is claimed",
    )  # fmt: skip
    gain_low = dy.Float64(
        nullable=True, min=-1, max=1, description="Lower end of its 95 % interval, for the best of all levers"
    )
    gain_high = dy.Float64(nullable=True, min=-1, max=1, description="Upper end of that interval")
    amount = dy.Float64(nullable=True, description="Value of the deal, reporting currency; null where unknown")
    gap = dy.Float64(
        nullable=True,
        description="gain × amount × margin − cost of the effort; of a deal to leave, what stopping saves: cost to "
        "finish − probability × amount × margin. Null where the amount is unknown or no gain is claimed",
    )
    gap_low = dy.Float64(nullable=True, description="Lower end of its 95 % interval")
    gap_high = dy.Float64(nullable=True, description="Upper end of its 95 % interval")
    hours = dy.Float64(nullable=True, min=0, description="Effort of the lever; 0 to leave a deal")
    gap_per_hour = dy.Float64(nullable=True, description="gap / hours; null of a deal to leave")
    won_share = dy.Float64(
        nullable=True, min=0, max=1, description="Share of the deals won from this stage that had what this one lacks"
    )
    n_won = dy.Int64(nullable=True, min=0, description="Looks at won deals behind that share")
    extrapolates = dy.Bool(
        nullable=False, description="The lever goes beyond what was ever seen: its gain is that at the limit"
    )
    must_confirm = dy.Bool(nullable=False, description="A person has to confirm it before anything is done")
    signals = dy.List(dy.String(), nullable=False, description="Weak signals the deal shows, by key")
    hours_left = dy.Float64(nullable=False, min=0, description="Hours that won deals still took from this stage on")
    is_assumed = dy.Bool(
        nullable=False, description="hours_left is stated, or an assumption: the book logs too little to tell"
    )
    expected_close_date = dy.Date(nullable=True, description="Day it is expected to close; null where unknown")
    due_date = dy.Date(nullable=True, description="Business day by which to act; null: nothing now")


class Reason(dy.Schema):
    """A group of facts that lifts or lowers one deal's probability against what is typical at its stage."""

    opportunity_id = dy.String(nullable=False, description="The deal")
    rank = dy.Int64(nullable=False, min=1, description="1 for what moves it most")
    group = dy.String(nullable=False, description="Group of facts")
    fact = dy.String(nullable=True, description="The fact of the group that moves it most; null where none is apart")
    value = dy.String(nullable=True, description="What it is, as text; null where unknown or there is none")
    typical = dy.String(nullable=True, description="What is typical: median, or most frequent value")
    change = dy.Float64(
        nullable=False, min=-1, max=1, description="Probability less that with the group set to what is typical"
    )
    change_low = dy.Float64(nullable=False, min=-1, max=1, description="Lower end of its 95 % interval")
    change_high = dy.Float64(nullable=False, min=-1, max=1, description="Upper end of its 95 % interval")
    of_stage = dy.String(nullable=True, description="The stage it is typical of; null: of all, the stage being rare")
    n_looks = dy.Int64(nullable=False, min=1, description="Looks at deals that tell what is typical")


class Moved(dy.Schema):
    """What a group of facts contributed to the change of one deal's probability since an earlier day."""

    opportunity_id = dy.String(nullable=False, description="The deal")
    group = dy.String(nullable=False, description="Group of facts")
    part = dy.Float64(nullable=False, min=-1, max=1, description="Its part; the parts of a deal add up to `change`")
    what = dy.List(dy.String(), nullable=False, description="Facts of the group that changed, as `Changed.what`")
    probability_before = dy.Float64(
        nullable=False, min=0, max=1, description="What the model of now tells of the facts of then"
    )
    probability = dy.Float64(nullable=False, min=0, max=1, description="What it tells of those of now")
    change = dy.Float64(nullable=False, min=-1, max=1, description="probability − probability_before")
    change_low = dy.Float64(nullable=False, min=-1, max=1, description="Lower end of its 95 % interval")
    change_high = dy.Float64(nullable=False, min=-1, max=1, description="Upper end of its 95 % interval")
