"""Rows set down by bucket and taken up again: in memory while they are few, else in files of a temporary folder."""

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir

import polars as pl

from cadran.tables.problems import Problem

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: Temporary folders, and the file in each that is locked while it is used.
_PREFIX, _LOCK = "cadran-", ".lock"
#: Bytes of rows kept in memory, over all piles of an import.
MOST_BYTES = 2**30


@dataclass
class Room:
    """What the piles of an import together may keep in memory."""

    bytes_left: int = field(default_factory=lambda: MOST_BYTES)
    piles: list["Pile"] = field(default_factory=list)


@contextmanager
def workspace() -> Iterator[Path]:
    """A temporary folder, gone at the end; what imports that were killed left is removed first.

    Raises:
        Problem: If there is no room left for what is written there.
    """
    _sweep()
    with TemporaryDirectory(prefix=_PREFIX) as folder:
        try:
            with (new := Path(folder) / ".new").open("w") as held:
                flock(held, LOCK_EX)
                # Under this name only once it is held: a folder whose lock is free is nobody's.
                new.rename(new.with_name(_LOCK))
                yield Path(folder)
        except OSError as error:
            if not is_no_room(error):
                raise
            raise Problem(
                "There is no room left for temporary files in {folder}.",
                "Free some space there, or name another folder in the environment variable TMPDIR.",
                folder=Path(folder).parent,
            ) from error


def _sweep() -> None:
    """Remove the temporary folders of imports that were killed: the system let go of their locks."""
    for lock in Path(gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        # Another user's folder, or one that goes at this moment, is none of ours.
        with suppress(OSError), lock.open("r+") as held:
            flock(held, LOCK_EX | LOCK_NB)
            rmtree(lock.parent, ignore_errors=True)


def is_no_room(error: OSError) -> bool:
    """Whether what was to be written found no room. Polars says so in words only."""
    return error.errno in _NO_ROOM or any(f"(os error {number})" in str(error) for number in _NO_ROOM)


@dataclass
class Pile:
    """Frames by key (a bucket, a block), each key's in the order they were added."""

    folder: Path
    room: Room = field(default_factory=Room)
    _frames: dict[int, list[pl.DataFrame]] = field(default_factory=dict)
    _files: dict[int, list[Path]] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.room.piles.append(self)

    def add(self, frames: Iterable[tuple[int, pl.DataFrame]]) -> None:
        """Set frames down, each under its key."""
        for key, frame in frames:
            self._frames.setdefault(key, []).append(frame)
            self.room.bytes_left -= _n_bytes(frame)
        if self.room.bytes_left < 0:
            for pile in self.room.piles:
                pile._write()

    def held(self) -> list[int]:
        """Every key that holds rows, in order."""
        return sorted(self._frames.keys() | self._files.keys())

    def look(self, key: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows under a key (of these columns, as far as they are there), left where they are."""
        found = [pl.read_ipc(path) for path in self._files.get(key, [])]
        found += self._frames.get(key, [])
        if columns is not None:
            found = [frame.select(c for c in columns if c in frame.columns) for frame in found]
        return pl.concat(found, how="diagonal") if found else pl.DataFrame()

    def take(self, key: int) -> pl.DataFrame:
        """The rows under a key, which the pile then forgets."""
        found = self.look(key)
        for path in self._files.pop(key, []):
            path.unlink()
        self.room.bytes_left += sum(_n_bytes(frame) for frame in self._frames.pop(key, []))
        return found

    def _write(self) -> None:
        if self._frames:
            self.folder.mkdir(parents=True, exist_ok=True)
        for key in list(self._frames):
            path = self.folder / f"{next(self._names):08}.arrow"
            frames = self._frames.pop(key)
            pl.concat(frames, how="diagonal").rechunk().write_ipc(path, compat_level=pl.CompatLevel.oldest())
            self._files.setdefault(key, []).append(path)
            self.room.bytes_left += sum(_n_bytes(frame) for frame in frames)


def cut(frame: pl.DataFrame, bucket: pl.Series, n: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows of each bucket that has any."""
    if n == 1:
        yield 0, frame
        return
    parts = frame.with_columns(bucket.alias("@bucket")).partition_by("@bucket", as_dict=True, include_key=False)
    yield from ((int(key), part) for (key,), part in parts.items())


def _n_bytes(frame: pl.DataFrame) -> int:
    """About how much memory rows take; texts shared with other frames are counted as if they were not."""
    fixed = sum(8 if not isinstance(dtype, pl.String) else 32 for dtype in frame.dtypes)
    return fixed * frame.height
