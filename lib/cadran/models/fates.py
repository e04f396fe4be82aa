"""What comes of new deals: the share won, lost and still open by age, for each kind of deal."""

from dataclasses import dataclass

import numpy as np
import polars as pl

#: Days after which the fate of deals weighs half, by the day they were followed; and, for the differences between
#: segments and regions, by the day they ended.
FATE, LASTING = 180.0, 730.0
#: Deals' worth of what is general that what is particular starts from: a deal type's hazards of those of all, a ratio
#: of 1.
OF_TYPE, OF_RATIO = 5.0, 15.0
#: Days between the ages at which fates are told, and how many of them.
AGE, AGES = 7.0, 156

#: Deal type, segment and region.
Cell = tuple[str | None, str | None, str | None]


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


def read_at(table: np.ndarray, aged: np.ndarray, before: float = 0.0) -> np.ndarray:
    """(cells, …) a table by age read at some ages; `before` at negative ones."""
    place = np.clip(aged / AGE, 0, AGES - 1e-9)
    low = place.astype(int)
    told = table[:, low] + (table[:, low + 1] - table[:, low]) * (place - low)
    return np.where(aged < 0, before, told)


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
    if not cells:  # nobody sells: no new deal is to come
        return Fates(np.zeros((0, 1 + AGES)), np.zeros((0, 1 + AGES)))
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
