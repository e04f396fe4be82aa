"""What the columns of territories are called, and why an account moves."""

LABELS = {
    "is_within_before": "Within the band",
    "is_within": "Within the band, as proposed",
    "after": "As proposed",
    "n_clients_after": "Clients, as proposed",
    "n_open_after": "Open deals, as proposed",
    "n_countries": "Countries",
    "n_countries_after": "Countries, as proposed",
    "n_out": "Clients given",
    "n_in": "Clients received",
    "n_outside_before": "Sellers outside the band",
    "n_outside": "Sellers outside, as proposed",
    "from_rep_id": "From, seller no.",
    "from_seller": "From seller",
    "to_rep_id": "To, seller no.",
    "to_seller": "To seller",
    "amount_open": "Open amount",
    "n_undated": "Of these without an expected close",
    "weight": "Weight",
    "touches_pay": "Touches pay",
    "is_part": "Only a colleague's deals",
}
VALUES = {
    "named": "Named in the rules",
    "no seller": "Had no seller",
    "leaves": "The seller leaves",
    "rule": "Language or region",
    "balance": "Balance",
}
WORDED = {"reason"}
