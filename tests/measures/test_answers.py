"""A page's inquiry: each question as the measure itself answers it, asked once."""

from datetime import date

import pytest

from cadran.book import SAMPLE, Reader, open_book
from cadran.book.held import hold
from cadran.measures import MEASURES, Question
from cadran.measures.answers import Inquiry, about, keep
from cadran.tables.problems import Problem

YEAR = (date(2025, 7, 1), date(2026, 6, 30))


@pytest.fixture(scope="module")
def book():
    return open_book(SAMPLE)


def test_an_answer_is_that_of_the_measure(book):
    asked = Inquiry(hold(book), YEAR, {"region": ("Nord",)}).ask("win_rate", "team")

    question = Question(by=("team",), where={"region": ("Nord",)}, since=YEAR[0], until=YEAR[1])
    assert asked.equals(MEASURES["win_rate"].ask(book, question))


def test_a_figure_is_not_filtered_by_its_own_selection(book):
    inquiry = Inquiry(hold(book), YEAR, {"region": ("Nord",)})

    assert inquiry.ask("win_rate", "region").height > 1
    assert inquiry.ask("client_concentration", apart="region").height > inquiry.ask("client_concentration").height


def test_the_same_question_is_answered_once(book):
    inquiry = Inquiry(hold(book), YEAR)

    assert inquiry.ask("volumes") is inquiry.ask("volumes")
    assert inquiry.ask("volumes") is not inquiry.ask("volumes", period=(date(2024, 7, 1), date(2025, 6, 30)))


def test_readers_do_not_share_answers(book):
    north = hold(book.scope(Reader("n", "manager", regions=frozenset({"Nord"}))))

    assert Inquiry(hold(book), YEAR).ask("volumes")["n_won"][0] > Inquiry(north, YEAR).ask("volumes")["n_won"][0]


def test_a_measure_that_cannot_answer_gives_its_problem(book):
    assert isinstance(Inquiry(hold(book), YEAR).ask("volumes", "shoe_size"), Problem)


def test_a_cause_stands_for_the_deals_it_moved(book):
    inquiry = Inquiry(hold(book), YEAR)
    opening = date(2025, 6, 30)
    bridge = inquiry.ask("waterfall", period=(opening, YEAR[1]))

    for cause, n_deals in bridge.select("cause", "n_deals").rows():
        if cause not in ("opening", "closing"):
            assert len(inquiry.of_cause([cause], (opening, YEAR[1]))) == n_deals, cause

    lost = inquiry.selecting({"cause": ["lost"]}, opening)
    assert set(keep(inquiry.deals(["opportunity_id", "status"]), lost.selected)["status"]) == {"lost"}


def test_deals_are_those_open_or_closed_in_the_period(book):
    deals = Inquiry(hold(book), YEAR).deals(["opportunity_id"])

    totals = MEASURES["volumes"].ask(book, Question(since=YEAR[0], until=YEAR[1])).row(0, named=True)
    assert deals.height == sum(totals[f"n_{status}"] for status in ("open", "won", "lost", "disqualified"))


def test_a_page_knows_its_book(book):
    facts = about(book, ["region", "team"])

    assert facts["currency"] == "EUR"
    assert facts["last"] == date(2026, 6, 30)
    assert facts["first"] < date(2021, 9, 1)
    assert facts["dimensions"] == ("region", "team")
