"""A copy of a whole book in one file, consistent though imports, surveys and readers go on, and put back from it.

It takes no lock, and writes nothing in the book's folder. Versions are immutable, so copying them waits for nobody; what
does change them (forgetting, purging) is noticed, and the copy is begun anew. SQLite files are copied by SQLite.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cadran.book.archive import Packing, packing
from cadran.book.ballots import FILE as BALLOTS
from cadran.book.draft import MANIFEST, SEAL, seal_of, sealed
from cadran.book.folder import POINTER, current_version, damaged, is_version, versions
from cadran.book.forgotten import FILE as FORGOTTEN
from cadran.book.presented import ROOMS
from cadran.book.pulse import FOLDER as PULSE
from cadran.book.rewrite import JOURNAL
from cadran.tables.problems import Problem

#: The keys of surveys, which are not kept where the answers are.
KEYS = f"{PULSE}/keys"
#: Who may sign in, as `cadran.access` keeps it. Whoever is signed in signs in again: a copy opens no page.
ACCOUNTS = "accounts.sqlite"
#: Its tables that tell of sessions: those of a provider hold what it signed of somebody. Rooms are left out likewise.
_OF_SESSIONS = ("guest_sessions", "sessions")
_SQLITE = b"SQLite format 3\0"
#: What SQLite keeps beside a file while it writes.
_OF_SQLITE = ("-journal", "-wal", "-shm")
_TRIES = 3


class _ChangedMeanwhile(Exception):
    """Somebody was forgotten, or something purged, while the book was copied."""


@dataclass(frozen=True)
class BackedUp:
    """What a backup holds."""

    file: Path
    #: The keys of surveys, where there are any: they are to be kept elsewhere.
    keys: Path | None
    n_versions: int
    n_files: int
    n_bytes: int
    #: Waves whose answers were left out, for they are open.
    left_out: tuple[str, ...]


def backup(folder: Path, out: Path, now: datetime, with_answers: bool = False) -> BackedUp:
    """Copy a book into one file.

    Args:
        folder: The book's folder.
        out: The file; its owner alone may read it. The keys of surveys go into another beside it.
        now: When, which the file says.
        with_answers: Whether to take the answers of waves that are open too. Whoever has two copies of an open wave sees in
            their difference what was answered between them.

    Raises:
        Problem: If there is no book, it is damaged or being rewritten, or a file is there already or cannot be written.
    """
    current_version(folder)
    if folder.resolve() in out.resolve().parents:
        raise Problem("{file} would lie in the book itself.", "Name a file elsewhere, best on another disk.", file=out)
    for _ in range(_TRIES):
        try:
            return _backed_up(folder, out, now, with_answers)
        except (_ChangedMeanwhile, FileNotFoundError):
            continue  # a version was exchanged for its rewritten self, or is gone
        except OSError as error:
            raise Problem(
                "{file} cannot be read or written: {reason}.", "Have its permissions and free space looked at.",
                file=error.filename or out, reason=error.strerror or error,
            ) from error  # fmt: skip
    raise Problem(
        "The book in {folder} is being rewritten: somebody is forgotten, or something purged.",
        "Wait for it to end. If it was interrupted, give that command again: it finishes it.", folder=folder,
    )  # fmt: skip


def _backed_up(folder: Path, out: Path, now: datetime, with_answers: bool) -> BackedUp:
    before, current = _state(folder), current_version(folder)
    told: dict[str, Any] = {"made_at": now.isoformat(), "current": current.name, "has_keys": False}
    told |= {"schema_version": json.loads(sealed(current)[0]).get("schema_version")}
    keys = sorted((folder / KEYS).glob("[!.]*"))
    apart = out.with_name(f"{out.stem}.keys{out.suffix}") if keys else None
    if apart:
        told["has_keys"] = True
        with packing(apart, {"made_at": now.isoformat(), "is_keys": True}) as packed:
            packed.folder(PULSE, 0o755)
            packed.folder(KEYS, 0o700)
            for path in keys:
                packed.data(path.relative_to(folder).as_posix(), path.read_bytes(), 0o600)
    try:
        with packing(out, told) as packed:
            left_out = _pack_ballots(packed, folder, with_answers)
            told["left_out"] = left_out
            seals = {version: _pack_version(packed, version) for version in versions(folder)}
            _pack_beside(packed, folder)
            packed.data(POINTER, f"{current.name}\n".encode(), 0o644)
            # A version that went to make room for a new one is of no consequence; one that is another now is.
            if _state(folder) != before or any(v.exists() and seal_of(v) != seal for v, seal in seals.items()):
                raise _ChangedMeanwhile
    except BaseException:
        if apart:
            apart.unlink(missing_ok=True)
        raise
    return BackedUp(out, apart, len(seals), len(packed.sums), out.stat().st_size, left_out)


def _state(folder: Path) -> tuple[Any, ...]:
    """What would not be the same after anything was forgotten, purged, opened or closed."""
    if (folder / JOURNAL).exists():
        raise _ChangedMeanwhile
    noted = [folder / FORGOTTEN, folder / PULSE / "purged.json", *sorted((folder / KEYS).glob("*.forgotten.json"))]
    ballots = folder / PULSE / BALLOTS
    waves: list[Any] = []
    if ballots.exists():
        with closing(_read_only(ballots)) as run:
            waves = run.execute("select survey, wave, closed_at, definition = '' from waves order by 1, 2").fetchall()
    return [path.read_bytes() if path.exists() else None for path in noted], waves  # type: ignore[return-value]


def _pack_ballots(packed: Packing, folder: Path, with_answers: bool) -> tuple[str, ...]:
    """The store of answers, without those of open waves unless they are asked for; the names of the waves left out.

    First of all: a wave that closes meanwhile is then in the book, and not neither here nor there.
    """
    path = folder / PULSE / BALLOTS
    if not path.exists():
        return ()
    is_open = "closed_at = ''"
    those = f"wave_id in (select wave_id from waves where {is_open})"
    removal = [f"delete from {table} where {those}" for table in ("boxes", "links")] + [
        f"delete from waves where {is_open}"
    ]
    with closing(_read_only(path)) as run:
        names = [f"{survey}@{wave}" for survey, wave in run.execute(f"select survey, wave from waves where {is_open}")]
    packed.folder(PULSE, _mode(path.parent))
    packed.data(f"{PULSE}/{BALLOTS}", _sqlite(path, *([] if with_answers else removal)), 0o600)
    return () if with_answers else tuple(names)


def _pack_version(packed: Packing, version: Path) -> str:
    """A version with its files, those shared with one before once; its seal. What an older Cadran wrote, as it is."""
    text, is_whole = sealed(version)
    seal = seal_of(version)
    if not is_whole:
        raise damaged(version, ValueError(MANIFEST))
    sums: dict[str, str] = json.loads(text).get("sha256", {})
    names: dict[str, str | None] = {**sums} or {
        path.relative_to(version).as_posix(): None for path in sorted(version.rglob("*.parquet"))
    }
    packed.folder(version.name, _mode(version))
    for place in sorted({part for name in names for part in Path(name).parents if part.name}):
        packed.folder(f"{version.name}/{place.as_posix()}", _mode(version / place))
    for name, checksum in names.items():
        _pack_rows(packed, version, name, checksum, seal)
    packed.data(f"{version.name}/{MANIFEST}", text, _mode(version / MANIFEST))
    if seal:
        packed.data(f"{version.name}/{SEAL}", (version / SEAL).read_bytes(), _mode(version / SEAL))
    return seal


def _pack_rows(packed: Packing, version: Path, name: str, checksum: str | None, seal: str) -> None:
    """One file of rows, held to its checksum."""
    path = f"{version.name}/{name}"
    if checksum and packed.linked(path, name, checksum):
        return
    with (version / name).open("rb") as file:
        stat = os.fstat(file.fileno())
        found = packed.stream(path, file, stat.st_size, stat.st_mode & 0o777)
    if checksum and found != checksum:
        if seal_of(version) != seal:
            raise _ChangedMeanwhile
        raise Problem(
            "Version {version} of the book in {folder} is damaged: {file} is not what was written.",
            "`cadran books --restore N` goes back to a version that is whole, `--prune` removes old ones; then try again.",
            version=version.name, folder=version.parent, file=name,
        )  # fmt: skip


def _pack_beside(packed: Packing, folder: Path) -> None:
    """What stands beside the versions: plans, calls, surveys, accounts, records; whatever is there, but for what begins
    with a dot."""
    for path in _beside(folder, folder):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            if name != PULSE or not (path / BALLOTS).exists():
                packed.folder(name, _mode(path))
            continue
        packed.data(name, *copied(path))


def copied(path: Path) -> tuple[bytes, int]:
    """What a file holds, and who may read it. One of SQLite's is copied by SQLite; accounts come without sessions."""
    with path.open("rb") as file:
        is_sqlite = file.read(len(_SQLITE)) == _SQLITE
    emptied = _OF_SESSIONS if path.name == ACCOUNTS else ()
    return _sqlite(path, emptied=emptied) if is_sqlite else path.read_bytes(), _mode(path)


def _beside(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        is_known = path.relative_to(root).as_posix() in (POINTER, KEYS, f"{PULSE}/{BALLOTS}", ROOMS)
        if path.name[0] == "." or is_known or path.name.endswith(_OF_SQLITE) or (folder == root and is_version(path)):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield path
            yield from _beside(path, root)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30, isolation_level=None)


def _sqlite(path: Path, *removal: str, emptied: Sequence[str] = ()) -> bytes:
    """A copy of an SQLite file, made by SQLite without touching a disk, out of which some rows were taken, and all of the
    tables `emptied`, as far as it has them."""
    try:
        with closing(_read_only(path)) as there, closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            there.backup(copy)
            there_are = {name for (name,) in copy.execute("select name from sqlite_master where type = 'table'")}
            clearing = [f"delete from {table}" for table in emptied if table in there_are]
            for statement in (*removal, *clearing, "vacuum"):
                copy.execute(statement)
            return copy.serialize()
    except sqlite3.Error as error:
        raise Problem(
            "{file} cannot be used: {reason}.", "Put it back from your backup, or have its permissions looked at.",
            file=path, reason=error,
        ) from error  # fmt: skip


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
