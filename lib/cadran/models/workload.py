"""How many hours deals take: what was logged, or stated, or what it takes for last year's load to be what it is said to be."""

from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.pace import Shrunk
from cadran.measures.periods import month_after
from cadran.measures.signals_learnt import in_polars
from cadran.models.effort import LEAST, minutes
from cadran.models.staff import months_between
from cadran.models.staffing import Staffing
from cadran.tables.problems import Problem

#: Business days to which hours a month are told.
BUSINESS_DAYS = 21.0
#: Months of the past, at most, that are looked at; those whose load is told.
MONTHS_BACK, LAST_YEAR = 24, 12
#: Days for which a deal counts as new.
NEW_DAYS = 30
#: Logged touches that fill less of the selling hours than this do not tell all the work.
LEAST_LOGGED = 1 / 3
#: An assumption where no hours are known: the share of the last year's selling hours that deals took.
PAST_LOAD = 0.85
#: Relative standard error of a share of the past that is stated, and of one that is assumed.
STATED_ERROR, ASSUMED_ERROR = 0.05, 0.15
#: Regions, and months, without which no region has hours of its own.
LEAST_REGIONS, LEAST_MONTHS = 3, 6
_DEAL, _DAY = "opportunity_key", timedelta(days=1)


@dataclass(frozen=True)
class Worked:
    """What deals took month by month: arrays are (regions, months)."""

    regions: tuple[str | None, ...]
    months: tuple[date, ...]
    #: Deals open on average, those that began, and business days of each month.
    n_open: np.ndarray
    created: np.ndarray
    business_days: np.ndarray
    #: Hours of logged touches, of them those of the deal's first 30 days; how many touches there were.
    hours: np.ndarray
    hours_new: np.ndarray
    n_touches: int
    #: Days that a deal of those is open within its first 30.
    new_days: float


@dataclass(frozen=True)
class Workload:
    """Hours that deals take."""

    #: Hours of an open deal in a month of 21 business days, and hours more of one that begins.
    open_hours: float
    new_hours: float
    #: How much more or less than that deals take in a region; relative standard errors of a region and of all.
    regions: dict[str | None, float]
    error: float
    #: "stated hours", "stated load", "logged" or "assumed load".
    basis: str
    #: Share of the last year's selling hours that logged touches fill; that all the work on deals did.
    logged_share: float
    past_load: float
    n_touches: int

    def factor(self, region: str | None) -> float:
        """How many times the usual hours deals take in a region."""
        return self.regions.get(region, 1.0)


def worked(book: Book, regions: pl.DataFrame, business_days: dict[date, float]) -> Worked:
    """What deals took in the last whole months, by region of their owner as it is now.

    Args:
        book: At its moment.
        regions: One row per seller: `rep_id`, `region`.
        business_days: By first day of the month.
    """
    view = in_polars(book)
    end = month_after(book.day + _DAY, 0)
    first = view.collect(view.deals(["created_date"]).select(nw.col("created_date").min())).item() or end
    start = max(month_after(end, -MONTHS_BACK), month_after(first, 0))
    months = months_between(start, end - _DAY) if start < end else ()
    names = (*regions["region"].unique().drop_nulls().sort(), None)
    place = {name: number for number, name in enumerate(names)}
    where = regions.select("rep_id", place=pl.col("region").replace_strict(place, default=len(names) - 1))
    facts = [_DEAL, "rep_id", "created_at", "created_date", "closed_date"]
    deals = view.collect(view.deals(facts)).join(where, on="rep_id", how="left").with_columns(
        pl.col("place").fill_null(len(names) - 1)
    )  # fmt: skip
    shape = len(names), len(months)
    lived = deals.filter(pl.col("created_date").is_between(start, end - _DAY))
    new = (pl.coalesce("closed_date", pl.lit(book.day)) - pl.col("created_date")).dt.total_days().clip(0, NEW_DAYS)
    known = lived.filter(pl.col("created_date") <= book.day - timedelta(days=NEW_DAYS))
    touches = _touches(view, deals, start, end)
    return Worked(
        names, months, _open(view, where, shape, start, end),
        _sums(lived["created_date"], lived["place"], np.ones(lived.height), months, shape),
        np.array([business_days[month] for month in months]),
        _sums(touches["day"], touches["place"], touches["hours"].to_numpy(), months, shape),
        _sums(touches["day"], touches["place"], (touches["hours"] * touches["is_new"]).to_numpy(), months, shape),
        touches.height, float(known.select(new.mean()).item() or 0.0),
    )  # fmt: skip


