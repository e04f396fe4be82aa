"""Signed revenue to come, drawn many times seller by seller: from open and coming deals, made to follow the blend."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.periods import add_months, month_end
from cadran.models.blend import LEVELS, Blend, impose, quantiles, ranks_of
from cadran.models.booked import Booked, ahead, booked, by_level, deals_known, groups_of
from cadran.models.bookings import PATHS, Bookings, bookings, of_model
from cadran.models.forecast_plain import average
from cadran.models.futures import amount_moments
from cadran.models.horizon import Calendar
from cadran.models.series import forecast_series
from cadran.models.win import WinModel
from cadran.tables.problems import Problem

#: Months of the past by whose sums a forecast of the company alone is shared out.
SHARED_BY = 12


_STOCK: dict[str, Any] = {"opportunity_id": pl.String, "row": pl.Int64, "known": pl.Float64, "amount": pl.Float64}


@dataclass(frozen=True)
class Foresight:
    """Futures of every seller and month, and what each part of the blend told of the company and the regions."""

    #: First days of the months told.
    months: tuple[date, ...]
    #: One row per seller: `rep_id`, `team`, `region`; null where unknown.
    sellers: pl.DataFrame
    #: (sellers, months) signed so far: in the month under way.
    won: np.ndarray
    #: (paths, sellers, months) signed revenue, what is signed so far included.
    paths: np.ndarray
    #: (name of a part, level) -> (groups of `past`, months, 1 + levels): its mean, then its quantiles at `LEVELS`.
    told: Mapping[tuple[str, str], np.ndarray]
    #: (months, levels) the blend of the company before it was widened.
    raw: np.ndarray
    #: (sellers, months) deals expected to be won, at the sizes of before; None where bookings say nothing.
    wins: np.ndarray | None
    #: What open and coming deals were drawn from; None where they could not.
    source: Bookings | None
    #: (paths, months) by how much what is to come in each path was multiplied; 1 where nothing was to come.
    scale: np.ndarray
    #: Why a part said nothing.
    silent: dict[str, Problem]
    #: Complete months of the past: of the company, and by region.
    past: Mapping[str, Booked] = field(repr=False)

    def of(self, level: str, groups: tuple[str | None, ...] = ()) -> np.ndarray:
        """(paths, groups, months) of a level, in the order of `groups`, or of those of its sellers by name."""
        return by_group(self.paths, self.sellers, level, groups or groups_of(self.sellers, level))

    @cached_property
    def stock(self) -> pl.DataFrame:
        """One row per open deal that is counted: `opportunity_id`, `row` (of its seller), `known` (its amount; null where
        unknown), `amount` as it would be signed, or what deals of its kind are. Empty where deals tell nothing.
        """
        if self.source is None:
            return pl.DataFrame(schema=_STOCK)
        stock = self.source.stock
        return stock.facts.select("opportunity_id").with_columns(
            row=pl.Series(stock.seller, dtype=pl.Int64),
            known=pl.Series(stock.amounts, dtype=pl.Float64).fill_nan(None),
            amount=pl.Series(amount_moments(self.source)[0], dtype=pl.Float64),
        )

    @cached_property
    def chances(self) -> np.ndarray:
        """(deals, months) chance of each of `stock` to be won in each month."""
        if self.source is None:
            return np.zeros((0, len(self.months)))
        return np.diff(self.source.chances().open_won, axis=1, prepend=0.0)

    @cached_property
    def coming(self) -> np.ndarray:
        """(sellers, months) what deals still to be created are expected to bring."""
        return np.zeros(self.won.shape) if self.source is None else self.source.coming()


def foresee(
    book: Book, months: int, blend: Blend, model: WinModel | None = None, seed: int = 0, n: int = PATHS
) -> Foresight:
    """Draw the months to come, that under way first, as the book knew of them at its moment.

    The company's quantiles are those of the blend; every path of open and coming deals is multiplied, month by month, so
    that the company has them: sellers, teams and regions add up to it in each path. The month under way, of which the
    series knows nothing, is told by the deals alone. Where deals tell nothing, the series is shared out by what each
    seller signed in the last `SHARED_BY` months.

    Args:
        book: At its moment; its reader's scope is not looked at.
        months: How many are told.
        blend: Weights and widths.
        model: The win model to draw with; the book's own by default.
        seed: Of the series' draws.
        n: Futures drawn: of bookings the same as `Bookings.drawn` gives, by any lever, for as many.

    Raises:
        Problem: If neither deals nor series tell anything.
    """
    deals, told_months = deals_known(book), ahead(book.day, months)
    past = {level: booked(book, deals, level) for level in ("company", "region")}
    silent, ranks = dict[str, Problem](), ranks_of(n)
    source = _asked(silent, "bookings", lambda: of_model(book, model, months) if model else bookings(book, months))
    series = _asked(silent, "series", lambda: _series(book, deals, past, told_months, seed, n))
    if source is None and series is None:
        raise silent["bookings"]
    if source is not None:
        drawn = source.drawn(n=n)
        sellers, won, paths = source.sellers, source.known, drawn.bookings
    else:
        sellers, won, shares = _shares(book, deals, told_months)
        paths = won + _rest(book, series, won)[:, None] * shares[:, None]
    told = {("average", "company"): _average(past["company"], months)}
    if source is not None:
        told |= {("bookings", level): summed(by_group(paths, sellers, level, past[level].groups)) for level in past}
    if series is not None:
        told |= {("series", "company"): summed(series[:, :1]), ("series", "region"): summed(series[:, 1:])}
    is_begun = told_months[0] <= book.day
    grids = np.stack([
        np.sort(paths.sum(axis=1), axis=0) if source is not None else np.full((n, months), np.nan),
        quantiles(series[:, 0], ranks).T if series is not None else np.full((n, months), np.nan),
        average(past["company"].amounts[0], months, ranks)[1].T,
    ])  # fmt: skip
    blended = [blend.of(turn + 1 - is_begun, grids[:, :, turn]) for turn in range(months)]
    if is_begun:
        blended[0] = np.sort(paths[:, :, 0].sum(axis=1))
    wanted = np.stack([blend.widened(each, ranks) for each in blended], axis=1)
    raw = np.stack([np.interp(LEVELS, ranks, each) for each in blended])
    final, scale = impose(paths, won, wanted)
    wins = None
    if source is not None:  # at the usual sizes, what is multiplied is their number
        wins = source.known_wins + ((drawn.wins - source.known_wins) * scale[:, None]).mean(axis=0)
    return Foresight(told_months, sellers, won, final, told, raw, wins, source, scale, silent, past)


def _asked(silent: dict[str, Problem], name: str, ask: Callable[[], Any]) -> Any:
    """What a part tells; None where it tells why it cannot."""
    try:
        return ask()
    except Problem as problem:
        silent[name] = problem
        return None


def _series(
    book: Book, deals: pl.DataFrame, past: Mapping[str, Booked], months: tuple[date, ...], seed: int, n: int
) -> np.ndarray:
    """(paths, 1 + regions, months) of the company's series and the regions', by the days on which is signed."""
    history = np.concatenate([past["company"].amounts, past["region"].amounts])
    if not np.isfinite(history[0]).any():
        raise Problem("No month since the first signature is complete.", "Import an older past, or wait.")
    calendar, epoch = Calendar.of(book), date(1970, 1, 1)
    signed = deals.filter(pl.col("status") == "won")["closed_date"].drop_nulls()
    off = calendar.of_days_off(signed.to_physical().to_numpy())
    begins = [(each - epoch).days for each in (*past["company"].months, *months, add_months(months[-1], 1))]
    days = np.array([calendar.weights(*pair, off).sum() for pair in pairwise(begins)])
    return forecast_series(history, len(months), n, seed, days).paths


def _average(past: Booked, months: int) -> np.ndarray:
    mean, told = average(past.amounts[0], months, LEVELS)
    return np.column_stack([mean, told])[None]


def _rest(book: Book, series: np.ndarray, won: np.ndarray) -> np.ndarray:
    """(paths, months) what the company's series leaves to be signed: of the month under way, for the days left of it."""
    rest = series[:, 0].copy()
    if (month := ahead(book.day, 1)[0]) <= book.day:
        rest[:, 0] *= (month_end(month) - book.day).days / month_end(month).day
    return np.maximum(rest, 0.0)


