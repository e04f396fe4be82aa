"""Whom to help, told: what teams do where it goes well is told in readers' words, each value with its unit."""

from datetime import date

import polars as pl
import pytest

from cadran.figures.controls import View
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_help import practices
from cadran.models.practices import FACTS
from cadran.tables.measured.coaching import Practice
from cadran.text import words_for


@pytest.mark.parametrize("language", ["en", "fr"])
def test_whatever_is_looked_at_has_a_name(language):
    words = words_for(language)
    row = {"n_well": 40, "n_others": 90, "well": 0.5, "others": 0.25, "n_compared": len(FACTS)}
    found = pl.DataFrame(
        [{**row, "fact": fact, "unit": unit} for fact, (unit, _) in FACTS.items()],
        schema=Practice.create_empty().schema,
    )
    day = date(2026, 6, 30)
    facts = Facts("Tiny", "EUR", (), day, day, day, "1", 0, ("team",))
    answers = Answers(facts, View({}), words, (day, day), {}, {}, {})

    told = practices(answers, found, ("Lyon",), ())["practices"].html("practices", words)

    assert "mean_log_wait" not in told
    usual = words("The client's usual wait")
    assert usual in told.replace("&#x27;", "'")
    line = next(line for line in told.split("<tr>") if usual in line.replace("&#x27;", "'"))
    assert f">{words.number(0.5, 1)}\N{NO-BREAK SPACE}h" in line
