"""An invented company: a coherent pipeline with planted effects, the same to the byte for the same arguments."""

import polars as pl

from cadran.sources.sample import accounts, organisation, tables
from cadran.sources.sample.clock import TAKEN, TIME_ZONE
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.history import happen
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.staff import staff_of
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
    staff, draws = staff_of(seed), Draws(seed)
    history = happen(deals, seed, signal, levers or Levers(), activities)
    frames = {
        "stages": organisation.stages(),
        "reps": organisation.reps(staff, draws),
        "accounts": accounts.accounts(history, draws),
        "contacts": tables.contacts(history, draws),
        "opportunities": tables.opportunities(history),
        "versions": tables.versions(history, staff),
        "deal_contacts": tables.deal_contacts(history, draws),
        "leads": tables.leads(history, staff),
        "activities": tables.activities(history, staff),
        "targets": tables.goals(history, staff),
        "actions": organisation.actions(),
    }
    settings = Settings(
        name="Corvélia (invented)",
        taken=TAKEN,
        time_zone=TIME_ZONE,
        currency="EUR",
        amount_basis="total",
        holidays="FR",
    )
    return Delivery.whole(settings, {name: _typed(name, frame) for name, frame in frames.items()})


def _typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of its table, in their order and types."""
    columns = {name: column.dtype for name, column in TABLES[table].columns().items()}
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in columns.items())
