"""Tiny books of signatures: so much signed in each month, by whom, and what is open."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import Book, open_book, write_book
from cadran.book.held import hold
from cadran.measures.periods import add_months
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery, Settings

SELLERS = {"r1": ("North", "N1"), "r2": ("North", "N1"), "r3": ("South", "S1"), "r4": ("South", "S2")}
STAGES = [("Prospect", 0, "open", 0.1), ("Propose", 1, "open", 0.5), ("Won", 2, "won", 1.0), ("Lost", 3, "lost", 0.0)]


def book(
    folder: Path,
    deals: Iterable[Mapping[str, Any]],
    day: date = date(2026, 6, 30),
    targets: Iterable[Mapping[str, Any]] = (),
    probabilities: bool = True,
    sellers: Mapping[str, tuple[str | None, str | None]] = SELLERS,
) -> Book:
    """A book of deals: `status`, `created`, `closed`, `amount`, `rep_id`, and columns of versions."""
    known, versions = [], []
    for number, row in enumerate(deals):
        row = dict(row)
        status, created, closed = row.pop("status", "open"), row.pop("created", None), row.pop("closed", None)
        begins = created or (closed - timedelta(days=20) if closed else day - timedelta(days=20))
        name = row.pop("opportunity_id", f"d{number:05}")
        known.append({"opportunity_id": name, "created_at": at(begins)})
        row = {"opportunity_id": name, "stage": "Prospect", "amount": 100.0, "rep_id": "r1"} | row
        versions.append(row | {"valid_from": at(begins), "status": "open"})
        if status != "open":
            versions.append(row | {"valid_from": at(closed), "status": status, "stage": status.title()})
    frames = {"opportunities": known, "versions": versions, "targets": [dict(each) for each in targets]}
    frames["stages"] = [
        {"stage": s, "position": p, "kind": k, "is_qualified": True, "probability": c if probabilities else None}
        for s, p, k, c in STAGES
    ]
    frames["reps"] = [
        {"rep_id": rep, "valid_from": at(date(2020, 1, 1)), "name": rep, "region": region, "team": team}
        for rep, (region, team) in sellers.items()
    ]
    settings = Settings(name="tiny", taken=datetime.combine(day, time(23), UTC))
    tables = {
        name: pl.DataFrame(rows, schema=dict(TABLES[name].create_empty().schema), orient="row")
        for name, rows in frames.items()
    }
    write_book(folder, Delivery.whole(settings, tables, histories=frozenset(["versions"])), written_at=settings.taken)
    return hold(open_book(folder))


def monthly(amounts: Iterable[float], first: date, rep_id: str = "r1", **more: Any) -> list[dict[str, Any]]:
    """One deal won on the 15th of each month from a first one, for so much; none where it is 0."""
    return [
        {"status": "won", "closed": add_months(first, turn).replace(day=15), "amount": float(amount), "rep_id": rep_id}
        | more
        for turn, amount in enumerate(amounts)
        if amount
    ]


def at(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
