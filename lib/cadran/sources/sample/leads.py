"""Raised hands: when they come, how fast they are answered, and which become deals."""

import numpy as np

from cadran.sources.sample.clock import HOUR, N_DAYS, TAKEN, arrival, at_work, day_at, day_of, in_office_hours
from cadran.sources.sample.draws import Draws, Floats
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.market import Prospects
from cadran.sources.sample.planted import SOURCE
from cadran.sources.sample.staff import Staff

LEAD = np.dtype(
    [("prospect", "i8"), ("source", "i8"), ("seat", "i8"), ("rep", "i8"), ("created", "i8"), ("answered", "i8"),
     ("qualified", "i8"), ("rejected", "i8")]
)  # fmt: skip
_END = int(TAKEN.timestamp())
_DAY = 86_400
#: Chance to qualify when no observable fact matters.
_BLIND = 0.30


def leads(market: Prospects, staff: Staff, signal: float, levers: Levers, draws: Draws) -> np.ndarray:
    """One row per prospect; `created` is 0 where no hand was raised, other instants are 0 where they never came.

    A hand answered late has often been lowered: the chance to qualify is 1 - exp(-exp(score)), where the score
    falls with the logarithm of the waiting time and rises with an unobserved interest.
    """
    key = market.key
    day = arrival(draws.uniform("lead day", key))
    rows = np.zeros(len(key), dtype=LEAD)
    rows["prospect"], rows["source"] = market.index, market.source
    rows["created"] = at_work(day, draws.uniform("lead hour", key), 7.0, 22.0)
    rows["seat"] = staff.pick(day, market.team, draws.uniform("lead rep", key))
    rows["rep"] = staff.occupant[day, rows["seat"]]
    hours = _waiting_hours(rows, day, levers, draws)
    due = in_office_hours(rows["created"] + (hours * HOUR).astype(np.int64), draws.uniform("lead evening", key))
    is_answered = (draws.uniform("lead answered", key) > 0.08) & (due <= _END)
    rows["answered"] = np.where(is_answered, due, 0)
    waited = (due - rows["created"]) / HOUR
    score = -0.55 + 0.45 * _interest(market, draws) + SOURCE[rows["source"]] - 0.30 * np.log1p(waited / 8)
    chance = (1 - signal) * _BLIND + signal * (1 - np.exp(-np.exp(score)))
    qualifies = draws.uniform("lead qualifies", key) < chance
    _decide(rows, qualifies & is_answered, is_answered, draws, key)
    rows[~market.is_lead] = 0
    return rows


def _interest(market: Prospects, draws: Draws) -> Floats:
    """Unobserved: shared with the fit of the account, so that it shows again in the deal."""
    return 0.6 * market.fit + 0.8 * draws.normal("interest", market.key)


def _waiting_hours(rows: np.ndarray, day: np.ndarray, levers: Levers, draws: Draws) -> Floats:
    slow = draws.normal("slow", rows["rep"].astype(np.uint64))
    hours = np.exp(1.6 + 0.45 * slow + 1.25 * draws.normal("lead wait", rows["prospect"].astype(np.uint64)))
    return hours * np.where(day >= day_of(levers.since), levers.response_time_factor, 1.0)


def _decide(rows: np.ndarray, qualifies: np.ndarray, is_answered: np.ndarray, draws: Draws, key: np.ndarray) -> None:
    after = np.exp(1.6 + 0.9 * draws.normal("lead decision", key)) * _DAY
    begins = np.where(is_answered, rows["answered"], rows["created"] + 40 * _DAY)
    when = in_office_hours((begins + after).astype(np.int64), draws.uniform("decision hour", key))
    known = (when <= _END) & (day_at(when) < N_DAYS)
    rows["qualified"] = np.where(qualifies & known, when, 0)
    forgotten = draws.uniform("lead forgotten", key) < 0.06
    rows["rejected"] = np.where(~qualifies & known & ~forgotten, when, 0)
