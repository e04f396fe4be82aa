"""Removing the answers of waves that were kept as long as respondents were told, and no longer."""

import os
import shutil
from datetime import datetime

import polars as pl

from cadran.book.folder import flush, told_of
from cadran.book.imported import forget_aside
from cadran.book.pulse import Pulse


def purge(pulse: Pulse, now: datetime) -> list[str]:
    """Remove each closed wave whose months of retention are over, and the rows set aside when it was imported; those
    of no wave with the last of their survey. What was released of it stays.

    Args:
        pulse: The surveys of a book.
        now: When.

    Returns:
        The names of the waves removed.

    Raises:
        Problem: If the folder cannot be written.
    """
    over = []
    for name in pulse.wave_names():
        wave = pulse.wave(name)
        kept_until = pl.Series([wave.closed_at]).dt.offset_by(f"{wave.terms.retention_months}mo").item()
        if kept_until <= now:
            over.append(name)
    forget_aside(pulse, over)  # first: a wave that is there still is removed next time
    waves = pulse.folder / "waves"
    with told_of(waves):
        # Out of sight at once, then gone: who is interrupted removes the rest next time.
        for name in over:
            os.rename(waves / name, waves / f".gone.{name}")
            flush(waves)
        for path in waves.glob(".gone.*"):
            shutil.rmtree(path)
    return over
