"""Whom to help, told: what teams do where it goes well is told in readers' words, each value with its unit."""

from datetime import date

import polars as pl
import pytest

from cadran.figures.controls import View
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_help import help_pays, practices
from cadran.models.practices import FACTS
from cadran.tables.measured.coaching import Help, Practice
from cadran.text import words_for


def answers(language="en"):
    day = date(2026, 6, 30)
    facts = Facts("Tiny", "EUR", (), day, day, day, "1", 0, ("team",))
    return Answers(facts, View({}), words_for(language), (day, day), {}, {}, {})


@pytest.mark.parametrize("language", ["en", "fr"])
def test_whatever_is_looked_at_has_a_name(language):
    words = words_for(language)
    row = {"n_well": 40, "n_others": 90, "well": 0.5, "others": 0.25, "n_compared": len(FACTS)}
    found = pl.DataFrame(
        [{**row, "fact": fact, "unit": unit} for fact, (unit, _) in FACTS.items()],
        schema=Practice.create_empty().schema,
    )

    told = practices(answers(language), found, ("Lyon",), ())["practices"].html("practices", words)

    assert "mean_log_wait" not in told
    usual = words("The client's usual wait")
    assert usual in told.replace("&#x27;", "'")
    line = next(line for line in told.split("<tr>") if usual in line.replace("&#x27;", "'"))
    assert f">{words.number(0.5, 1)}\N{NO-BREAK SPACE}h" in line


def test_teams_where_help_would_pay_stand_in_order_of_name():
    rows = [
        {"region": region, "team": team, "stage": "Proposal", "pays_most": True, "wins": wins, "revenue": wins * 1000}
        for region, team, wins in [("South", "Lyon", 1.0), ("North", "Arras", 3.0), (None, None, 2.0)]
    ]
    found = pl.DataFrame(rows).select(
        *(pl.col(name) if name in rows[0] else pl.lit(None, kind).alias(name)
          for name, kind in Help.create_empty().schema.items())
    )  # fmt: skip

    assert help_pays(answers(), found)["help_pays"].frame["label"].to_list() == ["Arras", "Lyon", "Unknown"]