def _open(view: Book, where: pl.DataFrame, shape: tuple[int, int], start: date, end: date) -> np.ndarray:
    """(regions, months) deals open on average: each counts for its owner while they own it."""
    zone = view.settings.time_zone
    ended = nw.col("valid_to").is_null() | (nw.col("valid_to") >= nw.lit(start).cast(nw.Datetime("us", "UTC")))
    versions = (
        view.table("versions").filter(nw.col("status") == "open", ended).select("rep_id", "valid_from", "valid_to")
    )
    days = [pl.col(name).dt.convert_time_zone(zone).dt.date() for name in ("valid_from", "valid_to")]
    rows = view.collect(versions).join(where, on="rep_id", how="left").with_columns(
        days[0], days[1].fill_null(end), pl.col("place").fill_null(shape[0] - 1)
    )  # fmt: skip
    length = (end - start).days
    change = np.zeros(shape[0] * (length + 1))
    for name, step in (("valid_from", 1.0), ("valid_to", -1.0)):
        day = rows[name].to_physical() - _number(start)
        at = rows["place"].to_numpy() * (length + 1) + np.clip(day.to_numpy(), 0, length)
        change += step * np.bincount(at, minlength=len(change))
    daily = change.reshape(shape[0], length + 1).cumsum(axis=1)[:, :length]
    firsts = [0, *np.cumsum([(month_after(month, 1) - month).days for month in months_between(start, end - _DAY)])][:-1]
    if not length:
        return np.zeros(shape)
    counts = np.diff([*firsts, length])
    return np.asarray(np.add.reduceat(daily, firsts, axis=1) / counts)


