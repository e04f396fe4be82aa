"""A book's imports: each is written as one complete new version beside the old, and the pointer is switched to it."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cadran.book.accumulate import COUNTS, Scene
from cadran.book.derive import calendar
from cadran.book.draft import MANIFEST, Draft, sealed
from cadran.book.enter import Entered, enter
from cadran.book.folder import (
    POINTER,
    alone,
    check_is_book,
    current_version,
    damaged,
    read_from,
    sweep,
    switch,
    versions,
)
from cadran.book.forgotten import forgotten
from cadran.book.numbers import Numbers
from cadran.book.persons import KIND_OF
from cadran.book.purge import leave_out, purged_again
from cadran.book.rewrite import finish
from cadran.book.stored import Stored
from cadran.tables import STORED
from cadran.tables.delivery import SET_ASIDE, Delivery, Part, Settings, Since
from cadran.tables.groups import GROUPS, Group, group_of
from cadran.tables.problems import Problem

__all__ = ["POINTER", "current_version", "damaged", "read_manifest", "read_set_aside", "since", "write_book"]

#: Raised whenever a stored table changes shape, so that an old book is not read with new eyes.
SCHEMA_VERSION = 2
#: Versions of a book that are kept, unless told otherwise.
KEEP = 30
#: What may not differ from one import of a book to the next, with its name in a mapping.
LASTING = ("name", "currency", "time_zone", "amount_basis", "fiscal_year_starts")


def write_book(
    folder: Path,
    delivery: Delivery,
    written_at: datetime,
    *,
    anew: bool = False,
    accept_vanished: bool = False,
    keep: int = KEEP,
) -> Path:
    """Add an import to the book in a folder, as one complete new version, then switch to it.

    A crash at any instant leaves the old book or the new one, never half of one. The delivery is gone through once,
    bucket by bucket, so that memory follows the size of a bucket.

    Args:
        folder: The book's folder; made if absent.
        delivery: What the source handed over: valid tables, rows set aside, how they were read.
        written_at: The moment of the import, kept in the manifest.
        anew: Whether the book begins again from this delivery alone. Older versions stay beside.
        accept_vanished: Whether many things may be gone at once.
        keep: How many versions stay, the newest ones.

    Returns:
        The folder of the new version.

    Raises:
        Problem: If the folder cannot be written or holds something that is no book, another import is writing there,
            the delivery is older than the book or of another currency or the like, or much of it is gone.
    """
    with alone(folder):
        check_is_book(folder)
        sweep(folder)
        finish(folder)
        old = None if anew or not (folder / POINTER).exists() else current_version(folder)
        before = read_manifest(old) if old else None
        if before:
            _check_follows(before, delivery.settings, folder)
        number = max((int(path.name) for path in versions(folder)), default=0) + 1
        draft, final = Draft(folder / f".{number:06}"), folder / f"{number:06}"
        memory = forgotten(folder)
        memory.applied(delivery)
        if memory.purged_before:
            leave_out(delivery, memory.purged_before, old)
        try:
            manifest = _enter_all(draft, delivery, old, before, accept_vanished)
            first = {"version": number, "schema_version": SCHEMA_VERSION, "written_at": written_at.isoformat()}
            draft.finish(first | manifest | {"noted": memory.scrubbed(delivery.noted).to_dicts()}, final)
        except BaseException:
            shutil.rmtree(draft.path, ignore_errors=True)
            raise
        if memory.purged_before:
            purged_again(final, memory.purged_before)
        switch(folder, final.name)
        prune(folder, keep)
    return final


def prune(folder: Path, keep: int) -> list[str]:
    """Remove all but the newest versions, never the current one. Only while `alone`.

    Returns:
        The names of the versions removed.
    """
    current = current_version(folder).name
    old = [path for path in versions(folder)[: -max(keep, 1)] if path.name != current]
    for path in old:
        # Under a draft's name first: a version that is there is whole.
        path.rename(passing := folder / f".{path.name}")
        shutil.rmtree(passing)
    return [path.name for path in old]


def read_manifest(version: Path) -> dict[str, Any]:
    """The manifest of one version of a book.

    Raises:
        Problem: If it is damaged (not what it was sealed as), or this Cadran does not know the shape the book was written in.
    """
    try:
        text, is_whole = sealed(version)
        manifest = json.loads(text)
        found = int(manifest["schema_version"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise damaged(version, error) from error
    if found != SCHEMA_VERSION:
        raise Problem(
            "The book in {folder} was written in shape {found}; this Cadran reads shape {known}.",
            _way_on(version, found), folder=version.parent, found=found, known=SCHEMA_VERSION, n=_newer_than(version),
        )  # fmt: skip
    if not is_whole:
        raise Problem(
            "Version {version} of the book in {folder} is damaged: {file} is not what was written.",
            "`cadran books --restore N` goes back to a version that is whole.",
            version=version.name, folder=version.parent, file=MANIFEST,
        )  # fmt: skip
    return manifest


def _way_on(version: Path, found: int) -> str:
    """What to do where a version has another shape than this Cadran's."""
    if found > SCHEMA_VERSION:
        return "Install a newer Cadran."
    pointer = version.parent / POINTER
    if pointer.exists() and pointer.read_text("utf-8").strip() != version.name and _newer_than(version):
        return "It is an older version that stands beside: remove it with `cadran books --prune {n}`."
    return "Import again from the source with --anew."


