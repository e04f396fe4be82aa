"""What is copied from a database: every row or those since the watermark, typed; and what is never allowed."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cadran.sources import databases
from cadran.sources.connections import Fault
from cadran.sources.databases import (
    BACKWARDS,
    MIXED_WATERMARK,
    OTHER_COLUMNS,
    OTHER_TYPES,
    OTHER_WATERMARK,
    WITHOUT,
    copied,
)
from cadran.sources.mapping import load_mapping
from cadran.tables.delivery import Since
from cadran.tables.problems import Problem

MAPPING = """
taken = "now"
currency = "EUR"
stages = [ { stage = "Lead", kind = "open" }, { stage = "Won", kind = "won" }, { stage = "Lost", kind = "lost" } ]
[databases.crm]
SECTION
[files.deals]
database = "crm"
table = "deals"
watermark = "modified"
[deals]
file = "deals"
opportunity_id = "id"
stage = "stage"
created_at = "created"
closed_at = "closed"
amount = "amount"
"""
CREATE = "create table deals (id integer, stage text, created date, closed date, amount numeric(12, 2), modified {})"
ROWS = [
    "insert into deals values (1, 'Lead', '2024-01-01', null, 10.5, '2024-01-01 10:00:00+00:00')",
    "insert into deals values (2, 'Won', '2024-01-02', '2024-02-01', 1234.567, '2024-02-01 10:00:00+00:00')",
    "insert into deals values (3, 'Lost', '2024-01-03', '2024-03-01', null, '2024-03-01 10:00:00+00:00')",
]


@pytest.fixture
def copy(crm, tmp_path):
    """Copies the deals of a CRM of three deals, with what a mapping says changed; gives rows and what was told."""
    crm.run(CREATE.format(crm.moment), *ROWS)
    number = iter(range(100))

    def copy(since=None, *changes):
        text = MAPPING.replace("SECTION", crm.section)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "crm.toml").write_text(text, encoding="utf-8")
        place = tmp_path / f"copies{next(number)}"
        place.mkdir()
        told = copied(load_mapping(tmp_path / "crm.toml"), tmp_path, since or Since(), place, lambda doing, share: None)
        file = told.mapping.files["deals"]
        return pl.read_parquet(file.path[0], glob=False).sort(pl.first()), told

    return copy


def then(told):
    return Since(told.watermarks, told.columns)


def notes(told):
    return {note: found for _, _, note, _, found in told.noted}


def test_rows_keep_their_types(crm, copy):
    rows, told = copy()
    assert rows["amount"].to_list() == [10.5, 1234.57 if crm.kind != "sqlite" else 1234.567, None]
    assert rows["id"].to_list() == [1, 2, 3]
    if crm.kind != "sqlite":
        assert rows["created"].to_list() == [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)]
    assert Path(told.mapping.files["deals"].path[0]).name == "deals"
    assert rows.columns == ["id", "stage", "created", "closed", "amount"]  # and nothing that the mapping does not name
    assert told.partial == frozenset()


def test_now_is_the_clock_of_the_database(copy):
    before = datetime.now(UTC)
    _, told = copy()
    assert before.replace(microsecond=0) <= told.mapping.taken <= datetime.now(UTC)


def test_the_next_import_reads_what_is_new_and_the_ties(crm, copy):
    _, first = copy()
    rows, again = copy(then(first))
    assert rows["id"].to_list() == [3]  # the row that held the watermark, again
    assert again.partial == {"deals"}
    assert again.watermarks == first.watermarks
    at = "2024-03-01 10:00:00+00:00"
    crm.run(f"update deals set amount = 7, modified = '{at}' where id = 1")  # a tie
    crm.run("insert into deals values (4, 'Lead', '2024-03-02', null, 1, '2024-03-02 10:00:00+00:00')")
    rows, later = copy(then(first))
    assert rows["id"].to_list() == [1, 3, 4]
    assert later.noted == []
    assert copy(then(later))[0]["id"].to_list() == [4]


@pytest.mark.parametrize("crm", ["duckdb", "postgresql"], indirect=True)
def test_moments_are_read_again_from_an_hour_before(crm, copy):
    """Changes written by programs that began before the import and ended after it."""
    _, first = copy()
    crm.run("insert into deals values (4, 'Lead', '2024-03-01', null, 1, '2024-03-01 09:00:00+00:00')")
    crm.run("insert into deals values (5, 'Lead', '2024-03-01', null, 1, '2024-03-01 08:59:59+00:00')")
    assert copy(then(first))[0]["id"].to_list() == [3, 4]


def test_a_row_without_watermark_is_read_each_time_and_told(crm, copy):
    crm.run("insert into deals values (4, 'Lead', '2024-03-02', null, 1, null)")
    _, first = copy()
    rows, again = copy(then(first))
    assert rows["id"].to_list() == [3, 4]
    assert [(note, n) for _, _, note, n, _ in again.noted] == [(WITHOUT, 1)]


def test_a_watermark_that_went_backwards_loses_no_row(crm, copy):
    _, first = copy()
    crm.run("update deals set modified = '2023-01-01 10:00:00+00:00'")
    rows, again = copy(then(first))
    assert rows.height == 3
    assert again.partial == frozenset()
    assert list(notes(again)) == [BACKWARDS]
    assert "2023-01-01" in again.watermarks["deals"]


def test_a_watermark_of_another_type_loses_no_row(crm, copy):
    _, first = copy()
    crm.run(
        "alter table deals drop column modified",
        "alter table deals add column modified integer",
        "update deals set modified = id",
    )
    rows, again = copy(then(first))
    assert rows.height == 3
    assert again.watermarks == {"deals": "integer 3"}
    assert OTHER_WATERMARK in notes(again)
    assert copy(then(again))[0]["id"].to_list() == [3]


@pytest.mark.parametrize("crm", ["sqlite"], indirect=True)
def test_a_watermark_of_numbers_and_texts_loses_no_row(crm, copy):
    kept = "update deals set modified = '2024-03-01 10:00:00'"
    crm.run("alter table deals drop column modified", "alter table deals add column modified", kept)
    _, first = copy()
    crm.run("update deals set modified = 5 where id = 1")
    rows, again = copy(then(first))
    assert rows.height == 3
    assert MIXED_WATERMARK in notes(again)


def test_other_columns_or_types_than_last_time_are_told_and_all_is_read(crm, copy):
    _, first = copy()
    rows, again = copy(then(first), ('amount = "amount"\n', ""))
    assert rows.height == 3
    assert notes(again) == {OTHER_COLUMNS: "amount"}
    crm.run(
        "alter table deals drop column amount",
        "alter table deals add column amount text",
        "update deals set amount = '12,5'",
    )
    rows, again = copy(then(first))
    assert rows["amount"].to_list() == ["12,5"] * 3
    assert re.fullmatch(r"amount: \S+ → (?i:text|varchar)", notes(again)[OTHER_TYPES])


def test_a_query_is_read_like_a_table(copy):
    query = 'query = "select id, stage, created, closed, amount, modified from deals where id < 3 -- some ;"'
    rows, told = copy(None, ('table = "deals"', query))
    assert rows["id"].to_list() == [1, 2]
    assert copy(then(told), ('table = "deals"', query))[0]["id"].to_list() == [2]


def test_a_query_that_writes_is_refused(crm, copy):
    writing = {
        "sqlite": ["delete from deals returning *"],
        "duckdb": ["delete from deals returning *", "select * from read_csv('crm.toml')", "select * from place"],
        "postgresql": [
            "delete from deals returning *",
            "select lost() as id",
            "select lost_again() as id",
            "select 1) x; delete from deals; select (1",
        ],
    }[crm.kind]
    if crm.kind == "postgresql":
        crm.run(
            "create function lost() returns int language sql as 'delete from deals returning 1'",
            "create function lost_again() returns int language sql as"
            " $$select set_config('transaction_read_only', 'off', false); delete from deals returning 1$$",
        )
    for query in writing:
        with pytest.raises(Problem):
            copy(
                None,
                ('table = "deals"', f'query = "{query}"'),
                ('watermark = "modified"\n', ""),
                *(
                    (f'{name} = "{column}"', f'{name} = "id"')
                    for name, column in [
                        ("stage", "stage"),
                        ("created_at", "created"),
                        ("closed_at", "closed"),
                        ("amount", "amount"),
                    ]
                ),
            )
    assert copy()[0].height == 3


@pytest.mark.parametrize(
    "statement", ["insert into deals (id) values (9)", "create table spoilt (a int)", "drop table deals"]
)
def test_the_connection_itself_cannot_write(crm, copy, tmp_path, monkeypatch, statement):
    copy()
    database = load_mapping(tmp_path / "crm.toml").databases["crm"]
    connection = databases._opened(database, tmp_path)
    with pytest.raises(Fault) as fault:
        connection.row(statement)
    connection.close()
    assert fault.value.kind == "writes"


@pytest.mark.parametrize("crm", ["duckdb"], indirect=True)
def test_duckdb_reads_nothing_beside_its_file(copy, tmp_path):
    copy()
    connection = databases._opened(load_mapping(tmp_path / "crm.toml").databases["crm"], tmp_path)
    beside = tmp_path.joinpath("deals.csv")
    beside.write_text("id\n1\n")
    for sql in (
        f"select * from read_csv('{beside}')",
        f"copy deals to '{beside}'",
        "select * from beside",
        "set threads = 1",
    ):
        with pytest.raises(Fault):
            connection.row(sql)
    connection.close()
    assert beside.read_text() == "id\n1\n"


def test_all_queries_of_an_import_see_one_moment(postgres, tmp_path, monkeypatch):
    """A row written while the first file is read is in neither file."""
    postgres.run(CREATE.format("timestamptz"), *ROWS)
    text = MAPPING.replace("SECTION", postgres.section) + '[accounts]\nfile = "clients"\naccount_id = "id"\n'
    text = text.replace("[deals]", '[files.clients]\ndatabase = "crm"\ntable = "deals"\n[deals]')
    (tmp_path / "crm.toml").write_text(text)

    def said(doing, share):
        postgres.run(f"insert into deals (id, stage) values ({10 + int(share * 10)}, 'Lead')")

    (tmp_path / "copies").mkdir()
    told = copied(load_mapping(tmp_path / "crm.toml"), tmp_path, Since(), tmp_path / "copies", said)
    assert {pl.read_parquet(f.path[0], glob=False).height for f in told.mapping.files.values()} == {3}
