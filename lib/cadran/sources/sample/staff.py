"""The invented sales staff: 200 seats in 12 teams and head office, who sat in them when, and one reorganisation."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from cadran.sources.sample.clock import N_DAYS, Ints, day_of
from cadran.sources.sample.draws import Draws, Floats

REGIONS = ["Île-de-France", "Nord", "Grand Ouest", "Sud-Est", "International"]
#: Team: region since the reorganisation, sellers, other members (the first of them manages the team).
_TEAMS = {
    "Paris Centre": (0, 16, 8),
    "Paris Ouest": (0, 14, 6),
    "Lille": (1, 11, 5),
    "Strasbourg": (1, 9, 4),
    "Nantes": (2, 10, 4),
    "Bordeaux": (2, 8, 4),
    "Toulouse": (2, 9, 5),
    "Lyon": (3, 10, 5),
    "Grenoble": (3, 7, 3),
    "Marseille": (3, 12, 6),
    "Genève": (4, 3, 1),
    "London": (4, 11, 6),
}
TEAMS = list(_TEAMS)
N_TEAMS = len(TEAMS)
_REGION = np.array([region for region, _, _ in _TEAMS.values()])
#: Sellers of each team: its weight in the market.
SELLERS: Floats = np.array([sellers for _, sellers, _ in _TEAMS.values()], dtype=np.float64)
_LYON, _GRENOBLE, _TOULOUSE = (TEAMS.index(name) for name in ("Lyon", "Grenoble", "Toulouse"))
#: Teams the reorganisation touches: Grenoble leaves Lyon, Toulouse moves from Sud-Est to Grand Ouest.
REORGANISED = (_LYON, _GRENOBLE, _TOULOUSE)
REORGANISATION = day_of(date(2025, 1, 1))
_HEAD_OFFICE = ["head of sales"] + ["region director"] * len(REGIONS) + ["sales operations"] * 6 + ["support"] * 11
_OTHERS = ["manager", "presales", "sales development", "customer success"]
#: Roles that lead others: filled from the first day, and never empty.
LEADING = ("manager", "region director", "head of sales")
_SMALL_TEAM = 5
_YEARLY_LEAVERS = {"seller": 0.15, "manager": 0.07}


def team_at(team: Ints | int, day: Ints | int) -> Ints:
    """The team as it was called on a day."""
    return np.where((np.asarray(team) == _GRENOBLE) & (np.asarray(day) < REORGANISATION), _LYON, team)


def region_at(team: Ints | int, day: Ints | int) -> Ints:
    """The region a team belonged to on a day, as an index into `REGIONS`."""
    region = np.array([region for region, _, _ in _TEAMS.values()])[team]
    return np.where(
        (np.asarray(team) == _TOULOUSE) & (np.asarray(day) < REORGANISATION), REGIONS.index("Sud-Est"), region
    )


@dataclass(frozen=True)
class Seat:
    """A post: its team (null at head office), its role, and the first day it was filled."""

    team: int | None
    role: str
    opens: int


@dataclass(frozen=True)
class Person:
    """Someone who held a seat from `hired` until `left` (days, both included; null while employed)."""

    seat: int
    hired: int
    left: int | None


@dataclass(frozen=True)
class Staff:
    """The seats, the people, and who was where.

    `occupant` (days × seats) holds an index into `people`, -1 where the seat was empty. `roster`
    (days × teams × seats) lists the seats with a seller, `n_roster` (days × teams) how many there are.
    """

    seats: list[Seat]
    people: list[Person]
    occupant: Ints
    roster: Ints
    n_roster: Ints

    def hired(self) -> Ints:
        """First day of each person."""
        return np.array([person.hired for person in self.people])

    def pick(self, day: Ints | int, team: Ints, chance: Floats) -> Ints:
        """The seat of a seller who is in the team on that day."""
        return self.roster[day, team, (chance * self.n_roster[day, team]).astype(np.int64)]


def _seats(draws: Draws) -> list[Seat]:
    posts: list[tuple[int | None, str]] = [(None, role) for role in _HEAD_OFFICE]
    for team, (_, sellers, others) in enumerate(_TEAMS.values()):
        roles = ["manager"] + [_OTHERS[1 + i % 3] for i in range(others - 1)]
        posts += [(team, role) for role in roles + ["seller"] * sellers]
    keys = np.arange(len(posts), dtype=np.uint64)
    late, when = draws.uniform("seat is new", keys), draws.uniform("seat opens", keys)
    opens = np.where(late < 0.17, 90 + 1100 * when, 0).astype(np.int64)
    fixed = [role in LEADING or _is_small(team) for team, role in posts]
    return [Seat(team, role, 0 if fixed[i] else int(opens[i])) for i, (team, role) in enumerate(posts)]


def _is_small(team: int | None) -> bool:
    return team is not None and sum(list(_TEAMS.values())[team][1:]) <= _SMALL_TEAM


def _holders(number: int, seat: Seat, draws: Draws) -> list[Person]:
    """Those who held one seat, in order. A seat is never empty on the last day."""
    chance = draws.uniform(
        "turnover", np.array([number], dtype=np.uint64) * np.uint64(1000) + np.arange(60).astype("u8")
    )
    stay_days = 365.25 / _YEARLY_LEAVERS.get(seat.role, 0.10)
    hired = seat.opens if seat.opens else -int(60 + min(-1000 * np.log(chance[0]), 4500))
    begins, people = max(hired, 0), []
    for turn in range(1, 29):
        left = begins + int(120 - stay_days * np.log(chance[2 * turn]))
        empty = 0 if _is_small(seat.team) or seat.role in LEADING else int(20 + 70 * chance[2 * turn + 1])
        if left + empty + 1 >= N_DAYS - 1:
            break
        people.append(Person(number, hired, left))
        hired = begins = left + empty + 1
    return [*people, Person(number, hired, None)]


@lru_cache(maxsize=8)
def staff_of(seed: int) -> Staff:
    """The sales staff of a seed: 200 people, 120 of them sellers, on the last day."""
    draws = Draws(seed)
    seats = _seats(draws)
    people = [person for number, seat in enumerate(seats) for person in _holders(number, seat, draws)]
    people.sort(key=lambda person: (person.hired, person.seat))
    occupant = np.full((N_DAYS, len(seats)), -1, dtype=np.int64)
    for number, person in enumerate(people):
        until = N_DAYS if person.left is None else person.left + 1
        occupant[max(person.hired, 0) : until, person.seat] = number
    roster, n_roster = _roster(seats, occupant)
    return Staff(seats, people, occupant, roster, n_roster)


def _roster(seats: list[Seat], occupant: Ints) -> tuple[Ints, Ints]:
    widest = int(SELLERS.max())
    roster = np.zeros((N_DAYS, N_TEAMS, widest), dtype=np.int64)
    n_roster = np.zeros((N_DAYS, N_TEAMS), dtype=np.int64)
    for team in range(N_TEAMS):
        members = np.array([i for i, seat in enumerate(seats) if seat.team == team and seat.role == "seller"])
        present = occupant[:, members] >= 0
        order = np.argsort(~present, axis=1, kind="stable")
        roster[:, team, : len(members)] = members[order]
        n_roster[:, team] = present.sum(axis=1)
    return roster, n_roster
