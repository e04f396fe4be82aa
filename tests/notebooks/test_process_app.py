"""The Sales process app runs whole on any book, in both languages, and says what it cannot show."""

import re
from concurrent.futures import Future
from datetime import timedelta
from html import unescape

import polars as pl
import pytest
from quick import no_past, quick_model

from cadran.figures import process_page as sheet
from cadran.figures.blocks import Nothing, Notice
from cadran.figures.figure import Figure
from cadran.figures.periods import chosen_period
from cadran.figures.table import Table
from cadran.measures import MEASURES, Question
from cadran.models.backtest import Backtest
from cadran.models.outlook import outlook
from cadran.models.reasons import moved
from cadran.publish.apps import NOTEBOOKS
from cadran.publish.prepared import _load

OF_A_DEAL = (
    "detail",
    "deal_levers",
    "deal_told",
    "deal_incidence",
    "deal_course",
    "deal_reasons",
    "deal_moved",
    "deal_timeline",
)


@pytest.fixture(scope="module")
def app():
    return _load(NOTEBOOKS / "process.py").app


@pytest.fixture(scope="module")
def book(part):
    """Every fourteenth deal of the sample: enough for a logistic model."""
    return part(pl.col("number") % 14 == 0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No selection and no backtest: they are tested for themselves."""
    monkeypatch.setattr("cadran.models.outlook.kept.model", lambda book: quick_model(book, "logit"))
    monkeypatch.setattr("cadran.models.outlook.kept.past", no_past)


def page_of(app, book, **query):
    """The page of an address."""
    return asked(app, book, **query)["page"].widget


def asked(app, book, kept=None, **query):
    """What stays in a reader's session: as it begins at an address, or as it goes on with other values in the controls."""
    if kept:
        page = kept["page"].widget
        page.view = {**page.view, "controls": {**page.view["controls"], **query}, "seq": page.view["seq"] + 1}
    _, defs = app.run(defs={"query": query, "book": book, **(kept or {})})
    return {name: defs[name] for name in ("page", "facts")}


def shown(app, book, **query):
    """The page, and its text: every figure is drawn for it."""
    page = page_of(app, book, **query)
    return page, unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|template).*?</\1>", "", page.html(), flags=re.S)))


@pytest.fixture(scope="module")
def deal(book):
    """An open deal of the book."""
    deals = book.collect(book.deals(["opportunity_id", "status"])).filter(status="open")
    return deals["opportunity_id"].sort()[0]


def test_every_place_is_filled_or_says_why(app, book, deal):
    page, text = shown(app, book, lang="en", open=deal, period="all")

    silent = {slot for slot, block in page.blocks.items() if isinstance(block, Notice | Nothing)}
    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    # Too few deals for the pace of a quarter, no lead, no stage renamed; and the backtest is left out.
    assert silent <= {
        "backtest",
        "reliability",
        "skill",
        "bottlenecks",
        "won_response",
        "won_time",
        "won_leads",
        "renamed",
    }
    assert "None of it has closed" in text
    assert "What goes together, not what causes" in text


def test_the_numbers_are_those_of_the_model_and_the_measures(app, book):
    page, text = shown(app, book, lang="en", horizon="ever")

    seen = outlook(book.as_of(book.day))
    expected = seen.scores["probability"].sum()
    assert f"{page.words.number(expected, 0)} are expected to be won one day" in text
    bubbles = page.blocks["bubbles"].frame
    told = seen.scores.filter(pl.col("close_date").is_not_null())
    assert bubbles.height == told.height
    year = chosen_period(page.asked, book.day, book.day)
    flows = MEASURES["stage_conversion"].ask(book, Question(since=year[0], until=year[1]))
    assert page.blocks["funnel"].frame["n_entered"].to_list() == flows["n_entered"].to_list()


def test_of_another_day_nothing_told_of_the_day_before_stays(app, book, monkeypatch):
    kept = asked(app, book, lang="en")
    page, before = kept["page"].widget, dict(kept["page"].widget.blocks)

    with monkeypatch.context() as computing:
        computing.setattr("cadran.models.outlook.told", lambda *_: None)
        asked(app, book, kept, as_of=(book.day - timedelta(days=90)).isoformat())
        meanwhile = dict(page.blocks)
    asked(app, book, kept, as_of=book.day.isoformat())
    after = dict(page.blocks)

    assert page.content["stale"] == []
    for slot in sheet.OF_MODEL:
        assert isinstance(meanwhile[slot], Nothing) or "1 Apr 2026" in meanwhile[slot].html(slot, page.words), slot
    assert "Being computed" in meanwhile["sentences"].items[0]
    assert {slot: type(each) for slot, each in after.items()} == {slot: type(each) for slot, each in before.items()}


