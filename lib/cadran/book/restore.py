"""A book put back from a backup: all of it, or nothing; and whom it forgot since stays forgotten."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from cadran.book import individual, one_to_ones, presented, promised, store, views
from cadran.book.archive import unpacked
from cadran.book.backup import ACCOUNTS, KEYS, copied
from cadran.book.beside import EMPLOYEE
from cadran.book.folder import LOCK, POINTER, alone, flush, told_of
from cadran.book.forgotten import FILE as FORGOTTEN
from cadran.book.forgotten import NAMES_SOMEBODY, Forgotten, forgotten
from cadran.book.lines import lines
from cadran.book.pulse import FOLDER as PULSE
from cadran.book.pulse import Pulse
from cadran.book.pulse_forgotten import forgotten_of, remember
from cadran.book.pulse_purge import purge as purge_surveys
from cadran.book.rewrite import begin, files_once, write_whole
from cadran.tables.problems import Problem

#: Where a book stands until all of it is there, in its folder, and what is being moved out of there.
_DRAFT, _MOVING = ".restoring", "moving.json"
#: What may stand in a folder that is empty.
_NOTHING = {LOCK, _DRAFT, "lost+found"}
#: Records of which the newest holds, whatever else is restored: who may sign in, whether persons may be rated, who was shown
#: whom.
_NEWEST = (ACCOUNTS, individual.RECORD, views.FILE, presented.RECORD)
#: Whom a one-to-one or a promise names.
_WHO = ("person", "manager", "owner")


@dataclass(frozen=True)
class Restored:
    """What was put back."""

    n_versions: int
    made_at: datetime
    #: Waves that were open then, and whose answers the backup does not hold.
    left_out: tuple[str, ...]
    #: Whether the keys of surveys are not there, though there were some.
    lacks_keys: bool
    #: How many identifiers and names were forgotten again; null where nothing newer was there to tell.
    n_forgotten: int | None


def restore(
    archive: Path, folder: Path, now: datetime, keys: Path | None = None, newer: Path | None = None
) -> Restored:
    """Put a book back. Its pointer comes last: until then the folder holds no book.

    Args:
        archive: As `backup` wrote it.
        folder: Empty, or made.
        now: When: what surveys keep no longer is removed.
        keys: The keys of its surveys, the newest there are.
        newer: What is left of the book that this replaces, or a newer backup of it. Whom it forgot is forgotten here too, what
            it purged is purged; who may sign in is as it says.

    Raises:
        Problem: If the folder holds something, the archive is not whole or of another shape, or `newer` is of another book.
    """
    with alone(folder):
        draft = _cleared(folder)
        try:
            book = draft / "book"
            index = unpacked(archive, book)
            if index.get("is_keys") or "current" not in index:
                raise Problem("{file} holds the keys of surveys, and no book.", "Name it with --keys, and the backup first.",
                              file=archive)  # fmt: skip
            store.read_manifest(book / index["current"])
            if keys:
                _take_keys(keys, draft / "keys", book)
            n_forgotten = None
            if newer:
                with _opened(newer, draft / "newer") as left:
                    n_forgotten = _follow(book, left)
            elif keys:
                _forget_again(book, forgotten(book))
            if (book / PULSE).exists():
                purge_surveys(Pulse(book / PULSE), now)
            n_versions = sum(path.name.isdigit() for path in book.iterdir())
            _put_in_place(draft, folder)
        except BaseException:
            if not (folder / POINTER).exists():
                _undo(folder, draft)
            raise
    lacks_keys = bool(index["has_keys"]) and keys is None
    made_at = datetime.fromisoformat(index["made_at"])
    return Restored(n_versions, made_at, tuple(index["left_out"]), lacks_keys, n_forgotten)


def _cleared(folder: Path) -> Path:
    """The place for what is restored, once what an interrupted restoring left is gone."""
    draft = folder / _DRAFT
    if draft.exists():
        _undo(folder, draft)
    if there := sorted(path.name for path in folder.iterdir() if path.name not in _NOTHING):
        raise Problem(
            "{folder} is not empty: it holds {name}.", "Restore into an empty folder. Nothing is ever written over.",
            folder=folder, name=there[0],
        )  # fmt: skip
    with told_of(folder):
        draft.mkdir(mode=0o700)
    return draft


def _undo(folder: Path, draft: Path) -> None:
    """Remove the draft, and what was moved out of it if not all was."""
    if not (folder / POINTER).exists() and (draft / _MOVING).exists():
        for name in json.loads((draft / _MOVING).read_text("utf-8")):
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    shutil.rmtree(draft)


def _put_in_place(draft: Path, folder: Path) -> None:
    """Move everything out of the draft, the pointer last. Whoever is interrupted here begins anew: what was moved is noted."""
    with told_of(folder):
        book = draft / "book"
        names = sorted(path.name for path in book.iterdir() if path.name[0] != "." and path.name != POINTER)
        write_whole(draft / _MOVING, json.dumps(names))
        for name in names:
            (book / name).rename(folder / name)
        flush(folder)
        (book / POINTER).rename(folder / POINTER)
        flush(folder)
        shutil.rmtree(draft)


def _take_keys(archive: Path, draft: Path, book: Path) -> None:
    if not unpacked(archive, draft).get("is_keys"):
        raise Problem("{file} holds no keys of surveys.", "Name the file that `cadran backup` wrote beside the backup.",
                      file=archive)  # fmt: skip
    (book / PULSE).mkdir(exist_ok=True)
    (draft / KEYS).rename(book / KEYS)


@contextmanager
def _opened(newer: Path, draft: Path) -> Iterator[Path]:
    """The folder of what is newer; that of a backup is unpacked, and removed."""
    if newer.is_file():
        unpacked(newer, draft)
        yield draft
        shutil.rmtree(draft)
    elif newer.is_dir():
        yield newer
    else:
        raise Problem("There is no {path}.", "Name the folder of a book, or a backup.", path=newer)


def _follow(book: Path, newer: Path) -> int:
    """Have a book forget whom a newer one forgot, and hold the newest records; how many spellings were met again."""
    memory, later = forgotten(book), forgotten(newer)
    if memory.known.keys() - later.known.keys():
        raise Problem(
            "{path} is not of the same book: it knows nobody whom this backup forgot.",
            "Name what is left of the book that this backup replaces, or leave --newer out.", path=newer,
        )  # fmt: skip
    if later.known or later.purged_before:
        write_whole(book / FORGOTTEN, later.to_json())
    for path in sorted((newer / KEYS).glob("*.forgotten.json")):
        survey = path.name.removesuffix(".forgotten.json")
        (book / KEYS).mkdir(parents=True, exist_ok=True, mode=0o700)
        remember(book / PULSE, survey, forgotten_of(newer / PULSE, survey))
    n = _forget_again(book, later)
    if later.purged_before:
        begin(book, "purge", later.purged_before.isoformat())
    for name in _NEWEST:
        if (newer / name).exists():
            data, mode = copied(newer / name)
            (book / name).unlink(missing_ok=True)
            (book / name).touch(mode=mode)
            (book / name).write_bytes(data)
            flush(book / name)
    return n


def _forget_again(book: Path, memory: Forgotten) -> int:
    """Forget in a book whoever is remembered as forgotten and is named there; how many of their spellings are."""
    for table, path in files_once(book):
        if table in NAMES_SOMEBODY:
            memory.meet(table, pl.read_parquet(path))
    for file in (one_to_ones.FILE, one_to_ones.AGREED, promised.FILE):
        memory.meet_in(row[who] for row in lines(book / PULSE / file) for who in _WHO if isinstance(row.get(who), str))
    names = [path.name.removesuffix(".forgotten.json") for path in sorted((book / KEYS).glob("*.forgotten.json"))]
    surveys = {name: [asdict(each) for each in forgotten_of(book / PULSE, name)] for name in names}
    if surveys:
        begin(book, "forget", {"kind": EMPLOYEE, "ids": {}, "names": {}, "surveys": surveys})
    for person in memory.met.values():
        begin(book, "forget", {**asdict(person), "surveys": {}})
    return sum(len(person.spellings) for person in memory.met.values())