def _newer_than(version: Path) -> int:
    """How many versions of a book are newer than one."""
    return sum(int(each.name) > int(version.name) for each in versions(version.parent))


def read_set_aside(version: Path) -> pl.DataFrame:
    """The rows that broke a rule at the import of this version."""
    with read_from(version):
        return pl.read_parquet(version / "set_aside" / "*.parquet")


def since(folder: Path) -> Since | None:
    """What a source needs to know of the book it feeds; None if there is no book yet.

    Raises:
        Problem: If the book cannot be read.
    """
    if not (folder / POINTER).exists():
        return None
    version = current_version(folder)
    manifest = read_manifest(version)

    def keys(table: str) -> pl.Series:
        return _stored(version, manifest, group_of(table)).keys(table)

    memory = forgotten(folder)

    def is_renamed(table: str, key: str) -> bool:
        return table in KIND_OF and memory.pseudonym(KIND_OF[table], key) is not None

    return Since(
        watermarks=manifest.get("watermarks", {}), columns=manifest.get("columns", {}),
        n_buckets=manifest.get("n_buckets", {}), keys=keys, is_renamed=is_renamed,
    )  # fmt: skip


def _check_follows(before: dict[str, Any], settings: Settings, folder: Path) -> None:
    stored = before["settings"]
    for name in LASTING:
        if stored[name] != getattr(settings, name):
            raise Problem(
                "The book in {folder} has {name} = {old}, this import {new}.",
                "Import into another folder, or begin the book again with --anew.",
                folder=folder, name=name, old=stored[name], new=getattr(settings, name),
            )  # fmt: skip
    taken = datetime.fromisoformat(stored["taken"])
    if settings.taken < taken:
        raise Problem(
            "This data was taken on {new:%Y-%m-%d %H:%M}, before that of the book ({old:%Y-%m-%d %H:%M} UTC).",
            "Import in the order in which data was taken, or begin the book again with --anew.",
            new=settings.taken, old=taken,
        )  # fmt: skip


def _enter_all(
    draft: Draft, delivery: Delivery, old: Path | None, before: dict[str, Any] | None, accept_vanished: bool
) -> dict[str, Any]:
    """Write every group of a version, and say what was written."""
    before = before or {}
    sums = before.get("sha256", {})
    settings = delivery.settings
    scene = _scene(delivery, old, before)
    aside = _Aside(draft)
    stream = _by_group(aside.passed(delivery.parts))
    entered: dict[str, Entered] = {}
    for group in GROUPS:
        stored = _stored(old, before, group) if old else None
        n_keys = before.get("n_keys", {}).get(group.tables[0], 0)
        cut = before.get("polars") != pl.__version__
        entered[group.name] = enter(group, next(stream), stored, sums, draft, scene, n_keys, cut)
        if not accept_vanished:
            _check_vanished(entered[group.name])
    for _ in stream:
        raise AssertionError("Every group has had its turn.")
    aside.close()
    days = [day for each in entered.values() for day in each.days]
    if old:
        with read_from(old):
            known = pl.read_parquet(old / "calendar" / "*.parquet")["date"]
        days += [known[0], date(known[-1].year - 1, 12, 31)]
    whole = calendar(days, settings)
    draft.write("calendar/0000.parquet", whole)
    for kind in ("account", "rep"):
        draft.write(f"numbers/{kind}.parquet", scene.numbers[kind].known.sort(f"{kind}_key"))
    counts = {name: c for each in entered.values() for name, c in each.counts.items()}

    def total(what: str, more: str) -> dict[str, int]:
        return {
            name: before.get(what, {}).get(name, 0) + counts[name].get(more, 0) for name in STORED if name in counts
        }

    n_keys, n_there = total("n_keys", "n_new"), counts.get("versions", {}).get("n_there", 0)
    n_before = before.get("n_deals") if before else 0
    return {
        "polars": pl.__version__,
        "settings": asdict(settings) | {"taken": settings.taken.isoformat()},
        # Which tables tell their whole past; the others are followed from the first import on only.
        "histories": sorted({*before.get("histories", ()), *delivery.histories}),
        "first_taken": before.get("first_taken", settings.taken.isoformat()),
        "followed_since": before.get("followed_since")
        or (delivery.followed_since.isoformat() if delivery.followed_since else None),
        "rows": {"calendar": whole.height} | total("rows", "n_rows"),
        "corrected": {name: n for name, n in total("corrected", "n_second_life").items() if n},
        "n_keys": n_keys,
        # Deals there are, without those that ended; unknown where an older version did not count them.
        "n_deals": None if n_before is None else n_before + n_there,
        "n_buckets": {name: each.n_buckets for name, each in entered.items()},
        "changed": [name for name, each in entered.items() if each.n_masked],
        "numbers": {kind: each.following for kind, each in scene.numbers.items()},
        "import": {
            name: {what: c.get(what, 0) for what in COUNTS}
            | {"n_unchanged": n_keys[name] - sum(c.get(what, 0) for what in COUNTS)}
            for name, c in counts.items()
        },
        "files": [asdict(file) for file in delivery.files],
        "set_aside": dict(sorted(aside.counts.items())),
        "watermarks": before.get("watermarks", {}) | delivery.watermarks,
        "columns": before.get("columns", {}) | delivery.columns,
        "sha256": {},
    }


