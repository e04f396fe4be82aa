"""The forecasts that were told, kept at the book's root whatever is imported later, and what came of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import Book
from cadran.book.folder import flush
from cadran.measures.periods import add_months, month_end
from cadran.models.accuracy import naive_error
from cadran.models.blend import HIGH, LOW, Q10, Q90
from cadran.models.booked import LEVELS, Booked, booked, by_level, deals_known
from cadran.models.forecast_scores import scores
from cadran.tables.measured.forecast import CANDIDATES, QUANTILES, Called
from cadran.tables.problems import Problem

#: The folder beside the versions of a book. It holds groups alone, no person: nothing in it is ever forgotten.
FOLDER = "calls"
#: The finest grain that is kept.
KEPT = ("company", "region", "team")
#: The columns that are known when a forecast is made.
SAID: dict[str, Any] = {
    "called_date": pl.Date, "version": pl.String, "candidate": pl.String, "level": pl.String, "group": pl.String,
    "period": pl.Date, "until": pl.Date, "mean": pl.Float64, **dict.fromkeys(QUANTILES, pl.Float64), "target": pl.Float64,
}  # fmt: skip
_NAMES = list(QUANTILES)


def is_call(book: Book) -> bool:
    """Whether a forecast of this book is a call: of its own last moment, and of the whole company. One of an earlier
    day is told with hindsight."""
    return book.moment == book.settings.taken and (book.reader is None or not book.reader.is_limited)


def keep_call(book: Book, say: Callable[[], pl.DataFrame]) -> Problem | None:
    """Keep a forecast, once for each version of the book.

    Args:
        book: A book of which a forecast is a call.
        say: Gives one row per level, group, period and candidate, with the columns of `Called` that are known by then (`SAID`); a
            candidate without quantiles says its median and its mean. Persons are left out.

    Returns:
        Why it could not be kept; None where it was, or had been, or says nothing.
    """
    folder = _folder(book)
    path = folder / f"{book.day:%Y-%m-%d}-{book.version.name}.parquet"
    draft = path.with_name(f".{path.stem}.{os.getpid()}")
    try:
        folder.mkdir(exist_ok=True)
        if not path.exists():
            rows = say().filter(pl.col("level").is_in(KEPT))
            if rows.is_empty():
                return None
            rows = rows.with_columns(called_date=pl.lit(book.day), version=pl.lit(book.version.name))
            rows.select(pl.col(name).cast(kind) for name, kind in SAID.items()).write_parquet(draft)
            flush(draft)
            draft.replace(path)
            flush(folder)
    except OSError as error:
        return Problem(
            "This forecast is not kept, since {folder} cannot be written: {reason}.",
            "Have its permissions and free space looked at; the forecast itself is told.",
            folder=folder, reason=error.strerror or error,
        )  # fmt: skip
    return None


def calls(book: Book) -> pl.DataFrame:
    """Every forecast that was kept up to the book's day, and what came of it as far as the book knows: `Called`.

    A reader of some regions or teams sees those of theirs alone.

    Raises:
        Problem: If a kept file cannot be read.
    """
    said = pl.concat(
        [pl.DataFrame(schema=SAID), *(_read(path) for path in sorted(_folder(book).glob("[0-9]*.parquet")))]
    )
    said = said.filter(pl.col("called_date") <= book.day)
    if book.reader is not None and book.reader.is_limited:
        theirs = {"region": book.reader.regions, "team": book.reader.teams}
        said = said.filter(
            pl.any_horizontal(
                (pl.col("level") == level) & pl.col("group").is_in(list(names)) for level, names in theirs.items()
            )
        )
    months = (pl.col("until").dt.year() - pl.col("called_date").dt.year()) * 12
    months += pl.col("until").dt.month() - pl.col("called_date").dt.month()
    is_over = pl.col("called_date") == pl.col("called_date").dt.month_end()
    told = said.join(_came(book, said), on=["level", "group", "period", "until"], how="left", nulls_equal=True)
    return told.with_columns(
        horizon_months=(months + pl.when(is_over).then(0).otherwise(1)).cast(pl.Int64),
        error=pl.col("q50") - pl.col("actual"),
        is_within_80=pl.col("actual").is_between(_NAMES[Q10], _NAMES[Q90]),
        is_within_95=pl.col("actual").is_between(_NAMES[LOW], _NAMES[HIGH]),
    ).select(Called.column_names()).sort("called_date", "version", "candidate", "level", "group", "period", "until")  # fmt: skip


def scored_calls(book: Book, called: pl.DataFrame, by: tuple[str, ...] = ()) -> pl.DataFrame:
    """How good the kept forecasts of whole months were: as `cadran.models.forecast_scores.scores` tells."""
    monthly = called.filter(pl.col("until") == pl.col("period").dt.month_end())
    chosen = monthly.filter(pl.col("candidate").is_in(["blend", "bookings", "series"]))["candidate"]
    past = {level: booked(book, deals_known(book), level) for level in KEPT}
    told = monthly.rename(
        {"called_date": "origin", "candidate": "name", "period": "month", "horizon_months": "horizon"}
    )
    scale = [_scale(past[row["level"]], row["group"], row["origin"]) for row in told.iter_rows(named=True)]
    told = told.with_columns(scale=pl.Series(scale, dtype=pl.Float64))
    # The one told to readers is named by what it was at last.
    return scores(told, chosen[-1] if len(chosen) else "blend", by, CANDIDATES)


def _scale(past: Booked, group: str | None, day: Any) -> float | None:
    if group not in past.groups:
        return None
    known = [place for place, month in enumerate(past.months) if month_end(month) <= day]
    error = naive_error(past.amounts[past.groups.index(group)][None, known])[0]
    return float(error) if error > 0 else None


def _folder(book: Book) -> Path:
    return book.version.parent / FOLDER


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path).select(pl.col(name).cast(kind) for name, kind in SAID.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Problem(
            "A kept forecast cannot be read: {file}.", "Remove that file: the others are told without it.", file=path
        ) from error


def _came(book: Book, said: pl.DataFrame) -> pl.DataFrame:
    """`actual` by level, group, period and until: null where the period is not over, or began before a purge, or before
    the book knows of deals, or where no amount of its wins is known. What has no name is not judged: teams of a single
    seller stand together there, not always the same."""
    asked = said.select("level", "group", "period", "until").unique()
    deals, parts = deals_known(book), []
    purged = book.manifest.get("purged_before", "")
    for level in LEVELS:
        here = asked.filter(level=level)
        if here.is_empty():
            continue
        past = booked(book, deals, level)
        won = by_level(deals.filter(status="won"), level).select("group", "closed_date", "amount")
        sums = here.join(won, on="group", how="left", nulls_equal=True).filter(
            pl.col("closed_date").is_between("period", "until")
        ).group_by("level", "group", "period", "until").agg(
            actual=pl.col("amount").sum(), is_unknown=pl.col("amount").count() == 0
        )  # fmt: skip
        told = here.join(sums, on=["level", "group", "period", "until"], how="left", nulls_equal=True)
        first = past.months[0] if past.months else add_months(book.day, 1)
        is_known = (pl.col("until") <= book.day) & (pl.col("period") >= first)
        is_known &= ~pl.col("is_unknown").fill_null(False)
        if level != "company":
            is_known &= pl.col("group").is_not_null()
        if purged:
            is_known &= pl.col("period").dt.to_string("%Y-%m-%d") >= purged
        actual = pl.when(is_known).then(pl.col("actual").fill_null(0.0))
        parts.append(told.with_columns(actual=actual).drop("is_unknown"))
    empty = pl.DataFrame(
        schema={"level": pl.String, "group": pl.String, "period": pl.Date, "until": pl.Date, "actual": pl.Float64}
    )
    return pl.concat([empty, *parts])
