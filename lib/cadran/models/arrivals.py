"""Deals still to be created: how many a month, of what kind, where, whose, and how fast and how often they are won."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.models import intensity
from cadran.models.fates import Cell, Fates, fates, read_at
from cadran.models.horizon import Calendar, Horizon, counted, month_number

#: Days after which an arrival weighs half in whose and where.
RECENT = 270.0
#: Days within which who had a new deal is a seller.
SELLS = 365
#: Deals' worth of what is general that what is particular starts from: a region of its share of the sellers, a cell of
#: the product of its margins, a seller of the mean seller.
OF_REGION, OF_CELL, OF_SELLER = 10.0, 10.0, 4.0
#: Moments of a month at which deals come.
POINTS = 4


@dataclass(frozen=True)
class Sellers:
    """Who sells, and who owns what is open."""

    #: `rep_id`, `team`, `region`, `is_present`: sorted; a null seller stands for deals without an owner.
    frame: pl.DataFrame
    #: Regions where somebody sells, in order; null is a region too.
    regions: tuple[str | None, ...]
    #: (regions, sellers) whose the new deals of each region are; each row sums to 1.
    shares: np.ndarray


@dataclass(frozen=True)
class Arrivals:
    """New deals to come. A cell is a deal type, a segment and a region."""

    horizon: Horizon
    #: (cells, 3) deal type, segment, region.
    cells: tuple[Cell, ...]
    #: Deal type -> the law of how many a day; and (months,) how many days each month still has.
    laws: dict[str | None, intensity.Intensity]
    days: np.ndarray
    #: (cells,) share of its type's new deals, and the number of deals behind it.
    share: np.ndarray
    behind: np.ndarray
    sellers: Sellers
    fates: Fates

    @cached_property
    def types(self) -> np.ndarray:
        """(cells,) place of each cell's deal type."""
        order = {kind: place for place, kind in enumerate(self.laws)}
        return np.array([order[kind] for kind, _, _ in self.cells], int)

    @cached_property
    def regions(self) -> np.ndarray:
        """(cells,) place of each cell's region."""
        order = {region: place for place, region in enumerate(self.sellers.regions)}
        return np.array([order[region] for _, _, region in self.cells], int)

    @cached_property
    def expected(self) -> np.ndarray:
        """(cells, months) expected number of new deals."""
        told = np.array([law.expected for law in self.laws.values()]).reshape(-1, len(self.days)) * self.days
        return self.share[:, None] * told[self.types]

    def by_month(self, cycle: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """What comes of deals created in each month: (cells, created in, months) won by the end of a month, and open.

        Args:
            cycle: Factor on the time deals take.

        Returns:
            Shares of the deals created: won by the end of each month, and open on average over it (before it was
            created a deal is not open).
        """
        starts, ends = self.horizon.starts, self.horizon.ends
        parts = (np.arange(POINTS) + 0.5) / POINTS
        created = starts[:, None] + (ends - starts)[:, None] * parts
        won = read_at(self.fates.won, self._aged(created, ends, cycle)).mean(axis=2)
        looked = starts[:, None] + (ends - starts)[:, None] * parts
        is_open = read_at(self.fates.still_open, self._aged(created, looked.ravel(), cycle), before=0.0)
        n = len(ends)
        return won, is_open.reshape(len(won), n, POINTS, n, POINTS).mean(axis=(2, 4))

    def _aged(self, created: np.ndarray, at: np.ndarray, cycle: float) -> np.ndarray:
        """(created…, at) ages, negative before."""
        paced = self.horizon.paced
        # A deal closed on the day it was created has lived less than a day, not half of one.
        aged: np.ndarray = (paced(at + 0.5) - paced(created)[..., None]) / cycle
        return np.where(at < created[..., None], -1.0, aged)


def arrivals(book: Book, deals: pl.DataFrame, calendar: Calendar, horizon: Horizon, today: int) -> Arrivals:
    """Learn them.

    Args:
        book: At its moment, of the whole company.
        deals: One row per deal: `rep_id`, `deal_type`, `segment`, `status`, `created_day`, `closed_day`.
        calendar: Of the book.
        horizon: The months to come.
        today: Day of the moment, from 1970.
    """
    sellers = who_sells(book, deals, today)
    places = sellers.frame.select("rep_id", seller_region="region")
    known = deals.filter(pl.col("created_day").is_not_null() & (pl.col("created_day") <= today))
    known = known.join(places, on="rep_id", how="left", nulls_equal=True)
    # Who has left, and owns nothing that is open, is nobody's seller: the deal was of the region of then.
    known = known.with_columns(region=pl.coalesce("seller_region", "region"))
    alive = known.filter(pl.col("region").is_in(list(sellers.regions), nulls_equal=True))
    off = calendar.of_days_off(alive["created_day"].to_numpy())
    ahead = np.array([month_number(month) for month in horizon.months])
    kinds = alive["deal_type"].unique().sort().to_list()
    laws = {
        kind: counted(calendar, _of(alive, "deal_type", kind)["created_day"].to_numpy(), off, today + 1, ahead)
        for kind in kinds
    }
    edges = today + 1 + np.concatenate([[0], horizon.ends]).astype(int)
    days = np.array([calendar.weights(since, until, off).sum() for since, until in pairwise(edges)])
    cells, share, behind = _cells(alive, sellers, today)
    return Arrivals(horizon, cells, laws, days, share, behind, sellers, fates(known, cells, today))


def who_sells(book: Book, deals: pl.DataFrame, today: int) -> Sellers:
    """Who sells at the moment, who owns what is open, and whose the new deals are.

    A seller is present who has not left and had a new deal within a year, or whose role says so. New deals of a region
    go to those present by their recent number a day since they came, held near the mean of the region.
    """
    reps = small(book.table("reps")).sort("rep_id", "valid_from").unique("rep_id", keep="last", maintain_order=True)
    left = (pl.col("left_date") <= book.day).fill_null(False) | pl.col("valid_to").is_not_null()
    reps = reps.select("rep_id", "team", "region", "role", "hired_date", has_left=left)
    recent = pl.col("created_day") > today - SELLS
    weight = 0.5 ** ((today - pl.col("created_day")) / RECENT)
    owned = deals.group_by("rep_id").agg(
        n_new=recent.fill_null(False).sum(), weight=weight.filter(recent).sum(), first=pl.col("created_day").min(),
        n_open=(pl.col("status") == "open").sum(),
        n_now=(pl.col("closed_day") >= today - 31).fill_null(False).sum(),
    )  # fmt: skip
    frame = owned.join(reps, on="rep_id", how="full", nulls_equal=True, coalesce=True)
    frame = frame.with_columns(pl.col("n_new", "n_open", "n_now", "weight").fill_null(0))
    is_seller = pl.col("role").str.to_lowercase().is_in(["seller", "vendeur", "commercial"]).fill_null(False)
    frame = frame.with_columns(is_present=((pl.col("n_new") > 0) | is_seller) & ~pl.col("has_left").fill_null(False))
    frame = frame.filter(pl.col("is_present") | (pl.col("n_open") > 0) | (pl.col("n_now") > 0))
    frame = frame.sort("region", "team", "rep_id", nulls_last=True)
    present = frame["is_present"].to_numpy()
    regions = tuple(dict.fromkeys(frame.filter("is_present")["region"].to_list()))
    hired = frame["hired_date"].cast(pl.Int32).cast(pl.Float64).to_numpy()
    since = np.clip(today - np.nan_to_num(hired, nan=-np.inf), 0, SELLS)
    # Days of presence that weigh, as arrivals do, half after so many.
    exposure = 1 - 0.5 ** (since / RECENT)
    full = 1 - 0.5 ** (SELLS / RECENT)
    weights, of_region = frame["weight"].to_numpy(), np.array(frame["region"].to_list(), object)
    shares = np.zeros((len(regions), len(frame)))
    for place, region in enumerate(regions):
        here = present & (of_region == region)
        mean = weights[here].sum() / max(exposure[here].sum(), 1e-9)
        rate = (
            (weights + OF_SELLER * full) / (exposure + OF_SELLER * full / max(mean, 1e-9))
            if mean > 0
            else np.ones(len(frame))
        )
        shares[place, here] = rate[here] / rate[here].sum()
    return Sellers(frame.select("rep_id", "team", "region", "is_present"), regions, shares)


def _of(frame: pl.DataFrame, column: str, value: str | None) -> pl.DataFrame:
    return frame.filter(pl.col(column).eq_missing(pl.lit(value)))


def _cells(alive: pl.DataFrame, sellers: Sellers, today: int) -> tuple[tuple[Cell, ...], np.ndarray, np.ndarray]:
    """Each deal type, segment and region, its share of its type's new deals, and how many deals stand behind it."""
    weighted = alive.with_columns(weight=0.5 ** ((today - pl.col("created_day")) / RECENT))
    heads = np.array([row.astype(bool).sum() for row in sellers.shares], float)
    heads /= max(heads.sum(), 1)
    cells: list[Cell] = []
    share, behind = [], []
    for kind in alive["deal_type"].unique().sort().to_list():
        of_kind = _of(weighted, "deal_type", kind)
        total, segments = float(of_kind["weight"].sum()), of_kind["segment"].unique().sort().to_list()
        told = np.zeros((len(segments), len(sellers.regions)))
        for row, segment in enumerate(segments):
            for column, region in enumerate(sellers.regions):
                told[row, column] = _of(_of(of_kind, "segment", segment), "region", region)["weight"].sum()
        of_region = (told.sum(axis=0) + OF_REGION * heads) / (total + OF_REGION)
        general = (told.sum(axis=1) / max(total, 1e-9))[:, None] * of_region
        own = (told + OF_CELL * general) / (total + OF_CELL)
        cells += [(kind, segment, region) for segment in segments for region in sellers.regions]
        share.append((own / max(own.sum(), 1e-9)).ravel())
        behind.append((told + OF_CELL * general).ravel())
    return tuple(cells), np.concatenate([*share, []]), np.concatenate([*behind, []])
