"""Guessing which files tell the past: dated rows, one row per changed field, and event logs."""

import re
from dataclasses import dataclass, field

import polars as pl

from cadran.sources.guess import Seen, few, fitted, matched, overlap, stage_kind
from cadran.sources.headers import ACTIVITY_KINDS, FIELDS, TOLD, plain
from cadran.sources.shape import key_of
from cadran.tables import VERSIONED


@dataclass(eq=False)
class Log(Seen):
    """A file of changes or events: what they are about, and what the values of its `field` or `activity` mean."""

    of: str = ""
    meanings: dict[str, dict[str, str]] = field(default_factory=dict)


def dated(left: list[Seen], fed: list[Seen]) -> list[Seen]:
    """Files of dated rows of the things that others hold, each made to feed their table too."""
    found = []
    for base in [seen for seen in fed if seen.table in ("deals", *VERSIONED) and seen.table != "versions"]:
        table = "versions" if base.table == "deals" else base.table
        for file in (seen for seen in left if not seen.table and "valid_from" not in base.fields):
            fields, reasons = matched(table, file.frame, is_history=True)
            key = key_of(table)
            needed = {"valid_from", key} | ({"stage"} if table == "versions" else set())
            if needed <= fields.keys() and overlap(file.frame[fields[key]], base.frame[base.fields[key]]) > 0.5:
                file.table, file.fields, file.reasons = table, fields, reasons
                found.append(file)
    return found


def changes(left: list[Seen], fed: list[Seen]) -> list[Log]:
    """Files of one row per changed field of the things that others hold."""
    found = []
    bases = [seen for seen in fed if seen.table in ("deals", "accounts", "contacts", "reps")]
    for file in (seen for seen in left if not seen.table):
        headers = {plain(column): column for column in reversed(file.frame.columns)}
        named = {name: _first(words, headers) for name, words in TOLD["changes"].items()}
        fields = {name: column for name, column in named.items() if column}
        if not {"at", "field", "value"} <= fields.keys() or not fitted("changes", "at", file.frame[fields["at"]]):
            continue
        for base in bases:
            own = base.frame[base.fields[key_of(base.table)]]
            keys = [c for c in file.frame.columns if c not in fields.values() and overlap(file.frame[c], own) > 0.5]
            if keys:
                meant = {
                    value: name for value in few(file.frame[fields["field"]]) if (name := _field(base.table, value))
                }
                told = {"key": keys[0], **fields}
                log = Log(file.path, file.frame, file.sheet, "changes", told, database=file.database)
                log.of, log.meanings = base.table, {"field": meant}
                file.table = "changes"
                found.append(log)
                break
    return found


def _field(table: str, value: str) -> str | None:
    """The field of a table that a source's own name of it means."""
    known = FIELDS[table]
    allowed = [n for n in known if n in FIELDS["versions"] and n not in ("opportunity_id", "valid_from", "valid_to")]
    allowed = allowed if table == "deals" else [n for n in known if n not in (key_of(table), "valid_from", "valid_to")]
    words = {"closedate": "expected_close_date", "close_date": "expected_close_date"} if table == "deals" else {}
    said = plain(value)
    return words.get(said) or next((n for n in allowed if said in known[n].split()), None)


def _first(words: str, headers: dict[str, str]) -> str | None:
    return next((headers[word] for word in words.split() if word in headers), None)


def log(seen: list[Seen]) -> Log | None:
    """The file that is an event log, if one is: few activities, moments, and cases that have several of them."""
    for file in (s for s in seen if s.frame.height):
        headers = {plain(column): column for column in reversed(file.frame.columns)}
        fields = {name: column for name, words in TOLD["events"].items() if (column := _first(words, headers))}
        if not {"case", "activity", "at"} <= fields.keys():
            continue
        activities, n = few(file.frame[fields["activity"]]), file.frame[fields["case"]].n_unique()
        if activities and n < file.frame.height and fitted("events", "at", file.frame[fields["at"]]):
            beside, reasons = matched("events", file.frame.drop(fields.values()), is_history=True)
            reasons |= dict.fromkeys(fields, "the header says so")
            known = fields | beside
            found = Log(file.path, file.frame, file.sheet, "events", known, reasons, database=file.database)
            found.meanings = _meanings(file.frame, fields, activities)
            return found
    return None


def _meanings(frame: pl.DataFrame, fields: dict[str, str], activities: list[str]) -> dict[str, dict[str, str]]:
    """What each activity seems to mean by its name; stages in the order in which cases first come to them."""
    outcomes = {a: kind for a in activities if (kind := stage_kind(a)) != "open"}
    touches = {
        a: next(kind for kind, words in ACTIVITY_KINDS if re.search(words, plain(a)))
        for a in activities
        if a not in outcomes and any(re.search(words, plain(a)) for _, words in ACTIVITY_KINDS)
    }
    case, activity, at = (pl.col(fields[name]) for name in ("case", "activity", "at"))
    place = at.rank("dense").over(fields["case"])
    ranks = (
        frame.select(case, a=activity.cast(pl.String).str.strip_chars(), place=place)
        .group_by("a")
        .agg(pl.col("place").median())
    )
    order = ranks.sort("place", "a")["a"].to_list()
    stages = {a: a for a in order if a in activities and a not in outcomes and a not in touches}
    return {"stages": stages, "touches": touches, "outcomes": outcomes}
