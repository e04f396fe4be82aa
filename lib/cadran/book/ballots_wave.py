"""A wave made of its box when it closes: the same wave every time it is made of the same box."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import dataframely as dy
import polars as pl

from cadran.book.ballots_box import Box, Opened, rows_of
from cadran.tables.pulse import Answer, Comment, Invited, Wave

_GIVEN = {"question_id": pl.String, "score": pl.Int16, "choice": pl.String}


def closed(box: Box, closed_at: datetime) -> Wave:
    """The wave that a box holds."""
    wave = box.wave
    groups = [row for each in wave.groups for row in each.noted()]
    return Wave(
        terms=wave.terms,
        wave=wave.wave,
        opened_at=wave.opened_at,
        closed_at=closed_at,
        questions=wave.questions,
        invited=of_table(Invited, wave.invited.with_columns(answered=pl.Series([bool(used) for used in box.used]))),
        answers=of_table(
            Answer, pl.concat([_unlinked(box), *_by_group(box)], how="diagonal") if wave.groups else _ballots(box)
        ),
        comments=of_table(Comment, _comments(box)),
        noted={"collected": True, "digest": wave.digest, "groups": groups},
    )


def _ballots(box: Box) -> pl.DataFrame:
    """The answers of each ballot; of a confidential wave, beside who gave it and what is known of them."""
    if box.is_anonymous:
        return _unlinked(box)
    given = [(place, *row) for place, codes in enumerate(box.ballots) for row in rows_of(box.wave, codes)]
    rows = pl.DataFrame(given, {"place": pl.Int64, **_GIVEN}, orient="row")
    people = box.wave.invited.rename({"person": "ballot"}).with_row_index("place")
    return rows.join(people.cast({"place": pl.Int64}), on="place", how="left", maintain_order="left").drop("place")


def _unlinked(box: Box) -> pl.DataFrame:
    """The answers of each ballot of an anonymous wave, under a name made of its place among what was said."""
    given = [(_ballot(box.wave, n), *row) for n, codes in enumerate(box.ballots) for row in rows_of(box.wave, codes)]
    return pl.DataFrame(given, {"ballot": pl.String, **_GIVEN}, orient="row")


def _ballot(wave: Opened, number: int) -> str:
    return sha256(f"{wave.wave_id} {number}".encode()).hexdigest()[:16]


def _by_group(box: Box) -> list[pl.DataFrame]:
    """For each cut a copy of each answer with its group alone."""
    found, first = [], 0
    for each in box.wave.groups:
        rows = []
        for number, labels in enumerate(each.labels):
            rows += [(*row, *labels) for row in _counted(box, first + number)]
        schema = {**_GIVEN, **dict.fromkeys(each.columns, pl.String)}
        found.append(pl.DataFrame(rows, schema, orient="row").with_columns(cut=pl.lit(each.cut)))
        first += len(each.labels)
    return found


def _counted(box: Box, group: int) -> list[tuple[Any, ...]]:
    rows = []
    n_questions = box.wave.questions.height
    for number, (start, end) in enumerate(zip(box.wave.offsets, box.wave.offsets[1:], strict=False)):
        for code, n in enumerate(box.counts[group, start:end].tolist(), 1):
            codes = [0] * n_questions
            codes[number] = code
            rows += rows_of(box.wave, codes) * n
    return rows


def _comments(box: Box) -> pl.DataFrame:
    names = list(box.wave.asked)
    groups = box.wave.comment_groups
    rows = [(names[number], text, *groups.labels[group]) for number, group, text in map(json.loads, box.comments)]
    schema = {"question_id": pl.String, "text": pl.String, **dict.fromkeys(groups.columns, pl.String)}
    return pl.DataFrame(rows, schema, orient="row")


def of_table(schema: type[dy.Schema], frame: pl.DataFrame) -> pl.DataFrame:
    """A frame with all columns of a table, in their order and types."""
    types = schema.create_empty().schema
    missing = [pl.lit(None, pl.String).alias(name) for name in types if name not in frame.columns]
    return schema.validate(frame.with_columns(missing).select(*types.names()).cast(types))
