"""How the waves of surveys are: those opened here, and those that the book has from elsewhere."""

from datetime import datetime
from typing import Any

import polars as pl

from cadran.book.ballots_store import Transaction
from cadran.book.imported import waves_told
from cadran.book.pulse import Pulse
from cadran.book.pulse_purge import purged

#: What is told of each wave.
STATUS: dict[str, Any] = {
    "survey": pl.String, "wave": pl.String, "mode": pl.String, "state": pl.String, "n_invited": pl.Int64,
    "n_answered": pl.Int64, "opened_at": pl.Datetime("us", "UTC"), "closes_at": pl.Datetime("us", "UTC"),
    "closed_at": pl.Datetime("us", "UTC"),
}  # fmt: skip
_COLUMNS = "wave_id, survey, wave, mode, n_invited, n_answered, opened_at, closes_at, closed_at, definition = ''"
_USED = "select wave_id, substr(state, 1, cast(n_invited as integer)) from boxes join waves using (wave_id)"


def opened_here(run: Transaction, now: datetime) -> pl.DataFrame:
    """The waves of a store, as `STATUS`: open; ended, when no answer is taken any more but the wave is not closed;
    closing, when it is but its answers are still there; closed."""
    waves = run(f"select {_COLUMNS} from waves order by survey, wave")
    used = {name: bytes(flags).count(1) for name, flags in run(_USED)}
    rows = []
    for name, survey, wave, mode, n_invited, n_answered, opened_at, closes_at, closed_at, is_empty in waves:
        moments = opened_at, closes_at, closed_at or None
        is_over = now > datetime.fromisoformat(closes_at)
        state = "closed" if is_empty else "closing" if closed_at else "ended" if is_over else "open"
        at = [moment and datetime.fromisoformat(moment) for moment in moments]
        rows.append([survey, wave, mode, state, n_invited, used.get(name, n_answered), *at])
    return pl.DataFrame(rows, STATUS, orient="row")


def with_kept(opened: pl.DataFrame, pulse: Pulse) -> pl.DataFrame:
    """The waves of a store and those that the book alone knows, as `STATUS`: imported, or closed where another store
    collected them. Whichever was purged is told to be.

    Args:
        opened: As `opened_here`.
        pulse: The surveys of the book.
    """
    rows: dict[tuple[str, ...], dict[str, Any]] = {
        (row["survey"], row["wave"]): row for row in opened.iter_rows(named=True)
    }
    kept = {(row["survey"], row["wave"]): row for row in waves_told(pulse).iter_rows(named=True)}
    rows |= {name: _kept(row, pulse) for name, row in kept.items() if name not in rows}
    for name in (tuple(each.split("@", 1)) for each in purged(pulse)):
        if name not in kept:
            rows[name] = {"survey": name[0], "wave": name[1], **rows.get(name, {}), "state": "purged"}
    told = [{**dict.fromkeys(STATUS), **row} for row in rows.values()]
    return pl.DataFrame(told, STATUS).sort("survey", "wave")


def _kept(row: dict[str, Any], pulse: Pulse) -> dict[str, Any]:
    """What is told of a wave that the book alone knows, from what `waves_told` tells of it."""
    told = {name: row[name] for name in ("survey", "wave", "mode", "opened_at", "closed_at")}
    if row["is_imported"]:
        return {**told, "state": "imported", "n_answered": row["n_respondents"]}
    answered = pulse.wave(f"{row['survey']}@{row['wave']}").invited["answered"]
    return {**told, "state": "closed", "n_invited": len(answered), "n_answered": answered.sum()}
