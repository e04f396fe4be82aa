"""In front of others, a group that bears a person's name is told under a number."""

from dataclasses import replace

import polars as pl
import pytest

from cadran.figures.blocks import Headline, Headlines, Notice
from cadran.figures.filters import Selection
from cadran.figures.resources_levers import Reach
from cadran.figures.resources_page import stands_of
from cadran.figures.resources_paying import compared
from cadran.figures.table import Table
from cadran.figures.veil import stand_ins, veiled
from cadran.tables.measured.pay import PayCompared
from cadran.text import words_for

EN, FR = words_for("en"), words_for("fr")
STANDS = {"Zoé Martin": "Team 1", "Zoé Martin-Roy": "Team 2"}


@pytest.mark.parametrize(
    ("group", "is_hidden"),
    [
        ("Zoé Martin", True), ("ZOE MARTIN", True), ("Martin, Zoé", True), ("Team of Zoé Martin (North)", True),
        ("Lyon", False), ("Martinique", False), ("North", False), ("R001", True), ("Grands comptes R001", False),
        ("Дмитрий Орлов", True), ("", False),
    ],
)  # fmt: skip
def test_a_group_that_bears_a_name_is_hidden(group, is_hidden):
    stands = stand_ins({"team": [group, None]}, ["Zoé Martin", "Lyon Durand", "R001", "Дмитрий Орлов", None, "—"], EN)

    assert stands == ({group: "Team 1"} if is_hidden else {})


def test_numbers_are_those_of_the_order_of_names_and_free():
    persons = ["Ann Lee", "Bob Ray", "Cid Poe"]
    groups = {"team": ["Cid Poe", "Team 1", "Ann Lee", "Ann Lee", None], "region": ["Bob Ray", "North"]}

    assert stand_ins(groups, persons, EN) == {"Ann Lee": "Team 2", "Cid Poe": "Team 3", "Bob Ray": "Region 1"}
    assert stand_ins(groups, persons, FR)["Ann Lee"] == "Équipe 1"


def test_the_book_knows_managers_who_do_not_sell():
    reps = pl.DataFrame({"rep_id": ["7"], "name": ["Ann Lee"], "manager_id": ["Bob Ray"], "team": ["Bob Ray"],
                         "region": ["East"]})  # fmt: skip

    assert stands_of(reps, {"team": ("Gone Bob Ray",), "region": ("East",)}, EN) == {
        "Bob Ray": "Team 1",
        "Gone Bob Ray": "Team 2",
    }


def test_no_name_is_left_in_any_part():
    schema = PayCompared.create_empty().schema
    rows = pl.DataFrame({"group": list(STANDS), "label": list(STANDS), "told": ["a", "b"]})
    rows = rows.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in rows.columns
    )
    figure = compared(rows, words=EN, title="Zoé Martin-Roy gains", subtitle="Zoé Martin", dimension="group")
    figure = replace(figure, finding="Zoé Martin: 3")
    table = Table(rows.select("group"), "Zoé Martin", EN, "EUR", columns=("group",))
    blocks = [
        figure, table, Notice("No forecast is told of Zoé Martin alone."), Headlines([Headline("Zoé Martin", "3")]),
        Selection({"team": ["Zoé Martin", "Lyon"]}, 3),
    ]  # fmt: skip

    hidden, *others = (veiled(block, STANDS) for block in blocks)
    sent = str(hidden.rows()) + hidden.title + hidden.subtitle + hidden.finding
    sent += "".join(each.html("slot", EN) for each in others)
    assert "Zo" not in sent
    assert "Team 1-Roy" not in sent
    assert hidden.title == "Team 2 gains"
    assert hidden.dimension is None
    assert 'data-clear="team" data-key' in others[-1].html("slot", EN)
    assert 'data-value="Lyon"' in others[-1].html("slot", EN)


def test_what_names_nobody_stays_as_it_is():
    schema = PayCompared.create_empty().schema
    rows = pl.DataFrame({"group": ["Lyon"], "label": ["Lyon"], "told": ["a"]})
    rows = rows.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in rows.columns
    )
    figure = compared(rows, words=EN, title="Lyon gains", dimension="group")

    assert veiled(figure, STANDS).dimension == "group"
    assert veiled(figure, {}) is figure


def test_a_lever_of_a_region_that_bears_a_name_has_none_in_the_address():
    reach = Reach(regions=("Ann Lee", "North"), stands={"Ann Lee": "Region 1"})

    assert reach.named(reach.regions) == {"region-1": "Ann Lee", "north": "North"}
