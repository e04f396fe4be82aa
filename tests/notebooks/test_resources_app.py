"""The Resources app runs whole on any book, in both languages and all three uses, and says what it cannot show."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape

import polars as pl
import pytest
from quick import no_past, quick_model

from cadran.book import SAMPLE
from cadran.book.reader import Reader
from cadran.figures import resources_page as sheet
from cadran.figures.blocks import Nothing, Notice
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.measures import MEASURES, Question
from cadran.models.forecast import foretold
from cadran.models.pay_beside import paid_reps, paid_to
from cadran.models.scenario import chain
from cadran.models.scenario_levers import Levers, read_scenarios
from cadran.publish.apps import NOTEBOOKS
from cadran.publish.prepared import _load


@pytest.fixture(scope="module")
def app():
    return _load(NOTEBOOKS / "resources.py").app


def led(reps):
    """The sellers of teams that are each called after one of them."""
    leader = pl.col("name").drop_nulls().first().over("team")
    return reps.with_columns(team=pl.when(pl.col("team").is_not_null()).then(leader))


@pytest.fixture(scope="module")
def book(part):
    """Every fourteenth deal of the sample, with its pay plans, in teams that have the names of persons."""
    found = part(pl.col("number") % 14 == 0, reps=led)
    shutil.copytree(SAMPLE / "plans", found.version.parent / "plans", ignore=shutil.ignore_patterns("territories*"))
    return found


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No selection of a win model, and no backtest of the forecast: they are tested for themselves."""
    monkeypatch.setattr("cadran.models.kept.model", lambda book: quick_model(book, "logit"))
    monkeypatch.setattr("cadran.models.forecast.past_forecasts", lambda book, seed: no_past(book))


def shown(app, book, **query):
    """The page, and its text as a browser gets it."""
    _, defs = app.run(defs={"query": query, "book": book})
    page = defs["page"].widget
    html = " ".join(json.loads(each)["html"] for each in page.content["slots"].values())
    return page, unescape(re.sub(r"<[^>]+>", " ", html))


def sent(page):
    """All that the browser gets to show, every letter as it is."""
    return " ".join(json.dumps(json.loads(each), ensure_ascii=False) for each in page.content["slots"].values())


def test_every_place_is_filled_or_says_why(app, book):
    page, text = shown(app, book, lang="en", use="detail")

    silent = {slot for slot, block in page.blocks.items() if isinstance(block, Notice | Nothing)}
    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    # Pay of persons is closed. No backtest here, too few deals for the funnel of teams, no rule in conflict, no lever held.
    assert silent <= {
        "scenes",
        "calls",
        "scores",
        "help_funnel",
        "help_pays",
        "practices",
        "conflicts",
        "if_held",
        "unsure",
        *sheet.SLIP,
    }
    assert "deals are open on 30 Jun 2026" in text
    assert "By the end of Q3 2026" in text


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


def test_a_presenter_shows_no_person_not_even_one_that_a_team_is_called_after(app, book):
    people = book.collect(book.table("reps"))["name"].unique()
    deals = book.collect(book.deals(["client", "team"]))
    clients, team = deals["client"].drop_nulls().unique(), deals["team"].drop_nulls()[0]
    assert team in people.to_list()
    for scene in sheet.SCENES:
        of_a_team = {"by": "team", "in.team": [team]} if scene in ("loaded", "help", "share") else {"by": "seller"}
        page, text = shown(app, book, lang="fr", use="present", scene=scene, **of_a_team)

        assert [name for name in [*people, *clients] if name in sent(page)] == [], scene
        if "in.team" in of_a_team:
            assert re.search(r"Équipe\s: Équipe \d+ ×", text)
            assert "Équipe 1" in sent(page)
        filled = {slot for slot, block in page.blocks.items() if not isinstance(block, Nothing)}
        assert filled <= {"selection", "scenes", "footer", *sheet.SCENES[scene][1]}
        assert 'data-use="present"' in page.frame
    _, text = shown(app, book, lang="fr", by="team")
    assert team in text


