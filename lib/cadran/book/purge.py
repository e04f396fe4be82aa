"""Purging what ended before a day in every version of a book, and keeping it from coming back."""

import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cadran.book import store
from cadran.book.accumulate import counted, is_there
from cadran.book.folder import alone, current_version, versions
from cadran.book.forgotten import FILE, forgotten
from cadran.book.persons import blanked
from cadran.book.removed import FOR_REPS, KEYS, OF_DEALS, Removed, is_old_lead, lives_on, removed, start_of, stored_rows
from cadran.book.rewrite import act, begin, finish, rewrite_all, write_whole
from cadran.book.stored import bucket_file
from cadran.tables.delivery import NOTED, Delivery, Part
from cadran.tables.problems import Problem

#: What stands in a row set aside in place of what it held.
PURGED = "purged"
LEFT_OUT = "what ended before the day of the last purge was left out"
_TABLES = (*OF_DEALS, *KEYS, *FOR_REPS)


def purge(folder: Path, before: date) -> int:
    """Remove from every version what ended before a day, and remember it, so that no later import brings it back.

    Deals that closed (or disappeared) before it, with all that is about them; leads and touches older, but for those
    of a deal that is kept; sellers who had left and contacts known before, if nothing that is kept names them;
    versions of the book taken before; one-to-ones before. Answers to surveys have a time of their own (`pulse_purge`).
    What is kept is kept with its whole past. If it is interrupted, whoever writes
    the book next finishes it.

    Args:
        folder: The book's folder.
        before: The first day that is kept, in the book's time zone.

    Returns:
        How many versions of the book were rewritten.

    Raises:
        Problem: If the day is after the book's last.
    """
    _check(current_version(folder), before)
    with alone(folder):
        finish(folder)
        return begin(folder, "purge", before.isoformat())


def last_day(version: Path) -> date:
    """The day on which the data of a version of a book was taken, in its time zone."""
    settings = store.read_manifest(version)["settings"]
    return datetime.fromisoformat(settings["taken"]).astimezone(ZoneInfo(settings["time_zone"])).date()


def purgeable(folder: Path, before: date) -> dict[str, int]:
    """How many rows of each table `purge` would take from the current version, how many versions of the book, and how many
    one-to-ones.

    Raises:
        Problem: If the day is after the book's last.
    """
    version = current_version(folder)
    _check(version, before)
    manifest = store.read_manifest(version)
    gone, counts = removed(version, manifest, before), {}
    for table in _TABLES:
        rows = stored_rows(version, manifest, table)
        counts[table] = _height(rows) - _height(gone.stay(table, rows))
    counts["set_aside"] = _height(pl.scan_parquet(version / "set_aside" / "*.parquet").filter(gone.held()))
    from cadran.book import one_to_ones  # which stands on the book, that this stands below

    return counts | {"books": len(_too_old(folder, before)), "one_to_ones": one_to_ones.before(folder, before)}


def purged_again(version: Path, before: date) -> None:
    """Remove from a version just written those whom an import brought back and nothing in it names."""
    rewrite_all([version], partial(_change, before=before, closed=None), partial(_retold, before=before))


def leave_out(delivery: Delivery, before: date, old: Path | None) -> None:
    """Have a delivery bring no deal, lead or touch that a purge would remove, but for deals that the book holds.

    Args:
        delivery: What a source hands over. At its end its remarks tell how many deals and leads were left out.
        before: The first day that is kept.
        old: The book's current version, if it has one.
    """
    delivery.parts = _left_out(delivery, delivery.parts, before, old)


@act("purge")
def _purge(folder: Path, day: str) -> int:
    from cadran.book import one_to_ones

    before = date.fromisoformat(day)
    memory = forgotten(folder)
    memory.purged_before = max(before, memory.purged_before or before)
    write_whole(folder / FILE, memory.to_json())
    one_to_ones.purged(folder, before)
    for version in _too_old(folder, before):
        # Under a draft's name first: a version that is there is whole.
        version.rename(passing := folder / f".{version.name}")
        shutil.rmtree(passing)
    # The current version comes last: it tells the others which deals had closed, where they did not know it yet.
    current = current_version(folder)
    closed = removed(current, store.read_manifest(current), before).deals
    ordered = sorted(versions(folder), key=lambda version: (version == current, version.name))
    return rewrite_all(ordered, partial(_change, before=before, closed=closed), partial(_retold, before=before))


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())


def _check(version: Path, before: date) -> None:
    if before > (last := last_day(version)):
        raise Problem(
            "The book ends on {last:%Y-%m-%d}: nothing of it would be left after {before:%Y-%m-%d}.",
            "Name an earlier day, or remove the book's folder.", last=last, before=before,
        )  # fmt: skip


def _too_old(folder: Path, before: date) -> list[Path]:
    """Versions whose data was taken before the day, but for the current one."""
    current = current_version(folder)
    settings = {version: store.read_manifest(version)["settings"] for version in versions(folder)}
    return [
        version
        for version, those in settings.items()
        if version != current and datetime.fromisoformat(those["taken"]) < start_of(before, those["time_zone"])
    ]


