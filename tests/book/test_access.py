"""Everything held on a person is handed over, with its history, and nobody else is named."""

import json

import days
import polars as pl
import pytest

from cadran.book import forget, open_book, write_book
from cadran.book.access import OTHER, held_on, to_jsonable
from cadran.cli_people import _ASIDE, _SAID, meanings
from cadran.tables import STORED
from cadran.tables.delivery import SET_ASIDE, Part
from cadran.text import words_for

NAME = "Zoé Kérébel"
DAYS = days.last_days(2)


@pytest.fixture(scope="module")
def company():
    """A small invented company: its tables and settings."""
    tables, settings = days.company(40)
    rep = tables["versions"]["rep_id"].drop_nulls().mode().sort()[0]
    named = pl.when(pl.col("rep_id") == rep).then(pl.lit(NAME)).otherwise("name").alias("name")
    tables["reps"] = tables["reps"].with_columns(named)
    return tables, settings


@pytest.fixture(scope="module")
def rep(company):
    return company[0]["reps"].filter(name=NAME)["rep_id"][0]


@pytest.fixture(scope="module")
def book(company, rep, tmp_path_factory):
    """A book of two versions; on the second day a deal of the seller's was another's all along."""
    folder = tmp_path_factory.mktemp("book")
    tables, settings = company
    deal = tables["versions"].filter(rep_id=rep)["opportunity_id"].sort()[0]
    other = tables["reps"].filter(pl.col("rep_id") != rep)["rep_id"][0]
    is_it = (pl.col("opportunity_id") == deal) & (pl.col("rep_id") == rep)
    corrected = tables["versions"].with_columns(pl.when(is_it).then(pl.lit(other)).otherwise("rep_id").alias("rep_id"))
    aside = [
        {"table": "reps", "file": "u.csv", "row": 1, "id": rep, "rule": "a rule", "found": "x",
         "values": json.dumps({"login": rep, "hired": "?"})},
        {"table": "activities", "file": "a.csv", "row": 2, "id": "A2", "rule": "a rule", "found": "x",
         "values": json.dumps({"no": "A2", "who": rep, "with": "Ann Other"})},
        {"table": "activities", "file": "a.csv", "row": 3, "id": "A3", "rule": "a rule", "found": "x",
         "values": json.dumps({"no": "A3", "who": other})},
    ]  # fmt: skip
    for day, versions in zip(DAYS, (tables["versions"], corrected), strict=True):
        delivery = days.told({**tables, "versions": versions}, settings, day)
        delivery.parts = [Part("plan", {}, pl.DataFrame(aside, schema=SET_ASIDE)), *delivery.parts]
        write_book(folder, delivery, days.end_of(day))
    return folder, deal, other


def test_a_seller_sees_their_deals_as_known_and_as_taken_back(book, rep):
    folder, deal, _ = book
    held = held_on(folder, rep)

    versions = held["tables"]["versions"]
    theirs = open_book(folder).collect(open_book(folder)._stored("versions")).filter(rep_id=rep)
    assert versions.filter(pl.col("in_versions").list.contains(2)).height == theirs.height
    assert set(versions["opportunity_id"]) == set(held["tables"]["opportunities"]["opportunity_id"])
    of_it = versions.filter(opportunity_id=deal).sort("known_to", nulls_last=False)
    assert of_it["in_versions"].to_list()[0] == [1]
    taken_back = of_it.filter(pl.col("known_to").is_not_null())
    assert taken_back.height > 0
    assert taken_back["in_versions"].to_list() == [[2]] * taken_back.height
    assert held["names"] == [NAME]
    assert [version["current"] for version in held["versions"]] == [False, True]


def test_nobody_else_is_named(book, company, rep):
    folder, _, _ = book
    tables, _ = company
    others = set(tables["reps"]["rep_id"]) | set(tables["contacts"]["contact_id"])
    for identifier in (rep, tables["deal_contacts"]["contact_id"].mode().sort()[0], tables["leads"]["lead_id"][0]):
        held = to_jsonable(held_on(folder, identifier))
        said = json.dumps(held, ensure_ascii=False)
        assert not [each for each in others - {identifier} if f'"{each}"' in said]
        assert "Ann Other" not in said
    assert OTHER in json.dumps(to_jsonable(held_on(folder, rep)))


def test_rows_set_aside_are_handed_over_with_the_cells_about_the_person(book, rep):
    folder, _, _ = book

    aside = held_on(folder, rep)["tables"]["set_aside"].sort("row")

    assert aside["row"].to_list() == [1, 2]
    assert [json.loads(values) for values in aside["values"]] == [{"login": rep, "hired": "?"}, {"who": rep}]
    assert aside["in_versions"].to_list() == [[1, 2], [1, 2]]


def test_a_manager_is_told_only_that_they_led_somebody(company, tmp_path):
    tables, settings = company
    write_book(tmp_path, days.told(tables, settings, days.LAST), days.end_of(days.LAST))
    manager = tables["reps"]["manager_id"].drop_nulls()[0]

    led = held_on(tmp_path, manager, "rep")["tables"]["reps"].filter(manager_id=manager)

    assert led.height > 0
    assert set(led["rep_id"]) == {OTHER}
    assert led.select("name", "team", "region", "role").null_count().row(0) == (led.height,) * 4


def test_who_was_forgotten_can_no_longer_be_found(book, company, rep, tmp_path):
    tables, settings = company
    write_book(tmp_path, days.told(tables, settings, days.LAST), days.end_of(days.LAST))
    person, _ = forget(tmp_path, rep)

    held = held_on(tmp_path, person.ids[rep])

    assert NAME not in json.dumps(to_jsonable(held), ensure_ascii=False)
    assert held["tables"]["versions"].height > 0


@pytest.mark.parametrize("table", sorted(STORED))
def test_every_field_has_its_meaning_in_both_languages(table):
    for told in meanings(table, [*STORED[table].column_names(), "in_versions"]).values():
        assert told["en"]
        assert told["fr"] != told["en"]


def test_what_is_said_of_counts_and_rows_set_aside_exists_in_french():
    french = words_for("fr").catalogue

    assert {*_SAID.values(), *_ASIDE.values()} <= french.keys()
