"""Deals as they begin: the record of one, and the facts it is born with, known and unknown."""

import numpy as np

from cadran.sources.sample import planted
from cadran.sources.sample.clock import N_DAYS, NEXT_BUSINESS, Ints, arrival, at_work, day_at
from cadran.sources.sample.draws import Draws, Floats, Keys, child
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.market import CLIENT, GROUP_EVERY, N_CONTACTS, PROSPECTING, Prospects, people
from cadran.sources.sample.staff import Staff

Records = np.ndarray

#: A deal to come: who, what kind, when (UTC second), the contract it renews or extends, and the seat it falls to (-1
#: for any of the team).
SEED = np.dtype(
    [("prospect", "i8"), ("key", "u8"), ("kind", "i8"), ("source", "i8"), ("created", "i8"), ("contract", "f8"),
     ("product", "i8"), ("seat", "i8")]
)  # fmt: skip
#: What a deal is on a day. Amounts are in the client's currency; `expected` is a day; `met` has a bit per person.
DEAL = np.dtype(
    [("number", "i8"), ("key", "u8"), ("prospect", "i8"), ("kind", "i8"), ("source", "i8"), ("product", "i8"),
     ("created", "i8"), ("born", "i8"), ("team", "i8"), ("sector", "i8"), ("currency", "i8"), ("n_contacts", "i8"),
     ("senior", "i8"), ("first_contact", "i8"), ("appeal", "f8"), ("felt", "f8"), ("at", "i8"), ("seat", "i8"),
     ("rep", "i8"), ("stage", "i8"), ("status", "i8"), ("amount", "f8"), ("is_amount_known", "?"), ("expected", "i8"),
     ("category", "i8"), ("rival", "i8"), ("rival_recorded", "i8"), ("reason", "i8"), ("momentum", "f8"),
     ("age", "i8"), ("silence", "i8"), ("met", "i8"), ("asleep", "?"), ("asked", "i8"), ("answer", "i8"),
     ("waited", "f8"), ("levered", "?")]
)  # fmt: skip

_PRICE = np.log(np.array([58_000, 38_000, 30_000, 21_000, 11_000.0]))
_PRODUCT_WEIGHTS = np.array([26, 24, 18, 20, 12.0])
_SIZE_BY_TYPE = np.array([0.0, -0.75, 0.0])
_TYPICAL_DAYS = np.array([95.0, 70.0, 80.0])


def first_deals(market: Prospects, leads: Records, draws: Draws) -> Records:
    """The first deal of every prospect, if it has one: renewals of old clients, qualified leads, prospecting."""
    chance = draws.uniform("first deal", market.key)
    renewal_day = NEXT_BUSINESS[(chance * 540).astype(np.int64)]
    found_day = arrival(chance)
    day = np.where(market.is_client, renewal_day, found_day)
    seeds = np.zeros(len(market.index), dtype=SEED)
    seeds["prospect"], seeds["key"] = market.index, market.key
    seeds["kind"] = np.where(market.is_client, planted.RENEWAL, planted.NEW)
    seeds["source"] = market.source
    seeds["created"] = np.where(
        market.is_lead, leads["qualified"], at_work(day, draws.uniform("first hour", market.key))
    )
    seeds["contract"], seeds["product"] = np.nan, -1
    seeds["seat"] = np.where(market.is_lead, leads["seat"], -1)
    return np.concatenate([seeds[~market.is_lead | (leads["qualified"] > 0)], _early_expansions(seeds, market, draws)])


def _early_expansions(first: Records, market: Prospects, draws: Draws) -> Records:
    """What old clients ask for beyond the contracts they have on the first day."""
    more = first.copy()
    more["key"], more["kind"] = child(market.key, 9), planted.EXPANSION
    day = NEXT_BUSINESS[(540 * draws.uniform("early day", more["key"])).astype(np.int64)]
    more["created"] = at_work(day, draws.uniform("early hour", more["key"]))
    wanted = draws.uniform("early", more["key"]) < np.where(market.index % GROUP_EVERY == 0, 0.9, 0.5)
    return more[market.is_client & wanted]


