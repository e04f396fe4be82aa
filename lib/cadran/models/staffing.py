"""What a plan of the staff states: working time, leave, joiners and leavers, what hiring takes, in place of what is assumed."""

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from cadran.tables.problems import Problem
from cadran.tables.toml_file import Section, read_toml

#: The file of a book's plan, in the folder of its plans.
FILE = "staffing.toml"
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
#: Years that recruiting may take: calendars reach no further.
MOST_RECRUITING_YEARS = 2
#: A region and a team; null: not known, or in no team.
Group = tuple[str | None, str | None]


@dataclass(frozen=True)
class Move:
    """So many sellers who join from a day on, or whose last day it is. No region: the book knows none."""

    region: str | None
    team: str | None
    day: date
    n: int


@dataclass(frozen=True)
class Opening:
    """A region or team that begins on a day, and the hours of work a month that it is expected to bring."""

    region: str
    team: str | None
    day: date
    hours: float


@dataclass(frozen=True)
class Staffing:
    """What is stated of the staff. What the file does not say keeps its default here, an assumption that is told as one;
    what is None is learnt from the book, where it can be."""

    hours_per_week: float = 35.0
    #: Share of the working time that goes into deals.
    selling_share: float = 0.35
    #: Share of all work on deals that concerns no single deal: training, forecasts, travel.
    other_share: float = 0.0
    #: Hours a month of 21 business days that an open deal takes, and hours more that a new one does.
    hours_per_open_deal: float | None = None
    hours_per_new_deal: float | None = None
    #: Share of the selling hours of the last twelve months that went into deals.
    past_load: float | None = None
    #: Days of leave in each month of a year; assumed: five weeks, spread as the French take them.
    leave_days: tuple[float, ...] = (1.0, 2.0, 1.0, 2.0, 2.5, 1.0, 4.0, 7.5, 0.5, 1.0, 0.5, 2.0)
    #: Share of a tenured seller's work in the first, second, … month; months until it is whole, rising evenly.
    ramp_shares: tuple[float, ...] = ()
    ramp_months: float | None = None
    #: From this share on a new seller is useful.
    useful_share: float = 0.5
    #: Share of the sellers who leave within a year.
    yearly_attrition: float | None = None
    notice_months: float = 3.0
    recruiting_days: float = 45.0
    #: How much a business day of each month counts when recruiting.
    recruiting_pace: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.3, 1.0, 1.0, 1.0, 0.7)
    #: What a seller costs a month, all included, in the book's currency; and the share of revenue that counts.
    monthly_cost: float | None = None
    margin: float = 1.0
    #: A month is short when the chance that load exceeds capacity reaches this.
    threshold: float = 0.5
    joiners: tuple[Move, ...] = ()
    leavers: tuple[Move, ...] = ()
    openings: tuple[Opening, ...] = ()
    #: Hours a week that one-to-ones take of each manager, as noted beside the book; no file states them.
    met_hours: tuple[tuple[str, float], ...] = ()
    #: Names of the fields above that the file states.
    stated: frozenset[str] = frozenset()
    #: What was left out of it, and why; the rest goes on.
    set_aside: tuple[Problem, ...] = field(default=(), compare=False)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Fields that keep a default, in order: assumptions."""
        told = {each.name: each.default for each in fields(self)}
        plain = [name for name, default in told.items() if isinstance(default, float) or name in _BY_MONTH]
        return tuple(name for name in plain if name not in self.stated)


_BY_MONTH = ("leave_days", "recruiting_pace")
#: Table and key of each number of the file, its least and its most.
_NUMBERS: dict[str, tuple[str, str, float, float]] = {
    "hours_per_week": ("time", "hours_per_week", 1, 80),
    "selling_share": ("time", "selling_share", 0.01, 1),
    "other_share": ("time", "other_share", 0, 0.95),
    "hours_per_open_deal": ("load", "hours_per_open_deal", 0, 500),
    "hours_per_new_deal": ("load", "hours_per_new_deal", 0, 500),
    "past_load": ("load", "past_load", 0.01, 3),
    "ramp_months": ("ramp", "months", 0, 36),
    "useful_share": ("ramp", "useful_share", 0.01, 1),
    "yearly_attrition": ("attrition", "yearly_share", 0, 0.9),
    "notice_months": ("hiring", "notice_months", 0, 12),
    "recruiting_days": ("hiring", "recruiting_days", 0, 400),
    "monthly_cost": ("hiring", "monthly_cost", 0, 1e7),
    "margin": ("hiring", "margin", 0, 1),
    "threshold": ("hiring", "threshold", 0.01, 0.99),
}


def read_staffing(path: Path, groups: Mapping[Group, int], months: Sequence[date]) -> Staffing:
    """A plan of the staff, out of its file.

    Args:
        path: The TOML file; `docs/capacity.md` says what it may hold.
        groups: Regions and teams of the book, with how many sell in each.
        months: First days of the months planned, in order.

    Returns:
        What it states. A joiner, leaver or opening that cannot be is in `set_aside`; the others go on.

    Raises:
        Problem: If the file cannot be read, or a number of it is missing, no number or out of its range: all told.
    """
    plan = read_toml(path)
    tables = {name: plan.section(name) for name in ("time", "load", "leave", "ramp", "attrition", "hiring")}
    told: dict[str, Any] = {}
    for name, (table, key, least, most) in _NUMBERS.items():
        value = tables[table].number(key, least, least, most)
        if tables[table].has(key):
            told[name] = value
    if tables["leave"].has("days"):
        told["leave_days"] = _by_month(tables["leave"].section("days"), 31)
    if tables["hiring"].has("pace"):
        pace = tables["hiring"].section("pace")
        told["recruiting_pace"] = _by_month(pace, 1, Staffing.recruiting_pace)
    _check_recruiting(tables["hiring"], told)
    _check_load(tables["load"], told)
    if tables["ramp"].has("shares"):
        told["ramp_shares"] = _shares(tables["ramp"])
    moves = {name: plan.sections(name) for name in ("joiners", "leavers", "openings")}
    for section in (*tables.values(), plan):
        section.close()
    plan.check()
    staffing = Staffing(**told, stated=frozenset(told))  # type: ignore[arg-type]
    return _with_moves(staffing, moves, groups, months)


def _by_month(section: Section, most: float, default: Sequence[float] | None = None) -> tuple[float, ...]:
    """A number for each month of a year; without a default, each must be said."""
    usual: Sequence[float | None] = default or [None] * 12
    told = tuple(section.number(name, value, 0, most) for name, value in zip(MONTHS, usual, strict=True))
    section.close()
    return told


def _check_recruiting(hiring: Section, told: dict[str, Any]) -> None:
    """No day can be told on which to begin what never ends."""
    days = told.get("recruiting_days", Staffing.recruiting_days)
    a_year = 21 * sum(told.get("recruiting_pace", Staffing.recruiting_pace))
    if days > MOST_RECRUITING_YEARS * a_year:
        hiring.fault(
            "Recruiting takes more than two years: {days} business days, and a year counts {a_year} of them.",
            "Write fewer days, or a pace nearer to 1.", "recruiting_days", days=round(days), a_year=round(a_year),
        )  # fmt: skip


def _check_load(load: Section, told: dict[str, Any]) -> None:
    """What deals take is said in one way, and whole."""
    if "past_load" in told and ("hours_per_open_deal" in told or "hours_per_new_deal" in told):
        load.fault("How full sellers were and the hours of a deal are both said: each tells the other.", "Keep one of the two.",
                   "past_load")  # fmt: skip
    elif "hours_per_new_deal" in told and "hours_per_open_deal" not in told:
        load.fault("It is missing.", "Say it.", "hours_per_open_deal")


def _shares(ramp: Section) -> tuple[float, ...]:
    """The shares of the ramp, month by month; they never fall."""
    shares = ramp.numbers("shares", 0, 1)
    if ramp.values["shares"] == []:
        ramp.fault("The list is empty.", "Write shares that rise, as [0.2, 0.5, 0.8].", "shares")
    if ramp.has("months"):
        ramp.fault("The ramp is said twice, as `shares` and as `months`.", "Keep one of the two.", "months")
    if list(shares) != sorted(shares):
        ramp.fault("{value} falls on the way.", "Write shares that rise, as [0.2, 0.5, 0.8].", "shares",
                   value=list(shares))  # fmt: skip
    return shares


def _with_moves(
    staffing: Staffing, moves: dict[str, list[Section]], groups: Mapping[Group, int], months: Sequence[date]
) -> Staffing:
    """The staffing with those of its moves that can be; the others set aside."""
    aside: list[Problem] = []
    openings: list[Opening] = []
    for section in moves["openings"]:
        section.faults = []
        opening = _opening(section, groups)
        if not section.faults:
            _check_begins(section, opening, openings, months)
        aside += section.faults
        openings += [] if section.faults else [opening]
    known = {*groups, *((region, None) for region, _ in groups)}
    begins: dict[Group, date] = {(each.region, each.team): each.day for each in openings}
    begins |= {(each.region, None): each.day for each in reversed(openings) if (each.region, None) not in known}
    told: dict[str, tuple[Move, ...]] = {}
    for name, day in (("joiners", "first_day"), ("leavers", "last_day")):
        kept: list[Move] = []
        for section in moves[name]:
            section.faults = []
            move = _move(section, day, known, begins, months)
            if name == "leavers" and not section.faults:
                left = _there(move, [(*group, n) for group, n in groups.items()])
                left += _there(move, [(each.region, each.team, each.n) for each in told["joiners"]])
                left -= _there(move, [(each.region, each.team, each.n) for each in kept])
                if move.n > left:
                    section.fault(
                        "{n} leave where {left} are.", "Write no more than are there.", "n", n=move.n, left=left
                    )
            aside += section.faults
            kept += [] if section.faults else [move]
        told[name] = tuple(kept)
    return replace(
        staffing, joiners=told["joiners"], leavers=told["leavers"], openings=tuple(openings), set_aside=tuple(aside)
    )


def _there(move: Move, sellers: Sequence[tuple[str | None, str | None, int]]) -> int:
    """How many of some sellers, by region and team, are where a move is."""
    return sum(n for region, team, n in sellers if region == move.region and move.team in (None, team))


def _opening(section: Section, groups: Collection[Group]) -> Opening:
    team = section.text("team", "") or None
    opening = Opening(section.text("region"), team, section.day("first_day"),
                      section.number("hours_per_month", 0.0, 0, 1e6))  # fmt: skip
    section.close()
    if (opening.region, opening.team) in groups or (
        team is None and opening.region in {region for region, _ in groups}
    ):
        section.fault("{name} is there already.", "Remove it: what it brings is forecast from its deals.",
                      "team" if team else "region", name=team or opening.region)  # fmt: skip
    return opening


def _check_begins(section: Section, opening: Opening, others: Sequence[Opening], months: Sequence[date]) -> None:
    if (opening.region, opening.team) in [(each.region, each.team) for each in others]:
        section.fault("{name} begins twice.", "Write it once.", "team" if opening.team else "region",
                      name=opening.team or opening.region)  # fmt: skip
    _check_planned(section, "first_day", opening.day, months)


def _move(
    section: Section, day: str, known: Collection[Group], begins: dict[Group, date], months: Sequence[date]
) -> Move:
    regions = sorted({region for region, _ in (*known, *begins) if region})
    region = section.group("region", regions)
    teams = sorted({team for of, team in (*known, *begins) if of == region and team})
    team = section.text("team", among=teams) if section.has("team") else None
    move = Move(region, team, section.day(day), section.whole("n", 1, 1, 10_000))
    section.close()
    if section.faults:
        return move
    first = begins.get((region, team)) or begins.get((region, None))
    if first and move.day < first:
        section.fault("{name} begins only on {first:%Y-%m-%d}.", "Name that day or a later one.", day,
                      name=team or region, first=first)  # fmt: skip
    _check_planned(section, day, move.day, months)
    return move


def _check_planned(section: Section, key: str, day: date, months: Sequence[date]) -> None:
    """A day lies within the months planned."""
    last = months[-1].replace(day=monthrange(months[-1].year, months[-1].month)[1])
    if not months[0] <= day.replace(day=1) <= months[-1]:
        section.fault("{day:%Y-%m-%d} lies outside the months planned, {first:%Y-%m-%d} to {last:%Y-%m-%d}.",
                      "Name a day within them; who has come or gone before is in the book.", key,
                      day=day, first=months[0], last=last)  # fmt: skip
