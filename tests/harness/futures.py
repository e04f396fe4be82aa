"""What a lever truly adds to the deals open on a day: the invented company lived on, many times, with it and without."""

import copy
from datetime import date

import numpy as np

from cadran.sources.sample.clock import IS_BUSINESS, N_DAYS, day_of
from cadran.sources.sample.draws import Draws, mix_one
from cadran.sources.sample.history import happen
from cadran.sources.sample.leads import leads
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.market import prospects
from cadran.sources.sample.pipeline import Pipeline
from cadran.sources.sample.planted import WON
from cadran.sources.sample.staff import staff_of

#: Steps of this purpose are months, not days.
_BY_MONTH = "busy"


class Futures(Draws):
    """The chance of one seed until a day, and another from it on for each `future`; 0 is the company's own."""

    def __init__(self, seed: int, since: int, future: int):
        super().__init__(seed)
        self.since, self.future = since, future

    def _salt(self, purpose: str, step: int) -> int:
        salt = super()._salt(purpose, step)
        is_later = self.future and purpose != _BY_MONTH and self.since <= step < N_DAYS
        return mix_one(salt + self.future * 7919) if is_later else salt


def live_until(deals: int, seed: int, since: date) -> Pipeline:
    """The company of `invent(deals, seed)` as it stands on the morning of a day."""
    staff, draws = staff_of(seed), Draws(seed)
    n_prospects = sum(len(part.market.index) for part in happen(deals, seed, 1.0, Levers(), 0.0))
    market = prospects(np.arange(n_prospects, dtype=np.int64), draws)
    raised = leads(market, staff, 1.0, Levers(), draws)
    life = Pipeline(market, raised, staff, 1.0, Levers(), draws, 0.0)
    _live(life, 0, day_of(since))
    return life


def wins(life: Pipeline, seed: int, since: date, levers: Levers, future: int) -> int:
    """How many of the deals that are open are won by the end, in one future."""
    on, first = copy.deepcopy(life), day_of(since)
    draws = Futures(seed, first, future)
    for part in (on, on.conduct, on.births):
        part.draws, part.levers = draws, levers
    on.since = on.conduct.since = first
    n_before = len(on.versions)
    _live(on, first, N_DAYS)
    later = np.concatenate(on.versions[n_before:])
    return len(np.intersect1d(later["number"][later["status"] == WON], life.live["number"]))


def _live(life: Pipeline, first: int, last: int) -> None:
    for day in range(first, last):
        if IS_BUSINESS[day]:
            life._live(day)
            life._begin(day)
            life._reopen(day)