def _scene(delivery: Delivery, old: Path | None, before: dict[str, Any]) -> Scene:
    numbers = {}
    for kind in ("account", "rep"):
        known = None
        if old:
            with read_from(old):
                known = pl.read_parquet(old / f"numbers/{kind}.parquet")
        numbers[kind] = Numbers(kind, known)
    numbers["opportunity"] = Numbers("opportunity", following=before.get("numbers", {}).get("opportunity", 0))
    settings = delivery.settings
    taken = datetime.fromisoformat(before["settings"]["taken"]) if old else None
    day = taken.astimezone(ZoneInfo(settings.time_zone)).date() if taken else None
    return Scene(
        settings.taken, taken, day, settings.time_zone, numbers,
        frozenset(delivery.histories), frozenset(delivery.partial), frozenset(delivery.observed), delivery.merges,
    )  # fmt: skip


def _stored(version: Path, manifest: dict[str, Any], group: Group) -> Stored:
    n = manifest.get("n_buckets", {}).get(group.name, 1)
    return Stored(version, group, n, group.name in manifest.get("changed", ()))


def _by_group(parts: Iterator[Part]) -> Iterator[Iterator[Part]]:
    """The parts of each group of `GROUPS`, none for a group that is not told."""
    grouped = groupby(parts, lambda part: part.group)
    name, those = next(grouped, (None, iter(())))
    for group in GROUPS:
        if group.name != name:
            yield iter(())
            continue
        yield those
        name, those = next(grouped, (None, iter(())))
    if name is not None:
        raise ValueError(f"The parts of {name} came out of the order of GROUPS.")


def _check_vanished(entered: Entered) -> None:
    for name, counts in entered.counts.items():
        gone, living = counts.get("n_vanished", 0), counts.get("n_living", 0)
        if gone > 10 and gone > 0.1 * living:
            raise Problem(
                "{gone:,} of {living:,} {table} in the book are not in this import.",
                'If it holds only a part of them, write absent = "kept" in the mapping, under the table; if they are '
                "gone for good, import with --accept-vanished.",
                gone=gone, living=living, table=name,
            )  # fmt: skip


class _Aside:
    """The rows set aside, written as the parts go by."""

    def __init__(self, draft: Draft):
        self.draft, self.n_files = draft, 0
        self.counts: dict[str, int] = {}

    def passed(self, parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            if part.set_aside.height:
                self._write(part.set_aside)
            yield part

    def close(self) -> None:
        if not self.n_files:
            self._write(pl.DataFrame(schema=SET_ASIDE))

    def _write(self, rows: pl.DataFrame) -> None:
        self.draft.write(f"set_aside/{self.n_files:04}.parquet", rows)
        self.n_files += 1
        # `rule` holds a sentence a line.
        for rule, n in rows.select(pl.col("rule").str.split("\n").explode()).group_by("rule").len().iter_rows():
            self.counts[rule] = self.counts.get(rule, 0) + n
