"""A version of a book while it is written: its files, each on the disk and with its checksum before it counts."""

import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book.folder import flush

#: Rows that a reader takes or leaves as a whole, by the smallest and largest values in them.
ROW_GROUP = 250_000
MANIFEST, SEAL = "manifest.json", "manifest.sha256"


class Draft:
    """The folder of a version to be."""

    def __init__(self, path: Path):
        self.path = path
        #: Checksums of the files, by their path in the version.
        self.sums: dict[str, str] = {}
        path.mkdir()

    def write(self, name: str, frame: pl.DataFrame) -> None:
        """Write a frame as one file, such as "versions/0000.parquet"."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file that is linked is also the older version's.
        path.unlink(missing_ok=True)
        # By way of memory, for a full disk to be told as such: of one, polars says "transport error".
        data = io.BytesIO()
        # The lowest level takes half the time of the usual one, and a tenth more room.
        frame.write_parquet(data, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        path.write_bytes(data.getbuffer())
        self.sums[name] = hashlib.sha256(data.getbuffer()).hexdigest()

    def link(self, old: Path, name: str, checksum: str) -> None:
        """Take a file of an older version as it is: the same bytes on the disk where the file system can."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(old / name, path)
        except OSError:
            shutil.copyfile(old / name, path)
        self.sums[name] = checksum

    def remove(self, *names: str) -> None:
        """Take files, or folders of files, out of the version."""
        for name in names:
            path = self.path / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            self.sums = {file: s for file, s in self.sums.items() if file != name and not file.startswith(f"{name}/")}

    def finish(self, manifest: dict[str, Any], final: Path) -> None:
        """Seal the version and give it its name: from then on it is complete."""
        # All at the end: most have reached the disk by then, and nothing waited for it.
        for name in self.sums:
            flush(self.path / name)
        seal(self.path, manifest | {"sha256": dict(sorted(self.sums.items()))})
        for folder in self.path.rglob("*"):
            if folder.is_dir():
                flush(folder)
        flush(self.path)
        self.path.rename(final)
        flush(final.parent)


def seal(version: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a version, with the checksum of every file, and the manifest's own beside it.

    Args:
        version: The version's folder.
        manifest: Its contents. Files that `manifest["sha256"]` does not name are read for their checksum; names of
            files that are gone are left out.
    """
    known = manifest.get("sha256", {})
    files = sorted(path.relative_to(version).as_posix() for path in version.rglob("*.parquet"))
    manifest = manifest | {"sha256": {name: known.get(name) or digest(version / name) for name in files}}
    text = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    (version / MANIFEST).write_bytes(text)
    (version / SEAL).write_text(f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n", "utf-8")
    flush(version / MANIFEST)
    flush(version / SEAL)


def seal_of(version: Path) -> str:
    """The checksum that a version's manifest was sealed with; empty for one that never was."""
    try:
        return (version / SEAL).read_text("utf-8").split()[0]
    except FileNotFoundError:
        return ""


def sealed(version: Path) -> tuple[bytes, bool]:
    """The text of a version's manifest, and whether it is what was sealed."""
    # Twice: a version may be exchanged for its rewritten self between the two files.
    for _ in range(2):
        text = (version / MANIFEST).read_bytes()
        if is_whole := seal_of(version) in (hashlib.sha256(text).hexdigest(), ""):
            break
    return text, is_whole


def digest(path: Path) -> str:
    """The SHA-256 checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
