"""Results of surveys that were held elsewhere: their waves kept beside those collected here, with the rows set aside.

Of an anonymous survey no answer is kept beside the attributes of who gave it (`unlinked`). What may be told of its waves
is so decided when they are imported, while it is known who stands in which groups.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import polars as pl

from cadran.book.folder import flush, told_of
from cadran.book.pulse import Pulse, survey_of
from cadran.book.unlinked import unlinked
from cadran.tables.delivery import SET_ASIDE
from cadran.tables.problems import Problem
from cadran.tables.pulse import Release, Wave

_ASIDE = "set_aside"
#: What `waves_told` tells of a wave that was imported; null of one collected here.
_COUNTS = ("n_read", "n_accepted", "n_left_out", "n_set_aside", "n_not_applicable", "n_respondents")


def keep_results(
    pulse: Pulse, waves: Iterable[Wave], set_aside: Mapping[str, pl.DataFrame], released: Callable[[Wave], Release]
) -> list[str]:
    """Keep the waves of one import, and the rows set aside from it. The same ones again change nothing.

    Of an anonymous survey a row set aside keeps where it stood, what was found wrong and how to mend it, and not the rest
    of it: that would be an answer beside attributes.

    Args:
        pulse: The surveys of the book.
        waves: Closed waves of one survey.
        set_aside: Rows set aside, as `SET_ASIDE`, by wave ("" where they tell none).
        released: Says what may be told of a wave; asked of the new ones of an anonymous survey, the first to close first.

    Returns:
        Names of the waves that are new.

    Raises:
        Problem: If a wave is there already and is not the same, the survey was declared otherwise, or the folder cannot
            be written. No wave is kept then.
    """
    given = {wave.name: wave for wave in sorted(waves, key=lambda wave: wave.closed_at)}
    is_anonymous = any(wave.terms.mode == "anonymous" for wave in given.values())
    waves = [unlinked(wave) if is_anonymous else wave for wave in given.values()]
    if is_anonymous:
        set_aside = {name: rows.with_columns(values=pl.lit(None, pl.String)) for name, rows in set_aside.items()}
    there = set(pulse.wave_names())
    for wave in waves:
        _check_mode(pulse, wave, there)
    for wave in (wave for wave in waves if wave.name in there):
        pulse.keep_wave(wave)  # only looks whether it is the same
    new = [wave for wave in waves if wave.name not in there]
    for wave in new:  # the rows first: a wave that is there has them
        _write(pulse, wave.name, set_aside.get(wave.wave, pl.DataFrame(schema=SET_ASIDE)))
        if is_anonymous:  # likewise: what is told of a wave that is there was decided while all of it was known
            pulse.keep_release(released(given[wave.name]))
        pulse.keep_wave(wave)
    if waves:
        survey = waves[0].terms.survey
        names = {wave.wave for wave in waves}
        lost = [rows for name, rows in set_aside.items() if name not in names]
        # Of no wave that is kept: added to those of earlier imports, each once.
        rows = pl.concat([_read(_place(pulse, survey)), *lost]).unique(maintain_order=True)
        _write(pulse, survey, rows)
    return [wave.name for wave in new]


def read_results_aside(pulse: Pulse) -> pl.DataFrame:
    """The rows that imports of survey results set aside, as `SET_ASIDE`."""
    paths = sorted((pulse.folder / _ASIDE).glob("*.parquet"))
    return pl.concat([pl.DataFrame(schema=SET_ASIDE), *(_read(path) for path in paths)])


def forget_aside(pulse: Pulse, waves: Iterable[str]) -> None:
    """Remove the rows set aside from waves, by name; those of no wave too, where they are the last of their survey."""
    gone = set(waves)
    left = {survey_of(name) for name in pulse.wave_names() if name not in gone}
    with told_of(pulse.folder / _ASIDE):
        for name in gone | {survey_of(name) for name in gone} - left:
            _place(pulse, name).unlink(missing_ok=True)


def waves_told(pulse: Pulse) -> pl.DataFrame:
    """A row for each closed wave, by when it closed: what it is, and of one imported the counts of its rows."""
    rows = []
    for name in pulse.wave_names():
        told = json.loads((pulse.folder / "waves" / name / "told.json").read_text("utf-8"))
        counts = {count: told["noted"].get(count) for count in _COUNTS}
        is_imported = told["noted"].get("is_imported", False)
        rows.append({"survey": told["terms"]["survey"], "wave": told["wave"], "mode": told["terms"]["mode"],
                     "opened_at": told["opened_at"], "closed_at": told["closed_at"], "is_imported": is_imported,
                     **counts})  # fmt: skip
    text = dict.fromkeys(("survey", "wave", "mode", "opened_at", "closed_at"), pl.String)
    schema = {**text, "is_imported": pl.Boolean, **dict.fromkeys(_COUNTS, pl.Int64)}
    return pl.DataFrame(rows, schema=schema).with_columns(
        pl.col("opened_at", "closed_at").str.to_datetime(time_zone="UTC")
    )


def _check_mode(pulse: Pulse, wave: Wave, there: set[str]) -> None:
    """Raise a `Problem` if other waves of the survey were declared otherwise: an anonymous survey stays one."""
    other = next((name for name in sorted(there) if survey_of(name) == wave.terms.survey), None)
    if other is None:
        return
    mode = json.loads((pulse.folder / "waves" / other / "told.json").read_text("utf-8"))["terms"]["mode"]
    if mode != wave.terms.mode:
        raise Problem(
            "The survey {survey} was declared {mode_before}, and is {mode} in this mapping.",
            "What respondents were told holds for all its waves. Give the survey of the mapping another name.",
            survey=wave.terms.survey, mode_before=mode, mode=wave.terms.mode,
        )  # fmt: skip


def _place(pulse: Pulse, name: str) -> Path:
    return pulse.folder / _ASIDE / f"{name}.parquet"


def _read(path: Path) -> pl.DataFrame:
    if not path.exists():
        return pl.DataFrame(schema=SET_ASIDE)
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Problem(
            "{file} is damaged: {reason}", "Put it back from your backup.", file=path, reason=str(error).split("\n")[0]
        ) from error


def _write(pulse: Pulse, name: str, rows: pl.DataFrame) -> None:
    """Write the rows at once; no file for none."""
    if rows.is_empty():
        return
    place = _place(pulse, name)
    with told_of(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}")
        rows.write_parquet(draft, compression="zstd")
        flush(draft)
        os.replace(draft, place)
        flush(place.parent)
