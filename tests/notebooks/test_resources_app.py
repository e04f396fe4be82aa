"""The Resources app runs whole on any book, in both languages and all three uses, and says what it cannot show."""

import re
from html import unescape

import polars as pl
import pytest

from cadran.figures import resources_page as sheet
from cadran.figures.blocks import Nothing, Notice
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.measures import MEASURES, Question
from cadran.publish.apps import NOTEBOOKS
from cadran.publish.prepared import _load


@pytest.fixture(scope="module")
def app():
    return _load(NOTEBOOKS / "resources.py").app


@pytest.fixture(scope="module")
def book(part):
    """Every fourteenth deal of the sample."""
    return part(pl.col("number") % 14 == 0)


def shown(app, book, **query):
    """The page, and its text."""
    _, defs = app.run(defs={"query": query, "book": book})
    page = defs["page"].widget
    return page, unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|template).*?</\1>", "", page.html(), flags=re.S)))


def test_every_place_is_filled_or_says_why(app, book):
    page, text = shown(app, book, lang="en", use="detail")

    silent = {slot for slot, block in page.blocks.items() if isinstance(block, Notice | Nothing)}
    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    assert silent == {"scenes"}
    assert "deals are open on 30 Jun 2026" in text


def test_the_numbers_are_those_of_the_measures(app, book):
    page, text = shown(app, book, lang="en")

    told = MEASURES["load"].ask(book, Question(since=book.day.replace(day=1), until=book.day)).row(-1, named=True)
    assert f"{told['n_open']} deals are open on 30 Jun 2026; expected to close before: {told['n_overdue']}." in text
    assert page.blocks["load"].frame["n_open"].sum() == told["n_open"]
    assert page.blocks["stock"].frame["n_open"][-1] == told["n_open"]
    balance = MEASURES["balance"].ask(book, Question(("region",))).filter(quantity="open_deals")
    assert page.blocks["balance"].frame["median_load"].to_list() == balance["median_load"].to_list()


def test_sellers_are_listed_by_what_they_have(app, book):
    page, _ = shown(app, book, lang="en", by="seller")

    table = page.blocks["load"]
    assert isinstance(table, Table)
    assert table.frame["n_open"].to_list() == sorted(table.frame["n_open"], reverse=True)
    assert not {"win_rate", "amount_won", "n_won", "n_lost"} & {*table.shown}


def test_a_presenter_shows_no_person(app, book):
    people = book.collect(book.table("reps"))["name"].unique()
    for scene in sheet.SCENES:
        page, text = shown(app, book, lang="en", use="present", scene=scene, by="seller")

        assert [name for name in people if name in text] == []
        filled = {slot for slot, block in page.blocks.items() if not isinstance(block, Nothing)}
        assert filled <= {"selection", "scenes", "footer", *sheet.SCENES[scene][1]}
        assert 'data-use="present"' in page.html()


def test_a_selection_is_of_places_alone(app, book):
    page, _ = shown(app, book, lang="en", **{"in.region": ["Nord"], "in.seller": ["Anyone"]})

    assert page.asked.selection == {"region": ("Nord",)}
    assert sheet.focus(page.asked) == ("region", "Nord")
    deals = book.collect(book.deals(["status", "region"])).filter(status="open", region="Nord")
    assert page.blocks["stock"].frame["n_open"][-1] == deals.height
    assert "Nord" in page.blocks["stock"].subtitle


@pytest.mark.parametrize("use", sheet.USES)
def test_french_to_the_last_word(app, book, use):
    _, text = shown(app, book, lang="fr", use=use)

    for english in ("deals", "Deals", "sellers", "Open", "won", "lost", "rate", "target", "month", "Show"):
        assert not re.search(rf"\b{english}\b", text), (english, re.findall(rf".{{40}}\b{english}\b.{{40}}", text))
    assert "Ressources" in text


@pytest.mark.parametrize(
    "keep",
    {
        "empty": pl.lit(False),
        "one_deal": pl.col("number") == 3,
        "none_closed": (pl.col("status") == "open") & (pl.col("number") % 20 == 0),
        "none_open": (pl.col("status") == "won") & (pl.col("number") % 60 == 0),
    }.items(),
    ids=lambda case: case[0],
)
def test_a_book_with_next_to_nothing_is_told_and_not_an_error(app, part, keep):
    page, text = shown(app, part(keep[1]), lang="en", use="detail", period="all")

    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    assert not {"nan", "inf", "None"} & set(text.split())


@pytest.mark.parametrize(
    "query",
    [
        {"use": "spy", "scene": "../etc", "as_of": "1066-10-14", "win": "1e9", "hires-nord": "-7"},
        {"keep_a": "x" * 5000, "keep_b": "A|win=7|=|", "plan": "none", "in.region": ["Atlantis"], "by": "salary"},
    ],
)
def test_an_absurd_address_still_shows_a_page(app, book, query):
    page, _ = shown(app, book, **query)

    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    assert page.asked["use"] == "manager"
    assert any(isinstance(block, Figure) for block in page.blocks.values())
