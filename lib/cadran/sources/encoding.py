"""In which encoding a file is written. What is not UTF-8 is written anew as UTF-8 once, so that all else reads that."""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from cadran.sources.feeds import File
from cadran.tables.problems import Problem

_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
#: Signs beyond ASCII that Western files hold. Read as cp1252, a file of nothing else is cp1252.
_WESTERN = set("àáâãäåæçèéêëìíîïñòóôõöøœùúûüýÿßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝŸ€£°§«»‘’“”–—…·²µ¿¡ªº™®©½\xa0")
_GUESSES = ["cp1252", "latin_1", "cp1250", "cp1251", "mac_roman", "cp850"]
_CHUNK = 2**24


@dataclass(frozen=True)
class Text:
    """A file as UTF-8 with \\n line ends: where it stands, from which byte on, and what was learnt on the way."""

    path: Path
    start: int
    sha256: str
    #: The encoding, if it had to be guessed.
    guess: str | None


def as_utf8(file: File, path: Path, spare: Callable[[], Path]) -> Text:
    """The text of a file as UTF-8.

    Args:
        file: What the mapping says of it.
        path: The file.
        spare: Gives a path to write to, if it has to be written anew.

    Raises:
        Problem: If it is not in the encoding stated, or its encoding cannot be told.
    """
    with path.open("rb") as opened:
        head = opened.read(1000)
    bom, encoding = next(((bom, name) for bom, name in _BOMS.items() if head.startswith(bom)), (b"", None))
    start = len(bom)
    digest, is_utf8, is_ascii, has_line_feed, has_return = _seen(path, start)
    stated, guess = encoding or file.encoding, None
    _exists(stated, path)
    if stated and "utf" not in stated.lower() and is_utf8 and not is_ascii:
        raise Problem(
            "{file} is written in UTF-8, not in {encoding}.",
            "Correct the encoding in the mapping, or leave it out.",
            file=path.name, encoding=stated,
        )  # fmt: skip
    if not stated and (not is_utf8 or b"\0" in head):
        stated = guess = _guessed(path)
    is_known = not stated or (is_utf8 and stated.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig"))
    is_old_mac = has_return and not has_line_feed
    if is_known and not is_old_mac:
        return Text(path, start, digest, guess)
    anew = spare()
    _written(path, start, stated or "utf-8", anew)
    return Text(anew, 0, digest, guess)


def _chunks(opened: BinaryIO) -> Iterator[bytes]:
    while chunk := opened.read(_CHUNK):
        yield chunk


def _seen(path: Path, start: int) -> tuple[str, bool, bool, bool, bool]:
    """The digest of all bytes; whether the text is UTF-8, is ASCII, and holds \\n and \\r."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_ascii, has_line_feed, has_return, skipped = True, True, False, False, start
    with path.open("rb") as opened:
        for chunk in _chunks(opened):
            digest.update(chunk)
            text, skipped = chunk[skipped:], 0
            has_line_feed = has_line_feed or b"\n" in text
            has_return = has_return or (not has_line_feed and b"\r" in text)
            chunk_is_ascii = text.isascii()
            is_ascii = is_ascii and chunk_is_ascii
            if is_utf8 and not (chunk_is_ascii and decoder.getstate() == (b"", 0)):
                is_utf8 = _decodes(decoder, text)
    return digest.hexdigest(), is_utf8 and _decodes(decoder, b"", final=True), is_ascii, has_line_feed, has_return


def _decodes(decoder: codecs.IncrementalDecoder, data: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(data, final)
    except UnicodeDecodeError:
        return False
    return True


def _exists(encoding: str | None, path: Path) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise Problem(
            "{file}: there is no encoding called {encoding}.",
            "Write utf-8, cp1252 or utf-16, for example.",
            file=path.name, encoding=encoding,
        ) from None  # fmt: skip


def _written(path: Path, start: int, encoding: str, anew: Path) -> None:
    """Write the text as UTF-8; \\r becomes \\n where the file has no \\n."""
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 0
    with path.open("rb") as opened, anew.open("wb") as target:
        opened.seek(start)
        is_first, has_line_feed = True, False
        for chunk in _ended(opened):
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise Problem(
                    "{file} is not written in {encoding}: line {line:,} cannot be read.",
                    "Correct the encoding in the mapping, or leave it out.",
                    file=path.name, encoding=encoding, line=lines + error.object.count(b"\n", 0, error.start) + 1,
                ) from None  # fmt: skip
            text, is_first = (text.removeprefix("\ufeff") if is_first else text), False
            lines += text.count("\n")
            has_line_feed = has_line_feed or "\n" in text
            target.write(text.encode("utf-8"))
    if not has_line_feed:
        _with_line_feeds(anew)


def _ended(opened: BinaryIO) -> Iterator[bytes]:
    yield from _chunks(opened)
    yield b""


def _with_line_feeds(path: Path) -> None:
    """Old line ends made new ones, in place."""
    with path.open("r+b") as opened:
        while chunk := opened.read(_CHUNK):
            opened.seek(-len(chunk), 1)
            opened.write(chunk.replace(b"\r", b"\n"))


def _guessed(path: Path) -> str:
    with path.open("rb") as opened:
        head = opened.read(1000)
        if b"\0" in head:
            return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
        opened.seek(0)
        lines = (line for line in iter(lambda: opened.readline(_CHUNK), b"") if not line.isascii())
        sample = b"".join(islice(lines, 2000))
    if not {sign for sign in sample.decode("cp1252", errors="replace") if not sign.isascii()} - _WESTERN:
        return "cp1252"
    found = from_bytes(sample, cp_isolation=_GUESSES).best()
    if found is None:
        raise Problem(
            "The encoding of {file} cannot be told.",
            'Write encoding = "cp1252" (or another) in the mapping.',
            file=path.name,
        )
    return found.encoding
