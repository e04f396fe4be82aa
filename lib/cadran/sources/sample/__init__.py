"""An invented company: a coherent pipeline with planted effects, the same to the byte for the same arguments."""

import polars as pl

from cadran.sources.sample.accounts import accounts
from cadran.sources.sample.clock import TAKEN, TIME_ZONE
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.history import happen
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.organisation import actions, reps, stages
from cadran.sources.sample.staff import staff
from cadran.sources.sample.tables import activities as touches
from cadran.sources.sample.tables import contacts, deal_contacts, goals, leads, opportunities, versions
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem

__all__ = ["Levers", "invent"]


def invent(
    deals: int = 6000,
    seed: int = 1,
    signal: float = 1.0,
    levers: Levers | None = None,
    activities: float = 1.0,
) -> Delivery:
    """Invent a company and five years of its pipeline, from 2021-07-01 to 2026-06-30.

    Args:
        deals: Number of deals, 1 or more. With levers pulled it may come out higher or lower, because clients won
            or lost renew or do not: the market is that of so many deals without levers.
        seed: Another seed gives another company.
        signal: How much what decides a deal weighs, 0 to 1. At 0 every closed deal was won with the same chance.
        levers: What is done differently; null changes nothing. The rest of chance stays as it was.
        activities: How many touches are noted, as a multiple of the usual: this share of them below 1, and
            internal tasks besides above 1. Changes nothing else.

    Returns:
        A delivery with every table but the calendar, which the book derives.

    Raises:
        Problem: If an argument is out of its range.
    """
    if deals < 1:
        raise Problem("A sample of {deals} deals was asked for.", "Ask for one deal or more.", deals=deals)
    if not 0 <= signal <= 1:
        raise Problem("The signal is {signal}.", "Give a number from 0 to 1.", signal=signal)
    if activities < 0:
        raise Problem("The multiple of activities is {multiple}.", "Give 0 or more.", multiple=activities)
    people, draws = staff(seed), Draws(seed)
    history = happen(deals, seed, signal, levers or Levers(), activities)
    frames = {
        "stages": stages(),
        "reps": reps(people, draws),
        "accounts": accounts(history, draws),
        "contacts": contacts(history, draws),
        "opportunities": opportunities(history),
        "versions": versions(history, people),
        "deal_contacts": deal_contacts(history, draws),
        "leads": leads(history, people),
        "activities": touches(history, people),
        "targets": goals(history, people),
        "actions": actions(),
    }
    settings = Settings(
        name="Corvélia (invented)",
        taken=TAKEN,
        time_zone=TIME_ZONE,
        currency="EUR",
        amount_basis="total",
        holidays="FR",
    )
    return Delivery(settings, {name: _typed(name, frame) for name, frame in frames.items()})


def _typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of its table, in their order and types."""
    columns = {name: column.dtype for name, column in TABLES[table].columns().items()}
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in columns.items())
