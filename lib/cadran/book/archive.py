"""One file that holds a folder: written whole or not at all, and read back only if every byte is what was written.

A plain tar file, for what a book holds is compressed already. Its last member tells the checksum of every other one, so
that a file cut short lacks it.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from cadran.book.folder import flush, told_of
from cadran.tables.problems import Problem

#: The last member, and the shape in which it tells what there is.
INDEX, FORMAT = "cadran-backup.json", 1


class Packing:
    """An archive while it is written."""

    def __init__(self, tar: tarfile.TarFile):
        self._tar = tar
        #: Checksums of the files, by their path.
        self.sums: dict[str, str] = {}
        self._same: dict[tuple[str, str], str] = {}

    def folder(self, name: str, mode: int) -> None:
        """Add a folder."""
        self._tar.addfile(_member(name, tarfile.DIRTYPE, mode))

    def linked(self, name: str, within: str, checksum: str) -> bool:
        """Add a file as a second name of one that stood under the same path in another version, if there was one."""
        first = self._same.setdefault((within, checksum), name)
        if first == name:
            return False
        member = _member(name, tarfile.LNKTYPE, 0o600)
        member.linkname = first
        self._tar.addfile(member)
        self.sums[name] = checksum
        return True

    def data(self, name: str, data: bytes, mode: int) -> None:
        """Add a file by its contents."""
        self.stream(name, io.BytesIO(data), len(data), mode)

    def stream(self, name: str, file: BinaryIO, size: int, mode: int) -> str:
        """Add a file of so many bytes, read piece by piece; gives its checksum."""
        member, read = _member(name, tarfile.REGTYPE, mode), _Read(file)
        member.size = size
        self._tar.addfile(member, read)  # type: ignore[arg-type]
        self.sums[name] = read.digest.hexdigest()
        return self.sums[name]


class _Read:
    """A file of which a checksum is taken while it is read."""

    def __init__(self, file: BinaryIO):
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        return data


@contextmanager
def packing(out: Path, told: dict[str, Any]) -> Iterator[Packing]:
    """Write an archive that its owner alone may read; it is there, whole, where the block ends well.

    Args:
        out: The file, which must not be there.
        told: What the index says besides; may be added to within the block.

    Raises:
        Problem: If it is there already, or cannot be written.
    """
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    if out.exists():
        raise Problem("{file} is there already.", "Name another file: a backup is never written over.", file=out)
    with told_of(out.parent):
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            yield (packed := Packing(tar))
            index = {"format": FORMAT, **told, "sha256": packed.sums}
            text = json.dumps(index, indent=1, ensure_ascii=False, default=str).encode()
            packed.data(INDEX, json.dumps({"sha256": hashlib.sha256(text).hexdigest()}).encode() + b"\n" + text, 0o600)
        with told_of(out.parent):
            flush(draft)
            os.link(draft, out)  # not over one that came there meanwhile
            flush(out.parent)
    finally:
        draft.unlink(missing_ok=True)


def unpacked(archive: Path, folder: Path) -> dict[str, Any]:
    """Write what an archive holds into a folder, each file held to its checksum.

    Args:
        archive: As `packing` writes it.
        folder: The folder, which is made.

    Returns:
        What its index says.

    Raises:
        Problem: If it is no such archive, is not whole, or the folder cannot be written.
    """
    sums: dict[str, str] = {}
    text = b""
    try:
        opened = tarfile.open(archive, "r:")  # noqa: SIM115
    except (OSError, tarfile.TarError) as error:
        raise _not_ours(archive, error) from error
    with opened, told_of(folder):
        folder.mkdir(parents=True)
        modes: dict[Path, int] = {}
        for member, place in _members(archive, opened, folder):
            if not place.parent.is_dir() or place.exists():
                raise _not_whole(archive, member.name)
            if member.isdir():
                place.mkdir()
                modes[place] = member.mode & 0o777
            elif member.islnk():
                if member.linkname not in sums:
                    raise _not_ours(archive, member.name)
                os.link(folder / member.linkname, place)
                sums[member.name] = sums[member.linkname]
            elif member.name == INDEX:
                text = _contents(archive, opened, member)
            else:
                sums[member.name] = _written(archive, opened, member, place)
        for place, mode in modes.items():
            flush(place)
            place.chmod(mode)
    return _index(archive, text, sums)


def _members(archive: Path, tar: tarfile.TarFile, folder: Path) -> Iterator[tuple[tarfile.TarInfo, Path]]:
    """What the archive holds, and where each goes: nothing but files, folders and second names, all within the folder."""
    try:
        for member in tar:
            path = PurePosixPath(member.name)
            is_within = not path.is_absolute() and ".." not in path.parts and bool(path.parts)
            if not is_within or not (member.isreg() or member.isdir() or member.islnk()):
                raise _not_ours(archive, member.name)
            yield member, folder / path
    except tarfile.TarError as error:
        raise _not_whole(archive, error) from error


def _contents(archive: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    try:
        file = tar.extractfile(member)
        return file.read() if file else b""
    except (tarfile.TarError, OSError) as error:
        raise _not_whole(archive, error) from error


def _written(archive: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> str:
    """Write one file to the disk; its checksum."""
    digest, left = hashlib.sha256(), member.size
    file = tar.extractfile(member)
    assert file is not None
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as to:
        while left:
            try:
                data = file.read(min(left, 1 << 20))
            except (tarfile.TarError, OSError) as error:
                raise _not_whole(archive, error) from error
            if not data:
                raise _not_whole(archive, member.name)
            digest.update(data)
            to.write(data)
            left -= len(data)
        to.flush()
        os.fsync(to.fileno())
    place.chmod(member.mode & 0o777)
    return digest.hexdigest()


def _index(archive: Path, text: bytes, sums: dict[str, str]) -> dict[str, Any]:
    """The index, if it and all it names are what was written."""
    first, _, rest = text.partition(b"\n")
    try:
        said = json.loads(first)["sha256"]
        told = dict(json.loads(rest))
    except (ValueError, KeyError, TypeError) as error:
        raise _not_whole(archive, INDEX) from error
    if said != hashlib.sha256(rest).hexdigest():
        raise _not_whole(archive, INDEX)
    if told["format"] != FORMAT:
        raise Problem(
            "{file} is of another Cadran: its shape is {found}, and this one reads {known}.", "Install a newer Cadran.",
            file=archive, found=told["format"], known=FORMAT,
        )  # fmt: skip
    for name in sorted(told["sha256"].keys() | sums.keys()):
        if told["sha256"].get(name) != sums.get(name):
            raise _not_whole(archive, name)
    return told


def _member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    """A member without an owner or a time: when a file was last written may tell when somebody answered a survey."""
    member = tarfile.TarInfo(name)
    member.type, member.mode = kind, mode
    return member


def _not_ours(archive: Path, what: object) -> Problem:
    return Problem(
        "{file} is no backup of a book: {reason}.", "Name a file that `cadran backup` wrote.", file=archive,
        reason=getattr(what, "strerror", None) or what,
    )  # fmt: skip


def _not_whole(archive: Path, what: object) -> Problem:
    return Problem(
        "{file} is not what `cadran backup` wrote: it was cut short or altered ({reason}).",
        "Nothing was restored. Copy it again from where it is kept, or take another backup.", file=archive, reason=what,
    )  # fmt: skip
