"""What the contents of deals tell: the kind and order of stages, when amounts are known, the last day."""

import re
from datetime import date

import dataframely as dy
import polars as pl

from cadran.sources.dates import dates, day_first
from cadran.sources.feeds import column_of
from cadran.sources.guess import Seen, few, refusal, stage_kind
from cadran.sources.headers import ACTIVITY_KINDS, DEAL_TYPES, SAID_BY_DEALS, STAGE_ORDER, UNDECIDED, plain
from cadran.sources.parse import Writing, numbers
from cadran.tables.problems import Problem


def stages(deals: Seen) -> tuple[dict[str, str], str]:
    """The stages in their likely order, each with its kind, and what tells so."""
    column = deals.fields["stage"]
    values = few(deals.frame[column])
    kinds = {value: stage_kind(value) for value in values}
    flags = {plain(c): c for c in deals.frame.columns}
    why = "the kinds and the order of open stages, by their names"
    if {"is_won", "is_closed"} <= flags.keys():
        why = "the kinds, by is_won and is_closed; the order of open stages, by their names"
        for value in values:
            rows = deals.frame.filter(pl.col(column).cast(pl.String).str.strip_chars() == value)
            won, closed = (
                2 * rows[flags[name]].cast(pl.String).str.to_lowercase().is_in(["true", "1"]).sum() > rows.height
                for name in ("is_won", "is_closed")
            )
            kinds[value] = "won" if won else "lost" if closed else "open"

    def place(value: str) -> tuple[int, int, int]:
        rank = next((i for i, words in enumerate(STAGE_ORDER) if re.search(words, plain(value))), len(STAGE_ORDER) / 2)
        return ["open", "won", "lost", "disqualified"].index(kinds[value]), int(2 * rank), values.index(value)

    return {value: kinds[value] for value in sorted(values, key=place)}, why


def meanings(seen: Seen, name: str, allowed: list[str]) -> dict[str, str | None]:
    """For each value of a column, the allowed one that it means, if any."""
    words = {"deal_type": DEAL_TYPES, "kind": ACTIVITY_KINDS}.get(name, [])
    values = seen.texts(name).unique().sort().head(100).to_list()
    return {
        value: plain(value)
        if plain(value) in allowed
        else next((m for m, w in words if re.search(w, plain(value))), None)
        for value in values
    }


def undecided(values: list[str]) -> list[str]:
    """Those of the values that say a deal ended without a decision."""
    return [value for value in values if re.search(UNDECIDED, plain(value))]


def said_by_deals(deals: Seen, table: str, link: str) -> dict[str, str]:
    """Columns of deals that say something of each client or seller they name, beside its `link`."""
    headers = {plain(column): column for column in reversed(deals.frame.columns)}
    used = set(deals.fields.values())
    found = {
        name: next((headers[word] for word in words.split() if word in headers), None)
        for name, words in SAID_BY_DEALS[table].items()
    }
    free = {n: c for n, c in found.items() if c and c not in used and not refusal(c, deals.frame[c])}
    return {"name": deals.fields[link]} | free


def last_day(deals: Seen) -> date | None:
    """The last day on which a deal was created or closed; null where no close date was recognised."""
    days = []
    if "closed_at" not in deals.fields:
        return None
    for name in ("created_at", "closed_at"):
        if name in deals.fields:
            frame = deals.frame
            if name == "closed_at":
                closed = [value for value in few(frame[deals.fields["stage"]]) if stage_kind(value) != "open"]
                frame = frame.filter(pl.col(deals.fields["stage"]).str.strip_chars().is_in(closed)) if closed else frame
            days.append(_days(deals, frame[deals.fields[name]]).max())
    return max((day for day in days if isinstance(day, date)), default=None)


def _days(seen: Seen, texts: pl.Series) -> pl.Series:
    try:
        return dates(texts, "UTC", is_day_first=told_elsewhere(seen))["day"]
    except Problem:
        return pl.Series([], dtype=pl.Date)


def begins_in(deals: Seen, stages: list[str]) -> str | None:
    """The stage in which deals have a creation date, where those of the first stages have none."""
    if "created_at" not in deals.fields:
        return None
    stage, created = (pl.col(deals.fields[name]) for name in ("stage", "created_at"))
    dated = deals.frame.filter(created.is_not_null()).select(stage.str.strip_chars()).to_series()
    first = next((value for value in stages if value in dated), None)
    return first if stages and first != stages[0] else None


def amounts(deals: Seen) -> tuple[bool, bool]:
    """Whether lost deals all have the amount 0, and whether open deals have no amount at all."""
    kinds = {value: stage_kind(value) for value in few(deals.frame[deals.fields["stage"]])}
    stage = deals.frame[deals.fields["stage"]].cast(pl.String).str.strip_chars().replace(kinds)
    try:
        amounts = numbers(deals.frame[deals.fields["amount"]], Writing())
    except Problem:
        return False, False
    lost, open_ = amounts.filter(stage == "lost").drop_nulls(), amounts.filter(stage == "open")
    return bool(len(lost) and (lost == 0).all()), bool(len(open_) and ((open_ == 0) | open_.is_null()).all())


def open_have_dates(deals: Seen) -> bool:
    """Whether most open deals have a close date: it is then the expected one."""
    open_ = [value for value in few(deals.frame[deals.fields["stage"]]) if stage_kind(value) == "open"]
    rows = deals.frame.filter(pl.col(deals.fields["stage"]).cast(pl.String).str.strip_chars().is_in(open_))
    return rows[deals.fields["closed_at"]].count() > 0.5 * rows.height > 0


def told_elsewhere(seen: Seen) -> bool | None:
    """Whether the other dates of the file settle that the day comes first; None if none does."""
    told = set()
    for name, column in seen.fields.items():
        if isinstance(column_of(seen.table, name), dy.Date | dy.Datetime) and seen.frame.schema[column] == pl.String:
            try:
                told.add(day_first(seen.frame[column]))
            except Problem:
                return None
    told.discard(None)
    return told.pop() if len(told) == 1 else None
