"""What a row of deals becomes: what is known when, joins, and money in one currency."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

SMALL = Path(__file__).parent / "small"
DEALS, MAPPING = (SMALL / "deals.csv").read_text(), (SMALL / "mapping.toml").read_text()
TAKEN = datetime(2024, 12, 31, 22, 59, 59, tzinfo=UTC)


def life(delivered, deal, *columns):
    own = delivered.tables["versions"].filter(pl.col("opportunity_id") == deal).sort("valid_from")
    return own.select(*columns).rows()


def test_a_closed_deal_has_a_version_at_creation_and_one_at_close(take):
    delivered = take()
    assert life(delivered, "D1", "valid_from", "valid_to", "stage", "status", "rep_id", "amount") == [
        (datetime(2024, 1, 9, 23, tzinfo=UTC), datetime(2024, 2, 29, 23, tzinfo=UTC), "Lead", "open", "Ann", None),
        (datetime(2024, 2, 29, 23, tzinfo=UTC), None, "Won", "won", "Ann", 1000.0),
    ]


def test_an_open_deals_stage_and_amount_are_known_from_the_export_on(take):
    assert life(take(), "D3", "valid_from", "stage", "amount") == [
        (datetime(2024, 11, 4, 23, tzinfo=UTC), "Lead", None),
        (TAKEN, "Offer", 750.0),
    ]


def test_an_open_deal_without_news_has_one_version(take):
    delivered = take(DEALS.replace("Offer,2024-11-05,,750", "Lead,2024-11-05,,"))
    assert life(delivered, "D3", "stage", "valid_to") == [("Lead", None)]


def test_an_open_deal_without_a_creation_date_is_known_from_the_export_on(take):
    delivered = take()
    assert life(delivered, "D4", "valid_from", "stage") == [(TAKEN, "Lead")]
    created = delivered.tables["opportunities"].filter(pl.col("opportunity_id") == "D4")["created_at"].to_list()
    assert created == [None]


@pytest.mark.parametrize(
    ("known", "open_deal", "closed_deal"),
    [
        ("at_creation", [750.0, 750.0], [1000.0, 1000.0]),
        ("at_export", [None, 750.0], [None, 1000.0]),
        ("at_close", [None, None], [None, 1000.0]),
    ],
)
def test_when_a_field_becomes_known(take, known, open_deal, closed_deal):
    amount = f'amount = {{ column = "amount", known = "{known}" }}'
    delivered = take(mapping=MAPPING.replace('amount = "amount"', amount))
    assert [row[0] for row in life(delivered, "D3", "amount")] == open_deal
    assert [row[0] for row in life(delivered, "D1", "amount")] == closed_deal
    assert ("amount" in delivered.settings.known_at_close) == (known == "at_close")


@pytest.mark.parametrize(
    ("created", "closed", "seconds"),
    [
        ("2024-03-01", "2024-03-01", 1),
        ("2024-03-01 14:30:00", "2024-03-01", 1),
        ("2024-03-01", "2024-03-01 00:00:05", 5),
    ],
)
def test_closed_the_day_it_was_created(take, created, closed, seconds):
    delivered = take(DEALS.replace("2024-01-10,2024-03-01", f"{created},{closed}"))
    (begins, ends), (closes, _) = life(delivered, "D1", "valid_from", "valid_to")
    assert ends == closes
    assert (closes - begins).total_seconds() == seconds


def test_the_stage_a_deal_is_created_in_may_be_said(take):
    marked = MAPPING.replace('stage = "Offer", kind = "open"', 'stage = "Offer", kind = "open", at_creation = true')
    assert life(take(mapping=marked), "D1", "stage") == [("Offer",), ("Won",)]


def test_a_status_of_its_own_prevails_over_the_stage(take):
    header, *rows = DEALS.replace("Won", "Offer").replace("Lost", "Offer").splitlines()
    said = ["won", "LOST", "open", ""]
    deals = "\n".join([f"{header},state", *(f"{row},{state}" for row, state in zip(rows, said, strict=True))]) + "\n"
    delivered = take(deals, MAPPING + 'status = "state"\n')
    now = delivered.tables["versions"].filter(pl.col("valid_to").is_null()).sort("opportunity_id")
    assert now["status"].to_list() == ["won", "lost", "open", "open"]
    assert now["stage"].to_list() == ["Offer", "Offer", "Offer", "Lead"]


def test_what_has_no_date_of_its_own_holds_since_the_first_thing_that_happened(take):
    for table in ("reps", "accounts"):
        assert take().tables[table]["valid_from"].unique().to_list() == [datetime(2024, 1, 9, 23, tzinfo=UTC)]


HISTORY = """
taken = 2024-12-31
stages = [{ stage = "Offer", kind = "open" }, { stage = "Won", kind = "won" }]
[files]
deals = "heads.csv"
moves = "moves.csv"
[opportunities]
file = "deals"
opportunity_id = "id"
created_at = "created"
[versions]
file = "moves"
opportunity_id = "id"
valid_from = "since"
stage = "stage"
amount = "amount"
"""


def history(source, moves):
    (source / "heads.csv").write_text("id,created\nD1,2024-01-01\nD2,2024-01-01\nD3,2024-01-01\n")
    (source / "moves.csv").write_text("id,since,stage,amount\n" + moves)


def test_history_tables_feed_deals_and_their_versions(source, take):
    history(source, "D1,2024-02-01,Won,5\nD1,2024-01-01,Offer,4\nD2,2024-01-01,Offer,\nD3,2024-01-01,Offer,1\n")
    delivered = take(mapping=HISTORY)
    midnight = datetime(2024, 2, 1, tzinfo=UTC)
    assert life(delivered, "D1", "valid_to", "status", "amount") == [(midnight, "open", 4.0), (None, "won", 5.0)]


def test_a_deal_is_taken_in_only_with_its_whole_history(source, take):
    history(source, "D1,2024-01-01,Offer,4\nD1,2024-02-01,Won,-5\nD2,2024-01-01,Offer,\nD9,2024-01-01,Offer,\n")
    delivered = take(mapping=HISTORY)
    assert delivered.tables["opportunities"]["opportunity_id"].to_list() == ["D2"]
    assert delivered.set_aside.select("file", "row", "rule").sort("file", "row").rows() == [
        ("heads.csv", 1, "a deal is taken in with its whole history"),
        ("heads.csv", 3, "every deal has at least one version"),
        ("moves.csv", 1, "every version belongs to a known deal"),
        ("moves.csv", 2, "`amount` is at least 0"),
        ("moves.csv", 4, "every version belongs to a known deal"),
    ]


CURRENCIES = DEALS.replace("amount", "amount,cur").replace("1000", "1000,usd").replace("500", "500,EUR")
CURRENCIES = CURRENCIES.replace("750", "750,GBP").replace(",,,\n", ",,,,\n")


def money(delivered, deal):
    return life(delivered, deal, "amount", "currency", "rate", "original_amount")[-1]


def test_amounts_are_converted_and_the_original_kept(take):
    rates = "[rates]\nUSD = 0.5\nGBP = [{ from = 2020-01-01, rate = 1.1 }, { from = 2024-12-01, rate = 1.2 }]\n"
    delivered = take(CURRENCIES, MAPPING + 'currency = "cur"\n' + rates)
    assert money(delivered, "D1") == (500.0, "USD", 0.5, 1000.0)
    assert money(delivered, "D2") == (500.0, "EUR", 1.0, 500.0)
    assert money(delivered, "D3") == (900.0, "GBP", 1.2, 750.0)  # the rate of the day it was seen


def test_a_rate_that_begins_too_late_is_no_rate(refused):
    rates = "[rates]\nUSD = [{ from = 2024-06-01, rate = 0.5 }]\nGBP = 1.2\n"
    said = refused(CURRENCIES, MAPPING + 'currency = "cur"\n' + rates)
    assert "1 deals are in USD, which has no rate to EUR on 2024-03-01" in said


def test_a_rate_of_the_file_prevails(take):
    deals = (
        CURRENCIES.replace("cur", "cur,rate").replace("usd", "usd,0.9").replace("EUR", "EUR,").replace("GBP", "GBP,1.3")
    )
    delivered = take(deals.replace(",,,,\n", ",,,,,\n"), MAPPING + 'currency = "cur"\nrate = "rate"\n')
    assert money(delivered, "D1")[:3] == (900.0, "USD", 0.9)
    assert money(delivered, "D3")[:3] == (975.0, "GBP", 1.3)


JOIN = 'product = { column = "series", from = "catalogue", on = { amount = "price" } }\n'


def test_a_column_of_another_file_is_brought_by_key(source, take):
    (source / "catalogue.csv").write_text("price,series\n1000,GTX\n500,MG\n750,\n")
    delivered = take(mapping=MAPPING.replace("[files]", '[files]\ncatalogue = "catalogue.csv"') + JOIN)
    assert delivered.tables["opportunities"].sort("opportunity_id")["product"].to_list() == ["GTX", "MG", None, None]


@pytest.mark.parametrize(
    ("catalogue", "said"),
    [
        ("price,series\n1000,GTX\n1000,MG\n", "price '1000' stands on several rows that differ"),
        ("price,series\n9,GTX\n", "no amount of deals.csv is found as price in catalogue.csv"),
        ("cost,series\n9,GTX\n", "catalogue.csv has no column 'price'"),
    ],
)
def test_a_join_that_cannot_hold_is_refused(source, refused, catalogue, said):
    (source / "catalogue.csv").write_text(catalogue)
    assert said in refused(mapping=MAPPING.replace("[files]", '[files]\ncatalogue = "catalogue.csv"') + JOIN)


def test_synonyms_missing_values_scale_and_constants(take):
    mapping = MAPPING.replace('amount = "amount"', 'amount = { column = "amount", missing = "500", scale = 1e3 }')
    mapping = mapping.replace('account_id = "client"', 'account_id = { column = "client", values = { Acme = "ACME" } }')
    mapping += 'deal_type = { constant = "new" }\nlead_source = { column = ["client", "rep"] }\n'
    delivered = take(mapping=mapping)
    assert life(delivered, "D1", "amount")[-1] == (1_000_000.0,)
    assert life(delivered, "D2", "amount")[-1] == (None,)
    assert set(delivered.tables["accounts"]["account_id"]) == {"ACME", "Initech"}
    assert delivered.tables["opportunities"]["deal_type"].unique().to_list() == ["new"]
    assert "Acme Ann" in delivered.tables["opportunities"]["lead_source"].to_list()


def test_a_value_met_keeps_only_what_all_its_rows_say(take):
    mapping = MAPPING.replace(
        'account_id = "client"\n[deals]', 'account_id = "client"\nregion = "rep"\nsegment = "stage"\n[deals]'
    )
    deals = DEALS.replace("D4,Initech,Bob", "D4,Initech,Ann")
    accounts = take(deals, mapping).tables["accounts"].sort("account_id")
    assert accounts.select("account_id", "region", "segment").rows() == [("Acme", None, None), ("Initech", "Ann", None)]


@pytest.mark.parametrize("zero", ["0", "0.0", '"0,00"', " 0 "])
def test_a_missing_number_is_missing_however_it_is_written(take, zero):
    mapping = MAPPING.replace('amount = "amount"', 'amount = { column = "amount", missing = 0 }')
    delivered = take(
        DEALS.replace("500", zero).replace("1000", "1000.5").replace("1000.5", '"1000,5"' if "," in zero else "1000.5"),
        mapping,
    )
    assert life(delivered, "D2", "amount")[-1] == (None,)
    assert life(delivered, "D1", "amount")[-1] == (1000.5,)
