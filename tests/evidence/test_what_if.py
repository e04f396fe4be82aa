"""What a room's levers promise of open deals, against what the invented company does when they are pulled."""

from datetime import date

import numpy as np
import pytest
from futures import live_until, wins

from cadran.book import open_book, write_book
from cadran.models.hazards import interval_95
from cadran.models.hazards_logit import fit_logit
from cadran.models.landmarks import take
from cadran.models.levers import kept_up
from cadran.models.win import DRAWS, RIDGE, Card, WinModel, drift, open_facts
from cadran.sources.sample import Levers, invent

SEEDS, DEALS, SINCE, FUTURES = range(201, 501), 3000, date(2025, 7, 1), 4
#: Days from the moment to the end of the invented years.
WITHIN = 364.0
#: What the page's lever is set to, and what is done in the company. Nobody is answered slower than now.
PULLED = {
    "contacts": (1, Levers(since=SINCE, extra_contact=True)),
    "decider": (1, Levers(since=SINCE, senior_contact=True)),
    "answer": (1, Levers(since=SINCE, response_time_factor=0.1)),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_pull_in_one_company(ledger, seed, tmp_path):
    if ledger.find(seed=seed):
        return
    delivery = invent(DEALS, seed)
    write_book(tmp_path, delivery, delivery.settings.taken)
    book = open_book(tmp_path).as_of(SINCE)
    taken, facts = take(book), open_facts(book)
    hazards = fit_logit(taken, ridge=RIDGE)
    model = WinModel("logit", hazards, taken.until, Card(0, 0, len(taken), (), (), None, drift(taken)))
    life = live_until(DEALS, seed, SINCE)
    as_is = [wins(life, seed, SINCE, Levers(), future) for future in range(FUTURES)]
    told = {"n_open": facts.height, "wins": float(model.incidence(facts, [WITHIN]).sum()), "wins_true": np.mean(as_is)}
    base, drawn = model.incidence(facts, [WITHIN]), model.drawn(facts, [WITHIN])
    for name, (value, levers) in PULLED.items():
        instead = kept_up(facts, {name: value})
        more = (model.drawn(facts, [WITHIN], DRAWS, instead) - drawn).sum(axis=(1, 2))
        low, high = interval_95(more)
        done = [wins(life, seed, SINCE, levers, future) for future in range(FUTURES)]
        told[name] = {
            "more": float((model.incidence(facts, [WITHIN], instead) - base).sum()), "low": float(low),
            "high": float(high), "true": float(np.mean(np.subtract(done, as_is))),
        }  # fmt: skip
    ledger.add(seed=seed, **told)


@pytest.mark.parametrize("lever", PULLED)
def test_intervals_hold_the_truth(ledger, lever):
    lines = [line[lever] for line in ledger.lines]
    held = np.mean([line["low"] <= line["true"] <= line["high"] for line in lines])
    assert 0.92 <= held <= 0.98, f"{held:.0%} of {len(lines)} companies"
