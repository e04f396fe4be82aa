"""From a file to rows of text, each with its place in the file. Nothing is interpreted here but the file's form."""

import csv
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import fastexcel
import polars as pl
from charset_normalizer import from_bytes

from cadran.sources.feeds import File
from cadran.tables.problems import Problem

#: Where a row stands: its file, its number among the data rows from 1, its line (null in Parquet).
FILE, ROW, LINE, RAGGED = "@file", "@row", "@line", "@ragged"
PLACE = (FILE, ROW, LINE, RAGGED)
#: Number of a source row, unique in a delivery.
ID = "@id"
_SPARE = [f"@spare{i}" for i in range(4)]
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
#: Signs beyond ASCII that Western files hold. Read as cp1252, a file of nothing else is cp1252.
_WESTERN = set("àáâãäåæçèéêëìíîïñòóôõöøœùúûüýÿßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝŸ€£°§«»‘’“”–—…·²µ¿¡ªº™®©½\xa0")
_GUESSES = ["cp1252", "latin_1", "cp1250", "cp1251", "mac_roman", "cp850"]


@dataclass(frozen=True)
class Rows:
    """Rows as read: text (typed in Parquet), `PLACE` beside. `digests` and `guesses` are by file name."""

    frame: pl.DataFrame
    digests: dict[str, str]
    guesses: dict[str, str]

    @property
    def columns(self) -> list[str]:
        """Columns of the file, without the place."""
        return [c for c in self.frame.columns if c not in PLACE]


def read(file: File, folder: Path) -> Rows:
    """Every row of `file` in `folder`.

    A blank line is no row. A row whose number of cells is not the header's is flagged `RAGGED`.

    Raises:
        Problem: If the file is missing, empty, without rows, undecodable, corrupt, or its header names a column twice.
    """
    parts: list[pl.DataFrame] = []
    digests: dict[str, str] = {}
    guesses: dict[str, str] = {}
    for path in find(file, folder):
        try:
            frame, guess = _one(file, path)
        except OSError as error:
            told = {"file": path.name, "reason": error.strerror}
            raise Problem("{file} cannot be read ({reason}).", "Check who may read it.", **told) from None
        _no_duplicates(frame.columns, path)
        frame = frame.filter(~pl.all_horizontal(pl.exclude(LINE, RAGGED).is_null()) | pl.col(RAGGED))
        if frame.is_empty() and not file.optional:
            raise Problem("{file} has a header and no rows.", "Export it again, with its rows.", file=path.name)
        parts.append(frame.with_columns(pl.lit(path.name).alias(FILE), pl.int_range(1, pl.len() + 1).alias(ROW)))
        with path.open("rb") as opened:
            digests[path.name] = hashlib.file_digest(opened, "sha256").hexdigest()
        guesses |= {path.name: guess} if guess else {}
    for part, name in zip(parts[1:], list(digests)[1:], strict=True):
        _same_columns(parts[0].columns, part.columns, name, next(iter(digests)))
    typed = [p.cast(dict(zip(p.columns, p.dtypes, strict=True))) for p in parts]
    return Rows(pl.concat(typed, how="vertical_relaxed") if parts else pl.DataFrame(), digests, guesses)


def find(file: File, folder: Path) -> list[Path]:
    """Files that `file.path` means: of several alternatives the first that is there, of a pattern every match."""
    for alternative in file.path:
        pattern = any(sign in alternative for sign in "*?[")
        found = sorted(folder.glob(alternative)) if pattern else [folder / alternative]
        if found := [path for path in found if path.is_file()]:
            return found
    if file.optional:
        return []
    there = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    close = get_close_matches(file.path[0], there, 1)
    what = "{file} is not in {folder}." if folder.is_dir() else "There is no folder {folder}, where {file} should be."
    repair = (
        "Is it {close}? If so, rename it or write it in the mapping."
        if close
        else "Put it there, or name its folder with --from."
    )
    raise Problem(what, repair, file=" / ".join(file.path), folder=folder.resolve(), close=close and close[0])


def kind_of(path: Path) -> str:
    """Format that the name of a file tells: csv, tsv, parquet or excel."""
    endings = {
        ".parquet": "parquet",
        ".xlsx": "excel",
        ".xlsm": "excel",
        ".xls": "excel",
        ".xlsb": "excel",
        ".ods": "excel",
    }
    return endings.get(path.suffix.lower(), "tsv" if path.suffix.lower() == ".tsv" else "csv")


