"""The accounts of the invented market, through their changes."""

import numpy as np
import polars as pl

from cadran.sources.sample import planted
from cadran.sources.sample.clock import MIDNIGHT, N_DAYS, NEXT_BUSINESS, TAKEN, Ints, day_at
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.history import History
from cadran.sources.sample.market import COUNTRIES, SECTORS, SEGMENTS, Prospects, prospects, segment_of
from cadran.sources.sample.names import company_names
from cadran.sources.sample.staff import REGIONS, REORGANISATION, TEAMS, region_at
from cadran.sources.sample.tables import dates, ids, instants, labels

_END = int(TAKEN.timestamp())
_DAY = 86_400
_TOULOUSE = TEAMS.index("Toulouse")


def accounts(history: History, draws: Draws) -> pl.DataFrame:
    """What each account with a deal was, from one instant until the next change.

    Staff and turnover are brought up to date now and then, which may move an account to another segment. The
    sector of some is learnt late, of clients sooner than of others. Accounts in Toulouse change region.
    """
    market, first, won = _with_deals(history)
    key = market.key
    since = _opened(market, first, draws)
    learns = _learns_sector(key, since, won, draws)
    updated, employees = _updated(market, since, draws)
    moved = np.where(market.team == _TOULOUSE, MIDNIGHT[REORGANISATION], 0)
    moments = np.stack([since, learns, updated, moved])
    names = _names(market, draws)
    rows = []
    for at in moments:
        chosen = (at > 0) & (at >= since) & (at <= _END)
        staff_then = np.where((updated > 0) & (at >= updated), employees, market.employees)
        frame = _rows(market, since, at, staff_then, np.where(at >= learns, market.sector, -1), names, draws)
        rows.append(frame.filter(pl.Series(chosen)))
    return pl.concat(rows).unique(["account_id", "valid_from"], keep="first", maintain_order=True)


def _with_deals(history: History) -> tuple[Prospects, Ints, Ints]:
    """Prospects that have a deal (heads of groups have one); instant of the first deal and of the first win."""
    everyone = history.market
    n, who = len(everyone.index), history.deals["prospect"] - everyone.index[0]
    first, won = np.full(n, _END, dtype=np.int64), np.full(n, _END + 1, dtype=np.int64)
    np.minimum.at(first, who, history.deals["created"])
    signed = history.versions[history.versions["status"] == planted.WON]
    np.minimum.at(won, who[signed["number"]], signed["at"])
    has_deal = np.zeros(n, dtype=bool)
    has_deal[who] = True
    chosen = Prospects(**{name: values[has_deal] for name, values in everyone.__dict__.items()})
    return chosen, first[has_deal], won[has_deal]


def _opened(market: Prospects, first: Ints, draws: Draws) -> Ints:
    """Clients have been known for years; others for up to a month before their first deal."""
    chance = draws.uniform("account opened", market.key)
    before = np.where(market.is_client, 200 + 2200 * chance, 30 * chance) * _DAY
    start = np.where(market.is_client, np.minimum(first, MIDNIGHT[0]), first)
    return (start - before).astype(np.int64)


def _learns_sector(key: np.ndarray, since: Ints, won: Ints, draws: Draws) -> Ints:
    chance = draws.uniform("sector known", key)
    later = since + ((40 + 700 * draws.uniform("sector learnt", key)) * _DAY).astype(np.int64)
    return np.where(chance < 0.86, since, np.minimum(later, won + _DAY))


def _updated(market: Prospects, since: Ints, draws: Draws) -> tuple[Ints, Ints]:
    day = NEXT_BUSINESS[(draws.uniform("update day", market.key) * N_DAYS).astype(np.int64)]
    at = MIDNIGHT[np.minimum(day, N_DAYS)] + 10 * 3600
    happens = (draws.uniform("updated", market.key) < 0.22) & (at > since)
    growth = np.exp(0.05 + 0.25 * draws.normal("grows", market.key))
    return np.where(happens, at, 0), np.maximum(market.employees * growth, 5).astype(np.int64)


def _names(market: Prospects, draws: Draws) -> pl.Series:
    """The name of each account; a daughter is called by its group and its place. Heads may be in another slice."""
    heads, group = np.unique(np.where(market.parent >= 0, market.parent, market.index), return_inverse=True)
    named = prospects(heads, draws)
    own = pl.Series(company_names(named.key, named.sector, draws)).gather(group)
    place = labels(TEAMS, market.team).str.replace(" .*", "")
    return pl.select(pl.when(pl.Series(market.parent >= 0)).then(own + " " + place).otherwise(own)).to_series()


def _rows(
    market: Prospects, since: Ints, at: Ints, employees: Ints, sector: Ints, names: pl.Series, draws: Draws
) -> pl.DataFrame:
    turnover = employees * 165_000 * np.exp(0.5 * draws.normal("turnover", market.key))
    known = draws.uniform("turnover known", market.key) < 0.8
    return pl.DataFrame(
        {
            "account_id": ids("A", market.index),
            "valid_from": instants(at),
            "name": names,
            "sector": labels(SECTORS, sector),
            "segment": labels(SEGMENTS, segment_of(employees)),
            "region": labels(REGIONS, region_at(market.team, day_at(np.maximum(at, MIDNIGHT[0])))),
            "country": labels(COUNTRIES, market.country),
            "employees": employees,
            "annual_revenue": pl.Series(np.where(known, np.round(turnover, -4), np.nan)).fill_nan(None),
            "parent_account_id": ids("A", market.parent),
            "created_date": dates((since - MIDNIGHT[0]) // _DAY),
        }
    )
