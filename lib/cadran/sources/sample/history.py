"""What happened in the invented company: as many prospects as it takes to come to a number of deals."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cadran.sources.sample.deals import DEAL, Records
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.leads import leads
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.market import GROUP_EVERY, Prospects, prospects
from cadran.sources.sample.pipeline import Pipeline
from cadran.sources.sample.staff import staff_of

#: Deals that a prospect leads to, about: decides the size of a slice, and nothing else.
_DEALS_PER_PROSPECT = 1.1
#: Prospects in a slice: twice as fast as 20,000, in some 700 MB.
_CHUNK = 120_000


@dataclass(frozen=True)
class History:
    """Record arrays of what happened; `number` counts deals from 0 in the order of their creation."""

    market: Prospects
    deals: Records
    versions: Records
    activities: Records
    involved: Records
    leads: Records


def happen(n_deals: int, seed: int, signal: float, levers: Levers, volume: float) -> Iterator[History]:
    """What happens to `n_deals` deals, slice by slice of the market, each with its own numbers.

    Prospects are taken in their order until they have led to so many deals; the last ones of the last prospect
    are left out. With levers, the prospects are those of the run without: their deals may then be more or fewer.
    Slices are independent: how the market is cut changes nothing.
    """
    if levers == Levers():
        yield from _until(n_deals, seed, signal, volume)
    else:
        n_prospects = sum(len(part.market.index) for part in _until(n_deals, seed, signal, 0.0))
        yield from map(_number, _among(n_prospects, seed, signal, levers, volume))


def happen_to(n_prospects: int, seed: int, signal: float, levers: Levers, volume: float) -> History:
    """What happens to the deals of so many prospects, however many deals that makes, in one piece."""
    return _number(_joined(list(_among(n_prospects, seed, signal, levers, volume))))


def _until(n_deals: int, seed: int, signal: float, volume: float) -> Iterator[History]:
    found, first = 0, 0
    while found < n_deals:
        size = min(int((n_deals - found) / _DEALS_PER_PROSPECT * 1.05) + 40, _size(volume))
        part = _chunk(first, first + size, seed, signal, Levers(), volume)
        if found + len(part.deals) >= n_deals:
            part = _cut(part, n_deals - found)
        found += len(part.deals)
        first += size
        yield _number(part)


def _among(n_prospects: int, seed: int, signal: float, levers: Levers, volume: float) -> Iterator[History]:
    for first in range(0, n_prospects, _size(volume)):
        yield _chunk(first, min(first + _size(volume), n_prospects), seed, signal, levers, volume)


def _size(volume: float) -> int:
    """Prospects in a slice: fewer where every deal has many touches."""
    return max(int(_CHUNK / max(volume, 1)), GROUP_EVERY)


def _chunk(first: int, last: int, seed: int, signal: float, levers: Levers, volume: float) -> History:
    draws, people = Draws(seed), staff_of(seed)
    market = prospects(np.arange(first, last, dtype=np.int64), draws)
    raised = leads(market, people, signal, levers, draws)
    life = Pipeline(market, raised, people, signal, levers, draws, volume)
    life.run()
    return History(
        market,
        np.concatenate([np.zeros(0, DEAL), *life.deals]),
        np.concatenate(life.versions),
        life.conduct.activities(),
        np.concatenate(life.conduct.involved),
        raised[raised["created"] > 0],
    )


def _joined(parts: list[History]) -> History:
    """Chunks one after the other, their deals numbered on."""
    shift = 0
    moved: list[History] = []
    for part in parts:
        rows = {name: getattr(part, name).copy() for name in ("deals", "versions", "activities", "involved")}
        for table in rows.values():
            table["number"] += shift
        moved.append(replace(part, **rows))
        shift += len(part.deals)
    market = Prospects(
        **{name: np.concatenate([getattr(part.market, name) for part in parts]) for name in parts[0].market.__dict__}
    )
    columns = ("deals", "versions", "activities", "involved", "leads")
    return History(market, *(np.concatenate([getattr(part, name) for part in moved]) for name in columns))


def _cut(history: History, n_deals: int) -> History:
    """The first `n_deals` deals, prospect by prospect, and what belongs to them."""
    deals = history.deals
    kept = np.lexsort((deals["created"], deals["prospect"]))[:n_deals]
    n_prospects = int(deals["prospect"][kept].max()) + 1 - int(history.market.index[0])
    market = Prospects(**{name: values[:n_prospects] for name, values in history.market.__dict__.items()})
    raised = history.leads[history.leads["prospect"] <= market.index[-1]]
    return replace(history, market=market, deals=deals[np.sort(kept)], leads=raised)


def _number(history: History) -> History:
    """Deals, activities and leads in the order in which they came, deals numbered so; the rest of others left out."""
    deals = history.deals[np.lexsort((history.deals["key"], history.deals["created"]))]
    number = np.full(int(max(history.deals["number"].max(), history.versions["number"].max())) + 1, -1)
    number[deals["number"]] = np.arange(len(deals))

    def renumbered(rows: Records) -> Records:
        rows = rows.copy()
        rows["number"] = number[rows["number"]]
        return rows[rows["number"] >= 0]

    versions, activities, involved = map(renumbered, (history.versions, history.activities, history.involved))
    deals = renumbered(deals)
    touched = np.lexsort((activities["kind"], activities["direction"], activities["number"], activities["at"]))
    raised = history.leads[np.lexsort((history.leads["prospect"], history.leads["created"]))]
    return History(history.market, deals, versions, activities[touched], involved, raised)
