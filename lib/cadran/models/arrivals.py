"""Deals still to be created: how many a month, of what kind, where, whose, and how fast and how often they are won."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.models import intensity
from cadran.models.horizon import Calendar, Horizon, counted, month_number

#: Days after which an arrival weighs half in whose and where; the fate of deals, by the day they were followed; and,
#: of the differences between segments and regions, by the day they ended.
RECENT, FATE, LASTING = 270.0, 240.0, 730.0
#: Days within which who had a new deal is a seller.
SELLS = 365
#: Deals' worth of what is general that what is particular starts from: a region of its share of the sellers, a cell of
#: the product of its margins, a seller of the mean seller, a deal type's hazards of those of all, a ratio of 1.
OF_REGION, OF_CELL, OF_SELLER, OF_TYPE, OF_RATIO = 10.0, 10.0, 4.0, 5.0, 15.0
#: Days between the ages at which fates are told, and how many of them.
AGE, AGES = 7.0, 156
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
class Fates:
    """What comes of a new deal of each cell by age: ages are multiples of `AGE` days."""

    #: (cells, 1 + AGES) the share won by then, and the share still open.
    won: np.ndarray
    still_open: np.ndarray

    @property
    def ever(self) -> np.ndarray:
        """(cells,) the share won by the greatest age."""
        return self.won[:, -1]


@dataclass(frozen=True)
class Arrivals:
    """New deals to come. A cell is a deal type, a segment and a region."""

    horizon: Horizon
    #: (cells, 3) deal type, segment, region.
    cells: tuple[tuple[str | None, str | None, str | None], ...]
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
        won = _at(self.fates.won, self._aged(created, ends, cycle)).mean(axis=2)
        looked = starts[:, None] + (ends - starts)[:, None] * parts
        is_open = _at(self.fates.still_open, self._aged(created, looked.ravel(), cycle), before=0.0)
        n = len(ends)
        return won, is_open.reshape(len(won), n, POINTS, n, POINTS).mean(axis=(2, 4))

    def _aged(self, created: np.ndarray, at: np.ndarray, cycle: float) -> np.ndarray:
        """(created…, at) ages, negative before."""
        paced = self.horizon.paced
        # A deal closed on the day it was created has lived less than a day, not half of one.
        aged: np.ndarray = (paced(at + 0.5) - paced(created)[..., None]) / cycle
        return np.where(at < created[..., None], -1.0, aged)


def _at(table: np.ndarray, aged: np.ndarray, before: float = 0.0) -> np.ndarray:
    """(cells, …) a table by age read at some ages; `before` at negative ones."""
    place = np.clip(aged / AGE, 0, AGES - 1e-9)
    low = place.astype(int)
    told = table[:, low] + (table[:, low + 1] - table[:, low]) * (place - low)
    return np.where(aged < 0, before, told)


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


Cell = tuple[str | None, str | None, str | None]


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


def fates(deals: pl.DataFrame, cells: tuple[Cell, ...], today: int) -> Fates:
    """What comes of deals by age, counted: hazards by deal type, held near those of all; segments and regions as ratios.

    Args:
        deals: `deal_type`, `segment`, `region`, `status`, `created_day` (none null), `closed_day`.
        cells: Those to tell of.
        today: Day of the moment, from 1970.

    Source:
        Aalen and Johansen (1978), Scandinavian Journal of Statistics 5(3), here by week with Kish's weights by recency;
        indirect standardisation for the ratios: observed by expected, as in Breslow and Day (1987), chapter 2.
    """
    created = deals["created_day"].to_numpy().astype(float)
    is_closed = (deals["status"] != "open").to_numpy()
    end = np.where(is_closed, deals["closed_day"].fill_null(today).to_numpy(), today + 1).astype(float)
    lived = np.maximum(end - created, 0)
    won = (deals["status"] == "won").to_numpy()
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(kind for kind, _, _ in cells))}
    kind_of = np.array([kinds.get(kind, -1) for kind in deals["deal_type"].to_list()], int)
    inside = kind_of >= 0
    hazards = np.zeros((2, len(kinds), AGES))
    risk = np.zeros((len(kinds), AGES))
    for age in range(AGES):
        here = inside & (lived >= age * AGE)
        weight = 0.5 ** ((today - created[here] - age * AGE) / FATE)
        ends = lived[here] < (age + 1) * AGE
        closes = ends & is_closed[here]
        of = kind_of[here]
        risk[:, age] = np.bincount(of, weight * np.where(ends & ~closes, 0.5, 1.0), len(kinds))
        for row, came in enumerate((won[here], ~won[here])):
            hazards[row, :, age] = np.bincount(of, weight * (closes & came), len(kinds))
    overall = hazards.sum(axis=1) / np.maximum(risk.sum(axis=0), 1e-9)
    hazards = (hazards + OF_TYPE * overall[:, None]) / (risk + OF_TYPE)
    ratios = _ratios(deals, cells, hazards, kind_of, lived, np.stack([won, is_closed & ~won]), end, today)
    own = np.minimum(hazards[:, [kinds[kind] for kind, _, _ in cells]] * ratios[:, :, None], 1.0)
    out = own.sum(axis=0)
    own /= np.maximum(out, 1.0)
    still_open = np.cumprod(1 - np.minimum(out, 1.0), axis=1)
    still_open = np.column_stack([np.ones(len(cells)), still_open])
    won_by = np.column_stack([np.zeros(len(cells)), np.cumsum(still_open[:, :-1] * own[0], axis=1)])
    return Fates(won_by, still_open)


def _ratios(
    deals: pl.DataFrame, cells: tuple[Cell, ...], hazards: np.ndarray, kind_of: np.ndarray, lived: np.ndarray,
    came: np.ndarray, end: np.ndarray, today: int,
) -> np.ndarray:  # fmt: skip
    """(2, cells) by how much winning, and ending otherwise, is likelier than in the deal type as a whole."""
    weight = 0.5 ** ((today - end) / LASTING)
    place = np.minimum(lived / AGE, AGES)
    so_far = np.concatenate([np.zeros((*hazards.shape[:2], 1)), np.cumsum(hazards, axis=2)], axis=2)
    low = np.minimum(place.astype(int), AGES - 1)
    at = so_far[:, kind_of, low] + (so_far[:, kind_of, low + 1] - so_far[:, kind_of, low]) * (place - low)
    segments, regions = (deals[name].fill_null("").to_numpy() for name in ("segment", "region"))
    told = np.ones((2, len(cells)))
    # First each deal type: the ratios are by how much its parts differ from it, not what it was longer ago.
    for place in np.unique(kind_of[kind_of >= 0]):
        here = kind_of == place
        at[:, here] *= _ratio(came, at, weight, here, 0.1)[:, None]
    kinds = list(dict.fromkeys(kind for kind, _, _ in cells))
    for kind, segment in dict.fromkeys((kind, segment) for kind, segment, _ in cells):
        here = (kind_of == kinds.index(kind)) & (segments == (segment or ""))
        ratio = _ratio(came, at, weight, here)
        at[:, here] *= ratio[:, None]
        told *= np.where([cell[:2] == (kind, segment) for cell in cells], ratio[:, None], 1.0)
    for region in dict.fromkeys(region for _, _, region in cells):
        ratio = _ratio(came, at, weight, (kind_of >= 0) & (regions == (region or "")))
        told *= np.where([cell[2] == region for cell in cells], ratio[:, None], 1.0)
    return told


def _ratio(
    came: np.ndarray, expected: np.ndarray, weight: np.ndarray, here: np.ndarray, prior: float = OF_RATIO
) -> np.ndarray:
    """(2,) observed by expected, held near 1."""
    seen, due = (weight[here] * came[:, here]).sum(axis=1), (weight[here] * expected[:, here]).sum(axis=1)
    ratio: np.ndarray = (seen + prior) / (due + prior)
    return ratio
