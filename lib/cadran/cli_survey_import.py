"""The import of survey results: into a book that is there, or one made for them; and what is told of them."""

import json
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import typer

from cadran.book import open_book, write_book
from cadran.book.ballots_open import pseudonyms_of
from cadran.book.folder import POINTER, alone
from cadran.book.imported import keep_results, read_results_aside, waves_told
from cadran.book.masking import cleaned, masked, name_words
from cadran.book.pseudonyms import key_of, new_key
from cadran.book.pulse import FOLDER, Pulse, pulse_of, survey_of
from cadran.book.pulse_purge import purged
from cadran.measures.disclosure import release
from cadran.sources.rules import messages, remark
from cadran.sources.survey_mapping import SurveyMapping
from cadran.sources.survey_results import Results, deliver_waves
from cadran.tables.delivery import SET_ASIDE, Delivery, Settings
from cadran.tables.problems import Problem
from cadran.tables.pulse import Release, Wave
from cadran.terminal import Format, out, show
from cadran.text import Words


def check_options(given: Collection[str]) -> None:
    """That no option was given that is about the versions of a book, and would do nothing for survey results.

    Raises:
        Problem: If one was.
    """
    if "full" in given:
        raise Problem("--full is for databases: survey results are read whole anyway.", "Leave it out.")
    if "anew" in given:
        raise Problem(
            "--anew begins the versions of a book again; the waves of surveys stand beside them and are kept.",
            "Leave it out; or name an empty folder with --book.",
        )
    if "accept_vanished" in given:
        raise Problem(
            "--accept-vanished does nothing for survey results: a wave that is not among them stays as it is.",
            "Leave it out.",
        )
    if "keep" in given:
        raise Problem(
            "--keep counts the versions of a book; a wave is kept for as long as respondents were told.",
            "Leave it out. `retention_months` says how long, `cadran survey purge` removes what is over.",
        )


def import_results(
    mapping: SurveyMapping, source: Path | None, folder: Path, taken: date | datetime | None, form: Format, words: Words
) -> None:
    """Read results of a survey and keep its waves beside the book of a folder; without a book, an empty one is made."""
    survey = mapping.terms.survey
    book = open_book(folder) if (folder / POINTER).exists() else None
    pulse = pulse_of(book) if book else Pulse(folder / FOLDER)
    people = _people(book)
    fresh = None if book else new_key()  # kept once there is a book to keep it in
    is_linked = False

    def pseudonyms(persons: pl.Series) -> pl.Series:
        nonlocal is_linked
        is_linked = True
        return pl.Series(pseudonyms_of(fresh or key_of(pulse.folder, survey), persons), dtype=pl.String)

    def mask(texts: pl.Series, persons: pl.Series) -> pl.Series:
        names = name_words([*people(), *persons])
        each = texts.drop_nulls().unique(maintain_order=True)
        found = {text: masked(cleaned(text), names) or None for text in each}
        return texts.replace_strict(found, default=None, return_dtype=pl.String)

    gone = {name.partition("@")[2]: day for name, day in purged(pulse).items() if survey_of(name) == survey}
    given = mapping.at(taken) if taken else mapping
    results = deliver_waves(given, source, pseudonyms=pseudonyms, mask=mask, purged=gone)
    if book is None:
        write_book(folder, Delivery.whole(_settings(mapping, results), {}), datetime.now(UTC))
        if fresh and is_linked:
            key_of(pulse.folder, survey, lambda: fresh)
    with alone(pulse.folder):
        new = keep_results(pulse, results.waves, results.set_aside, lambda wave: _released(pulse, wave))
    _tell(results, new, mapping.source.time_zone, form, words)


def tell_waves(book: Any, words: Words) -> None:
    """The closed waves of a book, and the rows set aside from those imported; nothing where there are none."""
    pulse = pulse_of(book)
    waves = waves_told(pulse)
    if waves.is_empty():
        return
    out.print(words.n("{n} closed wave of surveys:", "{n} closed waves of surveys:", waves.height))
    days = pl.col("closed_at").dt.convert_time_zone(book.settings.time_zone).dt.date()
    show(waves.drop("opened_at").with_columns(closed_at=days).rename({"closed_at": "closed_on"}), Format.table, words)
    for message in messages(read_results_aside(pulse), words):
        out.print(message, style="yellow", markup=False, soft_wrap=True)


def waves_of(book: Any) -> list[dict[str, Any]]:
    """The closed waves of a book, as a script reads them."""
    return waves_told(pulse_of(book)).to_dicts()


def aside_of(book: Any) -> pl.DataFrame:
    """The rows that imports of survey results set aside."""
    return read_results_aside(pulse_of(book))


def _released(pulse: Pulse, wave: Wave) -> Release:
    """What may be told of an imported wave, given what was told of those of its survey that closed before."""
    there = {*pulse.wave_names()} - {wave.name}
    before = [each for each in pulse.releases() if each.closed_at <= wave.closed_at and each.name in there]
    return release(wave, [(pulse.wave(each.name), each) for each in before if each.terms.survey == wave.terms.survey])


def _people(book: Any) -> Callable[[], list[str]]:
    """The names of those who sell, which a comment must not show; read once they are asked for."""
    found: list[str] = []

    def names() -> list[str]:
        if book is not None and not found:
            found.extend(book.collect(book.table("reps").select("name"))["name"].drop_nulls().unique())
        return found

    return names


def _settings(mapping: SurveyMapping, results: Results) -> Settings:
    source = mapping.source
    return Settings(
        name=source.name, taken=max(wave.closed_at for wave in results.waves), time_zone=source.time_zone,
        currency=source.currency, fiscal_year_starts=source.fiscal_year_starts, holidays=source.holidays,
    )  # fmt: skip


def _tell(results: Results, new: list[str], zone: str, form: Format, words: Words) -> None:
    waves = [
        {"wave": wave.name, "closed_on": wave.closed_at.astimezone(ZoneInfo(zone)).date(), "questions": wave.questions.height,
         **{name: n for name, n in wave.noted.items() if name[:2] == "n_"}, "is_new": wave.name in new}
        for wave in results.waves
    ]  # fmt: skip
    files = pl.DataFrame(results.files).drop("sha256")
    if form is Format.json:
        told = {"waves": waves, "files": files.to_dicts(), "noted": results.noted.to_dicts()}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))
        return
    show(files, form, words)
    if form is not Format.table:
        return
    for noted in results.noted.iter_rows(named=True):
        what = words(
            "{file}: {n} × {note}", file=noted["file"], n=words.number(noted["n"]), note=remark(noted["note"], words)
        )
        out.print(what + (f" ({noted['found']})" if noted["found"] else ""), style="cyan", markup=False, soft_wrap=True)
    for message in messages(pl.concat([pl.DataFrame(schema=SET_ASIDE), *results.set_aside.values()]), words):
        out.print(message, style="yellow", markup=False, soft_wrap=True)
    show(pl.DataFrame(waves, infer_schema_length=None), form, words)
    if old := len(waves) - len(new):
        out.print(words.n("{n} wave was there already, and is the same.", "{n} waves were there already, and are the same.",
                          old))  # fmt: skip
