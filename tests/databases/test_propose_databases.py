"""Mappings proposed from the tables of a database: what files of the same rows would give, and never an address."""

import tomllib
from datetime import date, timedelta

import polars as pl
import pytest

from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.sources.propose import propose
from cadran.sources.propose_databases import VARIABLE
from cadran.tables.problems import Problem

DAY = date(2024, 1, 2)
STAGES = ["Won", "Lost", "Offer"]
DEALS = pl.DataFrame(
    {
        "deal_id": range(1, 31),
        "account": [f"C{n % 4}" for n in range(30)],
        "owner": [f"U{n % 3}" for n in range(30)],
        "stage": [STAGES[n % 3] for n in range(30)],
        "created_date": [DAY + timedelta(days=n) for n in range(30)],
        "close_date": [DAY + timedelta(days=60 + n) if n % 3 < 2 else None for n in range(30)],
        "amount": [100.5 * n for n in range(30)],
        "email": [f"client{n}@example.com" for n in range(30)],
    }
)
SELLERS = pl.DataFrame({"rep": ["U0", "U1", "U2"], "team": ["Nord", "Nord", "Sud"]})


@pytest.fixture
def filled(crm):
    """A database with deals, sellers, and a table of something else."""
    crm.write("deals", DEALS)
    crm.write("sellers", SELLERS)
    crm.write("weather", pl.DataFrame({"town": ["Lille"], "rain": [3.5]}))
    return crm


def place(crm, tmp_path):
    return crm.address or str(tmp_path / f"crm.{crm.kind}")


def test_a_mapping_is_proposed_and_imports_without_an_edit(filled, tmp_path):
    text = propose([place(filled, tmp_path)])

    read = tomllib.loads(text)
    assert read["files"] == {name: {"database": "crm", "table": name} for name in ("deals", "sellers")}
    assert (read["databases"]["crm"]["kind"], read["taken"]) == (filled.kind, "now")
    assert (read["reps"]["rep_id"], read["deals"]["stage"]) == ("rep", "stage")
    assert '# refused (e-mail addresses): "email"' in text
    assert "(weather): not used" in text
    (tmp_path / "proposed.toml").write_text(text)
    taken_in = deliver(load_mapping(tmp_path / "proposed.toml"), tmp_path)
    now = taken_in.tables["versions"].filter(pl.col("valid_to").is_null())
    assert dict(now["status"].cast(pl.String).value_counts().iter_rows()) == {"won": 10, "lost": 10, "open": 10}
    assert now["amount"].sum() == pytest.approx(DEALS["amount"].sum())
    assert taken_in.set_aside.is_empty()


def test_a_database_is_found_in_a_folder_and_an_event_log_in_a_database(make_crm, tmp_path):
    crm = make_crm("sqlite")
    rows = [(f"C{c}", what, f"2024-01-0{1 + i} 10:00:00") for c in range(9) for i, what in enumerate(("Lead", "Order"))]
    crm.write("log", pl.DataFrame(rows, schema=["case_id", "activity", "timestamp"], orient="row"))
    (tmp_path / "thumbs.db").write_bytes(b"no database")

    read = tomllib.loads(propose([tmp_path]))
    assert read["databases"] == {"crm": {"kind": "sqlite", "path": "crm.sqlite"}}
    assert read["files"] == {"log": {"database": "crm", "table": "log"}}
    assert read["events"]["outcomes"] == {"Order": "won"}


def test_an_address_stays_out_of_the_mapping_and_of_every_message(postgres, tmp_path):
    postgres.write("deals", DEALS)
    postgres.run("drop role if exists mapper", "create role mapper login password 'p%ss'")
    postgres.run("create table hidden (a text)", "grant insert on hidden to mapper", "grant select on deals to mapper")
    address = postgres.address.replace("postgres:@", "mapper:p%25ss@")
    assert "mapper" in address

    text = propose([address])
    assert "# not read: crm does not allow to read hidden" in text
    assert f'address_from = "{VARIABLE}"  # the name of an environment variable' in text
    assert tomllib.loads(text)["deals"]["opportunity_id"] == "deal_id"
    assert not [secret for secret in ("p%", "p%25ss", "mapper", address) if secret in text]

    for wrong in (
        "mysql://ann:s3cret@host/crm",
        "postgresql://ann:s3cret@127.0.0.1:1/crm",
        "host=nowhere.invalid password=s3cret",
    ):
        with pytest.raises(Problem) as told:
            propose([wrong])
        assert "s3cret" not in told.value.told(str)
        assert "ann:" not in told.value.told(str)
