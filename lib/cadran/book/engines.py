"""The engines that read a book's files and run plans over them: polars in this process, DuckDB, or a company's Spark."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import narwhals as nw
import polars as pl

from cadran.tables.problems import Problem

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How the errors of the engines begin when a file is not, or no longer, what was written.
_BROKEN = (
    "File out of specification", "failed to retrieve first file schema", "No magic bytes", "No files found", "zstd",
    "ZSTD", "Parquet", "parquet", "CANNOT_READ_FILE", "PATH_NOT_FOUND",
)  # fmt: skip


class Engine(Protocol):
    """What a book asks of an engine. Plans over what it scans stay in it until `collect` brings the answer."""

    def scan(self, version: Path, files: str) -> nw.LazyFrame:
        """The rows of the files of a book's version that match a pattern such as "versions/*.parquet"."""
        ...

    def microseconds(self, frame: nw.LazyFrame, instants: Mapping[str, str]) -> nw.LazyFrame:
        """Add Int64 columns, by new name, with the microseconds since 1970 of columns of instants."""
        ...


@dataclass(frozen=True)
class Polars:
    """polars, streaming, in this process: what a book is read with unless said otherwise."""

    def scan(self, version: Path, files: str) -> nw.LazyFrame:
        """As `Engine.scan`."""
        return nw.from_native(pl.scan_parquet(version / files))

    def microseconds(self, frame: nw.LazyFrame, instants: Mapping[str, str]) -> nw.LazyFrame:
        """As `Engine.microseconds`."""
        return frame.with_columns(**{new: nw.col(old).cast(nw.Int64) for new, old in instants.items()})


POLARS = Polars()


@dataclass(frozen=True)
class DuckDB:
    """A DuckDB connection, whose time zone must be UTC."""

    connection: Any

    def scan(self, version: Path, files: str) -> nw.LazyFrame:
        """As `Engine.scan`."""
        return nw.from_native(self.connection.read_parquet(str(version / files)))

    def microseconds(self, frame: nw.LazyFrame, instants: Mapping[str, str]) -> nw.LazyFrame:
        """As `Engine.microseconds`."""
        since = {new: nw.col(old) - nw.lit(EPOCH) for new, old in instants.items()}
        return frame.with_columns(**{new: each.dt.total_microseconds().cast(nw.Int64) for new, each in since.items()})


@dataclass(frozen=True)
class Spark:
    """A Spark session, whose time zone must be UTC."""

    session: Any
    #: The address under which the cluster finds the book's folder; none if it is the same path there as here.
    address: str | None = None
    #: Of the files read before: finding it out takes Spark a job each time.
    schemas: dict[str, Any] = field(default_factory=dict, compare=False)

    def scan(self, version: Path, files: str) -> nw.LazyFrame:
        """As `Engine.scan`."""
        folder = f"{self.address.rstrip('/')}/{version.name}" if self.address else version.resolve().as_uri()
        place, read = f"{folder}/{files}", self.session.read
        rows = (read.schema(self.schemas[place]) if place in self.schemas else read).parquet(place)
        self.schemas[place] = rows.schema
        return nw.from_native(rows)

    def microseconds(self, frame: nw.LazyFrame, instants: Mapping[str, str]) -> nw.LazyFrame:
        """As `Engine.microseconds`."""
        from pyspark.sql import functions

        columns = {new: functions.unix_micros(old) for new, old in instants.items()}
        return nw.from_native(frame.to_native().withColumns(columns))


def engine_of(asked: Any, address: str | None = None) -> Engine:
    """The engine that a name, a session or an engine stands for.

    Args:
        asked: "polars", "duckdb", "spark" (the session that is active, or a new one), a Spark session, or an engine.
        address: Of the book's folder as a Spark cluster sees it.

    Raises:
        Problem: If there is no such engine, or its package is not installed.
    """
    if asked == "polars":
        return POLARS
    try:
        if asked == "duckdb":
            import duckdb

            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
            return DuckDB(connection)
        if asked == "spark":
            from pyspark.sql import SparkSession

            asked = SparkSession.builder.getOrCreate()
    except ImportError as error:
        raise Problem(
            "The engine {name} is not installed.", "Install it with `pip install 'cadran[{name}]'`.", name=asked
        ) from error
    if type(asked).__module__.startswith("pyspark."):
        own = asked.newSession()  # So that the settings of the company's own session stay as they are.
        own.conf.set("spark.sql.session.timeZone", "UTC")
        return Spark(own, address)
    if isinstance(asked, str) or not hasattr(asked, "scan"):
        raise Problem(
            "There is no engine {name}.", "Ask for polars, duckdb or spark, or pass a Spark session.", name=asked
        )
    return asked


def scan(engine: Engine, version: Path, files: str) -> nw.LazyFrame:
    """What an engine sees in the files of a book's version that match a pattern.

    Raises:
        Problem: If one of them is damaged or gone.
    """
    try:
        rows = engine.scan(version, files)
        rows.collect_schema()
        return rows
    except Exception as error:
        if problem := damaged(sorted(version.glob(files)) or [version / files], error):
            raise problem from error
        raise


def collect(frame: nw.LazyFrame) -> pl.DataFrame:
    """Run a plan where its rows are, and bring the answer into memory.

    Raises:
        Problem: If a file of the book is damaged or gone.
    """
    try:
        return frame.collect("polars", **_STREAMING.get(frame.implementation, {})).to_native()
    except Exception as error:
        if problem := damaged(_read_by(frame, error), error):
            raise problem from error
        raise


_STREAMING: dict[nw.Implementation, dict[str, Any]] = {nw.Implementation.POLARS: {"engine": "streaming"}}


def damaged(files: Iterable[Path], error: Exception) -> Problem | None:
    """What to say where one of some files cannot be read: which, and where to go; None if the error is of no file."""
    broken = [str(file) for file in files if not _is_whole(file)]
    if not broken and not any(sign in str(error) for sign in _BROKEN):
        return None
    return Problem(
        "A file of the book is damaged: {file} cannot be read ({reason}).",
        "`cadran status --verify` checks every file; then go back to an older version with `cadran books`, or import "
        "again.",
        file=broken[0] if broken else "?", reason=str(error).strip().splitlines()[0],
    )  # fmt: skip


def _read_by(frame: nw.LazyFrame, error: Exception) -> list[Path]:
    """The files beside those that a plan, or an error, names."""
    told = frame.to_native().explain(optimized=False) if frame.implementation.is_polars() else str(error)
    folders = {Path(path).parent for path in re.findall(r"(/[^\[\]\"',]*?\.parquet)", told)}
    return [file for folder in sorted(folders) for file in sorted(folder.glob("*.parquet"))]


def _is_whole(file: Path) -> bool:
    try:
        pl.scan_parquet(file).select(pl.all().hash().sum()).collect(engine="streaming")
    except Exception:  # whatever it is that keeps it from being read
        return False
    return True