def test_a_seller_sees_their_own_deals_and_pay_and_no_part_of_others(app, book):
    opened = replace(book, rates_persons=True)
    seller = next(each for each in paid_reps(opened) if paid_to(opened, each).payouts["pay"].sum() > 0)
    reader = Reader("", "seller", persons=frozenset({seller}))
    page, text = shown(app, replace(book.scope(reader), rates_persons=True), lang="en")

    places = {slot for row in page.places for slot in row}
    assert places == page.blocks.keys()
    assert {"load", "pay_slip", "pay_lines", "pay_deals"} < places
    assert not places & {"fan", "hires", "help_funnel", "moves", "pay_compared", "levers", "balance"}
    assert not re.search("What is coming|When to hire|What if|not told to your role", text)
    payouts, lines = (page.blocks[slot] for slot in ("pay_slip", "pay_lines"))
    assert isinstance(lines, Table)
    assert lines.frame["pay_cents"].sum() == payouts.frame["pay_cents"].sum() != 0
    assert text.count(str(payouts.told("pay", payouts.frame.row(-1, named=True))[0])) >= 1
    assert set(page.blocks["pay_deals"].frame["rep_id"]) <= {seller}


def test_who_administers_pay_chooses_whose_to_look_at(app, book):
    told = replace(book.scope(Reader("", "pay")), rates_persons=True)
    page, text = shown(app, told, lang="fr")
    whose = next(control for control in page.controls if control.name == "paid")

    assert isinstance(page.blocks["pay_slip"], Nothing)
    nobody, one, *_ = whose.options
    assert nobody == ""
    assert not {slot for row in page.places for slot in row} & {"load", "fan", "levers"}
    page, text = shown(app, told, lang="fr", paid=one)
    assert f"Ce que touche {whose.options[one]}" in text
    assert "au centime près" in text


def test_nobody_s_pay_is_shown_where_that_is_closed_or_not_for_the_role(app, book):
    assert "What one person is paid is closed in this book." in shown(app, book, lang="en")[1]
    page, text = shown(app, replace(book.scope(Reader("", "manager")), rates_persons=True), lang="en", paid="R001")
    assert not [each for each in page.controls if each.name == "paid"]
    assert "What each seller is paid" not in text


def test_levers_move_what_comes_beside_things_as_they_are(app, book):
    still, pulled = (shown(app, book, lang="en", **query)[0] for query in ({}, {"size": "1.2", "hires-nord": "2"}))

    linked = chain(book.as_of(book.day))
    told = linked.run(Levers(size=1.2, hires=(("Nord", linked.months[0], 2),)))
    months = pulled.blocks["if_bookings"]
    assert months.frame["bookings"].to_list() == told.months.filter(level="company")["bookings"].to_list()
    assert months.frames["now"].equals(still.blocks["if_bookings"].frame)
    bookings = told.totals(linked.run()).filter(quantity="bookings").row(0, named=True)
    assert f"+{pulled.words.money(bookings['more'], 'EUR')}" in pulled.blocks["if_told"].items[0].change
    assert "Size of deals: +20%; Hires, Nord: 2 sellers" in months.subtitle
    assert still.blocks["if_totals"].shown[1] == "As things are"
    assert "These levers" in pulled.blocks["if_totals"].shown


def test_scenarios_are_kept_side_by_side_and_as_a_file(app, book, tmp_path):
    page, _ = shown(app, book, lang="en", keep_a="Larger deals|size=1.2", keep_c="Two in Nord|hires-nord=2|from-nord=3")

    assert {"As things are", "Larger deals", "Two in Nord"} <= {*page.blocks["if_totals"].shown}
    assert page.blocks["if_bookings"].frames["kept"]["name"].unique().sort().to_list() == [
        "Larger deals",
        "Two in Nord",
    ]
    file = tmp_path / "scenarios.toml"
    file.write_bytes(page.blocks["kept"].offers["toml"])
    linked = chain(book.as_of(book.day))
    assert read_scenarios(file, linked.segments, linked.regions, [], linked.months) == {
        "Larger deals": Levers(size=1.2), "Two in Nord": Levers(hires=(("Nord", linked.months[3], 2),))
    }  # fmt: skip