def _change(version: Path, before: date, closed: pl.DataFrame | None) -> Any:
    return partial(_without, removed(version, store.read_manifest(version), before, closed))


def _without(gone: Removed, table: str, path: Path) -> pl.DataFrame | None:
    """The rows of a file that are kept; null if all are."""
    if table == "set_aside":
        rows = pl.read_parquet(path)
        return blanked(rows, gone.held(), PURGED) if rows.select(gone.held().any()).item() else None
    columns = pl.read_parquet_schema(path)
    if table not in _TABLES or not {"opportunity_id", "scope_id", KEYS.get(table)} & set(columns):
        return None
    rows = pl.read_parquet(path)
    if path.parent.name == "numbers":
        return _unnumbered(rows, gone)
    kept = gone.stay(table, rows.lazy()).collect()
    return kept if kept.height < rows.height else None


def _unnumbered(numbers: pl.DataFrame, gone: Removed) -> pl.DataFrame | None:
    """The numbers of reps: that of one who goes stays taken, but names nobody."""
    is_gone = pl.col("rep_id").is_in(gone.reps["rep_id"].implode())
    if not numbers.select(is_gone.any()).item():
        return None
    nobody = pl.Series([f"{PURGED}-{secrets.token_hex(8)}" for _ in range(numbers.height)])
    return numbers.with_columns(rep_id=pl.when(is_gone).then(nobody).otherwise("rep_id"))


def _retold(manifest: dict[str, Any], version: Path, changed: set[str], before: date) -> dict[str, Any]:
    """A manifest that says what was purged, and counts what is left."""
    told = manifest | {what: dict(manifest.get(what, {})) for what in ("rows", "corrected", "n_keys")}
    told["purged_before"] = max(before.isoformat(), manifest.get("purged_before", ""))
    for table in changed & set(_TABLES):
        second = pl.any_horizontal(pl.col("known_from", "known_to").is_not_null()).sum().alias("corrected")
        counts = [pl.len().alias("rows"), second, pl.struct(counted(table)).n_unique().alias("n_keys")]
        found = stored_rows(version, manifest, table).select(counts).collect(engine="streaming").row(0, named=True)
        for what, n in found.items():
            told[what][table] = n
        if table == "versions":
            there = is_there(datetime.fromisoformat(manifest["settings"]["taken"]))
            told["n_deals"] = _height(stored_rows(version, manifest, table).filter(there))
    told["corrected"] = {table: n for table, n in told["corrected"].items() if n}
    return told


def _left_out(delivery: Delivery, parts: Iterable[Part], before: date, old: Path | None) -> Iterator[Part]:
    start = start_of(before, delivery.settings.time_zone)
    manifest = store.read_manifest(old) if old else {}
    gone = [pl.DataFrame(schema={"opportunity_id": pl.String})]
    n_leads = 0
    for part in parts:
        tables = dict(part.tables)
        if "versions" in tables:
            gone.append(_over(part, start, old, manifest))
            nobody = (pl.DataFrame(schema={key: pl.String}) for key in KEYS.values())
            those = Removed(start, gone[-1], *nobody)
            tables = {name: those.stay(name, rows.lazy()).collect() for name, rows in tables.items()}
        if "leads" in tables:
            leads = tables["leads"].filter(~is_old_lead(start)).join(pl.concat(gone), on="opportunity_id", how="anti")
            n_leads, tables["leads"] = n_leads + tables["leads"].height - leads.height, leads
        yield replace(part, tables=tables)
    counts = {"opportunities": pl.concat(gone).height, "leads": n_leads}
    rows = [(table, delivery.settings.name, LEFT_OUT, n, before.isoformat()) for table, n in counts.items() if n]
    delivery.noted = pl.concat([delivery.noted, pl.DataFrame(rows, schema=NOTED, orient="row")])


def _over(part: Part, start: datetime, old: Path | None, manifest: dict[str, Any]) -> pl.DataFrame:
    """The deals of a part that were over before an instant, and that the book does not hold."""
    deal = "opportunity_id"
    before = pl.col("status").shift().over(deal)
    told = part.tables["versions"].sort(deal, "valid_from")
    told = told.with_columns(
        valid_to=pl.min_horizontal("valid_to", pl.col("valid_from").shift(-1).over(deal)),
        status_since=pl.when(pl.col("status").ne_missing(before)).then("valid_from"),
    ).with_columns(pl.col("status_since").forward_fill().over(deal))
    named = pl.concat([frame.select(deal) for frame in part.tables.values()]).drop_nulls().unique()
    over = named.join(told.filter(lives_on(start)), on=deal, how="anti")
    if old is None or over.is_empty():
        return over
    is_cut_alike = (manifest["polars"], manifest["n_buckets"]["deals"]) == (pl.__version__, part.n_buckets)
    files = [old / (bucket_file("opportunities", part.bucket) if is_cut_alike else "opportunities/*.parquet")]
    files += [old / "changed/opportunities/*.parquet"] if "deals" in manifest.get("changed", ()) else []
    held = pl.concat([pl.scan_parquet(file).select(deal) for file in files]).join(over.lazy(), on=deal, how="semi")
    return over.join(held.collect(engine="streaming"), on=deal, how="anti")
