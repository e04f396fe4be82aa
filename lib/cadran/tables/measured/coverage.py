"""What the measures of pipeline against target return. The columns of `by` come before these."""

import dataframely as dy


class Progress(dy.Schema):
    """Where a period stands against its target. Amounts are known ones."""

    target = dy.Float64(nullable=True, min=0, description="Target of the period; null where none covers it")
    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period so far")
    amount_won = dy.Float64(nullable=False, description="Signed revenue so far (orders, excl. tax)")
    n_won_unknown = dy.Int64(nullable=False, min=0, description="Won deals whose amount is unknown")
    remaining = dy.Float64(nullable=True, description="target - amount_won")
    n_due = dy.Int64(nullable=False, min=0, description="Open deals expected to close in the period")
    amount_due = dy.Float64(nullable=True, description="Their known amount; null where none of them is known")
    n_due_unknown = dy.Int64(nullable=False, min=0, description="Of them, those whose amount is unknown")


class Coverage(Progress):
    """How many times the open pipeline covers what remains of the target."""

    coverage = dy.Float64(
        nullable=True, min=0, description="amount_due / remaining; null once the target is reached, or without one"
    )


class RequiredConversion(Progress):
    """The share of the open pipeline that must be won to reach the target."""

    required_conversion = dy.Float64(
        nullable=True, min=0, description="remaining / amount_due; null once the target is reached, or without either"
    )
