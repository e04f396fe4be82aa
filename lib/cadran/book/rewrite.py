"""Rewriting what a book keeps, version by version: each is the old one or the new, whole, at every instant."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import store
from cadran.book.draft import Draft, seal
from cadran.book.folder import OLD, exchange, flush, versions
from cadran.tables.groups import GROUPS
from cadran.tables.problems import Problem

#: What is being done to a book's versions, while it is: whoever writes the book next finishes it.
JOURNAL = "rewriting.json"
#: New rows of a file of a table; null where it stays as it is.
Change = Callable[[str, Path], pl.DataFrame | None]
#: New content of a manifest, of a version in whose new folder some tables changed.
Retold = Callable[[dict[str, Any], Path, set[str]], dict[str, Any]]
#: What does each kind of thing that a journal names, by what the journal holds.
_ACTS: dict[str, Callable[[Path, Any], int]] = {}
_NEW = ".{}.rewritten"


def act(name: str) -> Callable[[Callable[[Path, Any], int]], Callable[[Path, Any], int]]:
    """Make a function known as what does things of a name to a book; doing them again must do no harm."""

    def known(does: Callable[[Path, Any], int]) -> Callable[[Path, Any], int]:
        _ACTS[name] = does
        return does

    return known


def begin(folder: Path, name: str, what: Any) -> int:
    """Do something to every version of a book, so that an interruption only delays it. The lock must be held."""
    write_whole(folder / JOURNAL, json.dumps({name: what}, ensure_ascii=False, indent=1))
    try:
        return finish(folder)
    except KeyboardInterrupt:
        raise Problem(
            "Interrupted: some versions of the book are done, the others are as they were.",
            "Give the same command again: it goes on where it stopped.",
        ) from None


def begun(folder: Path) -> dict[str, Any]:
    """What was begun and not finished: its name, and what it is done with. Nothing where all is done."""
    try:
        return dict(json.loads((folder / JOURNAL).read_text("utf-8")))
    except FileNotFoundError:
        return {}


def finish(folder: Path) -> int:
    """Bring to its end what was begun: how many versions were rewritten. The lock must be held."""
    _tidy(folder)
    n = sum(_ACTS[name](folder, what) for name, what in begun(folder).items())
    (folder / JOURNAL).unlink(missing_ok=True)
    flush(folder)
    return n


def files(version: Path) -> Iterator[tuple[str, Path]]:
    """Every file of rows of a version, with the table whose columns it has: the keys that stand anew have a few."""
    main = {group.name: next(table for table in group.tables if table != "stages") for group in GROUPS}
    for path in sorted(version.rglob("*.parquet")):
        place = path.relative_to(version).parts
        if place[0] == "numbers":
            yield f"{path.stem}s", path
        else:
            yield (main[path.stem] if place[0] == "changed" and len(place) == 2 else place[-2]), path


def files_once(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file of rows of all versions, those that versions share once.

    Raises:
        Problem: If a version is of another shape, or damaged.
    """
    seen: set[int] = set()
    for version in versions(folder):
        store.read_manifest(version)
        for table, path in files(version):
            if (number := path.stat().st_ino) not in seen:
                seen.add(number)
                yield table, path


def rewrite_all(versions: list[Path], change: Callable[[Path], Change], retold: Retold) -> int:
    """Rewrite versions of a book, one after the other: how many were changed. `change` is asked once for each."""
    done: dict[int, tuple[Path, str]] = {}
    return sum(_rewrite(version, change(version), retold, done) for version in versions)


def _rewrite(version: Path, change: Change, retold: Retold, done: dict[int, tuple[Path, str]]) -> bool:
    """Replace a version by one in which files were changed.

    What is unchanged is linked; so is what an older version shared, and was changed there (`done`: its version and
    checksum, by the number of the file that was replaced).
    """
    manifest = store.read_manifest(version)
    sums = manifest.get("sha256", {})
    draft = Draft(version.with_name(_NEW.format(version.name)))
    changed: set[str] = set()
    for table, path in files(version):
        name, number = path.relative_to(version).as_posix(), path.stat().st_ino
        frame = None if number in done else change(table, path)
        if frame is not None:
            draft.write(name, frame)
            done[number] = version, draft.sums[name]
            changed.add(table)
        elif number in done:
            draft.link(done[number][0], name, done[number][1])
            changed.add(table)
        else:
            draft.link(version, name, sums.get(name, ""))
    told = retold(manifest | {"sha256": dict(sorted(draft.sums.items()))}, draft.path, changed)
    if not changed and told == manifest:
        shutil.rmtree(draft.path)
        return False
    seal(draft.path, told)
    for path in (*draft.path.rglob("*/"), draft.path):
        flush(path)
    exchange(draft.path, version)
    return True


def _tidy(folder: Path) -> None:
    """Remove what an interruption left: a version half made, or the old one beside the new."""
    for old in folder.glob(OLD.format("*")):
        version = folder / old.name.split(".")[1]
        if not version.exists():
            folder.joinpath(_NEW.format(version.name)).rename(version)
        shutil.rmtree(old)
    for draft in folder.glob(_NEW.format("*")):
        shutil.rmtree(draft)


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it is there whole, or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, "utf-8")
    flush(draft)
    draft.replace(path)
    flush(path.parent)