class Births:
    """Makes deals out of seeds."""

    def __init__(self, market: Prospects, staff: Staff, levers: Levers, draws: Draws):
        self.market, self.staff, self.levers, self.draws = market, staff, levers, draws
        _, seniority = people(market, draws)
        place = np.arange(N_CONTACTS)
        is_there = place < market.n_contacts[:, None]
        self.senior_mask = (((seniority >= 2) & is_there) << place).sum(axis=1)

    def begin(self, seeds: Records, first_number: int) -> Records:
        """The deals that these seeds become, numbered on from `first_number`."""
        key, kind, who = seeds["key"], seeds["kind"], seeds["prospect"] - self.market.index[0]
        market, draws = self.market, self.draws
        deals = np.zeros(len(seeds), dtype=DEAL)
        for name in ("key", "prospect", "kind", "source", "created"):
            deals[name] = seeds[name]
        deals["number"] = first_number + np.arange(len(seeds))
        deals["born"] = day_at(seeds["created"])
        for name in ("team", "sector", "currency", "n_contacts"):
            deals[name] = getattr(market, name)[who]
        deals["senior"] = self.senior_mask[who]
        product = draws.choice("product", key, _PRODUCT_WEIGHTS)
        deals["product"] = np.where((kind == planted.RENEWAL) & (seeds["product"] >= 0), seeds["product"], product)
        quality = draws.normal("quality", key)
        deals["felt"] = 0.65 * quality + 0.76 * draws.normal("felt", key)
        deals["appeal"] = (
            planted.TYPE[kind] + planted.SECTOR[deals["sector"]] + planted.SOURCE[deals["source"]]
            + planted.SUITS[deals["product"], deals["sector"]]
            + planted.FIT * market.fit[who] + planted.QUALITY * quality
        )  # fmt: skip
        deals["amount"] = self._amount(seeds, deals["product"], who)
        deals["is_amount_known"] = draws.uniform("amount known", key) < np.where(kind == planted.RENEWAL, 0.99, 0.88)
        deals["stage"] = np.where(kind == planted.RENEWAL, 1, (draws.uniform("stage", key) < 0.12).astype(np.int64))
        self._people(deals, seeds)
        self._plan(deals)
        return deals

    def _amount(self, seeds: Records, product: Ints, who: Ints) -> Floats:
        key, kind, market = seeds["key"], seeds["kind"], self.market
        size = 0.42 * (np.log(market.employees[who]) - np.log(120)) + market.appetite[who]
        fresh = np.exp(_PRICE[product] + size + _SIZE_BY_TYPE[kind] + 0.6 * self.draws.normal("amount", key))
        again = seeds["contract"] * np.exp(0.03 + 0.12 * self.draws.normal("uplift", key))
        amount = np.where((kind == planted.RENEWAL) & ~np.isnan(seeds["contract"]), again, fresh)
        begins = max(planted.PRICE_INCREASE, 0 if self.levers.price_increase else 10**6)
        return round_amount(amount * np.where(day_at(seeds["created"]) >= begins, planted.PRICE_STEP, 1.0))

    def _people(self, deals: Records, seeds: Records) -> None:
        key = deals["key"]
        anyone = self.staff.pick(deals["born"], deals["team"], self.draws.uniform("seat", key))
        is_known = (seeds["seat"] >= 0) & (self.staff.occupant[deals["born"], seeds["seat"]] >= 0)
        deals["seat"] = np.where(is_known, seeds["seat"], anyone)
        deals["rep"] = self.staff.occupant[deals["born"], deals["seat"]]
        deals["first_contact"] = self.draws.uniform("first contact", key) * deals["n_contacts"]
        deals["met"] = np.int64(1) << deals["first_contact"]
        deals["rival"] = deals["rival_recorded"] = deals["reason"] = -1

    def _plan(self, deals: Records) -> None:
        days = _TYPICAL_DAYS[deals["kind"]] * np.exp(0.35 * self.draws.normal("plan", deals["key"]))
        deals["expected"] = deals["born"] + np.maximum(days, 7).astype(np.int64)
        deals["at"] = deals["created"]


def round_amount(amount: Floats) -> Floats:
    """Amounts as people type them: to ten below 10,000, to a hundred above, never under 300."""
    step = np.where(amount < 10_000, 10.0, 100.0)
    return np.maximum(np.round(amount / step) * step, 300.0)


def renewals_and_expansions(won: Records, closed: Ints, draws: Draws, child_keys: list[Keys]) -> list[Records]:
    """What a signed contract leads to: its renewal before it ends, and up to two expansions meanwhile."""
    key = won["key"]
    months = np.array([12, 24, 36])[draws.choice("term", key, np.array([62, 18, 20.0]))]
    term = months * 30.4 * 86_400
    lead = (80 + 45 * draws.uniform("renewal lead", key)) * 86_400
    is_contract = won["kind"] != planted.EXPANSION
    seeds = [_seeds(won, child_keys[0], planted.RENEWAL, (closed + term - lead).astype(np.int64), draws)[is_contract]]
    for turn in (1, 2):
        wanted = draws.uniform("wants more", key, turn) < 0.32 * months / 12 * np.where(
            won["prospect"] % GROUP_EVERY == 0, 3, 1
        )
        when = closed + (0.1 + 0.8 * draws.uniform("more when", key, turn)) * term
        seeds.append(
            _seeds(won, child_keys[turn], planted.EXPANSION, when.astype(np.int64), draws)[is_contract & wanted]
        )
    return seeds


def second_chances(lost: Records, closed: Ints, draws: Draws, child_keys: list[Keys]) -> list[Records]:
    """New business tried again with those who said no."""
    share = np.array([0.28, 0.0, 0.20])[lost["kind"]]
    again = draws.uniform("again", lost["key"]) < share
    when = closed + (150 + 400 * draws.uniform("again when", lost["key"])) * 86_400
    return [_seeds(lost, child_keys[3], planted.NEW, when.astype(np.int64), draws)[again]]


def _seeds(parents: Records, keys: Keys, kind: int, when: Ints, draws: Draws) -> Records:
    seeds = np.zeros(len(parents), dtype=SEED)
    day = NEXT_BUSINESS[np.minimum(day_at(when), N_DAYS)]
    seeds["prospect"], seeds["key"], seeds["kind"] = parents["prospect"], keys, kind
    seeds["created"] = at_work(day, draws.uniform("hour", keys))
    seeds["source"] = PROSPECTING if kind == planted.NEW else CLIENT
    seeds["contract"] = parents["amount"] if kind == planted.RENEWAL else np.nan
    seeds["product"], seeds["seat"] = parents["product"], parents["seat"]
    return seeds