def _touches(view: Book, deals: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    """Touches of people on deals: `day`, `place` of the deal's owner, `hours`, and whether the deal was new then."""
    told = view.table("activities").filter(~nw.col("is_automatic").fill_null(False), ~nw.col(_DEAL).is_null())
    rows = view.collect(told.select(_DEAL, "at", "kind", "duration_minutes"))
    usual = dict(minutes(view).select("kind", "minutes").iter_rows())
    each = pl.col("kind").cast(pl.String).replace_strict(usual, return_dtype=pl.Float64)
    rows = rows.with_columns(
        day=pl.col("at").dt.convert_time_zone(view.settings.time_zone).dt.date(),
        hours=pl.coalesce(pl.col("duration_minutes").cast(pl.Float64), each) / 60,
    ).filter(pl.col("day").is_between(start, end - _DAY))
    rows = rows.join(deals.select(_DEAL, "place", "created_at"), on=_DEAL)
    return rows.with_columns(is_new=pl.col("at") < pl.col("created_at") + pl.duration(days=NEW_DAYS))


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _sums(
    days: pl.Series, place: pl.Series, weights: np.ndarray, months: tuple[date, ...], shape: tuple[int, int]
) -> np.ndarray:
    """Weights summed by region and month."""
    if not months:
        return np.zeros(shape)
    column = (days.dt.year() * 12 + days.dt.month()).to_numpy() - (months[0].year * 12 + months[0].month)
    at = place.to_numpy() * shape[1] + column
    return np.bincount(at, weights, shape[0] * shape[1]).reshape(shape)


def workload(past: Worked, selling_hours: np.ndarray, staffing: Staffing) -> Workload:
    """The hours that deals take, from what is stated, else from what was logged.

    Logged touches tell all the work only if they fill at least a third of the selling hours of the last year: sellers are
    not idle for most of their time. Where they do not, and nothing is stated, deals are assumed to have taken `PAST_LOAD`
    of those hours; the log then only tells how new deals, and regions, differ.

    Args:
        past: From `worked`.
        selling_hours: (months,) hours that all sellers had for deals, in the order of `past.months`.
        staffing: What is stated.

    Raises:
        Problem: If no hours are stated, and the past is too short to tell any.
    """
    pace = past.business_days / BUSINESS_DAYS
    open_hours, new_hours, regions, error = _logged(past, pace)
    year = slice(-LAST_YEAR, None)
    had = float(selling_hours[year].sum())

    def took(each_open: float, each_new: float) -> float:
        """Share of the last year's selling hours."""
        hours = (past.n_open * pace * each_open + past.created * each_new)[:, year].sum()
        return float(hours) / had if had else 0.0

    logged = took(open_hours, new_hours)
    other = 1 - staffing.other_share
    if staffing.hours_per_open_deal is not None:
        shape = staffing.hours_per_open_deal / other, (staffing.hours_per_new_deal or 0.0) / other
        return Workload(*shape, {}, 0.0, "stated hours", logged, took(*shape), past.n_touches)
    if staffing.past_load is None and logged / other >= LEAST_LOGGED:
        shape = open_hours / other, new_hours / other
        return Workload(*shape, regions, error, "logged", logged, took(*shape), past.n_touches)
    if not logged:
        open_hours, new_hours, regions = 1.0, 0.0, {}
    is_stated = staffing.past_load is not None
    load = staffing.past_load if staffing.past_load is not None else PAST_LOAD
    usual = took(open_hours, new_hours)
    if not usual:
        raise Problem(
            "How many hours deals take cannot be told: no whole month of the past year had both deals and sellers.",
            "State load.hours_per_open_deal in the plan of the staff.",
        )
    scale = load / usual
    doubt = STATED_ERROR if is_stated else ASSUMED_ERROR
    return Workload(
        open_hours * scale, new_hours * scale, regions, float(np.hypot(error, doubt)),
        "stated load" if is_stated else "assumed load", logged, load, past.n_touches,
    )  # fmt: skip


def _logged(past: Worked, pace: np.ndarray) -> tuple[float, float, dict[str | None, float], float]:
    """Hours of an open deal and of a new one that were logged, how regions differ, and the relative standard error."""
    if past.n_touches < LEAST or not past.months:
        return 0.0, 0.0, {}, 0.0
    created, as_open = past.created.sum(), (past.n_open * pace).sum()
    # Days that new deals were open, in months of 21 business days.
    new = past.created.sum(axis=0) @ pace * past.new_days / 30.44
    later = float((past.hours - past.hours_new).sum() / max(as_open - new, 1e-9))
    more = float((past.hours_new.sum() - later * new) / max(created, 1))
    if more < 0 or later < 0:
        later, more = float(past.hours.sum() / max(as_open, 1e-9)), 0.0
    expected = past.n_open * pace * later + past.created * more
    each = past.hours.sum(axis=0) / np.maximum(expected.sum(axis=0), 1e-9)
    error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.5
    return later, more, _by_region(past, expected), error


def _by_region(past: Worked, expected: np.ndarray) -> dict[str | None, float]:
    """How many times the expected hours each region's deals took, shrunk towards one another."""
    enough = [place for place, name in enumerate(past.regions) if name is not None and (expected[place] > 0).all()]
    if len(enough) < LEAST_REGIONS or len(past.months) < LEAST_MONTHS:
        return {}
    values = past.hours[enough].sum(axis=1) / expected[enough].sum(axis=1)
    spread = (past.hours[enough] / expected[enough]).var(axis=1, ddof=1)
    shrunk = Shrunk.of(values, spread / len(past.months)).values
    weights = expected[enough].sum(axis=1)
    return {
        past.regions[place]: float(each)
        for place, each in zip(enough, shrunk * weights.sum() / (shrunk @ weights), strict=True)
    }
