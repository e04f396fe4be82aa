"""What can go wrong with a database: each is told in a sentence with its repair, and no secret in it."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from time import sleep

import pytest

from cadran.sources.connections import Fault
from cadran.sources.databases import copied
from cadran.sources.mapping import load_mapping
from cadran.sources.postgresql import PostgreSQL
from cadran.tables.delivery import Since
from cadran.tables.problems import Problem

MAPPING = """
taken = 2024-12-31
stages = [ { stage = "Lead", kind = "open" }, { stage = "Won", kind = "won" } ]
[databases.crm]
SECTION
[files.deals]
database = "crm"
table = "deals"
[deals]
file = "deals"
opportunity_id = "id"
stage = "stage"
closed_at = "closed"
"""
SECRETS = ("p@ss word", "p%40ss", "p%40ss%20word")
TABLE = "create table deals (id integer, stage text, closed date)"


@pytest.fixture
def read(tmp_path):
    """Copies the deals of a CRM."""

    def read(section, *changes, said=lambda doing, share: None):
        text = MAPPING.replace("SECTION", section)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "crm.toml").write_text(text, encoding="utf-8")
        (tmp_path / "copies").mkdir()
        copied(load_mapping(tmp_path / "crm.toml"), tmp_path, Since(), tmp_path / "copies", said)

    return read


@pytest.fixture
def refused(read):
    """What is said when it is refused."""

    def refused(section, *changes, **more):
        with pytest.raises(Problem) as caught:
            read(section, *changes, **more)
        said = str(caught.value)
        assert not any(secret in said for secret in SECRETS)
        assert caught.value.__cause__ is None
        return said

    return refused


ADDRESSES = {
    "postgresql://locked:wrong%21@/postgres?host={host}": "crm refuses the user or the password",
    "postgresql://locked@/postgres?host={host}": "crm refuses the user or the password",
    "host={host} dbname=postgres user=locked password='wrong'": "crm refuses the user or the password",
    "postgresql://locked:p%40ss%20word@/nowhere?host={host}": 'crm cannot be reached (database "nowhere" does not exist)',
    "postgresql://locked:p%40ss%20word@127.0.0.1:1/crm": "Connection refused",
    "postgresql://locked:p%40ss%20word@nowhere.invalid/crm": "could not translate host name",
    "postgresql://locked:p@ss word@127.0.0.1:1/crm": "cannot be understood",
    "host=127.0.0.1 password='p@ss word": "cannot be understood",
    "p@ss word": "cannot be understood",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_does_not_open(server, refused, monkeypatch, address):
    host = server.get_uri().rpartition("host=")[2]
    monkeypatch.setenv("CRM", address.format(host=host))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    said = refused('kind = "postgresql"\naddress_from = "CRM"')
    assert ADDRESSES[address] in said
    assert "CRM" in said


def test_the_right_password_opens(server, postgres, refused, monkeypatch):
    host = server.get_uri().rpartition("host=")[2]
    monkeypatch.setenv("CRM", f"postgresql://locked:p%40ss%20word@/postgres?host={host}")
    assert "crm has no table deals." in refused('kind = "postgresql"\naddress_from = "CRM"')


def test_a_variable_that_is_not_set(refused, monkeypatch):
    monkeypatch.delenv("CRM", raising=False)
    said = refused('kind = "postgresql"\naddress_from = "CRM"')
    assert said.startswith("The environment variable CRM, which holds the address of crm, is not set.")


def test_what_the_driver_says_is_told_without_secrets(server):
    """A driver that repeats the address, which libpq does of some."""
    connection = PostgreSQL(server.get_uri().replace("postgres:@", "postgres:p%40ss%20word@"))
    with pytest.raises(Fault) as fault:
        connection.row("select 'p@ss word'::int, 'p%40ss%20word'::int")
    connection.close()
    assert "invalid input syntax" in fault.value.reason
    assert not any(secret in fault.value.reason for secret in SECRETS)


def test_a_table_that_is_not_there(crm, refused):
    crm.run("create table deal (id integer)")
    said = refused(crm.section)
    assert said == "crm has no table deals.\nIs it deal? Then write that in the mapping."


def test_a_column_that_is_not_there(crm, refused):
    crm.run(TABLE.replace("closed", "closed_on"))
    said = refused(crm.section, ('closed_at = "closed"', 'closed_at = "closed_in"'))
    assert said == (
        "deals has no column 'closed_in', which the mapping names in [deals] closed_at.\n"
        "Was it renamed to 'closed_on'? Then write that in the mapping."
    )


def test_a_watermark_that_is_not_there(crm, refused):
    crm.run(TABLE)
    said = refused(crm.section, ('table = "deals"', 'table = "deals"\nwatermark = "modified"'))
    assert "'modified', which the mapping names in files.deals: watermark" in said


@pytest.mark.parametrize(
    "query",
    ["select * from nothing", "select nothing from deals", "selec", "select id from deals) x; (", "select 1; select 2"],
)
def test_a_query_with_an_error(crm, refused, query):
    crm.run(TABLE)
    said = refused(crm.section, ('table = "deals"', f'query = "{query}"'))
    assert said.startswith("crm refuses to read deals (")
    assert said.endswith("Correct its table or its query in the mapping.")


def test_an_error_in_the_middle_of_a_query(postgres, refused):
    query = "select i as id, (100 / (i - 300000))::text as stage, now() as closed from generate_series(1, 400000) i"
    said = refused(postgres.section, ('table = "deals"', f'query = "{query}"'))
    assert said.startswith("crm refuses to read deals (division by zero)")


def test_a_connection_that_breaks_off(postgres, server, refused):
    query = "select i as id, repeat('x', 100) as stage, now() as closed from generate_series(1, 20000000) i"

    def end_it():
        ended = "0"
        while "1" not in ended:
            sleep(0.05)
            ended = server.psql(
                "select 'ended', count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where query like 'COPY%' and state = 'active'"
            ).splitlines()[2]

    threads = [threading.Thread(target=end_it)]
    said = refused(postgres.section, ('table = "deals"', f'query = "{query}"'), said=lambda *_: threads[0].start())
    threads[0].join()
    assert said.startswith("The connection to crm was lost while deals was read (terminating connection")
    assert said.endswith("Import again: the book is as it was.")


def test_a_user_without_the_right(postgres, server, refused, monkeypatch):
    postgres.run(TABLE)
    monkeypatch.setenv("CRM", postgres.address.replace("postgres:@", "locked:p%40ss%20word@"))
    said = refused('kind = "postgresql"\naddress_from = "CRM"')
    assert said.startswith("crm does not allow to read deals (permission denied for table deals).")


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("postgresql", "'{{}}'::json"), ("postgresql", "'{{}}'::jsonb"), ("postgresql", "array[1]"),
        ("postgresql", "'x'::bytea"), ("postgresql", "interval '1 day'"), ("postgresql", "'[1,2]'::int4range"),
        ("postgresql", "'1.2.3.4'::inet"), ("postgresql", "row(1, 2)"), ("postgresql", "'10:00'::time"),
        ("duckdb", "'{{}}'::json"), ("duckdb", "[1]"), ("duckdb", "'x'::blob"), ("duckdb", "{{'a': 1}}"),
        ("duckdb", "interval '1 day'"), ("sqlite", "x'00'"),
    ],
)  # fmt: skip
def test_a_type_that_no_field_holds(make_crm, refused, kind, sql):
    query = f"select 1 as id, {sql.format()} as stage, '2024-01-01' as closed"
    said = refused(make_crm(kind).section, ('table = "deals"', f'query = "{query}"'))
    assert "which no field of a book can hold ([deals] stage)." in said
    assert "Write a query that makes a text" in said


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_file_that_is_no_database(tmp_path, refused, kind):
    (tmp_path / "crm.db").write_bytes(b"id,stage\n" * 1000)
    said = refused(f'kind = "{kind}"\npath = "crm.db"')
    assert said.startswith(f"crm is no {'SQLite' if kind == 'sqlite' else 'DuckDB'} database, or is damaged (")


def test_a_database_of_the_other_kind(make_crm, refused, tmp_path):
    make_crm("sqlite").run(TABLE)
    assert refused('kind = "duckdb"\npath = "crm.sqlite"').startswith("crm is no DuckDB database")


def test_a_file_that_is_not_there(refused):
    assert "crm: there is no file" in refused('kind = "sqlite"\npath = "crm.db"')


def test_a_locked_sqlite(make_crm, refused, monkeypatch):
    monkeypatch.setattr("cadran.sources.connections.PATIENCE", 0.1)
    crm = make_crm("sqlite")
    crm.run(TABLE)
    with closing(sqlite3.connect(crm.connect().execute("pragma database_list").fetchone()[2])) as other:
        other.execute("begin exclusive")
        said = refused(crm.section)
    assert said == "crm is locked by another program.\nImport again when that program has finished or is closed."


def test_a_locked_duckdb(make_crm, refused, tmp_path):
    crm = make_crm("duckdb")
    crm.run(TABLE)
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "crm.duckdb"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        assert refused(crm.section).startswith("crm is locked by another program.")


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [("postgresql", "adbc_driver_postgresql.dbapi", "postgres"), ("duckdb", "duckdb", "duckdb")],
)
def test_a_driver_that_is_not_installed(make_crm, refused, monkeypatch, kind, module, extra):
    crm = make_crm(kind)
    monkeypatch.setitem(sys.modules, module, None)
    said = refused(crm.section)
    assert said.endswith(f"Install it: pip install 'cadran[{extra}]'")
