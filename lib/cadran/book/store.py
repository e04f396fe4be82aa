"""The folder a book lives in: complete versions side by side, and a pointer that is switched atomically."""

import json
import os
import shutil
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book.derive import derive
from cadran.tables.delivery import Delivery
from cadran.tables.problems import Problem

#: Raised whenever a stored table changes shape, so that an old book is not read with new eyes.
SCHEMA_VERSION = 2
POINTER = "CURRENT"


def write_book(folder: Path, delivery: Delivery, written_at: datetime) -> Path:
    """Write one complete new version of a book beside the old, then switch to it.

    A crash at any instant leaves the old book or the new one, never half of one.

    Args:
        folder: The book's folder; made if absent.
        delivery: What the source handed over: valid tables, rows set aside, how they were read.
        written_at: The moment of the import, kept in the manifest.

    Returns:
        The folder of the new version.

    Raises:
        Problem: If the folder cannot be written or holds something that is no book, or another import got there first.
    """
    try:
        return _write(folder, delivery, written_at)
    except OSError as error:
        raise Problem(
            "{folder} cannot be written: {reason}.",
            "Name a folder of yours, or have its permissions and free space looked at.",
            folder=folder,
            reason=error.strerror or error,
        ) from error


def _write(folder: Path, delivery: Delivery, written_at: datetime) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / POINTER).exists() and any(
        path.name[0] != "." and not _is_version(path) for path in folder.iterdir()
    ):
        raise Problem(
            "{folder} is not empty and holds no book.", "Name an empty folder, or one that holds a book.", folder=folder
        )
    number = max((int(path.name) for path in folder.iterdir() if _is_version(path)), default=0) + 1
    draft, final = folder / f".{number:06}", folder / f"{number:06}"
    try:
        draft.mkdir()
    except FileExistsError:
        raise Problem(
            "Another import is writing version {number} of {folder}, or was interrupted.",
            "Wait for it to end; if none is running, delete {draft} and import again.",
            number=number,
            folder=folder,
            draft=draft,
        ) from None
    try:
        tables = derive(delivery.tables, delivery.settings)
        for name, frame in (tables | {"set_aside": delivery.set_aside}).items():
            (draft / name).mkdir()
            frame.write_parquet(draft / name / "0000.parquet", compression="zstd", row_group_size=250_000)
        manifest = {
            "version": number,
            "schema_version": SCHEMA_VERSION,
            "written_at": written_at.isoformat(),
            "settings": asdict(delivery.settings) | {"taken": delivery.settings.taken.isoformat()},
            # Which tables tell their whole past; the others are followed from the first import on only.
            "histories": sorted(delivery.histories),
            "first_taken": delivery.settings.taken.isoformat(),
            "rows": {name: frame.height for name, frame in tables.items()},
            "files": [asdict(file) for file in delivery.files],
            "set_aside": dict(_sentences(delivery.set_aside).group_by("rule").len().sort("rule").iter_rows()),
            "noted": delivery.noted.to_dicts(),
        }
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", "utf-8")
        for path in draft.rglob("*"):
            _flush(path)
        _flush(draft)
        draft.rename(final)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _switch(folder, final.name)
    return final


def current_version(folder: Path) -> Path:
    """The folder of the version a book's pointer names.

    Raises:
        Problem: If there is no book, or its pointer names a version that is gone.
    """
    try:
        version = folder / (folder / POINTER).read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise Problem(
            "{folder} holds no book.", "Make one with `cadran import MAPPING --book {folder}`.", folder=folder
        ) from None
    if not (version / "manifest.json").exists():
        raise Problem(
            "The book in {folder} points to {version}, which is gone.",
            "Import again, or write the name of a version that is there into {folder}/{pointer}.",
            folder=folder,
            version=version.name,
            pointer=POINTER,
        )
    return version


def read_manifest(version: Path) -> dict[str, Any]:
    """The manifest of one version of a book.

    Raises:
        Problem: If this Cadran does not know the shape the book was written in.
    """
    manifest = json.loads((version / "manifest.json").read_text("utf-8"))
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise Problem(
            "The book in {folder} was written in shape {found}; this Cadran reads shape {known}.",
            "Import again from the source.",
            folder=version.parent,
            found=manifest["schema_version"],
            known=SCHEMA_VERSION,
        )
    return manifest


def read_set_aside(version: Path) -> pl.DataFrame:
    """The rows that broke a rule at the import of this version."""
    return pl.read_parquet(version / "set_aside")


def _sentences(set_aside: pl.DataFrame) -> pl.DataFrame:
    """One row per rule that a row breaks: `rule` holds a sentence a line."""
    return set_aside.select(pl.col("rule").str.split("\n").explode())


def _is_version(path: Path) -> bool:
    return path.is_dir() and path.name.isdigit()


def _switch(folder: Path, name: str) -> None:
    draft = folder / f".{POINTER}"
    draft.write_text(name + "\n", "utf-8")
    _flush(draft)
    os.replace(draft, folder / POINTER)
    _flush(folder)


def _flush(path: Path) -> None:
    """Have the disk hold what was written, before the next step relies on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
