"""The Pulse app runs whole on any book, in both languages and both uses, and says what it cannot show."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape

import polars as pl
import pytest

from cadran.book import SAMPLE, open_book
from cadran.book.pulse import pulse_of
from cadran.book.reader import Reader
from cadran.figures import pulse_page as sheet
from cadran.figures.blocks import Nothing, Notice
from cadran.figures.figure import Figure
from cadran.measures import MEASURES, Question
from cadran.measures.releases import released
from cadran.publish.apps import NOTEBOOKS
from cadran.publish.prepared import _load


@pytest.fixture(scope="module")
def app():
    return _load(NOTEBOOKS / "pulse.py").app


@pytest.fixture(scope="module")
def book(part):
    """Every fourteenth deal of the sample, and all of its surveys."""
    found = part(pl.col("number") % 14 == 0)
    shutil.copytree(SAMPLE / "pulse", found.version.parent / "pulse")
    return found


def shown(app, book, **query):
    """The page, and its text as a browser gets it."""
    _, defs = app.run(defs={"query": query, "book": book, **of(book)})
    page = defs["page"].widget
    html = " ".join(json.loads(each)["html"] for each in page.content["slots"].values())
    return page, unescape(re.sub(r"<[^>]+>", " ", html))


def of(book):
    found = released(book)
    return {"found": found, "releases": sheet.waves_of(found)}


def test_every_place_is_filled_or_says_why(app, book):
    page, text = shown(app, book, lang="en")

    assert {slot for row in page.places for slot in row} - page.blocks.keys() == set()
    assert [slot for slot, block in page.blocks.items() if isinstance(block, Nothing)] == ["scenes"]
    assert [slot for slot, block in page.blocks.items() if isinstance(block, Notice)] == []
    assert "promoters" in text


def test_the_numbers_are_those_of_the_measures(app, book):
    page, text = shown(app, book, lang="en", by="team")

    enps = MEASURES["enps"].ask(book, Question()).row(0, named=True)
    assert f"eNPS is {page.words.signed(enps['enps'])} on the 1–10 scale: {enps['n_promoters']} promoters" in text
    teams = MEASURES["participation"].ask(book, Question(by=("team",)))
    answered = page.blocks["answered"].frame
    assert dict(answered.select("team", "n_answered").rows()) == dict(teams.select("team", "n_answered").rows())
    assert answered["n_answered"].is_sorted(descending=True)
    key = ["team", "question_id", "favourable_share"]
    shares = MEASURES["favourable_share"].ask(book, Question(by=("team",)))
    assert sorted(page.blocks["heat"].frame.select(key).rows()) == sorted(shares.select(key).rows())


def test_nothing_on_the_page_tells_of_fewer_than_the_minimum(app, book):
    page, _ = shown(app, book, lang="en", by="team")

    for block in page.blocks.values():
        if isinstance(block, Figure) and "n_scores" in block.frame.columns:
            assert block.frame["n_scores"].drop_nulls().min() >= 5


def test_an_earlier_wave_and_another_question_are_followed(app, book):
    first = released(book)[1]
    page, _ = shown(app, book, lang="en", wave=first.name, about="tools_time")

    assert "The tools I work with save me time." in page.blocks["trend"].title
    assert set(page.blocks["answers"].frame["asked_in"]) == {first.name}
    assert page.blocks["footer"].items[0][0].endswith(first.wave)


def test_what_if_scales_with_the_rise(app, book):
    half, whole = (shown(app, book, lang="en", rise=rise)[0].blocks["if_told"].frame for rise in ("0.5", "1"))

    assert whole["effect"].to_list() == pytest.approx([2 * each for each in half["effect"]])
    assert (half["effect_low"] <= half["effect"]).all()


def test_a_presenter_steps_through_scenes(app, book):
    page, _ = shown(app, book, lang="en", use="present", scene="where")

    filled = {slot for slot, block in page.blocks.items() if not isinstance(block, Nothing)}
    assert filled == {"scenes", "heat", "asked", "footer"}


def test_french_to_the_last_word(app, book):
    page, _ = shown(app, book, lang="fr", by="tenure")

    # What people wrote is in their language, and published titles in theirs.
    slots = page.blocks.keys() - {"said", "beside", "promised", "levers"}
    told = " ".join(re.sub(r"<[^>]+>", " ", json.loads(page.content["slots"][slot])["html"]) for slot in slots)
    english = {"The", "the", "of", "and", "with", "people", "answers", "Wave", "Score"}
    assert english & set(re.findall(r"\w+", told)) == set()


def test_an_absurd_address_still_shows_a_page(app, book):
    query = {"wave": "none", "by": "seller", "about": "<b>", "rise": "1e9", "rise_of": "pay'", "use": "x"}

    page, text = shown(app, book, lang="en", **query)

    assert "promoters" in text
    assert page.asked["by"] == "region"


def test_a_reader_of_one_region_is_told_of_it_and_of_the_company_alone(app, book):
    theirs = replace(book, reader=Reader("n", regions=frozenset({"Nord"})))

    page, text = shown(app, theirs, lang="en")

    groups = {
        group
        for block in page.blocks.values()
        if isinstance(block, Figure) and "group" in block.frame.columns
        for group in block.frame["group"]
    }
    assert groups == {"Nord", "Lille", "Strasbourg"}
    others = ("Toulouse", "Nantes", "Sud-Est", "Marseille", "London", "Grand Ouest")
    assert [each for each in others if each in text] == []


def test_a_book_without_a_survey_says_what_would_fill_the_page(app, part, tmp_path):
    bare = part(pl.col("number") < 2)

    page, text = shown(app, bare, lang="en")

    assert not pulse_of(bare).wave_names()
    assert "No survey has closed yet" in text
    assert isinstance(page.blocks["sentences"], Notice)


def test_before_the_first_wave_closed_there_is_none(book):
    from datetime import date

    assert released(open_book(book.version.parent).as_of(date(2025, 7, 1))) == []
