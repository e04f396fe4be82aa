"""The Opportunities app runs whole on any book, in both languages, and says what it cannot show."""

import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import polars as pl
import pytest
from marimo import App

from cadran.book import SAMPLE, open_book, purge, write_book
from cadran.book.held import hold
from cadran.figures.blocks import Notice
from cadran.figures.figure import Figure
from cadran.measures import MEASURES, Question
from cadran.publish.apps import NOTEBOOKS
from cadran.publish.prepared import _load
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery


@pytest.fixture(scope="module")
def app() -> App:
    return _load(NOTEBOOKS / "opportunities.py").app


@pytest.fixture(scope="module")
def sample():
    return open_book(SAMPLE)


def part_of(sample, folder, keep):
    """A book of those of the sample's deals that `keep` (an expression on their last version) keeps."""
    tables = {
        name: pl.read_parquet(sample.version / name).select(schema.column_names()) for name, schema in TABLES.items()
    }
    last = tables["versions"].sort("valid_from").group_by("opportunity_id").last()
    ids = last.filter(keep).select("opportunity_id")
    for name in ("opportunities", "versions", "deal_contacts", "activities"):
        tables[name] = tables[name].join(ids, on="opportunity_id", how="semi")
    tables["leads"] = tables["leads"].clear()
    write_book(folder, Delivery.whole(sample.settings, tables), sample.moment)
    return open_book(folder)


def page_of(app, book, **query):
    """The page of an address."""
    _, defs = app.run(defs={"query": query, "book": hold(book)})
    return defs["page"].widget


def shown(app, book, **query):
    """The page, and its text: every figure is drawn for it."""
    page = page_of(app, book, **query)
    return page, unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page.html())))


def test_the_sample_fills_every_place(app, sample):
    page, text = shown(app, sample, lang="en")

    assert [slot for slot, block in page.blocks.items() if isinstance(block, Notice)] == []
    assert {slot for row in page.places for slot in row} == page.blocks.keys()
    assert "Signed revenue" in text


def test_the_numbers_are_those_of_the_measures(app, sample):
    page, text = shown(app, sample, lang="en", period="year")

    question = Question(since=date(2026, 1, 1), until=date(2026, 6, 30))
    now, rate = (MEASURES[name].ask(sample, question).row(0, named=True) for name in ("volumes", "win_rate"))
    assert page.words.money(now["amount_won"], "EUR") in text
    assert f"{now['n_won']} deals won" in text
    assert page.words.percent(rate["win_rate"]) in text
    assert f"of {rate['n_closed']} closed deals" in text


def test_a_selection_filters_the_others_and_not_itself(app, sample):
    page = page_of(app, sample, **{"in.region": ["Nord"], "by": "region"})

    regions, clients = page.blocks["groups"].frame, page.blocks["clients"].frame
    assert regions.height > 1
    assert regions["n_closed"].null_count() == 0
    assert regions.filter(pl.col("state") == "selected")["region"].to_list() == ["Nord"]
    whole = Question(where={"region": ("Nord",)}, since=date(2025, 7, 1), until=date(2026, 6, 30))
    expected = MEASURES["client_concentration"].ask(sample, whole)
    assert clients["revenue"].to_list() == expected["revenue"].head(clients.height).to_list()
    assert set(page.blocks["deals"].frame["region"]) == {"Nord"}


def test_a_cause_of_the_waterfall_leads_to_its_deals(app, sample):
    page = page_of(app, sample, **{"in.cause": ["lost"]})

    bridge, deals = page.blocks["bridge"].frame, page.blocks["deals"].frame
    lost = bridge.filter(pl.col("cause") == "lost").row(0, named=True)
    assert lost["state"] == "selected"
    assert deals.height == lost["n_deals"] == -lost["n"]
    assert set(deals["status"]) == {"lost"}
    assert "Cause: Lost" in page.blocks["selection"].html("selection", page.words)


def test_french_to_the_last_word(app, sample):
    page, text = shown(app, sample, lang="fr")

    for english in ("Win rate", "Signed", "Deals", "deals", "closed", "Filters", "set aside", "Show", "from"):
        assert not re.search(rf"\b{english}\b", text), english
    assert "Taux de transformation" in text
    assert 'lang="fr"' in page.html()


@pytest.mark.parametrize(
    "keep",
    {
        "empty": pl.lit(False),
        "one_deal": pl.col("opportunity_id") == pl.col("opportunity_id").min(),
        "none_closed": pl.col("status") == "open",
        "none_open": pl.col("status") == "won",
        "no_amount": pl.col("amount").is_null(),
    }.items(),
    ids=lambda case: case[0],
)
def test_a_book_with_next_to_nothing_is_told_and_not_an_error(app, sample, tmp_path, keep):
    book = part_of(sample, tmp_path / "book", keep[1])

    for period in ("months12", "all") if keep[0] in ("one_deal", "no_amount") else ("all",):
        page, text = shown(app, book, lang="en", period=period)

        assert {slot for row in page.places for slot in row} == page.blocks.keys()
        assert "nan" not in text.lower().split()
        if keep[0] == "empty":
            assert "no deal was won" in text
            assert isinstance(page.blocks["groups"], Notice)


@pytest.mark.parametrize(
    "query",
    [
        {"as_of": "1066-10-14", "period": "x", "by": "salary", "deals.page": "-7", "deals.sort": "-drop table"}
        | {"deals.search": "(((", "open": "../../etc"},
        {"as_of": "2019-01-01", "period": "custom", "from": "9999-01-01", "until": "0001-01-01"}
        | {"in.region": ["Atlantis"], "in.closed_month": ["never"], "in.client": [""]},
        {"organisation": "today", "unit": "n", "period": "last_quarter", "by": "deal_type", "as_of": "2024-02-29"},
    ],
)
def test_an_absurd_address_still_shows_a_page(app, sample, query):
    page, _ = shown(app, sample, **query)

    assert isinstance(page.blocks["footer"].html("footer", page.words), str)
    assert {slot for row in page.places for slot in row} == page.blocks.keys()


