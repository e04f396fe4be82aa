"""What is coming, told: what a forecast could not count is said beside it."""

from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest

from cadran.figures.blocks import Nothing
from cadran.figures.controls import View
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.figures.resources_forecast import COMPANY, Whom, unsure
from cadran.tables.problems import Problem
from cadran.text import words_for

DAY = date(2026, 6, 30)
NO_SELLER = Problem("No seller commits.", "Map the field.")
SILENT = {"series": Problem("Too short.", "Import more."), "commit": NO_SELLER, "best_case": NO_SELLER}


def answers(language="en", use="manager", is_part=False):
    facts = Facts("Tiny", "EUR", (), DAY, DAY, DAY, "1", 0, ("team",), is_part=is_part)
    return Answers(facts, View({"use": use}), words_for(language), (DAY, DAY), {}, {}, {})


def source(n_silent=0, n_unknown=0, n_won_unknown=0):
    silent = pl.DataFrame({"n": [n_silent]})
    return SimpleNamespace(silent=silent, n_unknown=n_unknown, n_won_unknown=n_won_unknown)


@pytest.mark.parametrize(
    ("counts", "language", "said"),
    [
        ((3, 0, 0), "en", "Open deals of which no chance can be told, hence not counted: 3."),
        ((0, 1200, 0), "en", "Open deals without an amount, for which the amounts signed before stand: 1,200."),
        ((0, 0, 2), "en", "Deals signed this month without an amount, in no sum: 2."),
        ((0, 0, 2), "fr", "Affaires signées ce mois-ci sans montant, dans aucune somme\N{NO-BREAK SPACE}: 2."),
    ],
)
def test_deals_that_are_not_counted_are_told(counts, language, said):
    assert unsure(answers(language), source(*counts), {})["unsure"].text == said


def test_who_says_nothing_is_told_rivals_in_detail_alone():
    manager, detail = (unsure(answers(use=use), None, SILENT)["unsure"].text for use in ("manager", "detail"))

    assert manager == "The series of months says nothing: Too short. Import more."
    assert detail == f"{manager}\nSellers: commit and Sellers: best case say nothing: No seller commits. Map the field."


def test_who_sees_a_part_is_told_the_forecast_of_that_part_and_not_the_company_s():
    sees_all, sees_part = answers(), answers(is_part=True)

    assert (COMPANY.seen(sees_all), COMPANY.seen(sees_part)) == ("Whole company", "All that you see")
    assert Whom("region", "Nord").seen(sees_part) == "Nord"
    assert unsure(sees_part, source(3), {})["unsure"].text.startswith("Whole company: Open deals")  # drawn of all


def test_nothing_is_said_where_all_is_counted():
    assert unsure(answers(), source(), {}) == {"unsure": Nothing()}