def _one(file: File, path: Path) -> tuple[pl.DataFrame, str | None]:
    if path.stat().st_size == 0:
        raise Problem("{file} is empty.", "Export it again.", file=path.name)
    kind = file.format or kind_of(path)
    if kind == "parquet":
        return _opened(lambda: _parquet(path), path, "Parquet"), None
    if kind == "excel":
        return _opened(lambda: _excel(file, path), path, "Excel"), None
    text, guess = _decoded(path.read_bytes(), file, path)
    return _csv(text, file, path, "\t" if kind == "tsv" else file.separator), guess


def _opened(open_: Callable[[], pl.DataFrame], path: Path, kind: str) -> pl.DataFrame:
    try:
        return open_()
    except (pl.exceptions.PolarsError, fastexcel.FastExcelError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Problem(
            "{file} cannot be opened as {kind} ({reason}).",
            "Export it again, or correct its format in the mapping.",
            file=path.name,
            kind=kind,
            reason=reason,
        ) from None


def _parquet(path: Path) -> pl.DataFrame:
    frame = pl.read_parquet(path, use_pyarrow=False, glob=False)
    texts = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]
    return frame.with_columns(pl.col(texts).cast(pl.String)).with_columns(
        pl.lit(None, pl.Int64).alias(LINE), pl.lit(False).alias(RAGGED)
    )


def sheets(path: Path) -> list[str]:
    """Names of the sheets of a workbook that has several; none otherwise.

    Raises:
        Problem: If it cannot be opened.
    """
    if kind_of(path) != "excel":
        return []
    listed = _opened(lambda: pl.DataFrame({"name": fastexcel.read_excel(path).sheet_names}), path, "Excel")
    return listed["name"].to_list() if listed.height > 1 else []


def _excel(file: File, path: Path) -> pl.DataFrame:
    book = fastexcel.read_excel(path)
    sheet = file.sheet or (book.sheet_names[0] if len(book.sheet_names) == 1 else None)
    if sheet not in book.sheet_names:
        what = "{file} has no sheet called {sheet}." if sheet else "{file} has several sheets."
        raise Problem(
            what,
            'Write sheet = "NAME" in the mapping; the sheets are: {names}.',
            file=path.name,
            sheet=sheet,
            names=", ".join(book.sheet_names),
        )
    header = (file.header_line or 1) - 1
    rows = book.load_sheet(sheet, header_row=None, skip_rows=header, dtypes="string").to_polars()
    if rows.is_empty():
        raise Problem("{file} is empty.", "Export it again.", file=path.name)
    names = [name if name is not None else f"column {i}" for i, name in enumerate(rows.row(0), 1)]
    _no_duplicates(names, path)
    texts = rows[1:].rename(dict(zip(rows.columns, names, strict=True))).with_columns(_blank_to_null(names))
    return texts.with_columns(
        pl.int_range(2, pl.len() + 2).cast(pl.Int64).alias(LINE) + header, pl.lit(False).alias(RAGGED)
    )


def _decoded(data: bytes, file: File, path: Path) -> tuple[bytes, str | None]:
    """The text as UTF-8 with \\n line ends, and the encoding if it had to be guessed."""
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), None)
    if encoding:
        data = data[3 if encoding == "utf-8" else 2 :]
    stated, guess = encoding or file.encoding, None
    try:
        "".encode(stated or "utf-8")
        data.decode("utf-8")
        is_utf8 = True
    except LookupError:
        raise Problem(
            "{file}: there is no encoding called {encoding}.",
            "Write utf-8, cp1252 or utf-16, for example.",
            file=path.name,
            encoding=stated,
        ) from None
    except UnicodeDecodeError:
        is_utf8 = False
    if stated and "utf" not in stated.lower() and is_utf8 and not data.isascii():
        raise Problem(
            "{file} is written in UTF-8, not in {encoding}.",
            "Correct the encoding in the mapping, or leave it out.",
            file=path.name,
            encoding=stated,
        )
    if not stated and (not is_utf8 or b"\0" in data[:1000]):
        stated = guess = _guessed(data, path)
    if stated and not (is_utf8 and stated.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")):
        try:
            data = data.decode(stated).removeprefix("\ufeff").encode("utf-8")
        except UnicodeDecodeError as error:
            values = {"file": path.name, "encoding": stated, "line": data.count(b"\n", 0, error.start) + 1}
            raise Problem(
                "{file} is not written in {encoding}: line {line:,} cannot be read.",
                "Correct the encoding in the mapping, or leave it out.",
                **values,
            ) from None
    return (data if b"\n" in data else data.replace(b"\r", b"\n")), guess


def _guessed(data: bytes, path: Path) -> str:
    if b"\0" in data[:1000]:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    lines = [line for line in islice(io.BytesIO(data), 200_000) if not line.isascii()][:2000]
    sample = b"".join(lines)
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


def _separator(text: str) -> str:
    """The sign that cuts the first rows into the same number of cells, the largest number if several do."""

    def score(sign: str) -> tuple[int, int]:
        rows = [len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=sign), 50) if row]
        return (sum(n == rows[0] for n in rows) if rows and rows[0] > 1 else 0), rows[0] if rows else 0

    return max([",", ";", "\t", "|"], key=score)