@pytest.mark.parametrize(
    ("horizon", "by"), [("quarter", "by 30 Sept 2026"), ("months12", "by 30 Jun 2027"), ("ever", "one day")]
)
def test_a_horizon_is_a_day(app, book, horizon, by):
    page = page_of(app, book, lang="en", horizon=horizon)

    assert by in page.blocks["sentences"].items[0]
    assert by in page.blocks["room_wins"].title


def test_a_selection_filters_the_open_deals(app, book):
    page = page_of(app, book, lang="en", **{"in.region": ["Nord"]})

    deals = book.collect(book.deals(["opportunity_id", "status", "region"])).filter(status="open", region="Nord")
    assert set(page.blocks["bubbles"].frame["opportunity_id"]) <= set(deals["opportunity_id"])
    assert f"{deals.height} open deal" in page.blocks["room_wins"].subtitle


def test_the_hours_cut_the_list(app, book):
    few, many = (page_of(app, book, lang="en", hours=hours).blocks for hours in ("5", "80"))

    lists = [0 if isinstance(each["actions"], Notice) else each["actions"].frame["hours"].sum() for each in (few, many)]
    assert lists[0] <= 5
    assert lists[0] < lists[1] <= 80
    faded = [each["bubbles"].frame.filter(state="excluded").height for each in (few, many)]
    assert faded[0] > faded[1]


def test_levers_move_a_deal_and_a_room(app, book, deal):
    still, pulled = (
        page_of(app, book, lang="en", open=deal, deal_meetings=more, room_contacts=more, lever="contacts").blocks
        for more in ("0", "2")
    )

    told = [[each.value for each in blocks["deal_told"].items] for blocks in (still, pulled)]
    now, *then = (
        each.filter(by_date=book.day.replace(month=12, day=31))["probability"][0]
        for each in (pulled["deal_incidence"].frame, pulled["deal_incidence"].frames["pulled"])
    )
    assert told[0] == [f"{now:.1%}"]
    assert told[1][:2] == [f"{now:.1%}", f"{then[0]:.1%}"]
    assert "by 31 Dec 2026" in pulled["deal_told"].items[1].label
    assert still["deal_incidence"].frames["pulled"].is_empty()
    assert pulled["deal_incidence"].frames["pulled"].height == pulled["deal_incidence"].frame.height
    assert pulled["deal_incidence"].frame.equals(still["deal_incidence"].frame)
    # What is expected at each value does not hang on the one chosen: no flicker of noise.
    plain = [each["room_wins"].frame.drop("state") for each in (still, pulled)]
    assert plain[0].equals(plain[1])
    assert pulled["room_wins"].frame["state"].to_list() == ["possible", "possible", "selected", "possible"]


def test_a_deal_has_its_past_its_reasons_and_its_events(app, book, deal):
    page, text = shown(app, book, lang="fr", open=deal)

    assert page.blocks["deal_course"].frame["at_date"].max() == book.day
    assert page.blocks["deal_timeline"].items
    assert f"Affaire {deal}" in text
    assert all(isinstance(page_of(app, book).blocks[slot], Nothing) for slot in OF_A_DEAL[:1])


def test_what_moved_since_last_week_or_month(app, book):
    seen = book.as_of(book.day)
    model = outlook(seen).model
    for days in (7, 30):
        told = moved(model, seen, book.as_of(book.day - timedelta(days=days)))
        most = told.sort(-pl.col("change").abs(), "opportunity_id")["opportunity_id"][0]

        page, text = shown(app, book, lang="en", since=str(days), open=most)

        assert page.blocks["moved"].frame["opportunity_id"][0] == most
        change = told.unique("opportunity_id")["change"].sum()
        signed = f"{'+' if change > 0 else ''}{page.words.number(change, 1)}"
        assert f"expected wins moved by {signed} (" in page.blocks["moved"].subtitle
        whole = page.words.points(told.filter(opportunity_id=most)["change"][0], 1)
        assert [whole in line[1] for line in page.blocks["deal_moved"].items][(7, 30).index(days)]
    assert "The touches" in text


