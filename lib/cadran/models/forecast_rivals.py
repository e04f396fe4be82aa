"""The forecasts that a team makes without a model, to stand beside one: the CRM's, the sellers', the calendar's."""

from dataclasses import dataclass
from datetime import date

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.measures.periods import add_months
from cadran.models.booked import ahead, booked, by_level, groups_of
from cadran.tables.problems import Problem

#: Months of which the run rate is the mean.
RUN_RATE = 3
#: Fewest deals that were at a stage and have closed, for the share of them won to stand for its probability.
LEAST_AT_STAGE = 10
#: What each category of the sellers holds: a call of the best case counts the commitments too.
CALLS = {"commit": ("commit",), "best_case": ("commit", "best_case")}
NAMES = ("crm", "commit", "best_case", "last_year", "run_rate")


@dataclass(frozen=True)
class Rivals:
    """What they say, and why some are silent."""

    #: One row per group and month: `group`, `month`, `won` (signed in it so far) and `NAMES` (signed
    #: revenue of the month; null where it cannot be said).
    told: pl.DataFrame
    #: Of those that say nothing of any group.
    silent: dict[str, Problem]
    #: Where the CRM's probability of a stage comes from: "stages" (the table's own), "past" (counted), or "".
    probability: str


def rivals(book: Book, deals: pl.DataFrame, months: int, level: str = "company") -> Rivals:
    """What each rival says of the months to come, that under way first: what is signed in it counts as such.

    - `crm`: amount × probability of the stage, by the month in which the seller expects to close; deals whose day has
      passed, or is not told, count nowhere.
    - `commit`, `best_case`: amounts that sellers put in these categories, by the same month.
    - `last_year`: the same month a year before; `run_rate`: the mean of the last `RUN_RATE` months.

    Args:
        book: At its moment.
        deals: As `cadran.models.booked.deals_known` gives them.
        months: How many are told.
        level: A key of `cadran.models.booked.LEVELS`.
    """
    deals, told = by_level(deals, level), ahead(book.day, months)
    begun = pl.DataFrame({"month": told}, schema={"month": pl.Date})
    frame = pl.DataFrame({"group": groups_of(deals, level)}, schema={"group": pl.String}).join(begun, how="cross")
    won = deals.filter((pl.col("status") == "won") & (pl.col("closed_date") >= told[0]))
    frame = _beside(frame, won, pl.col("amount"), "closed_date", "won")
    due = deals.filter((pl.col("status") == "open") & (pl.col("expected_close_date") >= max(book.day, told[0])))
    silent, origin = dict[str, Problem](), ""
    why = _undated(deals)
    chance, origin = _chances(book, deals)
    silent |= {"crm": why} if why else {} if origin else {"crm": _NO_CHANCE}
    value = pl.col("amount") * pl.col("stage").replace_strict(chance, default=None, return_dtype=pl.Float64)
    frame = _beside(frame, due, value, "expected_close_date", "crm")
    is_categorised = deals.filter(status="open")["forecast_category"].count() > 0
    for name, held in CALLS.items():
        if why or not is_categorised:
            silent[name] = why or _NO_CATEGORY
        kept = due.filter(pl.col("forecast_category").is_in(held))
        frame = _beside(frame, kept, pl.col("amount"), "expected_close_date", name)
    frame = frame.with_columns(pl.when(name not in silent).then(pl.col(name) + pl.col("won")).alias(name)
                               for name in ("crm", *CALLS))  # fmt: skip
    frame = frame.join(_calendar(book, deals, level, told), on=["group", "month"], how="left", nulls_equal=True)
    for name, problem in (("last_year", _NO_YEAR), ("run_rate", _NO_MONTHS)):
        if frame[name].count() == 0:
            silent[name] = problem
    return Rivals(frame.select("group", "month", "won", *NAMES), silent, origin)


_NO_CATEGORY = Problem(
    "No open deal has a forecast category.", "Map the field in which sellers say commit or best case."
)
_NO_CHANCE = Problem("No stage of an open deal has a probability, and too few deals have passed through one and closed.",
                     "Give the stages their probability, or import the history of deals.")  # fmt: skip
_NO_YEAR = Problem("The book does not know the same month of the year before.", "Import an older past, or wait.")
_NO_MONTHS = Problem(
    "The book knows no three complete months since the first signature.", "Import an older past, or wait."
)


def _undated(deals: pl.DataFrame) -> Problem | None:
    """Why nothing can be said of when, or how much, open deals bring; None where something can."""
    is_open = deals.filter(status="open")
    if is_open.height and not is_open["amount"].count():
        return Problem("No open deal has an amount.", "Map the field that holds the amount of open deals.")
    if is_open.height and not is_open["expected_close_date"].count():
        return Problem("No open deal has an expected close date.", "Map the field that holds it.")
    return None


def _beside(frame: pl.DataFrame, deals: pl.DataFrame, value: pl.Expr, day: str, name: str) -> pl.DataFrame:
    """Add the sum of a value by the month of a day; a sum of nothing is 0."""
    sums = deals.group_by("group", month=pl.col(day).dt.truncate("1mo")).agg(value.sum().cast(pl.Float64).alias(name))
    joined = frame.join(sums, on=["group", "month"], how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(0.0))


def _chances(book: Book, deals: pl.DataFrame) -> tuple[dict[str, float], str]:
    """The probability of each stage, and whose it is: the table's own where open deals have one, else as counted."""
    own = deals.filter(pl.col("status") == "open").select("stage", "stage_probability").drop_nulls().unique()
    if own.height:
        return dict(own.iter_rows()), "stages"
    passed = small(book.table("versions").filter(nw.col("status") == "open").select("opportunity_id", "stage").unique())
    closed = deals.filter(pl.col("status").is_in(["won", "lost"]))
    came = passed.join(closed.select("opportunity_id", is_won=pl.col("status") == "won"), on="opportunity_id")
    counted = (
        came.group_by("stage").agg(pl.len(), share=pl.col("is_won").mean()).filter(pl.col("len") >= LEAST_AT_STAGE)
    )
    return dict(counted.select("stage", "share").iter_rows()), "past" if counted.height else ""


def _calendar(book: Book, deals: pl.DataFrame, level: str, told: tuple[date, ...]) -> pl.DataFrame:
    """`last_year` and `run_rate` of each group and month."""
    past = booked(book, deals, level)
    turn = {month: place for place, month in enumerate(past.months)}
    rows = []
    for group, amounts in zip(past.groups, past.amounts, strict=True):
        latest = amounts[-RUN_RATE:]
        rate = float(latest.mean()) if len(latest) == RUN_RATE and np.isfinite(latest).all() else None
        for month in told:
            then = turn.get(add_months(month, -12))
            value = amounts[then] if then is not None else np.nan
            rows.append((group, month, float(value) if np.isfinite(value) else None, rate))
    schema = {"group": pl.String, "month": pl.Date, "last_year": pl.Float64, "run_rate": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
