"""Goals per quarter for the company, its regions and its teams: last year's results, and a stretch."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from cadran.sources.sample.clock import DATES, MIDNIGHT, SHOCK, START, Ints, day_of
from cadran.sources.sample.draws import Floats
from cadran.sources.sample.staff import N_TEAMS, REGIONS, SELLERS, TEAMS, region_at, team_at

_STRETCH = 1.10
#: Days before a quarter at which its goals are set.
_NOTICE = 21
#: Share of a year's revenue by quarter of the calendar year, as the company believes it.
_SEASONS = np.array([0.25, 0.27, 0.19, 0.29])
#: The first two years have no full year behind them: a business plan, in euros per quarter and deal of the book.
_PLAN = [400, 1050, 950, 1300, 1050, 1600, 1350, 1500]
#: Goals of the quarters after the fall in demand were lowered on this day, to this share.
_LOWERED_ON, _LOWERED_TO = day_of(DATES[0].replace(year=2024, month=5, day=13)), 0.85
#: First days of the quarters, the one after the last day included: its goals are set by then.
_STARTS = [day for day, date in enumerate(DATES) if date.day == 1 and date.month % 3 == 1] + [len(DATES)]
_END = day_of(DATES[-1].replace(month=9, day=30))


def targets(n_deals: int, at: Ints, amounts: Floats, teams: Ints) -> pl.DataFrame:
    """Versions of every goal.

    Args:
        n_deals: Deals in the book.
        at: Instant of each win.
        amounts: Its amount in the reporting currency (NaN where unknown).
        teams: Its team, as an index into `TEAMS`.
    """
    days = np.searchsorted(MIDNIGHT, at, side="right") - 1
    rows = []
    for number, start in enumerate(_STARTS):
        last = _STARTS[number + 1] - 1 if number + 1 < len(_STARTS) else _END
        goals = _by_plan(n_deals * _PLAN[number]) if number < len(_PLAN) else _by_results(days, amounts, teams, start)
        rows.append(_versions(goals, start, last, start - _NOTICE))
        if start > SHOCK and start - _NOTICE < _LOWERED_ON < last:
            rows.append(_versions(_LOWERED_TO * goals, start, last, _LOWERED_ON))
    return pl.concat(rows).sort("target_id", "valid_from")


def _by_plan(total: float) -> Floats:
    return total * SELLERS / SELLERS.sum()


def _by_results(days: Ints, amounts: Floats, teams: Ints, start: int) -> Floats:
    """Last year's results, half by team and half by head, for teams as they will be."""
    known = start - _NOTICE
    chosen = (days < known) & (days >= known - 365) & ~np.isnan(amounts)
    results = np.bincount(teams[chosen], weights=amounts[chosen], minlength=N_TEAMS)
    blended = 0.5 * results + 0.5 * results.sum() * SELLERS / SELLERS.sum()
    return blended * _STRETCH * _SEASONS[((START + timedelta(days=start)).month - 1) // 3]


def _versions(goals: Floats, start: int, last: int, set_on: int) -> pl.DataFrame:
    """Goals of one quarter: teams to the thousand, regions and the company their sums."""
    members = np.arange(N_TEAMS)
    by_team: Floats = np.round(np.bincount(team_at(members, start), weights=goals, minlength=N_TEAMS) / 1000) * 1000
    regions = region_at(members, start)
    rows: list[tuple[str, str | None, float]] = [("company", None, float(by_team.sum()))]
    rows += [("region", name, float(by_team[regions == i].sum())) for i, name in enumerate(REGIONS)]
    rows += [("team", TEAMS[i], float(by_team[i])) for i in members.tolist() if team_at(members, start)[i] == i]
    first, end, day = (START + timedelta(days=each) for each in (start, last, set_on))
    quarter = f"{first.year}Q{(first.month - 1) // 3 + 1}"
    return pl.DataFrame(
        {
            "target_id": [f"{quarter} {scope_id or scope}" for scope, scope_id, _ in rows],
            "valid_from": [datetime(day.year, day.month, day.day, 8, tzinfo=UTC)] * len(rows),
            "scope": [scope for scope, _, _ in rows],
            "scope_id": [scope_id for _, scope_id, _ in rows],
            "start_date": [first] * len(rows),
            "end_date": [end] * len(rows),
            "amount": [amount for _, _, amount in rows],
        },
        schema_overrides={"scope_id": pl.String, "valid_from": pl.Datetime("us", "UTC")},
    )