def test_moves_that_come_later_are_told_once_there(app, book, backtest, monkeypatch):
    monkeypatch.setattr("cadran.models.outlook._judged", lambda book: _done(backtest))
    with monkeypatch.context() as computing:
        computing.setattr("cadran.models.outlook.told", lambda it, _: it.result() if it else None)
        computing.setattr("cadran.models.outlook._moves", lambda *_: None)
        kept = asked(app, book, lang="en")
    page = kept["page"].widget
    assert (type(page.blocks["moved"]), page.content["is_coming"]) == (Notice, True)

    asked(app, book, kept)  # the same once more

    assert (type(page.blocks["moved"]), page.content["is_coming"]) == (Table, False)


def test_moves_since_another_day_are_told_at_once(app, book):
    kept = asked(app, book, lang="en")
    page = kept["page"].widget
    week = page.blocks["moved"].subtitle

    asked(app, book, kept, since="30")

    assert page.blocks["moved"].subtitle != week


def test_early_and_late_deals_and_their_days(app, book):
    page, text = shown(app, book, lang="en", period="all")

    first = book.day.replace(year=2000)
    told = MEASURES["close_timing"].ask(book, Question(since=first, until=book.day))
    table = page.blocks["early_late"]
    assert table.frame["n_won"].to_list() == told["n_won"].to_list()
    assert table.frame["late_days"].to_list() == told["median_days"].to_list()
    assert "Half closed, after that day" in text


def test_french_to_the_last_word(app, book, deal):
    page, text = shown(app, book, lang="fr", open=deal)

    for english in ("Win", "deals", "Deals", "Lever", "hours", "Stage", "won", "lost", "rate"):
        assert not re.search(rf"\b{english}\b", text), (english, re.findall(rf".{{40}}\b{english}\b.{{40}}", text))
    assert "Processus de vente" in text
    assert 'lang="fr"' in page.html()


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
def test_a_book_with_next_to_nothing_is_told_and_not_an_error(app, part, monkeypatch, keep):
    monkeypatch.setattr("cadran.models.outlook.kept.model", quick_model)

    page, text = shown(app, part(keep[1]), lang="en", period="all", open="D000000")

    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    assert not {"nan", "inf"} & set(text.split())


def test_an_absurd_address_still_shows_a_page(app, book):
    absurd = {"as_of": "1066-10-14", "hours": "-7", "lever": "magic", "horizon": "never", "open": "../../etc"}
    absurd |= {"room_answer": "1e9", "deal_contacts": "99999", "in.region": ["Atlantis"]}
    page, _ = shown(app, book, **absurd)

    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    asked = page.asked
    assert asked["hours"] in {str(n) for n in (0, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320)}
    assert asked["room_answer"] in ("0", "72", "48", "24", "8", "4", "1")


@pytest.fixture
def backtest(book):
    """That of a book of two candidates."""
    by = {"n": [50, 60], "n_won": [10, 30]}
    curve = pl.DataFrame(
        {"name": ["logit"] * 2, **by, "predicted": [0.2, 0.5], "observed": [0.2, 0.5], "observed_low": [0.1, 0.4],
         "observed_high": [0.3, 0.6]}
    )  # fmt: skip
    skill = pl.DataFrame(
        {"name": ["logit"] * 2, "by": ["age_days"] * 2, "group": ["< 30", None], **by, "skill": [0.1, 0.3],
         "skill_low": [0.0, 0.2], "skill_high": [0.2, 0.4]}
    )  # fmt: skip
    figures = ("log_loss", "difference", "difference_low", "difference_high", "brier", "auc", "average_precision",
               "calibration_slope", "calibration_intercept")  # fmt: skip
    scores = pl.DataFrame(
        {
            "name": ["constant", "logit"],
            "chosen": [False, True],
            "within_days": [182.0, 182.0],
            "n": [110, 110],
            **{each: [0.5, 0.4] for each in figures},
        }
    )
    return Backtest(book.day, book.day, "logit", scores, curve, skill, ())


def test_the_backtest_is_shown_with_its_curve(app, book, backtest, monkeypatch):
    monkeypatch.setattr("cadran.models.outlook._judged", lambda book: _done(backtest))

    page, text = shown(app, book, lang="en")

    assert "When it says 30 %, are 30 % won?" in text
    assert page.blocks["backtest"].frame["candidate"].to_list() == ["A logistic model", "The overall rate"]
    assert isinstance(page.blocks["skill"], Figure)


def _done(told):
    future = Future()
    future.set_result(told)
    return future