def test_a_lever_in_the_hand_moves_its_part_alone_until_it_rests(app, book):
    _, defs = app.run(defs={"query": {"lang": "en", "use": "detail"}, "book": book})
    kept = {name: defs[name] for name in ("page", "facts", "paid", "reach")}
    page = kept["page"].widget
    before = dict(page.content["slots"])

    page.view = {**page.view, "controls": {**page.view["controls"], "win": "1.2"}, "moving": "win", "seq": 1}
    app.run(defs={"query": {}, "book": book, **kept})

    moved = {slot for slot, json in page.content["slots"].items() if json != before[slot]}
    assert {"if_told", "if_bookings", "if_totals"} <= moved <= {*sheet.IF} - {"levers", "tornado"}

    page.view = {**page.view, "moving": "", "seq": 2}
    app.run(defs={"query": {}, "book": book, **kept})

    assert page.content["slots"]["tornado"] != before["tornado"]
    assert page.content["stale"] == []


def test_a_selection_is_of_places_alone(app, book):
    page, text = shown(app, book, lang="en", **{"in.region": ["Nord"], "in.seller": ["Anyone"]})

    assert page.asked.selection == {"region": ("Nord",)}
    assert (sheet.focus(page.asked).level, sheet.focus(page.asked).group) == ("region", "Nord")
    assert page.blocks["fan"].frame["group"].unique().to_list() == ["Nord"]
    deals = book.collect(book.deals(["status", "region"])).filter(status="open", region="Nord")
    assert page.blocks["stock"].frame["n_open"][-1] == deals.height
    assert "Nord" in page.blocks["stock"].subtitle
    # What is told first is told of the same place, and says so.
    first = page.blocks["headlines"].items[0]
    row = foretold(book.as_of(book.day)).table("region", "quarter").filter(group="Nord").row(0, named=True)
    assert (first.label, first.value) == ("Expected in Q3 2026, Nord", page.words.money(row["mean"], "EUR"))
    assert f"Nord: by the end of Q3 2026, {first.value} are to be expected" in text
    assert ">null<" not in page.blocks["balance"].picture()


@pytest.mark.parametrize("use", ["detail", "present"])
def test_french_to_the_last_word(app, book, use):
    _, text = shown(app, book, lang="fr", use=use)

    for english in ("deals", "Deals", "sellers", "Open", "won", "lost", "rate", "target", "month", "Show"):
        assert not re.search(rf"\b{english}\b", text), (english, re.findall(rf".{{40}}\b{english}\b.{{40}}", text))
    assert "Qui est chargé" in text


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
    assert not {"nan", "inf", "None"} & set(text.replace("None of it has closed", "").split())


def test_a_company_of_one_seller_has_its_forecast_its_levers_and_its_work(app, part):
    one = pl.col("rep_id") == "R085"
    page, _ = shown(app, part(one, reps=lambda rows: rows.filter(one)), lang="en", use="detail")

    assert all(isinstance(page.blocks[slot], Figure) for slot in ("fan", "if_bookings", "shortage"))


def test_an_absurd_address_still_shows_a_page(app, book):
    absurd = {"use": "spy", "scene": "../etc", "as_of": "1066-10-14", "win": "1e9", "hires-nord": "-7", "by": "salary"}
    absurd |= {"keep_a": "x" * 5000, "keep_b": "A|win=7|=|", "plan": "none", "in.region": ["Atlantis"]}
    page, _ = shown(app, book, **absurd)

    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    assert page.asked["use"] == "manager"
    assert any(isinstance(block, Figure) for block in page.blocks.values())
