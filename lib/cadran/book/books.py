"""The versions of a book: which there are, what each import did, whether their files are whole, going back to one."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import store
from cadran.book.accumulate import COUNTS
from cadran.book.draft import MANIFEST, SEAL, digest
from cadran.book.folder import POINTER, alone, current_version, switch, versions
from cadran.book.rewrite import finish
from cadran.tables import STORED
from cadran.tables.problems import Problem

#: Columns of `listed`: counts are of deals; `problem` says why a version cannot be read.
LISTED: dict[str, Any] = {
    "version": pl.Int64, "is_current": pl.Boolean, "written_at": pl.Datetime("us", "UTC"),
    "taken": pl.Datetime("us", "UTC"), "n_deals": pl.Int64, "n_rows": pl.Int64,
    **dict.fromkeys(COUNTS, pl.Int64), "problem": pl.String,
}  # fmt: skip


def listed(folder: Path) -> pl.DataFrame:
    """One row per version of a book, oldest first, with the columns `LISTED`.

    `n_deals` counts the deals there were when the data was taken, without those that were gone (null for a version that
    did not count them yet), `n_rows` the rows of all tables; `n_new` … `n_ended` the deals that this version's import
    brought, changed, corrected in the past, or ended.

    Raises:
        Problem: If there is no book.
    """
    current = _there(folder)
    rows = []
    for version in versions(folder):
        row: dict[str, object] = {"version": int(version.name), "is_current": version.name == current}
        try:
            manifest = store.read_manifest(version)
            done = manifest.get("import", {}).get("versions", {})
            row |= {name: done.get(name) for name in COUNTS}
            row["written_at"] = datetime.fromisoformat(manifest["written_at"])
            row["taken"] = datetime.fromisoformat(manifest["settings"]["taken"])
            row["n_deals"] = manifest.get("n_deals")
            row["n_rows"] = sum(manifest["rows"].values())
        except Problem as problem:
            row["problem"] = str(problem.values.get("reason") or problem)
        rows.append(row)
    return pl.DataFrame([{name: row.get(name) for name in LISTED} for row in rows], schema=LISTED, orient="row")


def compared(folder: Path, one: int, other: int) -> pl.DataFrame:
    """One row per table: `rows_before` in one version, `rows_after` in the other, `rows_more` than before.

    Raises:
        Problem: If one of the versions is not there, or cannot be read.
    """
    rows = [store.read_manifest(version_of(folder, number))["rows"] for number in (one, other)]
    names = [name for name in STORED if any(name in each for each in rows)]
    first, second = (pl.Series([each.get(name, 0) for name in names]) for each in rows)
    return pl.DataFrame({"table": names, "rows_before": first, "rows_after": second, "rows_more": second - first})


def version_of(folder: Path, number: int) -> Path:
    """The folder of a version by its number.

    Raises:
        Problem: If it is not there.
    """
    for version in versions(folder) if folder.is_dir() else ():
        if int(version.name) == number:
            return version
    raise Problem(
        "The book in {folder} has no version {number}.", "Its versions are: {names}.",
        folder=folder, number=number,
        names=", ".join(str(int(v.name)) for v in (versions(folder) if folder.is_dir() else [])) or "-",
    )  # fmt: skip


def restore(folder: Path, number: int) -> Path:
    """Make an older version the current one again. Nothing is lost: the newer ones stay, and it can be undone.

    The next import is added to the version that is current then.

    Returns:
        The folder of the version that is now current.

    Raises:
        Problem: If it is not there or its files are not whole, or another import is writing.
    """
    with alone(folder):
        finish(folder)
        version = version_of(folder, number)
        if wrong := list(faults(version)):
            raise _not_whole(version, wrong, [])
        switch(folder, version.name)
    return version


def prune(folder: Path, keep: int) -> list[str]:
    """Remove all but the newest versions of a book; never the current one.

    Returns:
        The names of the versions removed.

    Raises:
        Problem: If there is no book, or another import is writing.
    """
    current_version(folder)
    with alone(folder):
        finish(folder)
        return store.prune(folder, keep)


def verify(folder: Path, every: bool = False) -> int:
    """Read every file of the current version, or of all, and compare it with the checksum of the day it was written.

    Returns:
        How many files were read.

    Raises:
        Problem: If a file is damaged, missing or not of the book: which, and which version is whole.
    """
    current = current_version(folder)
    looked_at = versions(folder) if every else [current]
    for version in looked_at:
        if wrong := list(faults(version)):
            others = [v for v in reversed(versions(folder)) if v != version]
            raise _not_whole(version, wrong, [v.name for v in others if not any(faults(v))][:1])
    return sum(len(store.read_manifest(version).get("sha256", {})) for version in looked_at)


_WRONG = {
    "changed": "Version {version} is damaged in {n} of its files: {file} is not what was written.",
    "missing": "Version {version} is damaged in {n} of its files: {file} is missing.",
    "unreadable": "Version {version} is damaged in {n} of its files: {file} or its checksum cannot be read.",
    "strange": "Version {version} is damaged in {n} of its files: {file} is none of them.",
}


def faults(version: Path) -> Iterator[tuple[str, str]]:
    """The files of a version that are not what was written, and what is wrong with each, out of `_WRONG`."""
    try:
        text = (version / MANIFEST).read_bytes()
        sealed = (version / SEAL).read_text("utf-8").split()[0]
    except (OSError, ValueError, IndexError):
        yield MANIFEST, "unreadable"
        return
    if hashlib.sha256(text).hexdigest() != sealed:
        yield MANIFEST, "changed"
        return
    sums = store.read_manifest(version)["sha256"]
    for name, checksum in sums.items():
        try:
            if digest(version / name) != checksum:
                yield name, "changed"
        except OSError as error:
            yield name, "missing" if isinstance(error, FileNotFoundError) else "unreadable"
    for path in sorted(version.rglob("*.parquet")):
        name = path.relative_to(version).as_posix()
        if name not in sums:
            yield name, "strange"


def _not_whole(version: Path, wrong: list[tuple[str, str]], whole: list[str]) -> Problem:
    file, what = wrong[0]
    repair = "Import again from the source with --anew: no other version is whole."
    if whole:
        repair = (
            "Go back to a version that is whole with `cadran books --restore {whole}`, or import again with --anew."
        )
    return Problem(
        _WRONG[what], repair,
        n=len(wrong), version=int(version.name), file=version / file, whole=int(whole[0]) if whole else None,
    )  # fmt: skip


def _there(folder: Path) -> str:
    """The name of the current version, though it may be gone."""
    if not (folder / POINTER).exists():
        current_version(folder)
    return (folder / POINTER).read_text("utf-8", errors="replace").strip()