def test_what_an_address_asks_in_vain_is_said(app, sample):
    page, _ = shown(app, sample, lang="en", as_of="1066-10-14")

    assert "As of: “1066-10-14” is not possible here" in page.content["said"]


def test_every_figure_says_its_finding(app, sample):
    page = page_of(app, sample, lang="en")

    for slot, block in page.blocks.items():
        if isinstance(block, Figure):
            assert block.title in block.finding, slot
            assert any(letter.isdigit() for letter in block.finding.removeprefix(block.title)), slot


def test_the_foot_says_what_todays_organisation_and_a_purge_leave_out(app, sample, tmp_path):
    part_of(sample, tmp_path, (pl.col("valid_from").dt.year() == 2026) | (pl.col("status") != "open"))
    purge(tmp_path, date(2026, 3, 1))
    book = open_book(tmp_path)

    page, text = shown(app, book, lang="en", organisation="today")
    _, french = shown(app, book, lang="fr", organisation="today")
    _, was = shown(app, book, lang="en")

    assert "What ended before 1 Mar 2026 was purged" in text
    assert "Ce qui s'est terminé avant le 1 mars 2026 a été purgé" in french
    assert "sellers who left keep the last team and region they had" in page.blocks["footer"].html("footer", page.words)
    assert "les commerciaux partis gardent leur dernière équipe" in french
    assert "sellers who left" not in was


@pytest.fixture(scope="module")
def corrected(sample, tmp_path_factory):
    """The sample's last two days: on the second, a deal won long ago turns out lost, and another is gone."""
    folder, moment = tmp_path_factory.mktemp("book"), sample.moment - timedelta(days=1)
    tables = {
        name: pl.read_parquet(sample.version / name).select(schema.column_names()) for name, schema in TABLES.items()
    }
    first = tables | {name: tables[name].clear() for name in ("leads", "deal_contacts", "activities", "actions")}
    won = first["versions"].filter((pl.col("status") == "won") & (pl.col("valid_from").dt.year() == 2025))
    wrong, gone = won["opportunity_id"].unique().sort()[:2]
    later = first["versions"].filter(pl.col("opportunity_id") != gone)
    is_wrong = (pl.col("opportunity_id") == wrong) & (pl.col("status") == "won")
    later = later.with_columns(
        status=pl.when(is_wrong).then(pl.lit("lost", later.schema["status"])).otherwise("status"),
        stage=pl.when(is_wrong).then(pl.lit("Lost")).otherwise("stage"),
    )
    for taken, versions in ((moment, first["versions"]), (sample.moment, later)):
        settings = replace(sample.settings, taken=taken)
        known = {
            name: rows.filter(pl.col("valid_from") <= taken) if "valid_from" in rows.columns else rows
            for name, rows in (first | {"versions": versions}).items()
        }
        known["opportunities"] = known["opportunities"].join(known["versions"], on="opportunity_id", how="semi")
        histories = frozenset(name for name in known if "valid_from" in known[name].columns)
        write_book(folder, Delivery.whole(settings, known, histories=histories), taken)
    return open_book(folder)


def test_the_past_as_known_then_and_as_corrected(app, corrected):
    asked = {"as_of": "2025-12-31", "period": "year"}

    then = page_of(app, corrected, lang="en", **asked)
    since = page_of(app, corrected, lang="en", past="corrected", **asked)
    _, french = shown(app, corrected, lang="fr", past="corrected", **asked)

    won = [page.blocks["deals"].frame.filter(status="won").height for page in (then, since)]
    assert won[0] - won[1] == 1  # the deal that is gone was there until the second import
    assert "as known then (" in then.blocks["footer"].html("footer", then.words)
    footer = since.blocks["footer"].html("footer", since.words)
    assert re.search(r"as corrected since \(\d+ rows corrected or entered late\)", footer)
    assert re.search(r"last import, deals: \d+ new, \d+ changed, 1 corrected in the past,? and 1 gone", footer)
    assert "as it was known on each date" in then.blocks["stock"].subtitle
    assert "as corrected since" in since.blocks["stock"].subtitle
    assert "le passé tel que corrigé depuis" in french
    assert "Corrigé depuis" in french


def test_a_book_without_corrections_offers_one_past(app, sample):
    page, text = shown(app, sample, lang="en", past="corrected")

    assert "past" not in page.asked.controls
    assert "As known then" not in text
    assert "last import" not in text


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_organisation_as_it_was_and_todays(app, sample, lang):
    # Toulouse left Sud-Est for Grand Ouest on 2025-01-01.
    asked = {"as_of": "2025-01-31", "period": "quarter", "in.region": ["Sud-Est"], "lang": lang}

    was, now = (page_of(app, sample, organisation=which, **asked) for which in ("as_was", "today"))

    def moved(page):
        return dict(page.blocks["bridge"].frame.select("cause", "n").iter_rows())

    assert moved(was)["transferred_out"] < -20
    assert "transferred_out" not in moved(now)
    teams = [set(page.blocks["deals"].frame["team"].drop_nulls()) for page in (was, now)]
    quarters = [page.blocks["quarters"].frame["n_closed"].sum() for page in (was, now)]
    assert teams[1] <= teams[0]
    assert quarters[0] > quarters[1] > 0
