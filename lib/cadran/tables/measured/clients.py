"""What the measures of clients return. The columns of `by` come before these."""

import dataframely as dy


class ClientConcentration(dy.Schema):
    """One row per client with signed revenue, the largest first. A client is the parent group where it is known."""

    rank = dy.Int64(nullable=False, min=1, description="Place by revenue, 1 for the largest")
    group_id = dy.String(nullable=False, description="The parent group, or the client where it has none")
    client = dy.String(nullable=True, description="Name; the identifier where the group itself has no deal")
    n_won = dy.Int64(nullable=False, min=1, description="Deals won in the period with a known amount")
    revenue = dy.Float64(nullable=False, min=0, description="Signed revenue (orders, excl. tax)")
    revenue_share = dy.Float64(nullable=True, min=0, max=1, description="Share of the revenue of all known clients")
    cumulative_share = dy.Float64(nullable=True, min=0, description="Share of the clients down to this one")


class ConcentrationIndex(dy.Schema):
    """How much revenue rests on few clients. Null where there is no revenue."""

    n_clients = dy.Int64(nullable=False, min=0, description="Clients (parent groups) with signed revenue")
    n_won = dy.Int64(nullable=False, min=0, description="Deals won in the period, client and amount known")
    n_unknown_client = dy.Int64(nullable=False, min=0, description="Deals won in the period whose client is unknown")
    n_unknown_amount = dy.Int64(nullable=False, min=0, description="Other won deals whose amount is unknown")
    revenue = dy.Float64(nullable=False, min=0, description="Signed revenue of the known clients")
    top = dy.Int64(nullable=False, min=1, description="How many of the largest clients `top_share` is of")
    top_share = dy.Float64(nullable=True, min=0, max=1 + 1e-9, description="Share of revenue of the largest clients")
    herfindahl = dy.Float64(nullable=True, min=0, max=1 + 1e-9, description="Sum of the squared shares of revenue")
    n_effective_clients = dy.Float64(nullable=True, min=0, description="1 / herfindahl: as many equal clients")


class ClientsConcerned(dy.Schema):
    """Distinct clients with deals. A client with an open and a won deal counts in both, and once in `n_clients`."""

    n_clients = dy.Int64(nullable=False, min=0, description="Clients with an open, won or lost deal")
    n_clients_open = dy.Int64(nullable=False, min=0, description="Clients with a deal open at the moment")
    n_clients_won = dy.Int64(nullable=False, min=0, description="Clients with a deal won in the period")
    n_clients_lost = dy.Int64(nullable=False, min=0, description="Clients with a deal lost in the period")
    n_unknown = dy.Int64(nullable=False, min=0, description="Open, won and lost deals whose client is unknown")
