"""Closed waves of pulse surveys, and what was released of them: beside the versions of a book, never in them.

Cadran is the only source of the answers it collected: an import from the CRM, or a book begun again, leaves them where
they are, and nothing that reads the tables of a book reaches one.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from cadran.book.book import Book
from cadran.book.folder import exchange, flush, told_of
from cadran.book.pulse_forgotten import forgotten_of, without_forgotten
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

#: The folder of a book that holds its surveys; whatever else of pulse a book keeps stands in it too.
FOLDER = "pulse"
_WAVES, _RELEASES, _LATEST, _TOLD = "waves", "releases", "latest", "told.json"
#: After the name of the wave that latest answers are told after.
LATEST = "-latest"
_WAVE: dict[str, type[dy.Schema]] = {
    "questions": Question, "invited": Invited, "answers": Answer, "comments": Comment,
}  # fmt: skip
_RELEASE: dict[str, type[dy.Schema]] = {"questions": Question, "groups": Group, "cells": Cell, "comments": Comment}


@dataclass(frozen=True)
class Pulse:
    """The surveys of a book, as far as they were closed at its moment."""

    folder: Path
    #: What closed later does not exist; null at the book's last moment, for surveys go on between imports.
    until: datetime | None = None

    def wave_names(self) -> list[str]:
        """Names of the closed waves, by when they closed."""
        return [*self._told(_WAVES)]

    def wave(self, name: str) -> Wave:
        """One closed wave, with its answers.

        Raises:
            Problem: If it is not there, or its files are damaged.
        """
        return Wave(**_read(self.folder / _WAVES / name, _WAVE))

    def releases(self) -> Iterator[Release]:
        """What was released, by when the waves closed."""
        for name in self._told(_RELEASES):
            yield Release(**_read(self.folder / _RELEASES / name, _RELEASE))

    def latest(self) -> Iterator[Release]:
        """What was released of each person's latest answers, by when the last of their waves closed."""
        for name in self._told(_LATEST):
            yield Release(**_read(self.folder / _LATEST / name, _RELEASE))

    def unreleased(self) -> list[str]:
        """Names of the closed waves of which nothing was released yet, by when they closed."""
        released = self._told(_RELEASES)
        return [name for name in self.wave_names() if name not in released]

    def without_latest(self) -> list[str]:
        """Names of the closed waves after which latest answers are to be released and were not yet, by when they closed."""
        released, waves = self._told(_LATEST), self._told(_WAVES)
        return [n for n, told in waves.items() if told["terms"].get("rolling") and n + LATEST not in released]

    def keep_wave(self, wave: Wave) -> None:
        """Keep a wave for good, without those whom its survey forgot. The same wave again is no fault.

        Raises:
            Problem: If another wave stands there under its name, or the folder cannot be written.
        """
        _keep(self.folder / _WAVES / wave.name, self._without_forgotten(wave), _WAVE)

    def forget_in_wave(self, name: str) -> bool:
        """Have a kept wave know those no more whom its survey forgot: the one change that is ever made to a wave. It is the
        old one or the new, whole; gives whether it changed.

        Raises:
            Problem: If it is not there or damaged, or the folder cannot be written.
        """
        wave = self.wave(name)
        other = self._without_forgotten(wave)
        is_same = (
            other.noted == wave.noted and other.invited.equals(wave.invited) and other.answers.equals(wave.answers)
        )
        if not is_same:
            _keep_instead(self.folder / _WAVES / name, other, _WAVE)
        return not is_same

    def keep_release(self, release: Release) -> None:
        """Keep what is released of a wave for good: two releases of one wave would tell of who differs.

        Raises:
            Problem: If something else was released of that wave, or the folder cannot be written.
        """
        _keep(self.folder / _RELEASES / release.name, release, _RELEASE)

    def forget_comments(self, name: str) -> None:
        """Have what was released of a wave show no comment any more: the one change that is ever made to a release.

        Raises:
            Problem: If it is damaged, or the folder cannot be written.
        """
        place = self.folder / _RELEASES / name
        if place.exists():
            its = Release(**_read(place, _RELEASE))
            _keep_instead(place, replace(its, comments=its.comments.clear()), _RELEASE)

    def keep_latest(self, release: Release) -> None:
        """Keep what is released of latest answers for good, as `keep_release` does.

        Raises:
            Problem: If something else was released of them, or the folder cannot be written.
        """
        _keep(self.folder / _LATEST / release.name, release, _RELEASE)

    def _without_forgotten(self, wave: Wave) -> Wave:
        return without_forgotten(wave, forgotten_of(self.folder, wave.terms.survey))

    def _told(self, kind: str) -> dict[str, dict[str, Any]]:
        """What is told of each, by its name, by when the waves closed."""
        # Names with a dot before them are drafts.
        paths = (self.folder / kind).glob(f"[!.]*/{_TOLD}")
        told = {path.parent.name: json.loads(path.read_text("utf-8")) for path in paths}
        closed = {name: datetime.fromisoformat(each["closed_at"]) for name, each in told.items()}
        there = [name for name in told if self.until is None or closed[name] <= self.until]
        return {name: told[name] for name in sorted(there, key=lambda name: (closed[name], name))}


