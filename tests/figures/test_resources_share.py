"""How to share, told: numbers of clients in the plural they call for, and why nobody is outside a band he is beyond."""

from datetime import date

import polars as pl

from cadran.figures.controls import View
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_share import summary, teams
from cadran.tables.measured.territories import TerritoryOfTeam
from cadran.text import words_for

TOLD = {
    "measure": "open_deals", "tolerance": 0.1, "n_sellers": 12, "n_accounts": 60, "n_moves": 11, "bound": 11,
    "n_outside_before": 5, "n_outside": 0, "farthest_before": 2.0, "farthest": 0.16, "n_moves_touching_pay": 8,
    "quarter_ends": date(2026, 9, 30),
}  # fmt: skip


def answers(language):
    day = date(2026, 6, 30)
    facts = Facts("Tiny", "EUR", (), day, day, day, "1", 0, ("team",))
    return Answers(facts, View({}), words_for(language), (day, day), {}, {}, {})


def test_clients_are_counted_as_french_counts_and_teams_stand_in_order_of_name():
    rows = [
        {"team": team, "target": 9.0, "before": 8.0, "after": 9.0, "n_in": n_in, "n_out": n_out}
        for team, n_in, n_out in [("Lyon", 2, 0), (None, 1, 1), ("Arras", 0, 12)]
    ]
    schema = TerritoryOfTeam.create_empty().schema
    frame = pl.DataFrame(rows).with_columns(
        pl.lit(None, kind).alias(c) for c, kind in schema.items() if c not in rows[0]
    )
    drawn = teams(answers("fr"), frame, TOLD)["share_teams"].frame

    assert drawn["told"].to_list() == ["0 reçu, 12 cédés", "2 reçus, 0 cédé", "1 reçu, 1 cédé"]
    assert drawn["team"].to_list() == ["Arras", "Lyon", None]


def test_whole_numbers_within_the_band_are_explained_where_they_lie_beyond_it():
    told = [
        summary(answers("en"), TOLD | {"farthest": farthest}, ())["share_told"].items[2].basis
        for farthest in (0.16, 0.09)
    ]

    assert told == ["open deals: the whole numbers on both sides of a share are within", "Open deals"]
