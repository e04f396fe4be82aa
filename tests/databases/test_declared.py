"""What a mapping says of databases: mistakes are told with the key and the repair, and an address is never repeated."""

import re
from pathlib import Path

import pytest

from cadran.sources.declared import keys_in_step
from cadran.sources.mapping import load_mapping
from cadran.tables.problems import Problem

DOCUMENT = Path(__file__).parents[2] / "docs" / "databases.md"
MAPPING = """
taken = "now"
stages = [ { stage = "Lead", kind = "open" }, { stage = "Won", kind = "won" } ]
[databases.crm]
kind = "postgresql"
address_from = "CRM"
[files.deals]
database = "crm"
table = "deals"
watermark = "modified"
[files.others]
database = "crm"
table = "others"
[deals]
file = "deals"
opportunity_id = "id"
stage = "stage"
closed_at = "closed"
"""
HISTORY = 'file = "others"\nopportunity_id = "id"\n'
ADDRESSES = [
    'address_from = "postgresql://reader:s3cret@db.example.com/crm"',
    'address_from = "host=db.example.com password=s3cret"',
    'address = "postgres://reader:s3cret@db.example.com/crm"',
    'path = "postgresql://reader:s3cret@db.example.com/crm"',
    'address_from = ["postgresql://reader:s3cret@db.example.com/crm"]',
]
MISTAKES = [
    ('kind = "postgresql"', 'kind = "postgres"', "databases.crm: kind cannot be 'postgres'", "'postgresql'"),
    ('kind = "postgresql"\n', "", "databases.crm: kind cannot be None", "sqlite, duckdb, postgresql"),
    ('kind = "postgresql"', 'kind = "sqlite"', "a sqlite database is reached by path", 'path = "FILE"'),
    ('address_from = "CRM"', 'path = "crm.db"', "a postgresql database is reached by address_from", "NAME_OF_THE"),
    ('address_from = "CRM"', 'address_from = "the CRM"', "no name of an environment variable", "CADRAN_CRM_ADDRESS"),
    ('address_from = "CRM"', 'password = "x"', "there is no key 'databases.crm: password'.", ""),
    ('table = "deals"\n', "", "files.deals needs either a table or a query", "select"),
    ('table = "deals"', 'table = "deals"\nquery = "select 1"', "files.deals needs either a table or a query", "select"),
    ('table = "deals"', 'table = "deals"\nformat = "csv"', "rows of a database have no format", "Remove one"),
    ('database = "crm"\ntable = "deals"', 'database = "crn"\ntable = "deals"', "database cannot be 'crn'", "'crm'"),
    ('database = "crm"\ntable = "deals"', 'path = "deals.csv"', "watermark is for rows of a database", "database"),
    ('taken = "now"', 'taken = "latest date"', "would look at some rows only", 'taken = "now"'),
    ('closed_at = "closed"', 'closed_at = { column = "day", from = "others", on = "id" }', "", ""),
    ('closed_at = "closed"', 'closed_at = { column = "day", from = "deals", on = "id" }', "which must be read whole", "older"),
    ("[deals]", '[accounts]\nfile = "deals"\nfrom_values = true\naccount_id = "client"\n[deals]', "", ""),
    ("[deals]", '[accounts]\nfile = "deals"\nfrom_values = true\naccount_id = "client"\nsector = "sector"\n[deals]',
     "[accounts] is made from all values of deals", "a query of its own"),
    ("[deals]", '[[changes]]\nof = "deals"\nfile = "others"\nkey = "id"\nat = "at"\nfield = "field"\nvalue = "to"\n[deals]',
     "deals, others tell one history, and are read in step", "Give each a watermark"),
    ('"closed"', '"closed"\n[reps]\nfile = "others"\nrep_id = ["a", "b"]\nvalid_from = "day"', "", ""),
]  # fmt: skip


def load(tmp_path, text):
    path = tmp_path / "crm.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


@pytest.mark.parametrize(("old", "new", "what", "repair"), MISTAKES)
def test_a_mistake_is_told_with_its_repair(tmp_path, old, new, what, repair):
    """Or what is right is taken, where nothing is to be told."""
    assert old in MAPPING
    text = MAPPING.replace(old, new, 1)
    if not what:
        assert load(tmp_path, text).feeds
        return
    with pytest.raises(Problem) as caught:
        load(tmp_path, text)
    said = str(caught.value)
    assert said.startswith("crm.toml")
    assert what in said
    assert repair in said


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_refused_and_not_repeated(tmp_path, address):
    with pytest.raises(Problem) as caught:
        load(tmp_path, MAPPING.replace('address_from = "CRM"', address))
    said = str(caught.value)
    assert "An address may hold a password, which never stands in a mapping." in said
    assert "s3cret" not in said
    assert "example.com" not in said


def test_now_needs_a_database(tmp_path):
    text = (
        MAPPING.replace('database = "crm"\n', "")
        .replace('table = "', 'path = "')
        .replace('watermark = "modified"\n', "")
    )
    with pytest.raises(Problem, match='taken = "now" is the clock of a database'):
        load(tmp_path, text)


def test_a_history_of_two_keys_has_no_watermark(tmp_path):
    text = MAPPING.replace('table = "others"', 'table = "others"\nwatermark = "modified"')
    text += '[reps]\nfile = "others"\nrep_id = ["a", "b"]\nvalid_from = "day"'
    with pytest.raises(Problem, match="others: with a watermark, a key is one column"):
        load(tmp_path, text)


def test_files_of_one_history_are_in_step(tmp_path):
    text = MAPPING.replace('table = "others"', 'table = "others"\nwatermark = "modified"').replace(
        "[deals]", "[opportunities]"
    )
    text = text.replace('stage = "stage"\nclosed_at = "closed"\n', "")
    text += '[versions]\nfile = "others"\nopportunity_id = "deal"\nvalid_from = "day"\nstage = "stage"'
    assert keys_in_step(load(tmp_path, text).feeds) == {"opportunities": {"deals": "id", "others": "deal"}}
    assert keys_in_step(load(tmp_path, MAPPING).feeds) == {}


def test_what_the_document_shows_is_right(tmp_path):
    shown = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert shown
    assert [load(tmp_path, text).taken for text in shown] == ["now"]
