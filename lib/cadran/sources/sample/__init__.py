"""An invented company: a coherent pipeline with planted effects, the same to the byte for the same arguments."""

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from cadran.sources.sample.clock import TAKEN, TIME_ZONE
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.history import History, happen
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.slices import parts
from cadran.sources.sample.staff import staff_of
from cadran.tables import VERSIONED
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem

__all__ = ["Levers", "invent", "write_plans"]


def invent(
    deals: int = 6000,
    seed: int = 1,
    signal: float = 1.0,
    levers: Levers | None = None,
    activities: float = 1.0,
    progress: Callable[[float], None] | None = None,
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
        progress: Told the share of the deals invented (0 to 1), while the parts are gone through.

    Returns:
        A delivery with every table but the calendar, which the book derives. The company is invented while its
        parts are gone through: at any size, memory holds one slice of the market or one bucket of a table.

    Raises:
        Problem: If an argument is out of its range.
    """
    if deals < 1:
        raise Problem("A sample of {deals} deals was asked for.", "Ask for one deal or more.", deals=deals)
    if not 0 <= signal <= 1:
        raise Problem("The signal is {signal}.", "Give a number from 0 to 1.", signal=signal)
    if activities < 0:
        raise Problem("The multiple of activities is {multiple}.", "Give 0 or more.", multiple=activities)
    settings = Settings(
        name="Corvélia (invented)",
        taken=TAKEN,
        time_zone=TIME_ZONE,
        currency="EUR",
        amount_basis="total",
        holidays="FR",
    )
    slices = happen(deals, seed, signal, levers or Levers(), activities)
    if progress:
        slices = _told(slices, deals, progress)
    return Delivery(settings, parts(slices, staff_of(seed), Draws(seed)), histories=frozenset(VERSIONED))


def write_plans(folder: Path) -> None:
    """Lay the plans of the invented company, and the survey it asks, beside the versions of its book."""
    for kind in ("plans", "surveys"):
        (folder / kind).mkdir(exist_ok=True)
        for file in (files("cadran.sources.sample") / kind).iterdir():
            (folder / kind / file.name).write_bytes(file.read_bytes())


def _told(slices: Iterable[History], n_deals: int, progress: Callable[[float], None]) -> Iterator[History]:
    """The slices as they come; before each, `progress` is told the share of the deals that there are."""
    found = 0
    for history in slices:
        found += len(history.deals)
        progress(min(found / n_deals, 1.0))
        yield history
