"""The invented market: prospects and clients, the people there, what is sold and against whom."""

from dataclasses import dataclass

import numpy as np

from cadran.sources.sample.clock import DATES, N_DAYS, Ints
from cadran.sources.sample.draws import Draws, Floats, Keys
from cadran.sources.sample.staff import SELLERS, TEAMS

SECTORS = ["Industry", "Retail", "Finance", "Health", "Public sector", "Energy", "Technology", "Transport"]
SEGMENTS = ["SMB", "Mid-market", "Enterprise"]
PRODUCTS = ["Platform", "Analytics", "Integration", "Services", "Training"]
#: Where a first deal comes from. The last two are not raised hands: sellers prospect, clients are already there.
SOURCES = ["Website", "Webinar", "Trade show", "Referral", "Partner", "Prospecting", "Client"]
PROSPECTING, CLIENT = SOURCES.index("Prospecting"), SOURCES.index("Client")
COMPETITORS = ["Altivore", "Brumance", "Celtéa", "Dorvanne", "Quorline"]
FUNCTIONS = ["General management", "Finance", "IT", "Operations", "Purchasing"]
SENIORITIES = ["Specialist", "Manager", "Director", "Executive"]
COUNTRIES = ["FR", "BE", "DE", "CH", "GB", "IE"]
CURRENCIES = ["EUR", "CHF", "GBP"]
#: Seats for people at a client: more than eight are never met.
N_CONTACTS = 8
#: Every so many prospects, one is the head of a group.
GROUP_EVERY = 40

_SECTOR_WEIGHTS = np.array([22, 14, 12, 11, 9, 7, 15, 10.0])
_SOURCE_WEIGHTS = np.array([34, 16, 14, 20, 16.0])
_ABROAD = {"Lille": "BE", "Strasbourg": "DE", "Genève": "CH", "London": "GB"}
#: Euros for one unit of CHF and of GBP, at the start and five years later; quarters lie on a line with a ripple.
_RATES = {"CHF": (0.93, 1.06, 0.012), "GBP": (1.168, 1.165, 0.018)}


@dataclass(frozen=True)
class Prospects:
    """Facts of prospects, one array element each. `index` numbers them from 0 over the whole market."""

    index: Ints
    key: Keys
    is_client: np.ndarray
    is_lead: np.ndarray
    source: Ints
    team: Ints
    country: Ints
    #: Index into `CURRENCIES`.
    currency: Ints
    sector: Ints
    employees: Ints
    segment: Ints
    parent: Ints
    #: Unobserved: how well what is sold fits them.
    fit: Floats
    #: Unobserved: how much they spend for their size, on a log scale.
    appetite: Floats
    n_contacts: Ints


def prospects(index: Ints, draws: Draws) -> Prospects:
    """The prospects of these numbers."""
    key = index.astype(np.uint64)
    head = index % GROUP_EVERY == 0
    kind = draws.uniform("prospect kind", key)
    is_client = (kind < 0.030) | head
    is_lead = ~is_client & (kind < 0.78)
    source = np.where(is_lead, draws.choice("source", key, _SOURCE_WEIGHTS), PROSPECTING)
    team = draws.choice("team", key, SELLERS)
    sector = draws.choice("sector", key, _SECTOR_WEIGHTS)
    size = 4.75 + 1.45 * draws.normal("employees", key) + 0.35 * is_client + 2.6 * head
    employees = np.clip(np.exp(size), 5, 90_000).astype(np.int64)
    groups = index // GROUP_EVERY
    of_group = (draws.uniform("in a group", key) < 0.10) & ~head & (groups > 0)
    parent = np.floor(groups * draws.uniform("group", key) ** 2).astype(np.int64) * GROUP_EVERY
    segment = segment_of(employees)
    country = _countries(team, draws.uniform("country", key))
    return Prospects(
        index=index,
        key=key,
        is_client=is_client,
        is_lead=is_lead,
        source=np.where(is_client, CLIENT, source),
        team=team,
        country=country,
        currency=np.where(country == COUNTRIES.index("CH"), 1, np.where(country == COUNTRIES.index("GB"), 2, 0)),
        sector=sector,
        employees=employees,
        segment=segment,
        parent=np.where(of_group, parent, -1),
        fit=draws.normal("fit", key),
        appetite=0.45 * draws.normal("appetite", key),
        n_contacts=3 + segment + (3 * draws.uniform("people", key)).astype(np.int64),
    )


def segment_of(employees: Ints) -> Ints:
    """Index into `SEGMENTS`: below 100 staff, below 1,000, above."""
    return (employees >= 100).astype(np.int64) + (employees >= 1000)


def _countries(team: Ints, chance: Floats) -> Ints:
    abroad = np.array([COUNTRIES.index(_ABROAD.get(name, "FR")) for name in TEAMS])
    share = np.array([{"Lille": 0.25, "Strasbourg": 0.3, "Genève": 0.9, "London": 0.85}.get(name, 0) for name in TEAMS])
    otherwise = np.where(team == TEAMS.index("London"), COUNTRIES.index("IE"), COUNTRIES.index("FR"))
    return np.where(chance < share[team], abroad[team], otherwise)


def people(market: Prospects, draws: Draws) -> tuple[Ints, Ints]:
    """Function and seniority (indices) of the people at each prospect: two arrays, prospects × `N_CONTACTS`."""
    function = np.empty((len(market.index), N_CONTACTS), dtype=np.int64)
    seniority = np.empty_like(function)
    for place in range(N_CONTACTS):
        function[:, place] = 5 * draws.uniform("function", market.key, place)
        level = draws.uniform("seniority", market.key, place)
        seniority[:, place] = (level > 0.34).astype(np.int64) + (level > 0.72) + (level > 0.92)
    last = market.n_contacts - 1
    rows = np.arange(len(last))
    seniority[rows, last] = np.maximum(seniority[rows, last], 2)
    return function, seniority


def rate_at(currency: Ints, day: Ints) -> Floats:
    """Euros for one unit of each currency (index) at the rate of the quarter of each day."""
    quarters = np.array([(each.year - 2021) * 4 + (each.month - 1) // 3 - 2 for each in DATES])
    table = np.ones((len(CURRENCIES), N_DAYS))
    for number, name in enumerate(CURRENCIES[1:], start=1):
        begins, ends, ripple = _RATES[name]
        table[number] = np.round(begins + (ends - begins) * quarters / 19 + ripple * np.sin(1.3 * quarters), 4)
    return table[currency, day]
