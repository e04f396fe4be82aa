"""How to pay, told: what would tell of one or two sellers is said to be left out."""

from datetime import date

import polars as pl
import pytest

from cadran.figures.controls import View
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_pay import compared
from cadran.models.pay_compared import TOO_FEW
from cadran.tables.measured.pay import PayCompared
from cadran.text import words_for


@pytest.mark.parametrize("language", ["en", "fr"])
def test_numbers_left_out_are_said_to_be(language):
    words, day = words_for(language), date(2026, 6, 30)
    row = {"level": "team", "n_sellers": 4, "pay_a": 100.0, "pay_b": 110.0, "difference_pay": 10.0}
    told = {"n_gain": 3, "n_lose": 1, "n_same": 0, "gain_pay": None, "lose_pay": None}
    rows = pl.DataFrame(
        [row | told | {"group": "Lyon", "reason": None}, row | {"group": "Lille", "reason": TOO_FEW}],
        schema=PayCompared.create_empty().schema,
    )
    facts = Facts("Tiny", "EUR", (), day, day, day, "1", 0, ("team",))
    drawn = compared(Answers(facts, View({}), words, (day, day), {}, {}, {}), rows, ("A", "B"))["pay_compared"]

    assert drawn.frame["told"].to_list() == [
        words("not told"), {"en": "3 gain, 1 loses", "fr": "3 gagnent, 1 perd"}[language]
    ]  # fmt: skip
    assert words(TOO_FEW) in drawn.subtitle
