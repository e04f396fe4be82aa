"""Amounts in another currency: divided by its rate, and nothing else is."""

import polars as pl

from cadran.figures.controls import View
from cadran.figures.opportunities_answers import Answers
from cadran.text import words_for


def answers(unit, facts, rates):
    frame = pl.DataFrame({"n": [2], "amount": [120.0], "revenue_share": [0.5]})
    view = View(controls={"unit": unit})
    return Answers(facts, view, words_for("en"), None, {}, {"clients": frame}, rates)


class Facts:
    currency = "EUR"


def test_amounts_are_divided_by_the_rate_and_shares_are_not():
    pounds = answers("GBP", Facts(), {"GBP": 1.2})

    assert pounds.currency == "GBP"
    assert pounds.frame("clients").rows() == [(2, 100.0, 0.5)]
    assert pounds.exact(100.0) == "£100"


def test_without_a_known_rate_amounts_stay_in_the_currency_of_the_book():
    early = answers("GBP", Facts(), {})

    assert early.currency == "EUR"
    assert early.frame("clients").rows() == [(2, 120.0, 0.5)]
