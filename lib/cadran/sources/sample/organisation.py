"""Rows of the invented company itself: staff through its changes, stages, and the actions it took."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from cadran.sources.sample.clock import DATES, N_DAYS, START, TIME_ZONE
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.names import person_names
from cadran.sources.sample.planted import CRM_PROBABILITIES, STAGES
from cadran.sources.sample.staff import LEADING, REGIONS, REORGANISATION, TEAMS, Person, Staff, region_at, team_at

_KINDS = ["open"] * 5 + ["won", "lost", "disqualified"]
_ACTIONS = [
    (date(2022, 9, 5), "New CRM", "company", None),
    (date(2023, 9, 18), "Training: reaching decision makers", "region", "Île-de-France"),
    (date(2024, 10, 1), "Price increase of 6 %", "company", None),
    (date(2025, 1, 1), "Grenoble becomes a team of its own", "team", "Grenoble"),
    (date(2025, 1, 1), "Toulouse joins Grand Ouest", "team", "Toulouse"),
    (date(2025, 9, 15), "Weekly pipeline review", "region", "Grand Ouest"),
]


def stages() -> pl.DataFrame:
    """The stages of the pipeline, in their order."""
    return pl.DataFrame(
        {
            "stage": STAGES,
            "position": range(len(STAGES)),
            "kind": _KINDS,
            "is_qualified": [kind != "disqualified" and stage != "Qualification"
                             for stage, kind in zip(STAGES, _KINDS, strict=True)],
            "probability": CRM_PROBABILITIES,
        }
    )  # fmt: skip


def actions() -> pl.DataFrame:
    """What the team did, by date. The weekly pipeline review changes nothing: a before/after should not find it."""
    when, label, scope, scope_id = zip(*_ACTIONS, strict=True)
    ids = [f"ACT{number}" for number in range(1, len(when) + 1)]
    return pl.DataFrame({"action_id": ids, "date": when, "label": label, "scope": scope, "scope_id": scope_id})


def rep_ids(staff: Staff) -> list[str]:
    """The identifier of each person, in their order."""
    return [f"R{number:03d}" for number in range(1, len(staff.people) + 1)]


def reps(staff: Staff, draws: Draws) -> pl.DataFrame:
    """What each member of the sales staff was, from one instant until the next change."""
    ids, names = rep_ids(staff), person_names(draws, len(staff.people))
    turning = sorted(
        {REORGANISATION}
        | {day for person in staff.people if staff.seats[person.seat].role in LEADING
           for day in (person.hired, (person.left or N_DAYS) + 1) if 0 < day < N_DAYS}
    )  # fmt: skip
    rows: list[dict[str, object]] = []
    for number, person in enumerate(staff.people):
        until = N_DAYS if person.left is None else person.left + 1
        days = [person.hired, *(day for day in turning if person.hired < day < until)]
        fixed = {"rep_id": ids[number], "name": names[number], "hired_date": _date(person.hired), "left_date": None}
        was: dict[str, object] = {}
        for day in days:
            now = _position(staff, person, max(day, 0), ids)
            if now != was:
                rows.append(fixed | now | {"valid_from": _instant(_date(day))})
            was = now
        if person.left is not None:
            left = {"left_date": _date(person.left), "valid_from": _instant(_date(until))}
            rows.append(fixed | was | left)
    return pl.DataFrame(rows, infer_schema_length=None)


def _position(staff: Staff, person: Person, day: int, ids: list[str]) -> dict[str, object]:
    seat = staff.seats[person.seat]
    head = _occupant(staff, 0, day, ids)
    if seat.team is None:
        return {"team": None, "region": None, "role": seat.role, "manager_id": None if person.seat == 0 else head}
    team, region = int(team_at(seat.team, day)), int(region_at(seat.team, day))
    is_manager = seat.role == "manager" and team == seat.team
    above = 1 + region if is_manager else _manager_seat(staff, team)
    role = seat.role if is_manager or seat.role != "manager" else "presales"
    return {
        "team": TEAMS[team],
        "region": REGIONS[region],
        "role": role,
        "manager_id": _occupant(staff, above, day, ids),
    }


def _manager_seat(staff: Staff, team: int) -> int:
    return next(i for i, seat in enumerate(staff.seats) if seat.team == team and seat.role == "manager")


def _occupant(staff: Staff, seat: int, day: int, ids: list[str]) -> str | None:
    number = int(staff.occupant[min(day, N_DAYS - 1), seat])
    return None if number < 0 else ids[number]


def _date(day: int) -> date:
    return DATES[day] if 0 <= day < N_DAYS else START + timedelta(days=day)


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIME_ZONE)).astimezone(UTC)