def _csv(data: bytes, file: File, path: Path, separator: str | None) -> pl.DataFrame:
    header_line = file.header_line or 1
    if declared := re.match(rb"sep=(.)\r?\n", data):  # written by spreadsheets
        separator, header_line = separator or declared[1].decode(), header_line + (file.header_line is None)
    start = 0
    for _ in range(header_line - 1):
        start = data.find(b"\n", start) + 1
    head = data[start : start + 2**20].decode("utf-8", errors="ignore")
    separator = separator or _separator(head)
    reader = csv.reader(io.StringIO(head), delimiter=separator)
    header = [name.strip() or f"column {i}" for i, name in enumerate(next(reader, []), 1)]
    if not header:
        raise Problem("{file} is empty.", "Export it again.", file=path.name)
    _no_duplicates(header, path)
    body = start
    for _ in range(reader.line_num):
        body = data.find(b"\n", body) + 1 or len(data)
    names = [*header, *_SPARE]
    first = separator.join('"' + name.replace('"', '""') + '"' for name in names).encode() + b"\n"
    try:
        frame = pl.read_csv(first + data[body:], separator=separator, infer_schema=False, truncate_ragged_lines=True)
    except pl.exceptions.PolarsError:
        line = _last_start(data[body:], separator) + header_line + reader.line_num - 1
        raise Problem(
            "{file}: a quotation mark opened in line {line:,} is never closed.",
            "Close it there, or double the marks inside the text.",
            file=path.name,
            line=line,
        ) from None
    frame = frame.with_columns(_blank_to_null(frame.columns))
    return _placed(frame, header, data[body:], separator, header_line + reader.line_num)


def _placed(frame: pl.DataFrame, header: list[str], body: bytes, separator: str, line: int) -> pl.DataFrame:
    """Lines and ragged rows; exact with line ends inside quotes."""
    quoted = b'"' in body
    inner = (
        pl.sum_horizontal(pl.col(header).str.count_matches("\n", literal=True).fill_null(0)) if quoted else pl.lit(0)
    )
    lines = (
        pl.int_range(line, pl.len() + line) + inner.cum_sum().shift(1, fill_value=0)
        if quoted
        else pl.int_range(line, pl.len() + line)
    )
    plain = re.sub(rb'"[^"]*"', b"", body) if quoted else body
    blank = frame.select(pl.all_horizontal(pl.all().is_null()).sum()).item()
    n_cuts = plain.count(separator.encode())
    odd: list[int] = []
    if n_cuts != (frame.height - blank) * (len(header) - 1):
        rows = csv.reader(io.StringIO(body.decode("utf-8"), newline=""), delimiter=separator)
        odd = [
            i
            for i, row in enumerate(rows)
            if row and len(row) != len(header) and (len(row) < len(header) or any(row[len(header) :]))
        ]
    is_odd = pl.int_range(pl.len()).is_in(odd) if odd else pl.lit(False)
    return frame.with_columns(lines.cast(pl.Int64).alias(LINE), is_odd.alias(RAGGED)).drop(_SPARE)


def _last_start(body: bytes, separator: str) -> int:
    """Line, from 1, where the last row begins."""
    rows, begins = csv.reader(io.StringIO(body.decode("utf-8"), newline=""), delimiter=separator), 1
    before = 0
    for _ in rows:
        begins, before = before + 1, rows.line_num
    return begins


def _blank_to_null(names: list[str]) -> list[pl.Expr]:
    return [pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)).alias(name) for name in names]


def _no_duplicates(names: list[str], path: Path) -> None:
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        places = ", ".join(str(i) for i, name in enumerate(names, 1) if name == twice[0])
        raise Problem(
            "{file}: the header names {column!r} more than once (columns {places}).",
            "Rename one of them in the file.",
            file=path.name,
            column=twice[0],
            places=places,
        )


def _same_columns(first: list[str], columns: list[str], name: str, other: str) -> None:
    odd = sorted(set(first) ^ set(columns))
    if odd:
        raise Problem(
            "{file} and {other} do not have the same columns: {columns}.",
            "Export both in one form, or feed them apart.",
            file=name,
            other=other,
            columns=", ".join(odd),
        )
