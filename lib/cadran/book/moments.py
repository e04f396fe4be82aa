"""Rows of a book as they were believed at many moments at once, each row of a question having its own."""

from datetime import UTC, datetime

import narwhals as nw
import polars as pl

from cadran.book.book import Book
from cadran.book.engines import collect as run

#: Before anything a book tells of.
EVER = pl.lit(datetime(1, 1, 1, tzinfo=UTC), pl.Datetime("us", "UTC"))


def rows(book: Book, name: str, *columns: str) -> pl.LazyFrame:
    """The rows of a table that a book has ever believed, or believes now if it tells the past corrected.

    Args:
        book: Read by polars.
        name: A table of `cadran.tables.STORED`.
        columns: Those to read; `known_from` and `known_to` come with them where rows were entered late or taken back.
    """
    stored: pl.LazyFrame = book._stored(name).to_native()
    if name not in book.manifest.get("corrected", {}):
        return stored.select(columns)
    if book.corrected:
        return stored.filter(pl.col("known_to").is_null()).select(columns)
    return stored.select(*columns, "known_from", "known_to")


def believed(found: pl.LazyFrame) -> pl.Expr:
    """Whether a row that came from `rows` was believed at the instant `at` that stands beside it."""
    if "known_from" not in found.collect_schema():
        return pl.lit(True)
    began = pl.col("known_from").is_null() | (pl.col("known_from") <= pl.col("at"))
    return began & (pl.col("known_to").is_null() | (pl.col("known_to") > pl.col("at")))


def beside(asked: pl.DataFrame, found: pl.LazyFrame, key: str, begins: str) -> pl.DataFrame:
    """Each row of a question with every row of its key that had begun, and was believed, at its moment.

    Args:
        asked: One row per question: `row`, its number, the key, and `at`.
        found: From `rows`.
        key: Column that both have.
        begins: Column of `found` with the instant from which a row counts; null counts since ever.
    """
    keys = asked.select(pl.col(key).drop_nulls().unique()).lazy()
    narrow = collect(found.join(keys, on=key, how="semi")).lazy()
    begun = pl.col(begins).is_null() | (pl.col(begins) <= pl.col("at"))
    return collect(
        asked.lazy().join(narrow, on=key).filter(begun, believed(found)).drop("known_from", "known_to", strict=False)
    )


def latest(asked: pl.DataFrame, found: pl.LazyFrame, key: str) -> pl.DataFrame:
    """The version of each question's key that stood at its moment: the last to begin. What has ended still names.

    Returns:
        At most one row per question: `row`, and the columns of `found`.
    """
    versions = beside(asked.select("row", key, "at"), found, key, "valid_from").sort("row", "valid_from")
    return versions.unique("row", keep="last").drop(key, "at", "valid_from")


def told_since(found: pl.LazyFrame, begins: str, **said: pl.Expr) -> dict[str, datetime | None]:
    """Since when a book tells each of some things of anybody, from rows that came from `rows`; None for never."""
    learned = [name for name in (begins, "known_from") if name in found.collect_schema()]
    began = pl.max_horizontal(learned).fill_null(EVER)
    return collect(found.select(**{name: began.filter(is_said).min() for name, is_said in said.items()})).row(
        0, named=True
    )


def once_told(facts: pl.DataFrame, since: datetime | None, *names: str) -> pl.DataFrame:
    """Facts that are known only from a moment on: null at the moments before it, and always where it is None."""
    is_told = pl.lit(False) if since is None else pl.col("at") >= since
    return facts.with_columns(pl.when(is_told).then(name).alias(name) for name in names)


def collect(plan: pl.LazyFrame) -> pl.DataFrame:
    """Run a plan over a book's files.

    Raises:
        Problem: If a file of the book is damaged or gone.
    """
    return run(nw.from_native(plan))
