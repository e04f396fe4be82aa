"""The levers of a scenario, and scenarios as files: one set of levers for deals, team, quotas and pay."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cadran.models.pulls import Factors, Pulls
from cadran.tables.toml_file import Section, read_toml

#: The file of a book's plans that holds its scenarios, and how many it may hold beside things as they are.
FILE, MOST = "scenarios.toml", 3
#: What a factor may be. Within it, deals are held to what the book ever showed.
LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
#: Sellers hired at once in one place, and hours to an answer.
MOST_HIRES, MOST_HOURS = 500, 24 * 30.0
#: How a file names all segments, or all regions; and how things as they are stand among scenarios.
ALL, BASELINE = "all", "baseline"


@dataclass(frozen=True)
class Levers:
    """What is done otherwise from the book's day on. A factor of 1, or nothing, leaves things as they are."""

    #: Factors on the odds of winning, by segment (None: all).
    win_odds: Factors = ()
    #: Factors on the size of deals, and on the time they take.
    size: float = 1.0
    cycle: float = 1.0
    #: Factors on new deals, by region (None: all).
    arrivals: Factors = ()
    #: Hours within which every client is answered.
    answer_hours: float | None = None
    #: Region (None where the book knows none), first day of the month, and number of sellers who then begin.
    hires: tuple[tuple[str | None, date, int], ...] = ()
    #: Factors on the months new sellers need, and on those who leave.
    ramp: float = 1.0
    attrition: float = 1.0
    #: Factor on targets and quotas.
    quota: float = 1.0
    #: The pay plan in force; None: the book's own.
    plan: str | None = None

    @property
    def pulls(self) -> Pulls:
        """The levers that move deals."""
        return Pulls(self.win_odds, self.size, self.cycle, self.arrivals, self.answer_hours)


AS_IS = Levers()


def read_scenarios(
    path: Path, segments: Sequence[str], regions: Sequence[str], plans: Sequence[str], months: Sequence[date]
) -> dict[str, Levers]:
    """The scenarios of a file, by name.

    Args:
        path: A TOML file: a `[[scenario]]` each, its keys as `Levers` has them.
        segments: Segments that deals are told by.
        regions: Regions in which sellers can be hired.
        plans: Names of pay plans.
        months: First days of the months told, in order.

    Raises:
        Faults: With everything that is wrong in it.
    """
    file = read_toml(path)
    read: dict[str, Levers] = {}
    told = file.sections("scenario")
    for each in told:
        name = each.text("name").strip()
        if name == BASELINE:
            each.fault(
                "{name} is what things as they are go by.", "Give each scenario a name of its own.", "name", name=name
            )
        elif name in read or (not name and isinstance(each.values.get("name"), str)):
            each.fault("The name {name} is empty, or stands twice.", "Give each scenario a name of its own.", "name",
                       name=name)  # fmt: skip
        read[name] = _levers(each, segments, regions, plans, months)
    if not file.values.get("scenario"):
        file.fault("The file holds no scenario.", "Begin each with [[scenario]].", "scenario")
    if len(told) > MOST:
        file.fault("The file holds {n} scenarios.", "Keep {most}: more cannot be compared at a glance.", "scenario",
                   n=len(told), most=MOST)  # fmt: skip
    file.close()
    file.check()
    return read


def _levers(
    told: Section, segments: Sequence[str], regions: Sequence[str], plans: Sequence[str], months: Sequence[date]
) -> Levers:
    plain = {name: told.number(name, 1.0, LEAST_FACTOR, MOST_FACTOR) for name in ("size", "cycle", "ramp", "quota")}
    read = Levers(
        win_odds=_factors(told.section("win_odds"), segments),
        arrivals=_factors(told.section("arrivals"), regions),
        answer_hours=told.number("answer_hours", least=0.25, most=MOST_HOURS) if told.has("answer_hours") else None,
        hires=tuple(_hires(each, regions, months) for each in told.sections("hires")),
        attrition=told.number("attrition", 1.0, 0.0, MOST_FACTOR),
        plan=told.text("plan", among=plans) if told.has("plan") else None,
        **plain,
    )
    told.close()
    return read


def _factors(told: Section, groups: Sequence[str]) -> Factors:
    """A factor for each group named. One on all is multiplied with those of each."""
    factors = tuple(
        (None if name == ALL else name, told.number(name, 1.0, LEAST_FACTOR, MOST_FACTOR))
        for name in (ALL, *groups) if told.has(name)
    )  # fmt: skip
    told.close()
    return factors


def _hires(told: Section, regions: Sequence[str], months: Sequence[date]) -> tuple[str | None, date, int]:
    region, month = told.group("region", regions), told.day("month", months[0]).replace(day=1)
    if not months[0] <= month <= months[-1]:
        told.fault("{month:%Y-%m-%d} is none of the months told, {first:%Y-%m-%d} to {last:%Y-%m-%d}.", "Write one of them.",
                   "month", month=month, first=months[0], last=months[-1])  # fmt: skip
    n = told.whole("n", least=0, most=MOST_HIRES)
    told.close()
    return region, month, n


def scenarios_file(scenarios: Mapping[str, Levers]) -> str:
    """Scenarios as a file that `read_scenarios` reads."""
    return "\n".join(_written(name, levers) for name, levers in scenarios.items())


def _written(name: str, levers: Levers) -> str:
    lines = ["[[scenario]]", f"name = {_text(name)}"]
    plain = {key: getattr(levers, key) for key in ("size", "cycle", "ramp", "attrition", "quota")}
    lines += [f"{key} = {factor}" for key, factor in plain.items() if factor != 1]
    if levers.answer_hours is not None:
        lines.append(f"answer_hours = {levers.answer_hours}")
    if levers.plan is not None:
        lines.append(f"plan = {_text(levers.plan)}")
    for key in ("win_odds", "arrivals"):
        if factors := getattr(levers, key):
            told = ", ".join(f"{_text(group or ALL)} = {factor}" for group, factor in factors)
            lines.append(f"{key} = {{ {told} }}")
    for region, month, n in levers.hires:
        where = [] if region is None else [f"region = {_text(region)}"]
        lines += ["[[scenario.hires]]", *where, f"month = {month}", f"n = {n}"]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A text between quotes: TOML's are those of JSON."""
    return json.dumps(value, ensure_ascii=False)
