"""What every stack shows: one slider over month ends, three charts of what was known by then."""

import os
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from cadran.book import SAMPLE, Book, open_book
from cadran.book.reader import Reader

TITLE = "Signed revenue"
MONTHS, REGIONS, SECTORS = "Signed revenue by month", "Win rate by region", "Signed revenue by sector"
Z = 1.959963984540054


@dataclass(frozen=True)
class Answer:
    """The rows of the three charts for one day."""

    months: pl.DataFrame
    regions: pl.DataFrame
    sectors: pl.DataFrame


#: The region that is shown, of somebody who sees one; the whole company where none is named.
REGION = os.environ.get("BENCH_REGION", "")


def book_shown() -> Book:
    """The book named by `CADRAN_BOOK` (the sample by default), as whoever sees `REGION` sees it."""
    book = open_book(os.environ.get("CADRAN_BOOK") or SAMPLE)
    return book.scope(Reader("", "manager", frozenset({REGION}))) if REGION else book


@lru_cache(maxsize=4)
def deals(book: Book) -> pl.DataFrame:
    """Every closed deal of a book."""
    closed = book.collect(book.deals(["status", "amount", "closed_date", "closed_month", "region", "sector"]))
    return closed.filter(pl.col("status").is_in(["won", "lost"])).with_columns(
        pl.col("region", "sector").fill_null("–"), is_won=pl.col("status") == "won"
    )


@lru_cache(maxsize=1)
def steps() -> list[date]:
    """The slider's stops: the last 36 month ends of the book."""
    months = sorted(deals(book_shown())["closed_month"].unique())[-36:]
    return [(month + timedelta(days=32)).replace(day=1) - timedelta(days=1) for month in months]


def answer(day: date, book: Book | None = None) -> Answer:
    """The rows of the three charts: deals closed by `day`. Amounts in euros, rates as shares with Wilson intervals."""
    known = deals(book or book_shown()).filter(pl.col("closed_date") <= day)
    won = known.filter("is_won")
    n, p = pl.col("n_closed"), pl.col("n_won") / pl.col("n_closed")
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = (Z / (1 + Z**2 / n)) * (p * (1 - p) / n + Z**2 / (4 * n * n)).sqrt()
    return Answer(
        months=won.group_by("closed_month").agg(revenue=pl.col("amount").sum()).sort("closed_month").tail(24),
        regions=known.group_by("region")
        .agg(n_closed=pl.len(), n_won=pl.col("is_won").sum())
        .with_columns(win_rate=p, win_rate_low=middle - half, win_rate_high=middle + half)
        .sort("region"),
        sectors=won.group_by("sector").agg(revenue=pl.col("amount").sum()).sort("sector"),
    )
