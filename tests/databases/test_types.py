"""What each type of the three databases becomes: copied, then taken in like any other source."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from cadran.sources import deliver
from cadran.sources.mapping import load_mapping

MAPPING = """
taken = 2024-12-31
time_zone = "Europe/Paris"
stages = [ {{ stage = "Lead", kind = "open" }}, {{ stage = "Won", kind = "won" }} ]
[databases.crm]
{section}
[files.deals]
database = "crm"
table = "deals"
[accounts]
file = "deals"
from_values = true
account_id = "client"
[deals]
file = "deals"
opportunity_id = "id"
account_id = "client"
stage = "stage"
created_at = "created"
closed_at = "closed"
expected_close_date = "expected"
amount = "amount"
product = "product"
[activities]
file = "deals"
activity_id = "id"
opportunity_id = "id"
kind = {{ constant = "call" }}
at = "called"
is_automatic = "automatic"
duration_minutes = "minutes"
"""
UUID = "6f1f3f52-7c4d-4d8e-9a53-0f6f3f8f0001"
#: By kind: the columns of a deal, each with its type and its value. All tell the same.
TABLES = {
    "sqlite": {
        "id": ("integer", "7"), "client": ("text", f"'{UUID}'"), "stage": ("text", "'Won'"),
        "created": ("text", "'2024-01-31 23:30:00'"), "closed": ("text", "'2024-02-29T22:30:00Z'"),
        "expected": ("text", "'2024-03-01'"), "amount": ("real", "1234.567"), "product": ("text", "'1.50'"),
        "called": ("text", "'2024-02-01 10:00:00+05:00'"), "automatic": ("integer", "1"), "minutes": ("integer", "12"),
    },
    "duckdb": {
        "id": ("hugeint", "7"), "client": ("uuid", f"'{UUID}'"), "stage": ("enum ('Lead', 'Won')", "'Won'"),
        "created": ("timestamp", "'2024-01-31 23:30:00'"), "closed": ("timestamptz", "'2024-02-29T22:30:00Z'"),
        "expected": ("date", "'2024-03-01'"), "amount": ("decimal(12, 3)", "1234.567"),
        "product": ("decimal(6, 2)", "1.5"), "called": ("timestamptz", "'2024-02-01 10:00:00+05:00'"),
        "automatic": ("boolean", "true"), "minutes": ("tinyint", "12"),
    },
    "postgresql": {
        "id": ("numeric(18, 0)", "7"), "client": ("uuid", f"'{UUID}'"), "stage": ("step", "'Won'"),
        "created": ("timestamp", "'2024-01-31 23:30:00'"), "closed": ("timestamptz", "'2024-02-29T22:30:00Z'"),
        "expected": ("date", "'2024-03-01'"), "amount": ("numeric", "1234.567"), "product": ("numeric(6, 2)", "1.5"),
        "called": ("timestamptz", "'2024-02-01 10:00:00+05:00'"), "automatic": ("boolean", "true"),
        "minutes": ("smallint", "12"),
    },
}  # fmt: skip


@pytest.fixture
def taken_in(tmp_path):
    """Delivers the deals of a CRM."""

    def take(crm):
        (tmp_path / "crm.toml").write_text(MAPPING.format(section=crm.section), encoding="utf-8")
        delivered = deliver(load_mapping(tmp_path / "crm.toml"))
        for file in delivered.files:
            assert file.n_read == file.n_accepted + file.n_left_out + file.n_set_aside
        return delivered

    return take


@pytest.fixture
def filled(crm):
    """A CRM of one deal."""
    if crm.kind == "postgresql":
        crm.run("drop type if exists step cascade", "create type step as enum ('Lead', 'Won')")
    columns = TABLES[crm.kind]
    named = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
    crm.run(f"create table deals ({named})", f"insert into deals values ({', '.join(v for _, v in columns.values())})")
    return crm


def test_every_type_tells_the_same(filled, taken_in):
    delivered = taken_in(filled)

    assert delivered.set_aside.is_empty()
    last = delivered.tables["versions"].filter(pl.col("valid_to").is_null()).row(0, named=True)
    deal = delivered.tables["opportunities"].row(0, named=True)
    call = delivered.tables["activities"].row(0, named=True)
    assert deal["opportunity_id"] == call["opportunity_id"] == "7"
    assert deal["account_id"] == UUID
    assert deal["product"] == "1.50"
    assert deal["created_at"] == datetime(2024, 1, 31, 22, 30, tzinfo=UTC)  # 23:30 in Paris
    assert last["valid_from"] == datetime(2024, 2, 29, 22, 30, tzinfo=UTC)
    assert last["stage"] == "Won"
    assert last["expected_close_date"] == date(2024, 3, 1)
    assert last["amount"] == 1234.567
    assert call["at"] == datetime(2024, 2, 1, 5, tzinfo=UTC)
    assert call["is_automatic"] is True
    assert call["duration_minutes"] == 12


@pytest.mark.parametrize("crm", ["duckdb", "postgresql"], indirect=True)
def test_what_never_ends_is_no_date(filled, taken_in):
    filled.run("update deals set expected = 'infinity'")
    delivered = taken_in(filled)
    assert delivered.set_aside.is_empty()
    assert delivered.tables["versions"]["expected_close_date"].to_list() == [None, None]


@pytest.mark.parametrize("crm", ["sqlite"], indirect=True)
def test_numbers_among_texts_are_texts(filled, taken_in):
    filled.run("update deals set amount = 'unknown'")
    filled.run("insert into deals (id, client, stage, created, amount) values (8, 'Acme', 'Lead', '2024-01-01', 12.5)")
    delivered = taken_in(filled)
    assert "amount = unknown" in delivered.set_aside["found"].to_list()
    assert (
        delivered.tables["versions"]["amount"].to_list() == [12.5, None]
        or 12.5 in delivered.tables["versions"]["amount"]
    )


def test_a_row_set_aside_is_told_by_its_table_and_its_number(filled, taken_in):
    filled.run("insert into deals (id, client, stage) values (8, null, 'Lead')", "insert into deals (id) values (9)")
    aside = taken_in(filled).set_aside.filter(pl.col("table") == "opportunities")
    assert aside.select("file", "row", "line", "id").rows() == [("deals", 3, None, "9")]