def _shares(book: Book, deals: pl.DataFrame, months: tuple[date, ...]) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Sellers of the last `SHARED_BY` months, what each signed in the month under way, and their shares of all."""
    since = add_months(months[0], -SHARED_BY)
    signed = deals.filter(pl.col("status") == "won", pl.col("closed_date") >= since)
    keys = ["rep_id", "team", "region"]
    is_now = pl.col("closed_date") >= months[0]
    sums = signed.group_by(keys).agg(
        all=pl.col("amount").sum(), now=pl.col("amount").filter(is_now).sum()
    ).sort(keys, nulls_last=True)  # fmt: skip
    won = np.zeros((sums.height, len(months)))
    won[:, 0] = sums["now"].to_numpy()
    return sums.select(keys), won, sums["all"].to_numpy() / max(float(sums["all"].sum()), 1e-9)


def by_group(paths: np.ndarray, sellers: pl.DataFrame, level: str, groups: Sequence[str | None]) -> np.ndarray:
    """(paths, groups, months) sums over the sellers of each group."""
    named = np.array([str(each) if each is not None else "" for each in by_level(sellers, level)["group"]])
    sums = [paths[:, named == (each or "")].sum(axis=1) for each in groups]
    return np.stack(sums, axis=1) if sums else np.zeros((len(paths), 0, paths.shape[2]))


def summed(paths: np.ndarray) -> np.ndarray:
    """(groups, months, 1 + levels) the mean and the quantiles of (paths, groups, months)."""
    return np.concatenate([paths.mean(axis=0)[..., None], quantiles(paths)], axis=-1)
