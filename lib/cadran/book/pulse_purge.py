"""Removing the answers of waves that were kept as long as respondents were told, and no longer."""

import json
import os
import shutil
from datetime import date, datetime

import polars as pl

from cadran.book.folder import flush, told_of
from cadran.book.imported import forget_aside
from cadran.book.pulse import Pulse
from cadran.tables.problems import Problem

#: Beside the waves: the day each of those removed went.
_FILE = "purged.json"


def purged(pulse: Pulse) -> dict[str, date]:
    """The waves that were removed, by name ("pulse@2024-05"), with the day.

    Raises:
        Problem: If the file that says so is damaged.
    """
    path = pulse.folder / _FILE
    try:
        told = json.loads(path.read_text("utf-8"))
        return {name: date.fromisoformat(day) for name, day in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Problem(
            "{file} cannot be read: {reason}", "Put it back from your backup.", file=path, reason=str(error)
        ) from error


def purge(pulse: Pulse, now: datetime) -> list[str]:
    """Remove each closed wave whose months of retention are over, what of its comments was released, and the rows set
    aside when it was imported; those of no wave with the last of their survey. Whatever else was released of it stays, and
    that it was removed: it is not imported again.

    Args:
        pulse: The surveys of a book.
        now: When; its day, in its time zone, is noted.

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
    waves = pulse.folder / "waves"
    forget_aside(pulse, over)  # first, and what is noted: a wave that is there still is removed next time
    for name in over:
        pulse.forget_comments(name)
    with told_of(waves):
        if over:
            _note(pulse, {**purged(pulse), **dict.fromkeys(over, now.date())})
        # Out of sight at once, then gone: who is interrupted removes the rest next time.
        for name in over:
            os.rename(waves / name, waves / f".gone.{name}")
            flush(waves)
        for path in waves.glob(".gone.*"):
            shutil.rmtree(path)
    return over


def _note(pulse: Pulse, days: dict[str, date]) -> None:
    path = pulse.folder / _FILE
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps({name: str(days[name]) for name in sorted(days)}, indent=1) + "\n", "utf-8")
    flush(draft)
    draft.replace(path)
    flush(path.parent)
