"""What the plan of territories returns: how even loads are before and after, and which accounts move."""

import dataframely as dy

#: Why an account changes hands: a rule names its seller, it had none, its seller leaves, may not have it, or for balance.
REASONS = ["named", "no seller", "leaves", "rule", "balance"]


class Territory(dy.Schema):
    """What one seller carries, before and after. Loads are in the unit of the measure that is shared out."""

    rep_id = dy.String(nullable=False, description="The seller")
    seller = dy.String(nullable=False, description="Name shown to colleagues")
    team = dy.String(nullable=True, description="Team")
    region = dy.String(nullable=True, description="Region")
    share = dy.Float64(nullable=False, min=0, max=1, description="Of a full presence; 0: leaves")
    target = dy.Float64(nullable=False, min=0, description="The mean, for this presence")
    low = dy.Float64(nullable=False, min=0, description="Lower end of the band")
    high = dy.Float64(nullable=False, min=0, description="Upper end of the band")
    before = dy.Float64(nullable=False, min=0, description="Load as it is")
    after = dy.Float64(nullable=False, min=0, description="Load as proposed")
    is_within_before = dy.Bool(nullable=False, description="Whether the load as it is lies within the band")
    is_within = dy.Bool(nullable=False, description="Whether the load as proposed does")
    n_clients = dy.Int64(nullable=False, min=0, description="Accounts that weigh something, as it is")
    n_clients_after = dy.Int64(nullable=False, min=0, description="The same, as proposed")
    n_open = dy.Int64(nullable=False, min=0, description="Open deals, as it is")
    n_open_after = dy.Int64(nullable=False, min=0, description="The same, as proposed")
    n_countries = dy.Int64(nullable=False, min=0, description="Countries of these accounts, as it is")
    n_countries_after = dy.Int64(nullable=False, min=0, description="The same, as proposed")
    n_out = dy.Int64(nullable=False, min=0, description="Accounts given away")
    n_in = dy.Int64(nullable=False, min=0, description="Accounts received")


class TerritoryOfTeam(dy.Schema):
    """What one team carries, before and after."""

    team = dy.String(nullable=True, description="Team")
    region = dy.String(nullable=True, description="Region")
    n_sellers = dy.Int64(nullable=False, min=0, description="Sellers who are to have accounts")
    target = dy.Float64(nullable=False, min=0, description="The mean times their presence")
    before = dy.Float64(nullable=False, min=0, description="Load as it is")
    after = dy.Float64(nullable=False, min=0, description="Load as proposed")
    n_outside_before = dy.Int64(nullable=False, min=0, description="Sellers outside the band, as it is")
    n_outside = dy.Int64(nullable=False, min=0, description="Sellers outside the band, as proposed")
    n_out = dy.Int64(nullable=False, min=0, description="Accounts given to other teams")
    n_in = dy.Int64(nullable=False, min=0, description="Accounts received from other teams, or from nobody")


class Move(dy.Schema):
    """An account that is to change hands."""

    account_id = dy.String(nullable=False, description="The account; a deal of no account is one of its own")
    client = dy.String(nullable=False, description="Its name")
    region = dy.String(nullable=True, description="Region of the seller who gets it")
    country = dy.String(nullable=True, description="Country of the account")
    from_rep_id = dy.String(nullable=True, description="Who has it; null: nobody who is there")
    from_seller = dy.String(nullable=True, description="The name")
    to_rep_id = dy.String(nullable=False, description="Who gets it")
    to_seller = dy.String(nullable=False, description="The name")
    reason = dy.Enum(REASONS, nullable=False, description="Why")
    weight = dy.Float64(nullable=False, min=0, description="What it weighs, in the unit of the measure")
    n_open = dy.Int64(nullable=False, min=0, description="Open deals that go with it")
    amount_open = dy.Float64(nullable=False, description="Their known amount")
    n_due = dy.Int64(nullable=False, min=0, description="Of them, due by the end of the quarter: the move touches pay")
    n_undated = dy.Int64(nullable=False, min=0, description="Of them, without an expected close: not known")
    touches_pay = dy.Bool(nullable=False, description="Whether there is any")
    is_part = dy.Bool(nullable=False, description="Only the deals that a leaving colleague has with the account")