def survey_of(name: str) -> str:
    """The survey of a wave, by the wave's name ("pulse@2024-05")."""
    return name.partition("@")[0]


def pulse_of(book: Book) -> Pulse:
    """The surveys of a book at its moment: at its last one, all that have closed."""
    until = book.moment if book.moment < book.settings.taken else None
    return Pulse(book.version.parent / FOLDER, until)


def _keep(place: Path, kept: Wave | Release, schemas: Mapping[str, type[dy.Schema]]) -> None:
    """Write it beside, then put it in its place at once."""
    with told_of(place.parent):
        draft, text = _drafted(place, kept, schemas)
        try:
            os.rename(draft, place)
        except OSError:
            if not place.exists():
                raise
            shutil.rmtree(draft)
            if (place / _TOLD).read_text("utf-8") != text:
                raise Problem(
                    "{name} is there already, and is not the same.",
                    "What a wave was, and what was released of it, is never changed. Give the wave another name.",
                    name=place.name,
                ) from None  # fmt: skip
        flush(place.parent)


def _keep_instead(place: Path, kept: Wave | Release, schemas: Mapping[str, type[dy.Schema]]) -> None:
    """Put it in the place of what is kept there: the old one is there, or the new, whole."""
    with told_of(place.parent):
        exchange(_drafted(place, kept, schemas)[0], place)


def _drafted(place: Path, kept: Wave | Release, schemas: Mapping[str, type[dy.Schema]]) -> tuple[Path, str]:
    """The folder it is written to beside its place, and what is told of it."""
    frames = {name: schema.validate(getattr(kept, name)) for name, schema in schemas.items()}
    told = {each.name: getattr(kept, each.name) for each in fields(kept) if each.name not in frames}
    told["terms"] = asdict(kept.terms)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    sums = {}
    for name, frame in frames.items():
        frame.write_parquet(path := draft / f"{name}.parquet", compression="zstd", statistics=False)
        sums[name] = sha256(path.read_bytes()).hexdigest()
        flush(path)
    text = json.dumps({**told, "sums": sums}, ensure_ascii=False, indent=1, default=_as_text)
    (draft / _TOLD).write_text(text, "utf-8")
    flush(draft / _TOLD)
    return draft, text


def _read(place: Path, schemas: Mapping[str, type[dy.Schema]]) -> dict[str, Any]:
    try:
        told = json.loads((place / _TOLD).read_text("utf-8"))
        frames = {}
        for name in schemas:
            data = (place / f"{name}.parquet").read_bytes()
            if sha256(data).hexdigest() != told["sums"][name]:
                raise ValueError(f"{name}.parquet is not what was written")
            frames[name] = pl.read_parquet(data)
    except FileNotFoundError as error:
        raise Problem("There is no {name}.", "`cadran survey status` lists the waves.", name=place.name) from error
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise Problem(
            "{name} is damaged: {reason}", "Put the folder {folder} back from your backup.",
            name=place.name, reason=error, folder=place,
        ) from error  # fmt: skip
    moments = {name: datetime.fromisoformat(told[name]) for name in ("opened_at", "closed_at") if name in told}
    return {**{k: v for k, v in told.items() if k != "sums"}, **frames, **moments, "terms": _terms(told["terms"])}


def _terms(told: Mapping[str, Any]) -> Terms:
    return Terms(
        **{
            **told,
            "cuts": tuple(told["cuts"]),
            "crossed": tuple((one, other) for one, other in told["crossed"]),
        }
    )


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(value)
